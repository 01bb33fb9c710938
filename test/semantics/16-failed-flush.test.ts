import { expect, test } from 'vitest'
import { model, sql, t } from '../../src/index.js'
import { failureOf, metrics, status } from '../ensure/support.js'
import { localDatabase, STORAGES } from '../support/local.js'
import { begin, gatedStorage, settle } from './support.js'

const User = model('User', { id: t.id(), name: t.text() })
const Tag = model('Tag', { id: t.id() })
const models = { users: User, tags: Tag }

async function open(storage: (typeof STORAGES)[number]) {
  const gate = gatedStorage()
  const db = localDatabase(models, { storage, wrapStorage: gate.wrap })
  await db.tables.users.create({ id: 'saved', name: 'saved' })
  return { db, gate }
}

test.each(STORAGES)('16: %s: in-flight and later commits are rejected, memory is what was saved', async storage => {
  const { db, gate } = await open(storage)
  gate.failing = 'STORAGE_FULL'
  gate.hold = true
  const inFlight = failureOf(db.tables.users.create({ id: 'first', name: 'x' }))
  await settle()
  const later = failureOf(db.tables.users.create({ id: 'later', name: 'x' }))
  const table = failureOf(db.tables.tags.create({ id: 'tag' }))
  await settle()
  // Committed, not yet saved: it can be read.
  expect(await db.tables.users.count()).toBe(3)
  expect(gate.started).toBe(2)
  gate.release()
  for (const error of await Promise.all([inFlight, later, table])) {
    expect(error).toMatchObject({ code: 'STORAGE_FULL', retryable: true })
  }
  gate.failing = null
  expect(await status(db, 'Tag')).toBe('needs_creation')
  expect(await db.tables.users.list()).toEqual([{ id: 'saved', name: 'saved' }])
  // The table of the failed flush is made again.
  expect(await db.tables.tags.create({ id: 'again' })).toEqual({ id: 'again' })
  expect(await db.sql`select name from dataflow_migrations order by version`).toEqual([
    { name: 'create users' },
    { name: 'create tags' },
  ])
  await db.close()
})

test('16: the first table of all is made again too', async () => {
  const gate = gatedStorage()
  const db = localDatabase(models, { wrapStorage: gate.wrap })
  gate.failing = 'STORAGE_FULL'
  expect(await failureOf(db.tables.users.create({ name: 'a' }))).toMatchObject({ code: 'STORAGE_FULL' })
  expect(await status(db, 'User')).toBe('needs_creation')
  gate.failing = null
  expect(await db.tables.users.create({ name: 'a' })).toMatchObject({ name: 'a' })
  expect(await db.sql`select version from dataflow_migrations where name = 'create users'`).toEqual([
    { version: '000001' },
  ])
  await db.close()
})

test('16: reads of the message are run again on the restored state', async () => {
  const { db, gate } = await open('memory')
  await db.tables.tags.count()
  gate.failing = 'STORAGE_FULL'
  const [written, read, raw] = await db.tick([
    User.create({ id: 'x', name: 'x' }),
    User.list({ select: ['id'] }),
    sql`select count(*) as n from users`,
  ])
  expect(written).toMatchObject({ status: 'rejected', reason: { code: 'STORAGE_FULL' } })
  expect(read).toEqual({ status: 'fulfilled', value: [{ id: 'saved' }] })
  expect(raw).toEqual({ status: 'fulfilled', value: [{ n: 1 }] })
  gate.failing = null
  await db.close()
})

test('16: an open lease gets TX_CLOSED', async () => {
  const { db, gate } = await open('memory')
  await db.tables.tags.count()
  gate.failing = 'STORAGE_FULL'
  gate.hold = true
  const inFlight = failureOf(db.tables.users.create({ name: 'x' }))
  await settle()
  const tx = await begin(db, models)
  expect(await tx.run(User.count())).toBe(2)
  await tx.run(User.create({ name: 'in the lease' }))
  gate.release()
  expect((await inFlight).code).toBe('STORAGE_FULL')
  expect(await failureOf(tx.run(User.count()))).toMatchObject({ code: 'TX_CLOSED', retryable: true })
  expect(await failureOf(tx.commit())).toMatchObject({ code: 'TX_CLOSED' })
  gate.failing = null
  expect(await db.tables.users.count()).toBe(1)
  await db.close()
})

test('16: deferred writes that are lost are counted and told once', async () => {
  const { db, gate } = await open('memory')
  await db.tables.tags.count()
  gate.failing = 'STORAGE_FULL'
  // Both resolve: in memory is all that deferred says.
  await db.run(User.create({ id: 'a', name: 'a' }), { durability: 'deferred' })
  await db.run(User.create({ id: 'b', name: 'b' }), { durability: 'deferred' })
  expect(await db.tables.users.count()).toBe(3)
  expect(await failureOf(db.tables.users.create({ name: 'c' }))).toMatchObject({ code: 'STORAGE_FULL' })
  gate.failing = null
  expect((await metrics(db)).flush).toMatchObject({ lost: 2, pending: 0 })
  const errors = db.events.filter(({ type }) => type === 'error')
  expect(errors).toEqual([
    { type: 'error', detail: expect.objectContaining({ code: 'STORAGE_FULL', retryable: true }) },
  ])
  expect(await db.tables.users.count()).toBe(1)
  await db.close()
})

test('16: when nothing deferred was lost, no error event comes', async () => {
  const { db, gate } = await open('memory')
  gate.failing = 'STORAGE_FULL'
  await failureOf(db.tables.users.create({ name: 'c' }))
  gate.failing = null
  expect(db.events.filter(({ type }) => type === 'error')).toEqual([])
  // What was read may have been taken back: every model is told to have changed.
  const told = db.events.filter(({ type }) => type === 'change').map(event => (event as any).detail)
  expect(told.slice(-2)).toEqual([
    { model: 'User', ids: 'all', origin: 'local' },
    { model: 'Tag', ids: 'all', origin: 'local' },
  ])
  await db.close()
})
