import { expose } from 'comlink'
import initSqlJs, { type Database, type SqlValue } from 'sql.js'
import wasmUrl from 'sql.js/dist/sql-wasm-browser.wasm?url'

let db: Database

const itemsWorker = {
  async open() {
    const sqlJs = await initSqlJs({ locateFile: () => wasmUrl })
    db = new sqlJs.Database()
    // "views" is cast because a number cannot hold it: useBigInt would make a bigint of every integer.
    db.run(`CREATE TABLE items (
      id TEXT PRIMARY KEY NOT NULL, title TEXT NOT NULL, count INTEGER, done INTEGER NOT NULL, due INTEGER NOT NULL,
      price REAL NOT NULL, meta TEXT NOT NULL, views INTEGER NOT NULL
    ) STRICT`)
  },
  insert(rows: SqlValue[][]) {
    db.run('BEGIN')
    const statement = db.prepare('INSERT INTO items VALUES (?, ?, ?, ?, ?, ?, ?, CAST(? AS INTEGER))')
    for (const row of rows) statement.run(row)
    statement.free()
    db.run('COMMIT')
  },
  list(): SqlValue[][] {
    const rows: SqlValue[][] = []
    const statement = db.prepare(
      'SELECT id, title, count, done, due, price, meta, CAST(views AS TEXT) FROM items ORDER BY id',
    )
    while (statement.step()) rows.push(statement.get())
    statement.free()
    return rows
  },
}

export type ItemsWorker = typeof itemsWorker

expose(itemsWorker)
