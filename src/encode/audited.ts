// A row as the audit trail holds it -> as an app sees it: by what its fields are today, as far as they are there.
import type { PageModel } from '../resolve.js'
import type { FieldDefinition } from '../shared/definition.js'
import { fromHex, type AppRow } from '../shared/rows.js'

/** Fields first, in their order; what is no field any more stays as it was stored, under its column's name. */
export function decodeAudited({ fields }: PageModel, json: string): AppRow {
  const stored = new Map(Object.entries(JSON.parse(json) as Record<string, unknown>))
  const known = fields.flatMap(({ definition }): [string, unknown][] => {
    const { name, column, renamedFrom } = definition
    const from = [column, ...renamedFrom].find(other => stored.has(other))
    if (from === undefined) return []
    const value = stored.get(from)
    stored.delete(from)
    return [[name, decode(definition, value)]]
  })
  // A column that is no field may have the name of one.
  const left = [...stored].filter(([column]) => !known.some(([name]) => name === column))
  return Object.fromEntries([...known, ...left])
}

/** What does not fit the field of today was written for another one: it stays as it is. */
function decode({ kind }: FieldDefinition, value: unknown): unknown {
  switch (kind) {
    case 'blob':
      return typeof value === 'string' && /^X'(?:[\dA-F]{2})*'$/.test(value) ? fromHex(value.slice(2, -1)) : value
    case 'bigint':
      return isInteger(value) ? BigInt(value) : value
    case 'integer':
    case 'autoId':
      return isInteger(value) && Number.isSafeInteger(Number(value)) ? Number(value) : value
    case 'boolean':
      return value === 0 || value === 1 ? value === 1 : value
    case 'date':
    case 'createdAt':
    case 'updatedAt': {
      if (typeof value !== 'number' && typeof value !== 'string') return value
      const date = new Date(value)
      return Number.isNaN(date.getTime()) ? value : date
    }
    default:
      return value
  }
}

const isInteger = (value: unknown): value is string | number =>
  typeof value === 'string' ? /^-?\d+$/.test(value) : Number.isSafeInteger(value)
