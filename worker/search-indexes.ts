// The indexes of text searches as a part of the whole file: they know rows by their rowids, which not everybody keeps.
import { fillSql } from '../src/shared/search.js'
import { quoteIdentifier, quoteLiteral } from '../src/shared/sql.js'
import type { Sqlite } from './seams.js'

/** Shrinks the file. VACUUM may number rows anew where no column is the rowid: their index is made again then. */
export function vacuum(db: Sqlite): void {
  const before = searchIndexes(db).map(index => ({ index, rows: numbersOf(db, index) }))
  db.run('VACUUM')
  for (const { index, rows } of before) if (numbersOf(db, index) !== rows) db.run(fillSql(index))
}

function searchIndexes(db: Sqlite): string[] {
  const names: string[] = []
  // A virtual table has no pages of its own; its shadow tables do.
  const sql = "SELECT name FROM sqlite_schema WHERE type = 'table' AND rootpage = 0 AND name GLOB 'dataflow_search(*)'"
  db.each(sql, [], row => names.push(row.text(0)!))
  return names
}

/** New numbers go up from 1 in the order of the old ones: with the same ends and the same count they are the old ones. */
function numbersOf(db: Sqlite, index: string): string {
  const table = index.slice(index.indexOf('(') + 1, -1)
  let numbers = ''
  db.each(`SELECT count(*), min(rowid), max(rowid) FROM ${quoteIdentifier(table)}`, [], row => {
    numbers = [0, 1, 2].map(i => String(row.value(i))).join()
  })
  return numbers
}

/** What PRAGMA integrity_check says of an index that is out of step with its table. */
const OUT_OF_STEP = /^malformed inverted index for FTS4 table main\.(dataflow_search\(.*\))$/s

/** Makes the indexes anew that these problems are about, and gives the other problems. */
export function mendIndexes(db: Sqlite, problems: readonly string[]): string[] {
  return problems.filter(problem => {
    const index = OUT_OF_STEP.exec(problem)?.[1]
    if (index === undefined || !hasTable(db, index.slice(index.indexOf('(') + 1, -1))) return true
    db.run(fillSql(index))
    return false
  })
}

function hasTable(db: Sqlite, name: string): boolean {
  return db.each(`SELECT 1 FROM sqlite_schema WHERE type = 'table' AND name = ${quoteLiteral(name)}`, [], () => {}) > 0
}
