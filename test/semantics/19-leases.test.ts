import { expect, test } from 'vitest'
import { model, t } from '../../src/index.js'
import { failureOf, metrics } from '../ensure/support.js'
import { localDatabase, unwrap } from '../support/local.js'
import { begin, handClock, settle, unitOf } from './support.js'

const User = model('User', { id: t.id(), name: t.text() })
const models = { users: User }

function open() {
  const time = handClock(1000)
  const db = localDatabase(models, { parts: { clock: time.clock } })
  return { db, ...time }
}

test('19: everything else waits for the end of a lease, reads included', async () => {
  const { db } = open()
  const tx = await begin(db, models)
  await tx.run(User.create({ id: 'a', name: 'a' }))
  const done: string[] = []
  const read = db.tables.users.count().then(n => (done.push('read'), n))
  const status = unwrap(db.engine.schema.tableStatus('User')).then(() => done.push('status'))
  await settle()
  expect(done).toEqual([])
  expect(await tx.run(User.count())).toBe(1)
  await tx.commit()
  expect(await read).toBe(1)
  await status
  await db.close()
})

test('19: a rolled back lease leaves nothing; a failed operation inside takes back only itself', async () => {
  const { db } = open()
  const tx = await begin(db, models)
  await tx.run(User.create({ id: 'a', name: 'a' }))
  expect(await failureOf(tx.run(User.create({ id: 'a', name: 'b' })))).toMatchObject({ code: 'UNIQUE' })
  expect(await tx.run(User.count())).toBe(1)
  await tx.rollback()
  expect(await db.tables.users.count()).toBe(0)
  expect(db.events.filter(({ type }) => type === 'change')).toEqual([])
  await db.close()
})

test('19: timeout is measured from BEGIN and breaks the lease with TX_TIMEOUT', async () => {
  const { db, pass } = open()
  const tx = await begin(db, models, { timeout: 100 })
  await tx.run(User.create({ name: 'a' }))
  pass(99)
  expect(await tx.run(User.count())).toBe(1)
  const waiting = db.tables.users.count()
  pass(1)
  expect(await waiting).toBe(0)
  expect(await failureOf(tx.run(User.count()))).toMatchObject({ code: 'TX_TIMEOUT' })
  expect(await failureOf(tx.commit())).toMatchObject({ code: 'TX_TIMEOUT' })
  expect(await failureOf(tx.rollback())).toMatchObject({ code: 'TX_TIMEOUT' })
  expect((await metrics(db)).tx.timedOut).toBe(1)
  await db.close()
})

test('19: waiting for a lease ends after maxWait, and the time of waiting is no time of the transaction', async () => {
  const { db, pass } = open()
  const first = await begin(db, models)
  const late = failureOf(begin(db, models, { maxWait: 50 }))
  const second = begin(db, models, { maxWait: 1000, timeout: 100 })
  await settle()
  pass(50)
  expect(await late).toMatchObject({ code: 'TX_TIMEOUT', retryable: true })
  pass(500)
  await first.commit()
  const tx = await second
  pass(99)
  expect(await tx.run(User.count())).toBe(0)
  await tx.commit()
  await db.close()
})

test('19: an ended lease is TX_CLOSED', async () => {
  const { db } = open()
  const tx = await begin(db, models)
  await tx.commit()
  expect(await failureOf(tx.run(User.count()))).toMatchObject({ code: 'TX_CLOSED' })
  expect(await failureOf(tx.commit())).toMatchObject({ code: 'TX_CLOSED' })
  expect(await failureOf(tx.rollback())).toMatchObject({ code: 'TX_CLOSED' })
  await db.close()
})

test('19: leases come one after the other, in the order they were asked for', async () => {
  const { db } = open()
  const order: number[] = []
  const run = async (n: number) => {
    const tx = await begin(db, models)
    order.push(n)
    await tx.run(User.create({ id: String(n), name: 'x' }))
    expect(await tx.run(User.count())).toBe(n)
    await tx.commit()
  }
  await Promise.all([1, 2, 3, 4].map(run))
  expect(order).toEqual([1, 2, 3, 4])
  await db.close()
})

test('19: close breaks an open lease and saves nothing of it', async () => {
  const { db } = open()
  const tx = await begin(db, models)
  await tx.run(User.create({ name: 'a' }))
  await db.close()
  expect(await failureOf(tx.commit())).toMatchObject({ code: 'CLOSED' })
})

test('18: what waits for a lease can be aborted: then it is not done; what is committed resolves', async () => {
  const { db } = open()
  const tx = await begin(db, models)
  const { unit } = unitOf(models, User.create({ id: 'aborted', name: 'a' }))
  const other = unitOf(models, User.create({ id: 'kept', name: 'a' })).unit
  const message = unwrap(db.engine.run([unit, other]))
  await settle()
  await unwrap(db.engine.cancel([unit.id]))
  await tx.commit()
  const [first, second] = await message
  expect(first).toMatchObject({ error: { code: 'ABORTED' } })
  expect(second).toHaveProperty('ok')
  // Too late, and of no effect on the next call either.
  await unwrap(db.engine.cancel([other.id]))
  expect(await db.tables.users.list({ select: ['id'] })).toEqual([{ id: 'kept' }])
  await db.close()
})

test('18: a lease that is aborted while it waits does not begin', async () => {
  const { db } = open()
  const first = await begin(db, models)
  const waiting = failureOf(unwrap(db.engine.begin({ maxWait: 1000, timeout: 1000, id: 7 })))
  await settle()
  await unwrap(db.engine.cancel([7]))
  await first.commit()
  expect(await waiting).toMatchObject({ code: 'ABORTED' })
  expect(await db.tables.users.count()).toBe(0)
  await db.close()
})

test('19: a call that waits behind another lease does not slip into that one', async () => {
  const { db } = open()
  const first = await begin(db, models)
  const before = db.tables.users.create({ id: 'before', name: 'x' })
  const second = begin(db, models)
  const after = db.tables.users.create({ id: 'after', name: 'x' })
  await settle()
  await first.commit()
  const tx = await second
  await tx.run(User.create({ id: 'inside', name: 'x' }))
  await tx.rollback()
  await Promise.all([before, after])
  expect(await db.tables.users.list({ select: ['id'] })).toEqual([{ id: 'after' }, { id: 'before' }])
  await db.close()
})
