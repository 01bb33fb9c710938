// CONFLICT carries the row as it is now: on every path, as rows are read, never in the message.
import { expect, test } from 'vitest'
import { DataFlowError, model, t } from '../../src/index.js'
import { release } from '../migrations/support.js'
import { localDatabase, STORAGES } from '../support/local.js'
import { useOrigin } from '../whole/support.js'

const fields = {
  id: t.id(),
  text: t.text().default('secret'),
  big: t.bigint().default(2n ** 60n),
  photo: t.blob().default(new Uint8Array([1, 2])),
  data: t.json<unknown>().default({ a: [1] }),
  at: t.date({ as: 'seconds' }).default(5000),
  updatedAt: t.updatedAt(),
  version: t.version(),
  deletedAt: t.date().nullable(),
}
const Doc = model('Doc', fields)
const Soft = model('Soft', fields, { softDelete: true })
const models = { docs: Doc, softs: Soft }
const failure = (promise: Promise<unknown>): Promise<DataFlowError> =>
  promise.then(
    () => expect.unreachable(),
    (error: unknown) => error as DataFlowError,
  )
const version = 1

test.each(STORAGES)('of an update, with the row in %s', async storage => {
  const { tables } = localDatabase(models, { storage })
  const { id } = await tables.docs.create({})
  const now = await tables.docs.update(id, { text: 'now', photo: new Uint8Array([3]) }, { version })
  const error = await failure(tables.docs.update(id, { text: 'mine' }, { version }))
  expect(error).toMatchObject({ code: 'CONFLICT', model: 'Doc', op: 'update' })
  expect(error.current).toEqual(now)
  expect(error.message).not.toMatch(/now"|secret|mine/)
  expect(await tables.docs.read(id)).toEqual(now)
})

test('of a delete: hard, soft, and of a restore', async () => {
  const { tables } = localDatabase(models)
  for (const table of [tables.docs, tables.softs]) {
    const { id } = await table.create({})
    const now = await table.update(id, { text: 'now' })
    const error = await failure(table.delete(id, { version }))
    expect(error).toMatchObject({ code: 'CONFLICT', op: 'delete' })
    expect(error.current).toEqual(now)
    expect(await table.read(id)).toEqual(now)
    expect(await table.delete(id, { version: 2 })).toBe(true)
    expect(await table.delete(id, { version: 2 })).toBe(false)
    expect(await table.read(id)).toBeNull()
  }
  const [deleted] = await tables.softs.list({ withDeleted: true })
  expect(deleted!.version).toBe(3)
  const error = await failure(tables.softs.restore(deleted!.id, { version: 2 }))
  expect(error).toMatchObject({ code: 'CONFLICT', op: 'restore' })
  expect(error.current).toEqual(deleted)
  expect(await tables.softs.restore(deleted!.id, { version: 3 })).toMatchObject({ version: 4, deletedAt: null })
  expect(await failure(tables.softs.restore(deleted!.id, { version: 4 }))).toMatchObject({ code: 'NOT_FOUND' })
})

test('a row that is gone, softly or for good, is no conflict', async () => {
  const { tables } = localDatabase(models)
  for (const table of [tables.docs, tables.softs]) {
    const { id } = await table.create({})
    await table.delete(id)
    const error = await failure(table.update(id, { text: 'x' }, { version }))
    expect(error).toMatchObject({ code: 'NOT_FOUND' })
    expect(error.current).toBeUndefined()
  }
})

test('in a batch and in one tick', async () => {
  const db = localDatabase(models)
  const now = await db.tables.docs.create({ id: 'a' })
  const error = await failure(db.batch([Soft.create({}), Doc.update('a', {}), Doc.delete('a', { version })]))
  // The update of the batch was taken back, and so is what the row was then.
  expect(error.current).toEqual({ ...now, version: 2, updatedAt: expect.any(Date) })
  expect(await db.tables.softs.count()).toBe(0)
  expect(await db.tables.docs.read('a')).toEqual(now)
  const [first, second] = await db.tick([
    Doc.update('a', { text: 'first' }, { version }),
    Doc.update('a', { text: 'second' }, { version }),
  ])
  expect((second as PromiseRejectedResult).reason.current).toEqual((first as PromiseFulfilledResult<unknown>).value)
})

test('every kind of update moves a row on', async () => {
  const { tables } = localDatabase(models)
  const { id } = await tables.softs.create({ id: 'a' })
  await tables.softs.bulkUpdate({ all: true, set: { text: 'b' } })
  await tables.softs.upsert({ id, text: 'c' })
  await tables.softs.upsert({ id }, { update: { text: 'd' } })
  await tables.softs.bulkUpsert([{ id, text: 'e' }])
  await tables.softs.bulkCreate([{ id, text: 'f' }], { onConflict: 'update' })
  await tables.softs.bulkDelete({ all: true })
  await tables.softs.bulkRestore({ all: true })
  await tables.softs.delete(id)
  expect(await tables.softs.restore(id)).toMatchObject({ version: 10, text: 'f' })
})

test.each([1.5, '1', NaN, {}])('version %j is BAD_OPTION', async wrong => {
  const { tables } = localDatabase(models)
  const options = { version: wrong as never }
  const bad = { code: 'BAD_OPTION', hint: expect.stringContaining('row.version') }
  await expect(tables.docs.update('a', {}, options)).rejects.toMatchObject(bad)
  await expect(tables.docs.delete('a', options)).rejects.toMatchObject(bad)
  await expect(tables.softs.restore('a', options)).rejects.toMatchObject(bad)
})

test('a version of a model without one is BAD_OPTION', async () => {
  const Plain = model('Plain', { id: t.id(), deletedAt: t.date().nullable() }, { softDelete: true })
  const { tables } = localDatabase({ plains: Plain })
  const bad = { code: 'BAD_OPTION', hint: expect.stringContaining('t.version()') }
  await expect(tables.plains.delete('a', { version })).rejects.toMatchObject(bad)
  await expect(tables.plains.restore('a', { version })).rejects.toMatchObject(bad)
})

useOrigin()

test('by the page’s own database: alone, and in a transaction, which goes on', async () => {
  const db: any = release(models)
  const { id } = await db.docs.create({})
  const now = await db.docs.update(id, { text: 'now' })
  expect((await failure(db.docs.update(id, {}, { version }))).current).toEqual(now)
  expect((await failure(db.run(Doc.delete(id, { version })))).current).toEqual(now)
  await db.transaction(async (tx: any) => {
    const error = await failure(tx.docs.update(id, { text: 'mine' }, { version }))
    expect(error.current).toEqual(now)
    await tx.docs.update(id, { text: 'mine' }, { version: (error.current as typeof now).version })
  })
  expect(await db.docs.read(id)).toMatchObject({ text: 'mine', version: 3 })
  await db.close()
})
