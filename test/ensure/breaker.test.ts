// S15, semantics 3 and 5: a failing migration is rolled back, recorded, and not tried on every call.
import { readFileSync } from 'node:fs'
import { createRequire } from 'node:module'
import { expect, test } from 'vitest'
import { bootSqlite } from '../../worker/sqlite/boot.js'
import { model, sql, t } from '../../src/index.js'
import { clock, localDatabase, unwrap, type LocalDatabase } from '../support/local.js'
import { app, ensureMetrics, failureOf, history, ready, retry, schemaOf, status } from './support.js'

const wasm = readFileSync(createRequire(import.meta.url).resolve('sql.js/dist/sql-wasm.wasm'))
const User = model('User', { id: t.id(), name: t.text() })
/** Its conversion gives a text where `name` is none of a number: STRICT refuses it while the rows are copied. */
const Numbered = model('User', {
  id: t.id(),
  name: t.text(),
  nick: t.integer().convertFrom(sql<number>`iif(name = 'same', name, 7)`),
})
const Tag = model('Tag', { id: t.id() })
const twice = [
  { id: 'a', name: 'same' },
  { id: 'b', name: 'same' },
]

/** A build whose migration fails while it runs. */
async function failing() {
  const { start } = app()
  const first = await start({ users: User, tags: Tag })
  await first.tables.users.bulkCreate(twice)
  await first.tables.tags.create({ id: 't' })
  const schema = await schemaOf(first)
  return { start, schema, db: await start({ users: Numbered, tags: Tag }) }
}

/** No statement at all, and the same error. */
async function failsForFree(db: LocalDatabase<any>, work: () => Promise<unknown>, message: string) {
  const { executed, control, result } = await db.count(() => failureOf(work()))
  expect([executed, control]).toEqual([0, 0])
  expect(result.message).toBe(message)
}

test('S15: MIGRATION_FAILED is rolled back and recorded with its error', async () => {
  const { db, schema } = await failing()
  const error = await failureOf(ready(db))
  expect(error).toMatchObject({ code: 'MIGRATION_FAILED', model: 'User', retryable: false })
  expect(await schemaOf(db)).toEqual(schema)
  expect((await history(db)).map(({ version, name, status, appliedAt }) => [version, name, status, appliedAt])).toEqual(
    [
      ['000001', 'create users', 'applied', expect.any(Number)],
      ['000002', 'create tags', 'applied', expect.any(Number)],
      ['000003', 'alter users', 'failed', null],
    ],
  )
  const [failed] = await db.sql`select error, operations from dataflow_migrations where status = 'failed'`
  expect(failed!.error).toMatch(/cannot store TEXT value in INTEGER column/)
  expect(JSON.parse(failed!.operations).map((operation: any) => operation.operation_type)).toEqual(['rebuild_table'])
  expect(db.events.filter(({ type }) => type === 'error')).toEqual([
    { type: 'error', detail: expect.objectContaining({ code: 'MIGRATION_FAILED' }) },
  ])
  expect(db.events.filter(({ type }) => type === 'migrate')).toEqual([])
  await db.close()
})

test('S15: after the first failure every call fails at once, with the same error and no SQL', async () => {
  const { db } = await failing()
  const { message } = await failureOf(db.tables.users.count())
  for (let i = 0; i < 3; i++) await failsForFree(db, () => db.tables.users.count(), message)
  // The plan is one: the models that did not change fail with it.
  await failsForFree(db, () => db.tables.tags.count(), message)
  await failsForFree(db, () => db.batch([User.count(), Tag.count()]), message)
  await failsForFree(db, () => unwrap(db.engine.schema.ensure(['User'])), message)
  await failsForFree(db, () => ready(db), message)
  expect((await ensureMetrics(db)).failures).toBe(1)
  expect((await history(db)).filter(({ status }) => status === 'failed')).toHaveLength(1)
  await db.close()
})

test('S15: retry closes it: fails again while nothing has changed, works when the rows are mended', async () => {
  const { db } = await failing()
  const { message } = await failureOf(db.tables.users.count())
  const again = await failureOf(retry(db, 'User'))
  expect(again.message).toBe(message)
  expect((await history(db)).filter(({ status }) => status === 'failed')).toHaveLength(2)
  await failsForFree(db, () => db.tables.users.count(), message)
  // Raw SQL may mend although the models cannot be ensured.
  expect(await db.sql`update users set name = 'other'`).toEqual([])
  await failsForFree(db, () => db.tables.users.count(), message)
  await retry(db, 'User')
  expect(await db.tables.users.count()).toBe(2)
  expect(await db.tables.tags.count()).toBe(1)
  expect((await history(db)).map(({ status }) => status)).toEqual(['applied', 'applied', 'failed', 'failed', 'applied'])
  expect(await failureOf(retry(db, 'Nobody'))).toMatchObject({ code: 'UNKNOWN_MODEL' })
  await db.close()
})

test('S15: raw SQL that changes the schema closes it too', async () => {
  const { db } = await failing()
  await failureOf(db.tables.users.count())
  await db.batch([sql`update users set name = 'other'`, sql`create index mine on users (name)`])
  expect(await db.tables.users.count()).toBe(2)
  // What the app has put on the table is still there after the rebuild.
  expect(await db.sql`select tbl_name from sqlite_schema where name = 'mine'`).toEqual([{ tbl_name: 'users' }])
  await db.close()
})

test('S15: a new worker tries again', async () => {
  const { db, start } = await failing()
  await failureOf(db.tables.users.count())
  await db.sql`update users set name = 'other'`
  const next = await start({ users: Numbered, tags: Tag })
  expect(await next.tables.users.read('a')).toEqual({ id: 'a', name: 'other', nick: 7 })
  await next.close()
})

test('S15: the failed row is saved, and the earlier build goes on', async () => {
  const { db, start } = await failing()
  await failureOf(db.tables.users.count())
  const earlier = await start({ users: User, tags: Tag })
  expect(await earlier.tables.users.count()).toBe(2)
  expect((await history(earlier)).map(({ status }) => status)).toEqual(['applied', 'applied', 'failed'])
  await earlier.close()
})

test('S15: a default that a check refuses is told before anything runs', async () => {
  const { start } = app()
  const first = await start({ users: User })
  await first.tables.users.create({ name: 'x' })
  const Wrong = model('User', {
    ...User.$fields,
    n: t
      .integer()
      .default(1)
      .check(sql<boolean>`n > 5`),
  })
  const second = await start({ users: Wrong })
  expect(await failureOf(ready(second))).toMatchObject({ code: 'MIGRATION_DESTRUCTIVE', model: 'User', fields: ['n'] })
  expect(await second.sql`select name from pragma_table_info('users')`).toEqual([{ name: 'id' }, { name: 'name' }])
  await second.close()
})

test('S15: one model of a batch that fails does not keep another away', async () => {
  const db = localDatabase({ users: User, tags: Tag })
  await db.batch([sql`drop table tags`, sql`create table tags (id text primary key, other text not null) strict`])
  expect(await failureOf(db.batch([User.create({ name: 'a' }), Tag.count()]))).toMatchObject({
    code: 'SCHEMA_MISMATCH',
    model: 'Tag',
  })
  expect(await db.tables.users.count()).toBe(0)
  await db.sql`select 1`
  expect(await db.tables.users.count()).toBe(0)
  const { message } = await failureOf(db.tables.tags.count())
  await failsForFree(db, () => db.tables.tags.count(), message)
  await db.close()
})

test('5: a failure of storage or an abort does not open it', async () => {
  let broken = false
  const db = localDatabase(
    { users: User },
    {
      wrapStorage: storage => {
        const { flush } = storage
        storage.flush = (...args) => (broken ? Promise.reject(new Error('no room')) : flush.apply(storage, args))
        return storage
      },
    },
  )
  broken = true
  expect(await failureOf(db.tables.users.create({ name: 'a' }))).toMatchObject({ code: 'STORAGE' })
  broken = false
  expect(await db.tables.users.create({ name: 'a' })).toMatchObject({ name: 'a' })
  expect(await status(db, 'User')).toBe('exists')
  expect((await ensureMetrics(db)).failures).toBe(0)
  await db.close()
})

// ---- lock rows (S5, semantics 7)

const HOLDER = { parts: { lockHolder: 'me', clock: { ...clock, now: () => 1000 } } }

test('7: with Web Locks the table of locks stays empty', async () => {
  const db = await app().start({ users: User })
  await db.tables.users.count()
  expect(await db.sql`select * from dataflow_migration_locks`).toEqual([])
  await db.close()
})

test('7: without Web Locks a row is committed before the migration, and deleted inside it', async () => {
  const db = await app().start({ users: User }, HOLDER)
  // One transaction for the row, one for the migration.
  const { control } = await db.count(() => unwrap(db.engine.schema.ensure(['User'])))
  expect(control).toBe(4)
  expect(await db.sql`select * from dataflow_migration_locks`).toEqual([])
  await db.close()
})

test('7: a migration that fails gives its lock back', async () => {
  const { start } = app()
  const first = await start({ users: User }, HOLDER)
  await first.tables.users.bulkCreate(twice)
  const second = await start({ users: Numbered }, HOLDER)
  expect(await failureOf(ready(second))).toMatchObject({ code: 'MIGRATION_FAILED' })
  expect(await second.sql`select * from dataflow_migration_locks`).toEqual([])
  await second.close()
})

test('7: a row of another holder is LOCKED until it expires, and opens no breaker', async () => {
  const file = await bootSqlite({ wasm: () => wasm }).then(sqlite => {
    const made = sqlite.createFile()
    const db = sqlite.open(made)
    db.exec(`CREATE TABLE dataflow_migration_locks (schema_name TEXT PRIMARY KEY NOT NULL, holder_process_id TEXT NOT NULL,
      acquired_at INTEGER NOT NULL, expires_at INTEGER NOT NULL) STRICT;
      INSERT INTO dataflow_migration_locks VALUES ('main', 'other', 1000, 61000)`)
    db.close()
    return { chunks: Array.from({ length: made.chunkCount }, (_, i) => made.chunk(i).slice()), size: made.size }
  })
  let now = 60_999
  const db = localDatabase(
    { users: User },
    {
      parts: { lockHolder: 'me', clock: { ...clock, now: () => now } },
      wrapStorage: storage => Object.assign(storage, { open: async () => file }),
    },
  )
  expect(await failureOf(db.tables.users.count())).toMatchObject({ code: 'LOCKED' })
  expect(await failureOf(db.tables.users.count())).toMatchObject({ code: 'LOCKED' })
  expect(await status(db, 'User')).toBe('needs_creation')
  now = 61_000
  expect(await db.tables.users.count()).toBe(0)
  expect(await db.sql`select * from dataflow_migration_locks`).toEqual([])
  await db.close()
})
