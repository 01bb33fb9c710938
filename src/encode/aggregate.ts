// aggregate, distinct: what crosses, and the answer back.
import {
  AGGREGATES,
  answerModel,
  fieldOfTerm,
  isNumber,
  isWide,
  nameOfTerm,
  type AggregateName,
  type AggregateTerm,
} from '../shared/aggregate.js'
import { describe, isObject } from '../shared/codec.js'
import { fieldOf, type FieldDefinition } from '../shared/definition.js'
import { DataFlowError } from '../shared/errors.js'
import { isEmptyCondition, parseWhere, type Condition } from '../shared/filter.js'
import { badFilter, isOrdered } from '../shared/filter-errors.js'
import type { OrderTerm, WireColumns, WireOperation } from '../shared/operation.js'
import { badOption, type PreparedOperation } from './options.js'
import { parseCount, parseFilter } from './query.js'
import { assertObject, knownField, type Context } from './row.js'
import { decodeColumn, splitNumbers, type AppRow } from '../shared/rows.js'

export const AGGREGATE_OPTIONS = [...AGGREGATES, 'groupBy', 'where', 'having', 'orderBy', 'limit', 'offset'] as const
const OF_GROUPS = ['having', 'orderBy', 'limit', 'offset'] as const
type Options = { readonly [K in (typeof AGGREGATE_OPTIONS)[number]]?: unknown }

interface Parts {
  readonly context: Context
  readonly group: readonly string[]
  /** Those that are asked for; `having` and `orderBy` add theirs. */
  readonly terms: AggregateTerm[]
}

export function prepareAggregate(options: Options, context: Context): PreparedOperation {
  const { groupBy } = options
  const group = groupBy === undefined ? null : parseFields(groupBy, 'groupBy', context)
  const taken = group?.find(isAggregate)
  if (taken !== undefined) {
    throw badOption(`The answer has "${taken}" for the aggregate of that name.`, 'group by it with raw SQL.')
  }
  const terms = AGGREGATES.flatMap(fn => parseTerms(fn, options[fn], context))
  if (group === null) {
    if (terms.length === 0) throw badOption('There is nothing to answer.', 'aggregate({ count: true }).')
    const misplaced = OF_GROUPS.find(name => options[name] !== undefined)
    if (misplaced) throw badOption(`${misplaced} is for groups.`, "add groupBy: ['field'].")
  }
  const asked = [...terms]
  const parts = { context, group: group ?? [], terms }
  const having = options.having === undefined ? null : parseHaving(options.having, parts)
  const order = group === null ? [] : parseOrder(options.orderBy, parts)
  const decode = answerDecoder(context, parts.group, asked)
  return {
    wire: wireOf(options, context, { group, terms, answered: asked.length, having, order }),
    decode: result => (group === null ? decode(result as WireColumns)[0] : decode(result as WireColumns)),
  }
}

export function prepareDistinct(
  name: unknown,
  options: { readonly where?: unknown; readonly limit?: unknown },
  context: Context,
): PreparedOperation {
  const field = knownField(String(name), context).definition.name
  const order = [{ field, descending: false }]
  const decode = answerDecoder(context, [field], [])
  return {
    wire: wireOf(options, context, { group: [field], terms: [], answered: 0, having: null, order }),
    decode: result => decode(result as WireColumns).map(row => row[field]),
  }
}

type Wire = Extract<WireOperation, { op: 'aggregate' }>

function wireOf(
  options: { readonly where?: unknown; readonly limit?: unknown; readonly offset?: unknown },
  context: Context,
  rest: Pick<Wire, 'group' | 'terms' | 'answered' | 'having' | 'order'>,
): Wire {
  return {
    op: 'aggregate',
    model: context.model.definition.name,
    where: parseFilter(options.where, context),
    limit: parseCount(options.limit, 'limit'),
    offset: parseCount(options.offset, 'offset') ?? 0,
    ...rest,
  }
}

const isAggregate = (name: string): name is AggregateName => (AGGREGATES as readonly string[]).includes(name)

function parseFields(value: unknown, option: string, context: Context): string[] {
  const list = typeof value === 'string' ? [value] : value
  if (!Array.isArray(list)) throw badOption(`${option} must be a list of fields.`, `${option}: ['name'].`)
  if (list.length === 0) throw badOption(`${option} names no field.`, 'leave it out.')
  return [...new Set(Array.from(list, name => knownField(String(name), context).definition.name))]
}

function parseTerms(fn: AggregateName, value: unknown, context: Context): AggregateTerm[] {
  if (value === undefined) return []
  if (fn === 'count' && value === true) return [{ fn, field: null }]
  if (!Array.isArray(value)) {
    throw badOption(`${fn} must be ${fn === 'count' ? 'true or ' : ''}a list of fields.`, `${fn}: ['name'].`)
  }
  return parseFields(value, fn, context).map(name => termOf(fn, name, context))
}

/** The aggregate of a field. Throws for one that it cannot be taken of. */
function termOf(fn: AggregateName, name: string, context: Context): AggregateTerm {
  const { kind } = knownField(name, context).definition
  const fits = fn === 'sum' || fn === 'avg' ? isNumber : fn === 'min' || fn === 'max' ? isOrdered : () => true
  if (fits(kind)) return { fn, field: name }
  const fitting = context.model.definition.fields.filter(field => fits(field.kind)).map(field => field.name)
  throw new DataFlowError('VALIDATION', `${fn} does not fit ${name}, a field of kind ${kind}.`, {
    fields: [name],
    hint: fitting.length > 0 ? `it fits ${fitting.join(', ')}.` : 'this model has no field that it fits.',
  })
}

/** The answer's field of an aggregate, which is then computed if it was not asked for. */
function answerField(term: AggregateTerm, { context, terms }: Parts): FieldDefinition {
  if (!terms.some(known => nameOfTerm(known) === nameOfTerm(term))) terms.push(term)
  return fieldOfTerm(context.model.definition, term)
}

/** What a name in `having` or `orderBy` stands for, with what is said of each. Null for a group's own field. */
function aggregatesNamed(
  name: string,
  value: unknown,
  isOne: boolean,
  parts: Parts,
): [AggregateTerm, unknown][] | null {
  const { context, group } = parts
  if (!isAggregate(name)) {
    if (!group.includes(name)) {
      knownField(name, context)
      throw badFilter({ model: context.model.definition }, `${name} is not grouped by.`, {
        fields: [name],
        hint: `add it to groupBy, filter rows with where, or name an aggregate: ${AGGREGATES.join(', ')}.`,
      })
    }
    return null
  }
  if (name === 'count' && isOne) return [[{ fn: name, field: null }, value]]
  if (isObject(value) && Object.keys(value).length > 0) {
    return Object.entries(value).map(([field, of]) => [termOf(name, field, context), of])
  }
  throw badFilter({ model: context.model.definition }, `${name} must say of which field, not be ${describe(value)}.`, {
    hint: `{ ${name}: { field: ... } }.`,
  })
}

function parseHaving(having: unknown, parts: Parts): Condition | null {
  const { context, group } = parts
  const { definition } = context.model
  const condition = parseWhere(answerModel(definition, group, []), having, {
    op: context.op,
    expand(name, filter) {
      const counted = !isObject(filter) || Object.keys(filter).some(key => key.startsWith('$'))
      const named = aggregatesNamed(name, filter, counted, parts)
      if (!named) return [[fieldOf(definition, name)!, filter]]
      return named.map(([term, of]) => [answerField(term, parts), of])
    },
  })
  return isEmptyCondition(condition) ? null : condition
}

function parseOrder(orderBy: unknown, parts: Parts): OrderTerm[] {
  const { context, group } = parts
  const objects = orderBy === undefined ? [] : Array.isArray(orderBy) ? orderBy : [orderBy]
  const terms = Array.from(objects).flatMap(object => {
    assertObject(object, 'orderBy', context)
    return Object.entries(object).flatMap(([name, value]) => {
      const named = aggregatesNamed(name, value, typeof value === 'string', parts)
      if (!named) return orderTerm(name, value)
      return named.map(([term, direction]) => orderTerm(answerField(term, parts).name, direction))
    })
  })
  // The groups' own fields make every order total.
  return [...terms, ...group.map(field => ({ field, descending: false }))]
}

function orderTerm(field: string, direction: unknown): OrderTerm {
  if (direction === 'asc' || direction === 'desc') return { field, descending: direction === 'desc' }
  throw badOption(`orderBy.${field} is neither 'asc' nor 'desc'.`, "orderBy: { count: 'desc' }.")
}

function answerDecoder({ model }: Context, group: readonly string[], terms: readonly AggregateTerm[]) {
  const { definition } = model
  const { fields } = answerModel(definition, group, terms)
  const wide = fields.map((_, i) => i >= group.length && isWide(terms[i - group.length]!, definition))
  return ({ columns }: WireColumns): AppRow[] => {
    let at = 0
    const values = fields.map((field, i) => {
      if (wide[i]) return wideSums(columns[at++]!, columns[at++]!)
      return decodeColumn(field, columns[at++]!)
    })
    return values[0]!.map((_, r) => {
      const row: AppRow = {}
      group.forEach((name, i) => (row[name] = values[i]![r]))
      terms.forEach(({ fn, field }, i) => {
        const value = values[group.length + i]![r]
        if (field === null) row[fn] = value
        // The infinities cancel to what neither SQLite nor JSON holds as a number.
        else ((row[fn] ??= {}) as AppRow)[field] = value === 'NaN' && fn !== 'min' && fn !== 'max' ? NaN : value
      })
      return row
    })
  }
}

/** Sums of bigints, from their high halves and their low 32 bits. */
function wideSums(high: string, low: string): (bigint | null)[] {
  const lows = splitNumbers(low)
  return splitNumbers(high).map((text, r) => (text === null ? null : BigInt(text) * 2n ** 32n + BigInt(lows[r]!)))
}
