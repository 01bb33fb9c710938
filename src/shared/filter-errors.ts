// Which $operators a field takes, and what is said about a filter that is wrong. Values never appear in a message.
import { describe } from './codec.js'
import type { FieldDefinition, ModelDefinition } from './definition.js'
import { DataFlowError, type ErrorDetails } from './errors.js'
import { didYouMean } from './nearest.js'

/** Levels of $and, $or, $not and relations in an app's filter. */
export const MAX_LEVELS = 32
/** Of a condition: SQLite refuses expressions deeper than 1000, and a long AND is nested a few levels deep. */
export const MAX_DEPTH = 2 * MAX_LEVELS + 6
export const MAX_NODES = 5000

const EQUALITY = ['$eq', '$ne', '$in', '$nin', '$null', '$exists']
const ORDER = ['$gt', '$gte', '$lt', '$lte', '$between']
const TEXT = ['$like', '$startsWith', '$endsWith', '$contains', '$ci']
/** What is said of many rows. */
export const QUANTIFIERS = ['$some', '$every', '$none']
export const GROUP = ['$and', '$or', '$not', '$sql']

export function operatorsOf({ kind }: FieldDefinition): readonly string[] {
  if (kind === 'json') return [...EQUALITY, '$has']
  return isOrdered(kind) ? [...EQUALITY, ...ORDER, ...(isText(kind) ? TEXT : [])] : EQUALITY
}

/** Whether one value of a field is before or behind another, to an app. */
export const isOrdered = (kind: FieldDefinition['kind']) => !['json', 'boolean', 'blob'].includes(kind)

export const isText = (kind: FieldDefinition['kind']) => kind === 'id' || kind === 'text' || kind === 'enum'

type Place = { readonly model: ModelDefinition; readonly op?: string }

export function badFilter({ model, op }: Place, text: string, details: ErrorDetails): DataFlowError {
  return new DataFlowError('BAD_FILTER', text, { model: model.name, ...(op ? { op } : {}), ...details })
}

export function tooLarge(place: Place): DataFlowError {
  return badFilter(place, `the filter is too large (${MAX_NODES} conditions, ${MAX_LEVELS} levels).`, {
    hint: 'use $in for many values of one field.',
  })
}

export function unknownField({ model, op }: Place, name: string, others: Iterable<string> = []): DataFlowError {
  const shown = printable(name)
  return new DataFlowError('UNKNOWN_FIELD', `${model.name} has no field "${shown}".`, {
    model: model.name,
    ...(op ? { op } : {}),
    fields: [shown],
    hint: didYouMean(shown, [...model.fields.map(field => field.name), ...others]),
  })
}

const printable = (name: string) => name.slice(0, 64).replaceAll('\0', '\\0')

export function unknownOperator(place: Place, name: string, known: readonly string[], field?: FieldDefinition) {
  const fields = field && { fields: [field.name] }
  if (field && name === '$regex') {
    return badFilter(place, '$regex cannot be run safely here: nothing can interrupt it.', {
      ...fields,
      hint: isText(field.kind) ? 'use $like, $contains or $startsWith.' : `${field.name} takes ${known.join(', ')}.`,
    })
  }
  if (field && [...ORDER, ...TEXT, '$has'].includes(name)) {
    return badFilter(place, `${name} does not fit ${field.name}, a field of kind ${field.kind}.`, {
      ...fields,
      hint: `it takes ${known.join(', ')}.`,
    })
  }
  return badFilter(place, `there is no operator "${printable(name)}"${field ? ` for ${field.name}` : ' here'}.`, {
    ...fields,
    hint: didYouMean(printable(name), known),
  })
}

export function misshaped(place: Place, operator: string, wanted: string, value: unknown, field?: FieldDefinition) {
  const what = `${field ? `${field.name}.` : ''}${operator}`
  return badFilter(place, `${what} must be ${wanted}, not ${describe(value)}.`, {
    ...(field && { fields: [field.name] }),
    hint: operator === '$sql' ? 'write $sql: sql`length(name) < ${40}`.' : `write ${operator}: ${wanted}.`,
  })
}

export function undefinedValue(place: Place, field: FieldDefinition): DataFlowError {
  return badFilter(place, `the filter of ${field.name} holds undefined.`, {
    fields: [field.name],
    hint: 'leave the key out, or write null for rows without a value.',
  })
}

export function misquantified(place: Place, relation: string, operator: string): DataFlowError {
  return badFilter(place, `${operator} is for lists; ${relation} is one row.`, {
    hint: `write ${relation}: { field: value }, or ${relation}: null where there is none.`,
  })
}

export function unquantified(place: Place, relation: string, given: readonly string[]): DataFlowError {
  const known = given.filter(name => QUANTIFIERS.includes(name))
  const what = known.length > 0 ? 'says more than of which rows' : 'does not say of which rows'
  return badFilter(place, `the filter of ${relation}, a list, ${what}.`, {
    hint: `write ${relation}: { $some: { field: value } }; it takes ${QUANTIFIERS.join(', ')}.`,
  })
}
