// A browser's worker in this process, for samples that are run as they are printed: `new Worker(...)` starts the real
// host behind a MessagePort. Comlink, the engine, SQLite and the storage are the real ones; only the thread is missing.
import { readFileSync } from 'node:fs'
import { createRequire } from 'node:module'
import { expose, transfer } from 'comlink'
import { IDBFactory, IDBKeyRange } from 'fake-indexeddb'
import { systemClock } from '../../worker/clock.js'
import { Host } from '../../worker/host.js'
import type { Clock } from '../../worker/seams.js'
import { bootSqlite } from '../../worker/sqlite/boot.js'
import { openIndexedDbStorage } from '../../worker/storage/indexeddb.js'
import { openMemoryStorage } from '../../worker/storage/memory.js'
import { openRescue } from '../../worker/storage/rescue.js'
import { acquireOwnership } from '../../worker/tabs.js'

const require = createRequire(import.meta.url)
const wasm = readFileSync(require.resolve('sql.js/dist/sql-wasm.wasm'))

/** Exclusive locks of one origin, first come, first served. A client that is gone loses its locks, as a worker does. */
class OriginLocks {
  readonly #queues = new Map<string, { readonly client: object; grant(): Promise<void> }[]>()

  /** The LockManager of one thread. */
  of(client: object): LockManager {
    const request = (name: string, ...rest: unknown[]) => {
      const callback = rest.pop() as LockGrantedCallback<unknown>
      const { signal } = (rest[0] ?? {}) as LockOptions
      return this.#request(client, name, callback, signal)
    }
    return { request, query: () => Promise.reject(new Error('not needed here')) } as unknown as LockManager
  }

  /** What the browser does with the locks of a worker that has ended. */
  release(client: object): void {
    for (const [name, queue] of this.#queues) {
      const held = queue[0]?.client === client
      this.#queues.set(
        name,
        queue.filter(entry => entry.client !== client),
      )
      if (held) void this.#queues.get(name)![0]?.grant()
    }
  }

  #request(client: object, name: string, callback: LockGrantedCallback<unknown>, signal?: AbortSignal) {
    const queue = this.#queues.get(name) ?? []
    this.#queues.set(name, queue)
    return new Promise<unknown>((resolve, reject) => {
      const leave = () => {
        const now = this.#queues.get(name)!
        const at = now.indexOf(entry)
        if (at === -1) return
        now.splice(at, 1)
        if (at === 0) void now[0]?.grant()
      }
      const onAbort = () => {
        leave()
        reject(signal!.reason)
      }
      const entry = {
        client,
        grant: async () => {
          await Promise.resolve() // a lock is never granted in the same task as it is asked for
          if (!this.#queues.get(name)!.includes(entry)) return
          signal?.removeEventListener('abort', onAbort)
          try {
            resolve(await callback({ name, mode: 'exclusive' }))
          } catch (error) {
            reject(error)
          } finally {
            leave()
          }
        },
      }
      if (signal?.aborted) return reject(signal.reason)
      signal?.addEventListener('abort', onAbort)
      queue.push(entry)
      if (queue.length === 1) void entry.grant()
    })
  }
}

export interface Origin {
  /** What a page of this origin finds in `globalThis`. */
  readonly globals: Record<string, unknown>
  /** Ends every worker. */
  end(): Promise<void>
}

/** A browser's origin: an IndexedDB and locks of its own, and workers that use them. */
export function makeOrigin({ clock = systemClock }: { clock?: Clock } = {}): Origin {
  const locks = new OriginLocks()
  const workers = new Set<{ end(): Promise<void> }>()

  /** What connect.ts and session.ts use of a Worker, and Comlink. */
  class InProcessWorker extends EventTarget {
    readonly #host: Host
    readonly #page: MessagePort
    readonly #inside: MessagePort

    constructor() {
      super()
      const { port1, port2 } = new MessageChannel()
      this.#page = port1
      this.#inside = port2
      port1.onmessage = ({ data }) => this.dispatchEvent(new MessageEvent('message', { data }))
      this.#host = new Host({
        locks: locks.of(this),
        acquireOwnership,
        bootSqlite: () => bootSqlite({ wasm: () => wasm }),
        openIndexedDb: openIndexedDbStorage,
        openMemory: openMemoryStorage,
        openRescue,
        estimate: null,
        transfer,
        clock,
      })
      expose(this.#host, port2)
      workers.add(this)
    }

    postMessage(message: unknown, transfer: Transferable[]): void {
      this.#page.postMessage(message, transfer)
    }

    terminate(): void {
      this.#page.close()
      this.#inside.close()
      locks.release(this)
    }

    /** A thread would stop by itself; here the engine's timers have to be ended. */
    async end(): Promise<void> {
      await Promise.resolve(this.#host)
        .then(host => host.close(false))
        .catch(() => {})
      this.terminate()
    }
  }

  return {
    globals: {
      Worker: InProcessWorker,
      navigator: { locks: locks.of({}) },
      indexedDB: new IDBFactory(),
      IDBKeyRange,
    },
    async end() {
      await Promise.all([...workers].map(worker => worker.end()))
      workers.clear()
    },
  }
}
