// Everything that crosses the thread, as types. Every method answers with data: it never throws (semantics 28).
import type { ModelDefinition, StoredValue } from './definition.js'
import type { WireError } from './errors.js'
import type { Durability, WireOperation, WireResult } from './operation.js'
import type { WireStepResult, WireWorkflow } from './workflow.js'

export type Outcome<T> = { readonly ok: T } | { readonly error: WireError }

export type AutoMigrate = boolean | 'warn'

/** What the worker is told once, before anything else. */
export interface EngineConfig {
  readonly name: string
  readonly models: readonly ModelDefinition[]
  /** Equal for equal models: an unchanged schema is known by it without hashing each model. */
  readonly fingerprint?: string | null
  readonly storage: 'indexeddb' | 'memory'
  readonly durability: Durability
  /** The app's schema version; null when it gave none (semantics 8). */
  readonly version: number | null
  readonly maxWaitForOwner: number
  readonly cacheTableChecks: boolean
  readonly autoMigrate: AutoMigrate
  readonly existingSchema: boolean
  readonly migrations: MigrationConfig
  /** What everything saved is encrypted with; null for nothing. */
  readonly encryption: EncryptionKey | null
}

export interface MigrationConfig {
  readonly onDestructive: 'keep' | 'error' | 'apply'
  readonly onNewer: 'error' | 'readonly' | 'compatible'
  /** In declared order. `sql` is null for those that run on the page. */
  readonly data: readonly { readonly id: string; readonly sql: string | null }[]
  /** Whether the page wants to be called. */
  readonly before: boolean
  readonly after: boolean
}

/** A CryptoKey, named without DOM or WebWorker types. */
export interface EncryptionKey {
  readonly type: string
  readonly algorithm: { readonly name: string }
  readonly extractable: boolean
}

/** Field -> the value that every row must have in it, as stored. */
export type Scope = Readonly<Record<string, Exclude<StoredValue, null>>>

/** Operations that succeed or fail together: one, or a batch. */
export interface Unit {
  /** For cancel; unique per client. */
  readonly id: number
  readonly ops: readonly (WireOperation | WireWorkflow)[]
  /** null: the database's. */
  readonly durability: Durability | null
  /** Part of this lease's transaction. */
  readonly lease?: number
  /** Sees and touches only rows with these values, by field. */
  readonly scope?: Scope
}

/** What an operation gave, or each step of a workflow. */
export type UnitResult = WireResult | readonly WireStepResult[]

export interface MigrationStep {
  readonly kind:
    | 'createTable'
    | 'renameTable'
    | 'dropTable'
    | 'addColumn'
    | 'renameColumn'
    | 'dropColumn'
    | 'keepOrphan'
    | 'rebuildTable'
    | 'createIndex'
    | 'dropIndex'
    | 'createTrigger'
    | 'dropTrigger'
    | 'createSearch'
    | 'dropSearch'
    | 'data'
  /** Empty for a data step. */
  readonly model: string
  readonly description: string
  readonly sql: readonly string[]
  /** Something that is there now would be lost. */
  readonly destructive: boolean
}

/** The note of the backups that are kept before migrations. */
export const MIGRATION_NOTE = 'before migration'

/** Rows that stand in the way of a plan. */
export interface MigrationObstacle {
  readonly model: string
  /** None when it is about the whole table. */
  readonly fields: readonly string[]
  readonly rows: number
  readonly message: string
  /** What would allow it. */
  readonly hint: string
  /** True when `onDestructive: 'apply'` would go on all the same. */
  readonly loss: boolean
}

/** Where a migration is, while it runs. */
export interface MigrationProgress {
  /** Steps done, and all of them. */
  readonly done: number
  readonly total: number
  /** What is being done. */
  readonly description: string
  /** Rows copied so far, and all of them, in a step that copies rows. */
  readonly rows?: { readonly done: number; readonly total: number }
}

/** How the database stands to the declared models. */
export interface MigrationStatus {
  /** Checksum of the schema that the database has; null for a new one. */
  readonly current: string | null
  readonly declared: string
  /** Nothing is to be done before the next operation. */
  readonly upToDate: boolean
  /** A newer build has been here: what `onNewer` made of it. */
  readonly newer: 'readonly' | 'compatible' | 'error' | null
  /** Data steps that have not run. */
  readonly pendingData: readonly string[]
  /** What somebody changed by raw SQL, with the statements that would take it back. */
  readonly drift: readonly (SchemaDifference & { readonly sql: string })[]
  /** Rows of the ledger whose content is not what was written. */
  readonly altered: readonly string[]
  /** The last migration that failed, if none has succeeded since. */
  readonly failed: { readonly version: string; readonly name: string; readonly error: string } | null
}

/** A difference that no step handles. */
export interface SchemaDifference {
  readonly model: string
  readonly field?: string
  readonly message: string
}

export interface MigrationPlan {
  /** Checksum of the schema that the database has; null for a new one. */
  readonly from: string | null
  /** Checksum of the declared schema. */
  readonly to: string
  readonly steps: readonly MigrationStep[]
  /** What keeps the plan from being run: somebody changed the schema by raw SQL. */
  readonly differences: readonly SchemaDifference[]
  /** What existing rows say against it. */
  readonly obstacles: readonly MigrationObstacle[]
  readonly destructive: boolean
}

export interface MigrationReport {
  readonly applied: readonly MigrationStep[]
  /** Not applied, because `autoMigrate` is 'warn'. */
  readonly pending: readonly MigrationStep[]
  readonly ms: number
  /** True when nothing was to be done. */
  readonly cached: boolean
}

/** What an import did. */
export interface ImportReport extends MigrationReport {
  /** Bytes of the SQLite file. */
  readonly size: number
}

/** A backup, as the worker tells of it. */
export interface BackupRecord {
  readonly id: string
  /** Epoch ms. */
  readonly createdAt: number
  /** Bytes of the SQLite file. */
  readonly size: number
  /** Bytes that it takes in the browser's storage. */
  readonly bytes: number
  readonly note: string | null
}

/** Bytes that the saved form takes. */
export interface SavedBytes {
  readonly base: number
  readonly log: number
  readonly backups: number
}

/** A row of `dataflow_migrations`. */
export interface MigrationRecord {
  readonly version: string
  readonly name: string
  readonly checksum: string
  readonly status: 'pending' | 'applied' | 'failed' | 'rolled_back'
  readonly operations: readonly MigrationOperation[]
  /** The app's `version`, if it gave one. */
  readonly appVersion: number | null
  /** Why it failed. */
  readonly error: string | null
  readonly appliedAt: number | null
  readonly createdAt: number
}

export interface MigrationOperation {
  readonly operation_type: string
  readonly table_name: string
  readonly description: string
  readonly sql_up: readonly string[]
  readonly sql_down: readonly string[] | null
  /** Rows that were written or copied; null where they were not counted. */
  readonly rows: number | null
  readonly ms: number
}

export type TableStatus = 'exists' | 'needs_creation' | 'needs_migration' | 'unknown'

/** Counted since the worker started. */
export interface EnsureMetrics {
  /** Checks answered by the cache, with zero SQL. */
  hits: number
  /** Checks that had to look. */
  misses: number
  /** Calls that waited for a check already under way. */
  joins: number
  /** hits / (hits + misses + joins), 0 before the first. */
  hitRate: number
  /** Tables really checked: by the registry at open, or by introspection. */
  checks: number
  invalidations: number
  failures: number
  lastCheckMs: number
  totalCheckMs: number
}

export interface StatementMetrics {
  /** Statements run, without transaction control. */
  executed: number
  /** BEGIN, COMMIT, SAVEPOINT and their like. */
  control: number
  prepared: number
  /** Runs that found their compiled statement in the cache. */
  hits: number
}

export interface FlushMetrics {
  flushes: number
  bytes: number
  lastMs: number
  /** Commits not yet saved. */
  pending: number
  /** Deferred commits that a failed flush took back. */
  lost: number
  /** ms from commit to saved, over the last commits. */
  lagP50: number
  lagP95: number
  checkpoints: number
  baseBytes: number
  logBytes: number
  logRecords: number
}

export interface EngineMetrics {
  ensure: EnsureMetrics
  statements: StatementMetrics
  tx: { committed: number; rolledBack: number; timedOut: number }
  flush: FlushMetrics
}

/** What `dataflow.recover()` found and did. */
export interface RecoveryReport {
  /**
   * `intact`: nothing was damaged, nothing was changed. `prefix`: the state after the last flush before the damage.
   * `patched`: everything but the bad records, and SQLite finds it sound. `rows`: the rows that could be read, in a new
   * file.
   */
  readonly how: 'intact' | 'prefix' | 'patched' | 'rows'
  /** Bad records: their keys as JSON, and what is wrong with each. */
  readonly damaged: readonly { readonly record: string; readonly what: string }[]
  /** Log records (parts of flushes) and base chunks (256 KiB of the file) that could not be used, of how many. */
  readonly lostRecords: number
  readonly records: number
  readonly lostChunks: number
  readonly chunks: number
  /** SQLite's `integrity_check` of what is there now: `['ok']`, or what it says. */
  readonly integrity: readonly string[]
  readonly foreignKeyFailures: number
  /** Saved values that were not used and are kept beside the database, as they were. */
  readonly keptAside: number
  /** For `rows`: what was read of each table, and whether it was read to its end. */
  readonly tables: readonly { readonly table: string; readonly rows: number; readonly complete: boolean }[]
  /** For `rows`: tables, indexes, triggers and views that could not be made again. */
  readonly missing: readonly string[]
}

export interface QueryEvent {
  readonly sql: string
  readonly model?: string
  readonly op?: string
  /** Rows read or written. */
  readonly rows: number
  readonly ms: number
  /** Whether the compiled statement was there already. */
  readonly cached: boolean
}

export interface ChangeEvent {
  readonly model: string
  /** Keys of the rows written; 'all' when SQLite alone knows which. */
  readonly ids: readonly (string | number | bigint)[] | 'all'
  readonly origin: 'local' | 'tab'
}

/** The browser's estimate, in bytes, for the whole origin. */
export interface QuotaEvent {
  readonly usage: number
  readonly quota: number
}

/** What the worker tells without being asked, to who listens; `progress` to who asked for it with the call. */
export type EngineEvent =
  | { readonly type: 'query'; readonly detail: QueryEvent }
  | { readonly type: 'change'; readonly detail: ChangeEvent }
  | { readonly type: 'flush'; readonly detail: { readonly ms: number; readonly bytes: number } }
  | { readonly type: 'migrate'; readonly detail: MigrationReport }
  | { readonly type: 'migrating'; readonly detail: MigrationProgress }
  | { readonly type: 'call'; readonly detail: MigrationCall }
  | { readonly type: 'blocked'; readonly detail: { readonly waitedMs: number } }
  | { readonly type: 'error'; readonly detail: WireError }
  | { readonly type: 'quota'; readonly detail: QuotaEvent }
  | {
      readonly type: 'progress'
      readonly detail: { readonly id: number; readonly done: number; readonly total: number }
    }

/** The worker asks the page to run its part of a migration, and waits for `answer` with the same number. */
export type MigrationCall = { readonly call: number } & (
  | { readonly kind: 'before'; readonly plan: MigrationPlan }
  | { readonly kind: 'data'; readonly id: string; readonly lease: number }
  | { readonly kind: 'after'; readonly report: MigrationReport }
)

/** The engine as the page sees it. */
export interface Engine {
  /** Opens the database, if it is not open, and runs the migration plan. */
  ready(): Promise<Outcome<MigrationReport>>
  /** One message of one tick (semantics 13): outcomes in the order of the units. */
  run(units: readonly Unit[]): Promise<Outcome<readonly Outcome<readonly UnitResult[]>[]>>
  /** Takes back what has not begun, and answers which it was: none of these will be done. */
  cancel(ids: readonly number[]): Promise<Outcome<readonly number[]>>
  /** Begins a lease and answers its number. */
  begin(options: { maxWait: number; timeout: number; id: number }): Promise<Outcome<number>>
  /** Opens a savepoint in a lease, or in a savepoint, and answers its number: a lease of its own until it ends. */
  savepoint(lease: number): Promise<Outcome<number>>
  /** Keeps what a savepoint did as part of what it is in; of a transaction, saves it. */
  commit(lease: number, durability: Durability | null): Promise<Outcome<null>>
  rollback(lease: number): Promise<Outcome<null>>
  flush(): Promise<Outcome<null>>
  metrics(): Promise<Outcome<EngineMetrics>>
  /** Which events are wanted; none before the first call. */
  listen(events: readonly EngineEvent['type'][]): Promise<Outcome<null>>
  /** `putAside`: the browser keeps the page without running it; the next call starts another worker. */
  close(putAside: boolean): Promise<Outcome<null>>
}

/** What concerns the schema. */
export interface SchemaEngine {
  ensure(models: readonly string[]): Promise<Outcome<null>>
  tableStatus(model: string): Promise<Outcome<TableStatus>>
  retry(model: string): Promise<Outcome<null>>
  plan(): Promise<Outcome<MigrationPlan>>
  apply(): Promise<Outcome<MigrationReport>>
  history(): Promise<Outcome<readonly MigrationRecord[]>>
  status(): Promise<Outcome<MigrationStatus>>
  /** What became of a call of a migration. */
  answer(call: number, outcome: Outcome<null>): Promise<Outcome<null>>
  compact(): Promise<Outcome<null>>
}

/** A call that may take seconds: `id` is for cancel, and for the progress it tells of if that is wanted. */
export interface WorkCall {
  readonly id: number
  readonly progress: boolean
}

/** A Blob, named without DOM or WebWorker types: it is read in the worker, piece by piece. */
export interface FileSource {
  readonly size: number
  slice(from: number, to: number): { arrayBuffer(): Promise<ArrayBuffer> }
}

/** What is done with the database as a whole. Each either takes place or leaves everything as it was. */
export interface WholeEngine {
  /** Saves what is committed and holds the file as it is now, until `endExport` of the same number. */
  beginExport(call: WorkCall): Promise<Outcome<{ size: number }>>
  /** The next bytes from `from` on, a few MiB. */
  readExport(id: number, from: number): Promise<Outcome<Uint8Array<ArrayBuffer>>>
  endExport(id: number): Promise<Outcome<null>>
  importFile(call: WorkCall, source: FileSource): Promise<Outcome<ImportReport>>
  backup(call: WorkCall, options: { note: string | null; keep: number | null }): Promise<Outcome<BackupRecord>>
  backups(): Promise<Outcome<readonly BackupRecord[]>>
  restore(
    call: WorkCall,
    options: { backup: string; keepCurrent: boolean },
  ): Promise<Outcome<ImportReport & { kept: BackupRecord | null }>>
  rekey(call: WorkCall, key: EncryptionKey | null): Promise<Outcome<null>>
  savedBytes(): Promise<Outcome<SavedBytes>>
}

/** What the worker exposes by Comlink: one call that makes the engine, then the engine's own. */
export interface EngineHost extends Engine, SchemaEngine, WholeEngine {
  /** Wires the real parts. `alive` is the name of the Web Lock that the worker holds as long as it lives. */
  start(config: EngineConfig, setup: HostSetup): Promise<Outcome<{ alive: string }>>
  /** In place of opening: brings back what can be read of a damaged database. */
  recover(): Promise<Outcome<RecoveryReport>>
}

export interface HostSetup {
  /** Where sqlite.wasm is; null: beside the worker. */
  readonly wasmUrl: string | null
  /** Events come here. */
  readonly events: MessagePortLike
  /** The events that are wanted from the start. */
  readonly listen: readonly EngineEvent['type'][]
}

/** A MessagePort, named without DOM or WebWorker types. */
export interface MessagePortLike {
  postMessage(message: unknown): void
}
