// The types of a database: what dataflow() takes and gives.
import type { Actor } from './actor.js'
import type { AuditTrail } from './audit.js'
import type { RunOptions } from './connect.js'
import type { Encryption } from './encryption.js'
import type { DatabaseEvents } from './events.js'
import type { MigrationsOptions } from './migrations.js'
import type { ImportRowsOptions, RowsFile, RowsFormat } from './import-rows.js'
import type { AnyModel, BulkStreamed, FieldsOf, Key, Operation } from './model.js'
import type { Durability } from './shared/operation.js'
import type {
  EngineMetrics,
  ImportReport,
  MigrationPlan,
  MigrationRecord,
  MigrationReport,
  MigrationStatus,
  TableStatus,
} from './shared/protocol.js'
import type { CheckAsked, CheckRelations, WithIncluded } from './related.js'
import type { Scoped, ScopedTransaction, ScopeValues } from './scope.js'
import type { Fields, RowOf, TargetOf, TypeError } from './shared/schema.js'
import type { SqlExpr, SqlQuery, SqlValue } from './shared/sql.js'
import type { Table } from './table.js'
import type { TransactionOptions } from './transaction.js'
import type { BuiltWorkflow } from './workflow/built.js'
import type { Workflow } from './workflow/workflow.js'
import type {
  Backup,
  BackupOptions,
  ImportSource,
  RestoreOptions,
  RestoreReport,
  StorageReport,
  WorkOptions,
} from './whole.js'

export type Models = Record<string, AnyModel>

export type Query = Operation<any> | SqlQuery<any>

/** Any raw query: names no type of rows, or that would be taken for the type of those that say none. */
type AnyQuery = SqlExpr<any> & Pick<SqlQuery<unknown>, 'as'>

/** What a query gives: an operation its result, with what it includes of these models; a raw query its rows. */
export type QueryResult<Q, Ms = {}> =
  Q extends Operation<infer T, any, infer D> ? WithIncluded<T, Ms, D> : Q extends SqlQuery<infer R> ? R[] : never

/** Turns what does not fit the database's models into a type whose text says why. */
export type CheckQuery<Ms, Q> = Q extends Operation<any, any, infer D> ? CheckAsked<Ms, D> : unknown
type CheckQueries<Ms, Q> = { [I in keyof Q]: CheckQuery<Ms, Q[I]> }

export interface Executor<Ms = {}> {
  /** Runs an operation or a raw query. */
  run<const Q extends Query>(query: Q & CheckQuery<Ms, Q>, options?: RunOptions): Promise<QueryResult<Q, Ms>>
  /** Runs several in one round trip and one transaction: all or nothing. */
  batch<const Q extends readonly (Operation<any> | AnyQuery)[]>(
    queries: Q & NoInfer<CheckQueries<Ms, Q>>,
    options?: RunOptions,
  ): Promise<{ -readonly [I in keyof Q]: QueryResult<Q[I], Ms> }>
  /**
   * Runs a workflow of WorkflowBuilder: the flat results of its nodes by their ids. `parameters` are by node id too.
   * `BAD_WORKFLOW`, `UNKNOWN_MODEL`, `UNKNOWN_FIELD`, and what its operations reject with, `node` saying which.
   */
  execute(built: BuiltWorkflow, options?: ExecuteOptions): Promise<WorkflowRun>
  /** Runs a typed workflow in one round trip and one transaction: what each node gave, by its name. */
  execute<In, Out>(
    workflow: Workflow<In, Out>,
    ...args: {} extends In ? [input?: InputOf<In>, options?: RunOptions] : [input: In, options?: RunOptions]
  ): Promise<Out>
  /** Runs a raw query with bound values. `SQL`, `READONLY`, `VALIDATION`. */
  sql<T = Record<string, SqlValue>>(strings: TemplateStringsArray, ...values: unknown[]): Promise<T[]>
}

/** Without an input nothing else can be taken for it, such as options. */
type InputOf<In> = keyof In extends never ? Record<string, never> : In

export interface ExecuteOptions extends RunOptions {
  /** Values for the parameters of nodes, by node id and name. */
  parameters?: Readonly<Record<string, Readonly<Record<string, unknown>>>>
}

/** What a built workflow gave. */
export interface WorkflowRun {
  results: Record<string, any>
  /** A uuid of this run. */
  runId: string
}

interface ImportsRows<Ms> {
  /**
   * Writes the rows of a CSV or JSON Lines file, chunk by chunk as `bulkCreate` does with an iterable: `kept` of an error says
   * how many stay, `line` where it was. Reads a file of any size with little memory. `IMPORT`, `VALIDATION`, and what
   * `bulkCreate` rejects with.
   *
   * @example
   * await db.importRows('users', input.files[0], { map: ({ Mail, Name }) => ({ email: Mail, name: Name }) })
   */
  importRows<K extends keyof Ms & string, const Format extends RowsFormat = 'csv'>(
    accessor: K,
    file: RowsFile,
    options?: ImportRowsOptions<FieldsOf<Ms[K]>, Format>,
  ): Promise<BulkStreamed>
}

type Tables<Ms> = { readonly [K in keyof Ms]: Ms[K] extends AnyModel ? Table<Ms[K], Ms> : never }

/** What `transaction()` hands to its function. */
export type Transaction<Ms> = Tables<Ms> &
  Executor<Ms> &
  ImportsRows<Ms> & {
    /** Called when the transaction is saved; never when it, or the savepoint that this was called in, is rolled back. */
    afterCommit(callback: () => void): void
    /**
     * Runs `body` in a savepoint: all that it did is taken back when it throws, and its error goes on; the transaction
     * can be used as before. Inside, use only the `tx` that it is given: the outer one is `TX_CLOSED` until it ends.
     *
     * @example
     * await tx.savepoint(async inner => inner.users.create(data)).catch(() => {}) // the rest of the transaction stays
     */
    savepoint<T>(body: (tx: Transaction<Ms>) => Promise<T>): Promise<T>
    /** The same transaction, bound to a scope. */
    scope(values: ScopeValues<Ms>): ScopedTransaction<Ms>
  }

export type Metrics = EngineMetrics & {
  /** Messages to the worker, and how long they took, in ms. */
  rpc: { calls: number; p50: number; p95: number }
}

/** A row of the migrations' ledger. */
export interface MigrationEntry extends Omit<MigrationRecord, 'appliedAt' | 'createdAt'> {
  readonly id: string
  readonly appliedAt: Date | null
  readonly createdAt: Date
}

export type Database<Ms> = Tables<Ms> &
  Executor<Ms> &
  ImportsRows<Ms> &
  AsyncDisposable & {
    /** Opens the database and runs the migrations that are due; makes no new table. */
    readonly ready: Promise<MigrationReport>
    /**
     * Runs `body` in a transaction: committed when it resolves, rolled back when it throws. Inside, use only `tx`.
     * `TX_TIMEOUT`, `TX_CLOSED`, `ABORTED`.
     */
    transaction<T>(body: (tx: Transaction<Ms>) => Promise<T>, options?: TransactionOptions): Promise<T>
    /**
     * A handle that sees and writes only the rows with these values: of models that declare `scope`, and of those that are
     * `shared` it reads all. Synchronous. `BAD_OPTION`, `VALIDATION`.
     *
     * @example
     * const mine = db.scope({ tenantId: 'acme' })
     * await mine.users.create({ email: 'ada@example.com' }) // its tenantId is 'acme'
     */
    scope(values: ScopeValues<Ms>): Scoped<Ms>
    /** Makes sure of these models' tables now, of all if none is named. */
    ensure(...accessors: (keyof Ms & string)[]): Promise<void>
    tableStatus(accessor: keyof Ms & string): Promise<TableStatus>
    /** Tries again after a failed migration: closes the model's circuit breaker. */
    retry(accessor: keyof Ms & string): Promise<void>
    readonly migrations: {
      /** What `apply` would do; no effect. */
      plan(): Promise<MigrationPlan>
      /** Brings every table to its declared shape, whatever `autoMigrate` says. */
      apply(): Promise<MigrationReport>
      /** What was migrated, oldest first: the ledger. */
      history(): Promise<readonly MigrationEntry[]>
      /** How the database stands to the declared models: what is due, what raw SQL has changed, what failed. */
      status(): Promise<MigrationStatus>
      /**
       * Puts back the backup that was kept before the last migration that gave something up; `NOT_FOUND` if there is
       * none. What it holds more than is declared is kept, as with `onDestructive: 'keep'`.
       */
      restore(options?: RestoreOptions): Promise<RestoreReport>
    }
    /** Changes of rows of models with `audit: true`: who, when, what was before and after. */
    readonly audit: AuditTrail<Ms>
    metrics(): Promise<Metrics>
    /** Gives the space of deleted rows back (VACUUM). Costs as much as writing the whole database. */
    compact(): Promise<void>
    /**
     * The whole database as a SQLite file, of one moment, while writes go on. Everything in it is saved when it resolves.
     *
     * @example
     * link.href = URL.createObjectURL(await db.export())
     */
    export(options?: WorkOptions): Promise<Blob>
    /**
     * Puts a SQLite file in place of everything in the database, all or nothing: `IMPORT` says why a file is refused.
     * Reads the file and checks it while operations go on; they wait while it is saved.
     *
     * @example
     * await db.import(input.files[0], { onProgress: ({ done, total }) => bar.value = done / total })
     */
    import(file: ImportSource, options?: WorkOptions): Promise<ImportReport>
    /**
     * Keeps a copy in the browser, beside the database, while writes go on. `STORAGE_FULL`.
     *
     * @example
     * await db.backup({ note: 'before the update', keep: 5 })
     */
    backup(options?: BackupOptions): Promise<Backup>
    /** The backups, newest first. */
    backups(): Promise<Backup[]>
    /**
     * Puts a backup in place of everything in the database, as `import` does; what was there is kept as a backup first.
     * `NOT_FOUND`, `IMPORT`, `STORAGE_CORRUPT`.
     *
     * @example
     * const [newest] = await db.backups()
     * await db.restore(newest.id)
     */
    restore(id: string, options?: RestoreOptions): Promise<RestoreReport>
    /**
     * Changes what everything saved is encrypted with, backups included; null for nothing. Give `dataflow()` the same at the
     * next start, or it is `STORAGE_KEY`.
     *
     * @example
     * await db.rekey({ passphrase: 'correct horse battery staple' })
     */
    rekey(encryption: Encryption | null): Promise<void>
    /** What the database takes in the browser's storage, and how much room there is. */
    storage(): Promise<StorageReport>
    /** Asks the browser not to clear the data when space is short. True if it agreed. */
    persist(): Promise<boolean>
    /** Resolves when everything committed so far is saved. */
    flush(): Promise<void>
    /** Listens; returns the function that ends it. */
    on<E extends keyof DatabaseEvents>(event: E, listener: (detail: DatabaseEvents[E]) => void): () => void
    /** Saves what is left and lets go of the database. Later calls are `CLOSED`. */
    close(): Promise<void>
  }

export interface DatabaseOptions<Ms> {
  /** The key is the accessor (`db.users`) and the table; the model's own name names its errors. */
  models: Ms & CheckModels<Ms>
  /** 'memory' keeps nothing. */
  storage?: 'indexeddb' | 'memory'
  /** When the promise of a write resolves: 'relaxed' (survives a crash of the browser) if left out. */
  durability?: Durability
  /** The app's schema version: a higher one wins when two builds differ. */
  version?: number
  /** ms to wait for a tab that holds the database, 5000 if left out; then `LOCKED`. */
  maxWaitForOwner?: number
  /** false: the whole check before every operation, to compare. */
  cacheTableChecks?: boolean
  /** false: never any DDL by itself; 'warn': as false, but what exists can be used. */
  autoMigrate?: boolean | 'warn'
  /** The tables are somebody else's: verified once, never changed. */
  existingSchema?: boolean
  /** What migrations may do, what runs with them, and data steps. */
  migrations?: MigrationsOptions<Ms>
  /** What everything saved is encrypted with. The database must have been made with it, or changed by `rekey`. */
  encryption?: Encryption
  /** Who writes, for models with `audit: true`: a name, or a function that is asked at each call that writes. */
  actor?: Actor
  /** Makes the worker, where the bundler needs to see it. */
  worker?: () => Worker
  /** Where sqlite.wasm is, if it is not beside the worker. */
  wasmUrl?: string | URL
}

type ReservedName =
  | 'run'
  | 'batch'
  | 'sql'
  | 'transaction'
  | 'execute'
  | 'live'
  | 'ready'
  | 'ensure'
  | 'tableStatus'
  | 'retry'
  | 'flush'
  | 'storage'
  | 'persist'
  | 'compact'
  | 'export'
  | 'import'
  | 'backup'
  | 'backups'
  | 'restore'
  | 'rekey'
  | 'scope'
  | 'audit'
  | 'importRows'
  | 'migrations'
  | 'metrics'
  | 'on'
  | 'close'
  | 'savepoint'
  | 'afterCommit'
  | 'then'

type NamesOf<Ms> = { [K in keyof Ms]: Ms[K] extends { readonly $name: infer N } ? N : never }[keyof Ms]
type TargetsOf<M> = FieldsOf<M> extends infer F ? { [C in keyof F]: TargetOf<F[C]> }[keyof F] : never
type DanglingIn<Ms> = Exclude<{ [K in keyof Ms]: TargetsOf<Ms[K]> }[keyof Ms], NamesOf<Ms>>
type KeyOfModel<Ms, N> = { [K in keyof Ms]: Ms[K] extends { readonly $name: N } ? Key<Ms[K]> : never }[keyof Ms]

/** References whose TypeScript type is not their model's key type (brands aside). */
type MistypedIn<Ms> = {
  [K in keyof Ms]: FieldsOf<Ms[K]> extends infer F extends Fields
    ? {
        [C in keyof F]: [TargetOf<F[C]>] extends [never]
          ? never
          : NonNullable<RowOf<F>[C]> extends Widened<KeyOfModel<Ms, TargetOf<F[C]>>>
            ? never
            : `${K & string}.${C & string}`
      }[keyof F]
    : never
}[keyof Ms]
type Widened<T> = T extends string ? string : T extends number ? number : T extends bigint ? bigint : T

/** Turns wrong models into a type whose text says what is wrong. */
export type CheckModels<Ms> = [keyof Ms & ReservedName] extends [never]
  ? [DanglingIn<Ms>] extends [never]
    ? [MistypedIn<Ms>] extends [never]
      ? CheckRelations<Ms>
      : TypeError<`${MistypedIn<Ms> & string} has not the type of the key it refers to: add .$type<...>()`>
    : TypeError<`t.ref("${DanglingIn<Ms> & string}") names no model passed to dataflow`>
  : TypeError<`Model key "${keyof Ms & ReservedName & string}" is reserved`>
