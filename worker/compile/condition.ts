// A condition -> the text behind WHERE, its values bound. Where it is not true it may be false or NULL: the only
// negation is IS NOT TRUE, which takes both alike (semantics 22).
import { fieldOf, type FieldDefinition, type ModelDefinition, type StoredValue } from '../../src/shared/definition.js'
import { badFilter, MAX_DEPTH, MAX_NODES, tooLarge } from '../../src/shared/filter-errors.js'
import type { Condition } from '../../src/shared/filter.js'
import type { SqlParam } from '../seams.js'
import { compileMatch, foldCase } from './condition-text.js'
import type { CompiledModel } from './model.js'
import { columnAt, joinRelation, placeOf, type Place } from './place.js'
import { narrow, visible, type Access } from './visible.js'

type Of<Type extends Condition['type']> = Extract<Condition, { type: Type }>

/** SQLite takes 32766 parameters; the rest is for what else the statement binds. */
const MAX_PARAMS = 32_000
/** Longest list that is spelled out; a longer one is bound as one JSON text. */
const MAX_LIST = 256

/** What relations lead to. */
export interface World {
  readonly models: ReadonlyMap<string, CompiledModel>
  readonly access: Access
}

interface Scope {
  readonly model: ModelDefinition
  readonly place: Place
  readonly params: SqlParam[]
  readonly world: World
  readonly size: { nodes: number }
}

/** A field's column in a condition. */
interface Operand {
  readonly field: FieldDefinition
  readonly sql: string
  /** Text is compared with its ASCII letters in lower case. */
  readonly ci: boolean
}

/** The text behind WHERE of those of the chosen rows that can be seen, or '' for all. */
export function compileWhere(
  model: CompiledModel,
  where: Condition | null,
  access: Access,
  params: SqlParam[],
): string {
  const chosen = narrow(where, model.definition, access)
  if (!chosen) return ''
  return ` WHERE ${compileCondition(placeOf(model.definition), chosen, params, { models: model.models, access })}`
}

/**
 * Compiles to an expression that can stand beside AND, and pushes what it binds to `params`, in order.
 * Columns are qualified: a qualified name that does not exist is an error, where a bare quoted one would be taken for a
 * string.
 */
export function compileCondition(place: Place, condition: Condition, params: SqlParam[], world: World): string {
  const { model } = place
  const sql = compile({ model, place, params, world, size: { nodes: 0 } }, condition, 0)
  if (params.length > MAX_PARAMS) {
    throw badFilter({ model }, `the filter binds more than ${MAX_PARAMS} values.`, {
      hint: `put more than ${MAX_LIST} values into one $in, or split the filter.`,
    })
  }
  return sql
}

function compile(scope: Scope, condition: Condition, depth: number): string {
  if (depth > MAX_DEPTH || ++scope.size.nodes > MAX_NODES) throw tooLarge(scope)
  switch (condition.type) {
    case 'always':
      return condition.value ? 'TRUE' : 'FALSE'
    case 'and':
    case 'or': {
      if (condition.of.length === 0) return condition.type === 'and' ? 'TRUE' : 'FALSE'
      const parts = condition.of.map(inner => compile(scope, inner, depth + 1))
      return joinBalanced(parts, condition.type === 'and' ? ' AND ' : ' OR ')
    }
    case 'not':
      return `(${compile(scope, condition.of, depth + 1)}) IS NOT TRUE`
    case 'sql':
      return compileSql(scope, condition)
    case 'null':
      return `${operand(scope, condition).sql} IS ${condition.is ? '' : 'NOT '}NULL`
    case 'compare': {
      const column = operand(scope, condition)
      const place = bind(scope, column, condition.value)
      const compared = `${column.sql} ${condition.op === '<>' ? 'IS NOT' : condition.op} ${place}`
      return condition.common ? `likelihood(${compared}, 0.5)` : compared
    }
    case 'in':
      return compileIn(scope, condition)
    case 'match':
      return compileMatch(operand(scope, condition).sql, condition, scope.params)
    case 'has':
      return compileHas(scope, condition)
    case 'related':
      return compileRelated(scope, condition, depth)
    default:
      throw badFilter(scope, 'the filter holds a condition of no known type.', {})
  }
}

/** Pairs of halves, so that the expression's depth is the logarithm of its length: SQLite allows 1000. */
function joinBalanced(parts: readonly string[], operator: string): string {
  if (parts.length === 1) return parts[0]!
  if (parts.length <= 8) return `(${parts.join(operator)})`
  const half = parts.length >> 1
  return `(${joinBalanced(parts.slice(0, half), operator)}${operator}${joinBalanced(parts.slice(half), operator)})`
}

function compileRelated(scope: Scope, { relation, where }: Of<'related'>, depth: number): string {
  const { models } = scope.world
  const world = related(scope.world)
  const { from, owner, place, places } = joinRelation(models, relation, scope.place)
  const terms = [`${owner} = ${columnAt(scope.place, relation.from)}`, ...compileVisible(places, world, scope.params)]
  const inner: Scope = { ...scope, model: place.model, place, world }
  if (where.type !== 'always' || !where.value) terms.push(compile(inner, where, depth + 1))
  return `EXISTS (SELECT 1 FROM ${from} WHERE ${terms.join(' AND ')})`
}

/** Whatever an operation may see of its own rows: those that were deleted softly belong to nothing. */
function related({ models, access }: World): World {
  return { models, access: { ...access, withDeleted: false } }
}

/** What the rows of these places must be to be seen. */
export function compileVisible(places: readonly Place[], world: World, params: SqlParam[]): string[] {
  return places.flatMap(place => {
    const seen = visible(place.model, world.access)
    return seen ? compileCondition(place, seen, params, world) : []
  })
}

function operand({ model, place }: Scope, condition: { readonly field: string; readonly ci?: boolean }): Operand {
  const column = columnAt(place, condition.field)
  const field = fieldOf(model, condition.field)!
  const ci = condition.ci ?? false
  return { field, sql: ci ? `lower(${column})` : column, ci }
}

/** Binds a value and returns its place. sql.js binds no int64 and no integer beyond int32 (semantics 21). */
function bind({ params }: Scope, { field, ci }: Operand, value: StoredValue, wide = isWide(value)): string {
  // A fraction of a second is compared as it is.
  if (field.type === 'INTEGER' && wide && (typeof value === 'bigint' || Number.isInteger(value))) {
    params.push(String(value))
    return 'CAST(? AS INTEGER)'
  }
  params.push(ci ? foldCase(value as string) : (value as SqlParam))
  return '?'
}

const isWide = (value: StoredValue) => typeof value === 'bigint' || (typeof value === 'number' && value !== value >> 0)

function compileIn(scope: Scope, condition: Of<'in'>): string {
  const { values, orNull, negated } = condition
  const column = operand(scope, condition)
  if (values.length === 0) return orNull ? `${column.sql} IS ${negated ? 'NOT ' : ''}NULL` : negated ? 'TRUE' : 'FALSE'
  const list = values.length > MAX_LIST ? bindAsJson(scope, column, values) : bindEach(scope, column, values)
  // NULL IN (...) is NULL, which is what `$nin: [..., null]` wants and `$nin` does not.
  if (negated) return orNull ? `${column.sql} NOT IN (${list})` : `(${column.sql} IN (${list})) IS NOT TRUE`
  return orNull ? `(${column.sql} IN (${list}) OR ${column.sql} IS NULL)` : `${column.sql} IN (${list})`
}

/** 1, 2, 4 ... 256 places, the last value repeated: few texts, so that prepared statements are found again. */
function bindEach(scope: Scope, column: Operand, values: readonly StoredValue[]): string {
  const wide = values.some(isWide)
  const places = 2 ** Math.ceil(Math.log2(values.length))
  return Array.from({ length: places }, (_, i) =>
    bind(scope, column, values[Math.min(i, values.length - 1)]!, wide),
  ).join(', ')
}

function bindAsJson(scope: Scope, { field, ci }: Operand, values: readonly StoredValue[]): string {
  switch (field.type) {
    case 'INTEGER':
      scope.params.push(`[${values.join()}]`)
      return 'SELECT value FROM json_each(?)'
    case 'REAL':
      // JSON has no infinities, and a whole number would be read as an INTEGER, digit by digit.
      scope.params.push(`[${(values as number[]).map(toJsonNumber).join()}]`)
      return 'SELECT CAST(value AS REAL) FROM json_each(?)'
    case 'BLOB':
      scope.params.push(JSON.stringify(values.map(value => toHex(value as Uint8Array))))
      return 'SELECT unhex(value) FROM json_each(?)'
    case 'TEXT':
      scope.params.push(JSON.stringify(ci ? values.map(value => foldCase(value as string)) : values))
      return 'SELECT value FROM json_each(?)'
  }
}

const toJsonNumber = (value: number) => (Number.isFinite(value) ? value : value > 0 ? '9e999' : '-9e999')
const toHex = (bytes: Uint8Array) => Array.from(bytes, byte => byte.toString(16).padStart(2, '0')).join('')

function compileSql({ model, params }: Scope, { sql, params: values }: Of<'sql'>): string {
  for (const value of values) {
    if (typeof value === 'bigint') throw badFilter({ model }, '$sql holds a bigint that is not bound as text.', {})
    params.push(value)
  }
  // The line ends behind a comment that the text may end with.
  return `(${sql}${sql.includes('--') ? '\n' : ''})`
}

/** Items of an array have an INTEGER as key, members of an object a text; anything else and NULL have none. */
function compileHas(scope: Scope, condition: Of<'has'>): string {
  const { sql } = operand(scope, condition)
  const same = compileSameItem(sql, condition.value, scope.params)
  const inArray = "typeof(dataflow_item.key) = 'integer'"
  return `EXISTS (SELECT 1 FROM json_each(${sql}) AS dataflow_item WHERE ${inArray} AND ${same})`
}

function compileSameItem(column: string, json: string, params: SqlParam[]): string {
  const type = 'dataflow_item.type'
  const value = 'dataflow_item.value'
  switch (json[0]) {
    case 'n':
    case 't':
    case 'f':
      params.push(json)
      return `${type} = ?`
    case '"': {
      const text: string = JSON.parse(json)
      // Half of a surrogate pair lives in JSON as an escape only: nothing bound is equal to it.
      if (/\p{Surrogate}/u.test(text)) break
      params.push(text)
      return `(${type} = 'text' AND ${value} = ?)`
    }
    case '[':
    case '{':
      params.push(json[0] === '[' ? 'array' : 'object', json)
      return `(${type} = ? AND ${value} = ?)`
    default:
      // Whole numbers beyond 2^53 are INTEGER to SQLite, digit by digit, and the nearest double to JavaScript.
      params.push(Number(json))
      return `(${type} IN ('integer', 'real') AND CAST(${value} AS REAL) = ?)`
  }
  params.push(json)
  return `${column} -> dataflow_item.key = ?`
}
