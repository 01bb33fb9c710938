// Transactions and savepoints of one connection, and what happens when SQLite ends a transaction by itself: a trigger's
// RAISE(ROLLBACK), or a COMMIT that finds a broken deferred foreign key. From then on nothing may run until the
// outermost level has been left, or it would run, and be committed, outside of any transaction.
import { misuse, toSqliteError } from './errors.js'
import type { Handle } from './handle.js'
import { SqliteError, type OpenTransaction } from '../seams.js'

interface Level {
  readonly open: string
  readonly keep: string
  readonly drop: readonly string[]
}

const OUTERMOST: Level = { open: 'BEGIN IMMEDIATE', keep: 'COMMIT', drop: ['ROLLBACK'] }

export class Transactions {
  #handle!: Handle
  readonly #counters: { control: number }
  readonly #onRollback: () => void
  readonly #levels: Level[] = [OUTERMOST]
  #depth = 0
  #lost: SqliteError | null = null
  #lease: OpenTransaction | null = null

  constructor(handle: Handle, counters: { control: number }, onRollback: () => void) {
    this.#counters = counters
    this.#onRollback = onRollback
    this.attach(handle)
  }

  /** Goes on with another connection to the same file. */
  attach(handle: Handle): void {
    this.#handle = handle
    handle.watchLoss(
      () => this.#depth > 0 && !this.#isOpen(),
      error => this.#lose(error),
    )
  }

  get active(): boolean {
    return this.#depth > 0
  }

  /** True while code of `atomically` is on the stack, so that the connection cannot be closed. */
  get nested(): boolean {
    return this.#depth > (this.#lease ? 1 : 0)
  }

  /** Throws when the transaction that the caller believes to be in is gone. */
  check(): void {
    if (!this.#lost) return
    const message = `The transaction was rolled back by an earlier statement: ${this.#lost.message}`
    throw new SqliteError(message, { code: this.#lost.code, transactionLost: true, cause: this.#lost })
  }

  atomically<T>(body: () => T): T {
    this.check()
    const level = this.#open()
    let result: T
    try {
      result = body()
    } catch (e) {
      this.#leave(level)
      throw e
    }
    this.#keep(level)
    return result
  }

  begin(): OpenTransaction {
    if (this.#depth > 0) throw misuse('A transaction is open already')
    // Without this a large transaction would write to the file before it is committed, and a flush in between would
    // save half of it.
    this.#handle.query('PRAGMA cache_spill = OFF')
    let level: Level
    try {
      level = this.#open()
    } catch (e) {
      this.#handle.query('PRAGMA cache_spill = ON')
      throw e
    }
    const finish = (end: (level: Level) => void): void => {
      if (this.#depth > 1) throw misuse('A savepoint is open in the transaction')
      try {
        end(level)
      } finally {
        this.#lease = null
        this.#handle.query('PRAGMA cache_spill = ON')
      }
    }
    const lease: OpenTransaction = {
      commit: () => {
        if (this.#lease !== lease) throw misuse('The transaction is closed')
        finish(level => this.#keep(level))
      },
      rollback: () => {
        if (this.#lease === lease) finish(level => this.#leave(level))
      },
    }
    this.#lease = lease
    return lease
  }

  /** Rolls back a lease that is still open. */
  abandon(): void {
    this.#lease?.rollback()
  }

  #open(): Level {
    const level = this.#levelAt(this.#depth)
    const error = this.#control(level.open)
    if (error) throw error
    this.#depth++
    return level
  }

  /** Commits or releases; if that fails, or the transaction is lost, leaves the level and throws. */
  #keep(level: Level): void {
    if (this.#lost) {
      const lost = this.#lost
      this.#leave(level)
      throw lost
    }
    const error = this.#control(level.keep)
    if (!error) {
      this.#depth--
      return
    }
    this.#leave(level)
    if (level !== OUTERMOST) throw error
    const { code, missing, table, columns, constraint, fatal } = error
    throw new SqliteError(error.message, { code, missing, table, columns, constraint, fatal, transactionLost: true })
  }

  /** Takes back what was done at this level. */
  #leave(level: Level): void {
    this.#depth--
    this.#onRollback()
    const lost = this.#lost
    if (this.#depth === 0) this.#lost = null
    if (lost) return
    for (const sql of level.drop) {
      const error = this.#control(sql)
      if (error) return this.#recover(error)
    }
  }

  /** A rollback failed. If SQLite did it by itself before, then that is the loss of the whole transaction. */
  #recover(error: SqliteError): void {
    if (this.#isOpen()) throw new SqliteError(error.message, { code: error.code, fatal: true, cause: error })
    if (this.#depth > 0) this.#lose(error)
  }

  #lose(error: SqliteError): void {
    this.#lost = error
    this.#onRollback()
  }

  /**
   * sql.js does not export sqlite3_get_autocommit: BEGIN fails exactly when a transaction is open. An empty one is
   * ended by COMMIT, which unlike ROLLBACK disturbs no statement that is still reading.
   */
  #isOpen(): boolean {
    if (this.#handle.control('BEGIN')) return true
    const error = this.#handle.control('COMMIT')
    if (error) throw toSqliteError(error)
    return false
  }

  #control(sql: string): SqliteError | null {
    this.#counters.control++
    return this.#handle.control(sql)
  }

  #levelAt(depth: number): Level {
    const name = `dataflow_${depth}`
    return (this.#levels[depth] ??= {
      open: `SAVEPOINT ${name}`,
      keep: `RELEASE ${name}`,
      drop: [`ROLLBACK TO ${name}`, `RELEASE ${name}`],
    })
  }
}
