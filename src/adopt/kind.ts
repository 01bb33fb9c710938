// Which kind of field reads and writes a column. A declared type is a hint; what counts is that every value that is there
// can be read, and that nothing the app writes is changed by SQLite.
import { affinityOf, canHold } from '../shared/affinity.js'
import type { ColumnType } from '../shared/definition.js'
import { dateForm, type DateForm } from './dates.js'
import { isDateType, isJsonType, present, type ColumnFacts, type ValueFacts } from './facts.js'
import { count, listed, quoted } from './quote.js'

export interface Kind {
  readonly name: 'text' | 'integer' | 'bigint' | 'real' | 'boolean' | 'date' | 'json' | 'blob'
  readonly stores: ColumnType
  readonly max?: number
  readonly date?: DateForm
}

export interface Choice {
  readonly kind: Kind
  readonly notes: readonly string[]
  /** How the field is made, where the kind does not say it. */
  readonly code?: string
}

/** Why no kind of field is right for a column. */
export class NoKind {
  readonly reason: string

  constructor(reason: string) {
    this.reason = reason
  }
}

const TEXT: Kind = { name: 'text', stores: 'TEXT' }
const INTEGER: Kind = { name: 'integer', stores: 'INTEGER' }
const BIGINT: Kind = { name: 'bigint', stores: 'INTEGER' }
const REAL: Kind = { name: 'real', stores: 'REAL' }
const BOOLEAN: Kind = { name: 'boolean', stores: 'INTEGER' }
const JSON_TEXT: Kind = { name: 'json', stores: 'TEXT' }
const BLOB: Kind = { name: 'blob', stores: 'BLOB' }

export function kindOf(table: string, column: ColumnFacts): Choice | NoKind {
  const choice = byType(table, column)
  if (choice instanceof NoKind) return choice
  const { kind, notes } = choice
  if (canHold(column.type, kind.stores, kind.name === 'json')) return choice
  const changes =
    kind.stores === 'TEXT' ? `makes numbers of texts such as '007'` : `changes what t.${kind.name}() writes`
  return new NoKind([...notes, `${declared(column)}, where SQLite ${changes}`].join('; '))
}

function byType(table: string, column: ColumnFacts): Choice | NoKind {
  const { type, values } = column
  if (isDateType(type)) return dateKind(table, column)
  if (/BOOL|^BIT(?:\(1\))?$/i.test(type)) {
    if (isOnly(values, 'integers') && isBit(values)) return chosen(BOOLEAN)
    return noted(byStorage(column), 'holds values other than 0 and 1: no t.boolean()')
  }
  if (isJsonType(type)) return jsonKind(column)
  return byStorage(column)
}

const chosen = (kind: Kind, ...notes: string[]): Choice => ({ kind, notes })

function noted(choice: Choice | NoKind, note: string): Choice | NoKind {
  if (choice instanceof NoKind) return new NoKind(`${note}; ${choice.reason}`)
  return { ...choice, notes: [note, ...choice.notes] }
}

type StorageClass = 'integers' | 'reals' | 'texts' | 'blobs'

/** No value of another storage class. True without any value. */
const isOnly = (values: ValueFacts, ...classes: StorageClass[]): boolean =>
  classes.reduce((sum, name) => sum + values[name], 0) === present(values)

const isBit = ({ min, max }: ValueFacts) => min === null || (min >= 0 && max! <= 1)

const isSafe = ({ min, max }: ValueFacts) => typeof min !== 'bigint' && typeof max !== 'bigint'

export const integerKind = (values: ValueFacts): Kind => (isSafe(values) ? INTEGER : BIGINT)

function dateKind(table: string, column: ColumnFacts): Choice | NoKind {
  const { form, notes } = dateForm(table, column)
  if (form !== null) return { kind: { name: 'date', stores: form === 'text' ? 'TEXT' : 'INTEGER', date: form }, notes }
  const { values } = column
  if (values.blobs > 0) return new NoKind(`${notes[0]!}, which no kind of field reads`)
  if (values.texts > 0 || present(values) === 0) return { kind: TEXT, notes }
  return { kind: values.reals > 0 ? REAL : integerKind(values), notes }
}

function jsonKind(column: ColumnFacts): Choice | NoKind {
  const { values } = column
  if (values.blobs > 0) {
    return isOnly(values, 'blobs') ? chosen(BLOB, 'holds JSON as blobs (JSONB): no t.json()') : mixed(column)
  }
  if (values.notJson > 0)
    return noted(
      byStorage(column),
      `holds ${count(values.notJson, 'text')} that ${values.notJson === 1 ? 'is' : 'are'} no JSON`,
    )
  if (values.spacedJson === 0) return chosen(JSON_TEXT)
  return chosen(
    JSON_TEXT,
    'holds JSON with blanks between its parts, which $eq does not find: it compares canonical texts',
  )
}

function byStorage(column: ColumnFacts): Choice | NoKind {
  const { type, values } = column
  const none = present(values) === 0
  switch (affinityOf(type)) {
    case 'TEXT':
      return isOnly(values, 'texts') ? textKind(column) : mixed(column)
    case 'INTEGER':
      if (!isOnly(values, 'integers', 'reals')) return mixed(column)
      return values.reals === 0 ? chosen(integerKind(values)) : realKind(column)
    case 'REAL':
      return isOnly(values, 'integers', 'reals') ? chosen(REAL) : mixed(column)
    case 'BLOB':
      return type === '' ? untyped(column) : blobKind(column)
    case 'NUMERIC':
      if (!none && isOnly(values, 'texts')) return chosen(TEXT)
      if (isOnly(values, 'blobs') && (!none || /BINARY|IMAGE|BYTE/i.test(type))) return chosen(BLOB)
      if (!isOnly(values, 'integers', 'reals')) return mixed(column)
      // A price is 10 in one row and 9.5 in the next.
      if (none || values.reals > 0 || /DEC|NUM|MONEY|CURRENCY|PRICE/i.test(type)) return chosen(REAL)
      return chosen(integerKind(values))
  }
}

function untyped(column: ColumnFacts): Choice | NoKind {
  const { values } = column
  const note = declared(column)
  if (present(values) === 0) return chosen(TEXT, `${note} and no value: taken for text`)
  if (isOnly(values, 'texts')) return chosen(TEXT, `${note}: taken for what it holds`)
  if (isOnly(values, 'blobs')) return chosen(BLOB, `${note}: taken for what it holds`)
  if (isOnly(values, 'integers')) return chosen(integerKind(values), `${note}: taken for what it holds`)
  if (isOnly(values, 'integers', 'reals')) return chosen(REAL, `${note}: taken for what it holds`)
  return mixed(column)
}

function blobKind(column: ColumnFacts): Choice | NoKind {
  const { values } = column
  if (isOnly(values, 'blobs')) return chosen(BLOB)
  if (isOnly(values, 'texts')) return chosen(TEXT, 'is declared as BLOB, and holds texts')
  return chosen(BLOB, `holds ${inventory(values)}; reads give the bytes of each`)
}

/** A limit that a row breaks is none; of all others the app is held to it, as it would be by another database. */
function textKind({ type, values }: ColumnFacts): Choice {
  const [, digits] = /CHAR[^(]*\(\s*(\d+)/i.exec(type) ?? []
  const max = Number(digits ?? 0)
  if (max === 0) return chosen(TEXT)
  if (values.longest <= max) return chosen({ ...TEXT, max })
  return chosen(TEXT, `holds texts of more than ${max} characters (${values.longest}): no \`max\``)
}

function realKind({ type, values }: ColumnFacts): Choice {
  return chosen(REAL, `is ${type}, and holds ${count(values.reals, 'fraction')}`)
}

function mixed(column: ColumnFacts): NoKind {
  return new NoKind(
    `${declared(column)} and holds ${inventory(column.values)}, told apart by typeof(${quoted(column.name)})`,
  )
}

const declared = ({ type }: ColumnFacts) => (type === '' ? 'has no declared type' : `is ${type}`)

function inventory({ integers, reals, texts, blobs }: ValueFacts): string {
  const parts = [
    [texts, 'text'],
    [integers + reals, 'number'],
    [blobs, 'blob'],
  ] as const
  return listed(parts.filter(([n]) => n > 0).map(([n, what]) => count(n, what)))
}

/** The kind of a single key, or why there is none. */
export function keyKind(column: ColumnFacts): Kind | NoKind {
  const { type, values } = column
  const affinity = affinityOf(type)
  const numbers = affinity === 'INTEGER' || affinity === 'NUMERIC' || affinity === 'BLOB'
  if (numbers && isOnly(values, 'integers') && (present(values) > 0 || affinity !== 'BLOB')) return integerKind(values)
  if (isOnly(values, 'texts') && canHold(type, 'TEXT') && (present(values) > 0 || affinity === 'TEXT')) {
    const { kind } = textKind(column)
    return kind
  }
  const held = present(values) > 0 ? ` and holds ${inventory(values)}` : ''
  return new NoKind(`its key ${column.name} ${declared(column)}${held}: a key is text, or a whole number`)
}

/** Whether a column can be read as a reference to a key of this kind. */
export function holdsKey(column: ColumnFacts, key: Kind): boolean {
  const { type, values } = column
  if (key.stores === 'TEXT') return isOnly(values, 'texts') && canHold(type, 'TEXT')
  if (!isOnly(values, 'integers') || !canHold(type, 'INTEGER')) return false
  return key.name === 'bigint' || isSafe(values)
}

/** The call that makes the field, without what follows it. */
export function kindCode({ name, max, date }: Kind): string {
  if (max !== undefined) return `t.text({ max: ${max} })`
  return date === undefined || date === 'ms' ? `t.${name}()` : `t.date({ as: '${date}' })`
}
