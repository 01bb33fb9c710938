// softDelete switched on and off: uniques become partial, and whole again.
import { describe, expect, test } from 'vitest'
import { model, t } from '../../src/index.js'
import { freshName, localDatabase, unwrap } from '../support/local.js'

const fields = { id: t.id(), email: t.text().unique(), team: t.text().default('t'), nick: t.text() }
const unique = [['team', 'nick']] as const
const deletedAt = t.date().nullable()
const Never = model('User', fields, { unique })
const Prepared = model('User', { ...fields, deletedAt }, { unique })
const Soft = model('User', { ...fields, deletedAt }, { unique, softDelete: true })
const SoftAfter = model(
  'User',
  { ...fields, deletedAt: deletedAt.renamedFrom('gone_at') },
  { unique, softDelete: true },
)
const SoftBefore = model('User', { ...fields, deletedAt: deletedAt.column('gone_at') }, { unique, softDelete: true })

const opener = () => {
  const name = freshName()
  return <M extends typeof Soft | typeof Never | typeof Prepared | typeof SoftBefore>(users: M, options = {}) =>
    localDatabase({ users }, { name, storage: 'indexeddb', ...options })
}
const row = (id: string) => ({ id, email: `${id}@x`, nick: id })
const kinds = (report: { applied: readonly { kind: string }[] }) => report.applied.map(step => step.kind)
const ready = (db: ReturnType<typeof localDatabase>) => unwrap<any>(db.engine.ready())
const indexes = async (db: ReturnType<typeof localDatabase>) =>
  (await db.sql`select sql from sqlite_schema where type = 'index' and sql is not null order by sql`).map(({ sql }) =>
    sql.replace(/^.* ON /, ''),
  )
const PARTIAL = ['"users" ("email") WHERE "deletedAt" IS NULL', '"users" ("team", "nick") WHERE "deletedAt" IS NULL']
const WHOLE = ['"users" ("email")', '"users" ("team", "nick")']

test('a new table has partial uniques', async () => {
  const db = localDatabase({ users: Soft })
  await db.tables.users.count()
  expect(await indexes(db)).toEqual(PARTIAL)
})

describe('on', () => {
  test.each([
    ['with its field', Never, ['dropIndex', 'dropIndex', 'addColumn', 'createIndex', 'createIndex']],
    ['with a field that was there', Prepared, ['dropIndex', 'dropIndex', 'createIndex', 'createIndex']],
  ])('%s', async (_, before, steps) => {
    const open = opener()
    const first = open(before)
    await first.tables.users.bulkCreate([row('a'), row('b')])
    await first.close()
    const db = open(Soft)
    expect(kinds(await ready(db))).toEqual(steps)
    expect(await indexes(db)).toEqual(PARTIAL)
    expect(await db.tables.users.count()).toBe(2)
    await db.tables.users.delete('a')
    expect(await db.tables.users.create({ ...row('a'), id: 'c' })).toMatchObject({ email: 'a@x' })
    await db.close()
    const again = open(Soft)
    expect(kinds(await ready(again))).toEqual([])
    expect(await again.tables.users.list({ select: ['id'] })).toEqual([{ id: 'b' }, { id: 'c' }])
    await again.close()
  })

  test('rows that had a time in deletedAt are deleted from then on', async () => {
    const open = opener()
    const first = open(Prepared)
    await first.tables.users.bulkCreate([row('a'), { ...row('b'), deletedAt: new Date(5) }])
    await first.close()
    const db = open(Soft)
    expect(await db.tables.users.list({ select: ['id'] })).toEqual([{ id: 'a' }])
    expect(await db.tables.users.restore('b')).toMatchObject({ id: 'b', deletedAt: null })
    await db.close()
  })

  test('under another column’s name', async () => {
    const open = opener()
    const first = open(SoftBefore)
    await first.tables.users.bulkCreate([row('a'), row('b')])
    await first.tables.users.delete('a')
    expect(await indexes(first)).toEqual(PARTIAL.map(sql => sql.replace('deletedAt', 'gone_at')))
    await first.close()
    const db = open(SoftAfter)
    expect(await db.tables.users.list({ select: ['id'] })).toEqual([{ id: 'b' }])
    expect(await indexes(db)).toEqual(PARTIAL)
    await db.close()
  })

  test("autoMigrate 'warn' hides what is deleted, and its uniques hold for all rows until they are migrated", async () => {
    const open = opener()
    const first = open(Prepared)
    await first.tables.users.create(row('a'))
    await first.close()
    const db = open(Soft, { autoMigrate: 'warn' })
    expect(await db.tables.users.upsert({ ...row('a'), nick: 'new' }, { on: 'email' })).toMatchObject({ nick: 'new' })
    await db.tables.users.delete('a')
    expect(await db.tables.users.count()).toBe(0)
    await expect(db.tables.users.create({ ...row('a'), id: 'b' })).rejects.toMatchObject({ code: 'UNIQUE' })
    await unwrap<any>(db.engine.schema.apply())
    expect(await db.tables.users.create({ ...row('a'), id: 'b' })).toMatchObject({ id: 'b' })
    await db.close()
  })

  test('autoMigrate false tells of it', async () => {
    const open = opener()
    const first = open(Prepared)
    await first.tables.users.create(row('a'))
    await first.close()
    const off = open(Soft, { autoMigrate: false })
    await expect(off.tables.users.count()).rejects.toMatchObject({
      code: 'SCHEMA_MISMATCH',
      sql: expect.stringContaining('WHERE "deletedAt" IS NULL'),
    })
    expect(kinds(await unwrap<any>(off.engine.schema.apply()))).toContain('createIndex')
    expect(await off.tables.users.delete('a')).toBe(true)
    await off.close()
  })
})

describe('off', () => {
  test('rows that were deleted are there again', async () => {
    const open = opener()
    const first = open(Soft)
    await first.tables.users.bulkCreate([row('a'), row('b')])
    await first.tables.users.delete('a')
    await first.close()
    const db = open(Prepared)
    expect(kinds(await ready(db))).toEqual(['dropIndex', 'dropIndex', 'createIndex', 'createIndex'])
    expect(await indexes(db)).toEqual(WHOLE)
    expect(await db.tables.users.list({ select: ['id', 'deletedAt'] })).toEqual([
      { id: 'a', deletedAt: expect.any(Date) },
      { id: 'b', deletedAt: null },
    ])
    await db.close()
  })

  test('rows that are not unique any more are in the way, and nothing is done', async () => {
    const open = opener()
    const first = open(Soft)
    await first.tables.users.create(row('a'))
    await first.tables.users.delete('a')
    await first.tables.users.create({ ...row('a'), id: 'b' })
    await first.close()
    const db = open(Prepared)
    await expect(db.tables.users.count()).rejects.toMatchObject({
      code: 'MIGRATION_DESTRUCTIVE',
      issues: [
        { path: ['User', 'email'], message: 'not unique (1 row)' },
        { path: ['User', 'team'], message: 'not unique (1 row)' },
        { path: ['User', 'nick'], message: 'not unique (1 row)' },
      ],
    })
    await db.close()
    const back = open(Soft)
    expect(await back.tables.users.list({ select: ['id'] })).toEqual([{ id: 'b' }])
    await back.tables.users.bulkPurge({ all: true })
    await back.close()
    const off = open(Prepared)
    expect(await off.tables.users.list({ select: ['id'] })).toEqual([{ id: 'b' }])
    await off.close()
  })

  test('without its field, and on again: the values were kept', async () => {
    const open = opener()
    const first = open(Soft)
    await first.tables.users.bulkCreate([row('a'), row('b')])
    await first.tables.users.delete('a')
    await first.close()
    const off = open(Never)
    expect(await off.tables.users.count()).toBe(2)
    expect(await indexes(off)).toEqual(WHOLE)
    await off.close()
    const on = open(Soft, { version: 2 })
    expect(await on.tables.users.list({ select: ['id'] })).toEqual([{ id: 'b' }])
    expect(await indexes(on)).toEqual(PARTIAL)
    await on.close()
  })
})

test('a model without uniques is the same table either way: no migration', async () => {
  const name = freshName()
  const Off = model('Note', { id: t.id(), deletedAt })
  const On = model('Note', { id: t.id(), deletedAt }, { softDelete: true })
  const first = localDatabase({ notes: Off }, { name, storage: 'indexeddb' })
  await first.tables.notes.bulkCreate([{ id: 'a' }, { id: 'b' }])
  await first.close()
  const db = localDatabase({ notes: On }, { name, storage: 'indexeddb' })
  expect(kinds(await ready(db))).toEqual([])
  await db.tables.notes.delete('a')
  expect(await db.tables.notes.count()).toBe(1)
  await db.close()
})

test('existingSchema: a table that others made', async () => {
  const Row = model(
    'Row',
    { id: t.integer().primaryKey(), name: t.text(), deletedAt: t.date({ as: 'text' }).nullable() },
    {
      softDelete: true,
    },
  )
  const db = localDatabase({ rows: Row }, { existingSchema: true })
  await db.sql`create table rows (id integer primary key, name text not null, deletedAt text)`
  await db.sql`insert into rows values (1, 'a', null), (2, 'b', '2026-01-31T12:00:00Z')`
  expect(await db.tables.rows.list()).toEqual([{ id: 1, name: 'a', deletedAt: null }])
  expect(await db.tables.rows.restore(2)).toEqual({ id: 2, name: 'b', deletedAt: null })
  expect(await db.tables.rows.delete(1)).toBe(true)
  expect(await db.sql`select id, deletedAt is null as there from rows`).toEqual([
    { id: 1, there: 0 },
    { id: 2, there: 1 },
  ])
})
