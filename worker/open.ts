// Opens a database: takes the right to it, reads what is saved, puts the parts of the engine together.
import type { DataFlowError } from '../src/shared/errors.js'
import type { EngineConfig, EngineEvent, Unit } from '../src/shared/protocol.js'
import { cascades } from './changes.js'
import type { CompiledModel } from './compile/model.js'
import { Ensure } from './ensure.js'
import { Executor } from './execute.js'
import { MessageRunner } from './message.js'
import { Migrator } from './migrate/migrator.js'
import { declare } from './migrate/planner.js'
import { Saver } from './saver.js'
import type { Clock, Ownership, Sqlite, SqliteError, SqliteModule, Storage } from './seams.js'

export interface EngineParts {
  /** Starts SQLite; asked again after a failure. */
  bootSqlite(): Promise<SqliteModule>
  openStorage(): Storage
  /** Waits for the exclusive right to the saved form; null where nobody else can have it (memory). */
  own: ((onBlocked: () => void, signal: AbortSignal) => Promise<Ownership>) | null
  readonly clock: Clock
  /** Set where there are no Web Locks (semantics 7). */
  readonly lockHolder: string | null
  emit(event: EngineEvent): void
}

/** What exists while the database is open. */
export interface Open {
  readonly db: Sqlite
  readonly storage: Storage
  readonly saver: Saver
  readonly ensure: Ensure
  readonly migrator: Migrator
  readonly executor: Executor
  readonly runner: MessageRunner
  readonly ownership: Ownership | null
}

/** What the engine is asked and told by its parts. */
export interface OpenCallbacks {
  /** Throws when the unit may not begin: taken back, or the engine has died. */
  begin(unit: Unit): void
  /** Aborted, with CLOSED, when the database is closed while it is being opened. */
  readonly closing: AbortSignal
  emit(event: EngineEvent): void
  onFatal(error: SqliteError): void
  /** A flush failed: before memory is put back, and after. */
  onFailing(error: DataFlowError): void
  onFailed(error: DataFlowError, lost: { deferred: number }): void
}

/** Rejects with LOCKED, WORKER_LOAD or a STORAGE code; then nothing is held. */
export async function openDatabase(
  config: EngineConfig,
  models: ReadonlyMap<string, CompiledModel>,
  { bootSqlite, openStorage, own, clock, lockHolder }: EngineParts,
  { begin, closing, emit, onFatal, onFailing, onFailed }: OpenCallbacks,
): Promise<Open> {
  const started = clock.monotonic()
  // SQLite starts while the lock is waited for. Whoever awaits it hears of its failure.
  const booting = bootSqlite()
  booting.catch(() => {})
  const onBlocked = () => emit({ type: 'blocked', detail: { waitedMs: clock.monotonic() - started } })
  const ownership = own ? await own(onBlocked, closing) : null
  const storage = openStorage()
  try {
    const [sqlite, saved] = await Promise.all([booting, storage.open()])
    const file = sqlite.createFile(saved)
    const db = sqlite.open(file)
    const onFlushed = ({ ms, bytes }: { ms: number; bytes: number }) => emit({ type: 'flush', detail: { ms, bytes } })
    const saver = new Saver({ file, storage, clock, onFailing, onFailed, onFlushed })
    const declared = declare(config.models)
    const migrator = new Migrator({
      db,
      models: declared,
      options: { ...config, lockHolder },
      clock,
      onMigrated: report => emit({ type: 'migrate', detail: report }),
    })
    const ensure = new Ensure({ migrator, models: declared, cacheTableChecks: config.cacheTableChecks, clock })
    const executor = new Executor({
      db,
      models,
      cascades: cascades(config.models),
      clock,
      hasTriggers: () => migrator.hasTriggers,
      lacking: model => migrator.lacking(model),
      onSchemaChanged: () => ensure.invalidate(),
    })
    const runner = new MessageRunner({ db, ensure, executor, models, clock, begin, onFatal })
    return { db, storage, saver, ensure, migrator, executor, runner, ownership }
  } catch (error) {
    ownership?.release()
    // The failure that is told is the first one.
    await storage.close().catch(() => {})
    throw error
  }
}

/** Saves what is left and lets go of everything, even if saving fails. */
export async function closeDatabase({ saver, db, ownership }: Open): Promise<void> {
  try {
    await saver.close()
  } finally {
    db.close()
    ownership?.release()
  }
}
