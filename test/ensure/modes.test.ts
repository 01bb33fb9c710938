// S10, S11, semantics 6: autoMigrate true, false and 'warn', existingSchema, and what tableStatus says in each.
import { describe, expect, test } from 'vitest'
import { model, sql, t } from '../../src/index.js'
import type { AnyModel } from '../../src/model.js'
import { localDatabase, unwrap, type LocalOptions } from '../support/local.js'
import { app, differencesOf, ensureMetrics, failureOf, history, metrics, ready, schemaOf, status } from './support.js'

const User = model('User', { id: t.id(), name: t.text() })
const Wider = model('User', { ...User.$fields, nick: t.text().nullable(), n: t.integer().default(7) })
const Indexed = model('User', User.$fields, { indexes: [['name']] })
const Post = model('Post', { id: t.id(), userId: t.ref('User') })
const Tag = model('Tag', { id: t.id() })
const apply = (db: any) => unwrap<any>(db.engine.schema.apply())
const migrations = (db: any) => db.events.filter(({ type }: any) => type === 'migrate')

async function upgraded<Ms extends Record<string, AnyModel>>(to: Ms, options: LocalOptions) {
  const { start } = app()
  const first = await start({ users: User })
  await first.tables.users.create({ id: 'a', name: 'A' })
  const before = await schemaOf(first)
  return { start, before, db: await start(to, options) }
}

describe('autoMigrate: false', () => {
  const options = { autoMigrate: false } as const

  test('6: a missing table is SCHEMA_MISMATCH carrying the SQL; nothing at all is made', async () => {
    const db = localDatabase({ users: User, posts: Post }, options)
    const error = await failureOf(db.tables.posts.count())
    expect(error).toMatchObject({ code: 'SCHEMA_MISMATCH' })
    expect(error.sql).toMatch(/^CREATE TABLE "posts"[^;]*;\nCREATE INDEX "ix:posts:userId"[^;]*;\nCREATE TABLE "users"/)
    expect(await db.sql`select * from sqlite_schema`).toEqual([])
    expect(await history(db)).toEqual([])
    expect(migrations(db)).toEqual([])
    expect(await status(db, 'Post')).toBe('needs_creation')
    await db.close()
  })

  test('6: a differing table is SCHEMA_MISMATCH, apply still applies', async () => {
    const { db, before } = await upgraded({ users: Wider, tags: Tag }, options)
    expect(await ready(db)).toMatchObject({ applied: [], pending: [] })
    const error = await failureOf(db.tables.users.count())
    expect(error.sql).toBe(
      'ALTER TABLE "users" ADD COLUMN "nick" TEXT;\nALTER TABLE "users" ADD COLUMN "n" INTEGER NOT NULL DEFAULT 7',
    )
    expect(await status(db, 'User')).toBe('needs_migration')
    expect(await schemaOf(db)).toEqual(before)
    expect(await history(db)).toHaveLength(1)
    const { executed } = await db.count(() => failureOf(db.tables.users.count()))
    expect(executed).toBe(0)
    expect((await apply(db)).applied).toHaveLength(3)
    expect(await db.tables.users.read('a')).toEqual({ id: 'a', name: 'A', nick: null, n: 7 })
    expect(await db.tables.tags.count()).toBe(0)
    expect(await status(db, 'User')).toBe('exists')
    expect((await apply(db)).applied).toEqual([])
    await db.close()
  })

  test('6: what fits is used as always, also after raw SQL or a batch met what does not', async () => {
    const { db } = await upgraded({ users: User, tags: Tag }, options)
    await db.sql`select 1`
    expect(await db.tables.users.count()).toBe(1)
    expect(await failureOf(db.batch([User.count(), Tag.count()]))).toMatchObject({ code: 'SCHEMA_MISMATCH' })
    expect(await db.tables.users.create({ name: 'B' })).toMatchObject({ name: 'B' })
    await db.close()
  })
})

describe("autoMigrate: 'warn'", () => {
  const options = { autoMigrate: 'warn' } as const

  test('6: one migrate event; operations that need only what exists run', async () => {
    const { db, before } = await upgraded({ users: Wider }, options)
    expect(await db.tables.users.count()).toBe(1)
    expect(await db.tables.users.list({ select: ['id', 'name'], where: { name: 'A' } })).toEqual([
      { id: 'a', name: 'A' },
    ])
    expect(await db.tables.users.delete('nobody')).toBe(false)
    expect(migrations(db)).toEqual([
      {
        type: 'migrate',
        detail: { applied: [], pending: [expect.anything(), expect.anything()], ms: expect.any(Number), cached: false },
      },
    ])
    for (const work of [
      () => db.tables.users.list(),
      () => db.tables.users.read('a'),
      () => db.tables.users.list({ select: ['id'], where: { nick: 'x' } as any }),
      () => db.tables.users.list({ select: ['id'], orderBy: { n: 'asc' } as any }),
      () => db.tables.users.create({ name: 'B', nick: 'b' } as any),
      () => db.tables.users.update('a', { nick: 'b' } as any),
    ]) {
      expect(await failureOf(work())).toMatchObject({ code: 'SCHEMA_MISMATCH', model: 'User' })
    }
    expect(await db.tables.users.count()).toBe(1)
    expect(migrations(db)).toHaveLength(1)
    expect(await schemaOf(db)).toEqual(before)
    expect(await status(db, 'User')).toBe('needs_migration')
    expect(await history(db)).toHaveLength(1)
    await apply(db)
    expect(await db.tables.users.read('a')).toMatchObject({ n: 7 })
    expect(await status(db, 'User')).toBe('exists')
    expect(migrations(db)).toHaveLength(2) // what apply did
    await db.close()
  })

  test('6: an update in bulk needs what every update writes', async () => {
    const Versioned = model('User', { ...User.$fields, version: t.version() })
    const { db } = await upgraded({ users: Versioned }, options)
    const error = await failureOf(db.tables.users.bulkUpdate({ all: true, set: { name: 'B' } }))
    expect(error).toMatchObject({ code: 'SCHEMA_MISMATCH', model: 'User', fields: ['version'] })
    expect(await db.tables.users.list({ select: ['name'] })).toEqual([{ name: 'A' }])
    expect(await db.tables.users.bulkDelete({ where: { name: 'A' } })).toMatchObject({ count: 1 })
    await db.close()
  })

  test('6: a missing index hinders nothing, and the status goes on saying so', async () => {
    const { db } = await upgraded({ users: Indexed }, options)
    expect(await status(db, 'User')).toBe('needs_migration')
    expect(await db.tables.users.create({ id: 'b', name: 'B' })).toEqual({ id: 'b', name: 'B' })
    expect(migrations(db)).toHaveLength(1)
    expect(await status(db, 'User')).toBe('needs_migration')
    await db.close()
  })

  test('6: a missing table is SCHEMA_MISMATCH, and keeps nobody else away', async () => {
    const { db } = await upgraded({ users: Wider, tags: Tag }, options)
    expect(await failureOf(db.tables.tags.count())).toMatchObject({ code: 'SCHEMA_MISMATCH', model: 'Tag' })
    await db.sql`select 1`
    expect(await failureOf(db.batch([Tag.count(), User.count()]))).toMatchObject({ code: 'SCHEMA_MISMATCH' })
    expect(await db.tables.users.count()).toBe(1)
    expect(migrations(db)).toHaveLength(1)
    await db.close()
  })

  test('6: a removed field that needs no value is left alone', async () => {
    const { start } = app()
    const first = await start({ users: Wider })
    await first.tables.users.create({ id: 'a', name: 'A' })
    const db = await start({ users: User }, { ...options, version: 1 })
    expect(await db.tables.users.read('a')).toEqual({ id: 'a', name: 'A' })
    expect(await db.tables.users.create({ id: 'b', name: 'B' })).toEqual({ id: 'b', name: 'B' })
    expect(await status(db, 'User')).toBe('needs_migration')
    await db.close()
  })
})

describe('existingSchema', () => {
  const options = { existingSchema: true } as const
  const Legacy = model('Legacy', { id: t.integer().primaryKey(), name: t.text(), at: t.date({ as: 'seconds' }) })

  async function legacy(ddl: ReturnType<typeof sql>[]) {
    const { start } = app()
    const maker = await start({}, { existingSchema: true })
    await maker.batch(ddl)
    return start({ legacy: Legacy, tags: Tag }, options)
  }
  const fits = sql`create table legacy (id integer primary key, name varchar(20) not null, at bigint not null, extra text, n int not null default 3)`

  test('6: a table that others made is used as it is, verified once, and nothing of ours is made', async () => {
    const db = await legacy([fits, sql`create index by_name on legacy (name)`])
    const before = await schemaOf(db)
    const row = await db.tables.legacy.create({ id: 1, name: 'x', at: new Date(5000) })
    expect(row).toEqual({ id: 1, name: 'x', at: new Date(5000) })
    expect(await status(db, 'Legacy')).toBe('exists')
    const { executed, control } = await db.count(() => db.tables.legacy.list({ where: { name: 'x' } }))
    expect([executed, control]).toEqual([1, 0])
    expect((await ensureMetrics(db)).hits).toBeGreaterThan(0)
    expect(await schemaOf(db)).toEqual(before)
    expect(await db.sql`select * from sqlite_schema where name like 'dataflow%'`).toEqual([])
    expect((await metrics(db)).tx.committed).toBe(1)
    await db.close()
  })

  test('6: a missing table, a missing or incompatible column, a column that needs a value', async () => {
    const db = await legacy([sql`create table legacy (id integer primary key, name blob, at text, must text not null)`])
    const error = await failureOf(db.tables.legacy.count())
    expect(differencesOf(error)).toEqual([
      'Legacy.name can be NULL, declared NOT NULL',
      'Legacy.at is TEXT, declared as INTEGER',
      'Legacy.must is a column that needs a value, and is not declared',
    ])
    expect(await status(db, 'Legacy')).toBe('needs_migration')
    expect(await status(db, 'Tag')).toBe('needs_creation')
    expect(await failureOf(db.tables.tags.count())).toMatchObject({ code: 'SCHEMA_MISMATCH', model: 'Tag' })
    const { executed } = await db.count(() => failureOf(db.tables.legacy.count()))
    expect(executed).toBe(0)
    await db.close()
  })

  test('6: a text does not fit where SQLite would make a number of it; a date in ISO form does', async () => {
    const { start } = app()
    const maker = await start({}, { existingSchema: true })
    await maker.sql`create table things (id integer primary key, code numeric, price decimal(10, 2), n numeric, made datetime, any)`
    const fields = { id: t.integer().primaryKey(), n: t.real().nullable(), made: t.date({ as: 'text' }).nullable() }
    const Thing = model('Thing', { ...fields, any: t.text().nullable() })
    const db = await start({ things: Thing }, options)
    const row = await db.tables.things.create({ id: 1, n: 1.5, made: new Date(0), any: '007' })
    expect(await db.tables.things.read(1)).toEqual(row)
    const Texts = model('Thing', { ...fields, code: t.text().nullable(), price: t.text().nullable() })
    const other = await start({ things: Texts }, options)
    expect(differencesOf(await failureOf(other.tables.things.count()))).toEqual([
      'Thing.code is NUMERIC, declared as TEXT',
      'Thing.price is DECIMAL(10, 2), declared as TEXT',
    ])
    await other.close()
  })

  test('6: a column of JSON takes JSON, and no other text', async () => {
    const { start } = app()
    const maker = await start({}, { existingSchema: true })
    await maker.sql`create table things (id integer primary key, data json not null)`
    const id = t.integer().primaryKey()
    const db = await start({ things: model('Thing', { id, data: t.json() }) }, options)
    for (const [i, data] of ['007', 7, 0.1, true, { a: ['1e5'] }, [null]].entries()) {
      await db.tables.things.create({ id: i, data })
      expect(await db.tables.things.read(i)).toEqual({ id: i, data })
    }
    const other = await start({ things: model('Thing', { id, data: t.text() }) }, options)
    expect(differencesOf(await failureOf(other.tables.things.count()))).toEqual([
      'Thing.data is JSON, declared as TEXT',
    ])
    await other.close()
  })

  test('6: a generated column that is not declared needs no value', async () => {
    const { start } = app()
    const maker = await start({}, { existingSchema: true })
    await maker.sql`create table things (id integer primary key, a int not null as (id + 1), b int not null as (a) stored)`
    const db = await start({ things: model('Thing', { id: t.integer().primaryKey() }) }, options)
    await db.tables.things.create({ id: 1 })
    expect(await db.sql`select a, b from things`).toEqual([{ a: 2, b: 2 }])
    await db.close()
  })

  test('6: migrations are refused', async () => {
    const db = await legacy([fits])
    for (const work of [() => unwrap(db.engine.schema.plan()), () => apply(db), () => history(db)]) {
      expect(await failureOf(work())).toMatchObject({ code: 'READONLY' })
    }
    expect(await db.sql`select * from sqlite_schema where name like 'dataflow%'`).toEqual([])
    await db.close()
  })

  test('6: raw SQL that changes the table is noticed', async () => {
    const db = await legacy([fits])
    expect(await db.tables.legacy.count()).toBe(0)
    await db.sql`alter table legacy rename column name to title`
    expect(differencesOf(await failureOf(db.tables.legacy.count()))).toEqual([
      'Legacy.name is not in the table',
      expect.anything(),
    ])
    await db.close()
  })

  test.each([true, false, 'warn'] as const)('6: together with autoMigrate: %s it is BAD_OPTION', autoMigrate => {
    expect(() => localDatabase({ users: User }, { existingSchema: true, autoMigrate })).toThrow(/BAD_OPTION/)
  })
})

test('S11: the status of each model by itself, in every state', async () => {
  const { start } = app()
  const first = await start({ users: User, tags: Tag })
  expect([await status(first, 'User'), await status(first, 'Tag')]).toEqual(['needs_creation', 'needs_creation'])
  await first.tables.users.count()
  expect([await status(first, 'User'), await status(first, 'Tag')]).toEqual(['exists', 'needs_creation'])
  expect(await failureOf(status(first, 'Nobody'))).toMatchObject({ code: 'UNKNOWN_MODEL' })
  const second = await start({ users: Indexed, tags: Tag })
  // Opening has migrated what was stored.
  expect([await status(second, 'User'), await status(second, 'Tag')]).toEqual(['exists', 'needs_creation'])
  const older = await start({ users: User, tags: Tag })
  expect(await status(older, 'User')).toBe('unknown')
  await older.close()
})
