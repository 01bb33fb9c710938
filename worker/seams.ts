// What the engine needs from outside, as types. The real parts are chosen in index.ts and nowhere else, so the same
// engine runs in a browser's worker, under Node's tests and (later) over another SQLite.
import type { ErrorCode } from '../src/shared/errors.js'

/** What can be bound. Integers beyond int32 are bound as text inside CAST(? AS INTEGER) (semantics 21). */
export type SqlParam = string | number | null | Uint8Array

/** What a result column can hold. INTEGER within +-2^53 is a number, beyond it a bigint. */
export type SqlCell = string | number | bigint | Uint8Array | null

/** The row a running statement stands on. Valid only inside the callback that received it. */
export interface RowReader {
  readonly columns: readonly string[]
  /** TEXT of column `i`, complete even if it holds NUL characters; null for NULL. */
  text(i: number): string | null
  /** A copy of the BLOB in column `i`; null for NULL. */
  blob(i: number): Uint8Array<ArrayBuffer> | null
  /** Column `i` by its storage class. */
  value(i: number): SqlCell
}

/** Counted since the connection was opened; a reopened connection goes on counting where the old one stopped. */
export interface StatementCounters {
  /** Statements executed, without the transaction control counted below. */
  executed: number
  /** BEGIN, COMMIT, ROLLBACK, SAVEPOINT, RELEASE. */
  control: number
  /** Statements compiled by SQLite. */
  prepared: number
  /** Executions that found their compiled statement in the cache. */
  hits: number
}

export interface TransactionKind {
  /** true if left out. */
  readonly foreignKeys?: boolean
}

/** A transaction that stays open across awaits: only for leases. Nothing is written to the file before `commit`. */
export interface OpenTransaction {
  commit(): void
  rollback(): void
}

/** Part of an open transaction that can be taken back alone. What is opened in it ends with it. */
export interface Savepoint {
  /** Keeps what was done in it, as part of what it is in. Throws when the whole transaction has been lost. */
  release(): void
  /** Takes it back and ends it. Nothing happens when it has ended already. */
  rollback(): void
}

/** One open SQLite connection. Everything is synchronous; every failure is a SqliteError. */
export interface Sqlite {
  /** Runs one statement to its end and returns the number of rows it inserted, updated or deleted itself. */
  run(sql: string, params?: readonly SqlParam[]): number
  /** Runs one statement and calls `visit` for each row; returns the number of rows. */
  each(sql: string, params: readonly SqlParam[], visit: (row: RowReader) => void): number
  /** Runs a script of several statements without parameters: DDL only. Each statement counts as one. */
  exec(script: string): void
  /**
   * Whole transaction when none is open, savepoint when one is. Rolled back when `body` throws. Without `foreignKeys`, and
   * only as a whole transaction, references are not looked at and nothing cascades.
   */
  atomically<T>(body: () => T, options?: TransactionKind): T
  /** Opens a transaction that is closed by hand. Refused while one is open. */
  begin(options?: TransactionKind): OpenTransaction
  /** Opens a savepoint that is closed by hand, within a transaction of either kind. Refused while none is open. */
  savepoint(): Savepoint
  readonly inTransaction: boolean
  /**
   * Tables (not views) that a statement can read and write, triggers and cascades included (by EXPLAIN, cached); without
   * what the library's own triggers write.
   */
  tablesOf(sql: string): {
    readonly reads: readonly string[]
    readonly writes: readonly string[]
    readonly readonly: boolean
    /** Whether it runs triggers or cascades, the library's own triggers aside. */
    readonly triggers: boolean
    /** Whether it runs the library's own triggers. */
    readonly managed: boolean
  }
  readonly counters: StatementCounters
  /** Closes the connection and opens a new one over the same file, forgetting every page it had cached. */
  reopen(): void
  close(): void
}

/** The blocks that changed between two looks at the file, with what is needed to save them and to take them back. */
export interface FileChanges {
  /** Index of each changed 128-byte block, ascending. */
  readonly blocks: readonly number[]
  /** The new content: block i of `blocks` is at i * BLOCK_SIZE. A copy. */
  readonly bytes: Uint8Array<ArrayBuffer>
  /** The content before, laid out as `bytes`. */
  readonly before: Uint8Array<ArrayBuffer>
  readonly sizeBefore: number
  readonly size: number
}

/** Names of the triggers that the library keeps by itself: they never change the row that they fire for. */
export const isOwnTrigger = (name: string): boolean => name.startsWith(OWN_TRIGGER)
export const OWN_TRIGGER = 'tr:'

/** Files are held and saved in chunks of this many bytes. */
export const CHUNK_SIZE = 256 * 1024

/** A file as it is at one moment. */
export interface FileImage {
  readonly size: number
  readonly chunkCount: number
  /** The n-th chunk, CHUNK_SIZE bytes, zeros behind the end of the file. The live array, not a copy. */
  chunk(n: number): Uint8Array<ArrayBuffer>
}

/** Held until `release`: until then each chunk that is about to change is copied once. */
export interface FileSnapshot extends FileImage {
  release(): void
}

/** SQLite's main database file, held by us in chunks. */
export interface DatabaseFile extends FileImage {
  /** What changed since the last call; null when nothing did. Only at a moment when no transaction is open. */
  takeChanges(): FileChanges | null
  /** Puts back what `changes` replaced. Newest changes first; anything not yet taken is put back by undoUntaken. */
  undo(changes: FileChanges): void
  /** Puts back everything since the last takeChanges. */
  undoUntaken(): void
  /** The file as it is now, whatever is written later. Only at a moment when no transaction is open. */
  snapshot(): FileSnapshot
  /**
   * Takes the content of `image`, whose chunks become the file: nobody else may write to them. What changed before is
   * forgotten. The connection has to be reopened in the same instant.
   */
  become(image: FileImage): void
}

export interface SqliteModule<File extends DatabaseFile = DatabaseFile> {
  /** SQLite's own version, such as 3.54.1. */
  readonly version: string
  createFile(saved?: SavedFile): File
  open(file: File): Sqlite
}

/** The bytes of a saved database: `chunks` become the file itself, they are not copied. */
export interface SavedFile {
  readonly chunks: Uint8Array<ArrayBuffer>[]
  readonly size: number
}

export type SaveLevel = 'relaxed' | 'strict'

/** For what may take seconds. */
export interface LongWork {
  /** Bytes. */
  onProgress?(done: number, total: number): void
  readonly signal?: AbortSignal
}

/** A copy of the database that is kept beside it. */
export interface BackupInfo {
  readonly id: string
  /** Epoch ms. */
  readonly createdAt: number
  /** Bytes of the SQLite file, and what they take in the store. */
  readonly size: number
  readonly bytes: number
  readonly note: string | null
}

export interface StorageReport {
  /** Bytes of base chunks, of log records, and the number of log records, as of the last flush. */
  readonly baseBytes: number
  readonly logBytes: number
  readonly logRecords: number
  readonly checkpoints: number
  /** Bytes of all backups. */
  readonly backupBytes: number
  readonly persistent: boolean
}

/** Where the file is saved. One holder at a time: the caller owns the database's lock before it calls `open`. */
export interface Storage {
  /** Reads the committed state, verified; an empty file for a new database. Called once. */
  open(): Promise<SavedFile>
  /**
   * Saves whole commits in one transaction. `changes` and any chunk that rides along are captured before this returns
   * its promise. Rejects with a DataFlowError (STORAGE, STORAGE_FULL, ...) after which the saved state is unchanged.
   */
  flush(changes: FileChanges, file: DatabaseFile, level: SaveLevel): Promise<{ bytes: number }>
  /** True while there is work for idle moments: an unfinished checkpoint, old log records. */
  readonly checkpointDue: boolean
  /** One small step of it. Only while `file` holds nothing that is not saved. */
  checkpointStep(file: DatabaseFile): Promise<{ bytes: number }>
  /**
   * Saves `image` in place of everything that is saved: in slices, switched to in one put. If it rejects, the saved
   * state is as before. Nothing else may be asked of the storage until it settles; afterwards the saved state equals
   * `image`, and `flush` goes on from there with a file of the same content.
   */
  replace(image: FileImage, work?: LongWork): Promise<void>
  /** Keeps a copy. Flushes may go on meanwhile if `image` is a snapshot. */
  backup(image: FileImage, about: { createdAt: number; note: string | null }, work?: LongWork): Promise<BackupInfo>
  /** Newest first. */
  backups(): readonly BackupInfo[]
  /** Verified. Rejects with NOT_FOUND or STORAGE_CORRUPT. */
  readBackup(id: string, work?: LongWork): Promise<SavedFile>
  deleteBackup(id: string): Promise<void>
  /**
   * Changes the key that everything saved is encrypted with; null for none. With a key before and after, only the data
   * key is wrapped anew; otherwise `image` and the backups are written again, under the conditions of `replace`.
   */
  rekey(key: CryptoKey | null, image: FileImage, work?: LongWork): Promise<void>
  report(): StorageReport
  close(): Promise<void>
}

/** What can be read of a damaged saved form. */
export interface Rescued {
  /** Bad records: their keys as JSON, and what is wrong. Empty when everything is sound. */
  readonly damaged: readonly { readonly record: string; readonly what: string }[]
  /** Zeros are in the place of what is lost. */
  readonly file: SavedFile
  /** The file is a state that was committed once: the longest good prefix of all flushes. */
  readonly exact: boolean
  /** Log records and chunks that are not in the file, of how many. */
  readonly lostRecords: number
  readonly records: number
  readonly lostChunks: number
  readonly chunks: number
}

/** Access to a saved form that cannot be opened. The caller owns the database's lock. */
export interface Rescue {
  /**
   * `prefix` takes everything up to the last flush before the first bad record; `patched` all good records, for when
   * the prefix is not exact. Rejects with STORAGE_KEY or STORAGE.
   */
  survey(take: 'prefix' | 'patched'): Promise<Rescued>
  /** Puts `image` in place of what was last surveyed. Returns how many values that were not used are kept aside. */
  replace(image: FileImage, work?: LongWork): Promise<number>
  close(): Promise<void>
}

/** Times for stamps (epoch ms) and for measuring (ms, monotonic), and the one kind of delay the engine may use. */
export interface Clock {
  now(): number
  monotonic(): number
  after(ms: number, callback: () => void): () => void
}

/** Exclusive right to the saved form, held until `release`. */
export interface Ownership {
  release(): void
}

/** SQLite's failure as data: the text was read in one place (sqlite/errors.ts), nobody else looks at it. */
export class SqliteError extends Error {
  override readonly name = 'SqliteError'
  readonly code: ErrorCode
  /** What is missing, for 'no such table' and 'no such column': the next ensure looks again. */
  readonly missing?: 'table' | 'column'
  readonly table?: string
  readonly columns?: readonly string[]
  /** Name of the CHECK or of the unique index, where SQLite gives it. */
  readonly constraint?: string
  /** A calculation with integers has left 64 bits: SQLite's sum() and abs(). */
  readonly overflow: boolean
  /** The whole transaction is gone (RAISE(ROLLBACK), or COMMIT itself failed): semantics 14. */
  readonly transactionLost: boolean
  /** The module can no longer be trusted (out of memory, an abort inside WASM): the worker must go. */
  readonly fatal: boolean

  constructor(
    message: string,
    details: {
      code: ErrorCode
      missing?: 'table' | 'column'
      table?: string
      columns?: readonly string[]
      constraint?: string
      overflow?: boolean
      transactionLost?: boolean
      fatal?: boolean
      cause?: unknown
    },
  ) {
    super(message, { cause: details.cause })
    this.code = details.code
    this.missing = details.missing
    this.table = details.table
    this.columns = details.columns
    this.constraint = details.constraint
    this.overflow = details.overflow ?? false
    this.transactionLost = details.transactionLost ?? false
    this.fatal = details.fatal ?? false
  }
}
