// sql.js as its users save it: the whole file, exported and put, after each write.
import { expose } from 'comlink'
import { createStore, get, set } from 'idb-keyval'
import initSqlJs from 'sql.js'
import wasmUrl from 'sql.js/dist/sql-wasm.wasm?url'
import type { Sql } from './sql-worker.js'

let db: any
let store: ReturnType<typeof createStore>
let turn: Promise<unknown> = Promise.resolve()

function saved(): Promise<void> {
  const next = turn.then(() => set('file', db.export(), store))
  turn = next.catch(() => {})
  return next
}

const sql: Sql = {
  async open(_, database) {
    store = createStore(`sqljs-${database}`, 'files')
    const SQL = await initSqlJs({ locateFile: () => wasmUrl })
    db = new SQL.Database((await get<Uint8Array>('file', store)) ?? null)
  },
  async run(text, values = []) {
    db.run(text, [...values])
    await saved()
  },
  async runMany(text, rows) {
    db.run('BEGIN')
    const statement = db.prepare(text)
    for (const values of rows) statement.run([...values])
    statement.free()
    db.run('COMMIT')
    await saved()
  },
  async all(text, values = []) {
    const statement = db.prepare(text)
    const rows: Record<string, unknown>[] = []
    statement.bind([...values])
    while (statement.step()) rows.push(statement.getAsObject())
    statement.free()
    return rows
  },
  close: async () => db.close(),
}

expose(sql)
