// db.users.bulkCreate and bulkUpsert: an array is one message, an iterable one for each chunk.
import { aborted, type RunOptions } from '../connect.js'
import { BulkAnswer, readRowRules, RowEncoder, ROWS_OPTIONS, type RowRules } from '../encode/bulk.js'
import { badOption, checkRunOptions, named, readOptions } from '../encode/options.js'
import type { Context } from '../encode/row.js'
import { tell } from '../events.js'
import { operationOf, type BulkProgress, type Operation } from '../model.js'
import type { PageModel } from '../resolve.js'
import type { WireOperation, WireWritten } from '../shared/operation.js'
import type { Scope } from '../shared/protocol.js'
import { Packer, sizeOf } from './packer.js'
import { Slices } from './slices.js'
import { Source } from './source.js'
import { writeStream } from './stream.js'

export interface ProgressOptions {
  /** Called now and then. */
  onProgress?(progress: BulkProgress): void
}

export interface StreamedOptions extends ProgressOptions {
  /** All chunks or none: the rows are gathered first, 64 MiB at most, and written in one transaction. */
  atomic?: boolean
}

/** How a bulk reaches the worker: the database's own way, or a transaction's. */
export interface RunBulk {
  /** In a transaction. */
  readonly leased: boolean
  readonly scope: Scope | null
  send(wire: WireOperation, options: RunOptions): Promise<WireWritten>
  /** `make` may take a while; what is called meanwhile goes behind it. */
  sendMade(make: () => Promise<WireOperation>, options: RunOptions): Promise<WireWritten>
}

type RunOperation = (operation: Operation<any>, options: RunOptions) => Promise<unknown>

/** Up to so many rows are encoded in one go, as an operation is. */
const SMALL = 200

export function bulkMethod(model: PageModel, op: 'bulkCreate' | 'bulkUpsert', run: RunOperation, runBulk: RunBulk) {
  const context: Context = { model, op, scope: runBulk.scope }
  const { name } = model.definition
  return async (rows: unknown, given?: unknown): Promise<unknown> => {
    const { own, rules, stream } = named({ model: name, op }, () => readAll(given, op, context))
    const { leased, send } = runBulk
    if (!Array.isArray(rows)) {
      const source = named({ model: name, op }, () => new Source(rows))
      return writeStream(source, { context, rules, options: { ...stream, leased }, send })
    }
    if (stream.atomic) {
      const error = badOption('An array is written in one transaction always.', 'leave atomic out.')
      throw error.with({ model: name, op })
    }
    const { onProgress, atomic: _, ...options } = stream
    if (rows.length <= SMALL && !onProgress) return run(operationOf(name, op, [rows, own]), options)
    return writeArray(rows, rules, { context, runBulk, options, ...(onProgress ? { onProgress } : {}) })
  }
}

const STREAMED = ['signal', 'durability', 'onProgress', 'atomic'] as const

function readAll(given: unknown, op: 'bulkCreate' | 'bulkUpsert', context: Context) {
  const read = readOptions(given, [...ROWS_OPTIONS[op], ...STREAMED])
  const own = Object.fromEntries(
    Object.entries(read).filter(([name]) => !(STREAMED as readonly string[]).includes(name)),
  )
  return { own, rules: readRowRules(own, context), stream: readStreamOptions(read) }
}

/** The options that every bulk of rows takes, checked. `atomic` is false if it is left out. */
export function readStreamOptions(read: { [K in (typeof STREAMED)[number]]?: unknown }) {
  const { signal, durability, onProgress, atomic = false } = read
  if (onProgress !== undefined && typeof onProgress !== 'function') {
    throw badOption('onProgress must be a function.', 'onProgress: ({ rows }) => { ... }.')
  }
  if (typeof atomic !== 'boolean') throw badOption('atomic is true or false.', 'atomic: true.')
  const progress = (onProgress ? { onProgress } : {}) as ProgressOptions
  return { ...checkRunOptions({ signal, durability }), ...progress, atomic }
}

interface ArrayParts extends ProgressOptions {
  readonly context: Context
  readonly runBulk: RunBulk
  readonly options: RunOptions
}

async function writeArray(given: readonly unknown[], rules: RowRules, parts: ArrayParts): Promise<unknown> {
  const { context, runBulk, options, onProgress } = parts
  const { model, op } = context
  // As it is now: the app may go on with its array.
  const rows = [...given]
  const answer = new BulkAnswer(rules.collect)
  const encoder = new RowEncoder(rules, context)
  const keyAt = model.fields.findIndex(field => field.definition.primaryKey)
  const packer = new Packer(keyAt)
  const tellRows = (done: number) => tell(onProgress, { rows: done, total: rows.length })
  const make = async (): Promise<WireOperation> => {
    const slices = new Slices()
    for (const [index, data] of rows.entries()) {
      answer.add(index, () => {
        const [row, list] = encoder.encode(data, index)
        const key = row[keyAt]
        packer.add(row, list, sizeOf(row))
        return key
      })
      if (!slices.over) continue
      tellRows(index + 1)
      await slices.pause()
      if (options.signal?.aborted) throw aborted(options.signal)
    }
    return {
      op: 'insertMany',
      method: op,
      model: model.definition.name,
      rows: [],
      packed: packer.take(),
      conflict: encoder.conflict,
      collect: rules.collect,
    }
  }
  const written = await runBulk.sendMade(make, options)
  tellRows(rows.length)
  return answer.decode(written)
}
