// A page's cursor: the values of the order's fields in one row, as opaque text.
import type { Context } from './row.js'
import type { PageModel } from '../resolve.js'
import { encodeValue } from '../shared/codec.js'
import type { StoredValue } from '../shared/definition.js'
import { DataFlowError } from '../shared/errors.js'
import type { OrderTerm } from '../shared/operation.js'

const signature = (order: readonly OrderTerm[]) =>
  order.map(term => `${term.descending ? '-' : '+'}${term.field}`).join()

/** The cursor of a row that was read. */
export function encodeCursor(row: Record<string, unknown>, order: readonly OrderTerm[], model: PageModel): string {
  const values = order.map(({ field }) => {
    const value = row[field]
    // A row that is there may be longer than `max` allows today.
    const { max: _max, ...definition } = model.fieldNamed.get(field)!.definition
    const stored = value === null ? null : encodeValue(definition, value)
    // JSON holds neither bigints nor infinities.
    return typeof stored === 'bigint' || (typeof stored === 'number' && !Number.isFinite(stored))
      ? [String(stored)]
      : stored
  })
  const bytes = new TextEncoder().encode(JSON.stringify([signature(order), ...values]))
  return btoa(Array.from(bytes, byte => String.fromCharCode(byte)).join(''))
    .replaceAll('+', '-')
    .replaceAll('/', '_')
}

/** The values in a cursor. Throws `BAD_OPTION` for one of another list. */
export function decodeCursor(cursor: unknown, order: readonly OrderTerm[], { model }: Context): StoredValue[] {
  const refuse = (cause?: unknown) =>
    new DataFlowError(
      'BAD_OPTION',
      'The cursor is not of a page with this order.',
      { hint: 'pass `next` or `prev` of a page with the same orderBy.' },
      cause,
    )
  let parsed: unknown
  try {
    const bytes = atob(String(cursor).replaceAll('-', '+').replaceAll('_', '/'))
    parsed = JSON.parse(new TextDecoder().decode(Uint8Array.from(bytes, char => char.charCodeAt(0))))
  } catch (error) {
    throw refuse(error)
  }
  if (!Array.isArray(parsed) || parsed.length !== order.length + 1 || parsed[0] !== signature(order)) throw refuse()
  return order.map(({ field }, i) => {
    const { kind, type } = model.fieldNamed.get(field)!.definition
    const value: unknown = parsed[i + 1]
    if (value === null) return null
    if (type === 'TEXT' ? typeof value === 'string' : typeof value === 'number') return value as StoredValue
    if (!Array.isArray(value)) throw refuse()
    const text = String(value[0])
    if (kind === 'bigint' ? !/^-?\d+$/.test(text) : !/^-?Infinity$/.test(text)) throw refuse()
    return kind === 'bigint' ? BigInt(text) : Number(text)
  })
}
