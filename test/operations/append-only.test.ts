// appendOnly: rows are added and read; whatever would change or delete one is READONLY, on the page and in the worker.
import { expect, test } from 'vitest'
import { model, sql, t } from '../../src/index.js'
import type { WireOperation } from '../../src/shared/operation.js'
import { localDatabase, STORAGES, unwrap } from '../support/local.js'

const User = model('User', { id: t.id() })
const Entry = model(
  'Entry',
  {
    id: t.autoId(),
    code: t.text().unique(),
    n: t.integer().default(0),
    userId: t.ref('User').nullable(),
    updatedAt: t.updatedAt(),
    version: t.version(),
  },
  { appendOnly: true },
)
const models = { users: User, entries: Entry }
const readonly = (op: string) => ({ code: 'READONLY', model: 'Entry', op, hint: expect.any(String) })

test.each(STORAGES)('rows are added and read in %s', async storage => {
  const { tables } = localDatabase(models, { storage })
  const a = await tables.entries.create({ code: 'a', n: 1 })
  expect(await tables.entries.bulkCreate([{ code: 'b' }, { code: 'c' }])).toMatchObject({ count: 2, ids: [2, 3] })
  const more = [{ code: 'c' }, { code: 'd' }]
  expect(await tables.entries.bulkCreate(more, { onConflict: 'skip' })).toMatchObject({ count: 1 })
  expect(await tables.entries.bulkCreate(more, { onError: 'collect' })).toMatchObject({ count: 0 })
  expect(await tables.entries.read(a.id)).toEqual(a)
  expect(await tables.entries.distinct('code')).toEqual(['a', 'b', 'c', 'd'])
})

test('upsert gives back the row that is there, as it was', async () => {
  const { tables } = localDatabase(models)
  const row = await tables.entries.upsert({ code: 'a', n: 1 }, { on: 'code', update: [] })
  expect(row).toMatchObject({ code: 'a', n: 1, version: 1 })
  expect(await tables.entries.upsert({ code: 'a', n: 2 }, { on: 'code', update: [] })).toEqual(row)
  expect(await tables.entries.upsert({ id: row.id, code: 'z' }, { update: [] })).toEqual(row)
  expect(await tables.entries.list()).toEqual([row])
})

const entries = (db: ReturnType<typeof localDatabase>) => db.tables['entries'] as any
const changes: [op: string, change: (table: any) => Promise<unknown>][] = [
  ['update', table => table.update(1, { n: 2 })],
  ['update', table => table.update(9, {})],
  ['delete', table => table.delete(1)],
  ['upsert', table => table.upsert({ id: 1, code: 'a' })],
  ['upsert', table => table.upsert({ code: 'new', n: 1 }, { on: 'code' })],
  ['upsert', table => table.upsert({ code: 'a' }, { on: 'code', update: ['n'] })],
  ['upsert', table => table.upsert({ code: 'a' }, { on: 'code', update: { n: 3 } })],
  ['bulkCreate', table => table.bulkCreate([{ code: 'a' }], { onConflict: 'update' })],
  ['bulkUpsert', table => table.bulkUpsert([{ code: 'a' }], { on: 'code' })],
  ['bulkUpdate', table => table.bulkUpdate({ all: true, set: { n: 3 } })],
  ['bulkDelete', table => table.bulkDelete({ all: true })],
]
test.each(changes)('%s is READONLY', async (op, change) => {
  const db = localDatabase(models)
  await db.tables.entries.create({ code: 'a' })
  const before = await db.tables.entries.list()
  await expect(change(entries(db))).rejects.toMatchObject(readonly(op))
  expect(await db.tables.entries.list()).toEqual(before)
})

test('UNIQUE says how to get the row that is there', async () => {
  const { tables } = localDatabase(models)
  await tables.entries.create({ code: 'a' })
  const hint = expect.stringContaining("db.entries.upsert(data, { on: 'code', update: [] })")
  await expect(tables.entries.create({ code: 'a' })).rejects.toMatchObject({ code: 'UNIQUE', hint })
})

test('a batch with a change in it is refused as a whole', async () => {
  const db = localDatabase(models)
  const update = { ...User.delete('a'), model: 'Entry', op: 'delete', args: [1], key: '' } as never
  await expect(db.batch([Entry.create({ code: 'a' }), update])).rejects.toMatchObject(readonly('delete'))
  expect(await db.tables.entries.count()).toBe(0)
})

test('the worker refuses what did not come through the page', async () => {
  const db = localDatabase(models)
  await db.tables.entries.create({ code: 'a' })
  const before = await db.tables.entries.list()
  const row = [1, 'b', 0, null, 1, 1]
  const ops: WireOperation[] = [
    { op: 'update', model: 'Entry', id: 1, set: [{ field: 'n', value: 1 }], version: null },
    { op: 'delete', model: 'Entry', id: 1 },
    { op: 'restore', model: 'Entry', id: 1, version: null },
    { op: 'purge', model: 'Entry', id: 1 },
    { op: 'upsert', model: 'Entry', row, on: ['id'], update: { fields: ['code'] } },
    { op: 'upsert', model: 'Entry', row, on: ['id'], update: { set: [{ field: 'n', increment: 1 }] } },
    {
      op: 'insertMany',
      model: 'Entry',
      rows: [row],
      conflict: { policy: 'update', on: null, lists: [['code']], listOf: [0] },
      collect: true,
    },
    { op: 'bulkUpdate', model: 'Entry', where: null, set: [{ field: 'n', value: 1 }] },
    { op: 'bulkDelete', model: 'Entry', where: null },
    { op: 'bulkRestore', model: 'Entry', where: null },
    { op: 'bulkPurge', model: 'Entry', where: null },
  ]
  for (const [i, op] of ops.entries()) {
    const [outcome] = await unwrap(db.engine.run([{ id: 1e6 + i, ops: [op], durability: null }]))
    expect(outcome, op.op).toMatchObject({ error: { code: 'READONLY', model: 'Entry' } })
  }
  expect(await db.tables.entries.list()).toEqual(before)
})

test('a row that is referred to stays; raw SQL is not held', async () => {
  const db = localDatabase(models)
  const { id } = await db.tables.users.create({})
  await db.tables.entries.create({ code: 'a', userId: id })
  await expect(db.tables.users.delete(id)).rejects.toMatchObject({ code: 'FOREIGN_KEY' })
  await db.sql`update entries set n = 5`
  expect(await db.tables.entries.count({ $sql: sql<boolean>`n = 5` })).toBe(1)
})

test.each([
  ['onDelete', 'cascade'],
  ['onDelete', 'set null'],
  ['onUpdate', 'cascade'],
  ['onUpdate', 'set null'],
] as const)('a reference with %s: %s would change rows: BAD_MODEL', (on, action) => {
  const fields = { id: t.id(), userId: t.ref('User', { [on]: action }).nullable() }
  const bad = expect.objectContaining({ code: 'BAD_MODEL', model: 'Entry', fields: ['userId'] })
  expect(() => model('Entry', fields, { appendOnly: true })).toThrow(bad)
  expect(() => model('Entry', fields)).not.toThrow()
})

test('the option is true or false, and not with softDelete', () => {
  const bad = (hint: string) =>
    expect.objectContaining({ code: 'BAD_MODEL', model: 'Entry', hint: expect.stringContaining(hint) })
  expect(() => model('Entry', { id: t.id() }, { appendOnly: 1 as never })).toThrow(bad('appendOnly: true'))
  const both = { appendOnly: true, softDelete: true } as const
  // @ts-expect-error they exclude each other
  expect(() => model('Entry', { id: t.id(), deletedAt: t.date().nullable() }, both)).toThrow(bad('never deleted'))
  expect(model('Entry', { id: t.id() }, { appendOnly: false }).update('a', {})).toMatchObject({ op: 'update' })
})
