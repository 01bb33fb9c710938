// The database itself against what is known of it: changes that somebody made by raw SQL, and tables that others made. A
// difference is never mended here: it is told, each by itself.
import { canHold } from '../../src/shared/affinity.js'
import type { SchemaDifference } from '../../src/shared/protocol.js'
import { compareManaged } from './managed.js'
import type { ColumnShape, TableShape } from './shape.js'

/** What is different in the table, indexes aside: those are made again without loss. */
export function driftOf(actual: TableShape, expected: TableShape): SchemaDifference[] {
  const differences: SchemaDifference[] = []
  const differ = (message: string, field?: string) =>
    differences.push({ model: expected.model, ...(field === undefined ? {} : { field }), message })
  const found = new Map(actual.columns.map(column => [column.name, column]))
  for (const column of expected.columns) {
    const is = found.get(column.name)
    found.delete(column.name)
    if (!is) differ('is not in the database', column.name)
    else for (const message of compareColumns(is, column)) differ(message, column.name)
  }
  for (const column of found.values()) differ('is in the database, but not declared', column.name)
  for (const message of compareChecks(actual.checks, expected.checks)) differ(message)
  for (const message of compareManaged(actual, expected)) differ(message)
  return differences
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
  if (
    from?.table !== to?.table ||
    from?.column !== to?.column ||
    from?.onDelete !== to?.onDelete ||
    from?.onUpdate !== to?.onUpdate
  ) {
    messages.push(`${describeReference(from)} in the database, declared: ${describeReference(to)}`)
  }
  return messages
}

function describeReference(reference: ColumnShape['references']): string {
  if (!reference) return 'refers to nothing'
  return `refers to ${reference.table}.${reference.column} (on delete ${reference.onDelete}${reference.onUpdate ? `, on update ${reference.onUpdate}` : ''})`
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
    else if (!canHold(found.type, column.type, isJson(column)))
      differ(`is ${found.type}, declared as ${column.type}`, column.name)
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

const isJson = ({ checks }: ColumnShape) => checks.some(({ sql }) => sql.startsWith('json_valid('))
