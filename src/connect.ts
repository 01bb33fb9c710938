// The way to the worker: started at the first call, one message for all operations of a tick, started again after a
// crash.
import { PageLife } from './page-life.js'
import { crashed, CSP_HINT, Session, type SessionOptions } from './session.js'
import { DataFlowError } from './shared/errors.js'
import type { Durability } from './shared/operation.js'
import type { EngineHost, Outcome, Scope, Unit, UnitResult } from './shared/protocol.js'
import { transfer, type Remote } from 'comlink'

/** The engine as it is called from here. */
export type RemoteEngine = Remote<EngineHost>

export interface RunOptions {
  /** Aborts what has not begun: `ABORTED` always means not done. */
  signal?: AbortSignal
  /** When the promise of a write resolves; the database's if left out. */
  durability?: Durability
}

export interface ConnectionOptions extends Omit<SessionOptions, 'onEnd' | 'ending'> {
  /** Who writes these; undefined for nobody. Throws what keeps the call from being made. */
  readonly actor?: (ops: Unit['ops']) => string | undefined
}

interface Queued {
  readonly unit: Unit
  resolve(results: readonly UnitResult[]): void
  reject(error: DataFlowError): void
}

const RECENT = 256

export class Connection {
  readonly #options: Omit<SessionOptions, 'ending'>
  #session: Promise<Session> | null = null
  #queue: Queued[] = []
  #units = 0
  #workersEnded = 0
  #closing: Promise<void> | null = null
  /** Ends the worker, also one that is starting. */
  #ending = new AbortController()
  readonly #life: PageLife
  /** Calls in transactions. */
  readonly leased = { calls: 0, pending: 0 }
  readonly #gate: () => Promise<void> | null
  readonly #actor: ConnectionOptions['actor']
  /** By transaction: until then a call is being made that was called before. */
  readonly #order = new Map<number | undefined, Promise<void>>()
  #calls = 0
  readonly #times: number[] = []

  /** `gate`: null, or what a call outside a transaction has to wait for. */
  constructor(name: string, { actor, ...options }: ConnectionOptions, gate: () => Promise<void> | null = () => null) {
    this.#gate = gate
    this.#actor = actor
    this.#life = new PageLife({
      channel: `dataflow:${name}`,
      onLeave: () => this.#save(),
      onAside: () => void this.#putAside(),
    })
    this.#options = {
      ...options,
      onEnd: () => {
        this.#session = null
        this.#workersEnded++
      },
    }
  }

  /** Gives what throws once the worker of now has ended: another knows nothing of what was begun in it. */
  watchWorker(): () => void {
    const before = this.#workersEnded
    return () => {
      if (this.#workersEnded > before) throw crashed('')
    }
  }

  /** Messages sent, and how long they took, in ms. */
  get rpc(): { calls: number; p50: number; p95: number } {
    const sorted = [...this.#times].sort((a, b) => a - b)
    const quantile = (q: number): number => sorted[Math.ceil(q * sorted.length) - 1] ?? 0
    return { calls: this.#calls, p50: quantile(0.5), p95: quantile(0.95) }
  }

  /** Runs operations that succeed or fail together. All calls of one tick cross in one message (semantics 13). */
  run(
    ops: Unit['ops'],
    options: RunOptions = {},
    lease?: number,
    scope?: Scope | null,
  ): Promise<readonly UnitResult[]> {
    if (this.#closing) return Promise.reject(closed())
    const before = this.#order.get(lease)
    const run = () => this.#run(ops, options, lease, scope)
    return before ? before.then(run) : run()
  }

  /**
   * Runs operations that take a while to be made. Calls made meanwhile, in the same transaction or outside of any, go
   * behind them, as the app made them.
   */
  async runMade(
    make: () => Promise<Unit['ops']>,
    options: RunOptions,
    lease?: number,
    scope?: Scope | null,
  ): Promise<readonly UnitResult[]> {
    if (this.#closing) throw closed()
    const before = this.#order.get(lease)
    let done = () => {}
    const made = new Promise<void>(resolve => (done = resolve))
    const turn = before ? before.then(() => made) : made
    this.#order.set(lease, turn)
    try {
      const ops = await make()
      await before
      // In this very instant: who waits goes on later.
      return this.#run(ops, options, lease, scope)
    } finally {
      done()
      if (this.#order.get(lease) === turn) this.#order.delete(lease)
    }
  }

  #run(ops: Unit['ops'], options: RunOptions, lease?: number, scope?: Scope | null): Promise<readonly UnitResult[]> {
    const { signal, durability = null } = options
    if (signal?.aborted) return Promise.reject(aborted(signal))
    const held = lease === undefined ? this.#gate() : null
    if (held) return held.then(() => this.#run(ops, options, lease, scope))
    let actor: string | undefined
    try {
      actor = this.#actor?.(ops)
    } catch (error) {
      return Promise.reject(error)
    }
    const unit: Unit = {
      id: ++this.#units,
      ops,
      durability,
      ...(lease === undefined ? {} : { lease }),
      ...(scope ? { scope } : {}),
      ...(actor === undefined ? {} : { actor }),
    }
    const running = this.#enqueue(unit, signal)
    if (lease === undefined) return running
    this.leased.calls++
    this.leased.pending++
    return running.finally(() => this.leased.pending--)
  }

  #enqueue(unit: Unit, signal: AbortSignal | undefined): Promise<readonly UnitResult[]> {
    return new Promise((resolve, reject) => {
      const queued: Queued = { unit, resolve, reject }
      const onAbort = (): void => {
        const at = this.#queue.indexOf(queued)
        if (at === -1) return this.cancel(unit.id, () => reject(aborted(signal!)))
        this.#queue.splice(at, 1)
        reject(aborted(signal!))
      }
      if (signal) {
        signal.addEventListener('abort', onAbort)
        const done = () => signal.removeEventListener('abort', onAbort)
        queued.resolve = results => (done(), resolve(results))
        queued.reject = error => (done(), reject(error))
      }
      if (this.#queue.push(queued) === 1) queueMicrotask(() => void this.#send())
    })
  }

  /** A number for a call that can be cancelled. */
  nextId(): number {
    return ++this.#units
  }

  /** Takes back a call that has not begun: then `onTaken` is called. One that has begun goes on. */
  cancel(id: number, onTaken: () => void): void {
    this.callIfStarted(engine => engine.cancel([id])).then(
      taken => {
        if (taken?.includes(id)) onTaken()
      },
      () => {}, // the call itself fails in the same way
    )
  }

  /** Calls a method of the engine, starting the worker if there is none. */
  async call<T>(send: (engine: RemoteEngine) => Promise<Outcome<T>>): Promise<T> {
    if (this.#closing) throw closed()
    const before = this.#order.get(undefined)
    if (before) await before
    const held = this.#gate()
    if (held) await held
    this.#sendNow()
    const session = await this.#whenStarted()
    return session.call(send)
  }

  /** As `call`, but does nothing when there is no worker. */
  async callIfStarted<T>(send: (engine: RemoteEngine) => Promise<Outcome<T>>): Promise<T | undefined> {
    this.#sendNow()
    const session = await this.#session
    return session?.call(send)
  }

  /** Tells the worker which events are wanted; one that is not there yet is told when it starts. */
  listen(): void {
    this.callIfStarted(engine => engine.listen(this.#options.wantedEvents())).catch(() => {})
  }

  /** Resolves, for every caller, when everything that was called before is answered and the worker has ended. */
  close(): Promise<void> {
    return (this.#closing ??= this.#close())
  }

  async #close(): Promise<void> {
    this.#life.unwatch()
    if (this.#order.size > 0) await Promise.all(this.#order.values())
    this.#sendNow()
    const session = await this.#session?.catch(() => null)
    if (!session) return
    try {
      await session.call(engine => engine.close(false))
    } finally {
      session.end(closed())
    }
  }

  /** Calls reach the worker in the order they were made: what waits for the end of the tick goes before any other. */
  #sendNow(): void {
    if (this.#queue.length > 0) void this.#send()
  }

  async #send(): Promise<void> {
    const queue = this.#queue
    this.#queue = []
    // Operations of a transaction that is open do not mix with the others: each lease is a message of its own.
    await Promise.all([...groupByLease(queue).values()].map(group => this.#sendGroup(group)))
  }

  async #sendGroup(group: readonly Queued[]): Promise<void> {
    const start = performance.now()
    try {
      const session = await this.#whenStarted()
      const outcomes = await session.call(engine => engine.run(handOver(group.map(({ unit }) => unit))))
      outcomes.forEach((outcome, i) => {
        if ('ok' in outcome) group[i]!.resolve(outcome.ok)
        else group[i]!.reject(DataFlowError.fromWire(outcome.error))
      })
    } catch (error) {
      for (const { reject } of group) reject(error as DataFlowError)
    } finally {
      this.#calls++
      this.#times.push(performance.now() - start)
      if (this.#times.length > RECENT) this.#times.shift()
    }
  }

  #whenStarted(): Promise<Session> {
    if (this.#session) return this.#session
    this.#life.watch()
    const starting = this.#start()
    this.#session = starting
    starting.catch(() => {
      // The failure is forgotten: the next call tries again.
      if (this.#session === starting) this.#session = null
    })
    return starting
  }

  async #start(): Promise<Session> {
    // A worker of a page that does not run would wait for, and then keep, the database.
    while (this.#life.aside) await this.#life.aside
    const { signal } = (this.#ending = new AbortController())
    try {
      return await startSession({ ...this.#options, ending: signal })
    } catch (error) {
      if (!signal.aborted) throw error
      return this.#start()
    }
  }

  /** A page that is left may never come back: what is deferred is saved now. */
  #save(): void {
    // Whoever waits for a write hears of its failure there.
    this.callIfStarted(engine => engine.flush()).catch(() => {})
  }

  /**
   * A page that is put aside would keep the database from all other tabs. What was called before is answered and saved, if
   * the browser lets the worker come to its end; no call goes on before the page is shown again.
   */
  async #putAside(): Promise<void> {
    this.#sendNow()
    const ending = this.#ending
    const started = await Promise.race([this.#session, null]).catch(() => null)
    await started?.call(engine => engine.close(true)).catch(() => {}) // who waits for something is told there
    ending.abort(putAside())
  }
}

/** Starts a worker. Rejects with NO_WORKER or WORKER_LOAD. */
async function startSession(options: SessionOptions): Promise<Session> {
  if (typeof Worker === 'undefined') {
    throw new DataFlowError('NO_WORKER', 'There is no Worker here.', {
      hint: 'call the database in a browser; on a server only declare it.',
    })
  }
  if (options.worker) return Session.start(makeOwnWorker(options.worker), options)
  try {
    return await Session.start(makeWorker(), options)
  } catch (error) {
    // The worker itself has answered: another copy of it would say the same.
    if (DataFlowError.is(error) && error.cause === undefined) throw error
    return startInline(options, error)
  }
}

/** Some bundlers lose the worker's URL. The copy inside the bundle needs none. */
async function startInline(options: SessionOptions, cause: unknown): Promise<Session> {
  try {
    const { createInlineWorker } = await import('./inline-worker.js')
    return await Session.start(createInlineWorker(), options)
  } catch (error) {
    if (DataFlowError.is(error) && error.cause === undefined) throw error
    throw new DataFlowError('WORKER_LOAD', 'The worker could not be started.', { hint: CSP_HINT }, cause)
  }
}

function makeOwnWorker(make: () => Worker): Worker {
  try {
    return make()
  } catch (error) {
    const hint = 'the option `worker` must return a Worker; see the cause.'
    throw new DataFlowError('WORKER_LOAD', 'The worker could not be made.', { hint }, error)
  }
}

function makeWorker(): Worker {
  try {
    return new Worker(new URL('./worker.js', import.meta.url), { type: 'module' })
  } catch (error) {
    throw new DataFlowError('WORKER_LOAD', 'The worker could not be made.', { hint: CSP_HINT }, error)
  }
}

/** Packed rows are moved to the worker, not copied. */
function handOver(units: readonly Unit[]): readonly Unit[] {
  const buffers = units.flatMap(({ ops }) =>
    ops.flatMap(op =>
      op.op === 'insertMany' && op.packed
        ? op.packed.pieces.flatMap(({ json, blobs }) => [json.buffer, blobs.buffer])
        : [],
    ),
  )
  return buffers.length > 0 ? transfer(units, buffers) : units
}

function groupByLease(queue: readonly Queued[]): Map<number | undefined, Queued[]> {
  const groups = new Map<number | undefined, Queued[]>()
  for (const queued of queue) {
    const group = groups.get(queued.unit.lease)
    if (group) group.push(queued)
    else groups.set(queued.unit.lease, [queued])
  }
  return groups
}

function closed(): DataFlowError {
  return new DataFlowError('CLOSED', 'The database is closed.', { hint: 'make a new one with dataflow().' })
}

function putAside(): DataFlowError {
  const hint = 'what was answered is saved; repeat what was not. The next call starts a new worker.'
  return new DataFlowError('WORKER_CRASHED', 'The browser has put the page aside.', { hint, retryable: true })
}

export function aborted(signal: AbortSignal): DataFlowError {
  return new DataFlowError(
    'ABORTED',
    'The call was aborted before it began; nothing was done.',
    { hint: 'run it again if it is still wanted.' },
    signal.reason,
  )
}
