// A read or a list with what is included -> ONE statement, whatever the depth: a table expression for each relation, of
// all its rows for all rows above it. Each gives one row, with a JSON array for each column; the page puts them together.
import { DataFlowError } from '../../src/shared/errors.js'
import type { StoredValue } from '../../src/shared/definition.js'
import type { WireOperation } from '../../src/shared/operation.js'
import { MAX_INCLUDE_DEPTH, MAX_INCLUDES, type Include } from '../../src/shared/relation.js'
import type { SqlParam } from '../seams.js'
import { compileCondition, compileVisible, type World } from './condition.js'
import { arrayOf, columnNamed, modelNamed, selectionOf, toParam, type CompiledModel } from './model.js'
import { columnAt, joinRelation, type Place } from './place.js'
import { compileTail } from './read.js'
import { EVERYTHING, visibleClause, type Access } from './visible.js'
import type { Statement } from './write.js'

type Reading = Extract<WireOperation, { op: 'read' | 'list' }>

interface Parts {
  readonly models: ReadonlyMap<string, CompiledModel>
  readonly access: Access
  readonly params: SqlParam[]
  /** `name AS (SELECT ...)` */
  readonly tables: string[]
  /** A row of arrays of each. */
  readonly answers: string[]
}

/** The rows that an include is for. */
interface Above {
  readonly table: string
  readonly model: CompiledModel
  readonly select: readonly string[]
}

export function compileIncluding(model: CompiledModel, op: Reading, access: Access = EVERYTHING): Statement {
  const parts: Parts = { models: model.models, access, params: [], tables: [], answers: [] }
  const select = op.select ?? model.definition.fields.map(field => field.name)
  const { columns, arrays } = selectionOf(model, select)
  const tail = op.op === 'read' ? oneRow(model, op.id, parts) : compileTail(model, op, access, parts.params)
  const table = addTable(parts, `SELECT ${columns} FROM ${model.table}${tail}`, arrays, true)
  addIncludes(parts, { table, model, select }, op.include!, 1)
  return { sql: `WITH ${parts.tables.join(', ')} SELECT * FROM ${parts.answers.join(', ')}`, params: parts.params }
}

function oneRow(model: CompiledModel, id: StoredValue, { access, params }: Parts): string {
  const seen = visibleClause(model, access)
  params.push(toParam(id), ...seen.params)
  return ` WHERE ${model.key.quoted} = ${model.key.placeholder}${seen.sql()}`
}

/** `shared`: looked at more than once, so that it is to be kept. */
function addTable({ tables, answers }: Parts, sql: string, arrays: string, shared: boolean): string {
  if (tables.length > MAX_INCLUDES) throw tooMany(`more than ${MAX_INCLUDES} relations.`)
  const name = `dataflow_t${tables.length}`
  tables.push(`${name} AS ${shared ? 'MATERIALIZED ' : ''}(${sql})`)
  answers.push(`(SELECT ${arrays} FROM ${name})`)
  return name
}

function addIncludes(parts: Parts, above: Above, includes: readonly Include[], depth: number): void {
  for (const include of includes) {
    if (depth > MAX_INCLUDE_DEPTH) throw tooMany(`relations more than ${MAX_INCLUDE_DEPTH} levels deep.`)
    addInclude(parts, above, include, depth)
  }
}

function tooMany(what: string): DataFlowError {
  return new DataFlowError('BAD_OPTION', `The operation includes ${what}`, { hint: 'read some of them by themselves.' })
}

function addInclude(parts: Parts, above: Above, include: Include, depth: number): void {
  const { relation, select } = include
  const model = modelNamed(parts.models, relation.model)
  assertSelected(above, relation.from)
  if (!relation.through) assertSelected({ model, select }, relation.to)
  const { sql, owner } = compileRows(parts, above, model, include)
  const arrays = [...owner, selectionOf(model, select).arrays].join(', ')
  const below = include.include ?? []
  const table = addTable(parts, sql, arrays, below.length > 0)
  addIncludes(parts, { table, model, select }, below, depth + 1)
}

/** A name that a table expression does not have would be taken for a string. */
function assertSelected({ model, select }: Pick<Above, 'model' | 'select'>, field: string): void {
  columnNamed(model, field)
  if (select.includes(field)) return
  throw new DataFlowError('BAD_OPTION', `The operation does not select ${field}, which a relation needs.`, {
    model: model.definition.name,
    hint: 'operations are made by User.list({ include }).',
  })
}

/** The SELECT of a relation's rows, and the array that says whose each is where none of their own columns does. */
function compileRows(
  { models, access, params }: Parts,
  above: Above,
  model: CompiledModel,
  { relation, select, where, order, limit, withDeleted = false }: Include,
): { sql: string; owner: readonly string[] } {
  const world: World = { models, access: { ...access, withDeleted } }
  const chosen = joinRelation(models, relation)
  const conditions = (): string[] => {
    const terms = compileVisible(chosen.places, world, params)
    if (where) terms.push(compileCondition(chosen.place, where, params, world))
    return terms
  }
  const limited = relation.many && limit !== null
  // The chosen rows keep their table's name, which the app's own SQL in `where` may say.
  const read = limited ? joinRelation(models, relation, chosen.place) : chosen
  const orderOf = (place: Place) =>
    order.map(({ field, descending }) => `${columnAt(place, field)}${descending ? ' DESC' : ''}`).join(', ')
  const columns = select.map(field => `${columnAt(read.place, field)} AS ${columnNamed(model, field).quoted}`)
  const through = relation.through && columnNamed(modelNamed(models, relation.through.model), relation.through.from)
  if (through) columns.unshift(`${read.owner} AS dataflow_owner`)
  const owner = through ? [arrayOf(through.field, 'dataflow_owner', model.ownTables)] : []
  const key = columnNamed(above.model, relation.from).quoted
  let rows: string
  if (limited) {
    // For each row above by itself, so that an index in this order ends early.
    const { key: rowKey } = chosen.first.model
    const terms = [`${chosen.owner} = dataflow_above.dataflow_key`, ...conditions()].join(' AND ')
    const best = `SELECT ${columnAt(chosen.first, rowKey)} FROM ${chosen.from} WHERE ${terms}`
    params.push(limit)
    const all = `(SELECT DISTINCT ${key} AS dataflow_key FROM ${above.table}) AS dataflow_above CROSS JOIN ${read.from}`
    rows = `${all} WHERE ${columnAt(read.first, rowKey)} IN (${best} ORDER BY ${orderOf(chosen.place)} LIMIT ?)`
  } else {
    const terms = [`${chosen.owner} IN (SELECT ${key} FROM ${above.table})`, ...conditions()]
    rows = `${chosen.from} WHERE ${terms.join(' AND ')}`
  }
  const sorted = relation.many ? ` ORDER BY ${read.owner}, ${orderOf(read.place)}` : ''
  return { sql: `SELECT ${columns.join(', ')} FROM ${rows}${sorted}`, owner }
}
