// S6, S14, semantics 4: the schema changed from outside is noticed at the next operation, and mended or told.
import { describe, expect, test } from 'vitest'
import { model, sql, t } from '../../src/index.js'
import { clock, localDatabase, STORAGES, unwrap } from '../support/local.js'
import { app, differencesOf, ensureMetrics, failureOf, history, metrics, schemaOf, status } from './support.js'

const User = model('User', { id: t.id(), email: t.text().unique(), name: t.text() }, { indexes: [['name']] })
const Post = model('Post', { id: t.id(), userId: t.ref('User', { onDelete: 'cascade' }).nullable() })
const models = { users: User, posts: Post }
const ada = { id: 'ada', email: 'a', name: 'Ada' }

describe.each(STORAGES)('%s', storage => {
  test('S14: a dropped index is made again at the next operation', async () => {
    const db = localDatabase(models, { storage })
    await db.tables.users.create(ada)
    const before = await schemaOf(db)
    await db.sql`drop index "ux:users:email"`
    expect((await ensureMetrics(db)).invalidations).toBe(1)
    expect(await status(db, 'User')).toBe('needs_migration')
    expect(await db.tables.users.count()).toBe(1)
    expect(await schemaOf(db)).toEqual(before)
    expect(await failureOf(db.tables.users.create({ email: 'a', name: 'B' }))).toMatchObject({ code: 'UNIQUE' })
    expect((await history(db)).map(({ name }) => name)).toEqual(['create users', 'create posts', 'alter users'])
    const again = await db.count(() => db.tables.users.count())
    expect(again.executed).toBe(1)
    await db.close()
  })

  test('S14: a dropped table is made again at the next operation', async () => {
    const db = localDatabase(models, { storage })
    await db.tables.users.create(ada)
    const before = await schemaOf(db)
    await db.sql`drop table users`
    expect(await status(db, 'User')).toBe('needs_creation')
    expect(await db.tables.users.count()).toBe(0)
    expect(await schemaOf(db)).toEqual(before)
    // The definition is the same: no new version of it.
    expect(await db.sql`select version from dataflow_model_registry where model_name = 'User'`).toEqual([
      { version: 1 },
    ])
    await db.close()
  })
})

test('S14: a foreign column is told, and can be taken away again by raw SQL', async () => {
  const db = localDatabase(models)
  await db.tables.users.create(ada)
  await db.sql`alter table users add column extra text`
  const error = await failureOf(db.tables.users.count())
  expect(error.code).toBe('SCHEMA_MISMATCH')
  expect(differencesOf(error)).toEqual(['User.extra is in the database, but not declared'])
  expect(error.sql).toBe('ALTER TABLE "users" DROP COLUMN "extra"')
  expect(await status(db, 'User')).toBe('needs_migration')
  await db.sql`alter table users drop column extra`
  expect(await db.tables.users.read('ada')).toEqual(ada)
  await db.close()
})

test('S14: a renamed column is told by both names', async () => {
  const db = localDatabase(models)
  await db.tables.users.create(ada)
  await db.sql`alter table users rename column name to title`
  const error = await failureOf(db.tables.users.count())
  expect(differencesOf(error)).toEqual([
    'User.name is not in the database',
    'User.title is in the database, but not declared',
  ])
  await db.sql`alter table users rename column title to name`
  expect(await db.tables.users.count()).toBe(1)
  await db.close()
})

test('S14: a table made by somebody else under that name is looked at, not overwritten', async () => {
  const db = localDatabase(models)
  await db.tables.users.count()
  await db.batch([sql`drop table users`, sql`create table users (id text primary key, email text)`])
  const error = await failureOf(db.tables.users.count())
  expect(differencesOf(error)).toEqual([
    'User.email is nullable in the database, declared NOT NULL',
    'User.name is not in the database',
    'User is stored in a table that is not STRICT',
  ])
  await db.close()
})

test('an index of the app under its own name stays', async () => {
  const db = localDatabase(models)
  await db.tables.users.create(ada)
  await db.sql`create index mine on users (name, email)`
  expect(await db.tables.users.count()).toBe(1)
  expect(await db.sql`select name from sqlite_schema where name = 'mine'`).toEqual([{ name: 'mine' }])
  expect(await status(db, 'User')).toBe('exists')
  await db.close()
})

test('4: a schema that moved while nobody looked is looked at by the next start', async () => {
  const { start } = app()
  const first = await start(models)
  await first.tables.posts.create({})
  await first.sql`drop index "ix:posts:userId"`
  const second = await start(models)
  expect(await status(second, 'Post')).toBe('needs_migration')
  expect(await second.tables.posts.count()).toBe(1)
  expect(await status(second, 'Post')).toBe('exists')
  const [{ n }] = (await second.sql<{
    n: number
  }>`select count(*) as n from sqlite_schema where name like 'ix:%'`) as any
  expect(n).toBe(2)
  // From now on the registry is trusted again.
  const third = await start(models)
  await third.tables.posts.count()
  expect((await metrics(third)).statements.executed).toBe(2)
  await third.close()
})

test('4: a moved schema without a difference costs a look, once, and no ledger row', async () => {
  const { start } = app()
  const first = await start(models)
  await first.tables.posts.create({})
  await first.sql`create view v as select 1`
  const second = await start(models)
  const look = await second.count(() => second.tables.posts.count())
  expect(look.executed).toBeGreaterThan(2)
  expect(await history(second)).toHaveLength(1)
  const third = await start(models)
  await third.tables.posts.count()
  expect((await metrics(third)).statements.executed).toBe(2)
  await third.close()
})

test('4: "no such table" is checked again and tried once more, but not in a batch', async () => {
  const db = localDatabase(models)
  await db.tables.users.create(ada)
  // Both were ensured when the message arrived; the first takes the table away.
  const [dropped, created] = await db.tick([sql`drop table users`, User.create({ email: 'b', name: 'B' })])
  expect(dropped).toMatchObject({ status: 'fulfilled' })
  expect(created).toMatchObject({ status: 'fulfilled', value: { email: 'b' } })
  expect(await db.tables.users.count()).toBe(1)

  const failure = await failureOf(db.batch([sql`drop table users`, User.create({ email: 'c', name: 'C' })]))
  expect(failure).toMatchObject({ code: 'SQL', message: expect.stringMatching(/no such table/) })
  // The batch was taken back as a whole.
  expect(await db.tables.users.count()).toBe(1)

  const [, batch] = await db.tick([sql`drop table users`, [User.count(), User.count()]])
  expect(batch).toMatchObject({ status: 'rejected', reason: { code: 'SQL' } })
  expect(await db.tables.users.count()).toBe(0)
  await db.close()
})

test('4: raw SQL with a name that is wrong is tried twice and then told', async () => {
  const db = localDatabase(models)
  await db.tables.users.count()
  const before = await ensureMetrics(db)
  expect(await failureOf(db.sql`select * from nobody`)).toMatchObject({
    code: 'SQL',
    message: expect.stringMatching(/no such table/),
  })
  expect((await ensureMetrics(db)).invalidations - before.invalidations).toBe(1)
  expect(await failureOf(db.sql`select nobody from users`)).toMatchObject({
    message: expect.stringMatching(/no such column/),
  })
  expect((await ensureMetrics(db)).invalidations - before.invalidations).toBe(2)
  expect(await db.tables.users.count()).toBe(0)
  await db.close()
})

const Everything = model(
  'Everything',
  {
    id: t.autoId(),
    text: t.text().default('it\'s "x"\n--y'),
    email: t.text({ max: 10 }).unique(),
    kind: t.enum(["o'clock", 'b,c', ')']).default(')'),
    whole: t
      .integer()
      .default(-5)
      .check(sql<boolean>`whole > ${-10}`),
    big: t.bigint().default(-(2n ** 63n)),
    huge: t.real().default(1e300),
    tiny: t.real().default(-0.1),
    round: t.real().default(3),
    endless: t.real().default(Infinity),
    on: t.boolean().default(true),
    off: t.boolean().default(false).nullable(),
    data: t.json<{ a: number[] }>().default({ a: [1] }),
    bytes: t.blob().default(new Uint8Array([0, 255])),
    at: t.date().default(new Date(0)),
    day: t.date({ as: 'text' }).default(new Date(0)),
    none: t.text().nullable().default(null),
    code: t.text().default(sql<string>`lower( hex(randomblob(4)) )`),
    now: t.integer().default(sql<number>`unixepoch()`),
    self: t.ref('Everything', { onDelete: 'set null' }).$type<number>().nullable(),
    parent: t.ref('User', { onDelete: 'restrict' }).nullable().column('Parent "id"'),
    version: t.version(),
    made: t.createdAt(),
    changed: t.updatedAt(),
  },
  { table: 'Every "thing"', unique: [['kind', 'whole']], checks: [sql<boolean>`whole < 10 or kind <> 'it''s'`] },
)

test('every kind of field is found in the database as it was declared', async () => {
  const db = localDatabase({ all: Everything, users: User }, { parts: { clock } })
  const row = await db.tables.all.create({ email: 'x' })
  await db.sql`create view v as select 1`
  expect(await status(db, 'Everything')).toBe('exists')
  expect(await db.tables.all.read(row.id)).toEqual(row)
  expect((await unwrap(db.engine.schema.plan())).steps).toEqual([])
  expect((await history(db)).map(({ name }) => name)).toEqual(['create Every "thing", create users'])
  await db.close()
})

test('expressions may end with a comment, in a new table and in a new column', async () => {
  const size = t.integer().check(sql<boolean>`size > 0 -- no empty ones`)
  const first = { id: t.autoId(), size, n: t.integer().default(sql<number>`40 + 2 -- the answer`) }
  const Noted = model('Noted', first, { checks: [sql<boolean>`size < n -- small`] })
  const { start } = app()
  const db = await start({ noted: Noted })
  expect(await db.tables.noted.create({ size: 1 })).toEqual({ id: 1, size: 1, n: 42 })
  expect(await failureOf(db.tables.noted.create({ size: 0 }))).toMatchObject({ code: 'CHECK', fields: ['size'] })
  await db.sql`create view v as select 1`
  expect(await status(db, 'Noted')).toBe('exists')
  const added = t
    .integer()
    .nullable()
    .check(sql<boolean>`added > 0 -- too`)
  const later = await start({ noted: model('Noted', { ...first, added }, { checks: Noted.$options.checks! }) })
  expect(await later.tables.noted.create({ size: 1, added: 1 })).toMatchObject({ added: 1 })
  await later.sql`drop view v`
  expect(await status(later, 'Noted')).toBe('exists')
  await later.close()
})

test('columns that were added are found as they were declared', async () => {
  const { start } = app()
  const { id, text, kind, whole, big, off, on, data, bytes, day, endless, version, parent } = Everything.$fields
  const first = await start({ all: model('Everything', { id, text }), users: User })
  await first.tables.all.create({})
  const Later = model('Everything', {
    ...{ id, text, kind, whole, big, off, on, data, bytes, day, endless, version, parent },
    unique: t.text().nullable().unique(),
  })
  const second = await start({ all: Later, users: User })
  const row = await second.tables.all.first()
  expect(row).toMatchObject({ kind: ')', whole: -5, big: -(2n ** 63n), data: { a: [1] }, version: 1, unique: null })
  await second.sql`create view v as select 1`
  expect(await status(second, 'Everything')).toBe('exists')
  expect(await second.tables.all.first()).toEqual(row)
  await second.close()
})
