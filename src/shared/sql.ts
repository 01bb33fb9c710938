// The sql tag: text with bound values, composable. A value never becomes text, a name only through `sql.id`.
import type { StandardSchemaV1 } from '@standard-schema/spec'
import { describe, isWellFormed } from './codec.js'
import type { StoredValue } from './definition.js'
import { DataFlowError } from './errors.js'
import { placeOf } from './reference.js'

declare const RESULT: unique symbol
declare const ROW: unique symbol
/** What the sql tag makes has it, and JSON cannot: data that looks like an expression is data. */
const MADE_BY_TAG: unique symbol = Symbol.for('dataflow-edge.sql')

/** What raw SQL returns: no codecs; an INTEGER beyond +-2^53 is a bigint, a BLOB a Uint8Array. */
export type SqlValue = string | number | bigint | Uint8Array | null

/** A piece of SQL with its values. `T` says what it evaluates to; nothing checks that. */
export interface SqlExpr<T = unknown> {
  readonly kind: 'sql'
  /** The text between the bound values: one part more than there are params. */
  readonly parts: readonly string[]
  readonly params: readonly StoredValue[]
  /** The parts joined by `?`. */
  readonly text: string
  readonly [RESULT]?: T
}

/** A raw query: a value like an operation. `db.run(query)` runs it and returns its rows. */
export interface SqlQuery<T> extends SqlExpr<any> {
  readonly [ROW]?: T
  readonly schema?: StandardSchemaV1
  /** The same query with another row type: `as<Row>()` only says so, `as(schema)` validates every row. */
  as<U>(): SqlQuery<U>
  as<S extends StandardSchemaV1>(schema: S): SqlQuery<StandardSchemaV1.InferOutput<S>>
}

export class SqlFragment<T = unknown> implements SqlQuery<T> {
  readonly kind = 'sql'
  readonly parts: readonly string[]
  readonly params: readonly StoredValue[]
  declare readonly schema?: StandardSchemaV1
  declare readonly [RESULT]?: any
  declare readonly [ROW]?: T

  constructor(parts: readonly string[], params: readonly StoredValue[], schema?: StandardSchemaV1) {
    this.parts = parts
    this.params = params
    if (schema) this.schema = schema
  }

  get text(): string {
    return this.parts.join('?')
  }

  get [MADE_BY_TAG](): true {
    return true
  }

  as(schema?: StandardSchemaV1): SqlQuery<any> {
    assertSchema(schema, 'VALIDATION')
    return new SqlFragment(this.parts, this.params, schema)
  }
}

/** Throws for what has no way to validate. */
export function assertSchema(schema: StandardSchemaV1 | undefined, code: 'VALIDATION' | 'BAD_MODEL'): void {
  if (schema === undefined || typeof schema?.['~standard']?.validate === 'function') return
  throw new DataFlowError(code, 'That is not a Standard Schema.', { hint: 'pass one of zod, valibot or arktype.' })
}

/** True for what the sql tag makes, also from another copy of the library. */
export function isSqlExpr(value: unknown): value is SqlExpr {
  return typeof value === 'object' && value !== null && MADE_BY_TAG in value
}

function compose(strings: readonly string[], values: readonly unknown[]): SqlFragment<any> {
  const parts: string[] = [strings[0]!]
  const params: StoredValue[] = []
  const append = (text: string) => (parts[parts.length - 1] += text)
  values.forEach((value, i) => {
    if (isSqlExpr(value)) {
      append(value.parts[0]!)
      parts.push(...value.parts.slice(1))
      params.push(...value.params)
    } else if (placeOf(value)) {
      // Its type is not known: SQLite reads it back from JSON, whatever it is.
      append('json_extract(')
      parts.push(", '$')")
      params.push(value as never)
    } else {
      const bound = toBound(value)
      // sql.js binds no int64: beyond int32 an integer goes as text, or an expression would compare it as a REAL.
      const asText = typeof bound === 'bigint' || (Number.isSafeInteger(bound) && bound !== (bound as number) >> 0)
      append(asText ? 'CAST(' : '')
      parts.push(asText ? ' AS INTEGER)' : '')
      params.push(asText ? String(bound) : bound)
    }
    append(strings[i + 1]!)
  })
  return new SqlFragment(parts, params)
}

function toBound(value: unknown): StoredValue {
  const refuse = (what: string, hint: string) =>
    new DataFlowError('VALIDATION', `${what} cannot be bound to SQL.`, { op: 'sql', hint })
  switch (typeof value) {
    case 'string':
      if (isWellFormed(value)) return value
      throw refuse('A string with half of a surrogate pair', 'it has no UTF-8 form; repair it with toWellFormed().')
    case 'number':
      if (!Number.isNaN(value)) return value
      throw refuse('NaN', 'SQLite would store NULL; bind null if that is meant.')
    case 'bigint':
      if (BigInt.asIntN(64, value) === value) return value
      throw refuse('A bigint beyond 64 bits', 'store it as text.')
    case 'boolean':
      return value ? 1 : 0
    case 'object':
      if (value === null || value instanceof Uint8Array) return value
      if (value instanceof ArrayBuffer) return new Uint8Array(value)
      if (value instanceof Date && !Number.isNaN(value.getTime())) return value.getTime()
  }
  const hint = Array.isArray(value)
    ? 'spell out a list: sql`id in (${sql.join(ids)})`.'
    : 'bind a string, number, bigint, boolean, Date, Uint8Array or null; JSON.stringify() an object yourself.'
  throw refuse(value instanceof Date ? 'An invalid date' : `${describe(value)}`, hint)
}

export interface SqlTag {
  <T = Record<string, SqlValue>>(strings: TemplateStringsArray, ...values: unknown[]): SqlQuery<T>
  /** Quoted names, joined by dots: `sql.id('users', 'email')`. */
  id(...path: string[]): SqlExpr
  /** Text as it is. Never put input of a person into it. */
  raw(text: string): SqlExpr
  /** Parts joined by `separator`, a comma if none is given. */
  join(parts: readonly unknown[], separator?: SqlExpr): SqlExpr
}

/**
 * Builds a query whose values are bound, never spliced into the text. Fragments compose.
 *
 * @example
 * const active = sql`where active = ${true}`
 * const rows = await db.run(sql<{ n: number }>`select count(*) as n from ${sql.id('users')} ${active}`)
 *
 * Throws a DataFlowError `VALIDATION` for a value that SQLite cannot hold.
 */
export const sql: SqlTag = Object.assign(
  (strings: TemplateStringsArray, ...values: unknown[]): SqlQuery<any> => {
    if (Array.isArray(strings) && 'raw' in strings) return compose(strings, values)
    throw new DataFlowError('VALIDATION', 'sql is a tag, not a function.', {
      op: 'sql',
      hint: 'write sql`select ${value}`; sql.raw(text) takes a text as it is.',
    })
  },
  {
    id: (...path: string[]): SqlExpr => new SqlFragment([path.map(quoteIdentifier).join('.')], []),
    raw: (text: string): SqlExpr => new SqlFragment([text], []),
    join(parts: readonly unknown[], separator?: SqlExpr): SqlExpr {
      const between = separator ?? new SqlFragment([', '], [])
      if (!Array.isArray(parts) || !isSqlExpr(between)) {
        throw new DataFlowError('BAD_OPTION', 'sql.join() takes an array, and a separator made by the sql tag.', {
          op: 'sql',
          hint: 'sql.join([1, 2], sql` or `).',
        })
      }
      const values = Array.from(parts).flatMap((part, i) => (i === 0 ? [part] : [between, part]))
      return compose(['', ...values.map(() => '')], values)
    },
  },
)

/** `name` as an SQL identifier. Throws for a NUL, which would end the statement's text. */
export function quoteIdentifier(name: string): string {
  if (typeof name !== 'string' || name.includes('\0')) {
    throw new DataFlowError('VALIDATION', 'A name must be a text without NUL.', { hint: 'use another name.' })
  }
  return `"${name.replaceAll('"', '""')}"`
}

/** A stored value as an SQL literal: only for DDL, where nothing can be bound. */
export function quoteLiteral(value: StoredValue): string {
  if (value === null) return 'NULL'
  if (typeof value === 'string') {
    if (value.includes('\0')) {
      throw new DataFlowError('BAD_MODEL', 'A text in a schema must not hold a NUL character.', {
        hint: 'in an expression, write char(0).',
      })
    }
    return `'${value.replaceAll("'", "''")}'`
  }
  if (value instanceof Uint8Array) return `X'${Array.from(value, b => b.toString(16).padStart(2, '0')).join('')}'`
  if (value === Infinity || value === -Infinity) return value > 0 ? '9e999' : '-9e999'
  return String(value)
}

/** The expression with its values written out: only for DDL (checks, defaults). */
export function inlineSql(expression: SqlExpr): string {
  if (!isSqlExpr(expression)) {
    throw new DataFlowError('BAD_MODEL', 'A condition must be made by the sql tag.', { hint: 'sql`age >= 0`.' })
  }
  return expression.parts.reduce((text, part, i) => text + quoteLiteral(expression.params[i - 1]!) + part)
}
