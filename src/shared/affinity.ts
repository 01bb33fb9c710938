// What a column of somebody else's can hold: SQLite goes by words in the declared type.
import type { ColumnType } from './definition.js'

export type Affinity = ColumnType | 'NUMERIC'

/** SQLite's own rules, in their order. A column without a type is as one of BLOB: values stay as they are. */
export function affinityOf(declared: string): Affinity {
  const type = declared.toUpperCase()
  if (type.includes('INT')) return 'INTEGER'
  if (/CHAR|CLOB|TEXT/.test(type)) return 'TEXT'
  if (type === '' || type.includes('BLOB')) return 'BLOB'
  return /REAL|FLOA|DOUB/.test(type) ? 'REAL' : 'NUMERIC'
}

/**
 * Whether a column of the declared type keeps what a field stores. NUMERIC would make a number of a text such as '007', but
 * not of a date in ISO form, nor of a JSON text other than a number.
 */
export function canHold(declared: string, stored: string, isJson = false): boolean {
  const affinity = affinityOf(declared)
  if (affinity === 'BLOB' || affinity === stored) return true
  if (affinity === 'INTEGER') return stored === 'REAL'
  if (affinity !== 'NUMERIC') return false
  return stored !== 'TEXT' || /DATE|TIME/i.test(declared) || (isJson && /JSON/i.test(declared))
}
