import { expose } from 'comlink'
import * as SQLite from '@journeyapps/wa-sqlite'
import type { Cell, Sql, Vfs } from './sql-worker.js'

type Module = { create(name: string, module: unknown, options?: object): Promise<unknown> }

const kinds: Record<
  string,
  { build(): Promise<{ default(options?: object): Promise<unknown> }>; vfs(): Promise<Module> }
> = {
  IDBBatchAtomic: {
    build: () => import('@journeyapps/wa-sqlite/dist/wa-sqlite-async.mjs'),
    vfs: async () =>
      (await import('@journeyapps/wa-sqlite/src/examples/IDBBatchAtomicVFS.js')).IDBBatchAtomicVFS as never,
  },
  IDBMirror: {
    build: () => import('@journeyapps/wa-sqlite/dist/wa-sqlite-async.mjs'),
    vfs: async () => (await import('@journeyapps/wa-sqlite/src/examples/IDBMirrorVFS.js')).IDBMirrorVFS as never,
  },
  OPFSCoopSync: {
    build: () => import('@journeyapps/wa-sqlite/dist/wa-sqlite.mjs'),
    vfs: async () => (await import('@journeyapps/wa-sqlite/src/examples/OPFSCoopSyncVFS.js')).OPFSCoopSyncVFS as never,
  },
  OPFSWriteAhead: {
    build: () => import('@journeyapps/wa-sqlite/dist/wa-sqlite.mjs'),
    vfs: async () =>
      (await import('@journeyapps/wa-sqlite/src/examples/OPFSWriteAheadVFS.js')).OPFSWriteAheadVFS as never,
  },
}

let sqlite3: any
let db: number

/** One statement at a time: an asynchronous build must not be entered twice. */
let turn: Promise<unknown> = Promise.resolve()
function inTurn<T>(work: () => Promise<T>): Promise<T> {
  const next = turn.then(work)
  turn = next.catch(() => {})
  return next
}

async function execute(sql: string, values: readonly Cell[] = []): Promise<Record<string, unknown>[]> {
  const rows: Record<string, unknown>[] = []
  for await (const statement of sqlite3.statements(db, sql)) {
    if (values.length > 0) sqlite3.bind_collection(statement, values)
    while ((await sqlite3.step(statement)) === SQLite.SQLITE_ROW) {
      const names: string[] = sqlite3.column_names(statement)
      const cells: unknown[] = sqlite3.row(statement)
      rows.push(Object.fromEntries(names.map((name, i) => [name, cells[i]])))
    }
  }
  return rows
}

const sql: Sql = {
  open: (vfs: Vfs, database) =>
    inTurn(async () => {
      const kind = kinds[vfs]!
      const module = await (await kind.build()).default()
      sqlite3 = SQLite.Factory(module)
      sqlite3.vfs_register(await (await kind.vfs()).create(database, module), true)
      db = await sqlite3.open_v2('bench.db')
    }),
  run: (text, values) => inTurn(async () => void (await execute(text, values))),
  runMany: (text, rows) =>
    inTurn(async () => {
      await execute('BEGIN IMMEDIATE')
      for await (const statement of sqlite3.statements(db, text)) {
        for (const values of rows) {
          sqlite3.bind_collection(statement, values)
          await sqlite3.step(statement)
          await sqlite3.reset(statement)
        }
      }
      await execute('COMMIT')
    }),
  all: (text, values) => inTurn(() => execute(text, values)),
  close: () => inTurn(async () => void (await sqlite3.close(db))),
}

expose(sql)
