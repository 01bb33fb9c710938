// Semantics 8: which of two builds is the newer one.
import { expect, test } from 'vitest'
import { model, t } from '../../src/index.js'
import { app, failureOf, history, ready, schemaOf, status } from './support.js'

const A = model('User', { id: t.id(), name: t.text() })
const B = model('User', { ...A.$fields, nick: t.text().nullable() })
const Tag = model('Tag', { id: t.id() })
const WithIndex = model('User', A.$fields, { indexes: [['name']] })

test('8: without a version, a build that the ledger knows from before is the older one', async () => {
  const { start } = app()
  await (await start({ users: A })).tables.users.create({ id: 'a', name: 'A' })
  const newer = await start({ users: B })
  await newer.tables.users.update('a', { nick: 'x' })
  const before = await schemaOf(newer)
  const older = await start({ users: A })
  expect(await failureOf(older.tables.users.count())).toMatchObject({ code: 'SCHEMA_NEWER' })
  expect(await failureOf(ready(older))).toMatchObject({ code: 'SCHEMA_NEWER', hint: expect.stringMatching(/version/) })
  expect(await status(older, 'User')).toBe('unknown')
  const again = await start({ users: B })
  expect(await again.tables.users.read('a')).toMatchObject({ nick: 'x' })
  expect(await schemaOf(again)).toEqual(before)
  expect(await history(again)).toHaveLength(2)
  await again.close()
})

test('8: SCHEMA_NEWER opens the breaker', async () => {
  const { start } = app()
  await (await start({ users: A })).tables.users.count()
  await (await start({ users: WithIndex })).tables.users.count()
  const older = await start({ users: A })
  const first = await failureOf(older.tables.users.count())
  const { executed, result } = await older.count(() => failureOf(older.tables.users.count()))
  expect(executed).toBe(0)
  expect(result).toMatchObject({ code: 'SCHEMA_NEWER', message: first.message })
  await older.close()
})

test('8: without a version, a schema that the ledger does not know goes forward', async () => {
  const { start } = app()
  await (await start({ users: A })).tables.users.count()
  await (await start({ users: B })).tables.users.count()
  const C = model('User', B.$fields, { indexes: [['nick']] })
  const third = await start({ users: C })
  expect((await ready(third)).applied.map(step => step.kind)).toEqual(['createIndex'])
  await third.close()
})

test('8: with a version the higher one wins, whatever the ledger knows', async () => {
  const { start } = app()
  await (await start({ users: A }, { version: 1 })).tables.users.count()
  await (await start({ users: WithIndex }, { version: 2 })).tables.users.count()
  expect(await failureOf((await start({ users: A }, { version: 1 })).tables.users.count())).toMatchObject({
    code: 'SCHEMA_NEWER',
  })
  // A release taken back: the earlier schema, with a higher version.
  const reverted = await start({ users: A }, { version: 3 })
  expect((await ready(reverted)).applied.map(step => step.kind)).toEqual(['dropIndex'])
  expect(await failureOf((await start({ users: WithIndex }, { version: 2 })).tables.users.count())).toMatchObject({
    code: 'SCHEMA_NEWER',
  })
  const db = await start({ users: A }, { version: 3 })
  expect(await db.sql`select app_version from dataflow_migrations order by version`).toEqual([
    { app_version: 1 },
    { app_version: 2 },
    { app_version: 3 },
  ])
  await db.close()
})

test('8: an unknown schema of a lower version is the older build', async () => {
  const { start } = app()
  await (await start({ users: A }, { version: 5 })).tables.users.count()
  const older = await start({ users: B }, { version: 4 })
  expect(await failureOf(older.tables.users.count())).toMatchObject({ code: 'SCHEMA_NEWER' })
  // The breaker of one model says nothing of a model that has no table: the plan is one.
  await older.close()
})

test('8: an older build may not make a new table in a newer schema either', async () => {
  const { start } = app()
  await (await start({ users: A }, { version: 5 })).tables.users.count()
  const older = await start({ users: A, tags: Tag }, { version: 4 })
  expect(await older.tables.users.count()).toBe(0) // unchanged: it can be used
  expect(await failureOf(older.tables.tags.count())).toMatchObject({ code: 'SCHEMA_NEWER' })
  expect(await status(older, 'Tag')).toBe('unknown')
  await older.close()
})

test('8: adding a model and using it lazily is no step back for the same build', async () => {
  const { start } = app()
  const models = { users: A, tags: Tag }
  await (await start(models)).tables.users.count()
  const again = await start(models)
  expect(await again.tables.tags.count()).toBe(0)
  expect((await history(again)).map(({ name }) => name)).toEqual(['create users', 'create tags'])
  await again.close()
})
