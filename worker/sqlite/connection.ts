// One SQLite connection over a ChunkedFile: the engine's `Sqlite`.
import { misuse, toSqliteError } from './errors.js'
import { Handle } from './handle.js'
import { StatementCache } from './statement-cache.js'
import type { Statement } from './statement.js'
import { TablesOf, type Tables } from './tables-of.js'
import { Transactions } from './transactions.js'
import {
  SqliteError,
  type OpenTransaction,
  type RowReader,
  type Savepoint,
  type Sqlite,
  type SqlParam,
  type StatementCounters,
  type TransactionKind,
} from '../seams.js'

/**
 * Durability is storage's work and there is only one connection: SQLite keeps its rollback journal in memory, never
 * syncs and never looks whether somebody else changed the file. Triggers do not recurse, as is SQLite's default: a
 * database that comes from elsewhere may count on it. A negative cache size is in KiB; the pages are WASM memory.
 */
const PRAGMAS = `
  PRAGMA locking_mode = EXCLUSIVE;
  PRAGMA journal_mode = MEMORY;
  PRAGMA synchronous = OFF;
  PRAGMA temp_store = MEMORY;
  PRAGMA page_size = 4096;
  PRAGMA cache_size = -16384;
  PRAGMA foreign_keys = ON;
  PRAGMA recursive_triggers = OFF;
  PRAGMA trusted_schema = OFF;
  SELECT 1 FROM sqlite_schema LIMIT 1`

const NO_PARAMS: readonly SqlParam[] = []

export class Connection implements Sqlite {
  readonly #openHandle: () => Handle
  readonly #counters = { executed: 0, control: 0, prepared: 0, hits: 0 }
  readonly #cache = new StatementCache()
  readonly #transactions: Transactions
  #handle: Handle
  #tables: TablesOf
  #closed = false
  /** Statements that are running, each in the visitor of the one before. */
  #running = 0

  constructor(openHandle: () => Handle) {
    this.#openHandle = openHandle
    this.#handle = this.#connect()
    this.#tables = new TablesOf(this.#handle)
    this.#transactions = new Transactions(this.#handle, this.#counters, () => this.#tables.forget())
  }

  get counters(): StatementCounters {
    return { ...this.#counters }
  }

  get inTransaction(): boolean {
    return this.#transactions.active
  }

  run(sql: string, params: readonly SqlParam[] = NO_PARAMS): number {
    return this.#execute(sql, params, null)
  }

  each(sql: string, params: readonly SqlParam[], visit: (row: RowReader) => void): number {
    return this.#execute(sql, params, visit)
  }

  exec(script: string): void {
    this.#check()
    this.#handle.prepareEach(script, statement => {
      this.#counters.prepared++
      this.#inspect(statement)
      this.#use(statement, NO_PARAMS, null)
    })
  }

  atomically<T>(body: () => T, { foreignKeys = true }: TransactionKind = {}): T {
    this.#check()
    if (foreignKeys) return this.#transactions.atomically(body)
    this.#enforceReferences(false)
    try {
      return this.#transactions.atomically(body)
    } finally {
      this.#enforceReferences(true)
    }
  }

  begin({ foreignKeys = true }: TransactionKind = {}): OpenTransaction {
    this.#check()
    if (foreignKeys) return this.#transactions.begin()
    this.#enforceReferences(false)
    const enforceAfter = (end: () => void) => () => {
      try {
        end()
      } finally {
        this.#enforceReferences(true)
      }
    }
    let transaction: OpenTransaction
    try {
      transaction = this.#transactions.begin()
    } catch (e) {
      this.#enforceReferences(true)
      throw e
    }
    return { commit: enforceAfter(() => transaction.commit()), rollback: enforceAfter(() => transaction.rollback()) }
  }

  savepoint(): Savepoint {
    this.#check()
    return this.#transactions.savepoint()
  }

  /** SQLite takes no notice of it inside a transaction. */
  #enforceReferences(on: boolean): void {
    if (this.#transactions.active) throw misuse('Foreign keys cannot be switched inside a transaction')
    this.#handle.query(`PRAGMA foreign_keys = ${on ? 'ON' : 'OFF'}`)
  }

  tablesOf(sql: string): Tables {
    this.#check()
    return this.#tables.find(sql)
  }

  reopen(): void {
    if (this.#closed) throw misuse('The connection is closed', 'CLOSED')
    this.#disconnect('reopened')
    this.#handle = this.#connect()
    this.#tables = new TablesOf(this.#handle)
    this.#transactions.attach(this.#handle)
  }

  close(): void {
    if (this.#closed) return
    this.#disconnect('closed')
    this.#closed = true
  }

  #connect(): Handle {
    let handle: Handle
    try {
      handle = this.#openHandle()
    } catch (e) {
      throw toSqliteError(e)
    }
    try {
      handle.prepareEach(PRAGMAS, statement => {
        while (statement.step());
      })
    } catch (e) {
      handle.close()
      throw e
    }
    return handle
  }

  #disconnect(what: string): void {
    if (this.#running > 0 || this.#transactions.nested) throw misuse(`The connection is in use and cannot be ${what}`)
    this.#transactions.abandon()
    this.#cache.clear()
    this.#handle.close()
  }

  #check(): void {
    if (this.#closed) throw misuse('The connection is closed', 'CLOSED')
    this.#transactions.check()
  }

  /** Returns the number of rows for `each`, of changed rows for `run` (which has no visitor). */
  #execute(sql: string, params: readonly SqlParam[], visit: ((row: RowReader) => void) | null): number {
    this.#check()
    const cached = this.#cache.find(sql)
    if (cached) {
      this.#counters.hits++
      return this.#use(cached, params, visit)
    }
    const statement = this.#prepare(sql)
    const kept = isWorthKeeping(statement) && this.#cache.add(statement)
    try {
      return this.#use(statement, params, visit)
    } finally {
      if (!kept) statement.finalize()
    }
  }

  #prepare(sql: string): Statement {
    const statement = this.#handle.prepare(sql)
    this.#counters.prepared++
    try {
      this.#inspect(statement)
    } catch (e) {
      statement.finalize()
      throw e
    }
    return statement
  }

  #inspect(statement: Statement): void {
    const { kind, sql } = statement
    if (kind === 'control') throw misuse('Transactions are opened and ended by atomically() and begin() only')
    statement.changesRows =
      kind === 'change' ||
      // Only a `with` that gives rows leaves a doubt: is it a query, or a change with RETURNING?
      (kind === 'with' && (!statement.hasColumns || (/returning/i.test(sql) && !this.#tables.find(sql).readonly)))
  }

  #use(statement: Statement, params: readonly SqlParam[], visit: ((row: RowReader) => void) | null): number {
    const { scratch, native } = this.#handle.wasm
    const { top, large } = scratch
    let fatal = false
    statement.busy = true
    this.#running++
    try {
      statement.bind(params)
      this.#counters.executed++
      let rows = 0
      while (statement.step()) {
        rows++
        visit?.(statement)
      }
      if (visit) return rows
      return statement.changesRows ? native.changes(this.#handle.pointer) : 0
    } catch (e) {
      // What a visitor throws is its own affair, but a failure of WASM while it read the row is ours.
      const error = e instanceof WebAssembly.RuntimeError ? toSqliteError(e) : e
      fatal = error instanceof SqliteError && error.fatal
      throw error
    } finally {
      this.#running--
      // In a module that failed, cleaning up would fail as well and hide the reason.
      if (!fatal) {
        statement.reset()
        scratch.release({ top, large })
        statement.busy = false
        if (statement.kind === 'schema') this.#tables.forget()
      }
    }
  }
}

function isWorthKeeping(statement: Statement): boolean {
  return statement.kind === 'query' || statement.kind === 'change' || statement.kind === 'with'
}
