// read, list, count -> one SELECT each.
import type { Condition } from '../../src/shared/filter.js'
import type { OrderTerm, WireOperation } from '../../src/shared/operation.js'
import type { SqlParam } from '../seams.js'
import { compileWhere } from './condition.js'
import { compileKeyset } from './keyset.js'
import { columnNamed, selectionOf, textOfShape, toParam, type CompiledModel, type Selection } from './model.js'
import { EVERYTHING, visibleClause, type Access } from './visible.js'
import type { Statement } from './write.js'

type Of<Op extends WireOperation['op']> = Extract<WireOperation, { op: Op }>

export interface SelectRows {
  readonly sql: string
  readonly params: readonly SqlParam[]
  readonly selection: Selection
}

export interface SelectList {
  readonly sql: string
  readonly params: readonly SqlParam[]
  /** null: the statement gives one row, with a JSON array for each column. */
  readonly selection: Selection | null
}

export function compileRead(model: CompiledModel, op: Of<'read'>, access: Access = EVERYTHING): SelectRows {
  const selection = selectionOf(model, op.select)
  const seen = visibleClause(model, access)
  const sql = textOfShape(model, `read ${op.select?.join() ?? '*'} ${seen.shape}`, () => {
    const where = `${model.key.quoted} = ${model.key.placeholder}${seen.sql()}`
    return `SELECT ${selection.sql} FROM ${model.table} WHERE ${where}`
  })
  return { sql, params: [toParam(op.id), ...seen.params], selection }
}

export function compileList(model: CompiledModel, op: Of<'list'>, access: Access = EVERYTHING): SelectList {
  const selection = selectionOf(model, op.select)
  const params: SqlParam[] = []
  const tail = compileTail(model, op, access, params)
  if (selection.blobs > 0) return { sql: `SELECT ${selection.sql} FROM ${model.table}${tail}`, params, selection }
  // A text for each column, not a row for each row: crossing and parsing it is what makes a list fast.
  const rows = `SELECT ${selection.columns} FROM ${model.table}${tail}`
  return { sql: `SELECT ${selection.arrays} FROM (${rows})`, params, selection: null }
}

/** What follows FROM: which rows of the list, in which order. */
export function compileTail(model: CompiledModel, op: Of<'list'>, access: Access, params: SqlParam[]): string {
  let tail = compileWhere(model, op.where, access, params)
  if (op.after) tail += `${tail ? ' AND' : ' WHERE'} ${compileKeyset(model, op.order, op.after.values, params)}`
  tail += ` ORDER BY ${compileOrder(model, op.order)}`
  if (op.limit !== null || op.offset > 0) {
    tail += ' LIMIT ? OFFSET ?'
    params.push(op.limit ?? -1, op.offset)
  }
  return tail
}

export function compileCount(
  model: CompiledModel,
  op: Of<'count'>,
  access: Access = EVERYTHING,
): { sql: string; params: readonly SqlParam[] } {
  const params: SqlParam[] = []
  const where = compileWhere(model, op.where, access, params)
  return { sql: `SELECT count(*) FROM ${model.table}${where}`, params }
}

/** Gives a row if there is one that passes. */
export function compileAny(model: CompiledModel, where: Condition, access: Access): Statement {
  const params: SqlParam[] = []
  const chosen = compileWhere(model, where, access, params)
  return { sql: `SELECT 1 FROM ${model.table}${chosen} LIMIT 1`, params }
}

function compileOrder(model: CompiledModel, order: readonly OrderTerm[]): string {
  return order.map(term => `${columnNamed(model, term.field).quoted}${term.descending ? ' DESC' : ''}`).join(', ')
}
