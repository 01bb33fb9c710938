// model(): a definition, and an operation per method as plain data. Nothing here runs anything.
import type { Where } from './where.js'
import type { ReferenceAction } from './shared/definition.js'
import { canonicalKey } from './operation-key.js'
import { isWellFormed } from './shared/codec.js'
import { DataFlowError } from './shared/errors.js'
import type {
  AnyField,
  FieldSpec,
  Fields,
  InsertOf,
  KeyName,
  KeyOf,
  RowOf,
  Simplify,
  TypeError,
  UpdateOf,
} from './shared/schema.js'
import type { SqlExpr } from './shared/sql.js'

declare const RESULT: unique symbol

/** An operation that has not run: data that can be kept, compared by `key`, batched, watched. */
export interface Operation<T, Writes extends boolean = boolean> {
  readonly model: string
  readonly op: MethodName
  readonly args: readonly unknown[]
  readonly write: Writes
  /** Equal for equal operations. */
  readonly key: string
  readonly [RESULT]?: T
}
/** What running an operation gives. */
export type Result<O> = O extends Operation<infer T, any> ? T : never

export type OrderBy<F extends Fields> =
  { [K in keyof F]?: 'asc' | 'desc' } | readonly { [K in keyof F]?: 'asc' | 'desc' }[]

export interface ListArgs<F extends Fields, K extends keyof F = keyof F> {
  where?: Where<F>
  orderBy?: OrderBy<F>
  limit?: number
  offset?: number
  select?: readonly K[]
}
export interface PageArgs<F extends Fields, K extends keyof F = keyof F> extends Omit<
  ListArgs<F, K>,
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
  update?: readonly (keyof F)[] | UpdateOf<F>
}
export interface BulkCreateOptions {
  onConflict?: 'fail' | 'skip' | 'update'
  onError?: 'abort' | 'collect'
}
export type Target<F extends Fields> = { where: Where<F>; all?: never } | { all: true; where?: never }
type Selected<F extends Fields, K extends keyof F> = Simplify<Pick<RowOf<F>, K>>

/** The operations of a model, as values. */
export interface Operations<F extends Fields, Id> {
  create(data: InsertOf<F>): Operation<RowOf<F>, true>
  read<const K extends keyof F = keyof F>(
    id: Id,
    options?: { select?: readonly K[] },
  ): Operation<Selected<F, K> | null, false>
  readOrThrow<const K extends keyof F = keyof F>(
    id: Id,
    options?: { select?: readonly K[] },
  ): Operation<Selected<F, K>, false>
  update(id: Id, patch: UpdateOf<F>, options?: { version?: number }): Operation<RowOf<F>, true>
  delete(id: Id): Operation<boolean, true>
  upsert(data: InsertOf<F>, options?: UpsertOptions<F>): Operation<RowOf<F>, true>
  list<const K extends keyof F = keyof F>(args?: ListArgs<F, K>): Operation<Selected<F, K>[], false>
  first<const K extends keyof F = keyof F>(args?: ListArgs<F, K>): Operation<Selected<F, K> | null, false>
  page<const K extends keyof F = keyof F>(args: PageArgs<F, K>): Operation<Page<Selected<F, K>>, false>
  count(where?: Where<F>): Operation<number, false>
  bulkCreate(rows: readonly InsertOf<F>[], options?: BulkCreateOptions): Operation<Bulk<Id>, true>
  bulkUpdate(args: Target<F> & { set: UpdateOf<F> }): Operation<Bulk<Id>, true>
  bulkUpsert(rows: readonly InsertOf<F>[], options?: { on?: keyof F | readonly (keyof F)[] }): Operation<Bulk<Id>, true>
  bulkDelete(args: Target<F>): Operation<Bulk<Id>, true>
}
export type MethodName = keyof Operations<Fields, unknown>

/** Whether it writes, which argument is its options, and whether they have any but those of the run. */
type Method = { readonly write: boolean; readonly optionsAt: number; readonly own: boolean }
const method = (write: boolean, optionsAt: number, own: boolean): Method => ({ write, optionsAt, own })

export const METHODS: Record<MethodName, Method> = {
  create: method(true, 1, false),
  read: method(false, 1, true),
  readOrThrow: method(false, 1, true),
  update: method(true, 2, true),
  delete: method(true, 1, false),
  upsert: method(true, 1, true),
  list: method(false, 0, true),
  first: method(false, 0, true),
  page: method(false, 0, true),
  count: method(false, 1, false),
  bulkCreate: method(true, 1, true),
  bulkUpdate: method(true, 1, false),
  bulkUpsert: method(true, 1, true),
  bulkDelete: method(true, 1, false),
}
export const METHOD_NAMES = Object.keys(METHODS) as readonly MethodName[]

export interface ModelOptions<F extends Fields> {
  /** The table's name, if it is not the key in `models`. */
  table?: string
  indexes?: readonly (readonly (keyof F & string)[])[]
  unique?: readonly (readonly (keyof F & string)[])[]
  /** Conditions over several fields, held by SQLite. */
  checks?: readonly SqlExpr<boolean>[]
}

/** A declared model: its name, its fields and its operations. */
export type Model<N extends string, F extends Fields> = {
  readonly $name: N
  readonly $fields: F
  readonly $options: ModelOptions<F>
} & Operations<F, KeyOf<F>>

export interface AnyModel {
  readonly $name: string
  readonly $fields: any
  readonly $options: any
}
export type FieldsOf<M> = M extends { readonly $fields: infer F extends Fields } ? F : never
/** A row of the model, as it is read. */
export type Row<M> = RowOf<FieldsOf<M>>
/** What create takes. */
export type Insert<M> = InsertOf<FieldsOf<M>>
/** What update takes. */
export type Update<M> = UpdateOf<FieldsOf<M>>
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
export function model<const N extends string, F extends Fields>(
  name: N,
  fields: F & CheckFields<F>,
  options: ModelOptions<F> = {},
): Model<N, F> {
  checkDeclaration(name, fields, options)
  const operations = METHOD_NAMES.map(op => [op, (...args: unknown[]) => operationOf(name, op, args)])
  return { $name: name, $fields: fields, $options: options, ...Object.fromEntries(operations) } as Model<N, F>
}

const IDENTIFIER = /^[A-Za-z][A-Za-z0-9_]*$/
/** As many as SQLite's json_array takes. */
const MAX_FIELDS = 1000
// Names that a promise, an object or SQLite already gives a meaning.
const RESERVED_FIELDS = new Set(
  'then constructor prototype toString valueOf toJSON hasOwnProperty rowid oid _rowid_'.split(' '),
)
const REFERENCE_ACTIONS: readonly (ReferenceAction | undefined)[] = ['cascade', 'set null', 'restrict', undefined]

function checkDeclaration(name: string, fields: Record<string, AnyField>, options: object): void {
  const bad = (text: string, hint: string, field?: string): never => {
    throw new DataFlowError('BAD_MODEL', text, {
      ...(typeof name === 'string' && IDENTIFIER.test(name) ? { model: name } : {}),
      ...(field === undefined ? {} : { fields: [field] }),
      hint,
    })
  }
  if (typeof name !== 'string' || !IDENTIFIER.test(name)) {
    bad('A model name must be an identifier.', 'letters, digits and _, beginning with a letter.')
  }
  if (typeof fields !== 'object' || fields === null) bad('A model needs fields.', "model('User', { id: t.id() }).")
  if (typeof options !== 'object' || options === null) bad('The options of a model are an object.', '{ indexes: [] }.')
  for (const option of Object.keys(options)) {
    if (!['table', 'indexes', 'unique', 'checks'].includes(option)) {
      throw new DataFlowError('BAD_OPTION', `model() has no option "${option}".`, {
        model: name,
        hint: 'it takes table, indexes, unique and checks.',
      })
    }
  }
  const { table, indexes, unique } = options as { table?: unknown; indexes?: unknown; unique?: unknown }
  if (table !== undefined && typeof table !== 'string') bad('The name of a table is a text.', "{ table: 'users' }.")
  for (const lists of [indexes, unique]) {
    if (lists === undefined || (Array.isArray(lists) && lists.every(list => Array.isArray(list)))) continue
    bad('indexes and unique are lists of lists of fields.', "{ indexes: [['a', 'b']] }.")
  }
  const entries = Object.entries(fields)
  if (entries.length > MAX_FIELDS) bad(`A model has at most ${MAX_FIELDS} fields.`, 'put some into a t.json().')
  const keys = entries.filter(([, field]) => field?.spec?.primaryKey)
  if (keys.length === 0) bad('A model needs a primary key.', 'add `id: t.id()`.')
  if (keys.length > 1) bad('A model has one key: composite keys are not supported yet.', 'use t.id() and `unique`.')
  const seen = new Map<string, string>()
  for (const [field, declared] of entries as [string, { spec?: FieldSpec } | null | undefined][]) {
    const spec = declared?.spec
    if (!IDENTIFIER.test(field))
      bad(`"${field}" is not a field name.`, 'letters, digits and _, beginning with a letter.')
    if (RESERVED_FIELDS.has(field) || RESERVED_FIELDS.has(field.toLowerCase())) {
      bad(`"${field}" is a reserved name.`, "give the field another name; .column('...') keeps the column's.", field)
    }
    if (!spec) return bad(`"${field}" is not a field.`, 'use one of the kinds of t, such as t.text().', field)
    const column = spec.column ?? field
    if (typeof column !== 'string' || column === '' || column.includes('\0'))
      bad('That is not a column name.', 'it must be a text, not empty and without NUL.', field)
    const before = seen.get(column.toLowerCase())
    if (before !== undefined) {
      bad(`"${before}" and "${field}" are one column to SQLite.`, 'names of columns differ by more than case.', field)
    }
    seen.set(column.toLowerCase(), field)
    checkField(spec, (text, hint) => bad(text, hint, field))
    for (const old of spec.renamedFrom ?? []) {
      if (Object.hasOwn(fields, old))
        bad(`"${old}" is declared, and "${field}" is renamed from it.`, 'remove one.', field)
    }
  }
}

/** A text that can stand in DDL. */
const isSchemaText = (value: unknown) => typeof value === 'string' && !value.includes('\0') && isWellFormed(value)

function checkField(spec: FieldSpec, bad: (text: string, hint: string) => never): void {
  const hasDefault = spec.constant !== undefined || spec.defaultSql !== undefined || spec.generate !== undefined
  const made = ['createdAt', 'updatedAt', 'version'].includes(spec.kind)
  if (spec.kind === 'enum' && (!spec.values?.length || !spec.values.every(isSchemaText))) {
    bad('An enum needs texts to choose from, without NUL and halves of pairs.', "t.enum(['a', 'b']).")
  }
  if (spec.max !== undefined && !(Number.isSafeInteger(spec.max) && spec.max >= 0)) {
    bad('max must be a whole number.', 't.text({ max: 320 }).')
  }
  if (spec.primaryKey) {
    if (spec.nullable) bad('A key is never null.', 'remove .nullable().')
    if (!['id', 'autoId', 'text', 'integer', 'bigint'].includes(spec.kind)) {
      bad('A field of that kind is no key.', 'use t.id(), t.autoId(), t.text(), t.integer() or t.bigint().')
    }
  }
  if (spec.readonly && !made && !hasDefault && !spec.nullable) {
    bad('A read-only field needs a default: nothing else can fill it.', 'add .default(...).')
  }
  if (made && (hasDefault || spec.nullable)) bad('The library fills this field.', 'remove .default() and .nullable().')
  if (spec.ref && !REFERENCE_ACTIONS.includes(spec.ref.onDelete)) {
    bad('onDelete knows no such action.', "use 'cascade', 'set null' or 'restrict'.")
  }
  if (spec.ref?.onDelete === 'set null' && !spec.nullable) {
    bad('A field that is not nullable cannot be set to null.', 'add .nullable() or use another onDelete.')
  }
}
