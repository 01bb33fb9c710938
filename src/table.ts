// db.users: the operations of a model, run at once. Also those of a transaction, which run inside it.
import type { AggregateArgs, Aggregated, CheckAggregate, DistinctArgs } from './aggregate.js'
import type {
  AnyModel,
  Bulk,
  BulkCreateOptions,
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
import type { RunOptions } from './connect.js'
import { badOption, named, readOptions } from './encode/options.js'
import type { Exact } from './exact.js'
import type { PageModel } from './resolve.js'
import { isObject } from './shared/codec.js'
import type { Durability } from './shared/operation.js'
import type { Found, NotSearched, SearchArgs, SearchedIn } from './search.js'
import type { Fields, InsertOf, KeyOf, RowOf, Simplify, TypeError, UpdateOf } from './shared/schema.js'
import type { Where } from './where.js'

type Selected<F extends Fields, K extends keyof F> = Simplify<Pick<RowOf<F>, K>>

export interface IterateArgs<F extends Fields, K extends keyof F> extends Omit<ListArgs<F, K>, 'offset' | 'limit'> {
  limit?: number
  /** Rows fetched at once; 1000 if left out. */
  chunk?: number
}

/**
 * The operations of one model. Each runs at once and returns a real promise; a write's promise resolves when the write
 * is saved (see Durability). They reject with a DataFlowError.
 */
export type TableOf<F extends Fields, O = NoOptions> = CommonTable<F, O> &
  (AppendsOnly<O> extends true ? AppendOnlyTable<F> : ChangingTable<Written<F, O>, KeyOf<F>, RowOf<F>>) &
  (DeletesSoftly<O> extends true ? SoftDeleteTable<F> : unknown)

interface CommonTable<F extends Fields, O> {
  /** Adds a row and returns it as stored. `UNIQUE`, `FOREIGN_KEY`, `CHECK`, `VALIDATION`, `UNKNOWN_FIELD`. */
  create(data: InsertOf<Written<F, O>>, options?: RunOptions): Promise<RowOf<F>>
  /** The row with this key, or null. */
  read<const K extends keyof F = keyof F>(
    id: KeyOf<F>,
    options?: { select?: readonly K[] } & Seen<O> & RunOptions,
  ): Promise<Selected<F, K> | null>
  /** The row with this key; rejects with `NOT_FOUND`. */
  readOrThrow<const K extends keyof F = keyof F>(
    id: KeyOf<F>,
    options?: { select?: readonly K[] } & Seen<O> & RunOptions,
  ): Promise<Selected<F, K>>
  /** In key order unless `orderBy` says otherwise; every order ends with the key. */
  list<const K extends keyof F = keyof F>(args?: ListArgs<F, K> & Seen<O> & RunOptions): Promise<Selected<F, K>[]>
  first<const K extends keyof F = keyof F>(args?: ListArgs<F, K> & Seen<O> & RunOptions): Promise<Selected<F, K> | null>
  /** Rows behind or before a row (keyset paging): stays fast and stable however far it goes. */
  page<const K extends keyof F = keyof F>(args: PageArgs<F, K> & Seen<O> & RunOptions): Promise<Page<Selected<F, K>>>
  /** All rows, `chunk` at a time; no cursor stays open, and rows written meanwhile may or may not be seen. */
  iterate<const K extends keyof F = keyof F>(
    args?: IterateArgs<F, K> & Seen<O> & RunOptions,
  ): AsyncIterable<Selected<F, K>>
  count(where?: Where<F>, options?: Seen<O> & RunOptions): Promise<number>
  /**
   * Counts, sums, averages, least and greatest values: one object, or with `groupBy` one for each group.
   *
   * @example
   * await db.users.aggregate({ groupBy: ['role'], count: true, avg: ['age'], having: { count: { $gt: 1 } } })
   * // [{ role: 'admin', count: 2, avg: { age: 36.5 } }]
   */
  aggregate<const A extends AggregateArgs<F> & Seen<O> & RunOptions>(
    args: A & Exact<A, AggregateArgs<F> & Seen<O> & RunOptions> & CheckAggregate<A>,
  ): Promise<Aggregated<F, A>>
  /** The values that a field has, each once, in ascending order; null first, if there is one. */
  distinct<K extends keyof F>(field: K, args?: DistinctArgs<F> & Seen<O> & RunOptions): Promise<RowOf<F>[K][]>
  /**
   * Rows whose words match: all of `words`, a `"phrase"`, the beginning of a word as `begin*`, `OR`, `NOT` or `-`,
   * `field:word`. Best matches first. Whatever a user types, it is no error.
   *
   * @example
   * await db.posts.search('sqlite brows*', { limit: 20, highlight: true })
   */
  search: [SearchedIn<F, O>] extends [never]
    ? TypeError<NotSearched>
    : <const A extends SearchArgs<F, SearchedIn<F, O>> & Seen<O> & RunOptions = {}>(
        words: string,
        args?: A & Exact<A, SearchArgs<F, SearchedIn<F, O>> & Seen<O> & RunOptions>,
      ) => Promise<Found<F, SearchedIn<F, O>, A>[]>
}

/** `F`: the fields that the app writes. */
interface ChangingTable<F extends Fields, Id, Stored> {
  /**
   * Changes some fields and returns the whole row. `NOT_FOUND`; with `version` `CONFLICT` when it has moved on, with the
   * row as it is now in `error.current`.
   */
  update(id: Id, patch: UpdateOf<F>, options?: { version?: number } & RunOptions): Promise<Stored>
  /** True if there was such a row. With `version` `CONFLICT`, as update. `FOREIGN_KEY`. */
  delete(id: Id, options?: { version?: number } & RunOptions): Promise<boolean>
  /** Adds the row, or changes the one that has the same `on`. */
  upsert(data: InsertOf<F>, options?: UpsertOptions<F> & RunOptions): Promise<Stored>
  /** Adds many rows in one transaction and one message. */
  bulkCreate(rows: readonly InsertOf<F>[], options?: BulkCreateOptions & RunOptions): Promise<Bulk<Id>>
  bulkUpdate(args: Target<F> & { set: UpdateOf<F> }, options?: RunOptions): Promise<Bulk<Id>>
  bulkUpsert(
    rows: readonly InsertOf<F>[],
    options?: { on?: keyof F | readonly (keyof F)[] } & RunOptions,
  ): Promise<Bulk<Id>>
  bulkDelete(args: Target<F>, options?: RunOptions): Promise<Bulk<Id>>
}

/** What an appendOnly model has of them. */
interface AppendOnlyTable<F extends Fields> {
  /** Adds the row, or gives back the one that has the same `on`. */
  upsert(data: InsertOf<F>, options: UpsertOptions<F> & { update: readonly [] } & RunOptions): Promise<RowOf<F>>
  /** Adds many rows in one transaction and one message. */
  bulkCreate(
    rows: readonly InsertOf<F>[],
    options?: BulkCreateOptions & { onConflict?: 'fail' | 'skip' } & RunOptions,
  ): Promise<Bulk<KeyOf<F>>>
}

/** What a model with softDelete has more. */
interface SoftDeleteTable<F extends Fields> {
  /** Brings a deleted row back. `NOT_FOUND` if none with this key is deleted; `UNIQUE`; with `version` `CONFLICT`. */
  restore(id: KeyOf<F>, options?: { version?: number } & RunOptions): Promise<RowOf<F>>
  /** Deletes, for good, a row that was deleted softly. True if there was one. `FOREIGN_KEY`. */
  purge(id: KeyOf<F>, options?: RunOptions): Promise<boolean>
  /** Brings back all deleted rows that pass, or none: `UNIQUE`. */
  bulkRestore(args: Target<F>, options?: RunOptions): Promise<Bulk<KeyOf<F>>>
  /** Deletes, for good, those of the deleted rows that pass. */
  bulkPurge(args: Target<F>, options?: RunOptions): Promise<Bulk<KeyOf<F>>>
}

/** The operations of a model of a database, run at once. */
export type Table<M extends AnyModel> = TableOf<FieldsOf<M>, OptionsOf<M>>

/** Runs one operation; the database's own, or a transaction's. */
export type RunOperation = (operation: Operation<any>, options: RunOptions) => Promise<any>

export function makeTable(model: PageModel, run: RunOperation): TableOf<Fields> {
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

/** The options of a run, checked; every other is unknown. Throws `BAD_OPTION`. */
export function checkRunOptions(options: unknown, model?: string, op?: string): RunOptions {
  return named({ model, op }, () => {
    const { signal, durability } = readOptions(options, ['signal', 'durability'])
    if (signal !== undefined && !(signal instanceof AbortSignal)) {
      throw badOption('signal is not an AbortSignal.', 'pass controller.signal.')
    }
    if (durability !== undefined && !['relaxed', 'strict', 'deferred'].includes(durability as string)) {
      throw badOption('durability knows no such level.', "use 'relaxed', 'strict' or 'deferred'.")
    }
    return { ...(signal ? { signal } : {}), ...(durability ? { durability: durability as Durability } : {}) }
  })
}

const ITERATE_OPTIONS = ['where', 'orderBy', 'limit', 'select', 'chunk', 'withDeleted', 'signal', 'durability']

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
