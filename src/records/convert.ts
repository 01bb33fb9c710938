// What stands in a file -> what a field takes. Only the form of a value is changed here: the field itself checks it.
import type { FieldDefinition } from '../shared/definition.js'

/** The text has not the form that it must have. */
export class WrongText extends Error {}

/** A cell of a CSV file. undefined: as if it had not been given. */
export function fromCell(field: FieldDefinition, cell: string): unknown {
  if (cell === '') {
    if (field.nullable) return null
    return field.kind === 'text' || field.kind === 'enum' ? cell : undefined
  }
  switch (field.kind) {
    case 'integer':
    case 'autoId':
    case 'version':
      return match(cell, /^[+-]?\d+$/, 'must be a whole number, such as 42', Number)
    case 'real':
      return match(cell, /^[+-]?(\d+\.?\d*|\.\d+)(e[+-]?\d+)?$/i, 'must be a number, such as 4.5', Number)
    case 'bigint':
      return toBigInt(cell)
    case 'boolean':
      return match(cell, /^(true|false|1|0)$/i, 'must be true, false, 1 or 0', text => /^(true|1)$/i.test(text))
    case 'date':
    case 'createdAt':
    case 'updatedAt':
      return toDate(field, cell.trim())
    case 'json':
      return toJson(cell)
    case 'blob':
      return toBytes(cell)
    default:
      return cell
  }
}

/** A value of a JSON file: JSON has all kinds but two. */
export function fromJson(field: FieldDefinition, value: unknown): unknown {
  if (field.kind === 'bigint' && Number.isSafeInteger(value)) return BigInt(value as number)
  if (field.kind === 'bigint' && typeof value === 'string') return toBigInt(value)
  return field.kind === 'blob' && typeof value === 'string' ? toBytes(value) : value
}

function match<T>(cell: string, form: RegExp, expected: string, convert: (text: string) => T): T {
  const text = cell.trim()
  if (!form.test(text)) throw new WrongText(expected)
  return convert(text)
}

const toBigInt = (cell: string) => match(cell, /^-?\d+$/, 'must be a whole number, such as 42', BigInt)

/** Digits alone are a time since the epoch, in the unit that the field stores. */
function toDate(field: FieldDefinition, text: string): unknown {
  // A year has four.
  if (!/^-?(\d{1,3}|\d{5,})$/.test(text)) return text
  return Number(text) * (field.date === 'seconds' ? 1000 : 1)
}

function toJson(cell: string): unknown {
  try {
    return JSON.parse(cell)
  } catch {
    throw new WrongText('must be JSON')
  }
}

function toBytes(cell: string): Uint8Array {
  try {
    return Uint8Array.from(atob(cell), character => character.charCodeAt(0))
  } catch {
    throw new WrongText('must be bytes in base64')
  }
}
