import { expect, test } from 'vitest'
import { model, sql, t } from '../../src/index.js'
import { failureOf, metrics } from '../ensure/support.js'
import { localDatabase, unwrap } from '../support/local.js'
import { begin, gatedStorage, handClock, leaseOf, settle, unitOf } from './support.js'

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

test('19: a lease is known by a token: one that is made up is refused, in every method', async () => {
  const { db } = open()
  const tx = await begin(db, models)
  await tx.run(User.create({ id: 'a', name: 'a' }))
  const inner = await tx.savepoint()
  const others = [1, 0, -1, tx.id + 1, tx.id - 1, inner.id + 1, NaN, Infinity].map(id => leaseOf(db, models, id))
  for (const other of others) {
    const calls = [other.run(User.count()), other.savepoint(), other.commit(), other.rollback()]
    for (const call of calls) expect(await failureOf(call)).toMatchObject({ code: 'TX_CLOSED' })
  }
  await inner.commit()
  await tx.commit()
  expect(await db.tables.users.count()).toBe(1)
  await db.close()
})

test('19: the token of a lease that has ended is never that of another, in another worker either', async () => {
  const ids: number[] = []
  for (let i = 0; i < 3; i++) {
    const { db } = open()
    for (let j = 0; j < 3; j++) {
      const tx = await begin(db, models)
      ids.push(tx.id, (await tx.savepoint()).id)
      await tx.rollback()
    }
    const held = await begin(db, models)
    for (const id of ids) expect(await failureOf(leaseOf(db, models, id).commit())).toMatchObject({ code: 'TX_CLOSED' })
    await held.commit()
    await db.close()
  }
  expect(ids.every(Number.isSafeInteger)).toBe(true)
  expect(new Set(ids).size).toBe(ids.length)
})

test('19: a savepoint has the time of its transaction, and is broken with it; its stamp is the one of BEGIN', async () => {
  const Stamped = model('Stamped', { id: t.id(), at: t.createdAt() })
  const models = { users: User, stamps: Stamped }
  const { clock, pass } = handClock(1000)
  const db = localDatabase(models, { parts: { clock } })
  const tx = await begin(db, models, { timeout: 100 })
  pass(60)
  const inner = await tx.savepoint()
  expect((await inner.run(Stamped.create({ id: 'a' }))).at).toEqual(new Date(1000))
  pass(40)
  for (const call of [inner.run(User.count()), inner.commit(), tx.run(User.count()), tx.savepoint(), tx.rollback()])
    expect(await failureOf(call)).toMatchObject({ code: 'TX_TIMEOUT' })
  expect(await db.tables.stamps.count()).toBe(0)
  await db.close()
})

test('19: what took longer than the timeout in one piece does not commit, though no timer could fire', async () => {
  let time = 0
  const late = localDatabase(models, {
    parts: { clock: { now: () => time, monotonic: () => time, after: () => () => {} } },
  })
  const tx = await begin(late, models, { timeout: 100 })
  await tx.run(User.create({ name: 'a' }))
  time = 100
  expect(await failureOf(tx.commit())).toMatchObject({ code: 'TX_TIMEOUT' })
  expect(await late.tables.users.count()).toBe(0)
  await late.close()
})

test('19: a transaction is counted once, however many savepoints and calls it has', async () => {
  const { db } = open()
  await db.tables.users.count()
  const { tx: before } = await metrics(db)
  for (const end of ['commit', 'rollback'] as const) {
    const tx = await begin(db, models)
    const inner = await tx.savepoint()
    await inner.run(User.create({ name: end }))
    await inner.commit()
    await tx[end]()
  }
  const { tx } = await metrics(db)
  expect([tx.committed - before.committed, tx.rolledBack - before.rolledBack]).toEqual([1, 1])
  await db.close()
})

test('19: the feed tells of a transaction at its commit, and not of what failed or was taken back in it', async () => {
  const { db } = open()
  await db.tables.users.count()
  const told = () => db.events.flatMap(event => (event.type === 'change' ? event.detail.ids : []))
  const tx = await begin(db, models)
  await tx.run(User.create({ id: 'a', name: 'a' }))
  expect(
    await failureOf(tx.batch([User.create({ id: 'b', name: 'b' }), User.create({ id: 'a', name: 'a' })])),
  ).toMatchObject({
    code: 'UNIQUE',
  })
  const inner = await tx.savepoint()
  await inner.run(User.create({ id: 'c', name: 'c' }))
  await inner.rollback()
  const kept = await tx.savepoint()
  await kept.run(User.create({ id: 'd', name: 'd' }))
  await kept.commit()
  expect(told()).toEqual([])
  await tx.commit()
  expect(told()).toEqual(['a', 'd'])
  await db.close()
})

test('14: a call that loses the transaction ends the lease at once; all that is left of it says why', async () => {
  const { db } = open()
  await db.tables.users.count()
  await db.run(sql`create trigger guard before insert on users when new.name = 'guilty'
    begin select raise(rollback, 'guilty'); end`)
  const tx = await begin(db, models)
  const inner = await tx.savepoint()
  await inner.run(User.create({ id: 'a', name: 'a' }))
  const others = db.tables.users.count()
  // Of one message, the units behind the guilty one too.
  const units = [User.create({ name: 'guilty' }), User.create({ name: 'behind' }), User.count()].map(
    query => unitOf(models, query, inner.id).unit,
  )
  const outcomes = await unwrap(db.engine.run(units))
  expect(outcomes).toMatchObject([
    { error: { code: 'SQL', model: 'User', op: 'create' } },
    { error: { code: 'SQL', cause: { model: 'User', op: 'create' } } },
    { error: { code: 'SQL' } },
  ])
  // Nobody waits for an end that the page may never ask for.
  expect(await others).toBe(0)
  for (const call of [inner.run(User.count()), inner.commit(), tx.run(User.count()), tx.commit(), tx.rollback()]) {
    const error = await failureOf(call)
    expect(error).toMatchObject({ code: 'SQL', text: expect.stringContaining('An earlier call') })
  }
  expect(await db.tables.users.count()).toBe(0)
  expect(db.events.filter(({ type }) => type === 'change')).toEqual([])
  await db.close()
})

test('16: a failed flush takes a lease back with all its savepoints: TX_CLOSED at every level', async () => {
  const gate = gatedStorage()
  const db = localDatabase(models, { wrapStorage: gate.wrap })
  await db.tables.users.create({ id: 'saved', name: 'saved' })
  gate.failing = 'STORAGE_FULL'
  gate.hold = true
  const inFlight = failureOf(db.tables.users.create({ name: 'x' }))
  await settle()
  const tx = await begin(db, models)
  const inner = await tx.savepoint()
  await inner.run(User.create({ name: 'in the savepoint' }))
  gate.release()
  expect((await inFlight).code).toBe('STORAGE_FULL')
  for (const call of [inner.run(User.count()), inner.commit(), tx.savepoint(), tx.commit()])
    expect(await failureOf(call)).toMatchObject({ code: 'TX_CLOSED', retryable: true })
  gate.failing = null
  expect(await db.tables.users.list()).toEqual([{ id: 'saved', name: 'saved' }])
  const again = await begin(db, models)
  await again.run(User.create({ id: 'again', name: 'x' }))
  await again.commit()
  await db.close()
})

test('16: when the flush of a commit fails, the commit is rejected and memory is as before', async () => {
  const gate = gatedStorage()
  const db = localDatabase(models, { wrapStorage: gate.wrap })
  await db.tables.users.create({ id: 'saved', name: 'saved' })
  const tx = await begin(db, models)
  const inner = await tx.savepoint()
  await inner.run(User.create({ name: 'x' }))
  await inner.commit()
  gate.failing = 'STORAGE_FULL'
  expect(await failureOf(tx.commit())).toMatchObject({ code: 'STORAGE_FULL', retryable: true })
  gate.failing = null
  expect(await failureOf(tx.run(User.count()))).toMatchObject({ code: 'TX_CLOSED' })
  expect(await db.tables.users.list()).toEqual([{ id: 'saved', name: 'saved' }])
  await db.close()
})

test('18: a call inside a lease waits for nothing: to take it back comes too late, and it is done', async () => {
  const { db } = open()
  const tx = await begin(db, models)
  const [first, second] = ['a', 'b'].map(id => unitOf(models, User.create({ id, name: id }), tx.id).unit) as [any, any]
  const message = unwrap(db.engine.run([first, second]))
  expect(await unwrap(db.engine.cancel([first.id]))).toEqual([])
  expect(await message).toMatchObject([{ ok: [{}] }, { ok: [{}] }])
  await tx.commit()
  // Too late.
  expect(await unwrap(db.engine.cancel([second.id]))).toEqual([])
  expect(await db.tables.users.count()).toBe(2)
  await db.close()
})
