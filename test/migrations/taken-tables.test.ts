// A table's name that another model's table has: it moves away, goes, or is in the way.
import { expect, test } from 'vitest'
import { model, t } from '../../src/index.js'
import type { AnyModel } from '../../src/model.js'
import { app, failureOf, ready, upgrade } from '../ensure/support.js'
import { unwrap, type LocalDatabase } from '../support/local.js'

const Ada = model('Ada', { id: t.id(), name: t.text() }, { table: 'people' })
const Bob = model('Bob', { id: t.id(), age: t.integer().nullable() })
const BobMoved = model('Bob', Bob.$fields, { table: 'people' })
const Cyd = model('Cyd', { id: t.id(), age: t.integer().nullable() }, { table: 'people' })

const apply = (db: LocalDatabase<any>) => unwrap(db.engine.schema.apply())
const tables = async (db: LocalDatabase<any>) =>
  (await db.sql`select name from sqlite_schema where type = 'table' and name not like 'dataflow_%' order by name`).map(
    ({ name }) => name,
  )

/** Ada with some rows and Bob with one, then a build of these models. */
async function next(
  models: Record<string, AnyModel>,
  rows: number,
  onDestructive: 'keep' | 'apply' | 'error' = 'keep',
) {
  const { start } = app()
  const first = await start({ adas: Ada, bobs: Bob }, { version: 1 })
  await first.tables.bobs.create({ id: 'b', age: 1 })
  await first.tables.adas.count()
  for (let i = 0; i < rows; i++) await first.tables.adas.create({ name: 'x' })
  return start(models, { version: 2, migrations: { onDestructive } })
}

test('a table that is moved to where a removed model has rows is refused; nobody has allowed to lose them', async () => {
  const db = await next({ bobs: BobMoved }, 2)
  const error = await failureOf(ready(db))
  expect(error).toMatchObject({ code: 'MIGRATION_DESTRUCTIVE', model: 'Bob', issues: [{ path: ['Bob'] }] })
  expect(error.hint).toMatch(/renamedFrom: 'Ada', or another table/)
  expect(await tables(db)).toEqual(['bobs', 'people'])
  await db.close()
})

test('an empty table of a removed model makes room', async () => {
  const db = await next({ bobs: BobMoved }, 0)
  await ready(db)
  expect(await tables(db)).toEqual(['people'])
  expect(await db.tables.bobs!.read('b')).toEqual({ id: 'b', age: 1 })
  expect(await db.sql`select model_name, status from dataflow_model_registry where model_name <> '(declared)'`).toEqual(
    [{ model_name: 'Bob', status: 'active' }],
  )
  await db.close()
})

test("onDestructive: 'apply' drops it first", async () => {
  const db = await next({ bobs: BobMoved }, 2, 'apply')
  expect((await ready(db)).applied.map(step => step.kind).slice(0, 2)).toEqual(['dropTable', 'renameTable'])
  expect(await db.tables.bobs!.list()).toEqual([{ id: 'b', age: 1 }])
  await db.close()
})

test.each(['keep', 'error'] as const)('%s: a new model does not take the rows of one that is gone', async mode => {
  const db = await next({ bobs: Bob, cyds: Cyd }, 1, mode)
  expect(await failureOf(apply(db))).toMatchObject({ code: 'MIGRATION_DESTRUCTIVE' })
  expect(await tables(db)).toEqual(['bobs', 'people'])
  await db.close()
})

test('a new model in the place of one that is gone: made when it is asked for, and by apply()', async () => {
  for (const make of [apply, async (db: LocalDatabase<any>) => db.tables.cyds!.count()]) {
    const db = await next({ bobs: Bob, cyds: Cyd }, 2, 'apply')
    await make(db)
    expect(await db.tables.cyds!.count()).toBe(0)
    expect(await db.sql`select name from pragma_table_info('people')`).toEqual([{ name: 'id' }, { name: 'age' }])
    await db.close()
  }
})

test('a new model where another one has moved away', async () => {
  const Moved = model('Ada', Ada.$fields, { table: 'persons' })
  const db = await upgrade({ adas: Ada }, { adas: Moved, cyds: Cyd }, { version: 2 })
  await apply(db)
  expect(await tables(db)).toEqual(['people', 'persons'])
  await db.tables.cyds.create({ age: 1 })
  expect(await db.tables.adas.count()).toBe(0)
  await db.close()
})

test('two models that change their tables with each other', async () => {
  const before = { adas: Ada, bobs: Bob }
  const after = { adas: model('Ada', Ada.$fields, { table: 'bobs' }), bobs: BobMoved }
  const { start } = app()
  const first = await start(before, { version: 1 })
  await first.tables.adas.create({ id: 'a', name: 'x' })
  await first.tables.bobs.create({ id: 'b' })
  const db = await start(after, { version: 2 })
  expect(await db.tables.adas.list()).toEqual([{ id: 'a', name: 'x' }])
  expect(await db.tables.bobs.list()).toEqual([{ id: 'b', age: null }])
  expect(await db.sql`select name from pragma_table_info('bobs')`).toEqual([{ name: 'id' }, { name: 'name' }])
  await db.close()
})

test('a table that takes the name of one that moves on', async () => {
  const after = {
    adas: model('Ada', Ada.$fields, { table: 'bobs' }),
    bobs: model('Bob', Bob.$fields, { table: 'third' }),
  }
  const db = await upgrade({ adas: Ada, bobs: Bob }, after, { version: 2 })
  await ready(db)
  expect(await tables(db)).toEqual(['bobs', 'third'])
  expect(await db.sql`select name from pragma_table_info('bobs')`).toEqual([{ name: 'id' }, { name: 'name' }])
  await db.close()
})
