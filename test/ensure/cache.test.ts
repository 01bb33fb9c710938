// S7-S9, S12, S16: each table is checked once; a hit runs nothing; instances do not know each other.
import { describe, expect, test } from 'vitest'
import { model, t } from '../../src/index.js'
import { localDatabase, STORAGES, unwrap } from '../support/local.js'
import { ensureMetrics, failureOf, metrics, status } from './support.js'

const User = model('User', { id: t.id(), email: t.text().unique(), name: t.text().nullable() })
const Post = model('Post', { id: t.id(), authorId: t.ref('User').nullable(), title: t.text() })
const Tag = model('Tag', { id: t.id(), label: t.text() })
const models = { users: User, posts: Post, tags: Tag }
const user = (n: number) => ({ email: `${n}@example.com` })

describe.each(STORAGES)('%s', storage => {
  test('S1: declaring touches nothing; opening makes no new table', async () => {
    const db = localDatabase(models, { storage })
    expect(await unwrap(db.engine.ready())).toMatchObject({ applied: [], pending: [], cached: true })
    // The registry, which is not there, and the schema's version.
    expect((await metrics(db)).statements).toMatchObject({ executed: 1, control: 0 })
    expect((await metrics(db)).flush.flushes).toBe(0)
    expect(await status(db, 'User')).toBe('needs_creation')
    await db.close()
  })

  test('S8: the second create runs one statement and no transaction control', async () => {
    const db = localDatabase(models, { storage })
    await db.tables.users.create(user(0))
    const before = await ensureMetrics(db)
    const { executed, control } = await db.count(() => db.tables.users.create(user(1)))
    expect([executed, control]).toEqual([1, 0])
    const after = await ensureMetrics(db)
    expect(after).toEqual({ ...before, hits: before.hits + 1, hitRate: 0.5 })
    await db.close()
  })

  test('S9: cacheTableChecks false really runs the whole check on every operation', async () => {
    const db = localDatabase(models, { storage, cacheTableChecks: false })
    await db.tables.users.create(user(0))
    for (let n = 1; n < 4; n++) {
      const before = await ensureMetrics(db)
      const { executed } = await db.count(() => db.tables.users.create(user(n)))
      expect(executed).toBeGreaterThanOrEqual(6)
      const after = await ensureMetrics(db)
      expect(after.misses - before.misses).toBe(1)
      expect(after.checks - before.checks).toBe(1)
      expect(after.hits).toBe(0)
      expect(after.hitRate).toBe(0)
    }
    expect(await db.tables.users.count()).toBe(4)
    await db.close()
  })
})

test('S12: hits, misses, hitRate and checks are exact', async () => {
  const db = localDatabase(models)
  expect(await ensureMetrics(db)).toMatchObject({ hits: 0, misses: 0, joins: 0, hitRate: 0, checks: 0, failures: 0 })
  await db.tables.posts.count() // Post and User: one missed, two checked
  expect(await ensureMetrics(db)).toMatchObject({ hits: 0, misses: 1, joins: 0, hitRate: 0, checks: 2 })
  await db.tables.users.count() // known by Post's check
  await db.tables.posts.count()
  expect(await ensureMetrics(db)).toMatchObject({ hits: 2, misses: 1, joins: 0, hitRate: 2 / 3, checks: 2 })
  await db.tables.tags.count()
  expect(await ensureMetrics(db)).toMatchObject({ hits: 2, misses: 2, joins: 0, hitRate: 0.5, checks: 3 })
  await db.close()
})

test('S12: a batch counts each model once, whatever the number of its operations', async () => {
  const db = localDatabase(models)
  await db.batch([User.create(user(0)), User.create(user(1)), Tag.create({ label: 'a' })])
  expect(await ensureMetrics(db)).toMatchObject({ hits: 0, misses: 2, checks: 2 })
  await db.batch([User.create(user(2)), User.count(), Tag.count()])
  expect(await ensureMetrics(db)).toMatchObject({ hits: 2, misses: 2, checks: 2 })
  await db.close()
})

test('S8: concurrent first uses join one check', async () => {
  const db = localDatabase(models)
  await unwrap(db.engine.ready())
  const counts = await db.tick(Array.from({ length: 5 }, () => models.users.count()))
  expect(counts).toEqual(Array.from({ length: 5 }, () => ({ status: 'fulfilled', value: 0 })))
  expect(await ensureMetrics(db)).toMatchObject({ hits: 0, misses: 1, joins: 4, checks: 1, hitRate: 0 })
  await db.close()
})

test('S8: concurrent first uses before the database is open join one check too', async () => {
  const db = localDatabase(models)
  await Promise.all(Array.from({ length: 5 }, () => db.tables.users.count()))
  const { hits, misses, joins, checks } = await ensureMetrics(db)
  expect({ hits, misses, joins, checks }).toEqual({ hits: 0, misses: 1, joins: 4, checks: 1 })
  await db.close()
})

test('S8: a thousand hits run exactly a thousand statements', async () => {
  const db = localDatabase(models)
  await db.tables.users.count()
  const { executed, control } = await db.count(async () => {
    for (let i = 0; i < 1000; i++) await db.tables.users.read('x')
  })
  expect([executed, control]).toEqual([1000, 0])
  expect((await ensureMetrics(db)).hits).toBe(1000)
  await db.close()
})

test('S8: a failed check is not kept as ensured', async () => {
  const db = localDatabase(models, { autoMigrate: false })
  await expect(db.tables.users.count()).rejects.toMatchObject({ code: 'SCHEMA_MISMATCH' })
  expect(await status(db, 'User')).toBe('needs_creation')
  await expect(db.tables.users.count()).rejects.toMatchObject({ code: 'SCHEMA_MISMATCH' })
  expect(await ensureMetrics(db)).toMatchObject({ hits: 0, failures: 1 })
  await db.close()
})

test('S7: ensure makes the tables early, with everything that is referred to', async () => {
  const db = localDatabase(models)
  await unwrap(db.engine.schema.ensure(['Post']))
  expect([await status(db, 'Post'), await status(db, 'User'), await status(db, 'Tag')]).toEqual([
    'exists',
    'exists',
    'needs_creation',
  ])
  const { executed } = await db.count(() => unwrap(db.engine.schema.ensure(['Post', 'User'])))
  expect(executed).toBe(0)
  expect(await failureOf(unwrap(db.engine.schema.ensure(['Nobody'])))).toMatchObject({ code: 'UNKNOWN_MODEL' })
  await db.close()
})

test('S7: raw SQL and a lease ensure all models', async () => {
  const db = localDatabase(models)
  await db.sql`select 1`
  for (const name of ['User', 'Post', 'Tag']) expect(await status(db, name)).toBe('exists')
  await db.close()
  const other = localDatabase(models)
  const lease = await unwrap(other.engine.begin({ id: -1, maxWait: 1000, timeout: 1000 }))
  expect((await ensureMetrics(other)).checks).toBe(3)
  await unwrap(other.engine.rollback(lease))
  for (const name of ['User', 'Post', 'Tag']) expect(await status(other, name)).toBe('exists')
  await other.close()
})

test('S16: two databases with the same models share nothing', async () => {
  const red = localDatabase(models)
  const blue = localDatabase(models, { autoMigrate: false })
  await red.tables.users.create(user(0))
  expect(await status(blue, 'User')).toBe('needs_creation')
  // The one's breaker is not the other's.
  await expect(blue.tables.users.count()).rejects.toMatchObject({ code: 'SCHEMA_MISMATCH' })
  expect(await red.tables.users.count()).toBe(1)
  await unwrap(blue.engine.schema.apply())
  expect(await blue.tables.users.count()).toBe(0)
  expect(await ensureMetrics(red)).toMatchObject({ hits: 1, misses: 1, failures: 0 })
  expect(await ensureMetrics(blue)).toMatchObject({ hits: 1, misses: 1, failures: 1 })
  await red.sql`drop table users`
  expect((await ensureMetrics(red)).invalidations).toBe(1)
  expect((await ensureMetrics(blue)).invalidations).toBe(0)
  await red.close()
  await blue.close()
})
