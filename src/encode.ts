// An operation value -> what crosses, and how its answer becomes the app's result.
import { assertObject, encodeAssignments, encodeKey, encodeRow, knownField, type Context } from './encode-row.js'
import { decodeCursor, encodeCursor } from './cursor.js'
import { rowDecoder, storedRow } from './decode.js'
import type { Operation } from './model.js'
import type { PageModel } from './resolve.js'
import { describe } from './shared/codec.js'
import type { StoredValue } from './shared/definition.js'
import { DataFlowError } from './shared/errors.js'
import { isEmptyCondition, parseWhere, type Condition } from './shared/filter.js'
import { didYouMean } from './shared/nearest.js'
import type {
  Conflict,
  OrderTerm,
  WireOperation,
  WireResult,
  WireRow,
  WireRows,
  WireWritten,
} from './shared/operation.js'

export interface Prepared {
  readonly wire: WireOperation
  decode(result: WireResult): unknown
}

/** Checks and encodes an operation on the calling thread. Throws a DataFlowError; nothing was sent. */
export function prepare(model: PageModel, operation: Operation<unknown>): Prepared {
  const context: Context = { model, op: operation.op }
  const { args } = operation
  switch (operation.op) {
    case 'create':
      return prepareCreate(args[0], context)
    case 'read':
    case 'readOrThrow':
      return prepareRead(args[0], readOptions(args[1], ['select'], context), context)
    case 'update':
      return prepareUpdate(args[0], args[1], readOptions(args[2], ['version'], context), context)
    case 'delete':
      return {
        wire: { op: 'delete', model: model.definition.name, id: encodeKey(args[0], context) },
        decode: result => result,
      }
    case 'list':
    case 'first':
      return prepareList(readOptions(args[0], ['where', 'orderBy', 'limit', 'offset', 'select'], context), context)
    case 'page':
      return preparePage(
        readOptions(args[0], ['where', 'orderBy', 'limit', 'after', 'before', 'select'], context),
        context,
      )
    case 'count':
      return {
        wire: { op: 'count', model: model.definition.name, where: parseFilter(args[0], context) },
        decode: result => result,
      }
    case 'upsert':
      return prepareUpsert(args[0], readOptions(args[1], ['on', 'update'], context), context)
    case 'bulkCreate':
      return prepareBulkCreate(args[0], readOptions(args[1], ['onConflict', 'onError'], context), context)
    case 'bulkUpsert': {
      const { on } = readOptions(args[1], ['on'], context)
      return prepareRows(args[0], { policy: 'update', on: conflictFields(on, context) }, false, context)
    }
    case 'bulkUpdate': {
      const options = readOptions(args[0], ['where', 'all', 'set'], context)
      const set = encodeAssignments(options.set, context)
      return bulkResult({ op: 'bulkUpdate', model: model.definition.name, where: target(options, context), set })
    }
    case 'bulkDelete': {
      const options = readOptions(args[0], ['where', 'all'], context)
      return bulkResult({ op: 'bulkDelete', model: model.definition.name, where: target(options, context) })
    }
  }
}

/** Options of an operation, every name known. */
function readOptions<K extends string>(value: unknown, known: readonly K[], context: Context): { [P in K]?: unknown } {
  if (value === undefined) return {}
  assertObject(value, 'The options', context)
  for (const name of Object.keys(value)) {
    if (!(known as readonly string[]).includes(name)) {
      throw badOption(`There is no option "${name.replaceAll('\0', '\\0')}".`, didYouMean(name, known), context)
    }
  }
  return value as { [P in K]?: unknown }
}

function badOption(text: string, hint: string, { model, op }: Context): DataFlowError {
  return new DataFlowError('BAD_OPTION', text, { model: model.definition.name, op, hint })
}

function prepareCreate(data: unknown, context: Context): Prepared {
  const { model } = context
  const row = encodeRow(data, context)
  return {
    wire: { op: 'create', model: model.definition.name, row },
    decode: result =>
      'json' in (result as object)
        ? rowDecoder(model, null)(result as WireRows)[0]
        : storedRow(model, row, (result as WireWritten).stamp),
  }
}

function prepareRead(id: unknown, options: { select?: unknown }, context: Context): Prepared {
  const { model, op } = context
  const key = encodeKey(id, context)
  const select = parseSelect(options.select, context)
  return {
    wire: { op: 'read', model: model.definition.name, id: key, select },
    decode(result) {
      const row = rowDecoder(model, select)(result as WireRows)[0]
      if (row === undefined && op === 'readOrThrow') throw notFound(context)
      return row ?? null
    },
  }
}

function notFound({ model, op }: Context): DataFlowError {
  return new DataFlowError('NOT_FOUND', 'there is no row with this key.', {
    model: model.definition.name,
    op,
    fields: [model.definition.key],
    hint: `use db.${model.accessor}.read(id) if the row may be missing.`,
  })
}

function prepareUpdate(id: unknown, patch: unknown, options: { version?: unknown }, context: Context): Prepared {
  const { model } = context
  const { version = null } = options
  if (version !== null && !Number.isSafeInteger(version)) {
    throw badOption('version must be a whole number.', 'pass the row.version that was read.', context)
  }
  if (version !== null && !model.fields.some(field => field.definition.kind === 'version')) {
    throw badOption(`${model.definition.name} has no version field.`, 'add one with t.version().', context)
  }
  const set = encodeAssignments(patch, context)
  return {
    wire: {
      op: 'update',
      model: model.definition.name,
      id: encodeKey(id, context),
      set,
      version: version as number | null,
    },
    decode: result => rowDecoder(model, null)(result as WireRows)[0],
  }
}

/** A filter that must hold something: null when it is left out or empty. */
function parseFilter(where: unknown, { model, op }: Context): Condition | null {
  if (where === undefined) return null
  const condition = parseWhere(model.definition, where, { op })
  return isEmptyCondition(condition) ? null : condition
}

/** Which rows a bulk write is about (semantics 23). */
function target(options: { where?: unknown; all?: unknown }, context: Context): Condition | null {
  const refuse = (text: string) =>
    new DataFlowError('BAD_FILTER', text, {
      model: context.model.definition.name,
      op: context.op,
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

function parseSelect(select: unknown, context: Context): string[] | null {
  if (select === undefined) return null
  if (!Array.isArray(select)) throw badOption('select must be a list of fields.', "select: ['id', 'name'].", context)
  if (select.length === 0) throw badOption('select names no field.', 'leave it out for all fields.', context)
  return [...new Set(select.map(name => knownField(String(name), context).definition.name))]
}

function parseOrder(orderBy: unknown, context: Context): OrderTerm[] {
  const { model } = context
  const objects = orderBy === undefined ? [] : Array.isArray(orderBy) ? orderBy : [orderBy]
  const terms = objects.flatMap(object => {
    assertObject(object, 'orderBy', context)
    return Object.entries(object).map(([name, direction]): OrderTerm => {
      knownField(name, context)
      if (direction === 'asc' || direction === 'desc') return { field: name, descending: direction === 'desc' }
      throw badOption(`orderBy.${name} is neither 'asc' nor 'desc'.`, "orderBy: { name: 'asc' }.", context)
    })
  })
  const seen = new Set<string>()
  const distinct = terms.filter(term => !seen.has(term.field) && seen.add(term.field))
  // Every order ends with the key, so it is total; what comes behind the key cannot matter.
  const key = distinct.findIndex(term => term.field === model.definition.key)
  return key === -1 ? [...distinct, { field: model.definition.key, descending: false }] : distinct.slice(0, key + 1)
}

function parseCount(value: unknown, name: string, context: Context): number | null {
  if (value === undefined) return null
  if (Number.isSafeInteger(value) && (value as number) >= 0) return value as number
  throw badOption(`${name} must be a whole number, not ${describe(value)}.`, `${name}: 20.`, context)
}

function prepareList(
  options: { where?: unknown; orderBy?: unknown; limit?: unknown; offset?: unknown; select?: unknown },
  context: Context,
): Prepared {
  const { model, op } = context
  const select = parseSelect(options.select, context)
  const limit = parseCount(options.limit, 'limit', context)
  const wire: WireOperation = {
    op: 'list',
    model: model.definition.name,
    where: parseFilter(options.where, context),
    order: parseOrder(options.orderBy, context),
    limit: op === 'first' ? Math.min(limit ?? 1, 1) : limit,
    offset: parseCount(options.offset, 'offset', context) ?? 0,
    select,
    after: null,
  }
  const decode = rowDecoder(model, select)
  return {
    wire,
    decode: op === 'first' ? rows => decode(rows as WireRows)[0] ?? null : rows => decode(rows as WireRows),
  }
}

function preparePage(
  options: { where?: unknown; orderBy?: unknown; limit?: unknown; after?: unknown; before?: unknown; select?: unknown },
  context: Context,
): Prepared {
  const { model } = context
  const select = parseSelect(options.select, context)
  const limit = parseCount(options.limit, 'limit', context)
  if (!limit) throw badOption('page needs a limit of at least 1.', 'page({ limit: 20 }).', context)
  if (options.after !== undefined && options.before !== undefined) {
    throw badOption('after and before exclude each other.', 'pass one of them.', context)
  }
  const order = parseOrder(options.orderBy, context)
  const unfit = order.find(({ field }) => ['json', 'blob'].includes(model.fieldNamed.get(field)!.definition.kind))
  if (unfit) {
    throw badOption(`Pages cannot be ordered by ${unfit.field}.`, 'order by text, numbers, dates or booleans.', context)
  }
  const backward = options.before !== undefined
  const cursor = options.after ?? options.before
  const after = cursor === undefined ? null : decodeCursor(cursor, order, context)
  // The cursor needs the order's fields, whether the app selects them or not.
  const fields = select === null ? null : [...new Set([...select, ...order.map(term => term.field)])]
  const wire: WireOperation = {
    op: 'list',
    model: model.definition.name,
    where: parseFilter(options.where, context),
    order: backward ? order.map(term => ({ ...term, descending: !term.descending })) : order,
    limit: limit + 1,
    offset: 0,
    select: fields,
    after: after && { values: after },
  }
  const decode = rowDecoder(model, fields)
  return {
    wire,
    decode(result) {
      const rows = decode(result as WireRows)
      const more = rows.length > limit
      if (more) rows.pop()
      if (backward) rows.reverse()
      const ends = [rows[0], rows.at(-1)].map(row => (row === undefined ? null : encodeCursor(row, order, model)))
      if (select !== null)
        for (const row of rows) for (const name of fields!) if (!select.includes(name)) delete row[name]
      return {
        items: rows,
        prev: (backward ? more : after !== null) ? ends[0] : null,
        next: (backward ? true : more) ? ends[1] : null,
      }
    },
  }
}

/** The fields of `on`: they must be the key or one of the unique lists, or SQLite could not look them up. */
function conflictFields(on: unknown, context: Context): string[] {
  const { definition } = context.model
  if (on === undefined) return [definition.key]
  const fields = (Array.isArray(on) ? on : [on]).map(name => knownField(String(name), context).definition.name)
  const same = (other: readonly string[]) =>
    other.length === fields.length && other.every(name => fields.includes(name))
  if (same([definition.key]) || definition.indexes.some(index => index.unique && same(index.fields))) return fields
  throw badOption('`on` names fields that are not unique together.', 'use the key, or declare them unique.', context)
}

/** Fields of `data` that an existing row takes: those that were given, without the key and what decides. */
function givenFields(data: unknown, on: readonly string[], { model }: Context): string[] {
  const given = Object.entries(data as object).filter(([, value]) => value !== undefined)
  return given.map(([name]) => name).filter(name => name !== model.definition.key && !on.includes(name))
}

function prepareUpsert(data: unknown, options: { on?: unknown; update?: unknown }, context: Context): Prepared {
  const { model } = context
  const on = conflictFields(options.on, context)
  const row = encodeRow(data, context)
  const { update } = options
  const changes =
    update === undefined
      ? { fields: givenFields(data, on, context) }
      : Array.isArray(update)
        ? { fields: update.map(name => writableField(String(name), context)) }
        : { set: encodeAssignments(update, context) }
  return {
    wire: { op: 'upsert', model: model.definition.name, row, on, update: changes },
    decode: result => rowDecoder(model, null)(result as WireRows)[0],
  }
}

function writableField(name: string, context: Context): string {
  const { definition } = knownField(name, context)
  if (!definition.readonly && !definition.primaryKey) return definition.name
  throw new DataFlowError('READONLY', `${name} cannot be updated.`, {
    model: context.model.definition.name,
    op: context.op,
    fields: [name],
    hint: `leave ${name} out of update.`,
  })
}

function prepareBulkCreate(
  rows: unknown,
  options: { onConflict?: unknown; onError?: unknown },
  context: Context,
): Prepared {
  const { onConflict = 'fail', onError = 'abort' } = options
  if (onConflict !== 'fail' && onConflict !== 'skip' && onConflict !== 'update') {
    throw badOption('onConflict knows no such policy.', "use 'fail', 'skip' or 'update'.", context)
  }
  if (onError !== 'abort' && onError !== 'collect') {
    throw badOption('onError knows no such policy.', "use 'abort' or 'collect'.", context)
  }
  const policy: Policy = onConflict === 'update' ? { policy: 'update', on: null } : { policy: onConflict }
  return prepareRows(rows, policy, onError === 'collect', context)
}

type Policy = { policy: 'fail' | 'skip' } | { policy: 'update'; on: readonly string[] | null }

function prepareRows(rows: unknown, policy: Policy, collect: boolean, context: Context): Prepared {
  const { model } = context
  if (!Array.isArray(rows)) {
    throw new DataFlowError('VALIDATION', `The rows must be an array, not ${describe(rows)}.`, {
      model: model.definition.name,
      op: context.op,
      hint: 'pass an array of rows.',
    })
  }
  const encoded: WireRow[] = []
  const indexes: number[] = []
  const failed: { index: number; error: DataFlowError }[] = []
  rows.forEach((data, index) => {
    try {
      encoded.push(encodeRow(data, context))
      indexes.push(index)
    } catch (error) {
      if (!DataFlowError.is(error)) throw error
      if (!collect) throw atIndex(error, index)
      failed.push({ index, error })
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
    wire: { op: 'insertMany', model: model.definition.name, rows: encoded, conflict, collect },
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

function bulkResult(wire: WireOperation): Prepared {
  return {
    wire,
    decode: result => {
      const { count, ids } = result as WireWritten
      return { count, ids: ids as StoredValue[], errors: [] }
    },
  }
}
