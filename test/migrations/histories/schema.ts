// What SQLite says of a database: every table as plain data, so that two can be compared whatever their texts look like.
import type { SqlCell } from '../../../worker/seams.js'
import type { Query } from './disk.js'
import { quoted } from './spec.js'

export interface ColumnSchema {
  readonly type: string
  readonly notNull: boolean
  readonly default: string | null
  readonly key: number
}

export interface IndexSchema {
  readonly unique: boolean
  readonly columns: readonly string[]
  /** Text of the condition of a partial index. */
  readonly where: string | null
}

export interface TableSchema {
  readonly strict: boolean
  readonly autoIncrement: boolean
  /** In their order. */
  readonly columns: ReadonlyMap<string, ColumnSchema>
  /** By name, with their texts. */
  readonly checks: ReadonlyMap<string, string>
  readonly references: readonly string[]
  /** By name; those that SQLite makes for a key have none. */
  readonly indexes: ReadonlyMap<string, IndexSchema>
}

export interface RegistryRow {
  readonly status: string
  readonly version: number
}

export interface Found {
  readonly tables: ReadonlyMap<string, TableSchema>
  readonly rows: ReadonlyMap<string, readonly Record<string, SqlCell>[]>
  /** The library's own tables. */
  readonly own: readonly string[]
  /** Triggers and views, and what else is neither table nor index. */
  readonly others: readonly string[]
  readonly registry: ReadonlyMap<string, RegistryRow>
  readonly sequences: ReadonlyMap<string, bigint>
  /** What integrity_check and foreign_key_check say. */
  readonly unsound: readonly string[]
}

// Other rows are about other things than models.
const REGISTRY =
  "SELECT model_name, status, version FROM dataflow_model_registry WHERE status IN ('active', 'orphan') ORDER BY 1"

const literal = (text: string) => `'${text.replaceAll("'", "''")}'`

export function find(query: Query): Found {
  const all = query('SELECT type, name, tbl_name, sql FROM sqlite_schema ORDER BY name')
  const names = all.filter(({ type }) => type === 'table').map(({ name }) => String(name))
  const own = names.filter(name => name.startsWith('dataflow_'))
  const tables = names.filter(name => !/^(dataflow|sqlite)_/.test(name))
  const has = (name: string) => names.includes(name)
  return {
    tables: new Map(tables.map(name => [name, tableSchema(query, name)])),
    rows: new Map(
      tables.map(name => [name, query(`SELECT _rowid_ AS "(rowid)", * FROM ${quoted(name)} ORDER BY _rowid_`)]),
    ),
    own,
    others: all
      .filter(({ type }) => type !== 'table' && type !== 'index')
      .map(({ type, name }) => `${type} ${name}`)
      .sort(),
    registry: new Map(
      has('dataflow_model_registry')
        ? query(REGISTRY).map(row => [
            String(row.model_name),
            { status: String(row.status), version: Number(row.version) },
          ])
        : [],
    ),
    sequences: new Map(
      has('sqlite_sequence')
        ? query('SELECT name, seq FROM sqlite_sequence').map(row => [
            String(row.name),
            BigInt(row.seq as number | bigint),
          ])
        : [],
    ),
    unsound: [
      ...all.flatMap(({ type, name }) => (type === 'view' ? brokenView(query, String(name)) : [])),
      ...query('PRAGMA integrity_check').map(row => String(row.integrity_check)),
      ...query('PRAGMA foreign_key_check').map(row => `${row.table} ${row.rowid} refers to no ${row.parent}`),
    ].filter(text => text !== 'ok'),
  }
}

function brokenView(query: Query, name: string): string[] {
  try {
    query(`SELECT * FROM ${quoted(name)}`)
    return []
  } catch (error) {
    return [`the view ${name}: ${String(error)}`]
  }
}

function tableSchema(query: Query, name: string): TableSchema {
  const table = literal(name)
  const [row] = query(`SELECT sql FROM sqlite_schema WHERE type = 'table' AND name = ${table}`)
  const text = String(row!.sql)
  const [listed] = query(`SELECT strict FROM pragma_table_list(${table}) WHERE schema = 'main'`)
  const columns = query(`SELECT name, type, "notnull", dflt_value, pk FROM pragma_table_xinfo(${table}) ORDER BY cid`)
  return {
    strict: listed?.strict === 1,
    autoIncrement: /\bAUTOINCREMENT\b/i.test(text),
    columns: new Map(
      columns.map(column => [
        String(column.name),
        {
          type: String(column.type),
          notNull: column.notnull === 1,
          default: column.dflt_value === null ? null : String(column.dflt_value),
          key: Number(column.pk),
        },
      ]),
    ),
    checks: new Map(checksOf(text)),
    references: query(`SELECT * FROM pragma_foreign_key_list(${table})`)
      .map(
        key =>
          `${key.from} -> ${key.table}.${key.to} on delete ${key.on_delete} on update ${key.on_update} match ${key.match}`,
      )
      .sort(),
    indexes: new Map(
      query(`SELECT name, "unique", origin FROM pragma_index_list(${table})`)
        .map(index => indexSchema(query, String(index.name), index.unique === 1, String(index.origin)))
        .sort(([a], [b]) => (a < b ? -1 : 1)),
    ),
  }
}

function indexSchema(query: Query, name: string, unique: boolean, origin: string): [string, IndexSchema] {
  const columns = query(`SELECT name, "desc", coll, key FROM pragma_index_xinfo(${literal(name)}) ORDER BY seqno`)
    .filter(column => column.key === 1)
    .map(column => `${column.name} ${column.desc === 1 ? 'desc' : 'asc'} ${column.coll}`)
  const [row] = query(`SELECT sql FROM sqlite_schema WHERE type = 'index' AND name = ${literal(name)}`)
  const words = tokens(String(row?.sql ?? ''))
  const at = words.findIndex(word => word.toUpperCase() === 'WHERE')
  const where = at < 0 ? null : words.slice(at + 1).join(' ')
  return [origin === 'c' ? name : `(${origin}) ${columns.join()}`, { unique, columns, where }]
}

/** SQL in its smallest parts: names and texts in quotes, comments left out. */
export function tokens(sql: string): string[] {
  const pattern = /--[^\n]*|\/\*[\s\S]*?\*\/|"(?:[^"]|"")*"|'(?:[^']|'')*'|\w+(?:\.\w+)?|[<>=!|]+|\S/g
  return [...sql.matchAll(pattern)]
    .map(match => match[0])
    .filter(word => !word.startsWith('--') && !word.startsWith('/*'))
}

/** CONSTRAINT "name" CHECK (...), of columns and of the table. */
function checksOf(sql: string): [string, string][] {
  const words = tokens(sql)
  return words.flatMap((word, i): [string, string][] => {
    if (word.toUpperCase() !== 'CHECK') return []
    let depth = 0
    let end = i + 1
    do {
      if (words[end] === '(') depth++
      if (words[end] === ')') depth--
      end++
    } while (depth > 0)
    const isNamed = words[i - 2]?.toUpperCase() === 'CONSTRAINT'
    const name = isNamed ? words[i - 1]!.slice(1, -1).replaceAll('""', '"') : `(nameless ${i})`
    return [[name, words.slice(i + 2, end - 1).join(' ')]]
  })
}
