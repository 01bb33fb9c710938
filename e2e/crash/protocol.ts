// What the harness tells the page to do, and what the page tells the harness. Types only.

export type TableName = 'owners' | 'items' | 'notes'

export interface NewRow {
  readonly table: TableName
  /** The row's number: given once, so that two rows with one number are one write done twice. */
  readonly n: number
  /** Length of its body. */
  readonly size: number
  /** Only where others refer to it; the library makes the rest, so that a repeated write would be a second row. */
  readonly id?: string
  readonly owner?: string
}

export type Step =
  | { readonly kind: 'create'; readonly row: NewRow }
  | {
      readonly kind: 'update'
      readonly table: TableName
      readonly id: string
      readonly n: number
      readonly size: number
    }
  | { readonly kind: 'delete'; readonly table: TableName; readonly id: string }
  | { readonly kind: 'bulkCreate'; readonly rows: readonly NewRow[] }
  | { readonly kind: 'bulkDelete'; readonly table: TableName; readonly ids: readonly string[] }

/** One promise of the app. What it writes carries `i` as its version. */
export interface Call {
  readonly i: number
  /**
   * `rollback` is a transaction whose function throws at its end. `flush` resolves when all deferred calls that have
   * settled before are saved.
   */
  readonly how: 'single' | 'batch' | 'transaction' | 'rollback' | 'flush'
  readonly steps: readonly Step[]
  readonly durability?: 'strict' | 'deferred'
}

/** Calls that reach the database in their order. */
export interface Lane {
  /** Each after the one before has settled, all in one tick, or one per task without waiting. */
  readonly mode: 'awaited' | 'one tick' | 'tasks'
  readonly calls: readonly Call[]
}

export interface OpenOptions {
  /** Columns that the model of the notes has gained by migrations. */
  readonly columns: number
  /** 'warn': shows what a migration that was cut short has left, without completing it. */
  readonly autoMigrate: true | 'warn'
  /** ms to wait for another tab that has the database; the library's default if left out. */
  readonly maxWaitForOwner?: number
  /** Promises less than the harness is told: to see that it notices. */
  readonly durability?: 'deferred'
}

/** The code that a `rollback` reports: it has thrown, as it was to. */
export type RolledBack = 'rolled back'

export type Report =
  /** Sent right before the first call. */
  | { readonly started: true }
  /** Resolved (`code` null) or rejected. */
  | { readonly settled: number; readonly code: string | null; readonly text?: string }
  /** A call that neither resolved nor rejected in time, with the worker and the browser alive. */
  | { readonly hung: string }

/** table, id, n, v, rev, length of the body, id of the owner, whether the content is what n, v and length say */
export type SeenRow = readonly [TableName, string, number, number, number, number, string | null, boolean]

export interface SchemaObject {
  readonly type: string
  readonly name: string
  readonly table: string
  readonly sql: string | null
}

/** How much of the database is saved where. */
export interface Saved {
  readonly baseBytes: number
  readonly logBytes: number
}

/** All that the page sees of a database that it has opened. */
export interface Look {
  readonly rows: readonly SeenRow[]
  readonly integrity: readonly string[]
  readonly foreignKeyFailures: number
  readonly schema: readonly SchemaObject[]
  readonly schemaVersion: number
  readonly registry: readonly { readonly model: string; readonly schemaVersion: number }[]
  readonly history: readonly { readonly version: string; readonly status: string; readonly sql: readonly string[] }[]
  /** What a migration would still do. */
  readonly pending: readonly string[]
  /** Every note has the default of each added column. */
  readonly columnsFilled: boolean
  readonly saved: Saved
}

/** `undefined`: the page is no more. */
export type Answer<T> = { readonly ok: T } | { readonly failed: string; readonly code: string } | undefined

/** What the page offers as `window.crash`. */
export interface Page {
  /** Opens and answers how long it took, in ms. */
  open(options: OpenOptions): Promise<Answer<number>>
  look(): Promise<Answer<Look>>
  saved(): Promise<Answer<Saved>>
  /** Ends when every call has settled. */
  run(lanes: readonly Lane[]): Promise<void>
  /** Imports what it has just exported, and answers how long that took, in ms. */
  importCopy(): Promise<Answer<number>>
  /** Keeps a backup and deletes older ones. */
  backup(): Promise<Answer<null>>
  /** The app ends its worker behind the library's back. */
  terminate(): void
  close(): Promise<Answer<null>>
}
