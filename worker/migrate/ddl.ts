// Shapes -> DDL. Names are quoted; a DDL statement cannot bind, so literals are written by quoteLiteral.
import { quoteIdentifier } from '../../src/shared/sql.js'
import type { CheckShape, ColumnShape, IndexShape, TableShape } from './shape.js'

export function createTableSql(shape: Pick<TableShape, 'columns' | 'checks'>, table: string): string {
  const lines = [...shape.columns.map(columnSql), ...shape.checks.map(checkSql)]
  return `CREATE TABLE ${quoteIdentifier(table)} (\n  ${lines.join(',\n  ')}\n) STRICT`
}

export function addColumnSql(table: string, column: ColumnShape): string {
  return `ALTER TABLE ${quoteIdentifier(table)} ADD COLUMN ${columnSql(column)}`
}

export function createIndexSql(table: string, index: IndexShape): string {
  const columns = index.columns.map(name => `${quoteIdentifier(name)}${index.desc?.includes(name) ? ' DESC' : ''}`)
  const where = index.where === undefined ? '' : ` WHERE ${index.where}`
  return `CREATE ${index.unique ? 'UNIQUE ' : ''}INDEX ${quoteIdentifier(index.name)} ON ${quoteIdentifier(table)} (${columns.join(', ')})${where}`
}

export function dropTableSql(table: string): string {
  return `DROP TABLE ${quoteIdentifier(table)}`
}

export function renameTableSql(from: string, to: string): string {
  return `ALTER TABLE ${quoteIdentifier(from)} RENAME TO ${quoteIdentifier(to)}`
}

export function renameColumnSql(table: string, from: string, to: string): string {
  return `ALTER TABLE ${quoteIdentifier(table)} RENAME COLUMN ${quoteIdentifier(from)} TO ${quoteIdentifier(to)}`
}

export function dropColumnSql(table: string, column: string): string {
  return `ALTER TABLE ${quoteIdentifier(table)} DROP COLUMN ${quoteIdentifier(column)}`
}

export function dropIndexSql(name: string): string {
  return `DROP INDEX ${quoteIdentifier(name)}`
}

export function dropTriggerSql(name: string): string {
  return `DROP TRIGGER ${quoteIdentifier(name)}`
}

/** Exactly as it stands in the table's own text: introspection looks for it there. */
export function checkSql(check: CheckShape): string {
  return `CONSTRAINT ${quoteIdentifier(check.name)} CHECK (${endLine(check.sql)})`
}

/** The line ends behind a comment that the expression may end with. */
const endLine = (sql: string) => (sql.includes('--') ? `${sql}\n` : sql)

function columnSql(column: ColumnShape): string {
  const parts = [quoteIdentifier(column.name), column.type]
  if (column.primaryKey) parts.push('PRIMARY KEY')
  if (column.autoIncrement) parts.push('AUTOINCREMENT')
  if (column.notNull) parts.push('NOT NULL')
  if (column.default !== null)
    parts.push(`DEFAULT ${column.constantDefault ? column.default : `(${endLine(column.default)})`}`)
  parts.push(...column.checks.map(checkSql))
  if (column.references) {
    const { table, column: target, onDelete, onUpdate } = column.references
    parts.push(`REFERENCES ${quoteIdentifier(table)} (${quoteIdentifier(target)})`)
    if (onDelete !== 'no action') parts.push(`ON DELETE ${onDelete.toUpperCase()}`)
    if (onUpdate) parts.push(`ON UPDATE ${onUpdate.toUpperCase()}`)
  }
  return parts.join(' ')
}
