// What somebody would write by hand for one page: prepared statements in a worker, one message for all of them, saved by the
// same flush as the library's. No models, no checks, no change feed.
import { bootSqlite } from '#worker/sqlite/boot.js'
import { openIndexedDbStorage } from '#worker/storage/indexeddb.js'
import { expose } from 'comlink'
import wasmUrl from 'sql.js/dist/sql-wasm-browser.wasm?url'

type Param = string | number | null

export interface ByHandStatement {
  readonly sql: string
  readonly params: readonly Param[]
}

async function open(name: string, ddl: string) {
  const storage = openIndexedDbStorage(name)
  const sqlite = await bootSqlite({ wasm: () => fetch(wasmUrl) })
  const file = sqlite.createFile(await storage.open())
  const db = sqlite.open(file)
  db.exec(ddl)
  const save = async () => {
    const changes = file.takeChanges()
    if (changes) await storage.flush(changes, file, 'relaxed')
  }
  await save()
  return { storage, db, save }
}
let opened: Awaited<ReturnType<typeof open>>

const byHand = {
  async open(name: string, ddl: string): Promise<void> {
    opened = await open(name, ddl)
  },
  /** In one transaction, saved; the rows of each, as SQLite gives them. */
  async run(statements: readonly ByHandStatement[]): Promise<unknown[][][]> {
    const { db, save } = opened
    const results = db.atomically(() =>
      statements.map(({ sql, params }) => {
        const rows: unknown[][] = []
        db.each(sql, params, row => rows.push(row.columns.map((_, i) => row.value(i))))
        return rows
      }),
    )
    await save()
    return results
  },
  /** One statement for many rows, in one transaction, saved. */
  async insert(sql: string, rows: readonly (readonly Param[])[]): Promise<void> {
    const { db, save } = opened
    db.atomically(() => {
      for (const row of rows) db.run(sql, row)
    })
    await save()
  },
  /** The first column of the first row: a text that JSON functions of SQLite have made. */
  text(sql: string, params: readonly Param[]): string {
    let text = ''
    opened.db.each(sql, params, row => (text = row.text(0)!))
    return text
  },
  async close(): Promise<void> {
    opened.db.close()
    await opened.storage.close()
  },
}

export type ByHand = typeof byHand

expose(byHand)
