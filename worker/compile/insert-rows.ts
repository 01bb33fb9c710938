// INSERTs of many rows, one after the other. Rows of one call mostly give the same columns: the statement is put together
// for the first of them.
import type { Conflict, WireRow } from '../../src/shared/operation.js'
import type { SqlParam } from '../seams.js'
import { isStamp, toParam, type CompiledModel } from './model.js'
import { NO_REFERENCES, type References } from './references.js'
import type { Access } from './visible.js'
import { compileInsert, conflictClause, type Returning, type Statement } from './write.js'

export class InsertRows {
  readonly #model: CompiledModel
  readonly #conflict: Conflict
  readonly #stamp: number
  readonly #returning: Returning
  readonly #access: Access
  readonly #stamped: readonly boolean[]
  /** By column, of the row before: whether it gave a value. */
  #given: readonly boolean[] = []
  #list = -1
  #sql = ''
  /** What is bound is the row as it is. */
  #bare = false
  /** What is bound behind the row's values. */
  #rest: readonly SqlParam[] = []

  constructor(model: CompiledModel, conflict: Conflict, stamp: number, returning: Returning, access: Access) {
    this.#model = model
    this.#conflict = conflict
    this.#stamp = stamp
    this.#returning = returning
    this.#access = access
    this.#stamped = model.columns.map(isStamp)
  }

  /** `list`: the list of fields that the row overwrites. */
  compile(row: WireRow, list: number, references: References): Statement {
    // They are part of the text, and others for each row.
    if (references !== NO_REFERENCES) return this.#make(row, list, references).statement
    if (!this.#fits(row, list)) return this.#prepare(row, list)
    if (this.#bare) return { sql: this.#sql, params: row as readonly SqlParam[] }
    const params: SqlParam[] = []
    for (let i = 0; i < row.length; i++) {
      const value = row[i]
      if (value !== undefined) params.push(toParam(value))
      else if (this.#stamped[i]) params.push(this.#stamp)
    }
    for (const param of this.#rest) params.push(param)
    return { sql: this.#sql, params }
  }

  #fits(row: WireRow, list: number): boolean {
    if (list !== this.#list || row.length !== this.#given.length) return false
    for (let i = 0; i < row.length; i++) if ((row[i] !== undefined) !== this.#given[i]) return false
    return true
  }

  #prepare(row: WireRow, list: number): Statement {
    const { statement, conflict } = this.#make(row, list, NO_REFERENCES)
    this.#given = row.map(value => value !== undefined)
    this.#list = list
    this.#sql = statement.sql
    this.#rest = conflict.params
    const bigints = this.#model.columns.some(column => column.field.kind === 'bigint')
    this.#bare = !bigints && this.#rest.length === 0 && this.#given.every(given => given)
    return statement
  }

  #make(row: WireRow, list: number, references: References) {
    const conflict = conflictClause(this.#model, this.#conflict, list, this.#stamp, this.#access)
    return { statement: compileInsert(this.#model, row, this.#stamp, this.#returning, conflict, references), conflict }
  }
}
