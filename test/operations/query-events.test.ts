// db.on('query'): each statement under the name of the operation that the app called.
import { expect, test } from 'vitest'
import { model, sql, t } from '../../src/index.js'
import { failureOf } from '../ensure/support.js'
import { localDatabase } from '../support/local.js'

const User = model('User', { id: t.id(), name: t.text().unique() })

test('a query event names the operation that the app called', async () => {
  const db = localDatabase({ users: User })
  const { users } = db.tables
  const calls = {
    create: () => users.create({ id: 'a', name: 'A' }),
    read: () => users.read('a'),
    readOrThrow: () => users.readOrThrow('a'),
    update: () => users.update('a', { name: 'B' }),
    list: () => users.list(),
    first: () => users.first(),
    page: () => users.page({ limit: 1 }),
    count: () => users.count(),
    aggregate: () => users.aggregate({ count: true }),
    distinct: () => users.distinct('name'),
    upsert: () => users.upsert({ id: 'a', name: 'C' }),
    bulkCreate: () => users.bulkCreate([{ name: 'D' }]),
    bulkUpsert: () => users.bulkUpsert([{ name: 'D' }], { on: 'name' }),
    bulkUpdate: () => users.bulkUpdate({ where: { id: 'z' }, set: { name: 'E' } }),
    bulkDelete: () => users.bulkDelete({ all: true }),
    delete: () => users.delete('a'),
  }
  for (const [op, call] of Object.entries(calls)) {
    db.events.length = 0
    await call()
    const queries = db.events.filter(event => event.type === 'query').map(({ detail }) => detail)
    expect(queries).toMatchObject([{ model: 'User', op }])
  }
  await db.close()
})

test('so does an error of the worker', async () => {
  const db = localDatabase({ users: User })
  const where = { $sql: sql<boolean>`missing = 1` }
  for (const [op, call] of [
    ['first', () => db.tables.users.first({ where })],
    ['page', () => db.tables.users.page({ where, limit: 1 })],
    ['count', () => db.tables.users.count(where)],
  ] as const) {
    expect(await failureOf(call())).toMatchObject({ code: 'SQL', model: 'User', op })
  }
  await db.close()
})
