// Transactions and savepoints of one connection, and what happens when SQLite ends a transaction by itself: a trigger's
// RAISE(ROLLBACK), or a COMMIT that finds a broken deferred foreign key. From then on nothing may run until the
// outermost level has been left, or it would run, and be committed, outside of any transaction.
import { misuse, toSqliteError } from './errors.js'
import type { Handle } from './handle.js'
import { SqliteError, type OpenTransaction, type Savepoint } from '../seams.js'

interface Level {
  readonly open: string
  readonly keep: string
  readonly drop: readonly string[]
}

/** One that is open, at its place in the stack of them. */
interface Open {
  readonly level: Level
  readonly depth: number
  /** Closed by hand. The others are closed by the `atomically` that is on the stack. */
  readonly byHand: boolean
}

const OUTERMOST: Level = { open: 'BEGIN IMMEDIATE', keep: 'COMMIT', drop: ['ROLLBACK'] }

export class Transactions {
  #handle!: Handle
  readonly #counters: { control: number }
  readonly #onRollback: () => void
  readonly #levels: Level[] = [OUTERMOST]
  /** From the outermost. Ending one ends those above it. */
  readonly #open: Open[] = []
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
      () => this.active && !this.#isOpen(),
      error => this.#lose(error),
    )
  }

  get active(): boolean {
    return this.#open.length > 0
  }

  /** True while code of `atomically` is on the stack, so that the connection cannot be closed. */
  get nested(): boolean {
    return this.#open.some(({ byHand }) => !byHand)
  }

  /** Throws when the transaction that the caller believes to be in is gone. */
  check(): void {
    if (!this.#lost) return
    const message = `The transaction was rolled back by an earlier statement: ${this.#lost.message}`
    throw new SqliteError(message, { code: this.#lost.code, transactionLost: true, cause: this.#lost })
  }

  atomically<T>(body: () => T): T {
    this.check()
    const open = this.#enter(false)
    let result: T
    try {
      result = body()
    } catch (e) {
      this.#leave(open)
      throw e
    }
    this.#keep(open)
    return result
  }

  begin(): OpenTransaction {
    if (this.active) throw misuse('A transaction is open already')
    // Without this a large transaction would write to the file before it is committed, and a flush in between would
    // save half of it.
    this.#handle.query('PRAGMA cache_spill = OFF')
    let open: Open
    try {
      open = this.#enter(true)
    } catch (e) {
      this.#handle.query('PRAGMA cache_spill = ON')
      throw e
    }
    const finish = (end: (open: Open) => void): void => {
      this.#assertIdle(open)
      try {
        end(open)
      } finally {
        this.#lease = null
        this.#handle.query('PRAGMA cache_spill = ON')
      }
    }
    const lease: OpenTransaction = {
      commit: () => {
        if (this.#lease !== lease) throw misuse('The transaction is closed')
        finish(open => this.#keep(open))
      },
      rollback: () => {
        if (this.#lease === lease) finish(open => this.#leave(open))
      },
    }
    this.#lease = lease
    return lease
  }

  savepoint(): Savepoint {
    this.check()
    if (!this.active) throw misuse('A savepoint needs an open transaction')
    const open = this.#enter(true)
    const isOpen = (): boolean => this.#open[open.depth] === open
    return {
      release: () => {
        if (!isOpen()) throw misuse('The savepoint is closed')
        this.#assertIdle(open)
        this.#keep(open)
      },
      rollback: () => {
        if (!isOpen()) return
        this.#assertIdle(open)
        this.#leave(open)
      },
    }
  }

  /** Rolls back a lease that is still open. */
  abandon(): void {
    this.#lease?.rollback()
  }

  #enter(byHand: boolean): Open {
    const depth = this.#open.length
    const open = { level: this.#levelAt(depth), depth, byHand }
    const error = this.#control(open.level.open)
    if (error) throw error
    this.#open.push(open)
    return open
  }

  /** Code of `atomically` counts on its level being there when it returns. */
  #assertIdle({ depth }: Open): void {
    if (this.#open.slice(depth + 1).some(({ byHand }) => !byHand))
      throw misuse('Something is running in the transaction')
  }

  /** Commits or releases; if that fails, or the transaction is lost, leaves the level and throws. */
  #keep(open: Open): void {
    if (this.#lost) {
      const lost = this.#lost
      this.#leave(open)
      throw lost
    }
    const error = this.#control(open.level.keep)
    if (!error) {
      this.#open.length = open.depth
      return
    }
    this.#leave(open)
    if (open.depth > 0) throw error
    const { code, missing, table, columns, constraint, fatal } = error
    throw new SqliteError(error.message, { code, missing, table, columns, constraint, fatal, transactionLost: true })
  }

  /** Takes back what was done at this level. */
  #leave({ level, depth }: Open): void {
    this.#open.length = depth
    this.#onRollback()
    const lost = this.#lost
    if (depth === 0) this.#lost = null
    if (lost) return
    for (const sql of level.drop) {
      const error = this.#control(sql)
      if (error) return this.#recover(error)
    }
  }

  /** A rollback failed. If SQLite did it by itself before, then that is the loss of the whole transaction. */
  #recover(error: SqliteError): void {
    if (this.#isOpen()) throw new SqliteError(error.message, { code: error.code, fatal: true, cause: error })
    if (this.active) this.#lose(error)
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
