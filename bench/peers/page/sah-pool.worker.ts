import { expose } from 'comlink'
import sqlite3InitModule from '@sqlite.org/sqlite-wasm'
import type { Cell, Sql } from './sql-worker.js'

let db: any
let pool: any

const sql: Sql = {
  async open(_, database) {
    const sqlite3 = await sqlite3InitModule()
    pool = await sqlite3.installOpfsSAHPoolVfs({ name: database, directory: `/${database}` })
    db = new pool.OpfsSAHPoolDb('/bench.db')
  },
  async run(text, values = []) {
    db.exec({ sql: text, bind: values.length > 0 ? [...values] : undefined })
  },
  async runMany(text, rows: readonly (readonly Cell[])[]) {
    db.transaction(() => {
      const statement = db.prepare(text)
      for (const values of rows) statement.bind([...values]).stepReset()
      statement.finalize()
    })
  },
  all: async (text, values = []) =>
    db.exec({
      sql: text,
      bind: values.length > 0 ? [...values] : undefined,
      rowMode: 'object',
      returnValue: 'resultRows',
    }),
  async close() {
    db.close()
    pool.pauseVfs()
  },
}

expose(sql)
