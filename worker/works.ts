// Work that may take seconds: each piece can be cancelled by its number and tells how far it is. What needs the storage
// for longer than a flush takes its turn.
import type { EngineEvent, WorkCall } from '../src/shared/protocol.js'

export interface Work {
  /** Its reason is the error that the call ends with. */
  readonly signal: AbortSignal
  onProgress(done: number, total: number): void
}

interface Running {
  readonly controller: AbortController
  readonly ended: Promise<unknown>
}

export class Works {
  readonly #emit: (event: EngineEvent) => void
  readonly #running = new Map<number, Running>()
  #lastTurn: Promise<unknown> = Promise.resolve()
  #end: unknown = null

  constructor(emit: (event: EngineEvent) => void) {
    this.#emit = emit
  }

  run<T>({ id, progress }: WorkCall, body: (work: Work) => Promise<T>): Promise<T> {
    if (this.#end !== null) return Promise.reject(this.#end)
    const controller = new AbortController()
    const { signal } = controller
    const onProgress = (done: number, total: number): void => {
      if (progress) this.#emit({ type: 'progress', detail: { id, done, total } })
    }
    const running = body({ signal, onProgress }).finally(() => this.#running.delete(id))
    this.#running.set(id, { controller, ended: running.catch(() => {}) })
    return running
  }

  cancel(id: number, reason: unknown): void {
    this.#running.get(id)?.controller.abort(reason)
  }

  /** Runs `body` when nobody else has a turn. */
  inTurn<T>({ signal }: Work, body: () => Promise<T>): Promise<T> {
    const turn = this.#lastTurn.then(() => {
      signal.throwIfAborted()
      return body()
    })
    this.#lastTurn = turn.catch(() => {}) // who asked for it is told
    return turn
  }

  /** Ends all of them with `reason`; resolves when none goes on. */
  async end(reason: unknown): Promise<void> {
    this.#end ??= reason
    for (const { controller } of this.#running.values()) controller.abort(this.#end)
    await Promise.all([...this.#running.values()].map(({ ended }) => ended))
  }
}

/** A part of some work: what it does is `bytes` of the `total` bytes, behind the first `from`. */
export function partOf(work: Work, from: number, bytes: number, total: number): Work {
  return {
    signal: work.signal,
    onProgress: (done, all) => work.onProgress(from + Math.round((done / all) * bytes), total),
  }
}
