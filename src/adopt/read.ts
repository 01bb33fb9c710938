// Reads the schema of a file: what SQLite says of its tables, and of the values in them.
import {
  isDateType,
  type ColumnFacts,
  type FileFacts,
  type ForeignKeyFacts,
  type IndexFacts,
  type Query,
  type SqlCell,
  type TableFacts,
} from './facts.js'
import { literal } from './quote.js'
import { conditionOf } from './table-text.js'
import { readValues, type Declared } from './values.js'

export async function readFile(query: Query): Promise<FileFacts> {
  // What text search keeps is no table of an app.
  const own = "s.name GLOB 'dataflow_search(*' OR s.name GLOB 'tr:*:search:*'"
  const listed = await query(
    `SELECT s.name, s.sql, l.type, l.wr, l.strict FROM sqlite_schema AS s JOIN pragma_table_list AS l
     ON l.schema = 'main' AND l.name = s.name WHERE substr(s.name, 1, 7) <> 'sqlite_' AND NOT (${own}) ORDER BY s.rowid`,
  )
  const of = (type: string) => listed.filter(row => row.type === type)
  const triggers = await query(
    `SELECT s.name, s.tbl_name FROM sqlite_schema AS s WHERE s.type = 'trigger' AND NOT (${own}) ORDER BY s.rowid`,
  )
  const tables: TableFacts[] = []
  for (const row of of('table')) tables.push(await readTable(query, row))
  return {
    tables,
    views: of('view').map(({ name }) => String(name)),
    virtual: of('virtual').map(({ name, sql }) => ({
      name: String(name),
      module: /\bUSING\s+(\w+)/i.exec(String(sql))?.[1] ?? 'an unknown module',
    })),
    triggers: triggers.map(({ name, tbl_name }) => ({ name: String(name), table: String(tbl_name) })),
  }
}

async function readTable(query: Query, { name, sql, wr, strict }: Record<string, SqlCell>): Promise<TableFacts> {
  const table = String(name)
  const named = literal(table)
  const listed = await query(`SELECT name, type, "notnull", dflt_value, pk, hidden FROM pragma_table_xinfo(${named})`)
  const declared = listed.map((row): Declared & Omit<ColumnFacts, 'values'> => ({
    name: String(row.name),
    type: String(row.type),
    notNull: row.notnull === 1,
    default: row.dflt_value === null ? null : String(row.dflt_value),
    keyAt: Number(row.pk),
    generated: row.hidden !== 0,
  }))
  const { rows, values } = await readValues(query, table, declared)
  const columns: ColumnFacts[] = []
  for (const [i, column] of declared.entries()) {
    const made = isDateType(column.type) && column.default !== null ? await valueOf(query, column.default) : undefined
    columns.push({ ...column, values: values[i]!, ...(made === undefined ? {} : { defaultValue: made }) })
  }
  return {
    name: table,
    sql: String(sql),
    strict: strict === 1,
    withoutRowid: wr === 1,
    rows,
    columns,
    indexes: await readIndexes(query, named),
    foreignKeys: await readForeignKeys(query, named),
  }
}

/** What the text of a DEFAULT makes; undefined where it is no expression by itself, as a bare word is none. */
async function valueOf(query: Query, text: string): Promise<SqlCell | undefined> {
  try {
    const [row] = await query(`SELECT (${text}\n) AS value`)
    return row?.value
  } catch {
    return undefined
  }
}

async function readIndexes(query: Query, table: string): Promise<IndexFacts[]> {
  // The list has the newest first.
  const listed = await query(
    `SELECT l.name, l."unique", l.origin, l.partial, s.sql FROM pragma_index_list(${table}) AS l
     LEFT JOIN sqlite_schema AS s ON s.type = 'index' AND s.name = l.name ORDER BY l.seq DESC`,
  )
  const indexes: IndexFacts[] = []
  for (const { name, unique, origin, partial, sql } of listed) {
    const parts = await query(
      `SELECT name, "desc", coll FROM pragma_index_xinfo(${literal(String(name))}) WHERE key = 1 ORDER BY seqno`,
    )
    indexes.push({
      name: String(name),
      unique: unique === 1,
      where: partial === 1 ? conditionOf(String(sql)) : null,
      ofKey: origin === 'pk',
      columns: parts.map(part => ({
        name: part.name === null ? null : String(part.name),
        descending: part.desc === 1,
        collation: String(part.coll),
      })),
    })
  }
  return indexes
}

async function readForeignKeys(query: Query, table: string): Promise<ForeignKeyFacts[]> {
  const rows = await query(
    `SELECT id, "from", "table", "to", on_delete, on_update FROM pragma_foreign_key_list(${table}) ORDER BY id DESC, seq`,
  )
  const byId = new Map<SqlCell | undefined, typeof rows>()
  for (const row of rows) byId.set(row.id, [...(byId.get(row.id) ?? []), row])
  return Array.from(byId.values(), parts => ({
    columns: parts.map(part => String(part.from)),
    table: String(parts[0]!.table),
    to: parts.map(part => (part.to === null ? null : String(part.to))),
    onDelete: String(parts[0]!.on_delete),
    onUpdate: String(parts[0]!.on_update),
  }))
}
