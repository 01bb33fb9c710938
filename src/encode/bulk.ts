// Bulk writes: rows with a conflict policy, or a condition. What crosses, and what was done back.
import type { StoredValue } from '../shared/definition.js'
import { DataFlowError } from '../shared/errors.js'
import type { Condition } from '../shared/filter.js'
import type { Conflict, WireOperation, WireRow, WireWritten } from '../shared/operation.js'
import type { ListedRow } from '../shared/packed.js'
import { describe } from '../shared/codec.js'
import { badOption, type PreparedOperation } from './options.js'
import { parseFilter } from './query.js'
import { encodeNewRow, type Context, type NewRow } from './row.js'
import { conflictFields, givenFields } from './write.js'

/** Which rows a bulk write is about (semantics 23). */
export function target(options: { where?: unknown; all?: unknown }, context: Context): Condition | null {
  const refuse = (text: string) =>
    new DataFlowError('BAD_FILTER', text, {
      hint: 'say which rows with `where`, or `{ all: true }` for the whole table.',
    })
  if (options.all !== undefined) {
    if (options.all !== true) throw refuse('`all` can only be true.')
    if (options.where !== undefined) throw refuse('`all` and `where` exclude each other.')
    return null
  }
  const condition = parseFilter(options.where, context)
  if (condition === null) throw refuse('An empty filter would be every row.')
  return condition
}

/** By method: what says how rows are written. */
export const ROWS_OPTIONS = { bulkCreate: ['onConflict', 'onError'], bulkUpsert: ['on', 'onError'] } as const

/** What decides on conflicts, and what becomes of rows that fail. */
export interface RowRules {
  readonly policy: { readonly policy: 'fail' | 'skip' } | { readonly policy: 'update'; readonly on: string[] | null }
  readonly collect: boolean
}

/** The options of bulkCreate and bulkUpsert, checked. Throws `BAD_OPTION`. */
export function readRowRules(
  options: { onConflict?: unknown; onError?: unknown; on?: unknown },
  context: Context,
): RowRules {
  const { onConflict = 'fail', onError = 'abort' } = options
  if (onConflict !== 'fail' && onConflict !== 'skip' && onConflict !== 'update') {
    throw badOption('onConflict knows no such policy.', "use 'fail', 'skip' or 'update'.")
  }
  if (onError !== 'abort' && onError !== 'collect') {
    throw badOption('onError knows no such policy.', "use 'abort' or 'collect'.")
  }
  const collect = onError === 'collect'
  if (context.op === 'bulkUpsert') {
    return { policy: { policy: 'update', on: conflictFields(options.on, context) }, collect }
  }
  return { policy: onConflict === 'update' ? { policy: 'update', on: null } : { policy: onConflict }, collect }
}

/** Encodes rows one by one, and knows which fields each overwrites. */
export class RowEncoder {
  readonly #context: Context
  readonly #on: readonly string[] | null | undefined
  readonly #rules: RowRules
  readonly #lists: string[][] = []
  readonly #numbers = new Map<string, number>()

  constructor(rules: RowRules, context: Context) {
    this.#rules = rules
    this.#context = context
    this.#on = rules.policy.policy === 'update' ? rules.policy.on : undefined
  }

  /** Throws what is wrong with the row, which has this place in what the app gave. */
  encode(data: unknown, index: number): ListedRow {
    try {
      const encoded = encodeNewRow(data, this.#context)
      return [encoded.row, this.#on === undefined ? 0 : this.#listOf(data, encoded, this.#on ?? [])]
    } catch (error) {
      if (!DataFlowError.is(error)) throw error
      const { model, op } = this.#context
      throw (this.#rules.collect ? withPath(error, index) : atIndex(error, index)).with({
        model: model.definition.name,
        op,
      })
    }
  }

  /** For the rows so far. */
  get conflict(): Conflict {
    const { policy } = this.#rules
    return policy.policy === 'update' ? { ...policy, lists: [...this.#lists], listOf: [] } : policy
  }

  #listOf(data: unknown, encoded: NewRow, on: readonly string[]): number {
    const fields = givenFields(data, encoded, on, this.#context)
    const key = fields.join()
    let number = this.#numbers.get(key)
    if (number === undefined) this.#numbers.set(key, (number = this.#lists.push(fields) - 1))
    return number
  }
}

export function prepareRows(rows: unknown, rules: RowRules, context: Context): PreparedOperation {
  const { model } = context
  if (!Array.isArray(rows)) {
    throw new DataFlowError('VALIDATION', `The rows must be an array, not ${describe(rows)}.`, {
      hint: 'pass an array of rows.',
    })
  }
  const encoder = new RowEncoder(rules, context)
  const answer = new BulkAnswer(rules.collect)
  const keyAt = model.fields.findIndex(field => field.definition.primaryKey)
  const encoded: WireRow[] = []
  const listOf: number[] = []
  // Unlike forEach, it does not pass over holes.
  Array.from(rows, (data, index) =>
    answer.add(index, () => {
      const [row, list] = encoder.encode(data, index)
      encoded.push(row)
      listOf.push(list)
      return row[keyAt]
    }),
  )
  const { conflict } = encoder
  return {
    wire: {
      op: 'insertMany',
      model: model.definition.name,
      rows: encoded,
      conflict: conflict.policy === 'update' ? { ...conflict, listOf } : conflict,
      collect: rules.collect,
    },
    decode: result => answer.decode(result as WireWritten),
  }
}

/** Which rows were sent, and what an app hears of all of them. */
export class BulkAnswer {
  readonly #collect: boolean
  readonly #keys: (StoredValue | undefined)[] = []
  readonly #indexes: number[] = []
  readonly #failed: BulkFailure[] = []

  constructor(collect: boolean) {
    this.#collect = collect
  }

  /** Takes the next row, which `encode` makes and gives the key of. Its error is thrown, or collected. */
  add(index: number, encode: () => StoredValue | undefined): void {
    try {
      this.#keys.push(encode())
      this.#indexes.push(index)
    } catch (error) {
      if (!this.#collect || !DataFlowError.is(error)) throw error
      this.#failed.push({ index, error })
    }
  }

  decode({ ids, count, skipped = [], failed = [] }: WireWritten): { count: number; ids: unknown; errors: unknown } {
    const left = new Set([...skipped, ...failed.map(failure => failure.index)])
    const errors = failed.map(({ index, error }) => ({
      index: this.#indexes[index]!,
      error: withPath(DataFlowError.fromWire(error), this.#indexes[index]!),
    }))
    return {
      count,
      ids: ids ?? this.#keys.filter((_, i) => !left.has(i)),
      errors: [...this.#failed, ...errors].sort((a, b) => a.index - b.index),
    }
  }
}

export interface BulkFailure {
  readonly index: number
  readonly error: DataFlowError
}

/** Where it is in the rows, not in the row. */
export function withPath(error: DataFlowError, index: number): DataFlowError {
  const issues = error.issues?.map(issue => ({ path: [index, ...issue.path], message: issue.message }))
  return issues ? error.with({ issues }) : error
}

/** Says which row of the input it is. */
export function atIndex(error: DataFlowError, index: number): DataFlowError {
  return withPath(error, index).with({ hint: `row ${index} is wrong; ${error.hint ?? 'nothing was written.'}` })
}

export function bulkResult(wire: WireOperation): PreparedOperation {
  return {
    wire,
    decode: result => {
      const { count, ids } = result as WireWritten
      return { count, ids: ids as StoredValue[], errors: [] }
    },
  }
}
