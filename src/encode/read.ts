// read, list, first, page, count: what crosses, and rows back.
import { DataFlowError } from '../shared/errors.js'
import type { WireOperation } from '../shared/operation.js'
import { decodeCursor, encodeCursor } from './cursor.js'
import { readingOf } from './include.js'
import { badOption, type PreparedOperation } from './options.js'
import { parseCount, parseFilter, parseOrder, parseSelect } from './query.js'
import { encodeKey, type Context } from './row.js'

export function prepareRead(
  id: unknown,
  options: { select?: unknown; include?: unknown },
  context: Context,
): PreparedOperation {
  const { model, op } = context
  const key = encodeKey(id, context)
  const { decode, ...reading } = readingOf(parseSelect(options.select, context), options.include, context)
  return {
    wire: { op: 'read', model: model.definition.name, id: key, ...reading },
    decode(result) {
      const row = decode(result)[0]
      if (row === undefined && op === 'readOrThrow') throw notFound(context)
      return row ?? null
    },
  }
}

function notFound({ model }: Context): DataFlowError {
  return new DataFlowError('NOT_FOUND', 'there is no row with this key.', {
    fields: [model.definition.key],
    hint: `use db.${model.accessor}.read(id) if the row may be missing.`,
  })
}

export function prepareList(
  options: {
    where?: unknown
    orderBy?: unknown
    limit?: unknown
    offset?: unknown
    select?: unknown
    include?: unknown
  },
  context: Context,
): PreparedOperation {
  const { model, op } = context
  const { decode, ...reading } = readingOf(parseSelect(options.select, context), options.include, context)
  const limit = parseCount(options.limit, 'limit')
  const wire: WireOperation = {
    op: 'list',
    model: model.definition.name,
    where: parseFilter(options.where, context),
    order: parseOrder(options.orderBy, context),
    limit: op === 'first' ? Math.min(limit ?? 1, 1) : limit,
    offset: parseCount(options.offset, 'offset') ?? 0,
    after: null,
    ...reading,
  }
  return { wire, decode: op === 'first' ? rows => decode(rows)[0] ?? null : decode }
}

export function preparePage(
  options: {
    where?: unknown
    orderBy?: unknown
    limit?: unknown
    after?: unknown
    before?: unknown
    select?: unknown
    include?: unknown
  },
  context: Context,
): PreparedOperation {
  const { model } = context
  const select = parseSelect(options.select, context)
  const limit = parseCount(options.limit, 'limit')
  if (!limit) throw badOption('page needs a limit of at least 1.', 'page({ limit: 20 }).')
  if (options.after !== undefined && options.before !== undefined) {
    throw badOption('after and before exclude each other.', 'pass one of them.')
  }
  const order = parseOrder(options.orderBy, context)
  const unfit = order.find(({ field }) => ['json', 'blob'].includes(model.fieldNamed.get(field)!.definition.kind))
  if (unfit) {
    throw badOption(`Pages cannot be ordered by ${unfit.field}.`, 'order by text, numbers, dates or booleans.')
  }
  const backward = options.before !== undefined
  // null is refused as no cursor: behind the last page it would begin again.
  const cursor = backward ? options.before : options.after
  const after = cursor === undefined ? null : decodeCursor(cursor, order, context)
  // The cursor needs the order's fields, whether the app selects them or not.
  const fields = select === null ? null : [...new Set([...select, ...order.map(term => term.field)])]
  const { decode, ...reading } = readingOf(fields, options.include, context)
  const wire: WireOperation = {
    op: 'list',
    model: model.definition.name,
    where: parseFilter(options.where, context),
    order: backward ? order.map(term => ({ ...term, descending: !term.descending })) : order,
    limit: limit + 1,
    offset: 0,
    after: after && { values: after },
    ...reading,
  }
  return {
    wire,
    decode(result) {
      const rows = decode(result)
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
