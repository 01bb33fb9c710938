// aggregate, distinct -> one SELECT over the groups: each field of the answer is a column of it as one JSON array.
import { answerModel, isWide, type AggregateTerm } from '../../src/shared/aggregate.js'
import type { FieldDefinition } from '../../src/shared/definition.js'
import type { WireOperation } from '../../src/shared/operation.js'
import type { SqlParam } from '../seams.js'
import { compileCondition, compileWhere } from './condition.js'
import { arrayOf, columnNamed, type CompiledModel } from './model.js'
import { placeOf } from './place.js'
import { EVERYTHING, type Access } from './visible.js'
import type { Statement } from './write.js'

type Aggregate = Extract<WireOperation, { op: 'aggregate' }>

/** A field of the answer. */
interface Part {
  /** The columns of the subquery over the groups: `expression AS name`. The first is what filters look at. */
  readonly columns: string
  /** What is ordered by: several where one column is not exact enough. */
  readonly order: readonly string[]
  /** What is answered: a JSON array of its values, or two. */
  readonly arrays: readonly string[]
}

export function compileAggregate(model: CompiledModel, op: Aggregate, access: Access = EVERYTHING): Statement {
  const group = op.group ?? []
  const answer = answerModel(model.definition, group, op.terms)
  const parts = answer.fields.map((field, i): Part => {
    const term = op.terms[i - group.length]
    if (term) return partOfTerm(model, term, field)
    const columns = `${columnNamed(model, group[i]!).quoted} AS ${field.column}`
    return { columns, order: [field.column], arrays: [arrayOf(field, field.column, model.ownTables)] }
  })
  const params: SqlParam[] = []
  let groups = `SELECT ${parts.map(part => part.columns).join(', ')} FROM ${model.table}`
  groups += compileWhere(model, op.where, access, params)
  if (op.group) groups += ` GROUP BY ${group.map(name => columnNamed(model, name).quoted).join(', ')}`
  const names = answer.fields.map(field => field.name)
  let chosen = `SELECT * FROM (${groups}) AS ${answer.table}`
  if (op.having)
    chosen += ` WHERE ${compileCondition(placeOf(answer), op.having, params, { models: model.models, access })}`
  if (op.order.length > 0) {
    const order = op.order.flatMap(({ field, descending }) =>
      parts[names.indexOf(field)]!.order.map(column => `${column}${descending ? ' DESC' : ''}`),
    )
    chosen += ` ORDER BY ${order.join(', ')}`
  }
  if (op.limit !== null || op.offset > 0) {
    chosen += ' LIMIT ? OFFSET ?'
    params.push(op.limit ?? -1, op.offset)
  }
  const arrays = parts.slice(0, group.length + op.answered).flatMap(part => part.arrays)
  return { sql: `SELECT ${arrays.join(', ')} FROM (${chosen})`, params }
}

function partOfTerm(model: CompiledModel, term: AggregateTerm, { column, kind }: FieldDefinition): Part {
  const of = term.field === null ? '*' : columnNamed(model, term.field).quoted
  if (isWide(term, model.definition)) return wideSum(of, column)
  const expression = term.fn === 'countDistinct' ? `count(DISTINCT ${of})` : `${term.fn}(${of})`
  if (kind !== 'real' || term.fn === 'min' || term.fn === 'max') {
    const array = `json_group_array(${column})`
    return { columns: `${expression} AS ${column}`, order: [column], arrays: [array] }
  }
  // The infinities cancel to NaN, which is NULL to SQLite.
  const array = `json_group_array(iif(${column} IS NULL AND ${column}n > 0, 'NaN', ${column}))`
  return { columns: `${expression} AS ${column}, count(${of}) AS ${column}n`, order: [column], arrays: [array] }
}

/**
 * The sum of 64-bit integers, exact however large: the high halves are added up, and the low ones, which carry over.
 * Beyond 64 bits it is more, or less, than all that it can be compared with.
 */
function wideSum(of: string, column: string): Part {
  // SQLite's operators on bits bind alike.
  const high = `(sum(${of} >> 32) + (sum(${of} & 0xffffffff) >> 32))`
  const low = `(sum(${of} & 0xffffffff) & 0xffffffff)`
  const tooLarge = `WHEN ${high} > 0x7fffffff THEN 9e999 WHEN ${high} < -0x80000000 THEN -9e999`
  const value = `CASE ${tooLarge} ELSE ${high} << 32 | ${low} END`
  return {
    columns: `${value} AS ${column}, ${high} AS ${column}h, ${low} AS ${column}l`,
    order: [`${column}h`, `${column}l`],
    arrays: [`json_group_array(${column}h)`, `json_group_array(${column}l)`],
  }
}
