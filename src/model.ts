// model(): a definition, and an operation per method as plain data. Nothing here runs anything.
import type { StandardSchemaV1 } from '@standard-schema/spec'
import type { Where } from './where.js'
import type { AggregateArgs, Aggregated, CheckAggregate } from './aggregate.js'
import type { Asked, CheckArgs, CheckWhere, Later, SelectOf } from './related.js'
import type { Exact } from './exact.js'
import type { AppendsOnly, CheckKind, DeletesSoftly, Seen, Written } from './model-kinds.js'
import type { Found, NotSearched, SearchArgs, SearchedIn, TextKey } from './search.js'
import { checkDeclaration } from './declaration.js'
import { canonicalKey } from './operation-key.js'
import type { DataFlowError } from './shared/errors.js'
import type { OrRefs, OrUpdateRefs, Ref } from './shared/reference.js'
import type {
  Fields,
  InsertOf,
  KeyName,
  KeyOf,
  OutputOf,
  RowOf,
  Simplify,
  TypeError,
  UpdateOf,
} from './shared/schema.js'
import type { SqlExpr } from './shared/sql.js'

declare const RESULT: unique symbol
declare const ASKED: unique symbol

/**
 * An operation that has not run: data that can be kept, compared by `key`, batched, watched. `D`: what it was asked with,
 * which is checked against the models of the database that runs it.
 */
export interface Operation<T, Writes extends boolean = boolean, D = unknown> {
  readonly model: string
  readonly op: MethodName
  readonly args: readonly unknown[]
  readonly write: Writes
  /** Equal for equal operations. */
  readonly key: string
  readonly [RESULT]?: T
  readonly [ASKED]?: D
}
/** What running an operation gives. */
export type Result<O> = O extends Operation<infer T, any> ? T : never

export type OrderBy<F extends Fields> =
  { [K in keyof F]?: 'asc' | 'desc' } | readonly { [K in keyof F]?: 'asc' | 'desc' }[]

export interface ListArgs<F extends Fields, K extends keyof F = keyof F, Rs = {}> {
  where?: Where<F, Rs>
  orderBy?: OrderBy<F>
  limit?: number | Ref<number>
  offset?: number | Ref<number>
  select?: readonly K[]
}
export interface PageArgs<F extends Fields, K extends keyof F = keyof F, Rs = {}> extends Omit<
  ListArgs<F, K, Rs>,
  'offset' | 'limit'
> {
  limit: number
  after?: string
  before?: string
}
/** A page of a list: `next` and `prev` go into `after` and `before`; null at the ends. */
export interface Page<T> {
  items: T[]
  next: string | null
  prev: string | null
}
/** What a bulk write did: rows written, their keys, and with `onError: 'collect'` what failed. */
export interface Bulk<Id = string> {
  count: number
  ids: Id[]
  errors: { index: number; error: DataFlowError }[]
}
export interface UpsertOptions<F extends Fields> {
  /** The unique fields that decide whether the row exists; the key if left out. */
  on?: keyof F | readonly (keyof F)[]
  /** What changes in a row that exists: these fields, or these values. All that were given if left out. */
  update?: readonly (keyof F)[] | OrUpdateRefs<UpdateOf<F>>
}
export interface BulkCreateOptions {
  /** What becomes of a row whose key or unique values are taken: `fail` if left out. */
  onConflict?: 'fail' | 'skip' | 'update'
  /** Whether a row that fails ends the call, or is told in `errors`. */
  onError?: 'abort' | 'collect'
}
export interface BulkUpsertOptions<F extends Fields> {
  /** The unique fields that decide whether a row exists; the key if left out. */
  on?: keyof F | readonly (keyof F)[]
  /** Whether a row that fails ends the call, or is told in `errors`. */
  onError?: 'abort' | 'collect'
}
/** How far a bulk is. `total` is of rows for an array, of bytes for a file. */
export interface BulkProgress {
  /**
   * Rows of the input that are done: written, skipped, or failed. Of an array, which is written as one, those that are
   * checked and handed over; the last call comes when it is saved.
   */
  readonly rows: number
  /** Bytes of the input that were read. */
  readonly bytes?: number
  readonly total?: number
}
/** What became of the rows of an iterable. Their keys are not kept: there may be more than memory holds. */
export interface BulkStreamed {
  /** Rows written. */
  count: number
  /** Rows that failed, with `onError: 'collect'`. */
  failed: number
  /** Of the first 1000 of them: the place in the input, and why. */
  errors: { index: number; error: DataFlowError }[]
}
export type Target<F extends Fields, Rs = {}> = { where: Where<F, Rs>; all?: never } | { all: true; where?: never }
/** The operations of a model, as values. `O`: its options, where they say what it can do. `N`: its name. */
export type Operations<F extends Fields, Id, O = NoOptions, N = string> = CommonOperations<F, Id, O, N> &
  (AppendsOnly<O> extends true ? AppendOnlyOperations<F, Id> : ChangingOperations<Written<F, O>, Id, RowOf<F>, F, N>) &
  (DeletesSoftly<O> extends true ? SoftDeleteOperations<F, Id, N> : unknown)

/** What a relation is called only the database knows that runs the operation. */
interface LaterIncluded {
  include?: { readonly [relation: string]: unknown }
}
type ReadOptions<F extends Fields, O> = { select?: readonly (keyof F)[] } & LaterIncluded & Seen<O>
type LaterList<F extends Fields, O> = ListArgs<F, keyof F, Later> & LaterIncluded & Seen<O>
type LaterPage<F extends Fields, O> = PageArgs<F, keyof F, Later> & LaterIncluded & Seen<O>
type LaterTarget<F extends Fields, W> =
  { where: W & CheckWhere<F, Later, W>; all?: never } | { all: true; where?: never }
type Picked<F extends Fields, A> = Simplify<Pick<RowOf<F>, SelectOf<A, F>>>

interface CommonOperations<F extends Fields, Id, O, N> {
  create(data: OrRefs<InsertOf<Written<F, O>>>): Operation<RowOf<F>, true>
  read<const A extends ReadOptions<F, O> = {}>(
    id: Id | Ref<Id>,
    options?: A & CheckArgs<F, Later, A, ReadOptions<F, O>>,
  ): Operation<Picked<F, A> | null, false, Asked<N, A>>
  readOrThrow<const A extends ReadOptions<F, O> = {}>(
    id: Id | Ref<Id>,
    options?: A & CheckArgs<F, Later, A, ReadOptions<F, O>>,
  ): Operation<Picked<F, A>, false, Asked<N, A>>
  list<const A extends LaterList<F, O> = {}>(
    args?: A & CheckArgs<F, Later, A, LaterList<F, O>>,
  ): Operation<Picked<F, A>[], false, Asked<N, A>>
  first<const A extends LaterList<F, O> = {}>(
    args?: A & CheckArgs<F, Later, A, LaterList<F, O>>,
  ): Operation<Picked<F, A> | null, false, Asked<N, A>>
  page<const A extends LaterPage<F, O>>(
    args: A & CheckArgs<F, Later, A, LaterPage<F, O>>,
  ): Operation<Page<Picked<F, A>>, false, Asked<N, A>>
  count<const W extends Where<F, Later> = {}>(
    where?: W & CheckWhere<F, Later, W>,
    options?: Seen<O>,
  ): Operation<number, false, Asked<N, { where: W }>>
  aggregate<const A extends AggregateArgs<F, Later> & Seen<O>>(
    args: A & CheckArgs<F, Later, A, AggregateArgs<F, Later> & Seen<O>> & CheckAggregate<A>,
  ): Operation<Aggregated<F, A>, false, Asked<N, A>>
  distinct<K extends keyof F, const W extends Where<F, Later> = {}>(
    field: K,
    args?: { where?: W & CheckWhere<F, Later, W>; limit?: number | Ref<number> } & Seen<O>,
  ): Operation<RowOf<F>[K][], false, Asked<N, { where: W }>>
  search: [SearchedIn<F, O>] extends [never]
    ? TypeError<NotSearched>
    : <const A extends SearchArgs<F, SearchedIn<F, O>, Later> & Seen<O> = {}>(
        words: string,
        args?: A & CheckArgs<F, Later, A, SearchArgs<F, SearchedIn<F, O>, Later> & Seen<O>>,
      ) => Operation<Found<F, SearchedIn<F, O>, A>[], false, Asked<N, A>>
}

/** `F`: the fields that the app writes. */
interface ChangingOperations<F extends Fields, Id, Stored, All extends Fields, N> {
  update(id: Id | Ref<Id>, patch: OrUpdateRefs<UpdateOf<F>>, options?: { version?: number }): Operation<Stored, true>
  delete(id: Id | Ref<Id>, options?: { version?: number }): Operation<boolean, true>
  upsert(data: OrRefs<InsertOf<F>>, options?: UpsertOptions<F>): Operation<Stored, true>
  bulkCreate(rows: readonly OrRefs<InsertOf<F>>[], options?: BulkCreateOptions): Operation<Bulk<Id>, true>
  bulkUpdate<const W extends Where<All, Later> = {}>(
    args: LaterTarget<All, W> & { set: OrUpdateRefs<UpdateOf<F>> },
  ): Operation<Bulk<Id>, true, Asked<N, { where: W }>>
  bulkUpsert(rows: readonly OrRefs<InsertOf<F>>[], options?: BulkUpsertOptions<F>): Operation<Bulk<Id>, true>
  bulkDelete<const W extends Where<All, Later> = {}>(
    args: LaterTarget<All, W>,
  ): Operation<Bulk<Id>, true, Asked<N, { where: W }>>
}

/** What only adds rows: `upsert` gives back the one that is there. */
interface AppendOnlyOperations<F extends Fields, Id> {
  upsert(data: OrRefs<InsertOf<F>>, options: UpsertOptions<F> & { update: readonly [] }): Operation<RowOf<F>, true>
  bulkCreate(
    rows: readonly OrRefs<InsertOf<F>>[],
    options?: BulkCreateOptions & { onConflict?: 'fail' | 'skip' },
  ): Operation<Bulk<Id>, true>
}

interface SoftDeleteOperations<F extends Fields, Id, N> {
  restore(id: Id | Ref<Id>, options?: { version?: number }): Operation<RowOf<F>, true>
  purge(id: Id | Ref<Id>): Operation<boolean, true>
  bulkRestore<const W extends Where<F, Later> = {}>(
    args: LaterTarget<F, W>,
  ): Operation<Bulk<Id>, true, Asked<N, { where: W }>>
  bulkPurge<const W extends Where<F, Later> = {}>(
    args: LaterTarget<F, W>,
  ): Operation<Bulk<Id>, true, Asked<N, { where: W }>>
}
export type MethodName =
  | keyof CommonOperations<Fields, unknown, NoOptions, string>
  | keyof ChangingOperations<Fields, unknown, unknown, Fields, string>
  | keyof SoftDeleteOperations<Fields, unknown, string>

/** Whether it writes, which argument is its options, and whether they have any but those of the run. */
type Method = { readonly write: boolean; readonly optionsAt: number; readonly own: boolean }
const method = (write: boolean, optionsAt: number, own: boolean): Method => ({ write, optionsAt, own })

export const METHODS: Record<MethodName, Method> = {
  create: method(true, 1, false),
  read: method(false, 1, true),
  readOrThrow: method(false, 1, true),
  update: method(true, 2, true),
  delete: method(true, 1, true),
  restore: method(true, 1, true),
  purge: method(true, 1, false),
  upsert: method(true, 1, true),
  list: method(false, 0, true),
  first: method(false, 0, true),
  page: method(false, 0, true),
  count: method(false, 1, false),
  aggregate: method(false, 0, true),
  distinct: method(false, 1, true),
  search: method(false, 1, true),
  bulkCreate: method(true, 1, true),
  bulkUpdate: method(true, 1, false),
  bulkUpsert: method(true, 1, true),
  bulkDelete: method(true, 1, false),
  bulkRestore: method(true, 1, false),
  bulkPurge: method(true, 1, false),
}
const OF_SOFT_DELETE: readonly MethodName[] = ['restore', 'purge', 'bulkRestore', 'bulkPurge']

/** The methods of a model. */
export function methodsOf(softDelete: boolean): MethodName[] {
  return (Object.keys(METHODS) as MethodName[]).filter(name => softDelete || !OF_SOFT_DELETE.includes(name))
}

/** An index over `on`, ascending unless said; `where` leaves the rows out that do not pass. */
export interface IndexOptions<F extends Fields> {
  on: readonly ((keyof F & string) | { readonly [K in keyof F]?: 'asc' | 'desc' })[]
  where?: SqlExpr<boolean>
}
export type Index<F extends Fields> = readonly (keyof F & string)[] | IndexOptions<F>

/** A relation through the rows of another model. */
export interface Through {
  readonly through: string
  readonly from?: string
  readonly to?: string
}

export interface ModelOptions<F extends Fields> {
  /** The table's name, if it is not the key in `models`. */
  table?: string
  /** The names that this model had in earlier builds: its table and rows are taken over. */
  renamedFrom?: string | readonly string[]
  /** Fields, or `{ on: ['author', { at: 'desc' }], where: sql`published` }`. */
  indexes?: readonly Index<F>[]
  unique?: readonly Index<F>[]
  /**
   * Lists of rows that are reached through those of another model, which refer to both: `{ tags: { through: 'PostTag' } }`.
   * `from` and `to` name its references to this model and to theirs, where it has several.
   */
  relations?: Readonly<Record<string, Through>>
  /** Conditions over several fields, held by SQLite. */
  checks?: readonly SqlExpr<boolean>[]
  /** delete only hides a row, until `restore` or `purge`. Needs the field `deletedAt: t.date().nullable()`. */
  softDelete?: boolean
  /** Rows are added and read; whatever would change or delete one is `READONLY`. */
  appendOnly?: boolean
  /** The fields that `db.scope()` binds: a scope sees and writes only rows with its values. Uniques hold within a scope. */
  scope?: (keyof F & string) | readonly (keyof F & string)[]
  /** Every scope reads all its rows, and writes none. */
  shared?: true
  /** Text fields whose words `search` finds: an index of them is kept in step with every write. */
  search?: readonly TextKey<F>[]
  /** Records every change of a row, whatever makes it, in the same transaction: read it with `db.audit.list`. */
  audit?: boolean
  /**
   * A synchronous Standard Schema that every new row goes through (create, upsert, bulkCreate, bulkUpsert), with its defaults
   * filled in. What it gives back is written; an update does not know the whole row: `checks` hold for both.
   */
  schema?: StandardSchemaV1<any, OutputOf<F>>
}

/** The type of options that were left out. */
export type NoOptions = {}

/** A declared model: its name, its fields, its options as they were given, and its operations. */
export type Model<N extends string, F extends Fields, O = NoOptions> = {
  readonly $name: N
  readonly $fields: F
  readonly $options: O
} & Operations<F, KeyOf<F>, O, N>

export interface AnyModel {
  readonly $name: string
  readonly $fields: any
  readonly $options: any
}
export type FieldsOf<M> = M extends { readonly $fields: infer F extends Fields } ? F : never
export type OptionsOf<M> = M extends { readonly $options: infer O } ? O : NoOptions
/** A row of the model, as it is read. */
export type Row<M> = RowOf<FieldsOf<M>>
/** What create takes. */
export type Insert<M> = InsertOf<Written<FieldsOf<M>, OptionsOf<M>>>
/** What update takes. */
export type Update<M> = UpdateOf<Written<FieldsOf<M>, OptionsOf<M>>>
/** Type of the model's key. */
export type Key<M> = KeyOf<FieldsOf<M>>

type IsUnion<T, All = T> = T extends unknown ? ([All] extends [T] ? false : true) : never
/** Turns a wrong definition into a type whose name says what is wrong. */
export type CheckFields<F extends Fields> = [KeyName<F>] extends [never]
  ? TypeError<'A model needs a primary key: add `id: t.id()`'>
  : true extends IsUnion<KeyName<F>>
    ? TypeError<'A model has one key: composite keys are not supported yet'>
    : Extract<keyof F, `$${string}`> extends never
      ? unknown
      : TypeError<`Field names cannot start with "$": ${Extract<keyof F, `$${string}`> & string}`>

/** Turns options that do not fit each other, or the fields, into a type whose name says what is wrong. */
export type CheckOptions<F extends Fields, O> = Exact<Omit<O, 'schema'>, Omit<ModelOptions<F>, 'schema'>> &
  CheckKind<F, O> &
  CheckScope<F, O> &
  CheckSchema<F, O>

/** The fields that a scope binds, by the options of a model. */
export type ScopeIn<O> = 0 extends 1 & O
  ? never
  : O extends { readonly scope: infer S }
    ? S extends readonly (infer K)[]
      ? K
      : S
    : never
type NullableIn<F extends Fields> = { [K in keyof F]: null extends RowOf<F>[K] ? K : never }[keyof F]
type CheckScope<F extends Fields, O> = [ScopeIn<O>] extends [never]
  ? unknown
  : O extends { readonly shared: true }
    ? TypeError<'A model is scoped or shared, not both'>
    : [Extract<ScopeIn<O>, KeyName<F> | NullableIn<F>>] extends [never]
      ? unknown
      : TypeError<`A scope cannot be bound to "${Extract<ScopeIn<O>, KeyName<F> | NullableIn<F>> & string}": it is the key, or can be null`>

type CheckSchema<F extends Fields, O> = O extends { readonly schema: StandardSchemaV1<any, infer Output> }
  ? string extends keyof Output
    ? unknown
    : [Exclude<keyof Output, keyof F>] extends [never]
      ? unknown
      : {
          readonly schema: TypeError<`The schema gives "${Exclude<keyof Output, keyof F> & string}", which is no field`>
        }
  : unknown

class OperationValue {
  readonly model: string
  readonly op: MethodName
  readonly args: readonly unknown[]
  readonly write: boolean

  constructor(model: string, op: MethodName, args: readonly unknown[]) {
    this.model = model
    this.op = op
    this.args = args
    this.write = METHODS[op].write
  }

  get key(): string {
    return canonicalKey([this.model, this.op, this.args])
  }
}

/** The operation `op` on the model of that name, as a value. */
export function operationOf(model: string, op: MethodName, args: readonly unknown[]): Operation<any> {
  // Trailing undefined arguments are no arguments: `list()` and `list(undefined)` are one operation.
  let length = args.length
  while (length > 0 && args[length - 1] === undefined) length--
  return new OperationValue(model, op, args.slice(0, length))
}

export function isOperation(value: unknown): value is Operation<unknown> {
  const candidate = value as Partial<Operation<unknown>> | null
  return (
    typeof candidate === 'object' &&
    candidate !== null &&
    typeof candidate.model === 'string' &&
    Object.hasOwn(METHODS, candidate.op ?? '') &&
    Array.isArray(candidate.args)
  )
}

/**
 * Declares a model. Synchronous and inert: no worker, no database, no table until the first operation on it.
 *
 * @example
 * const Post = model('Post', { id: t.id(), title: t.text(), authorId: t.ref('User', { onDelete: 'cascade' }) })
 *
 * Throws a DataFlowError `BAD_MODEL` or `BAD_OPTION` for a declaration that makes no table.
 */
export function model<const N extends string, F extends Fields, const O extends ModelOptions<F> = NoOptions>(
  name: N,
  fields: F & CheckFields<F>,
  options: O & CheckOptions<F, O> = {} as never,
): Model<N, F, O> {
  checkDeclaration(name, fields, options)
  const operations = methodsOf(options.softDelete ?? false).map(op => [
    op,
    (...args: unknown[]) => operationOf(name, op, args),
  ])
  return { $name: name, $fields: fields, $options: options, ...Object.fromEntries(operations) } as never
}
