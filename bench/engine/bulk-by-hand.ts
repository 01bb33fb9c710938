// Rows by hand: sql.js's own prepared statement in a worker, over the library's file, and the library's flush for each
// chunk. What arrives is rows as arrays, cloned.
import { systemClock } from '#worker/clock.js'
import { Saver } from '#worker/saver.js'
import { ChunkedFile } from '#worker/sqlite/file.js'
import { startSqlJs } from '#worker/sqlite/runtime.js'
import { openIndexedDbStorage } from '#worker/storage/indexeddb.js'
import type { Database, SqlValue } from 'sql.js'
import wasmUrl from 'sql.js/dist/sql-wasm-browser.wasm?url'
import { DDL, TABLE } from './users.js'

/** As the library's connection has them. */
const PRAGMAS = `
  PRAGMA locking_mode = EXCLUSIVE; PRAGMA journal_mode = MEMORY; PRAGMA synchronous = OFF; PRAGMA temp_store = MEMORY;
  PRAGMA page_size = 4096; PRAGMA cache_size = -16384; PRAGMA foreign_keys = ON`

async function open(name: string) {
  const { openDatabase } = await startSqlJs(await WebAssembly.compileStreaming(fetch(wasmUrl)))
  const storage = openIndexedDbStorage(name)
  const file = new ChunkedFile(await storage.open())
  const saver = new Saver({ file, storage, clock: systemClock, onFailed() {}, onFlushed() {} })
  const db = openDatabase(file) as unknown as Database
  db.exec(PRAGMAS)
  db.run(DDL)
  await saver.committed('relaxed')
  return { db, saver }
}

let opened: Awaited<ReturnType<typeof open>>

async function write(rows: SqlValue[][]): Promise<number> {
  const { db, saver } = opened
  db.run('BEGIN')
  const statement = db.prepare(`INSERT INTO ${TABLE} VALUES (?, ?, ?, ?, ?, ?)`)
  for (const row of rows) statement.run(row)
  statement.free()
  db.run('COMMIT')
  await saver.committed('relaxed')
  return saver.metrics.flushes
}

self.onmessage = async ({ data }: MessageEvent<string | SqlValue[][] | null>) => {
  if (typeof data === 'string') opened = await open(data)
  else if (data) return postMessage(await write(data))
  else await opened.saver.close()
  postMessage(0)
}
