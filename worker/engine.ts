// Runs batches of operations: ensure, compile, execute, publish, save. Knows neither Worker nor Comlink nor IndexedDB:
// it receives its SQLite, its storage, its clock and its locks, and answers with data.
import { DataFlowError, type WireError } from '../src/shared/errors.js'
import type { Durability } from '../src/shared/operation.js'
import type {
  Engine as EngineProtocol,
  EngineConfig,
  EngineEvent,
  EngineMetrics,
  MigrationReport,
  Outcome,
  Unit,
} from '../src/shared/protocol.js'
import { Arrivals } from './arrivals.js'
import { Changes } from './changes.js'
import { compileModels, type CompiledModel } from './compile/model.js'
import type { Executor } from './execute.js'
import { toDataFlowError } from './failure.js'
import { Leases } from './leases.js'
import { aborted, type UnitOutcome } from './message.js'
import { closeDatabase, openDatabase, type EngineParts, type Open } from './open.js'
import { PageMigrations } from './page-migration.js'
import { QuotaWatch } from './quota.js'
import { saveMessage, strictest } from './save-message.js'
import { SchemaCalls } from './schema-calls.js'
import { SqliteError, type SaveLevel } from './seams.js'
import { WholeDatabase } from './whole.js'

export type { EngineParts } from './open.js'

export class Engine implements EngineProtocol {
  readonly schema: SchemaCalls
  readonly whole: WholeDatabase
  readonly #parts: EngineParts
  readonly #config: EngineConfig
  readonly #models: ReadonlyMap<string, CompiledModel>
  #opening: Promise<Open> | null = null
  #open: Open | null = null
  /** Opening has come to its end: before, only what belongs to a migration may use it. */
  #isReady = false
  #settling: Promise<unknown> | null = null
  readonly #pages: PageMigrations
  #report: MigrationReport = { applied: [], pending: [], ms: 0, cached: true }
  readonly #leases: Leases
  readonly #quota: QuotaWatch
  #dead: DataFlowError | null = null
  /** Ends the wait for another tab. */
  readonly #closing = new AbortController()
  /** The events that somebody listens to. */
  #listening: ReadonlySet<EngineEvent['type']> = new Set()
  readonly #arrivals = new Arrivals()

  constructor(config: EngineConfig, parts: EngineParts) {
    this.#config = config
    this.#parts = parts
    this.#leases = new Leases(parts.clock)
    this.#models = compileModels(config.models, !config.existingSchema)
    this.#quota = new QuotaWatch({
      estimate: parts.estimate,
      isWanted: () => this.#listening.has('quota'),
      tell: detail => this.#emit({ type: 'quota', detail }),
    })
    this.#pages = new PageMigrations({
      config,
      leases: this.#leases,
      clock: parts.clock,
      level: this.#schemaLevel,
      emit: event => this.#emit(event),
    })
    this.schema = new SchemaCalls({
      exclusive: work => this.#exclusive(work),
      alone: work =>
        this.#answer(async () => {
          const open = await this.#whenOpen()
          return this.#leases.alone(() => work(open), this.#closing.signal)
        }),
      pages: this.#pages,
      level: this.#schemaLevel,
    })
    this.whole = new WholeDatabase({
      config,
      engine: parts,
      leases: this.#leases,
      whenOpen: () => this.#whenOpen(),
      assertAlive: () => this.#assertAlive(),
      answer: work => this.#answer(work),
      emit: event => this.#emit(event),
      onReplaced: () => this.#startOver(),
      onFatal: error => this.#die(error),
      onWritten: () => void this.#quota.check(),
    })
  }

  ready(): Promise<Outcome<MigrationReport>> {
    return this.#answer(async () => {
      const { ensure } = await this.#whenOpen()
      const failure = ensure.planFailure
      if (failure) throw failure
      return this.#report
    })
  }

  run(units: readonly Unit[]): Promise<Outcome<readonly UnitOutcome[]>> {
    return this.#answer(async () => {
      const ticket = this.#open?.ensure.ticket ?? 0
      for (const { id } of units) this.#arrivals.add(id)
      try {
        const leased = units[0]?.lease
        if (leased !== undefined) return this.#runLeased(leased, units)
        const open = this.#settled ?? (await this.#whenSettled())
        return await this.#leases.whenFree(() => this.#runAndSave(open, units, ticket))
      } finally {
        for (const { id } of units) this.#arrivals.takeOff(id)
      }
    })
  }

  cancel(ids: readonly number[]): Promise<Outcome<readonly number[]>> {
    const taken = this.#arrivals.cancel(ids)
    this.whole.cancel(ids)
    return this.#answer(() => taken)
  }

  begin({ maxWait, timeout, id }: { maxWait: number; timeout: number; id: number }): Promise<Outcome<number>> {
    return this.#answer(async () => {
      this.#arrivals.add(id)
      try {
        const open = await this.#whenSettled()
        const begin = () => {
          if (this.#arrivals.takeOff(id)) throw aborted()
          this.#assertAlive()
          open.ensure.ensure(this.#models.keys())
          return this.#leases.begin(open.db, timeout).id
        }
        return await this.#leases.whenFree(begin, maxWait)
      } finally {
        this.#arrivals.takeOff(id)
      }
    })
  }

  commit(id: number, durability: Durability | null): Promise<Outcome<null>> {
    return this.#answer(async () => {
      const lease = this.#leases.find(id)
      const { saver } = this.#open!
      if (!this.#leases.commit(lease)) return null
      const saved = saver.committed(strictest([...lease.durabilities, durability ?? this.#config.durability]))
      this.#publish(lease.changes)
      await saved
      return null
    })
  }

  savepoint(id: number): Promise<Outcome<number>> {
    return this.#answer(() => this.#leases.savepoint(id).id)
  }

  rollback(id: number): Promise<Outcome<null>> {
    return this.#answer(() => {
      this.#leases.rollback(id)
      return null
    })
  }

  flush(): Promise<Outcome<null>> {
    return this.#answer(async () => {
      await this.#open?.saver.flush()
      return null
    })
  }

  metrics(): Promise<Outcome<EngineMetrics>> {
    return this.#answer(async () => {
      const { ensure, db, saver, storage, runner } = await this.#whenOpen()
      const { failedSteps: _, ...flush } = saver.metrics
      const { baseBytes, logBytes, logRecords } = storage.report()
      return {
        ensure: ensure.metrics,
        statements: { ...db.counters },
        tx: {
          committed: runner.tx.committed + this.#leases.counts.committed,
          rolledBack: runner.tx.rolledBack + this.#leases.counts.rolledBack,
          timedOut: this.#leases.counts.timedOut,
        },
        flush: { ...flush, baseBytes, logBytes, logRecords },
      }
    })
  }

  listen(events: readonly EngineEvent['type'][]): Promise<Outcome<null>> {
    return this.#answer(() => {
      this.#listening = new Set(events)
      if (this.#open) this.#trace(this.#open.executor)
      if (this.#open) void this.#quota.check()
      return null
    })
  }

  close(putAside = false): Promise<Outcome<null>> {
    return this.#answer(async () => {
      this.#dead ??= putAside
        ? new DataFlowError('WORKER_CRASHED', 'The page was put aside by the browser.', {
            hint: 'repeat the call.',
            retryable: true,
          })
        : new DataFlowError('CLOSED', 'The database is closed.', { hint: 'make a new one with dataflow().' })
      this.#closing.abort(this.#dead)
      // An open under way must be waited for: it would go on to hold the lock.
      this.#pages.end(this.#dead)
      const open = await this.#opening?.catch(() => null)
      if (!open) return null
      this.#open = null
      this.#leases.break(this.#dead)
      await this.whole.end(this.#dead)
      await closeDatabase(open)
      return null
    })
  }

  // ---- opening -------------------------------------------------------------------------------------------------

  /** One open for all; a failure is forgotten, so that the next call tries again. */
  #whenOpen(): Promise<Open> {
    if (this.#dead) return Promise.reject(this.#dead)
    return (this.#opening ??= this.#start().catch((error: unknown) => {
      this.#opening = null
      throw error
    }))
  }

  async #start(): Promise<Open> {
    const open = await openDatabase(this.#config, this.#models, this.#parts, {
      begin: unit => {
        if (this.#arrivals.takeOff(unit.id)) throw aborted()
        this.#assertAlive()
      },
      closing: this.#closing.signal,
      emit: event => this.#emit(event),
      onFlushed: bytes => this.#quota.wrote(bytes),
      onFatal: error => this.#die(error),
      onLost: error => this.#lose(error),
      onFailing: error => this.#onFailing(error),
      onFailed: (error, lost) => this.#onFailed(error, lost),
    })
    this.#open = open
    try {
      this.#trace(open.executor)
      this.#report = await this.#migrate(open)
      await open.saver.committed(this.#schemaLevel)
      void this.#quota.check()
      this.#isReady = true
      return open
    } catch (error) {
      this.#open = null
      await closeDatabase(open)
      throw error
    }
  }

  /** The plan of what has changed. Its failure is kept by the breaker: it is the operations' failure, not the open's. */
  async #migrate(open: Open): Promise<MigrationReport> {
    const { ensure } = open
    try {
      return await ensure.openWith(prepared => this.#pages.conduct(open, prepared))
    } catch (error) {
      if (!ensure.planFailure) throw error
      this.#emit({ type: 'error', detail: ensure.planFailure.toWire() })
      return { applied: [], pending: [], ms: 0, cached: false }
    }
  }

  /** The open database, if no migration that the page has a part in is due or under way. */
  get #settled(): Open | null {
    const open = this.#isReady ? this.#open : null
    return open && (open.migrator.knowsRegistry || !this.#pages.possible) ? open : null
  }

  /** What was known of the schema may have been forgotten: the content was replaced, or raw SQL changed it. */
  async #whenSettled(): Promise<Open> {
    const open = await this.#whenOpen()
    if (!open.migrator.knowsRegistry && this.#pages.possible) {
      const settle = () => this.#migrate(open).finally(() => (this.#settling = null))
      await (this.#settling ??= this.#leases.alone(settle, this.#closing.signal))
    }
    return open
  }

  #trace(executor: Executor): void {
    executor.trace = this.#listening.has('query') ? detail => this.#emit({ type: 'query', detail }) : null
  }

  // ---- running -------------------------------------------------------------------------------------------------

  #runAndSave(open: Open, units: readonly Unit[], ticket: number): UnitOutcome[] | Promise<UnitOutcome[]> {
    const attempt = open.runner.run(units, ticket)
    if (this.#dead) {
      // What the message wrote before SQLite stopped will never be saved.
      const failure = { error: this.#dead.toWire() }
      return attempt.outcomes.map((outcome, i) => (attempt.wrote[i] ? failure : outcome))
    }
    return saveMessage(open, units, attempt, {
      durability: this.#config.durability,
      publish: changes => this.#publish(changes),
      toWire: error => this.#toWire(error),
    })
  }

  #runLeased(id: number, units: readonly Unit[]): UnitOutcome[] {
    return units.map(unit => {
      try {
        const lease = this.#leases.find(id)
        return this.#open!.runner.runLeased(unit, lease, error => this.#leases.break(lostBy(error)))
      } catch (error) {
        return { error: this.#toWire(error) }
      }
    })
  }

  #publish(changes: Changes): void {
    if (!this.#listening.has('change')) return
    for (const detail of changes.toEvents()) this.#emit({ type: 'change', detail })
  }

  #emit(event: EngineEvent): void {
    // Progress is wanted call by call; calls are part of a migration.
    if (event.type === 'progress' || event.type === 'call' || this.#listening.has(event.type)) this.#parts.emit(event)
  }

  // ---- failing -------------------------------------------------------------------------------------------------

  #onFailing(error: DataFlowError): void {
    const text = 'The transaction was rolled back: what it had read could not be saved.'
    this.#leases.break(new DataFlowError('TX_CLOSED', text, { hint: 'run it again.', retryable: true }, error))
  }

  #onFailed(error: DataFlowError, lost: { deferred: number }): void {
    this.#startOver()
    if (lost.deferred === 0) return
    const text = `${lost.deferred} deferred ${lost.deferred === 1 ? 'write' : 'writes'} could not be saved and were taken back.`
    const detail = new DataFlowError(error.code, text, { hint: error.hint ?? 'write again.', retryable: true }).toWire()
    this.#emit({ type: 'error', detail })
  }

  /** The file is another one than the connection has read. */
  #startOver(): void {
    // Closed meanwhile: nobody reads any more.
    if (!this.#open) return
    const { db, ensure } = this.#open
    db.reopen()
    ensure.invalidate()
    const all = new Changes()
    for (const name of this.#models.keys()) all.addAll(name)
    this.#publish(all)
  }

  /** SQLite can no longer be trusted. What was saved is safe; nothing of what is in memory may be saved any more. */
  #die(error: SqliteError): void {
    const hint = 'saved data is safe; the next call starts a new worker.'
    const text = `SQLite stopped: ${error.message}.`
    this.#end(new DataFlowError('WORKER_CRASHED', text, { hint, retryable: true }, error))
  }

  /** There is nothing to go on with. The lock is given back: the next to open finds what is there now. */
  #lose(error: DataFlowError): void {
    if (this.#dead) return
    this.#end(error)
    this.#emit({ type: 'error', detail: error.toWire() })
    this.#pages.end(error)
    this.#leases.break(error)
    const open = this.#open
    this.#open = null
    if (!open) return
    // Whoever waits for something has been told why; a failure to close changes nothing for them.
    this.#closing.abort(error)
    void this.whole
      .end(error)
      .then(() => closeDatabase(open))
      .catch(() => {})
  }

  /** From here on nothing is saved, and every call rejects with `error`. */
  #end(error: DataFlowError): void {
    this.#dead ??= error
    this.#open?.saver.abandon(this.#dead)
  }

  /** What the library writes for itself is never deferred. */
  get #schemaLevel(): SaveLevel {
    return this.#config.durability === 'strict' ? 'strict' : 'relaxed'
  }

  #assertAlive(): void {
    if (this.#dead) throw this.#dead
  }

  #exclusive<T>(work: (open: Open) => T | Promise<T>): Promise<Outcome<T>> {
    return this.#answer(async () => {
      const open = await this.#whenSettled()
      return this.#leases.whenFree(() => {
        this.#assertAlive()
        return work(open)
      })
    })
  }

  /** Outcomes cross as data: nothing is ever thrown at the page (semantics 28). */
  async #answer<T>(work: () => T | Promise<T>): Promise<Outcome<T>> {
    try {
      return { ok: await work() }
    } catch (error) {
      if (error instanceof SqliteError && error.fatal) this.#die(error)
      return { error: this.#toWire(error) }
    }
  }

  #toWire(error: unknown): WireError {
    return toDataFlowError(error, { models: this.#config.models }).toWire()
  }
}

/** What the rest of a transaction is told that one of its calls has ended. */
function lostBy(error: DataFlowError): DataFlowError {
  return new DataFlowError(
    error.code,
    `An earlier call has rolled the whole transaction back: ${error.text}`,
    { op: 'transaction', hint: 'nothing of it was done; the cause has the call that failed.' },
    error,
  )
}
