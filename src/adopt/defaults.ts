// The DEFAULT of a column, as a model says it. A constant where one can be told apart, else the same SQL: SQLite then makes
// the value, by its own DEFAULT.
import { makesForm } from './dates.js'
import type { ColumnFacts } from './facts.js'
import type { Kind } from './kind.js'
import { sqlCode, textCode } from './quote.js'

export interface Default {
  /** What stands in `.default()`; null for none. */
  readonly code: string | null
  /** Characters of a constant text. */
  readonly length?: number
  readonly notes: readonly string[]
}

const NONE: Default = { code: null, notes: [] }
const NUMBER = /^[+-]?(?:\d+\.?\d*|\.\d+)(?:e[+-]?\d+)?$/i
const TEXT = /^(?:'((?:[^']|'')*)'|"((?:[^"]|"")*)")$/

export function defaultOf(column: ColumnFacts, kind: Kind): Default {
  const text = column.default?.trim()
  if (text === undefined || /^null$/i.test(text)) return NONE
  const constant = constantOf(text, kind)
  if (constant !== null) return constant
  if (kind.name !== 'date' || makesForm(column, kind.date!)) return { code: sqlCode(text), notes: [] }
  const note = `has the default ${text}, which is no date in this form`
  if (/CURRENT_|'now'/i.test(text)) return { code: '() => new Date()', notes: [`${note}: the page makes one that is`] }
  return { code: null, notes: [`${note}: it is not declared`] }
}

function constantOf(text: string, { name }: Kind): Default | null {
  switch (name) {
    case 'text': {
      const [, single, double] = TEXT.exec(text) ?? []
      const value = single?.replaceAll("''", "'") ?? double?.replaceAll('""', '"')
      return value === undefined ? null : { code: textCode(value), length: value.length, notes: [] }
    }
    case 'boolean': {
      const bit = { '0': 'false', '1': 'true', false: 'false', true: 'true' }[text.toLowerCase()]
      return bit === undefined ? null : { code: bit, notes: [] }
    }
    case 'integer':
    case 'bigint':
    case 'real': {
      if (!NUMBER.test(text)) return null
      const value = Number(text) + 0
      if (name === 'bigint') return /^-?\d{1,18}$/.test(text) ? { code: `${BigInt(text)}n`, notes: [] } : null
      const fits = name === 'integer' ? Number.isSafeInteger(value) : Number.isFinite(value)
      return fits ? { code: String(value), notes: [] } : null
    }
    default:
      return null
  }
}
