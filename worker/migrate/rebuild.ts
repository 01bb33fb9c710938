// SQLite's way to change what ALTER TABLE cannot: a new table, the rows copied with their rowids, the old one dropped,
// the new one given its name. Foreign keys are off meanwhile, and references to the table keep its name.
import { quoteIdentifier, quoteLiteral } from '../../src/shared/sql.js'
import { createIndexSql, createTableSql, dropTableSql, renameTableSql } from './ddl.js'
import type { ColumnShape, TableShape } from './shape.js'

export interface Rebuild {
  readonly table: string
  /** Runs before the rows are copied. */
  readonly create: readonly string[]
  /** Without its WHERE: the copy may be done in ranges of rowids, which `rowid` names. */
  readonly copy: string
  readonly rowid: string
  /** What the old table itself calls its rowid. */
  readonly rowidNow: string
  /** The name of the new table until it takes the old one's place. */
  readonly made: string
  /**
   * The copy where every row comes over as it is, if the columns of both tables stand in the same order. SQLite may take
   * it record by record, with its rowid; it may not.
   */
  readonly asItIs: string | null
  /** Runs after: the old table goes, the new one takes its place. */
  readonly replace: readonly string[]
}

const q = quoteIdentifier
const NEW = 'dataflow_rebuilt'
export const ROWID = '"(rowid)"'

export interface RebuildParts {
  /** As the table is to be, orphans included. */
  readonly shape: TableShape
  /** As it is when the rebuild begins. */
  readonly stored: TableShape
  /** The value of each column of `shape`, over `rows`. */
  readonly values: readonly string[]
  readonly rows: string
}

export function rebuildTable({ shape, stored, values, rows }: RebuildParts): Rebuild {
  const { table } = shape
  // A column that is an INTEGER PRIMARY KEY is the rowid.
  const own = shape.columns.some(isRowid) ? null : freeRowidName(shape.columns)
  const into = [...(own ? [own] : []), ...shape.columns.map(({ name }) => q(name))].join(', ')
  const from = [...(own ? [ROWID] : []), ...values].join(', ')
  const counts = [shape, stored].every(({ columns }) => columns.some(({ autoIncrement }) => autoIncrement))
  return {
    table,
    create: [createTableSql(shape, NEW)],
    copy: `INSERT INTO ${q(NEW)} (${into}) SELECT ${from} FROM ${rows}`,
    rowid: ROWID,
    rowidNow: rowidOf(stored.columns),
    made: NEW,
    asItIs: isIdentity(shape, stored, values) ? `INSERT INTO ${q(NEW)} SELECT * FROM ${q(table)}` : null,
    replace: [
      ...(counts ? keepCounting(table) : []),
      dropTableSql(table),
      renameTableSql(NEW, table),
      ...shape.indexes.map(index => createIndexSql(table, index)),
    ],
  }
}

/**
 * The rows of a table, with its rowid: under the names that an expression may use, which are not always those that its
 * columns have. `more`: other names for some of them. Of two columns with one name it is the first one's.
 */
export function rowsOf(
  { table, columns }: TableShape,
  names: readonly (readonly [column: string, name: string])[] = columns.map(({ name }) => [name, name]),
  more: readonly (readonly [column: string, name: string])[] = [],
): string {
  const named = new Map<string, string>()
  for (const [column, name] of [...names, ...more]) {
    const key = name.toLowerCase()
    if (!named.has(key)) named.set(key, `${q(column)} AS ${q(name)}`)
  }
  const all = [`${rowidOf(columns)} AS ${ROWID}`, ...named.values()]
  return `(SELECT ${all.join(', ')} FROM ${q(table)}) AS ${q(table)}`
}

const isIdentity = (shape: TableShape, stored: TableShape, values: readonly string[]) =>
  shape.columns.length === stored.columns.length && stored.columns.every(({ name }, i) => values[i] === q(name))

const isRowid = (column: ColumnShape) => column.primaryKey && column.type === 'INTEGER'

function rowidOf(columns: readonly ColumnShape[]): string {
  const key = columns.find(isRowid)
  return key ? q(key.name) : freeRowidName(columns)
}

function freeRowidName(columns: readonly ColumnShape[]): string {
  const taken = new Set(columns.map(({ name }) => name.toLowerCase()))
  return ['rowid', '_rowid_', 'oid'].find(name => !taken.has(name)) ?? 'rowid'
}

/** Numbers that AUTOINCREMENT has given once are not given again. */
function keepCounting(table: string): string[] {
  const [before, after] = [quoteLiteral(table), quoteLiteral(NEW)]
  return [
    `INSERT INTO sqlite_sequence (name, seq) SELECT ${after}, 0 WHERE NOT EXISTS (SELECT 1 FROM sqlite_sequence WHERE name = ${after})`,
    `UPDATE sqlite_sequence SET seq = max(seq, coalesce((SELECT seq FROM sqlite_sequence WHERE name = ${before}), 0)) WHERE name = ${after}`,
  ]
}
