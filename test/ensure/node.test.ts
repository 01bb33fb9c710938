// S1: a server renders a module that declares a database. Imports the public entry alone, as it would.
import { expect, test } from 'vitest'
import { dataflow, DataFlowError, model, sql, t } from '../../src/index.js'

const User = model('User', { id: t.id(), name: t.text() })

test('declaring under Node, without Worker and IndexedDB, touches nothing', async () => {
  expect([typeof globalThis.Worker, typeof globalThis.indexedDB]).toEqual(['undefined', 'undefined'])
  const db = dataflow('app', { models: { users: User } })
  const off = db.on('error', () => {})
  off()
  expect(typeof db.users.create).toBe('function')
  expect(await db.persist()).toBe(false)
  await db.flush()
})

test('using it there is NO_WORKER, on every path, each time', async () => {
  const db = dataflow('app', { models: { users: User } })
  const uses: (() => Promise<unknown>)[] = [
    () => db.users.create({ name: 'a' }),
    () => db.users.list(),
    () => db.users.iterate()[Symbol.asyncIterator]().next(),
    () => db.run(User.count()),
    () => db.batch([User.count()]),
    () => db.sql`select 1`,
    () => db.run(sql`select 1`),
    () => db.transaction(async () => {}),
    () => db.ready,
    () => db.ensure(),
    () => db.tableStatus('users'),
    () => db.retry('users'),
    () => db.migrations.plan(),
    () => db.metrics(),
    () => db.compact(),
  ]
  for (const use of [...uses, ...uses]) {
    const error = await use().then(
      () => expect.fail(String(use)),
      (e: unknown) => e,
    )
    expect(DataFlowError.is(error, 'NO_WORKER'), String(error)).toBe(true)
    expect((error as DataFlowError).hint).toMatch(/server/)
  }
  await db.close()
  await expect(db.users.count()).rejects.toMatchObject({ code: 'CLOSED' })
})

test('a wrong call is told before the worker is missed', async () => {
  const db = dataflow('app', { models: { users: User } })
  await expect(db.users.list({ where: { nope: 1 } as never })).rejects.toMatchObject({ code: 'UNKNOWN_FIELD' })
  await expect(db.tableStatus('people' as never)).rejects.toMatchObject({ code: 'UNKNOWN_MODEL' })
  expect(() => dataflow('app', { models: { sql: User } } as never)).toThrow(/BAD_MODEL/)
})
