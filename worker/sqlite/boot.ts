// Starts SQLite: the module is compiled, started, and has to prove that it works before anybody gets it.
import { DataFlowError } from '../../src/shared/errors.js'
import { checkBoot } from './boot-check.js'
import { Connection } from './connection.js'
import { ChunkedFile } from './file.js'
import { Handle } from './handle.js'
import { startSqlJs } from './runtime.js'
import type { SavedFile, SqliteModule } from '../seams.js'

/** What package.json pins, and the SQLite in it: our system calls are those of this build. */
export const SQLJS_VERSION = '1.16.0'
export const SQLITE_VERSION = '3.54.1'

/** sql.js's .wasm file: its bytes, compiled, or on its way. */
export type WasmSource = BufferSource | WebAssembly.Module | Response

export interface BootOptions {
  /** Asked for each start: an engine that opens again in the same worker fetches nothing. */
  wasm(): WasmSource | PromiseLike<WasmSource>
}

/**
 * sql.js can be started once per thread: it remembers its first start, whatever came of it. So do we, but a start that
 * failed before sql.js was asked (no network, no WASM) may be tried again.
 */
let started: Promise<SqliteModule<ChunkedFile>> | undefined

/** Resolves to the module once it proved that it works on our files. Rejects with WORKER_LOAD. */
export function bootSqlite(options: BootOptions): Promise<SqliteModule<ChunkedFile>> {
  return (started ??= boot(options))
}

async function boot({ wasm }: BootOptions): Promise<SqliteModule<ChunkedFile>> {
  let compiled: WebAssembly.Module
  try {
    compiled = await compile(await wasm())
  } catch (e) {
    started = undefined
    const hint = "serve sqlite.wasm beside the worker; a Content-Security-Policy needs script-src 'wasm-unsafe-eval'."
    throw new DataFlowError('WORKER_LOAD', `SQLite's WASM module could not be loaded: ${textOf(e)}`, { hint }, e)
  }
  let found = 'unknown'
  try {
    const runtime = await startSqlJs(compiled)
    const open = (file: ChunkedFile): Handle => new Handle(runtime.wasm, runtime.openDatabase(file))
    const version = (found = readVersion(open(new ChunkedFile())))
    if (version !== SQLITE_VERSION) throw new Error('Another version of SQLite')
    checkBoot(runtime)
    return {
      version,
      createFile: (saved?: SavedFile) => new ChunkedFile(saved),
      open: file => new Connection(() => open(file)),
    }
  } catch (e) {
    throw new DataFlowError(
      'WORKER_LOAD',
      `SQLite could not be started (sql.js ${SQLJS_VERSION} with SQLite ${SQLITE_VERSION} expected, SQLite ${found} found): ${textOf(e)}`,
      { hint: 'bundle the worker with the sql.js version that this package pins.' },
      e,
    )
  }
}

async function compile(source: WasmSource): Promise<WebAssembly.Module> {
  if (source instanceof WebAssembly.Module) return source
  if (!isResponse(source)) return WebAssembly.compile(source)
  if (!source.ok) throw new Error(`${source.url} answered ${source.status}`)
  // Streaming insists on the type, which not every server sends.
  const streamed = source.headers.get('content-type')?.startsWith('application/wasm')
  return streamed ? WebAssembly.compileStreaming(source) : WebAssembly.compile(await source.arrayBuffer())
}

function readVersion(handle: Handle): string {
  let version = ''
  handle.query('SELECT sqlite_version()', row => (version = row.text(0)!))
  handle.close()
  return version
}

function isResponse(source: WasmSource): source is Response {
  return typeof Response === 'function' && source instanceof Response
}

function textOf(e: unknown): string {
  return e instanceof Error ? e.message : String(e)
}
