// The $operators: `where` as an app writes it -> a checked condition with values as stored. Plain data.
import { BadValue, describe, encodeValue, isPlainObject } from './codec.js'
import { fieldOf, type FieldDefinition, type ModelDefinition, type StoredValue } from './definition.js'
import { DataFlowError } from './errors.js'
import {
  badFilter,
  GROUP,
  MAX_LEVELS,
  MAX_NODES,
  misquantified,
  misshaped,
  operatorsOf,
  QUANTIFIERS,
  tooLarge,
  undefinedValue,
  unknownField,
  unknownOperator,
  unquantified,
} from './filter-errors.js'
import type { Relation } from './relation.js'
import { isSqlExpr } from './sql.js'
import type { WireReference } from './workflow.js'

export type Comparison = '=' | '<>' | '<' | '<=' | '>' | '>='
export type TextMatch = 'like' | 'startsWith' | 'endsWith' | 'contains'
type Value = Exclude<StoredValue, null>

/**
 * A checked filter. Fields are named as in the model; values are encoded by their field's codec.
 * A condition either holds for a row or does not: what SQL calls unknown is "does not" (semantics 22).
 */
export type Condition =
  | { readonly type: 'always'; readonly value: boolean }
  | { readonly type: 'and' | 'or'; readonly of: readonly Condition[] }
  | { readonly type: 'not'; readonly of: Condition }
  | { readonly type: 'null'; readonly field: string; readonly is: boolean }
  | {
      readonly type: 'compare'
      readonly field: string
      /** `<>` holds for NULL too. */
      readonly op: Comparison
      readonly value: Value
      /** Text: without regard to the case of ASCII letters. */
      readonly ci?: boolean
      /** It holds for many rows: not what to choose an index for, if there is another. */
      readonly common?: boolean
    }
  | {
      readonly type: 'in'
      readonly field: string
      readonly values: readonly Value[]
      /** `null` was among the values: it stands for NULL. */
      readonly orNull: boolean
      readonly negated: boolean
      readonly ci?: boolean
    }
  | {
      readonly type: 'match'
      readonly field: string
      readonly op: TextMatch
      readonly value: string
      readonly ci: boolean
    }
  /** A JSON array has this element, given as canonical JSON. */
  | { readonly type: 'has'; readonly field: string; readonly value: string }
  | { readonly type: 'sql'; readonly sql: string; readonly params: readonly StoredValue[] }
  /** In a workflow: parsed as `{ field: { operator: operand } }` when the references in `operand` are known. */
  | {
      readonly type: 'late'
      readonly field: string
      readonly operator: string
      readonly operand: unknown
      readonly ci: boolean
    }
  /** There is a row of the relation for which `where` holds. */
  | { readonly type: 'related'; readonly relation: Relation; readonly where: Condition }

const MAX_PATTERN = 10_000

const COMPARISONS: Record<string, Comparison> = {
  $eq: '=',
  $ne: '<>',
  $gt: '>',
  $gte: '>=',
  $lt: '<',
  $lte: '<=',
}

/** What stands in a filter under a name: fields, each with its own filter. */
export type Expand = (name: string, filter: unknown) => readonly (readonly [FieldDefinition, unknown])[]

/** A relation by its name in a filter. */
export interface Related {
  readonly relation: Relation
  readonly target: { readonly definition: ModelDefinition; readonly relations: Relations }
}
export type Relations = ReadonlyMap<string, Related>

export interface FilterOptions {
  readonly op: string
  readonly relations?: Relations
  /** For what is no table: which fields a name stands for. There is no `$sql` then. */
  readonly expand?: Expand
  /** In a workflow: what crosses in place of a reference, or undefined for what is none. */
  readonly reference?: (value: unknown, field: FieldDefinition, operator: string) => WireReference | undefined
}

interface Context extends FilterOptions {
  readonly model: ModelDefinition
  readonly size: { nodes: number }
}

/**
 * Checks `where` against the model and encodes its values.
 * Throws BAD_FILTER, UNKNOWN_FIELD, or VALIDATION for a value that does not fit its field.
 */
export function parseWhere(model: ModelDefinition, where: unknown, options: FilterOptions): Condition {
  return parseGroup({ ...options, model, size: { nodes: 0 } }, where, 0)
}

/** True for a filter that holds for every row, whatever is in it (semantics 23). */
export function isEmptyCondition(condition: Condition): boolean {
  return constantOf(condition) === true
}

/** What a condition says of every row, or undefined where that depends on the row. */
function constantOf(condition: Condition): boolean | undefined {
  switch (condition.type) {
    case 'always':
      return condition.value
    case 'in':
      return condition.values.length || condition.orNull ? undefined : condition.negated
    case 'not': {
      const inner = constantOf(condition.of)
      return inner === undefined ? inner : !inner
    }
    case 'and':
    case 'or': {
      const ends = condition.type === 'or'
      const inner = condition.of.map(constantOf)
      return inner.includes(ends) ? ends : inner.includes(undefined) ? undefined : !ends
    }
    case 'related':
      return constantOf(condition.where) === false ? false : undefined
  }
}

/** Joins conditions; without constants, and without an `and` in an `and`. */
export function join(type: 'and' | 'or', conditions: readonly Condition[]): Condition {
  const neutral = type === 'and'
  const of = conditions
    .filter(condition => condition.type !== 'always' || condition.value !== neutral)
    .flatMap(condition => (condition.type === type ? condition.of : condition))
  if (of.some(condition => condition.type === 'always')) return { type: 'always', value: !neutral }
  return of.length === 1 ? of[0]! : of.length ? { type, of } : { type: 'always', value: neutral }
}

export function negate(condition: Condition): Condition {
  return condition.type === 'always' ? { type: 'always', value: !condition.value } : { type: 'not', of: condition }
}

function parseGroup(context: Context, where: unknown, level: number): Condition {
  if (!isPlainObject(where)) {
    throw badFilter(context, `a filter must be an object, not ${describe(where)}.`, {
      hint: 'write { field: value } or { field: { $operator: value } }.',
    })
  }
  if (level > MAX_LEVELS) throw tooLarge(context)
  count(context)
  return join(
    'and',
    Object.keys(where).map(key => {
      const value = where[key]
      if (key.startsWith('$')) return parseGroupOperator(context, key, value, level + 1)
      if (context.expand) {
        const parts = context.expand(key, value)
        return join(
          'and',
          parts.map(([field, filter]) => parseField(context, field, filter)),
        )
      }
      const related = context.relations?.get(key)
      if (related) return parseRelated(context, key, related, value, level + 1)
      const field = fieldOf(context.model, key)
      if (!field) throw unknownField(context, key, context.relations?.keys())
      return parseField(context, field, value)
    }),
  )
}

function parseGroupOperator(context: Context, operator: string, value: unknown, level: number): Condition {
  count(context)
  switch (operator) {
    case '$and':
    case '$or': {
      if (!Array.isArray(value)) throw misshaped(context, operator, 'an array of filters', value)
      const filters = operator === '$and' ? value.filter(Boolean) : value
      return join(
        operator === '$and' ? 'and' : 'or',
        Array.from(filters, filter => parseGroup(context, filter, level)),
      )
    }
    case '$not':
      return negate(parseGroup(context, value, level))
    case '$sql':
      if (context.expand) throw unknownOperator(context, operator, GROUP.slice(0, -1))
      // Never a plain object: JSON from anywhere could spell one, and its text would become SQL.
      if (!isSqlExpr(value) || isPlainObject(value)) throw misshaped(context, operator, 'made by the sql tag', value)
      return { type: 'sql', sql: value.text, params: value.params }
    default:
      throw unknownOperator(context, operator, GROUP)
  }
}

/** There is a row of the relation that passes; never one that passes nothing. */
export function related(relation: Relation, where: Condition): Condition {
  return where.type === 'always' && !where.value ? where : { type: 'related', relation, where }
}

/** Of one row: a filter of its fields, or null where there is none. Of many: $some, $every, $none. */
function parseRelated(
  context: Context,
  name: string,
  { relation, target }: Related,
  filter: unknown,
  level: number,
): Condition {
  count(context)
  const inner: Context = { ...context, model: target.definition, relations: target.relations }
  const some = (where: Condition) => related(relation, where)
  if (!relation.many) {
    if (filter === null) return negate(some({ type: 'always', value: true }))
    if (isPlainObject(filter)) {
      const wrong = QUANTIFIERS.find(operator => operator in filter)
      if (wrong) throw misquantified(context, name, wrong)
    }
    return some(parseGroup(inner, filter, level))
  }
  const operators = isPlainObject(filter) ? Object.keys(filter) : []
  if (operators.length === 0 || operators.some(operator => !QUANTIFIERS.includes(operator))) {
    throw unquantified(context, name, operators)
  }
  return join(
    'and',
    operators.map(operator => {
      const where = parseGroup(inner, (filter as Record<string, unknown>)[operator], level + 1)
      if (operator === '$some') return some(where)
      return negate(some(operator === '$none' ? where : negate(where)))
    }),
  )
}

function parseField(context: Context, field: FieldDefinition, filter: unknown): Condition {
  if (!isOperators(field, filter)) return parseOperator(context, field, '$eq', filter, false)
  const keys = Object.keys(filter)
  const known = operatorsOf(field)
  for (const key of keys) if (!known.includes(key)) throw unknownOperator(context, key, known, field)
  const { $ci: ci = false } = filter
  if (typeof ci !== 'boolean' || ('$ci' in filter && filter.$ci === undefined)) {
    throw misshaped(context, '$ci', 'true or false', filter.$ci, field)
  }
  const operators = keys.filter(key => key !== '$ci')
  if (!operators.some(key => !('$ci' in filter) || (key !== '$null' && key !== '$exists'))) {
    throw badFilter(context, `the filter of ${field.name} has no operator${'$ci' in filter ? ' for $ci' : ''}.`, {
      fields: [field.name],
      hint: `it takes ${known.join(', ')}.`,
    })
  }
  return join(
    'and',
    operators.map(operator => parseOperator(context, field, operator, filter[operator], ci)),
  )
}

/** A JSON field's filter is made of operators if any key begins with `$`; without one it is a value. */
function isOperators(field: FieldDefinition, filter: unknown): filter is Record<string, unknown> {
  return isPlainObject(filter) && (field.kind !== 'json' || Object.keys(filter).some(key => key.startsWith('$')))
}

function parseOperator(
  context: Context,
  field: FieldDefinition,
  operator: string,
  value: unknown,
  ci: boolean,
): Condition {
  count(context)
  const name = field.name
  const folding = ci ? { ci } : {}
  const encode = (item: unknown, path: readonly PropertyKey[] = []) =>
    encodeOperand(context, field, item, [...(operator === '$eq' ? [] : [operator]), ...path], ci)
  if (value === undefined) throw undefinedValue(context, field)
  const operand = context.reference && withReferences(context.reference, field, operator, value)
  if (operand !== undefined) return { type: 'late', field: name, operator, operand, ci }
  switch (operator) {
    case '$null':
    case '$exists':
      if (typeof value !== 'boolean') throw misshaped(context, operator, 'true or false', value, field)
      return { type: 'null', field: name, is: value === (operator === '$null') }
    case '$between':
      if (!Array.isArray(value) || value.length !== 2) throw misshaped(context, operator, '[from, to]', value, field)
      count(context)
      return join('and', [
        { type: 'compare', field: name, op: '>=', value: encode(value[0], [0]), ...folding },
        { type: 'compare', field: name, op: '<=', value: encode(value[1], [1]), ...folding },
      ])
    case '$in':
    case '$nin': {
      if (!Array.isArray(value)) throw misshaped(context, operator, 'an array', value, field)
      const values: Value[] = []
      Array.from(value, (item, i) => item !== null && values.push(encode(item, [i])))
      const [orNull, negated] = [value.includes(null), operator === '$nin']
      if (values.length) return { type: 'in', field: name, values, orNull, negated, ...folding }
      return orNull ? { type: 'null', field: name, is: !negated } : { type: 'always', value: negated }
    }
    case '$has':
      return { type: 'has', field: name, value: encode(value) as string }
    case '$like':
    case '$startsWith':
    case '$endsWith':
    case '$contains': {
      const text = encodeOperand(context, field, value, [operator], true) as string
      const wrong = operator === '$like' && wrongPattern(text)
      if (wrong) throw badFilter(context, `the pattern of ${name} ${wrong}.`, { fields: [name], hint: PATTERN_HINT })
      return { type: 'match', field: name, op: operator.slice(1) as TextMatch, value: text, ci }
    }
    default: {
      const op = COMPARISONS[operator]!
      if (value === null && (op === '=' || op === '<>')) return { type: 'null', field: name, is: op === '=' }
      return { type: 'compare', field: name, op, value: encode(value), ...folding }
    }
  }
}

/** The value with its references as they cross, or undefined where it holds none. */
function withReferences(
  reference: NonNullable<FilterOptions['reference']>,
  field: FieldDefinition,
  operator: string,
  value: unknown,
): unknown {
  const whole = reference(value, field, operator)
  if (whole || !Array.isArray(value)) return whole
  const items = value.map(item => reference(item, field, '$eq'))
  return items.some(Boolean) ? items.map((item, i) => item ?? value[i]) : undefined
}

const PATTERN_HINT = String.raw`% stands for any text, _ for one character; \%, \_ and \\ for themselves.`

/** What is wrong with a `$like` pattern. SQLite refuses patterns of more than 50 000 bytes. */
function wrongPattern(pattern: string): string | false {
  if (pattern.length > MAX_PATTERN) return `is longer than ${MAX_PATTERN} characters`
  return /\\*$/.exec(pattern)![0].length % 2 === 1 && 'ends with a single backslash'
}

/** `anyText`: as text, not as one of an enum's values. */
function encodeOperand(
  context: Context,
  field: FieldDefinition,
  value: unknown,
  path: readonly PropertyKey[],
  anyText: boolean,
): Value {
  if (value === undefined) throw undefinedValue(context, field)
  const { max: _max, ...unlimited } = field
  const seconds = field.date === 'seconds'
  try {
    const stored = encodeValue({ ...unlimited, ...(anyText ? { kind: 'text' } : seconds ? { date: 'ms' } : {}) }, value)
    // With its fraction a moment between two seconds is behind the one, before the other, and equal to none.
    return (seconds ? (stored as number) / 1000 : stored) as Value
  } catch (error) {
    if (!(error instanceof BadValue)) throw error
    throw new DataFlowError('VALIDATION', `the value for ${[field.name, ...path].join('.')} ${error.message}.`, {
      model: context.model.name,
      op: context.op,
      fields: [field.name],
      issues: error.issues.map(issue => ({ path: [field.name, ...path, ...issue.path], message: issue.message })),
      hint: Array.isArray(value) ? 'for any of several values write { $in: [...] }.' : 'correct the filter.',
    })
  }
}

function count(context: Context): void {
  if (++context.size.nodes > MAX_NODES) throw tooLarge(context)
}
