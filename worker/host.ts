// What the page talks to: makes the engine when it is told what for, and passes its calls on.
import { DataFlowError } from '../src/shared/errors.js'
import type { Durability } from '../src/shared/operation.js'
import type {
  EncryptionKey,
  EngineConfig,
  EngineEvent,
  EngineHost,
  FileSource,
  HostSetup,
  Outcome,
  RecoveryReport,
  Unit,
  WorkCall,
} from '../src/shared/protocol.js'
import { Engine } from './engine.js'
import { toDataFlowError } from './failure.js'
import type { EngineParts } from './open.js'
import { recover } from './recover.js'
import type { Clock, Rescue, SqliteModule, Storage } from './seams.js'
import type { acquireOwnership } from './tabs.js'

export interface HostParts {
  /** undefined outside a secure context. */
  readonly locks: LockManager | undefined
  readonly clock: Clock
  readonly acquireOwnership: typeof acquireOwnership
  bootSqlite(wasmUrl: string | null): Promise<SqliteModule>
  openIndexedDb(name: string, options: { key: CryptoKey | null; onLost(error: DataFlowError): void }): Storage
  openMemory(): Storage
  openRescue(name: string, key: CryptoKey | null): Rescue
  readonly estimate: EngineParts['estimate']
  /** Has the answer cross without a copy of these. */
  transfer<T>(answer: T, owned: Transferable[]): T
}

export class Host implements EngineHost {
  readonly #parts: HostParts
  #engine: Engine | null = null
  #recover: (() => Promise<RecoveryReport>) | null = null

  constructor(parts: HostParts) {
    this.#parts = parts
  }

  async start(config: EngineConfig, { wasmUrl, events, listen }: HostSetup): Promise<Outcome<{ alive: string }>> {
    const { locks, clock, bootSqlite, openIndexedDb, openMemory, openRescue, acquireOwnership, estimate } = this.#parts
    const key = config.encryption as CryptoKey | null
    if (!locks) {
      const hint = 'needs a secure context (https or localhost).'
      return { error: new DataFlowError('WORKER_LOAD', 'This page is not in a secure context.', { hint }).toWire() }
    }
    const saved = config.storage === 'indexeddb'
    const own: EngineParts['own'] = options =>
      acquireOwnership(config.name, locks, clock, { maxWait: config.maxWaitForOwner, ...options })
    this.#recover = async () => {
      const lost = new AbortController()
      const ownership = await own({ onBlocked() {}, onLost: error => lost.abort(error) })
      const rescue = openRescue(config.name, key)
      try {
        return await recover(rescue, await bootSqlite(wasmUrl), { signal: lost.signal })
      } finally {
        await rescue.close()
        ownership.release()
      }
    }
    this.#engine = new Engine(config, {
      clock,
      lockHolder: null,
      estimate,
      bootSqlite: () => bootSqlite(wasmUrl),
      openStorage: saved ? onLost => openIndexedDb(config.name, { key, onLost }) : openMemory,
      own: saved ? own : null,
      emit: event => events.postMessage(event),
    })
    await this.#engine.listen(listen)
    try {
      return { ok: { alive: await holdAlive(locks) } }
    } catch (cause) {
      const hint = 'needs a secure context (https or localhost).'
      return { error: new DataFlowError('WORKER_LOAD', 'Web Locks are not to be had.', { hint }, cause).toWire() }
    }
  }

  async recover(): Promise<Outcome<RecoveryReport>> {
    if (!this.#recover) throw new Error('start() comes first')
    try {
      return { ok: await this.#recover() }
    } catch (error) {
      return { error: toDataFlowError(error, { models: [] }).toWire() }
    }
  }

  ready() {
    return this.#started.ready()
  }
  run(units: readonly Unit[]) {
    return this.#started.run(units)
  }
  cancel(ids: readonly number[]) {
    return this.#started.cancel(ids)
  }
  begin(options: { maxWait: number; timeout: number; id: number }) {
    return this.#started.begin(options)
  }
  savepoint(lease: number) {
    return this.#started.savepoint(lease)
  }
  commit(lease: number, durability: Durability | null) {
    return this.#started.commit(lease, durability)
  }
  rollback(lease: number) {
    return this.#started.rollback(lease)
  }
  ensure(models: readonly string[]) {
    return this.#started.schema.ensure(models)
  }
  tableStatus(model: string) {
    return this.#started.schema.tableStatus(model)
  }
  retry(model: string) {
    return this.#started.schema.retry(model)
  }
  plan() {
    return this.#started.schema.plan()
  }
  apply() {
    return this.#started.schema.apply()
  }
  history() {
    return this.#started.schema.history()
  }
  status() {
    return this.#started.schema.status()
  }
  answer(call: number, outcome: Outcome<null>) {
    return this.#started.schema.answer(call, outcome)
  }
  compact() {
    return this.#started.schema.compact()
  }
  pruneAudit(before: number) {
    return this.#started.schema.pruneAudit(before)
  }
  flush() {
    return this.#started.flush()
  }
  metrics() {
    return this.#started.metrics()
  }
  listen(events: readonly EngineEvent['type'][]) {
    return this.#started.listen(events)
  }
  beginExport(call: WorkCall) {
    return this.#started.whole.beginExport(call)
  }
  async readExport(id: number, from: number) {
    const outcome = await this.#started.whole.readExport(id, from)
    return 'ok' in outcome ? this.#parts.transfer(outcome, [outcome.ok.buffer]) : outcome
  }
  endExport(id: number) {
    return this.#started.whole.endExport(id)
  }
  importFile(call: WorkCall, source: FileSource) {
    return this.#started.whole.importFile(call, source)
  }
  backup(call: WorkCall, options: { note: string | null; keep: number | null }) {
    return this.#started.whole.backup(call, options)
  }
  backups() {
    return this.#started.whole.backups()
  }
  restore(call: WorkCall, options: { backup: string; keepCurrent: boolean }) {
    return this.#started.whole.restore(call, options)
  }
  rekey(call: WorkCall, key: EncryptionKey | null) {
    return this.#started.whole.rekey(call, key)
  }
  savedBytes() {
    return this.#started.whole.savedBytes()
  }
  close(putAside: boolean) {
    return this.#started.close(putAside)
  }

  get #started(): Engine {
    if (!this.#engine) throw new Error('start() comes first')
    return this.#engine
  }
}

/**
 * A lock held as long as the worker lives: no event tells a page that a worker was terminated or crashed, but the
 * browser lets go of its locks.
 */
function holdAlive(locks: LockManager): Promise<string> {
  const name = `dataflow-alive:${crypto.randomUUID()}`
  return new Promise((resolve, reject) => {
    locks.request(name, () => new Promise<never>(() => resolve(name))).catch(reject)
  })
}
