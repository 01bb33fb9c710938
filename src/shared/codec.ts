// How a value of a field is checked, stored and read back: exact in both directions, or refused.
import type { StandardSchemaV1 } from '@standard-schema/spec'
import type { FieldDefinition, FieldKind, StoredValue } from './definition.js'
import { DataFlowError, type Issue } from './errors.js'

/** A value that does not fit its field. `path` leads into a JSON value. */
export class BadValue extends Error {
  readonly issues: readonly Issue[]

  constructor(message: string, issues: readonly Issue[] = [{ path: [], message }], cause?: unknown) {
    super(message, { cause })
    this.issues = issues
  }
}

const INT64_MAX = 2n ** 63n - 1n
const INT64_MIN = -(2n ** 63n)

/**
 * Checks `value`, by the field's schema first, and turns it into what is stored. `null` is handled by the caller. Throws
 * BadValue.
 */
export function encodeValue(field: FieldDefinition, value: unknown, schema?: StandardSchemaV1): StoredValue {
  if (!schema) return encodeKind(field, value)
  const output = validate(schema, value)
  if (output === null && field.nullable) return null
  try {
    return encodeKind(field, output)
  } catch (error) {
    if (!(error instanceof BadValue)) throw error
    const told = (message: string) => `${message} (that is what its schema gives)`
    throw new BadValue(
      told(error.message),
      error.issues.map(issue => ({ ...issue, message: told(issue.message) })),
    )
  }
}

function encodeKind(field: FieldDefinition, value: unknown): StoredValue {
  switch (field.kind) {
    case 'id':
    case 'text':
      return encodeText(field, value)
    case 'enum':
      if (typeof value !== 'string' || !field.values!.includes(value)) {
        throw new BadValue(`must be one of ${field.values!.map(v => JSON.stringify(v)).join(', ')}`)
      }
      return value
    case 'integer':
    case 'autoId':
    case 'version':
      if (!Number.isSafeInteger(value)) throw new BadValue(`must be a safe integer, not ${describe(value)}`)
      return (value as number) + 0
    case 'bigint':
      if (typeof value !== 'bigint') throw new BadValue(`must be a bigint, not ${describe(value)}`)
      if (value > INT64_MAX || value < INT64_MIN) throw new BadValue('must fit into 64 bits')
      return value
    case 'real':
      // SQLite stores NaN as NULL and -0 as 0; the first would be a silent change, the second is documented.
      if (typeof value !== 'number' || Number.isNaN(value))
        throw new BadValue(`must be a number, not ${describe(value)}`)
      return value + 0
    case 'boolean':
      if (typeof value !== 'boolean') throw new BadValue(`must be true or false, not ${describe(value)}`)
      return value ? 1 : 0
    case 'date':
    case 'createdAt':
    case 'updatedAt':
      return encodeDate(field, value)
    case 'json':
      return canonicalJson(value)
    case 'blob':
      if (value instanceof Uint8Array) return new Uint8Array(value)
      if (value instanceof ArrayBuffer) return new Uint8Array(value.slice(0))
      throw new BadValue(`must be a Uint8Array or an ArrayBuffer, not ${describe(value)}`)
  }
}

function encodeText(field: FieldDefinition, value: unknown): string {
  if (typeof value !== 'string') throw new BadValue(`must be a string, not ${describe(value)}`)
  if (field.max !== undefined && value.length > field.max)
    throw new BadValue(`must have at most ${field.max} characters`)
  if (!isWellFormed(value)) throw new BadValue('must not hold half of a surrogate pair: it has no UTF-8 form')
  return value
}

const ISO_DATE =
  /^((?:\d{4}|[+-]\d{6})(?:-\d\d(?:-(\d\d))?)?)(?:T\d\d:\d\d(?::\d\d(?:\.\d{1,3}0*)?)?(?:Z|[+-]\d\d:\d\d)?)?$/

/** Engines read a date out of almost any text, drop what is finer than a millisecond, and take 30 February for 2 March. */
export function isIsoDate(text: string): boolean {
  const [, date, day] = ISO_DATE.exec(text) ?? []
  return date !== undefined && (day === undefined || new Date(date).getUTCDate() === Number(day))
}

function encodeDate(field: FieldDefinition, value: unknown): StoredValue {
  const date =
    value instanceof Date ? value : typeof value === 'number' || typeof value === 'string' ? new Date(value) : null
  if (!date) throw new BadValue(`must be a Date, epoch milliseconds or an ISO string, not ${describe(value)}`)
  const ms = date.getTime()
  if (Number.isNaN(ms)) throw new BadValue('must be a valid date')
  if (typeof value === 'string' && !isIsoDate(value))
    throw new BadValue('must be a day of the calendar in ISO form, to the millisecond')
  if (typeof value === 'number' && ms !== value) throw new BadValue('must be whole epoch milliseconds')
  return storeDate(field, ms)
}

/** Epoch milliseconds in the form that the field stores. 'seconds' drops the milliseconds (documented). */
export function storeDate(field: FieldDefinition, ms: number): StoredValue {
  if (field.date === 'text') {
    const text = new Date(ms).toISOString()
    // Years of six digits begin with a sign, and would sort before all others.
    if (text.length > 24) throw new BadValue('must be in the years 0 to 9999 when it is stored as text')
    return text
  }
  return field.date === 'seconds' ? Math.floor(ms / 1000) : ms
}

/**
 * Turns a stored value into the row's value; throws VALIDATION for one that does not fit its field. Bigints may arrive as text (they do inside JSON), JSON may arrive parsed
 * (it does inside a JSON row): `parsed` says so.
 */
export function decodeValue(field: FieldDefinition, stored: unknown, parsed: boolean): unknown {
  if (stored === null) return null
  switch (field.kind) {
    case 'boolean':
      return stored === 1
    case 'bigint':
      return BigInt(stored as string | bigint)
    case 'date':
    case 'createdAt':
    case 'updatedAt': {
      const date = new Date(field.date === 'seconds' ? (stored as number) * 1000 : (stored as number | string))
      if (Number.isNaN(date.getTime()) || (typeof stored === 'string' && !isIsoDate(stored))) {
        throw unreadable(field, 'what is no date', 'correct it with raw SQL')
      }
      return date
    }
    case 'autoId':
    case 'integer':
      if (Number.isSafeInteger(stored)) return stored
      throw unreadable(field, 'a number beyond 2^53', 'read it with raw SQL, or declare a t.bigint()')
    case 'json':
      return parsed ? stored : JSON.parse(stored as string)
    default:
      return stored
  }
}

/** A stored value that no field of this kind holds: the database is from elsewhere, or raw SQL wrote it. */
function unreadable({ name }: FieldDefinition, what: string, hint: string): DataFlowError {
  return new DataFlowError('VALIDATION', `${name} holds ${what}.`, { fields: [name], hint: `${hint}.` })
}

/** True when the row's value is the stored one as it arrives: nothing to do per row. */
export function isPlain(kind: FieldKind): boolean {
  return !['boolean', 'bigint', 'date', 'createdAt', 'updatedAt', 'autoId', 'integer'].includes(kind)
}

/** What the app's function gives. Throws BadValue, with what the function threw as its cause. */
export function callApp<T>(what: string, call: () => T): T {
  try {
    return call()
  } catch (error) {
    throw new BadValue(`has a ${what} that failed`, undefined, error)
  }
}

/** Checks with a Standard Schema. An asynchronous one cannot take part in a write. */
export function validate(schema: StandardSchemaV1, value: unknown): unknown {
  const result = callApp('schema', () => schema['~standard'].validate(value))
  if (result instanceof Promise) {
    // Nobody waits for it: its rejection would be reported as unhandled.
    result.catch(() => {})
    throw new BadValue('must have a synchronous schema; this one answered with a promise')
  }
  if (!result.issues) return result.value
  throw new BadValue(
    'does not fit its schema',
    result.issues.map(issue => ({ path: (issue.path ?? []).map(keyOf), message: issue.message })),
  )
}

const keyOf = (segment: PropertyKey | StandardSchemaV1.PathSegment): PropertyKey =>
  typeof segment === 'object' ? segment.key : segment

/** SQLite's JSON functions stop at 1000. */
const MAX_JSON_DEPTH = 900

/**
 * JSON text with sorted keys and without spaces: equal values have equal text, so `$eq` is a comparison of text.
 * A property that is undefined is left out; what JSON cannot hold (NaN, bigint, Date, Map, a cycle) is refused.
 */
export function canonicalJson(value: unknown): string {
  return write(value, [], [])
}

/** `path` leads to `value`, through the objects `above` it; both are as before when it returns. */
function write(value: unknown, path: PropertyKey[], above: object[]): string {
  if (value === null) return 'null'
  switch (typeof value) {
    case 'string':
    case 'boolean':
      return JSON.stringify(value)
    case 'number':
      return Number.isFinite(value) ? JSON.stringify(value) : refuse(`JSON cannot hold ${value}`, path)
    case 'object':
      break
    default:
      return refuse(`JSON cannot hold ${describe(value)}`, path)
  }
  if (above.includes(value)) return refuse('JSON cannot hold a cycle', path)
  if (above.length === MAX_JSON_DEPTH) return refuse(`JSON is nested more than ${MAX_JSON_DEPTH} deep`, path)
  above.push(value)
  let text: string
  if (Array.isArray(value)) {
    text = `[${Array.from(value, (item, i) => writeAt(i, item, path, above)).join(',')}]`
  } else {
    const prototype = Object.getPrototypeOf(value)
    if (prototype !== null && Object.getPrototypeOf(prototype) !== null) {
      return refuse(`JSON cannot hold ${describe(value)}; store plain objects, and a Date as value.toISOString()`, path)
    }
    const entries = Object.entries(value).filter(([, v]) => v !== undefined)
    entries.sort(([a], [b]) => (a < b ? -1 : 1))
    text = `{${entries.map(([k, v]) => `${JSON.stringify(k)}:${writeAt(k, v, path, above)}`).join(',')}}`
  }
  above.pop()
  return text
}

function writeAt(key: PropertyKey, value: unknown, path: PropertyKey[], above: object[]): string {
  path.push(key)
  const text = write(value, path, above)
  path.pop()
  return text
}

function refuse(message: string, path: readonly PropertyKey[]): never {
  throw new BadValue(message, [{ path: [...path], message }])
}

/** What stands where an earlier node's result will be: an object has it, but is no value that could be looked into. */
export const STANDS_FOR_VALUE: unique symbol = Symbol('dataflow-edge.stands-for-value')

/** An object that is neither null nor an array. */
export function isObject(value: unknown): value is Record<string, unknown> {
  return typeof value === 'object' && value !== null && !Array.isArray(value) && !(STANDS_FOR_VALUE in value)
}

/** An object of no class. */
export function isPlainObject(value: unknown): value is Record<string, unknown> {
  if (!isObject(value)) return false
  const prototype = Object.getPrototypeOf(value)
  return prototype === null || Object.getPrototypeOf(prototype) === null
}

/** What a value is, without showing it: values never appear in a message. */
export function describe(value: unknown): string {
  if (value === null) return 'null'
  if (Array.isArray(value)) return 'an array'
  if (typeof value === 'number' && !Number.isSafeInteger(value)) {
    return Number.isNaN(value)
      ? 'NaN'
      : Number.isFinite(value)
        ? 'a fraction or a number beyond 2^53'
        : 'an infinite number'
  }
  if (typeof value === 'object' && STANDS_FOR_VALUE in value) return 'a reference'
  // Not value.constructor: data may hold a property of that name.
  if (typeof value === 'object')
    return `a ${Object.getPrototypeOf(value)?.constructor?.name ?? 'null-prototype object'}`
  return value === undefined ? 'undefined' : `a ${typeof value}`
}

const LONE_SURROGATE = /[\uD800-\uDBFF](?![\uDC00-\uDFFF])|(?<![\uD800-\uDBFF])[\uDC00-\uDFFF]/

export function isWellFormed(text: string): boolean {
  const native = (text as { isWellFormed?: () => boolean }).isWellFormed
  return native ? native.call(text) : !LONE_SURROGATE.test(text)
}
