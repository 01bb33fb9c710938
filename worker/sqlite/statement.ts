// One compiled statement: binds, steps, and reads the row it stands on. It goes to SQLite's functions directly, because
// sql.js's Statement cuts text at the first NUL, copies blobs byte by byte and rounds integers.
import { misuse, ResultCode, toSqliteError } from './errors.js'
import type { Handle } from './handle.js'
import type { Heap } from './heap.js'
import { ColumnType, type Native } from './native.js'
import type { RowReader, SqlCell, SqlParam } from '../seams.js'
import { kindOf, type StatementKind } from './statement-kind.js'

/** SQLite's destructor for values that stay where they are until the statement is done. */
const STATIC = 0

export class Statement implements RowReader {
  readonly sql: string
  readonly kind: StatementKind
  readonly pointer: number
  /** Number of parameters: the highest `?`. */
  readonly parameters: number
  /** Running, or in a visitor: neither to be run again nor to be dropped. */
  busy = false
  /** When it was last used, in uses. */
  lastUse = 0
  /** True when it inserts, updates or deletes rows: SQLite's count of changes is then this statement's. */
  changesRows = false
  readonly #handle: Handle
  readonly #native: Native
  readonly #heap: Heap
  #columns: readonly string[] | null = null

  constructor(handle: Handle, pointer: number, sql: string) {
    this.#handle = handle
    this.#native = handle.wasm.native
    this.#heap = handle.wasm.heap
    this.pointer = pointer
    this.sql = sql
    this.kind = kindOf(sql)
    this.parameters = this.#countParameters()
  }

  /** The values stay in scratch memory: whoever binds takes the mark before and releases it after `reset`. */
  bind(params: readonly SqlParam[]): void {
    if (params.length !== this.parameters) {
      throw misuse(`The statement has ${this.parameters} parameters, ${params.length} were given`)
    }
    for (let i = 0; i < params.length; i++) {
      const resultCode = this.#bindOne(i + 1, params[i]!)
      if (resultCode !== ResultCode.OK) throw this.#handle.failure(resultCode)
    }
  }

  /** True when it stands on a row, false at the end. */
  step(): boolean {
    let resultCode: number
    try {
      resultCode = this.#native.step(this.pointer)
    } catch (e) {
      throw toSqliteError(e)
    }
    if (resultCode === ResultCode.ROW) return true
    if (resultCode === ResultCode.DONE) return false
    throw this.#handle.stepFailure(resultCode, this.pointer)
  }

  reset(): void {
    this.#native.reset(this.pointer)
    if (this.parameters > 0) this.#native.clearBindings(this.pointer)
    // Names are read again by the next run: another statement may have changed the schema.
    this.#columns = null
  }

  finalize(): void {
    this.#native.finalize(this.pointer)
  }

  /** True when it gives rows. */
  get hasColumns(): boolean {
    return this.#native.columnCount(this.pointer) > 0
  }

  get columns(): readonly string[] {
    return (this.#columns ??= this.#readColumns())
  }

  text(i: number): string | null {
    if (this.#native.columnType(this.pointer, i) === ColumnType.NULL) return null
    return this.#text(i)
  }

  blob(i: number): Uint8Array<ArrayBuffer> | null {
    if (this.#native.columnType(this.pointer, i) === ColumnType.NULL) return null
    return this.#blob(i)
  }

  value(i: number): SqlCell {
    switch (this.#native.columnType(this.pointer, i)) {
      case ColumnType.INTEGER:
        return this.#integer(i)
      case ColumnType.REAL:
        return this.#native.columnDouble(this.pointer, i)
      case ColumnType.TEXT:
        return this.#text(i)
      case ColumnType.BLOB:
        return this.#blob(i)
      default:
        return null
    }
  }

  #text(i: number): string {
    // The order matters: the length is that of the text only after SQLite made it.
    const at = this.#native.columnText(this.pointer, i)
    const length = this.#native.columnBytes(this.pointer, i)
    return length === 0 ? '' : this.#heap.text(at >>> 0, length)
  }

  #blob(i: number): Uint8Array<ArrayBuffer> {
    const at = this.#native.columnBlob(this.pointer, i) >>> 0
    const length = this.#native.columnBytes(this.pointer, i)
    return length === 0 ? new Uint8Array(0) : this.#heap.bytes.slice(at, at + length)
  }

  /** sql.js exports no column_int64. A double is exact within 2^53; beyond it the text is. */
  #integer(i: number): number | bigint {
    const value = this.#native.columnDouble(this.pointer, i)
    return Number.isSafeInteger(value) ? value : BigInt(this.#text(i))
  }

  #bindOne(place: number, value: SqlParam): number {
    const { scratch } = this.#handle.wasm
    if (typeof value === 'number') {
      if (Number.isNaN(value)) throw misuse(`Parameter ${place} is NaN, which SQLite would store as NULL`)
      return value === (value | 0)
        ? this.#native.bindInt(this.pointer, place, value)
        : this.#native.bindDouble(this.pointer, place, value)
    }
    if (typeof value === 'string') {
      const at = scratch.putText(value)
      return this.#native.bindText(this.pointer, place, at, scratch.length, STATIC)
    }
    // Bindings were cleared, that is, set to NULL, after the last run.
    if (value === null) return ResultCode.OK
    if (value instanceof Uint8Array) {
      const at = scratch.putBytes(value)
      return this.#native.bindBlob(this.pointer, place, at, scratch.length, STATIC)
    }
    throw misuse(`Parameter ${place} is ${describe(value)}, which cannot be bound`)
  }

  /** sql.js exports no bind_parameter_count: binding behind the last parameter fails. */
  #countParameters(): number {
    if (!this.sql.includes('?') && !/[:@$]/.test(this.sql)) return 0
    const exists = (place: number): boolean =>
      this.#native.bindBlob(this.pointer, place, 0, 0, STATIC) === ResultCode.OK
    let low = 0
    let high = 1
    while (exists(high)) {
      low = high
      high *= 2
    }
    // `low` exists (or is 0), `high` does not.
    while (high - low > 1) {
      const middle = (low + high) >> 1
      if (exists(middle)) low = middle
      else high = middle
    }
    return low
  }

  #readColumns(): string[] {
    const count = this.#native.columnCount(this.pointer)
    return Array.from({ length: count }, (_, i) => this.#heap.cString(this.#native.columnName(this.pointer, i) >>> 0))
  }
}

function describe(value: unknown): string {
  return typeof value === 'object' ? `a ${value!.constructor?.name ?? 'object'}` : `of type ${typeof value}`
}
