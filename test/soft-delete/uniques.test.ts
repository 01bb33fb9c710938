// softDelete: what is unique is unique among the rows that are there; upserts, and rows that are in the way.
import { describe, expect, test } from 'vitest'
import { model, sql, t } from '../../src/index.js'
import { localDatabase, STORAGES } from '../support/local.js'

const User = model(
  'User',
  {
    id: t.id(),
    email: t.text().unique(),
    team: t.text().default('t'),
    nick: t.text().default(() => crypto.randomUUID()),
    active: t.boolean().default(true),
    hits: t.integer().default(0),
    version: t.version(),
    deletedAt: t.date().nullable().column('deleted "at"'),
  },
  {
    softDelete: true,
    unique: [['team', 'nick'], { on: ['hits'], where: sql<boolean>`not active -- only then` }],
  },
)
const models = { users: User }
const taken = (fields: string[]) => ({ code: 'UNIQUE', model: 'User', fields })

describe.each(STORAGES)('uniques in %s', storage => {
  test('a deleted row does not count', async () => {
    const { tables, sql: raw } = localDatabase(models, { storage })
    const ada = await tables.users.create({ email: 'ada@x', nick: 'ada' })
    await expect(tables.users.create({ email: 'ada@x' })).rejects.toMatchObject(taken(['email']))
    await tables.users.delete(ada.id)
    const again = await tables.users.create({ email: 'ada@x', nick: 'again' })
    expect(again.id).not.toBe(ada.id)
    const hint = expect.stringContaining('that row first')
    await expect(tables.users.restore(ada.id)).rejects.toMatchObject({ ...taken(['email']), op: 'restore', hint })
    await expect(tables.users.bulkRestore({ all: true })).rejects.toMatchObject({ ...taken(['email']), hint })
    const other = await tables.users.create({ email: 'b', nick: 'ada' })
    await expect(tables.users.create({ email: 'c', nick: 'ada' })).rejects.toMatchObject(taken(['team', 'nick']))
    await tables.users.delete(other.id)
    await tables.users.delete(again.id)
    expect(await tables.users.restore(ada.id)).toMatchObject({ id: ada.id, email: 'ada@x', version: 3 })
    expect(await raw`select count(*) as n from users`).toEqual([{ n: 3 }])
  })
})

test('a partial unique holds for what it says and what is there', async () => {
  const { tables } = localDatabase(models)
  await tables.users.bulkCreate([
    { id: 'a', email: 'a', active: false },
    { id: 'b', email: 'b', active: true },
  ])
  await expect(tables.users.create({ email: 'c', active: false })).rejects.toMatchObject(taken(['hits']))
  await tables.users.delete('a')
  expect(await tables.users.create({ email: 'c', active: false })).toMatchObject({ email: 'c' })
})

test('upsert on a unique field: the row that is there, or a new one', async () => {
  const { tables } = localDatabase(models)
  const ada = await tables.users.upsert({ email: 'ada@x', hits: 1 }, { on: 'email' })
  expect(await tables.users.upsert({ email: 'ada@x', hits: 2 }, { on: 'email' })).toMatchObject({ id: ada.id, hits: 2 })
  await tables.users.delete(ada.id)
  const again = await tables.users.upsert({ email: 'ada@x', hits: 3 }, { on: 'email', update: { hits: { $inc: 1 } } })
  expect(again).toMatchObject({ hits: 3, version: 1 })
  expect(again.id).not.toBe(ada.id)
  const counted = await tables.users.upsert({ email: 'ada@x' }, { on: 'email', update: { hits: { $inc: 1 } } })
  expect(counted).toMatchObject({ id: again.id, hits: 4, version: 2 })
  const { team, nick } = again
  expect(await tables.users.upsert({ email: 'n', team, nick }, { on: ['nick', 'team'] })).toMatchObject({
    id: again.id,
  })
  expect(await tables.users.read(ada.id, { withDeleted: true })).toMatchObject({ hits: 2 })
})

test('a unique of some rows is still no target', async () => {
  const { tables } = localDatabase(models)
  await expect(tables.users.upsert({ email: 'a' }, { on: 'hits' })).rejects.toMatchObject({ code: 'BAD_OPTION' })
})

test('bulkUpsert and bulkCreate do as upsert', async () => {
  const { tables } = localDatabase(models)
  await tables.users.bulkCreate([
    { id: 'a', email: 'a' },
    { id: 'b', email: 'b' },
  ])
  await tables.users.delete('a')
  const rows = [
    { id: 'a2', email: 'a', hits: 5 },
    { id: 'b2', email: 'b', hits: 5 },
  ]
  expect(await tables.users.bulkUpsert(rows, { on: 'email' })).toMatchObject({ count: 2, ids: ['a2', 'b'] })
  await tables.users.delete('b')
  const again = [
    { id: 'b3', email: 'b' },
    { id: 'b4', email: 'b', hits: 6 },
  ]
  expect(await tables.users.bulkCreate(again, { onConflict: 'update' })).toMatchObject({ count: 2, ids: ['b3', 'b3'] })
  expect(await tables.users.bulkCreate([{ email: 'b' }], { onConflict: 'skip' })).toMatchObject({ count: 0 })
  expect(await tables.users.list({ select: ['id', 'hits'] })).toEqual([
    { id: 'a2', hits: 5 },
    { id: 'b3', hits: 6 },
  ])
})

describe('a deleted row with the same key', () => {
  const inTheWay = { ...taken(['id']), hint: expect.stringContaining('restore(id)') }

  test('create, upsert and bulk writes are UNIQUE, and it stays as it is', async () => {
    const { tables } = localDatabase(models)
    await tables.users.create({ id: 'a', email: 'a' })
    await tables.users.delete('a')
    const before = await tables.users.list({ withDeleted: true })
    const row = { id: 'a', email: 'new' }
    const rows = [{ id: 'b', email: 'b' }, row]
    await expect(tables.users.create(row)).rejects.toMatchObject(inTheWay)
    await expect(tables.users.upsert(row)).rejects.toMatchObject({ ...inTheWay, op: 'upsert' })
    await expect(tables.users.upsert(row, { update: { hits: { $inc: 1 } } })).rejects.toMatchObject(inTheWay)
    await expect(tables.users.upsert(row, { update: [] })).rejects.toMatchObject(inTheWay)
    const atIndex = { ...inTheWay, issues: [{ path: [1, 'id'], message: expect.any(String) }] }
    await expect(tables.users.bulkUpsert(rows)).rejects.toMatchObject(atIndex)
    await expect(tables.users.bulkCreate(rows, { onConflict: 'update' })).rejects.toMatchObject(atIndex)
    await expect(tables.users.bulkCreate(rows)).rejects.toMatchObject(taken(['id']))
    expect(await tables.users.list({ withDeleted: true })).toEqual(before)
  })

  test('skip passes over it, collect reports it', async () => {
    const { tables } = localDatabase(models)
    await tables.users.create({ id: 'a', email: 'a' })
    await tables.users.delete('a')
    const rows = [
      { id: 'a', email: 'new' },
      { id: 'b', email: 'b' },
    ]
    expect(await tables.users.bulkCreate(rows, { onConflict: 'skip' })).toEqual({ count: 1, ids: ['b'], errors: [] })
    const collected = await tables.users.bulkCreate(rows, { onConflict: 'update', onError: 'collect' })
    expect(collected).toMatchObject({ count: 1, ids: ['b'], errors: [{ index: 0, error: inTheWay }] })
  })

  test('a trigger that ignores a row is no conflict', async () => {
    const db = localDatabase(models)
    await db.tables.users.count()
    await db.sql`create trigger ignored before insert on users when new.email = 'no' begin select raise(ignore); end`
    expect(await db.tables.users.bulkUpsert([{ email: 'no' }])).toMatchObject({ count: 0 })
  })
})

test('an index of a table that others made counts all rows: a deleted one is in the way of an upsert', async () => {
  const Row = model(
    'Row',
    { id: t.integer().primaryKey(), email: t.text().unique(), deletedAt: t.date().nullable() },
    {
      softDelete: true,
    },
  )
  const db = localDatabase({ rows: Row }, { existingSchema: true })
  await db.sql`create table rows (id integer primary key, email text not null unique, deletedAt integer)`
  const row = await db.tables.rows.upsert({ id: 1, email: 'a' }, { on: 'email' })
  expect(await db.tables.rows.upsert({ id: 2, email: 'a' }, { on: 'email' })).toEqual(row)
  expect(await db.tables.rows.delete(1)).toBe(true)
  expect(await db.tables.rows.list()).toEqual([])
  await expect(db.tables.rows.upsert({ id: 2, email: 'a' }, { on: 'email' })).rejects.toMatchObject({
    code: 'UNIQUE',
    fields: ['email'],
    hint: expect.stringContaining('restore'),
  })
  expect(await db.tables.rows.restore(1)).toEqual(row)
})
