// A database in plain JavaScript: tables with the columns they were declared with and their rows, and which conditions
// of a release its rows break.
import { defaultSql, defaultValue, factsOfKind, fieldCheck, kindCheck, type Condition } from './kinds.js'
import {
  fieldNamed,
  keyOf,
  modelNamed,
  sameName,
  show,
  type ColumnType,
  type DateForm,
  type FieldSpec,
  type IndexSpec,
  type ModelSpec,
  type Release,
  type Stored,
} from './spec.js'

export interface Column {
  readonly name: string
  readonly type: ColumnType
  readonly form: DateForm | null
  readonly notNull: boolean
  readonly key: boolean
  /** Texts of its conditions. */
  readonly checks: readonly string[]
  /** No longer declared; kept with its values. */
  readonly orphan: boolean
}

export interface TableRow {
  readonly rowid: number | bigint
  /** By column. */
  readonly values: Readonly<Record<string, Stored>>
}

export interface Table {
  readonly model: string
  readonly table: string
  /** The model is no longer declared. */
  readonly orphan: boolean
  /** The largest key that AUTOINCREMENT ever gave; null for keys of other kinds. */
  readonly sequence: bigint | null
  readonly columns: readonly Column[]
  readonly rows: readonly TableRow[]
}

/** The tables that were made: those of other models wait for their first operation. */
export type World = readonly Table[]

export const tableOf = (world: World, model: string): Table | undefined =>
  world.find(table => table.model === model && !table.orphan)

/** All conditions of a field's own. */
export const conditionsOf = (field: FieldSpec): Condition[] =>
  [fieldCheck(field), field.ref ? null : kindCheck(field)].filter(condition => condition !== null)

export function columnOf(field: FieldSpec, release: Release): Column {
  const { type, form } = factsOfKind(field, release)
  return {
    name: field.column,
    type,
    form,
    notNull: !field.nullable,
    key: field.key,
    checks: conditionsOf(field).map(condition => condition.sql),
    orphan: false,
  }
}

export const newTable = (model: ModelSpec, release: Release): Table => ({
  model: model.name,
  table: model.table,
  orphan: false,
  sequence: keyOf(model).kind === 'autoId' ? 0n : null,
  columns: model.fields.map(field => columnOf(field, release)),
  rows: [],
})

/** What SQLite itself fills in; undefined for nothing. */
export function databaseDefault(field: FieldSpec): Stored | undefined {
  if (field.kind === 'version') return 1
  if (!field.fallback || field.fallback.how === 'function') return undefined
  return field.fallback.how === 'sql' ? defaultSql(field, field.fallback)[1] : defaultValue(field, field.fallback)
}

/** An INTEGER key is the rowid. */
export const hasRowidKey = (model: ModelSpec): boolean => ['autoId', 'integer', 'bigint'].includes(keyOf(model).kind)

/** A condition that rows break. An error has to name the model, and one of the fields if there are any. */
export interface Issue {
  readonly model: string
  readonly fields: readonly string[]
  readonly why: string
}

/** Everything that the rows of these tables break. */
export function violationsOf(world: World, release: Release): Issue[] {
  return release.flatMap(model => {
    const table = tableOf(world, model.name)
    return table ? violationsOfTable(table, model, release, world) : []
  })
}

function violationsOfTable({ rows }: Table, model: ModelSpec, release: Release, world: World): Issue[] {
  const issues: Issue[] = []
  const tell = (fields: readonly string[], why: string) => issues.push({ model: model.name, fields, why })
  const valuesOf = (field: string) => rows.map(row => valueOf(row, model, field))
  for (const field of model.fields) {
    const values = valuesOf(field.name)
    const given = values.filter((value): value is Exclude<Stored, null> => value !== null)
    if (!field.nullable && given.length < values.length) tell([field.name], 'NULL in a field that is NOT NULL')
    for (const { sql, fits } of conditionsOf(field)) {
      if (!given.every(fits)) tell([field.name], `the check ${sql}`)
    }
    if ((field.key || field.unique) && hasDuplicates(given.map(value => [value]))) tell([field.name], 'not unique')
    if (field.ref && !given.every(value => keysOf(world, release, field.ref!.model).has(show(value)))) {
      tell([field.name], 'dangling')
    }
  }
  for (const index of model.indexes.filter(other => other.unique)) {
    const names = index.on.map(({ field }) => field)
    const tuples = rows.filter(row => isIn(index, row, model)).map(row => names.map(name => valueOf(row, model, name)))
    if (hasDuplicates(tuples.filter(tuple => !tuple.includes(null)))) tell(names, 'not unique together')
  }
  for (const { how, fields } of model.checks) {
    const [first, second] = fields.map(valuesOf)
    const isBroken = first!.some((value, i) => {
      const empty = [value, second![i]!].filter(item => item === null).length
      return empty === (how === 'either' ? 2 : 0)
    })
    if (isBroken) tell(fields, `the check of the model (${how})`)
  }
  return issues
}

function isIn({ where }: IndexSpec, row: TableRow, model: ModelSpec): boolean {
  if (!where) return true
  const isNull = valueOf(row, model, where.field) === null
  return isNull === (where.is === 'null')
}

const hasDuplicates = (tuples: readonly (readonly Stored[])[]): boolean =>
  new Set(tuples.map(show)).size < tuples.length

function keysOf(world: World, release: Release, name: string): ReadonlySet<string> {
  const { column } = keyOf(modelNamed(release, name)!)
  return new Set(tableOf(world, name)?.rows.map(row => show(row.values[column]!)))
}

const valueOf = (row: TableRow, model: ModelSpec, field: string): Stored =>
  row.values[fieldNamed(model, field).column] as Stored

/** The column of that name, as SQLite would find it. */
export const columnNamed = (columns: readonly Column[], name: string): Column | undefined =>
  columns.find(column => sameName(column.name, name))
