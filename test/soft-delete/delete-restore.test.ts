// softDelete: what delete, restore and purge do to a row, one by one and many at once.
import { describe, expect, test } from 'vitest'
import { model, sql, t } from '../../src/index.js'
import { localDatabase, STORAGES } from '../support/local.js'

const Note = model(
  'Note',
  {
    id: t.id(),
    text: t.text().default('x'),
    photo: t.blob().nullable(),
    createdAt: t.createdAt(),
    updatedAt: t.updatedAt(),
    version: t.version(),
    deletedAt: t.date().nullable(),
  },
  { softDelete: true },
)
const models = { notes: Note }
const gone = (query: Promise<unknown>) => expect(query).rejects.toMatchObject({ code: 'NOT_FOUND', model: 'Note' })

describe.each(STORAGES)('one row in %s', storage => {
  test('delete hides it, restore brings it back, purge deletes it for good', async () => {
    const { tables, sql: raw } = localDatabase(models, { storage })
    const note = await tables.notes.create({ photo: new Uint8Array([1]) })
    expect(note.deletedAt).toBeNull()
    const other = await tables.notes.create({})
    expect(await tables.notes.delete(note.id)).toBe(true)
    expect(await tables.notes.read(note.id)).toBeNull()
    const hidden = await tables.notes.readOrThrow(note.id, { withDeleted: true })
    expect(hidden).toEqual({ ...note, version: 2, updatedAt: hidden.deletedAt, deletedAt: expect.any(Date) })
    expect(await tables.notes.read(other.id)).toEqual(other)

    const restored = await tables.notes.restore(note.id)
    expect(restored).toEqual({ ...note, version: 3, updatedAt: expect.any(Date) })
    expect(await tables.notes.read(note.id)).toEqual(restored)

    await tables.notes.delete(note.id)
    expect(await tables.notes.purge(note.id)).toBe(true)
    expect(await raw`select id from notes`).toEqual([{ id: other.id }])
  })
})

test('what is deleted is not there for writes, what is not deleted not for restore and purge', async () => {
  const { tables } = localDatabase(models)
  const { id } = await tables.notes.create({})
  await gone(tables.notes.restore(id))
  expect(await tables.notes.purge(id)).toBe(false)
  expect(await tables.notes.count()).toBe(1)
  await tables.notes.delete(id)
  const before = await tables.notes.read(id, { withDeleted: true })
  expect(await tables.notes.delete(id)).toBe(false)
  await gone(tables.notes.update(id, { text: 'y' }))
  expect((await tables.notes.bulkUpdate({ where: { id }, set: { text: 'y' } })).count).toBe(0)
  expect((await tables.notes.bulkDelete({ all: true })).count).toBe(0)
  expect(await tables.notes.read(id, { withDeleted: true })).toEqual(before)
  await gone(tables.notes.restore('nobody'))
  expect(await tables.notes.purge('nobody')).toBe(false)
  expect(await tables.notes.delete('nobody')).toBe(false)
})

test.each([
  ['ms', 'integer'],
  ['seconds', 'integer'],
  ['text', 'text'],
] as const)('deletedAt as %s', async (as, type) => {
  const Row = model(
    'Row',
    { id: t.id(), at: t.createdAt(), deletedAt: t.date({ as }).nullable().column('deleted at') },
    { softDelete: true },
  )
  const db = localDatabase({ rows: Row })
  const [row] = await db.batch([Row.create({ id: 'a' }), Row.delete('a')])
  const { deletedAt } = await db.tables.rows.readOrThrow('a', { withDeleted: true })
  const precision = as === 'seconds' ? 1000 : 1
  expect(deletedAt).toEqual(new Date(Math.floor(Number(row.at) / precision) * precision))
  expect(await db.sql`select typeof("deleted at") as type from rows`).toEqual([{ type }])
  expect(await db.tables.rows.count()).toBe(0)
})

test('many at once: deleted, restored and purged rows, by condition', async () => {
  const { tables, sql: raw } = localDatabase(models)
  await tables.notes.bulkCreate(['a', 'b', 'c', 'd'].map(id => ({ id, text: id })))
  const kept = await tables.notes.readOrThrow('a')
  const deleted = await tables.notes.bulkDelete({ where: { text: { $in: ['b', 'c', 'd'] } } })
  expect(deleted).toEqual({ count: 3, ids: ['b', 'c', 'd'], errors: [] })
  expect(await tables.notes.list()).toEqual([kept])
  expect(await tables.notes.list({ withDeleted: true, select: ['id', 'version'] })).toEqual([
    { id: 'a', version: 1 },
    { id: 'b', version: 2 },
    { id: 'c', version: 2 },
    { id: 'd', version: 2 },
  ])
  expect(await tables.notes.bulkRestore({ where: { id: { $in: ['a', 'b'] } } })).toMatchObject({ count: 1, ids: ['b'] })
  expect(await tables.notes.bulkPurge({ where: { id: { $in: ['a', 'b', 'c'] } } })).toMatchObject({ ids: ['c'] })
  expect(await tables.notes.bulkPurge({ all: true })).toMatchObject({ ids: ['d'] })
  expect(await raw`select id, version from notes`).toEqual([
    { id: 'a', version: 1 },
    { id: 'b', version: 3 },
  ])
  await tables.notes.bulkDelete({ all: true })
  expect((await tables.notes.bulkRestore({ all: true })).count).toBe(2)
})

test('bulkRestore and bulkPurge must say which rows', async () => {
  const { tables } = localDatabase(models)
  for (const wrong of [{}, { where: {} }, { all: true, where: { id: 'a' } }] as never[]) {
    await expect(tables.notes.bulkRestore(wrong)).rejects.toMatchObject({ code: 'BAD_FILTER', op: 'bulkRestore' })
    await expect(tables.notes.bulkPurge(wrong)).rejects.toMatchObject({ code: 'BAD_FILTER', op: 'bulkPurge' })
  }
})

test('deletedAt is the library’s to write', async () => {
  const { tables } = localDatabase(models)
  const { id } = await tables.notes.create({})
  const refused = { code: 'READONLY', fields: ['deletedAt'] }
  const wrong = { deletedAt: new Date() } as never
  await expect(tables.notes.create(wrong)).rejects.toMatchObject(refused)
  await expect(tables.notes.update(id, wrong)).rejects.toMatchObject(refused)
  await expect(tables.notes.bulkUpdate({ all: true, set: wrong })).rejects.toMatchObject(refused)
  await expect(tables.notes.upsert({ id }, { update: ['deletedAt'] as never })).rejects.toMatchObject(refused)
  expect(await tables.notes.count()).toBe(1)
})

test('delete, restore and purge are one statement each; the change feed tells the keys', async () => {
  const db = localDatabase(models)
  const { id } = await db.tables.notes.create({})
  const changes = () => db.events.filter(event => event.type === 'change').map(event => event.detail)
  const { id: other } = await db.tables.notes.create({})
  const works: (() => Promise<unknown>)[] = [
    () => db.tables.notes.delete(id),
    () => db.tables.notes.restore(id),
    () => db.tables.notes.bulkDelete({ where: { id } }),
    () => db.tables.notes.bulkRestore({ where: { id } }),
    () => db.tables.notes.delete(id),
    () => db.tables.notes.purge(id),
  ]
  for (const work of works) {
    const before = changes().length
    expect(await db.count(work)).toMatchObject({ executed: 1, control: 0 })
    expect(changes().slice(before)).toEqual([{ model: 'Note', ids: [id], origin: 'local' }])
  }
  const before = changes().length
  const others: typeof works = [
    () => db.tables.notes.purge(other),
    () => db.tables.notes.delete('nobody'),
    () => db.tables.notes.list(),
    () => db.tables.notes.read(other),
    () => db.tables.notes.count(),
  ]
  for (const work of others) {
    expect(await db.count(work)).toMatchObject({ executed: 1, control: 0 })
  }
  expect(changes().length).toBe(before)
})

test('as operations: in a batch, all or nothing; in one tick, each by itself', async () => {
  const db = localDatabase(models)
  await db.tables.notes.bulkCreate([{ id: 'a' }, { id: 'b' }])
  await expect(db.batch([Note.delete('a'), Note.restore('b')])).rejects.toMatchObject({ code: 'NOT_FOUND' })
  expect(await db.tables.notes.count()).toBe(2)
  expect(await db.batch([Note.delete('a'), Note.count(), Note.restore('a'), Note.purge('a'), Note.count()])).toEqual([
    true,
    1,
    expect.objectContaining({ id: 'a', deletedAt: null }),
    false,
    2,
  ])
  const settled = await db.tick([Note.delete('a'), Note.delete('a'), Note.purge('b'), Note.purge('a')])
  expect(settled.map(item => item.status === 'fulfilled' && item.value)).toEqual([true, false, false, true])
})

test('the worker heeds withDeleted of what reads only', async () => {
  const db = localDatabase(models)
  await db.batch([Note.create({ id: 'a' }), Note.delete('a')])
  const about = { model: 'Note', id: 'a', withDeleted: true } as const
  const ops = [
    { op: 'update', set: [], version: null, ...about },
    { op: 'delete', ...about },
    { op: 'bulkDelete', where: null, ...about },
    { op: 'bulkUpdate', where: null, set: [{ field: 'text', value: 'y' }], ...about },
  ] as const
  const before = await db.tables.notes.list({ withDeleted: true })
  for (const [i, op] of ops.entries()) await db.engine.run([{ id: 1e6 + i, ops: [op], durability: null }])
  expect(await db.tables.notes.list({ withDeleted: true })).toEqual(before)
})

test('a model without softDelete has none of it', async () => {
  const Plain = model('Plain', { id: t.id(), deletedAt: t.date().nullable() }, { softDelete: false })
  const db = localDatabase({ plains: Plain })
  const { tables } = db
  for (const name of ['restore', 'purge', 'bulkRestore', 'bulkPurge']) {
    expect(Plain).not.toHaveProperty(name)
    expect(tables.plains).not.toHaveProperty(name)
    const args = name.startsWith('bulk') ? [{ all: true }] : ['a']
    const operation = { ...Note.purge('a'), model: 'Plain', op: name, args, key: '' } as never
    await expect(db.run(operation)).rejects.toMatchObject({ code: 'BAD_OPTION', model: 'Plain', op: name })
  }
  const { id, deletedAt } = await tables.plains.create({ deletedAt: new Date(5) })
  expect(deletedAt).toEqual(new Date(5))
  expect(await tables.plains.delete(id)).toBe(true)
  expect(await db.sql`select * from plains`).toEqual([])
})

test('triggers see an update; raw SQL sees all rows', async () => {
  const db = localDatabase(models)
  await db.tables.notes.bulkCreate([{ id: 'a' }, { id: 'b' }])
  await db.sql`create trigger seen after update of deletedAt on notes begin
    update notes set text = iif(new.deletedAt is null, 'back', 'gone') where id = new.id; end`
  await db.tables.notes.delete('a')
  expect(await db.sql`select id, text from notes order by id`).toEqual([
    { id: 'a', text: 'gone' },
    { id: 'b', text: 'x' },
  ])
  expect(await db.tables.notes.restore('a')).toMatchObject({ text: 'back' })
  expect(await db.tables.notes.count({ $sql: sql<boolean>`text = 'back'` })).toBe(1)
})
