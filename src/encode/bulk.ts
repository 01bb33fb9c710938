// Bulk writes: rows with a conflict policy, or a condition. What crosses, and what was done back.
import type { StoredValue } from '../shared/definition.js'
import { DataFlowError } from '../shared/errors.js'
import type { Condition } from '../shared/filter.js'
import type { Conflict, WireOperation, WireRow, WireWritten } from '../shared/operation.js'
import { describe } from '../shared/codec.js'
import { badOption, type PreparedOperation } from './options.js'
import { parseFilter } from './query.js'
import { encodeRow, type Context } from './row.js'
import { givenFields } from './write.js'

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

export function prepareBulkCreate(
  rows: unknown,
  options: { onConflict?: unknown; onError?: unknown },
  context: Context,
): PreparedOperation {
  const { onConflict = 'fail', onError = 'abort' } = options
  if (onConflict !== 'fail' && onConflict !== 'skip' && onConflict !== 'update') {
    throw badOption('onConflict knows no such policy.', "use 'fail', 'skip' or 'update'.")
  }
  if (onError !== 'abort' && onError !== 'collect') {
    throw badOption('onError knows no such policy.', "use 'abort' or 'collect'.")
  }
  const policy: Policy = onConflict === 'update' ? { policy: 'update', on: null } : { policy: onConflict }
  return prepareRows(rows, policy, onError === 'collect', context)
}

type Policy = { policy: 'fail' | 'skip' } | { policy: 'update'; on: readonly string[] | null }

export function prepareRows(rows: unknown, policy: Policy, collect: boolean, context: Context): PreparedOperation {
  const { model } = context
  if (!Array.isArray(rows)) {
    throw new DataFlowError('VALIDATION', `The rows must be an array, not ${describe(rows)}.`, {
      hint: 'pass an array of rows.',
    })
  }
  const encoded: WireRow[] = []
  const indexes: number[] = []
  const failed: { index: number; error: DataFlowError }[] = []
  // Unlike forEach, it does not pass over holes.
  Array.from(rows, (data, index) => {
    try {
      encoded.push(encodeRow(data, context))
      indexes.push(index)
    } catch (error) {
      if (!DataFlowError.is(error)) throw error
      if (!collect) throw atIndex(error, index)
      failed.push({ index, error: error.with({ model: model.definition.name, op: context.op }) })
    }
  })
  const conflict: Conflict =
    policy.policy === 'update'
      ? overwriting(
          policy.on,
          indexes.map(i => rows[i]),
          context,
        )
      : policy
  const keyAt = model.fields.findIndex(field => field.definition.primaryKey)
  return {
    wire: {
      op: 'insertMany',
      model: model.definition.name,
      rows: encoded,
      conflict,
      collect,
    },
    decode(result) {
      const { ids, count, skipped = [], failed: rejected = [] } = result as WireWritten
      const left = new Set([...skipped, ...rejected.map(failure => failure.index)])
      const errors = rejected.map(({ index, error }) => ({
        index: indexes[index]!,
        error: DataFlowError.fromWire(error),
      }))
      return {
        count,
        ids: ids ?? encoded.filter((_, i) => !left.has(i)).map(row => row[keyAt]),
        errors: [...failed, ...errors].sort((a, b) => a.index - b.index),
      }
    },
  }
}

function overwriting(on: readonly string[] | null, rows: readonly unknown[], context: Context): Conflict {
  const lists: string[][] = []
  const numbers = new Map<string, number>()
  const listOf = rows.map(row => {
    const fields = givenFields(row, on ?? [], context)
    const key = fields.join()
    if (!numbers.has(key)) numbers.set(key, lists.push(fields) - 1)
    return numbers.get(key)!
  })
  return { policy: 'update', on, lists, listOf }
}

function atIndex(error: DataFlowError, index: number): DataFlowError {
  const issues = error.issues?.map(issue => ({ path: [index, ...issue.path], message: issue.message }))
  return error.with({
    ...(issues ? { issues } : {}),
    hint: `row ${index} is wrong; ${error.hint ?? 'nothing was written.'}`,
  })
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
