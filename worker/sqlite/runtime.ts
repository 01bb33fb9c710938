// Starts sql.js with our system calls under it. The only file that imports sql.js.
import initSqlJs from 'sql.js'
import type { ChunkedFile } from './file.js'
import type { OpenDatabase } from './handle.js'
import { Heap } from './heap.js'
import { openWasm, type Wasm } from './native.js'
import { Syscalls } from './syscalls.js'

/** A sql.js database over a file of ours. */
export interface SqlJsDatabase extends OpenDatabase {
  export(): Uint8Array
}

export interface Runtime {
  readonly wasm: Wasm
  openDatabase(file: ChunkedFile): SqlJsDatabase
}

export async function startSqlJs(compiled: WebAssembly.Module): Promise<Runtime> {
  const syscalls = new Syscalls()
  let heap: Heap | undefined
  let memory: WebAssembly.Memory | undefined
  const module = await new Promise<Awaited<ReturnType<typeof initSqlJs>>>((resolve, reject) => {
    const starting = withLocation(() =>
      initSqlJs({
        // Without it sql.js replaces functions of SQLite by older ones of its own.
        useOldExtensionFunctions: false,
        instantiateWasm(imports: WebAssembly.Imports, done: (instance: WebAssembly.Instance) => void) {
          try {
            // sql.js waits for `done` and does not learn of a failure: it is told here.
            WebAssembly.instantiate(compiled, syscalls.wrap(imports)).then(instance => {
              memory = Object.values(instance.exports).find(value => value instanceof WebAssembly.Memory)
              if (!memory) return reject(new Error('The WASM module exports no memory'))
              syscalls.attach((heap = new Heap(memory)))
              done(instance)
            }, reject)
          } catch (e) {
            reject(e)
          }
          return {}
        },
      } as Parameters<typeof initSqlJs>[0]),
    )
    starting.then(resolve, reject)
  })
  if (!heap || !memory) throw new Error('sql.js did not ask for its WASM module')
  return {
    wasm: openWasm(module, heap),
    openDatabase: file => syscalls.openAs(file, () => new module.Database() as SqlJsDatabase),
  }
}

/** sql.js reads `self.location.href` when it starts in a worker; Cloudflare's workers have none. */
function withLocation<T>(body: () => T): T {
  const scope = globalThis as { location?: unknown }
  if (scope.location !== undefined) return body()
  scope.location = { href: 'https://localhost/' }
  try {
    return body()
  } finally {
    delete scope.location
  }
}
