// Out of a file that SQLite finds malformed, into a new one: every table with the rows that can still be read.
import { fillSql, isSearchTable } from '../src/shared/search.js'
import { quoteIdentifier } from '../src/shared/sql.js'
import { SqliteError, type Sqlite, type SqlCell, type SqlParam } from './seams.js'

export interface SalvagedTable {
  readonly table: string
  readonly rows: number
  /** False when reading ended at a damaged page: there may have been more. */
  readonly complete: boolean
}

interface SchemaRow {
  readonly type: string
  readonly name: string
  readonly sql: string
}

/** `from` is only read. Tables, then rows, then indexes, triggers and views; what cannot be made is left out and named. */
export function salvage(from: Sqlite, to: Sqlite): { tables: SalvagedTable[]; missing: string[] } {
  // The indexes of text searches are made anew from the rows.
  const [indexes, schema] = split(readSchema(from), ({ name }) => isSearchTable(name))
  const missing: string[] = []
  const make = (row: SchemaRow): boolean => {
    try {
      to.exec(row.sql)
      return true
    } catch (e) {
      if (!(e instanceof SqliteError)) throw e
      missing.push(`${row.type} ${row.name}`)
      return false
    }
  }
  to.run('PRAGMA foreign_keys = OFF')
  const tables = schema.filter(row => row.type === 'table' && make(row)).map(row => copyTable(from, to, row.name))
  for (const row of indexes.filter(isVirtual)) {
    if (make(row) && !untilDamage(() => void to.run(fillSql(row.name)))) missing.push(`rows of ${row.name}`)
  }
  // Only now: rows that triggers would write are among the rows.
  for (const row of schema) if (row.type !== 'table') make(row)
  to.run('PRAGMA foreign_keys = ON')
  return { tables, missing }
}

const isVirtual = ({ sql }: SchemaRow) => /^CREATE VIRTUAL TABLE/i.test(sql)

function split<T>(all: readonly T[], is: (one: T) => boolean): [T[], T[]] {
  return [all.filter(is), all.filter(one => !is(one))]
}

function readSchema(from: Sqlite): SchemaRow[] {
  const rows: SchemaRow[] = []
  // sqlite_sequence and the indexes of constraints make themselves.
  const sql =
    "SELECT type, name, sql FROM sqlite_schema WHERE sql IS NOT NULL AND name NOT LIKE 'sqlite\\_%' ESCAPE '\\'"
  untilDamage(() => {
    from.each(sql, [], row => rows.push({ type: row.text(0)!, name: row.text(1)!, sql: row.text(2)! }))
  })
  return rows
}

/** From the first row on, and from the last one back, each until a page cannot be read. */
function copyTable(from: Sqlite, to: Sqlite, table: string): SalvagedTable {
  const columns = columnsOf(to, table)
  const hasRowid = keepsRowid(to, table, columns)
  const names = [...(hasRowid ? ['rowid'] : []), ...columns.map(quoteIdentifier)]
  const source = `SELECT ${names.join(', ')} FROM ${quoteIdentifier(table)}`
  let rows = 0
  const insert = (cells: readonly SqlCell[]): void => {
    const places = cells.map(placeFor).join(', ')
    rows += to.run(
      `INSERT OR IGNORE INTO ${quoteIdentifier(table)} (${names.join(', ')}) VALUES (${places})`,
      cells.map(toParam),
    )
  }
  const read = (sql: string): boolean =>
    untilDamage(() => void from.each(sql, [], row => insert(row.columns.map((_, i) => row.value(i)))))
  const complete = to.atomically(() => {
    if (read(source)) return true
    // Rows that were read from the front are ignored when they come again.
    if (hasRowid) read(`${source} ORDER BY rowid DESC`)
    return false
  })
  return { table, rows, complete }
}

/** True when `read` came to its end. */
function untilDamage(read: () => void): boolean {
  try {
    read()
    return true
  } catch (e) {
    if (e instanceof SqliteError && !e.fatal) return false
    throw e
  }
}

/** The columns that can be written: all but generated ones. */
function columnsOf(db: Sqlite, table: string): string[] {
  const columns: string[] = []
  db.each('SELECT name FROM pragma_table_xinfo(?) WHERE hidden = 0', [table], row => columns.push(row.text(0)!))
  return columns
}

function keepsRowid(db: Sqlite, table: string, columns: readonly string[]): boolean {
  if (columns.some(name => name.toLowerCase() === 'rowid')) return false
  let withoutRowid = false
  db.each('SELECT wr FROM pragma_table_list(?)', [table], row => (withoutRowid ||= row.value(0) === 1))
  return !withoutRowid
}

/** sql.js binds no int64 (semantics 21). */
function placeFor(cell: SqlCell): string {
  const isInteger = typeof cell === 'bigint' || (typeof cell === 'number' && Number.isSafeInteger(cell))
  return isInteger ? 'CAST(? AS INTEGER)' : '?'
}

function toParam(cell: SqlCell): SqlParam {
  if (typeof cell === 'bigint') return String(cell)
  return typeof cell === 'number' && Number.isSafeInteger(cell) ? String(cell) : cell
}
