// One open sqlite3*: compiles, runs its own control statements, tells what went wrong. No policy.
import { misuse, readFailure, ResultCode, toSqliteError } from './errors.js'
import type { Native, Wasm } from './native.js'
import { Statement } from './statement.js'
import { isBlank } from './statement-kind.js'
import type { SqliteError } from '../seams.js'

/** The part of sql.js's Database that we use: it opens and closes; `db` is the sqlite3*. */
export interface OpenDatabase {
  readonly db?: unknown
  close(): void
}

/** Asked when a step failed, after the statement was reset: is the transaction it ran in gone? */
export type LossProbe = () => boolean

export class Handle {
  readonly wasm: Wasm
  readonly pointer: number
  readonly #native: Native
  readonly #database: OpenDatabase
  readonly #control = new Map<string, Statement>()
  /** Two pointers that prepare writes to: the statement and the rest of its text. */
  readonly #results: number
  #onLost: (error: SqliteError) => void = () => {}
  #probe: LossProbe = () => false

  constructor(wasm: Wasm, database: OpenDatabase) {
    if (typeof database.db !== 'number' || database.db === 0) throw misuse('sql.js has no database', 'WORKER_LOAD')
    this.wasm = wasm
    this.#native = wasm.native
    this.#database = database
    this.pointer = database.db
    this.#results = wasm.native.malloc(8) >>> 0
  }

  watchLoss(probe: LossProbe, onLost: (error: SqliteError) => void): void {
    this.#probe = probe
    this.#onLost = onLost
  }

  /** Compiles the only statement in `sql`. */
  prepare(sql: string): Statement {
    const { scratch, heap } = this.wasm
    const mark = { top: scratch.top, large: scratch.large }
    try {
      const start = this.#putSql(sql)
      const end = start + scratch.length
      const pointer = this.#compile(start, end)
      if (pointer === 0) throw misuse('There is no statement in the text')
      const tail = this.#tail()
      // Not by compiling it: a PRAGMA there would act already.
      if (!isBlank(heap.text(tail, end - tail))) {
        this.#native.finalize(pointer)
        throw misuse('One statement was expected, there are several in the text')
      }
      return new Statement(this, pointer, sql)
    } finally {
      scratch.release(mark)
    }
  }

  /** Compiles the statements of `script` one after the other; each is run by `visit` before the next is compiled. */
  prepareEach(script: string, visit: (statement: Statement) => void): void {
    const { scratch, heap } = this.wasm
    const mark = { top: scratch.top, large: scratch.large }
    try {
      let at = this.#putSql(script)
      const end = at + scratch.length
      while (at < end) {
        const pointer = this.#compile(at, end)
        const tail = this.#tail()
        if (pointer !== 0) {
          const statement = new Statement(this, pointer, heap.text(at, tail - at))
          try {
            visit(statement)
          } finally {
            statement.finalize()
          }
        }
        at = tail
      }
    } finally {
      scratch.release(mark)
    }
  }

  /** Runs a transaction control statement, compiled once; returns what went wrong, or null. */
  control(sql: string): SqliteError | null {
    let statement = this.#control.get(sql)
    if (!statement) this.#control.set(sql, (statement = this.prepare(sql)))
    try {
      const resultCode = this.#native.step(statement.pointer)
      const error = resultCode === ResultCode.DONE ? null : this.failure(resultCode)
      this.#native.reset(statement.pointer)
      return error
    } catch (e) {
      throw toSqliteError(e)
    }
  }

  /** Runs a statement of our own: not cached, not counted. */
  query(sql: string, visit: (row: Statement) => void = () => {}): void {
    const statement = this.prepare(sql)
    try {
      while (statement.step()) visit(statement)
    } finally {
      statement.finalize()
    }
  }

  /** What `resultCode` of a call that ran no statement means. */
  failure(resultCode: number): SqliteError {
    return readFailure(this.#message(), resultCode)
  }

  /** What a failed step of `statement` means. Resets it first: a failed statement counts as still running. */
  stepFailure(resultCode: number, statement: number): SqliteError {
    const message = this.#message()
    this.#native.reset(statement)
    if (!this.#probe()) return readFailure(message, resultCode)
    const error = readFailure(message, resultCode, { transactionLost: true })
    this.#onLost(error)
    return error
  }

  close(): void {
    for (const statement of this.#control.values()) statement.finalize()
    this.#control.clear()
    this.#native.free(this.#results)
    this.#database.close()
  }

  #putSql(sql: string): number {
    // SQLite reads up to the first NUL and would ignore the rest without a word.
    if (sql.includes('\0')) throw misuse('A statement cannot hold NUL characters: bind them')
    return this.wasm.scratch.putText(sql)
  }

  #compile(from: number, end: number): number {
    const results = this.#results
    let resultCode: number
    try {
      resultCode = this.#native.prepare(this.pointer, from, end - from, results, results + 4)
    } catch (e) {
      throw toSqliteError(e)
    }
    if (resultCode !== ResultCode.OK) throw this.failure(resultCode)
    return this.wasm.heap.getUint32(results)
  }

  #tail(): number {
    return this.wasm.heap.getUint32(this.#results + 4)
  }

  #message(): string {
    return this.wasm.heap.cString(this.#native.errmsg(this.pointer) >>> 0)
  }
}
