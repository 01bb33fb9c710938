import { expect, test } from 'vitest'
import { model, sql, t } from '../../src/index.js'
import { metrics } from '../ensure/support.js'
import { localDatabase } from '../support/local.js'
import { gatedStorage, settle } from './support.js'

const User = model('User', { id: t.id(), name: t.text().unique() })
const models = { users: User }
const create = (name: string) => User.create({ id: name, name })

test('13: writes of one tick are one transaction, with a savepoint for each', async () => {
  const db = localDatabase(models)
  await db.tables.users.count()
  const { executed, control, result } = await db.count(() => db.tick(['a', 'b', 'c'].map(create)))
  expect(result.map(({ status }) => status)).toEqual(['fulfilled', 'fulfilled', 'fulfilled'])
  // BEGIN and COMMIT; SAVEPOINT and RELEASE for each.
  expect([executed, control]).toEqual([3, 2 + 3 * 2])
  await db.close()
})

test('13: a single operation needs no transaction control, a batch has its own', async () => {
  const db = localDatabase(models)
  await db.tables.users.count()
  expect(await db.count(() => db.run(create('a')))).toMatchObject({ executed: 1, control: 0 })
  expect(await db.count(() => db.batch([create('b'), create('c')]))).toMatchObject({ executed: 2, control: 2 })
  expect(await db.count(() => db.tick([User.count(), User.list(), User.read('a')]))).toMatchObject({ control: 0 })
  await db.close()
})

test('13: one that fails takes nothing of the others back', async () => {
  const db = localDatabase(models)
  const settled = await db.tick([create('a'), create('a'), [create('b'), create('a')], create('c')])
  expect(settled.map(({ status }) => status)).toEqual(['fulfilled', 'rejected', 'rejected', 'fulfilled'])
  expect(await db.tables.users.list({ select: ['id'] })).toEqual([{ id: 'a' }, { id: 'c' }])
  await db.close()
})

test('13: a tick of writes is one flush; reads answer at once while it is under way', async () => {
  const gate = gatedStorage()
  const db = localDatabase(models, { wrapStorage: gate.wrap })
  await db.run(create('a'))
  const { flushes } = (await metrics(db)).flush
  gate.hold = true
  let done = false
  const writing = db.tick([create('b'), create('c')]).then(() => (done = true))
  await settle()
  expect(await db.tables.users.count()).toBe(3)
  expect(done).toBe(false)
  gate.release()
  await writing
  expect((await metrics(db)).flush.flushes - flushes).toBe(1)
  await db.close()
})

const guard = sql`create trigger guard before insert on users when new.name = 'guilty'
  begin select raise(rollback, 'guilty'); end`

test('14: RAISE(ROLLBACK) takes the transaction, and only the guilty one fails', async () => {
  const db = localDatabase(models)
  await db.run(guard)
  await db.tables.users.count()
  const settled = await db.tick([create('a'), create('guilty'), [create('b'), create('c')], User.count()])
  expect(settled.map(({ status }) => status)).toEqual(['fulfilled', 'rejected', 'fulfilled', 'fulfilled'])
  expect(settled[3]).toMatchObject({ value: 3 })
  expect(await db.tables.users.list({ select: ['id'] })).toEqual([{ id: 'a' }, { id: 'b' }, { id: 'c' }])
  const { tx } = await metrics(db)
  expect(tx.rolledBack).toBeGreaterThanOrEqual(2)
  // The change feed tells of each write once.
  const ids = db.events.flatMap(event => (event.type === 'change' ? event.detail.ids : []))
  expect(ids).toEqual(['a', 'b', 'c'])
  await db.close()
})

test('14: a batch that is guilty fails as a whole, alone', async () => {
  const db = localDatabase(models)
  await db.run(guard)
  const settled = await db.tick([[create('a'), create('guilty')], create('b')])
  expect(settled.map(({ status }) => status)).toEqual(['rejected', 'fulfilled'])
  expect(await db.tables.users.list({ select: ['id'] })).toEqual([{ id: 'b' }])
  await db.close()
})

test('14: a deferred foreign key that fails at COMMIT', async () => {
  const db = localDatabase(models)
  await db.sql`create table child (id text primary key, up text references users (id) deferrable initially deferred)`
  const orphan = sql`insert into child values ('x', 'nobody')`
  const settled = await db.tick([create('a'), orphan, create('b')])
  expect(settled.map(({ status }) => status)).toEqual(['fulfilled', 'rejected', 'fulfilled'])
  expect(settled[1]).toMatchObject({ reason: { code: 'FOREIGN_KEY' } })
  expect(await db.sql`select * from child`).toEqual([])
  await db.close()
})
