// The connection beside the library, and what is in an index.
import { expect } from 'vitest'
import { fillSql } from '../../src/shared/search.js'
import { quoteIdentifier, quoteLiteral } from '../../src/shared/sql.js'
import type { Sqlite, SqlCell } from '../../worker/seams.js'
import { parts } from '../support/local.js'

/** Writes past the library, as another program would. */
export function opened() {
  let sqlite: Sqlite | null = null
  return {
    parts: {
      bootSqlite: async () => {
        const module = await parts.bootSqlite()
        return {
          ...module,
          createFile: module.createFile.bind(module),
          open: (file: any) => (sqlite = module.open(file)),
        }
      },
    },
    get sqlite() {
      return sqlite!
    },
  }
}

const rowsOf = (db: Sqlite, sql: string): SqlCell[][] => {
  const rows: SqlCell[][] = []
  db.each(sql, [], row => rows.push(row.columns.map((_, i) => row.value(i))))
  return rows
}

/** Each term of an index with the rows that have it, which rows it knows, and its own count of them. */
function contentOf(db: Sqlite, index: string) {
  db.run(`CREATE VIRTUAL TABLE temp.aux USING fts4aux(main, ${quoteLiteral(index)})`)
  const terms = rowsOf(db, 'SELECT term, col, documents, occurrences FROM temp.aux')
  db.run('DROP TABLE temp.aux')
  const docs = rowsOf(db, `SELECT docid, hex(size) FROM ${quoteIdentifier(`${index}_docsize`)} ORDER BY docid`)
  return {
    terms,
    docs,
    counts: rowsOf(db, `SELECT id, hex(value) FROM ${quoteIdentifier(`${index}_stat`)} WHERE id IN (0, 100)`),
  }
}

/** The index is as if it had been made now. */
export function expectInStep(db: Sqlite, index = 'dataflow_search(posts)'): void {
  const is = contentOf(db, index)
  db.run(fillSql(index))
  expect(is).toEqual(contentOf(db, index))
  expect(rowsOf(db, 'PRAGMA integrity_check')).toEqual([['ok']])
}
