// read, list, first, page, count: what crosses, and rows back.
import { describe } from '../shared/codec.js'
import type { FieldDefinition } from '../shared/definition.js'
import { DataFlowError } from '../shared/errors.js'
import { isEmptyCondition, parseWhere, type Condition } from '../shared/filter.js'
import type { OrderTerm, WireOperation, WireResults, WireRows } from '../shared/operation.js'
import { decodeCursor, encodeCursor } from './cursor.js'
import { rowDecoder } from './decode.js'
import { badOption, type PreparedOperation } from './options.js'
import { assertObject, encodeKey, knownField, type Context } from './row.js'

export function prepareRead(id: unknown, options: { select?: unknown }, context: Context): PreparedOperation {
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

function notFound({ model }: Context): DataFlowError {
  return new DataFlowError('NOT_FOUND', 'there is no row with this key.', {
    fields: [model.definition.key],
    hint: `use db.${model.accessor}.read(id) if the row may be missing.`,
  })
}

/** A filter that must hold something: null when it is left out or empty. */
export function parseFilter(where: unknown, { model, op, references }: Context): Condition | null {
  if (where === undefined) return null
  const reference =
    references &&
    ((value: unknown, { name }: FieldDefinition, operator: string) =>
      references.toWire(value, model.fieldNamed.get(name)!, operator))
  const condition = parseWhere(model.definition, where, { op, ...(reference ? { reference } : {}) })
  return isEmptyCondition(condition) ? null : condition
}

function parseSelect(select: unknown, context: Context): string[] | null {
  if (select === undefined) return null
  if (!Array.isArray(select)) throw badOption('select must be a list of fields.', "select: ['id', 'name'].")
  if (select.length === 0) throw badOption('select names no field.', 'leave it out for all fields.')
  return [...new Set(Array.from(select, name => knownField(String(name), context).definition.name))]
}

function parseOrder(orderBy: unknown, context: Context): OrderTerm[] {
  const { model } = context
  const objects = orderBy === undefined ? [] : Array.isArray(orderBy) ? orderBy : [orderBy]
  const terms = objects.flatMap(object => {
    assertObject(object, 'orderBy', context)
    return Object.entries(object).map(([name, direction]): OrderTerm => {
      knownField(name, context)
      if (direction === 'asc' || direction === 'desc') return { field: name, descending: direction === 'desc' }
      throw badOption(`orderBy.${name} is neither 'asc' nor 'desc'.`, "orderBy: { name: 'asc' }.")
    })
  })
  const seen = new Set<string>()
  const distinct = terms.filter(term => !seen.has(term.field) && seen.add(term.field))
  // Every order ends with the key, so it is total; what comes behind the key cannot matter.
  const key = distinct.findIndex(term => term.field === model.definition.key)
  return key === -1 ? [...distinct, { field: model.definition.key, descending: false }] : distinct.slice(0, key + 1)
}

export function parseCount(value: unknown, name: string): number | null {
  if (value === undefined) return null
  if (Number.isSafeInteger(value) && (value as number) >= 0) return value as number
  throw badOption(`${name} must be a whole number of 0 or more, not ${describe(value)}.`, `${name}: 20.`)
}

export function prepareList(
  options: { where?: unknown; orderBy?: unknown; limit?: unknown; offset?: unknown; select?: unknown },
  context: Context,
): PreparedOperation {
  const { model, op } = context
  const select = parseSelect(options.select, context)
  const limit = parseCount(options.limit, 'limit')
  const wire: WireOperation = {
    op: 'list',
    model: model.definition.name,
    where: parseFilter(options.where, context),
    order: parseOrder(options.orderBy, context),
    limit: op === 'first' ? Math.min(limit ?? 1, 1) : limit,
    offset: parseCount(options.offset, 'offset') ?? 0,
    select,
    after: null,
  }
  const decode = rowDecoder(model, select)
  return {
    wire,
    decode:
      op === 'first'
        ? rows => decode(rows as WireResults['list'])[0] ?? null
        : rows => decode(rows as WireResults['list']),
  }
}

export function preparePage(
  options: { where?: unknown; orderBy?: unknown; limit?: unknown; after?: unknown; before?: unknown; select?: unknown },
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
      const rows = decode(result as WireResults['list'])
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
