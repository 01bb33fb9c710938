// The functions of SQLite's C interface that sql.js exports, picked once: a plain object of functions is called faster
// than Emscripten's module object, and its names end here.
import type { Heap } from './heap.js'
import { misuse } from './errors.js'
import { Scratch } from './scratch.js'

type Call = (...args: number[]) => number

export interface Native {
  prepare: Call
  step: Call
  reset: Call
  clearBindings: Call
  finalize: Call
  exec: Call
  changes: Call
  errmsg: Call
  bindInt: Call
  bindDouble: Call
  bindText: Call
  bindBlob: Call
  columnCount: Call
  columnName: Call
  columnType: Call
  columnText: Call
  columnBlob: Call
  columnBytes: Call
  columnDouble: Call
  malloc: Call
  free: Call
}

const EXPORTS: Record<keyof Native, string> = {
  prepare: '_sqlite3_prepare_v2',
  step: '_sqlite3_step',
  reset: '_sqlite3_reset',
  clearBindings: '_sqlite3_clear_bindings',
  finalize: '_sqlite3_finalize',
  exec: '_sqlite3_exec',
  changes: '_sqlite3_changes',
  errmsg: '_sqlite3_errmsg',
  bindInt: '_sqlite3_bind_int',
  bindDouble: '_sqlite3_bind_double',
  bindText: '_sqlite3_bind_text',
  bindBlob: '_sqlite3_bind_blob',
  columnCount: '_sqlite3_column_count',
  columnName: '_sqlite3_column_name',
  columnType: '_sqlite3_column_type',
  columnText: '_sqlite3_column_text',
  columnBlob: '_sqlite3_column_blob',
  columnBytes: '_sqlite3_column_bytes',
  columnDouble: '_sqlite3_column_double',
  malloc: '_malloc',
  free: '_free',
}

/** SQLite's type of a column's value. */
export const ColumnType = { INTEGER: 1, REAL: 2, TEXT: 3, BLOB: 4, NULL: 5 } as const

/** One running module: its functions, its memory, and room in it for what is passed to it. */
export interface Wasm {
  readonly native: Native
  readonly heap: Heap
  readonly scratch: Scratch
}

/** Throws when the module lacks a function. */
export function pickNative(module: object): Native {
  const picked = Object.entries(EXPORTS).map(([name, exported]) => {
    const found = (module as Record<string, unknown>)[exported]
    if (typeof found !== 'function') throw misuse(`No export '${exported}'`, 'WORKER_LOAD')
    return [name, found]
  })
  return Object.fromEntries(picked) as Native
}

export function openWasm(module: object, heap: Heap): Wasm {
  const native = pickNative(module)
  return { native, heap, scratch: new Scratch(native, heap) }
}
