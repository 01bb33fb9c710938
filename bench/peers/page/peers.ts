import { dataflow, model, t } from 'dataflow-edge'
import Dexie from 'dexie'
import { COLUMNS, COUNT, CREATE, INSERT, LIST, READ, valuesOf, type Item, type PeerKind } from './peer.js'
import { openInWorker, type Vfs } from './sql-worker.js'

const Stored = model('Item', {
  id: t.text().primaryKey(),
  title: t.text(),
  body: t.text(),
  n: t.integer(),
  at: t.integer(),
})

const ours: PeerKind = {
  durability: 'process death (relaxed)',
  async open(database) {
    const db = dataflow(database, { models: { items: Stored } })
    await db.ready
    return {
      insert: item => db.items.create(item),
      insertMany: items => db.items.bulkCreate(items),
      read: id => db.items.read(id),
      count: () => db.items.count(),
      list: () => db.items.list(),
      close: () => db.close(),
    }
  },
}

const dexie: PeerKind = {
  durability: 'process death (relaxed)',
  async open(database) {
    const db = new Dexie(database, { chromeTransactionDurability: 'relaxed' })
    db.version(1).stores({ items: 'id' })
    const items = db.table<Item, string>('items')
    await db.open()
    return {
      insert: item => items.add(item),
      insertMany: rows => items.bulkAdd(rows),
      read: id => items.get(id),
      count: () => items.count(),
      list: () => items.toArray(),
      close: async () => db.close(),
    }
  },
}

function waSqlite(vfs: Vfs, durability: string): PeerKind {
  const make = () => new Worker(new URL('./wa-sqlite.worker.ts', import.meta.url), { type: 'module' })
  return { durability, open: database => openInWorker(make(), vfs, `${database}-${vfs}`) }
}

const sahPool: PeerKind = {
  durability: 'power loss (OPFS flush)',
  open: database =>
    openInWorker(
      new Worker(new URL('./sah-pool.worker.ts', import.meta.url), { type: 'module' }),
      'SAH pool',
      database,
    ),
}

const sqlJs: PeerKind = {
  durability: 'process death (relaxed)',
  open: database =>
    openInWorker(
      new Worker(new URL('./sqljs-export.worker.ts', import.meta.url), { type: 'module' }),
      'export',
      database,
    ),
}

const pglite: PeerKind = {
  durability: 'process death (relaxed)',
  async open(database) {
    const { PGlite } = await import('@electric-sql/pglite')
    const db = await PGlite.create(`idb://${database}`)
    await db.exec(CREATE.replaceAll('INTEGER', 'BIGINT'))
    const numbered = INSERT.replace('?, ?, ?, ?, ?', '$1, $2, $3, $4, $5')
    return {
      insert: item => db.query(numbered, valuesOf(item)),
      insertMany: items =>
        db.transaction(async tx => {
          for (const item of items) await tx.query(numbered, valuesOf(item))
        }),
      read: async id => (await db.query(READ.replace('?', '$1'), [id])).rows[0],
      count: async () => Number((await db.query<{ n: number }>(COUNT)).rows[0]!.n),
      list: async () => (await db.query(LIST)).rows,
      close: () => db.close(),
    }
  },
}

const sqlocal: PeerKind = {
  durability: 'power loss (OPFS flush)',
  async open(database) {
    const { SQLocal } = await import('sqlocal')
    const { sql, transaction, destroy } = new SQLocal(`${database}.sqlite3`)
    await sql(CREATE)
    return {
      insert: item => sql(INSERT, ...valuesOf(item)),
      insertMany: items =>
        transaction(async tx => {
          for (const item of items) await tx.query({ sql: INSERT, params: valuesOf(item) })
        }),
      read: async id => (await sql(READ, id))[0],
      count: async () => Number((await sql(COUNT))[0]!.n),
      list: () => sql(LIST),
      close: () => destroy(),
    }
  },
}

const powersync: PeerKind = {
  durability: 'power loss (strict, IDBBatchAtomic)',
  async open(database) {
    const { column, PowerSyncDatabase, Schema, Table } = await import('@powersync/web')
    const columns = { title: column.text, body: column.text, n: column.integer, at: column.integer }
    const schema = new Schema({ items: new Table(columns, { localOnly: true }) })
    const db = new PowerSyncDatabase({
      schema,
      database: { dbFilename: `${database}.db` },
      flags: { enableMultiTabs: false },
    } as never)
    await db.init()
    return {
      insert: item => db.execute(INSERT, valuesOf(item)),
      insertMany: items =>
        db.writeTransaction(async tx => {
          for (const item of items) await tx.execute(INSERT, valuesOf(item))
        }),
      read: id => db.get(READ, [id]),
      count: async () => Number((await db.get<{ n: number }>(COUNT)).n),
      list: () => db.getAll(`SELECT ${COLUMNS.join(', ')} FROM items ORDER BY id`),
      close: () => db.close(),
    }
  },
}

export const peers = {
  'dataflow-edge': ours,
  Dexie: dexie,
  'sql.js, export + put': sqlJs,
  'wa-sqlite IDBBatchAtomic': waSqlite('IDBBatchAtomic', 'power loss (strict)'),
  'wa-sqlite IDBMirror': waSqlite('IDBMirror', 'power loss (strict)'),
  'wa-sqlite OPFSCoopSync': waSqlite('OPFSCoopSync', 'power loss (OPFS flush)'),
  'wa-sqlite OPFSWriteAhead': waSqlite('OPFSWriteAhead', 'process death (not flushed)'),
  'sqlite-wasm SAH pool': sahPool,
  SQLocal: sqlocal,
  PowerSync: powersync,
  PGlite: pglite,
} satisfies Record<string, PeerKind>

export type PeerName = keyof typeof peers
