// One worker's life: started, watched, ended. Whatever ends it, no call is left pending.
import { transfer, wrap, type Remote } from 'comlink'
import { DataFlowError } from './shared/errors.js'
import type { EngineConfig, EngineEvent, EngineHost, Outcome } from './shared/protocol.js'

export interface SessionOptions {
  /** Asked by each worker that starts. */
  config(): Promise<EngineConfig>
  /** The app's own way to make the worker; there is no fallback then. */
  readonly worker: (() => Worker) | undefined
  readonly wasmUrl: string | null
  /** The events that somebody listens to now. */
  wantedEvents(): EngineEvent['type'][]
  onEvent(event: EngineEvent): void
  /** Ends the worker, however far it is; its reason is what pending calls reject with. */
  readonly ending: AbortSignal
  /** Called once, when a worker that had started is no more. */
  onEnd(): void
}

export const CSP_HINT =
  "a Content-Security-Policy needs script-src 'self' 'wasm-unsafe-eval' and worker-src 'self' (blob: for the inline " +
  'fallback); or pass `worker: () => new Worker(...)`.'

export class Session {
  readonly engine: Remote<EngineHost>
  readonly #worker: Worker
  readonly #options: SessionOptions
  readonly #events = new MessageChannel()
  /** Rejects one pending call each. */
  readonly #pending = new Set<(error: DataFlowError) => void>()
  readonly #watching = new AbortController()
  #started = false
  #left = false
  #end: DataFlowError | null = null

  private constructor(worker: Worker, options: SessionOptions) {
    this.#worker = worker
    this.#options = options
    this.engine = wrap<EngineHost>(worker)
    const { signal } = this.#watching
    worker.addEventListener('error', event => this.#onError(event), { signal })
    worker.addEventListener('messageerror', event => this.#onError(event), { signal })
    const { ending } = options
    ending.addEventListener('abort', () => this.end(ending.reason as DataFlowError), { signal })
    if (ending.aborted) this.end(ending.reason as DataFlowError)
    this.#events.port1.onmessage = ({ data }: MessageEvent<EngineEvent>) => options.onEvent(data)
    // No event tells that the app has terminated its worker. #watch does, but not before the worker's first answer, and
    // later than the app's next call, which would be lost. An answer that has come is still one.
    const terminate = worker.terminate.bind(worker)
    worker.terminate = () => {
      terminate()
      if (signal.aborted) return
      if (this.#started) this.#leave()
      else this.end(crashed(''))
    }
  }

  static async start(worker: Worker, options: SessionOptions): Promise<Session> {
    const session = new Session(worker, options)
    // Relative to the page, as any URL that a page is given: the worker would take it relative to itself.
    const wasmUrl = options.wasmUrl && new URL(options.wasmUrl, globalThis.document?.baseURI ?? location.href).href
    const { port2 } = session.#events
    try {
      const config = await options.config()
      const { alive } = await session.call(engine =>
        engine.start(config, transfer({ wasmUrl, events: port2, listen: options.wantedEvents() }, [port2])),
      )
      session.#started = true
      session.#watch(alive)
      return session
    } catch (error) {
      session.#stop()
      throw error
    }
  }

  /** Calls the worker. Rejects with what it answered, or with why there will be no answer. */
  call<T>(send: (engine: Remote<EngineHost>) => Promise<Outcome<T>>): Promise<T> {
    return new Promise<T>((resolve, reject) => {
      if (this.#end) return reject(this.#end)
      this.#pending.add(reject)
      const settle = (outcome: Outcome<T>): void => {
        this.#pending.delete(reject)
        if ('ok' in outcome) return resolve(outcome.ok)
        const error = DataFlowError.fromWire(outcome.error)
        reject(error)
        if (error.code === 'WORKER_CRASHED') this.end(error)
      }
      send(this.engine).then(settle, (cause: unknown) => {
        this.#pending.delete(reject)
        reject(
          new DataFlowError('WORKER_CRASHED', 'The worker did not answer as it should.', { retryable: true }, cause),
        )
      })
    })
  }

  /** Ends the worker; every pending call rejects with `error`. */
  end(error: DataFlowError): void {
    if (this.#end) return
    this.#end = error
    this.#stop()
    for (const reject of this.#pending) reject(error)
    this.#pending.clear()
    this.#leave()
  }

  /** The next call starts another worker. */
  #leave(): void {
    if (!this.#started || this.#left) return
    this.#left = true
    this.#options.onEnd()
  }

  #stop(): void {
    this.#watching.abort()
    this.#worker.terminate()
    this.#events.port1.close()
  }

  #onError(event: Event): void {
    const { message = '' } = event as Partial<ErrorEvent>
    const cause = new Error(message || 'the worker raised an error event')
    if (!this.#started) {
      return this.end(new DataFlowError('WORKER_LOAD', 'The worker could not be loaded.', { hint: CSP_HINT }, cause))
    }
    this.end(crashed(message, cause))
  }

  /** The worker holds this lock while it lives: to get it means that the worker was terminated or has crashed. */
  #watch(alive: string): void {
    const { signal } = this.#watching
    navigator.locks
      .request(alive, { signal }, () => this.end(crashed('')))
      .catch((error: unknown) => {
        // Aborted by #stop: the worker has ended in another way.
        if (!signal.aborted) this.end(crashed('', error))
      })
  }
}

export function crashed(message: string, cause?: unknown): DataFlowError {
  return new DataFlowError(
    'WORKER_CRASHED',
    `The worker has ended${message ? `: ${message}` : ''}.`,
    {
      hint: 'saved data is safe; the next call starts a new worker. Repeat what has not been answered.',
      retryable: true,
    },
    cause,
  )
}
