// `t`: the kinds of fields, and the types that one definition gives: Row, Insert, Update.
import type { StandardSchemaV1 } from '@standard-schema/spec'
import type { DateForm, FieldKind, ReferenceAction } from './definition.js'
import { DataFlowError } from './errors.js'
import { assertSchema, inlineSql, isSqlExpr, type SqlExpr } from './sql.js'

/** What JSON can hold. */
export type Json = string | number | boolean | null | readonly Json[] | { readonly [key: string]: Json }

/** A sentence where a type would not fit: what the compiler shows for a wrong model. */
export type TypeError<Message extends string> = { readonly __error__: Message }
export type Simplify<T> = { [K in keyof T]: T[K] } & {}

declare const TYPES: unique symbol
/**
 * 'req': needed by create; 'opt': can be left out; 'ro': made by the library, never written; 'scope': filled in by a scope,
 * never changed.
 */
export type Requirement = 'req' | 'opt' | 'ro' | 'scope'

/** What a reference calls the row that it leads to, and what that row calls the rows that lead to it. */
export interface RelationNames {
  readonly as?: string
  readonly inverse?: string
}

/**
 * A field of a model, NOT NULL unless `nullable()`. `Stored` is what a row holds, `Accepted` what a write takes.
 * Every method returns a new field.
 */
export interface Field<
  Stored,
  Accepted = Stored,
  Need extends Requirement = 'req',
  Key extends boolean = false,
  Target extends string = never,
  Checked extends boolean = false,
  Names extends RelationNames = {},
> {
  readonly [TYPES]: [Stored, Accepted, Need, Key, Target, Checked, Names]
  /** What was declared, for `model()`. */
  readonly spec: FieldSpec
  nullable(): Field<Stored | null, Accepted | null, 'opt', Key, Target, Checked, Names>
  /** A constant, an SQL expression, or a function run on the page for each row that leaves the field out. */
  default(
    value: Accepted | SqlExpr<Stored> | (() => Accepted),
  ): Field<Stored, Accepted, 'opt', Key, Target, Checked, Names>
  unique(): this
  index(): this
  /** A condition that SQLite holds for every row; NULL passes. */
  check(expression: SqlExpr<boolean>): this
  primaryKey(): Field<Stored, Accepted, Need, true, Target, Checked, Names>
  /** Set by its default when the row is made, never written by the app. */
  readonly(): Field<Stored, Accepted, 'ro', Key, Target, Checked, Names>
  /** The column's name in SQLite, if it is not the field's. */
  column(name: string): this
  /** Columns that held this field in earlier builds: its values are taken from the first of them that the table has. */
  renamedFrom(...names: string[]): this
  /**
   * Its value in each row that an earlier build wrote, as an SQL expression over that row: for a new field, and for one
   * whose type, form, nullability or checks have changed.
   */
  convertFrom(expression: SqlExpr<Stored>): this
  /**
   * Every value that is written goes through a synchronous Standard Schema (zod, valibot, arktype, ...) first; what that
   * gives back is stored, and must be what this kind of field holds. NULL in a nullable field passes.
   *
   * @example
   * t.text().schema(z.email().toLowerCase()).unique()
   */
  schema<S extends StandardSchemaV1>(
    schema: S & CheckOutput<StandardSchemaV1.InferOutput<S>, Stored>,
  ): Field<
    StandardSchemaV1.InferOutput<S> | NullOf<Stored, Need>,
    Exclude<StandardSchemaV1.InferInput<S>, undefined> | NullOf<Stored, Need>,
    Need,
    Key,
    Target,
    true
  >
  /** The same field with a narrower TypeScript type. Nothing checks it at run time. */
  $type<T>(): Field<T, T, Need, Key, Target, Checked, Names>
}

/** Nothing where the output of a schema is what the field holds, else a type whose text says that it is not. */
type CheckOutput<Output, Stored> = [Output] extends [Stored]
  ? unknown
  : [Json] extends [Stored]
    ? unknown
    : TypeError<'The schema gives what a field of this kind does not hold'>

/** The null of a nullable field. JSON has one of its own, so there only `Need` can tell. */
type NullOf<Stored, Need> = [Json] extends [Stored] ? (Need extends 'opt' ? null : never) : Extract<Stored, null>

export interface FieldSpec {
  readonly kind: FieldKind | 'ref'
  readonly nullable?: boolean
  readonly primaryKey?: boolean
  readonly unique?: boolean
  readonly index?: boolean
  readonly readonly?: boolean
  readonly column?: string
  readonly max?: number
  readonly values?: readonly string[]
  readonly date?: DateForm
  readonly ref?: {
    readonly model: string
    readonly onDelete?: ReferenceAction
    readonly onUpdate?: ReferenceAction
    readonly as?: string
    readonly inverse?: string
  }
  readonly checks?: readonly string[]
  readonly renamedFrom?: readonly string[]
  readonly convertFrom?: string
  /** Constant default as an app's value, wrapped so that `null` and `undefined` differ. */
  readonly constant?: { readonly value: unknown }
  readonly defaultSql?: string
  /** Makes a value on the page, once per executed create. */
  readonly generate?: () => unknown
  readonly schema?: StandardSchemaV1
}

class FieldBuilder {
  readonly spec: FieldSpec

  constructor(spec: FieldSpec) {
    this.spec = spec
  }

  #with(more: Partial<FieldSpec>): FieldBuilder {
    return new FieldBuilder({ ...this.spec, ...more })
  }

  nullable() {
    return this.#with({ nullable: true })
  }

  default(value: unknown) {
    const { constant: _constant, defaultSql: _sql, generate: _generate, ...rest } = this.spec
    if (isSqlExpr(value)) return new FieldBuilder({ ...rest, defaultSql: inlineSql(value) })
    if (typeof value === 'function') return new FieldBuilder({ ...rest, generate: value as () => unknown })
    return new FieldBuilder({ ...rest, constant: { value } })
  }

  unique() {
    return this.#with({ unique: true })
  }

  index() {
    return this.#with({ index: true })
  }

  check(expression: SqlExpr<boolean>) {
    return this.#with({ checks: [...(this.spec.checks ?? []), inlineSql(expression)] })
  }

  primaryKey() {
    return this.#with({ primaryKey: true })
  }

  readonly() {
    return this.#with({ readonly: true })
  }

  column(name: string) {
    return this.#with({ column: name })
  }

  renamedFrom(...names: string[]) {
    return this.#with({ renamedFrom: [...(this.spec.renamedFrom ?? []), ...names] })
  }

  convertFrom(expression: SqlExpr) {
    return this.#with({ convertFrom: inlineSql(expression) })
  }

  schema(schema: StandardSchemaV1) {
    // undefined is no schema here: it was asked for one.
    assertSchema(schema ?? (null as never), 'BAD_MODEL')
    if (this.spec.schema) {
      throw new DataFlowError('BAD_MODEL', 'A field has one schema.', { hint: 'put both into one: z.pipe(a, b).' })
    }
    return this.#with({ schema })
  }

  $type() {
    return this
  }
}

interface ReferenceOptions extends RelationNames {
  readonly onDelete?: ReferenceAction
  readonly onUpdate?: ReferenceAction
}
type ExactReference<R> = {
  [K in keyof R]: string extends K
    ? R[K]
    : K extends keyof ReferenceOptions
      ? R[K]
      : TypeError<`t.ref has no option ${K & string}`>
}

const field = (spec: FieldSpec): never => new FieldBuilder(spec) as never

type Branded<B extends string> = [B] extends [never] ? string : string & { readonly __brand: B }

/**
 * The kinds of fields.
 *
 * @example
 * const User = model('User', {
 *   id: t.id(),
 *   email: t.text({ max: 320 }).unique(),
 *   role: t.enum(['admin', 'member']).default('member'),
 *   born: t.date().nullable(),
 *   createdAt: t.createdAt(),
 * })
 */
export const t = {
  /** TEXT primary key made on the page: a UUIDv7 (sorted by time) unless a function is given. */
  id<B extends string = never>(generate?: 'uuidv7' | (() => string)): Field<Branded<B>, Branded<B>, 'opt', true> {
    if (generate !== undefined && generate !== 'uuidv7' && typeof generate !== 'function') {
      throw new DataFlowError('BAD_MODEL', 't.id() takes no generator of that name.', {
        hint: "use t.id(), or t.id(() => 'my id').",
      })
    }
    return field({ kind: 'id', primaryKey: true, ...(typeof generate === 'function' ? { generate } : {}) })
  },
  /** INTEGER primary key counted by SQLite; never used twice. */
  autoId(): Field<number, number, 'opt', true> {
    return field({ kind: 'autoId', primaryKey: true })
  },
  /** TEXT. `max` counts UTF-16 units, as `string.length` does. */
  text(options: { max?: number } = {}): Field<string> {
    return field({ kind: 'text', ...checkOptions('t.text', options, ['max']) })
  },
  /** TEXT with a CHECK. */
  enum<const V extends readonly string[]>(values: V): Field<V[number]> {
    return field({ kind: 'enum', values: Array.isArray(values) ? [...values] : [] })
  },
  /** INTEGER within +-2^53. */
  integer(): Field<number> {
    return field({ kind: 'integer' })
  },
  /** INTEGER of 64 bits, as a bigint. */
  bigint(): Field<bigint> {
    return field({ kind: 'bigint' })
  },
  /** REAL. NaN is refused, the infinities are kept, -0 is stored as 0. */
  real(): Field<number> {
    return field({ kind: 'real' })
  },
  /** INTEGER 0 or 1 with a CHECK. */
  boolean(): Field<boolean> {
    return field({ kind: 'boolean' })
  },
  /** A moment. Stored as epoch milliseconds, whole epoch seconds (milliseconds are dropped), or ISO text. */
  date(options: { as?: DateForm } = {}): Field<Date, Date | number | string> {
    const { as = 'ms' } = checkOptions('t.date', options, ['as'])
    if (!['ms', 'seconds', 'text'].includes(as)) {
      throw new DataFlowError('BAD_MODEL', 't.date() knows no such form.', { hint: "use 'ms', 'seconds' or 'text'." })
    }
    return field({ kind: 'date', date: as })
  },
  json,
  /** BLOB. */
  blob(): Field<Uint8Array, Uint8Array | ArrayBuffer> {
    return field({ kind: 'blob' })
  },
  /**
   * A foreign key with an index, to the model of that name; holds what that model's key holds. `authorId` makes a relation
   * `author`, and in the other model one of this model's accessor; `as` and `inverse` give them other names.
   */
  ref<const N extends string, const R extends ReferenceOptions = {}>(
    model: N,
    options: R & ExactReference<R> = {} as never,
  ): Field<string, string, 'req', false, N, false, Pick<R, keyof R & keyof RelationNames>> {
    if (typeof model !== 'string') {
      throw new DataFlowError('BAD_MODEL', 't.ref() needs the name of a model.', { hint: "t.ref('User')." })
    }
    return field({
      kind: 'ref',
      ref: { model, ...checkOptions<ReferenceOptions>('t.ref', options, ['onDelete', 'onUpdate', 'as', 'inverse']) },
    })
  },
  /** Optimistic locking: 1 in a new row, one more with every update. */
  version(): Field<number, number, 'ro'> {
    return field({ kind: 'version', readonly: true })
  },
  /** When the row was made: the worker's clock, the same for all rows of a transaction. */
  createdAt(): Field<Date, Date, 'ro'> {
    return field({ kind: 'createdAt', readonly: true, date: 'ms' })
  },
  /** When the row was last written: as createdAt. */
  updatedAt(): Field<Date, Date, 'ro'> {
    return field({ kind: 'updatedAt', readonly: true, date: 'ms' })
  },
}

function json(): Field<Json>
function json<T>(): Field<T>
function json<S extends StandardSchemaV1>(
  schema: S,
): Field<StandardSchemaV1.InferOutput<S>, StandardSchemaV1.InferInput<S>, 'req', false, never, true>
/** TEXT holding canonical JSON; checked by a synchronous Standard Schema if one is given. */
function json(schema?: StandardSchemaV1): never {
  assertSchema(schema, 'BAD_MODEL')
  return field({ kind: 'json', ...(schema ? { schema } : {}) })
}

function checkOptions<O extends object>(of: string, options: O, known: readonly (keyof O & string)[]): O {
  if (typeof options !== 'object' || options === null) {
    throw new DataFlowError('BAD_OPTION', `${of}() takes its options as an object.`, {
      hint: `{ ${known.join(', ')} }.`,
    })
  }
  const unknown = Object.keys(options).find(key => !known.includes(key as keyof O & string))
  if (unknown === undefined) return options
  throw new DataFlowError('BAD_OPTION', `${of}() has no option "${unknown}".`, {
    hint: `it takes ${known.join(', ')}.`,
  })
}

// ---- types derived from fields --------------------------------------------------------------------------------

export type AnyField = Field<any, any, any, any, any, any, any>
export type Fields = Record<string, AnyField>
type StoredOf<F> = F extends { readonly [TYPES]: [infer S, ...any] } ? S : never
export type AcceptedOf<F> = F extends { readonly [TYPES]: [any, infer A, ...any] } ? A : never
type NeedOf<F> = F extends { readonly [TYPES]: [any, any, infer R, ...any] } ? R : never
export type TargetOf<F> = F extends { readonly [TYPES]: [any, any, any, any, infer T, ...any] } ? T : never
type CheckedOf<F> = F extends { readonly [TYPES]: [any, any, any, any, any, infer C, ...any] } ? C : never
export type NamesOf<F> = F extends { readonly [TYPES]: [any, any, any, any, any, any, infer N] } ? N : never
type KeysNeeding<F extends Fields, Need> = { [K in keyof F]: NeedOf<F[K]> extends Need ? K : never }[keyof F]

/** Name of the key field. */
export type KeyName<F extends Fields> = {
  [K in keyof F]: F[K] extends { readonly [TYPES]: [any, any, any, true, ...any] } ? K : never
}[keyof F]
/** Type of the key. */
export type KeyOf<F extends Fields> = StoredOf<F[KeyName<F>]>

export type RowOf<F extends Fields> = { [K in keyof F]: StoredOf<F[K]> }
export type InsertOf<F extends Fields> = Simplify<
  { [K in KeysNeeding<F, 'req'>]: AcceptedOf<F[K]> } & { [K in KeysNeeding<F, 'opt' | 'scope'>]?: AcceptedOf<F[K]> }
>
/** The fields as a scope writes them that binds `K`. */
export type ScopedFields<F extends Fields, K> = {
  [C in keyof F]: C extends K
    ? Field<StoredOf<F[C]>, AcceptedOf<F[C]>, 'scope', false, TargetOf<F[C]>, CheckedOf<F[C]>, NamesOf<F[C]>>
    : F[C]
}
/** A number field without a schema also takes `{ $inc: n }`: add in SQL, without reading first. */
export type UpdateOf<F extends Fields> = {
  [K in Exclude<KeysNeeding<F, 'req' | 'opt'>, KeyName<F>>]?:
    | AcceptedOf<F[K]>
    | (true extends CheckedOf<F[K]>
        ? never
        : StoredOf<F[K]> extends number | null
          ? { $inc: number }
          : StoredOf<F[K]> extends bigint | null
            ? { $inc: bigint }
            : never)
}
/** What the schema of a model may give: values that writes of its fields accept. */
export type OutputOf<F extends Fields> = { [K in keyof F]?: AcceptedOf<F[K]> | undefined }
