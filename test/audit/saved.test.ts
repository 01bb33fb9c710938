// The trail is part of the database: saved, taken back, exported, imported, restored with it.
import { expect, test } from 'vitest'
import { dataflow, model, t } from '../../src/index.js'
import { gatedStorage } from '../semantics/support.js'
import { localDatabase } from '../support/local.js'
import { changedForeign, failureOf, foreignFile, readForeign, useOrigin } from '../whole/support.js'

const User = model('User', { id: t.id(), name: t.text().unique() }, { audit: true })
const models = { users: User }
useOrigin()

test('a flush that fails takes entries back with their writes', async () => {
  const gate = gatedStorage()
  const db = localDatabase(models, { wrapStorage: gate.wrap, actor: 'ada' })
  await db.tables.users.create({ id: 'a', name: 'a' })
  gate.failing = 'STORAGE_FULL'
  expect(await failureOf(db.tables.users.create({ id: 'b', name: 'b' }))).toMatchObject({ code: 'STORAGE_FULL' })
  gate.failing = null
  expect((await db.audit.list()).map(({ key }) => key)).toEqual(['a'])
  await db.tables.users.create({ id: 'c', name: 'c' })
  expect((await db.audit.list()).map(({ key, who }) => `${key} ${who}`)).toEqual(['c ada', 'a ada'])
  await db.close()
})

test('across workers, an export, an import, a backup', async () => {
  const db = dataflow('app', { models, actor: 'ada' })
  await db.users.create({ id: 'a', name: 'a' })
  const entries = await db.audit.list()
  expect(entries).toMatchObject([{ id: 1, model: 'User', key: 'a', who: 'ada', action: 'create' }])
  await db.close()

  const again = dataflow('app', { models, actor: 'bob' })
  expect(await again.audit.list()).toEqual(entries)
  const backup = await again.backup()
  const file = await again.export()
  await again.users.update('a', { name: 'b' })
  await again.import(file)
  expect(await again.audit.list()).toEqual(entries)
  await again.users.update('a', { name: 'c' })
  expect((await again.audit.list()).map(({ id, who }) => [id, who])).toEqual([
    [2, 'bob'],
    [1, 'ada'],
  ])
  await again.restore(backup.id)
  expect(await again.audit.list()).toEqual(entries)
  await again.close()

  const other = dataflow('other', { models })
  await other.import(file)
  expect(await other.audit.list()).toEqual(entries)
  expect(await readForeign(file, 'select id, model, key, action, who from dataflow_audit')).toEqual([
    [1, 'User', 'a', 'create', 'ada'],
  ])
  await other.close()
})

test('a file that another program has written to: recorded, by nobody, and not by the next writer', async () => {
  const db = dataflow('app', { models, actor: 'ada' })
  await db.users.create({ id: 'a', name: 'a' })
  const file = await changedForeign(await db.export(), "update users set name = 'elsewhere'")
  await db.import(file)
  await db.users.create({ id: 'b', name: 'b' })
  const entries = await db.audit.list()
  expect(entries.map(({ key, action, who }) => [key, action, who])).toEqual([
    ['b', 'create', 'ada'],
    ['a', 'update', null],
    ['a', 'create', 'ada'],
  ])
  expect(entries.every(({ at }) => at.getTime() > 0)).toBe(true)
  await db.close()
})

test('a file without a trail gets one', async () => {
  const file = await foreignFile(stock => {
    stock.run('create table users (id TEXT PRIMARY KEY NOT NULL, name TEXT NOT NULL) STRICT')
    stock.run("insert into users values ('a', 'a')")
  })
  const db = dataflow('app', { models, actor: 'ada' })
  await db.import(new Blob([file]))
  expect(await db.audit.list()).toEqual([])
  await db.users.update('a', { name: 'b' })
  expect(await db.audit.list()).toMatchObject([{ before: { id: 'a', name: 'a' }, after: { id: 'a', name: 'b' } }])
  await db.close()
})

test('a transaction of the page: who is asked at each call, and nothing stays of what is rolled back', async () => {
  let asked = 0
  const db = dataflow('app', { models, actor: () => `call ${++asked}` })
  await db.transaction(async tx => {
    await tx.users.create({ id: 'a', name: 'a' })
    await tx.users.read('a')
    await tx.sql`update users set name = 'x'`
  })
  const failure = new Error('no')
  const failed = db.transaction(async tx => {
    await tx.users.create({ id: 'b', name: 'b' })
    throw failure
  })
  await expect(failed).rejects.toBe(failure)
  const entries = await db.audit.list()
  expect(entries.map(({ key, action, who }) => [key, action, who])).toEqual([
    ['a', 'update', 'call 2'],
    ['a', 'create', 'call 1'],
  ])
  expect(entries[0]!.at).toEqual(entries[1]!.at)
  await db.close()
})

test('a savepoint that is taken back leaves no entries; a scope is recorded, and reads no trail', async () => {
  const Note = model('Note', { id: t.id(), tenant: t.text() }, { audit: true, scope: 'tenant' })
  const db = dataflow('app', { models: { notes: Note }, actor: 'ada' })
  await db.transaction(async tx => {
    await tx.notes.create({ id: 'a', tenant: 'x' })
    const failed = tx.savepoint(async inner => {
      await inner.notes.create({ id: 'b', tenant: 'x' })
      throw new Error('no')
    })
    await expect(failed).rejects.toThrow('no')
    await tx.savepoint(async inner => void (await inner.notes.create({ id: 'c', tenant: 'x' })))
  })
  const scoped = db.scope({ tenant: 'x' })
  await scoped.notes.create({ id: 'd' })
  expect((await db.audit.list()).map(({ key, who }) => `${key} ${who}`)).toEqual(['d ada', 'c ada', 'a ada'])
  expect(() => (scoped as any).audit).toThrow(/READONLY/)
  await db.close()
})

test('an actor that fails: the call is refused, a transaction with it', async () => {
  const cause = new Error('no session')
  let failing = false
  const db = dataflow('app', {
    models,
    actor: () => {
      if (failing) throw cause
      return 'ada'
    },
  })
  await db.users.create({ id: 'a', name: 'a' })
  failing = true
  const error = await failureOf(db.users.create({ id: 'b', name: 'b' }))
  expect(error).toMatchObject({ code: 'BAD_OPTION', cause })
  expect(
    await failureOf(db.transaction(async tx => void (await tx.users.create({ id: 'c', name: 'c' })))),
  ).toMatchObject({ code: 'BAD_OPTION' })
  expect(await db.users.count()).toBe(1)
  expect(await db.audit.list()).toHaveLength(1)
  await db.close()
})

test('prune is saved', async () => {
  const db = dataflow('app', { models })
  await db.users.create({ id: 'a', name: 'a' })
  expect(await db.audit.prune({ before: new Date(Date.now() + 1000) })).toBe(1)
  await db.close()
  const again = dataflow('app', { models })
  expect(await again.audit.list()).toEqual([])
  await again.close()
})
