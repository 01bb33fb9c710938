// Opens a database: takes the right to it, reads what is saved, puts the parts of the engine together.
import type { DataFlowError } from '../src/shared/errors.js'
import type { EngineConfig, EngineEvent, Unit } from '../src/shared/protocol.js'
import { cascades } from './changes.js'
import type { CompiledModel } from './compile/model.js'
import { Ensure } from './ensure.js'
import { Executor } from './execute.js'
import { MessageRunner } from './message.js'
import { Migrator } from './migrate/migrator.js'
import { declare } from './migrate/declared.js'
import { Restrictions } from './restrictions.js'
import { Saver } from './saver.js'
import type { QuotaParts } from './quota.js'
import type { Clock, DatabaseFile, Ownership, Sqlite, SqliteError, SqliteModule, Storage } from './seams.js'

/** `onLost`: the right was taken away; nothing may be written any more. */
export interface OwnOptions {
  onBlocked(): void
  onLost(error: DataFlowError): void
  readonly signal?: AbortSignal
}

export interface EngineParts {
  /** Starts SQLite; asked again after a failure. */
  bootSqlite(): Promise<SqliteModule>
  /** `onLost`: what is saved is not what is open here any more. */
  openStorage(onLost: (error: DataFlowError) => void): Storage
  /** Waits for the exclusive right to the saved form; null where nobody else can have it (memory). */
  own: ((options: OwnOptions) => Promise<Ownership>) | null
  readonly clock: Clock
  /** Set where there are no Web Locks (semantics 7). */
  readonly lockHolder: string | null
  /** null where the browser does not say how much room there is. */
  readonly estimate: QuotaParts['estimate']
  emit(event: EngineEvent): void
}

/** What exists while the database is open. */
export interface Open {
  readonly sqlite: SqliteModule
  readonly file: DatabaseFile
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
  onFlushed(bytes: number): void
  onFatal(error: SqliteError): void
  /** What is saved has gone, or another worker has it now. */
  onLost(error: DataFlowError): void
  /** A flush failed: before memory is put back, and after. */
  onFailing(error: DataFlowError): void
  onFailed(error: DataFlowError, lost: { deferred: number }): void
}

/** Rejects with LOCKED, WORKER_LOAD or a STORAGE code; then nothing is held. */
export async function openDatabase(
  config: EngineConfig,
  models: ReadonlyMap<string, CompiledModel>,
  parts: EngineParts,
  { begin, closing, emit, onFlushed, onFatal, onLost, onFailing, onFailed }: OpenCallbacks,
): Promise<Open> {
  const { bootSqlite, openStorage, own, clock } = parts
  const started = clock.monotonic()
  // SQLite starts while the lock is waited for. Whoever awaits it hears of its failure.
  const booting = bootSqlite()
  booting.catch(() => {})
  const onBlocked = () => emit({ type: 'blocked', detail: { waitedMs: clock.monotonic() - started } })
  const ownership = own ? await own({ onBlocked, onLost, signal: closing }) : null
  const storage = openStorage(onLost)
  try {
    const [sqlite, saved] = await Promise.all([booting, storage.open()])
    const file = sqlite.createFile(saved)
    const db = sqlite.open(file)
    const saver = new Saver({
      file,
      storage,
      clock,
      onFailing,
      onFailed,
      onFlushed({ ms, bytes }) {
        emit({ type: 'flush', detail: { ms, bytes } })
        onFlushed(bytes)
      },
    })
    const { migrator, ensure } = schemaOf(db, config, parts, emit)
    const lacking = (model: string) => migrator.lacking(model)
    const restrictions = new Restrictions({ db, models, lacking })
    const executor = new Executor({
      db,
      models,
      cascades: cascades(config.models),
      restrictions,
      clock,
      hasTriggers: () => migrator.hasTriggers,
      lacking,
      assertWritable: () => migrator.assertWritable(),
      mends: text => migrator.mends(text),
      onSchemaChanged: () => ensure.invalidate(),
    })
    const runner = new MessageRunner({ db, ensure, executor, models, restrictions, clock, begin, onFatal })
    return { sqlite, file, db, storage, saver, ensure, migrator, executor, runner, ownership }
  } catch (error) {
    ownership?.release()
    // The failure that is told is the first one.
    await storage.close().catch(() => {})
    throw error
  }
}

/** What makes sure that `db` is as declared. */
export function schemaOf(
  db: Sqlite,
  config: EngineConfig,
  { clock, lockHolder }: Pick<EngineParts, 'clock' | 'lockHolder'>,
  emit: (event: EngineEvent) => void,
): { migrator: Migrator; ensure: Ensure } {
  const models = declare(config.models)
  const migrator = new Migrator({
    db,
    models,
    options: { ...config, lockHolder },
    clock,
    onMigrated: report => emit({ type: 'migrate', detail: report }),
    onProgress: progress => emit({ type: 'migrating', detail: progress }),
  })
  return { migrator, ensure: new Ensure({ migrator, models, cacheTableChecks: config.cacheTableChecks, clock }) }
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
