// What the database really has: a shape read back from SQLite, for tables without a stored definition and for drift.
import { quoteLiteral } from '../../src/shared/sql.js'
import { checkSql, createIndexSql } from './ddl.js'
import { isOwnTrigger } from '../seams.js'
import { managed } from './managed.js'
import type { ColumnShape, IndexShape, TableShape } from './shape.js'

type Action = 'cascade' | 'set null' | 'restrict'

/** Runs one SELECT and gives its rows as objects: the only thing that introspection needs of a database. */
export type Query = (sql: string) => Record<string, string | number | null>[]

export interface IntrospectedTable {
  readonly shape: TableShape
  readonly strict: boolean
}

export function hasTable(query: Query, table: string): boolean {
  const name = quoteLiteral(table)
  return query(`SELECT 1 FROM sqlite_schema WHERE type = 'table' AND name = ${name} COLLATE NOCASE`).length > 0
}

/**
 * The table that `declared` describes, as it is; null when there is none. CHECKs cannot be listed: those that are
 * declared are looked for in the table's text, and so are others that bear our names.
 */
export function introspect(query: Query, declared: TableShape): IntrospectedTable | null {
  const table = quoteLiteral(declared.table)
  const [found] = query(`SELECT name, sql FROM sqlite_schema WHERE type = 'table' AND name = ${table} COLLATE NOCASE`)
  if (!found) return null
  const text = String(found.sql)
  const [listed] = query(`SELECT strict FROM pragma_table_list(${table}) WHERE schema = 'main'`)
  const references = new Map(
    query(`SELECT "from", "table", "to", on_delete, on_update FROM pragma_foreign_key_list(${table})`).map(row => {
      const [onDelete, onUpdate] = [row.on_delete, row.on_update].map(action => String(action).toLowerCase())
      return [
        String(row.from).toLowerCase(),
        {
          table: String(row.table),
          column: String(row.to),
          onDelete: onDelete! as Action | 'no action',
          ...(onUpdate === 'no action' ? {} : { onUpdate: onUpdate! as Action }),
        },
      ]
    }),
  )
  const declaredColumns = new Map(declared.columns.map(column => [column.name.toLowerCase(), column]))
  const columns = query(`SELECT name, type, "notnull", dflt_value, pk, hidden FROM pragma_table_xinfo(${table})`).map(
    (row): ColumnShape => {
      const name = String(row.name)
      const known = declaredColumns.get(name.toLowerCase())
      const isKey = row.pk !== 0
      return {
        // SQLite's names ignore case: the declared spelling is the same column.
        name: known?.name ?? name,
        type: String(row.type).toUpperCase(),
        ...(known?.date ? { date: known.date } : {}),
        ...(known?.orphan ? { orphan: known.orphan } : {}),
        // An INTEGER PRIMARY KEY is never NULL, whatever its declaration says; nobody gives a generated column its value.
        notNull: (row.notnull !== 0 && row.hidden === 0) || (isKey && known?.notNull === true),
        primaryKey: isKey,
        autoIncrement: isKey && /\bAUTOINCREMENT\b/i.test(text),
        default: row.dflt_value === null ? null : String(row.dflt_value),
        constantDefault: known?.constantDefault ?? true,
        checks: (known?.checks ?? []).filter(check => text.includes(checkSql(check))),
        references: references.get(name.toLowerCase()) ?? null,
      }
    },
  )
  const declaredIndexes = new Map(declared.indexes.map(index => [index.name, index]))
  const texts = new Map(
    query(`SELECT name, sql FROM sqlite_schema WHERE type = 'index' AND tbl_name = ${table} COLLATE NOCASE`).map(
      row => [String(row.name), row.sql],
    ),
  )
  const indexes = query(`SELECT name, "unique", origin, partial FROM pragma_index_list(${table})`)
    // Indexes of an inline PRIMARY KEY or UNIQUE are part of the table.
    .filter(row => row.origin === 'c')
    .map((row): IndexShape => {
      const name = String(row.name)
      const known = declaredIndexes.get(name)
      if (known && texts.get(name) === createIndexSql(declared.table, known)) return known
      const parts = query(`SELECT name FROM pragma_index_info(${quoteLiteral(name)}) ORDER BY seqno`)
      const where = row.partial === 0 ? {} : { where: '' }
      return { name, columns: parts.map(part => String(part.name)), unique: row.unique !== 0, ...where }
    })
  const expected = new Set(declared.checks.concat(declared.columns.flatMap(column => column.checks)).map(c => c.name))
  const strangers = [...text.matchAll(/CONSTRAINT "(ck:(?:[^"]|"")*)" CHECK/g)]
    .map(match => match[1]!.replaceAll('""', '"'))
    .filter(name => !expected.has(name))
  const triggers = query(
    `SELECT name, sql FROM sqlite_schema WHERE type = 'trigger' AND tbl_name = ${table} COLLATE NOCASE`,
  )
    .map(row => ({ name: String(row.name), sql: String(row.sql) }))
    .filter(({ name }) => isOwnTrigger(name))
  const [search] = declared.search
    ? query(`SELECT sql FROM sqlite_schema WHERE type = 'table' AND name = ${quoteLiteral(declared.search.name)}`)
    : []
  const checks = declared.checks.filter(check => text.includes(checkSql(check)))
  return {
    shape: {
      model: declared.model,
      table: declared.table,
      columns,
      indexes,
      checks: [...checks, ...strangers.map(name => ({ name, sql: '' }))],
      ...managed(triggers, search ? { name: declared.search!.name, sql: String(search.sql) } : null),
    },
    strict: listed?.strict === 1,
  }
}
