// From what is known of a table to its model: names, fields, options; and all that the model does not say.
import { defaultOf } from './defaults.js'
import type { ColumnFacts, TableFacts } from './facts.js'
import { indexesOf } from './indexes.js'
import { keyKind, kindCode, kindOf, NoKind, type Choice, type Kind } from './kind.js'
import { fieldNames, type TableNames } from './names.js'
import { count, listed, textCode } from './quote.js'
import { referencesOf, type KeyTarget, type Reference } from './references.js'
import { readTableText } from './table-text.js'

export interface Problem {
  readonly table: string
  readonly column?: string
  readonly message: string
  readonly leftOut: boolean
}

export interface FieldCode {
  readonly column: string
  readonly field: string
  /** Such as `t.text({ max: 160 }).nullable()`. */
  readonly code: string
  /** What its code begins with, if it is a reference. */
  readonly refers?: Reference['refers']
}

export interface ModelCode extends TableNames {
  readonly table: string
  readonly fields: readonly FieldCode[]
  /** What the options say: such as `['a', 'b']`. */
  readonly unique: readonly string[]
  readonly indexes: readonly string[]
}

/** A table that has a model: its key, and a kind for every column that can be said. */
export interface Candidate {
  readonly table: TableFacts
  readonly key: ColumnFacts
  readonly keyKind: Kind
  /** Counted by SQLite: the column is the rowid. */
  readonly counted: boolean
  readonly choices: ReadonlyMap<string, Choice>
  readonly problems: readonly Problem[]
}

/** A model has at most so many. */
const MOST_FIELDS = 1000

/** The candidate, or why the table is left out. */
export function candidateOf(table: TableFacts): Candidate | string {
  if (table.name === '' || /^dataflow_/i.test(table.name)) {
    return table.name === '' ? 'it has an empty name' : 'its name is reserved for the library'
  }
  if (table.columns.length > MOST_FIELDS) return `it has more than ${MOST_FIELDS} columns`
  const keys = table.columns.filter(column => column.keyAt > 0).sort((a, b) => a.keyAt - b.keyAt)
  const [key] = keys
  if (!key) return 'it has no primary key'
  if (keys.length > 1) return `its primary key is over several columns: ${listed(keys.map(({ name }) => name))}`
  const kind = keyKind(key)
  if (kind instanceof NoKind) return kind.reason
  if (key.name === '') return 'its key has an empty name'
  const problems: Problem[] = []
  const choices = new Map<string, Choice>()
  const leave = (column: ColumnFacts, message: string): string | null => {
    problems.push({ table: table.name, column: column.name, message, leftOut: true })
    const needed = column.notNull && column.default === null && !column.generated
    return needed ? `${column.name} needs a value, and ${message}` : null
  }
  for (const column of table.columns) {
    if (column === key) continue
    const choice = column.generated || column.name === '' ? null : kindOf(table.name, column)
    const why =
      choice === null
        ? leave(column, column.generated ? 'is made by SQLite (GENERATED)' : 'has an empty name')
        : choice instanceof NoKind
          ? leave(column, choice.reason)
          : null
    if (why !== null) return why
    if (choice && !(choice instanceof NoKind)) choices.set(column.name, choice)
  }
  return { table, key, keyKind: kind, counted: isRowid(table), choices, problems }
}

/** A key that is the rowid has no index of its own. */
function isRowid({ withoutRowid, indexes }: TableFacts): boolean {
  return !withoutRowid && !indexes.some(({ ofKey }) => ofKey)
}

export interface Context {
  readonly names: TableNames
  readonly targets: ReadonlyMap<string, KeyTarget | null>
  readonly reservedFields: Iterable<string>
}

export function modelOf(candidate: Candidate, context: Context): { model: ModelCode; problems: Problem[] } {
  const { table, key, choices } = candidate
  const problems = [...candidate.problems]
  const note = (message: string, column?: string): void => {
    problems.push({ table: table.name, ...(column === undefined ? {} : { column }), message, leftOut: false })
  }
  const columns = table.columns.filter(column => column === key || choices.has(column.name))
  const fieldOf = fieldNames(
    columns.map(({ name }) => name),
    context.reservedFields,
  )
  const found = referencesOf(table, key.name, context.targets)
  const indexes = indexesOf(table, key.name, fieldOf)
  const fields = columns.map((column): FieldCode => {
    const { name } = column
    const reference = found.references.get(name)
    const choice = reference ?? (column === key ? keyChoice(candidate) : choices.get(name)!)
    const made = column === key && candidate.counted ? null : defaultOf(column, choice.kind)
    for (const message of [...choice.notes, ...(made?.notes ?? [])]) note(message, name)
    const field = fieldOf.get(name)!
    const code = [
      choice.code ?? kindCode(withRoomFor(choice.kind, made?.length)),
      column === key && choice.code === undefined ? '.primaryKey()' : '',
      column === key || column.notNull ? '' : '.nullable()',
      made?.code ? `.default(${made.code})` : '',
      indexes.uniqueColumns.has(name) ? '.unique()' : '',
      indexes.indexedColumns.has(name) && !reference ? '.index()' : '',
      field === name ? '' : `.column(${textCode(name)})`,
    ]
    return { column: name, field, code: code.join(''), ...(reference ? { refers: reference.refers } : {}) }
  })
  for (const { column, message } of found.notes) note(message, column)
  for (const message of indexes.notes) note(message)
  noteText(candidate, note)
  const { unique, indexes: plain } = indexes
  return { model: { ...context.names, table: table.name, fields, unique, indexes: plain }, problems }
}

function keyChoice({ table, key, keyKind, counted }: Candidate): Choice {
  const { nulls } = key.values
  const notes = nulls > 0 ? [`is NULL in ${count(nulls, 'row')}: a key never is`] : []
  // The key of a row that belongs to another one is that one's, and not the next number.
  const isReference = table.foreignKeys.some(({ columns }) => columns.length === 1 && columns[0] === key.name)
  const makesItself = counted && keyKind.name === 'integer' && !isReference
  return { kind: keyKind, notes, ...(makesItself ? { code: 't.autoId()' } : {}) }
}

/** A default is not held to a limit that the file does not hold. */
function withRoomFor({ max, ...kind }: Kind, length = 0): Kind {
  return max === undefined || length > max ? kind : { ...kind, max }
}

/** What only the text of CREATE TABLE tells. */
function noteText({ table, key, choices }: Candidate, note: (message: string, column?: string) => void): void {
  const { checks, collations, onConflict } = readTableText(table.sql)
  if (table.withoutRowid) note('is WITHOUT ROWID, which no model declares')
  for (const check of checks) note(`CHECK (${shortened(check)}) is kept by SQLite, not declared`)
  for (const { name } of table.columns) {
    const collation = collations.get(name.toLowerCase())
    if (collation && (name === key.name || choices.has(name)))
      note(`is compared by ${collation}: filters and orders follow it`, name)
  }
  for (const action of onConflict) {
    note(`a constraint has ON CONFLICT ${action}: what breaks it is no error, SQLite acts by itself`)
  }
}

const shortened = (text: string) => (text.length > 120 ? `${text.slice(0, 119)}…` : text)
