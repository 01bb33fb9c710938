// db.users: the operations of a model, run at once. Also those of a transaction, which run inside it.
import type { AggregateArgs, Aggregated, CheckAggregate, DistinctArgs } from './aggregate.js'
import type {
  AnyModel,
  Bulk,
  BulkCreateOptions,
  BulkStreamed,
  BulkUpsertOptions,
  FieldsOf,
  ListArgs,
  MethodName,
  NoOptions,
  OptionsOf,
  Page,
  PageArgs,
  Target,
  UpsertOptions,
} from './model.js'
import { METHODS, methodsOf, operationOf, type Operation } from './model.js'
import type { AppendsOnly, DeletesSoftly, Seen, Written } from './model-kinds.js'
import { bulkMethod, type ProgressOptions, type RunBulk, type StreamedOptions } from './bulk/methods.js'
import type { RowSource } from './bulk/source.js'
import type { RunOptions } from './connect.js'
import { badOption, checkRunOptions, named, readOptions } from './encode/options.js'
import type { CheckArgs, CheckInclude, Include, ReadRow, RelationsOf } from './related.js'
import type { PageModel } from './resolve.js'
import { isObject } from './shared/codec.js'
import type { Found, NotSearched, SearchArgs, SearchedIn } from './search.js'
import type { Fields, InsertOf, KeyOf, RowOf, TypeError, UpdateOf } from './shared/schema.js'
import type { Where } from './where.js'

export interface IterateArgs<F extends Fields, K extends keyof F, Rs = {}> extends Omit<
  ListArgs<F, K, Rs>,
  'offset' | 'limit'
> {
  limit?: number
  /** Rows fetched at once; 1000 if left out. */
  chunk?: number
}

/**
 * The operations of one model. Each runs at once and returns a real promise; a write's promise resolves when the write
 * is saved (see Durability). They reject with a DataFlowError.
 */
export type TableOf<F extends Fields, O = NoOptions, Rs = {}> = CommonTable<F, O, Rs> &
  (AppendsOnly<O> extends true ? AppendOnlyTable<F> : ChangingTable<Written<F, O>, KeyOf<F>, RowOf<F>, F, Rs>) &
  (DeletesSoftly<O> extends true ? SoftDeleteTable<F, Rs> : unknown)

/** `include`, its names checked. */
type Including<Rs, I> = { include?: I & CheckInclude<Rs, I> }

/** `Rs`: its relations to the other models of the database. */
interface CommonTable<F extends Fields, O, Rs> {
  /** Adds a row and returns it as stored. `UNIQUE`, `FOREIGN_KEY`, `CHECK`, `VALIDATION`, `UNKNOWN_FIELD`. */
  create(data: InsertOf<Written<F, O>>, options?: RunOptions): Promise<RowOf<F>>
  /** The row with this key, or null. */
  read<const K extends keyof F = keyof F, const I extends Include<Rs> = {}>(
    id: KeyOf<F>,
    options?: { select?: readonly K[] } & Including<Rs, I> & Seen<O> & RunOptions,
  ): Promise<ReadRow<F, K, Rs, I> | null>
  /** The row with this key; rejects with `NOT_FOUND`. */
  readOrThrow<const K extends keyof F = keyof F, const I extends Include<Rs> = {}>(
    id: KeyOf<F>,
    options?: { select?: readonly K[] } & Including<Rs, I> & Seen<O> & RunOptions,
  ): Promise<ReadRow<F, K, Rs, I>>
  /** In key order unless `orderBy` says otherwise; every order ends with the key. */
  list<const K extends keyof F = keyof F, const I extends Include<Rs> = {}>(
    args?: ListArgs<F, K, Rs> & Including<Rs, I> & Seen<O> & RunOptions,
  ): Promise<ReadRow<F, K, Rs, I>[]>
  first<const K extends keyof F = keyof F, const I extends Include<Rs> = {}>(
    args?: ListArgs<F, K, Rs> & Including<Rs, I> & Seen<O> & RunOptions,
  ): Promise<ReadRow<F, K, Rs, I> | null>
  /** Rows behind or before a row (keyset paging): stays fast and stable however far it goes. */
  page<const K extends keyof F = keyof F, const I extends Include<Rs> = {}>(
    args: PageArgs<F, K, Rs> & Including<Rs, I> & Seen<O> & RunOptions,
  ): Promise<Page<ReadRow<F, K, Rs, I>>>
  /** All rows, `chunk` at a time; no cursor stays open, and rows written meanwhile may or may not be seen. */
  iterate<const K extends keyof F = keyof F, const I extends Include<Rs> = {}>(
    args?: IterateArgs<F, K, Rs> & Including<Rs, I> & Seen<O> & RunOptions,
  ): AsyncIterable<ReadRow<F, K, Rs, I>>
  count(where?: Where<F, Rs>, options?: Seen<O> & RunOptions): Promise<number>
  /**
   * Counts, sums, averages, least and greatest values: one object, or with `groupBy` one for each group.
   *
   * @example
   * await db.users.aggregate({ groupBy: ['role'], count: true, avg: ['age'], having: { count: { $gt: 1 } } })
   * // [{ role: 'admin', count: 2, avg: { age: 36.5 } }]
   */
  aggregate<const A extends AggregateArgs<F, Rs> & Seen<O> & RunOptions>(
    args: A & NoInfer<CheckArgs<F, Rs, A, AggregateArgs<F, Rs> & Seen<O> & RunOptions> & CheckAggregate<A>>,
  ): Promise<Aggregated<F, A>>
  /** The values that a field has, each once, in ascending order; null first, if there is one. */
  distinct<K extends keyof F>(field: K, args?: DistinctArgs<F, Rs> & Seen<O> & RunOptions): Promise<RowOf<F>[K][]>
  /**
   * Rows whose words match: all of `words`, a `"phrase"`, the beginning of a word as `begin*`, `OR`, `NOT` or `-`,
   * `field:word`. Best matches first. Whatever a user types, it is no error.
   *
   * @example
   * await db.posts.search('sqlite brows*', { limit: 20, highlight: true })
   */
  search: [SearchedIn<F, O>] extends [never]
    ? TypeError<NotSearched>
    : <const A extends SearchArgs<F, SearchedIn<F, O>, Rs> & Seen<O> & RunOptions = {}>(
        words: string,
        args?: A & NoInfer<CheckArgs<F, Rs, A, SearchArgs<F, SearchedIn<F, O>, Rs> & Seen<O> & RunOptions>>,
      ) => Promise<Found<F, SearchedIn<F, O>, A>[]>
}

/** `F`: the fields that the app writes. */
interface ChangingTable<F extends Fields, Id, Stored, All extends Fields, Rs> {
  /**
   * Changes some fields and returns the whole row. `NOT_FOUND`; with `version` `CONFLICT` when it has moved on, with the
   * row as it is now in `error.current`.
   */
  update(id: Id, patch: UpdateOf<F>, options?: { version?: number } & RunOptions): Promise<Stored>
  /** True if there was such a row. With `version` `CONFLICT`, as update. `FOREIGN_KEY`. */
  delete(id: Id, options?: { version?: number } & RunOptions): Promise<boolean>
  /** Adds the row, or changes the one that has the same `on`. */
  upsert(data: InsertOf<F>, options?: UpsertOptions<F> & RunOptions): Promise<Stored>
  /**
   * Adds many rows in one transaction and one message. An iterable is written and saved in chunks of 10 000 rows or about
   * 16 MiB, and pulled no faster than that; when it fails, the error's `kept` says how many rows stay.
   *
   * @example
   * await db.users.bulkCreate(rowsOf(response.body), { onConflict: 'skip', onProgress: ({ rows }) => show(rows) })
   */
  bulkCreate(
    rows: readonly InsertOf<F>[],
    options?: BulkCreateOptions & ProgressOptions & RunOptions,
  ): Promise<Bulk<Id>>
  bulkCreate(
    rows: RowSource<InsertOf<F>>,
    options?: BulkCreateOptions & StreamedOptions & RunOptions,
  ): Promise<BulkStreamed>
  bulkUpdate(args: Target<All, Rs> & { set: UpdateOf<F> }, options?: RunOptions): Promise<Bulk<Id>>
  /** Adds rows, or changes those that have the same `on`: each takes the fields that its row gives. */
  bulkUpsert(
    rows: readonly InsertOf<F>[],
    options?: BulkUpsertOptions<F> & ProgressOptions & RunOptions,
  ): Promise<Bulk<Id>>
  bulkUpsert(
    rows: RowSource<InsertOf<F>>,
    options?: BulkUpsertOptions<F> & StreamedOptions & RunOptions,
  ): Promise<BulkStreamed>
  bulkDelete(args: Target<All, Rs>, options?: RunOptions): Promise<Bulk<Id>>
}

/** What an appendOnly model has of them. */
interface AppendOnlyTable<F extends Fields> {
  /** Adds the row, or gives back the one that has the same `on`. */
  upsert(data: InsertOf<F>, options: UpsertOptions<F> & { update: readonly [] } & RunOptions): Promise<RowOf<F>>
  /** Adds many rows in one transaction and one message. */
  bulkCreate(
    rows: readonly InsertOf<F>[],
    options?: BulkCreateOptions & { onConflict?: 'fail' | 'skip' } & ProgressOptions & RunOptions,
  ): Promise<Bulk<KeyOf<F>>>
  bulkCreate(
    rows: RowSource<InsertOf<F>>,
    options?: BulkCreateOptions & { onConflict?: 'fail' | 'skip' } & StreamedOptions & RunOptions,
  ): Promise<BulkStreamed>
}

/** What a model with softDelete has more. */
interface SoftDeleteTable<F extends Fields, Rs> {
  /** Brings a deleted row back. `NOT_FOUND` if none with this key is deleted; `UNIQUE`; with `version` `CONFLICT`. */
  restore(id: KeyOf<F>, options?: { version?: number } & RunOptions): Promise<RowOf<F>>
  /** Deletes, for good, a row that was deleted softly. True if there was one. `FOREIGN_KEY`. */
  purge(id: KeyOf<F>, options?: RunOptions): Promise<boolean>
  /** Brings back all deleted rows that pass, or none: `UNIQUE`. */
  bulkRestore(args: Target<F, Rs>, options?: RunOptions): Promise<Bulk<KeyOf<F>>>
  /** Deletes, for good, those of the deleted rows that pass. */
  bulkPurge(args: Target<F, Rs>, options?: RunOptions): Promise<Bulk<KeyOf<F>>>
}

/** The operations of a model of a database, run at once. `Ms`: all its models, which relations lead to. */
export type Table<M extends AnyModel, Ms = {}> = 0 extends 1 & FieldsOf<M>
  ? any
  : TableOf<FieldsOf<M>, OptionsOf<M>, RelationsOf<Ms, M>>

/** Runs one operation; the database's own, or a transaction's. */
export type RunOperation = (operation: Operation<any>, options: RunOptions) => Promise<any>

export function makeTable(model: PageModel, run: RunOperation, runBulk: RunBulk): TableOf<Fields> {
  const { name, softDelete } = model.definition
  const methods = methodsOf(softDelete !== undefined).map(method => [
    method,
    async (...args: unknown[]) => {
      const { own, options } = splitOptions(name, method, args)
      return run(operationOf(name, method, own), options)
    },
  ])
  return {
    ...Object.fromEntries(methods),
    bulkCreate: bulkMethod(model, 'bulkCreate', run, runBulk),
    bulkUpsert: bulkMethod(model, 'bulkUpsert', run, runBulk),
    iterate: (args: IterateArgs<Fields, string> & RunOptions = {}) => iterate(name, args, run),
  } as TableOf<Fields>
}

function splitOptions(
  model: string,
  method: MethodName,
  args: readonly unknown[],
): { own: unknown[]; options: RunOptions } {
  const at = METHODS[method].optionsAt
  const given = args[at]
  // What is no object is refused with the operation.
  if (!isObject(given)) return { own: [...args], options: {} }
  const { signal, durability, ...rest } = given
  const own = [...args]
  own[at] = Object.keys(rest).length > 0 || at === 0 ? rest : undefined
  return { own, options: checkRunOptions({ signal, durability }, model, method) }
}

const ITERATE_OPTIONS = [
  'where',
  'orderBy',
  'limit',
  'select',
  'include',
  'chunk',
  'withDeleted',
  'signal',
  'durability',
]

async function* iterate(
  model: string,
  args: IterateArgs<Fields, string> & RunOptions,
  run: RunOperation,
): AsyncGenerator<never> {
  const { chunk = 1000, limit = Infinity, signal, durability, ...rest } = args ?? {}
  named({ model, op: 'iterate' }, () => {
    readOptions(args, ITERATE_OPTIONS)
    if (!Number.isSafeInteger(chunk) || chunk < 1) {
      throw badOption('chunk must be a whole number of 1 or more.', 'chunk: 1000.')
    }
    if (limit !== Infinity && !(Number.isSafeInteger(limit) && limit >= 0)) {
      throw badOption('limit must be a whole number of 0 or more.', 'limit: 5000.')
    }
  })
  let left = limit
  let after: string | undefined
  while (left > 0) {
    const page = operationOf(model, 'page', [
      { ...rest, limit: Math.min(chunk, left), ...(after === undefined ? {} : { after }) },
    ])
    const { items, next } = (await run(page, checkRunOptions({ signal, durability }, model, 'iterate'))) as Page<never>
    yield* items
    left -= items.length
    if (next === null) return
    after = next
  }
}
