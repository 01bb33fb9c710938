// What must be done so that a table has its declared shape. Pure: shapes in, steps and differences out. A difference
// that no step handles is never skipped: it is listed, and the whole plan is refused.
import type { MigrationStep, SchemaDifference } from '../../src/shared/protocol.js'
import { addColumnSql, createIndexSql, createTableSql, dropIndexSql } from './ddl.js'
import type { ColumnShape, IndexShape, TableShape } from './shape.js'

/** A step with what the ledger keeps of it. */
export interface PlannedStep extends MigrationStep {
  readonly table: string
  readonly down: readonly string[] | null
}

export interface TablePlan {
  readonly steps: readonly PlannedStep[]
  readonly differences: readonly SchemaDifference[]
}

const step = (
  kind: MigrationStep['kind'],
  shape: TableShape,
  description: string,
  sql: string,
  down: string | null,
): PlannedStep => ({
  kind,
  model: shape.model,
  table: shape.table,
  description,
  sql: [sql],
  down: down === null ? null : [down],
  destructive: false,
})

const quoted = (name: string) => `"${name.replaceAll('"', '""')}"`

export function planNewTable(declared: TableShape): TablePlan {
  const create = createTableSql(declared)
  return {
    steps: [
      step('createTable', declared, `create table ${declared.table}`, create, `DROP TABLE ${quoted(declared.table)}`),
      ...declared.indexes.map(index => planIndex(declared, index)),
    ],
    differences: [],
  }
}

function planIndex(shape: TableShape, index: IndexShape): PlannedStep {
  const sql = createIndexSql(shape.table, index)
  return step('createIndex', shape, `create index ${index.name}`, sql, dropIndexSql(index.name))
}

function planDropIndex(shape: TableShape, index: IndexShape): PlannedStep {
  const down = createIndexSql(shape.table, index)
  return step('dropIndex', shape, `drop index ${index.name}`, dropIndexSql(index.name), down)
}

/** From the shape that a table has (stored, or introspected) to the declared one. */
export function planTable(actual: TableShape, declared: TableShape): TablePlan {
  const differences: SchemaDifference[] = []
  const differ = (message: string, field?: string) =>
    differences.push({ model: declared.model, ...(field === undefined ? {} : { field }), message })
  if (actual.table !== declared.table) differ(`is stored in table "${actual.table}", not in "${declared.table}"`)

  const steps: PlannedStep[] = []
  const before = new Map(actual.columns.map(column => [column.name, column]))
  for (const column of declared.columns) {
    const old = before.get(column.name)
    before.delete(column.name)
    if (old) {
      for (const message of compareColumns(old, column)) differ(message, column.name)
      continue
    }
    const refusal = whyNotAdded(column)
    if (refusal) differ(refusal, column.name)
    else {
      const down = `ALTER TABLE ${quoted(declared.table)} DROP COLUMN ${quoted(column.name)}`
      const text = `add column ${column.name} to ${declared.table}`
      steps.push(step('addColumn', declared, text, addColumnSql(declared.table, column), down))
    }
  }
  for (const column of before.values()) differ('is in the database, but no longer declared', column.name)
  for (const message of compareChecks(actual.checks, declared.checks)) differ(message)

  const indexes = new Map(actual.indexes.map(index => [index.name, index]))
  for (const index of declared.indexes) {
    const old = indexes.get(index.name)
    indexes.delete(index.name)
    if (old && old.unique === index.unique && old.columns.join('\0') === index.columns.join('\0')) continue
    if (old) steps.push(planDropIndex(declared, old))
    steps.push(planIndex(declared, index))
  }
  // An index under another kind of name was made by the app's own SQL: it stays.
  for (const index of indexes.values()) if (/^[iu]x:/.test(index.name)) steps.push(planDropIndex(declared, index))
  return { steps, differences }
}

/** Why ALTER TABLE ADD COLUMN cannot make this column (semantics 11), or null. */
function whyNotAdded(column: ColumnShape): string | null {
  if (column.primaryKey) return 'is a new key: a key cannot be added to an existing table'
  if (column.default !== null && !column.constantDefault) return 'is new with an SQL expression as its default'
  if (column.notNull && column.default === null) return 'is new and neither nullable nor defaulted'
  if (column.references && column.default !== null) return 'is a new reference with a default'
  return null
}

function compareColumns(old: ColumnShape, column: ColumnShape): string[] {
  const messages: string[] = []
  if (old.type !== column.type)
    messages.push(`is ${old.type || 'without a type'} in the database, declared as ${column.type}`)
  if (old.notNull !== column.notNull) {
    messages.push(
      old.notNull ? 'is NOT NULL in the database, declared nullable' : 'is nullable in the database, declared NOT NULL',
    )
  }
  if (old.primaryKey !== column.primaryKey)
    messages.push(old.primaryKey ? 'is the key in the database' : 'is not the key in the database')
  if (old.autoIncrement !== column.autoIncrement) messages.push('counts differently in the database (AUTOINCREMENT)')
  if (old.default !== column.default) {
    messages.push(`has the default ${old.default ?? 'none'} in the database, declared ${column.default ?? 'none'}`)
  }
  messages.push(...compareChecks(old.checks, column.checks))
  const [from, to] = [old.references, column.references]
  if (from?.table !== to?.table || from?.column !== to?.column || from?.onDelete !== to?.onDelete) {
    messages.push(`${describeReference(from)} in the database, declared: ${describeReference(to)}`)
  }
  return messages
}

function describeReference(reference: ColumnShape['references']): string {
  if (!reference) return 'refers to nothing'
  return `refers to ${reference.table}.${reference.column} (on delete ${reference.onDelete})`
}

function compareChecks(
  old: readonly { readonly name: string; readonly sql: string }[],
  checks: readonly { readonly name: string; readonly sql: string }[],
): string[] {
  const before = new Map(old.map(check => [check.name, check.sql]))
  const messages = checks.flatMap(check => {
    const sql = before.get(check.name)
    before.delete(check.name)
    if (sql === check.sql) return []
    return [
      sql === undefined
        ? `lacks the check ${check.name} in the database`
        : `has another check ${check.name} in the database`,
    ]
  })
  return [...messages, ...[...before.keys()].map(name => `has the check ${name} in the database, no longer declared`)]
}

/** `existingSchema`: what the declared model needs of a table that others made. Never a step. */
export function verifyExisting(actual: TableShape, declared: TableShape): SchemaDifference[] {
  const differences: SchemaDifference[] = []
  const differ = (message: string, field: string) => differences.push({ model: declared.model, field, message })
  const columns = new Map(actual.columns.map(column => [column.name, column]))
  for (const column of declared.columns) {
    const found = columns.get(column.name)
    columns.delete(column.name)
    if (!found) differ('is not in the table', column.name)
    else if (!isCompatible(found.type, column.type)) differ(`is ${found.type}, declared as ${column.type}`, column.name)
    else if (found.primaryKey !== column.primaryKey)
      differ(found.primaryKey ? 'is the key' : 'is not the key', column.name)
    else if (column.notNull && !found.notNull) differ('can be NULL, declared NOT NULL', column.name)
  }
  for (const extra of columns.values()) {
    if (extra.notNull && extra.default === null && !extra.primaryKey) {
      differ('is a column that needs a value, and is not declared', extra.name)
    }
  }
  return differences
}

/**
 * SQLite's rules of affinity. No affinity holds any of the declared types; NUMERIC would make a number of a text such as
 * '007', but not of a date in ISO form.
 */
function isCompatible(found: string, declared: string): boolean {
  const affinity = /INT/.test(found)
    ? 'INTEGER'
    : /CHAR|CLOB|TEXT/.test(found)
      ? 'TEXT'
      : /REAL|FLOA|DOUB/.test(found)
        ? 'REAL'
        : found === '' || /BLOB|DATE|TIME/.test(found)
          ? 'any'
          : 'NUMERIC'
  if (affinity === 'any' || affinity === declared) return true
  return (affinity === 'INTEGER' && declared === 'REAL') || (affinity === 'NUMERIC' && declared !== 'TEXT')
}
