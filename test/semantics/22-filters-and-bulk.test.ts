import { expect, test } from 'vitest'
import { model, t } from '../../src/index.js'
import { failureOf } from '../ensure/support.js'
import { localDatabase, unwrap } from '../support/local.js'

const Row = model('Row', { id: t.id(), a: t.text().nullable(), b: t.text().unique().nullable() })
const Child = model('Child', { id: t.id(), parentId: t.ref('Row', { onDelete: 'cascade' }) })
const models = { rows: Row, children: Child }

async function open() {
  const db = localDatabase(models)
  await db.tables.rows.bulkCreate([
    { id: '1', a: 'x', b: 'one' },
    { id: '2', a: 'X', b: 'two' },
    { id: '3', a: null, b: null },
  ])
  return { db, ids: async (where: any) => (await db.tables.rows.list({ where })).map(row => row.id).join() }
}

test('22: two-valued: $ne, $nin and $not keep NULL rows; null in $in matches NULL; empty lists match nothing', async () => {
  const { db, ids } = await open()
  expect(await ids({ a: { $ne: 'x' } })).toBe('2,3')
  expect(await ids({ a: { $nin: ['x'] } })).toBe('2,3')
  expect(await ids({ $not: { a: 'x' } })).toBe('2,3')
  expect(await ids({ a: { $in: ['x', null] } })).toBe('1,3')
  expect(await ids({ a: { $null: true } })).toBe('3')
  expect(await ids({ a: { $exists: true } })).toBe('1,2')
  expect(await ids({ a: { $in: [] } })).toBe('')
  expect(await ids({ $or: [] })).toBe('')
  expect(await ids({ a: { $like: 'x' } })).toBe('1')
  expect(await ids({ a: { $like: 'x', $ci: true } })).toBe('1,2')
  expect(await failureOf(ids({ a: { $regex: '^x' } }))).toMatchObject({ code: 'BAD_FILTER', hint: expect.any(String) })
  await db.close()
})

test('23: an empty filter on a bulk write is BAD_FILTER, also after falsy entries; all rows is { all: true }', async () => {
  const { db } = await open()
  for (const where of [{}, { $and: [] }, { $and: [false, null, undefined] }, { a: undefined }, { $and: [{}] }]) {
    const target = { where } as any
    expect(await failureOf(db.tables.rows.bulkDelete(target)), JSON.stringify(where)).toMatchObject({
      code: 'BAD_FILTER',
    })
    expect(await failureOf(db.tables.rows.bulkUpdate({ ...target, set: { a: 'y' } }))).toMatchObject({
      code: 'BAD_FILTER',
    })
  }
  expect(await db.tables.rows.count()).toBe(3)
  expect(await db.tables.rows.bulkDelete({ all: true })).toMatchObject({ count: 3 })
  await db.close()
})

test('24: skip leaves the row, update changes it: neither deletes and cascades, nor swallows other errors', async () => {
  const { db } = await open()
  await db.tables.children.create({ id: 'c', parentId: '1' })
  const rows = [
    { id: '1', a: 'new' },
    { id: '4', a: 'four' },
  ]
  expect(await db.tables.rows.bulkCreate(rows, { onConflict: 'skip' })).toMatchObject({ count: 1 })
  expect(await db.tables.rows.read('1')).toMatchObject({ a: 'x' })
  expect(await db.tables.rows.bulkCreate(rows, { onConflict: 'update' })).toMatchObject({ count: 2 })
  expect(await db.tables.rows.read('1')).toEqual({ id: '1', a: 'new', b: 'one' })
  expect(await db.tables.children.count()).toBe(1)
  expect(await failureOf(db.tables.rows.bulkCreate(rows))).toMatchObject({ code: 'UNIQUE' })
  const orphan = [{ parentId: 'nobody' }]
  expect(await failureOf(db.tables.children.bulkCreate(orphan, { onConflict: 'skip' }))).toMatchObject({
    code: 'FOREIGN_KEY',
  })
  await db.close()
})

test('26: tables and columns of any name; reserved field names are BAD_MODEL', async () => {
  const Detail = model(
    'Detail',
    { id: t.id(), unit: t.text().column('Unit "Price"'), at: t.date({ as: 'text' }) },
    { table: 'Order Details' },
  )
  const db = localDatabase({ details: Detail })
  const row = await db.tables.details.create({ unit: 'x', at: new Date(0) })
  expect(await db.tables.details.list({ where: { unit: 'x', at: { $lte: new Date(0) } } })).toEqual([row])
  expect(await db.sql`select "Unit ""Price""" as unit, at from "Order Details"`).toEqual([
    { unit: 'x', at: '1970-01-01T00:00:00.000Z' },
  ])
  for (const name of ['then', 'constructor', 'rowid', 'ROWID', '__proto__x'.slice(0, 0) || 'toString']) {
    expect(() => model('Bad', { id: t.id(), [name]: t.text() } as never)).toThrow(/BAD_MODEL/)
  }
  expect(() => model('Bad', { id: t.id(), a: t.text(), b: t.text().renamedFrom('a') })).toThrow(/BAD_MODEL/)
  await db.close()
})

test('28: whatever the engine is asked, it answers with data and never rejects', async () => {
  const { db } = await open()
  const { engine } = db
  const nonsense = [
    engine.run([{ id: 1, ops: [{ op: 'list', model: 'Nobody' } as never], durability: null }]),
    engine.run([{ id: 1, ops: [{ op: 'sql', sql: 'nonsense', params: [] }], durability: null }]),
    engine.run([{ id: 1, ops: [], durability: null, lease: 99 }]),
    engine.commit(99, null),
    engine.rollback(99),
    engine.schema.ensure(['Nobody']),
    engine.schema.tableStatus('Nobody'),
    engine.schema.retry('Nobody'),
  ]
  for (const outcome of await Promise.all(nonsense)) expect('ok' in outcome || 'error' in outcome).toBe(true)
  await db.close()
  for (const late of [
    engine.ready(),
    engine.run([]),
    engine.metrics(),
    engine.schema.plan(),
    engine.schema.compact(),
  ]) {
    expect(await late).toMatchObject({ error: { code: 'CLOSED' } })
  }
  expect(await engine.close()).toEqual({ ok: null })
})

test('30: saving is called flush, in events and metrics', async () => {
  const { db } = await open()
  expect(db.events.some(({ type }) => type === 'flush')).toBe(true)
  expect(Object.keys(await unwrap(db.engine.metrics()))).toEqual(['ensure', 'statements', 'tx', 'flush'])
  await db.close()
})
