import { expect, test } from 'vitest'
import { model, sql, t } from '../../src/index.js'
import { ERROR_CODES } from '../../src/shared/errors.js'
import { app, failureOf, ready, status } from '../ensure/support.js'
import { localDatabase } from '../support/local.js'
import { begin } from './support.js'

const User = model('User', { id: t.id(), name: t.text() })
const Wider = model('User', { ...User.$fields, nick: t.text().nullable() })
const Post = model('Post', { id: t.id(), userId: t.ref('User', { onDelete: 'cascade' }) })

test('1: ready runs the whole plan and makes no new table; a brand-new one is made at its first operation', async () => {
  const { start } = app()
  await (await start({ users: User })).tables.users.count()
  const db = await start({ users: Wider, posts: Post })
  expect((await ready(db)).applied.map(step => step.description)).toEqual(['add column nick to users'])
  expect(await status(db, 'Post')).toBe('needs_creation')
  await db.tables.posts.count()
  expect(await status(db, 'Post')).toBe('exists')
  await db.close()
})

test('2: ensure has its own transaction: what the operation or the batch loses, the tables keep', async () => {
  const db = localDatabase({ users: User, posts: Post })
  expect(await failureOf(db.tables.posts.create({ userId: 'nobody' }))).toMatchObject({ code: 'FOREIGN_KEY' })
  expect([await status(db, 'Post'), await status(db, 'User')]).toEqual(['exists', 'exists'])
  await db.close()
  const other = localDatabase({ users: User, posts: Post })
  const tx = await begin(other, { users: User, posts: Post })
  await tx.rollback()
  expect(await status(other, 'Post')).toBe('exists')
  await other.close()
})

test('9: function defaults and schemas are not part of the definition; a constant default is', async () => {
  const { start } = app()
  await (await start({ users: User })).tables.users.count()
  const { id, name } = User.$fields
  const same = await start({ users: model('User', { id, name: name.default(() => 'x').$type<'x'>() }) })
  expect(await ready(same)).toMatchObject({ applied: [], cached: true })
  const other = await start({ users: model('User', { id, name: name.default('x') }) })
  expect((await ready(other)).applied.map(step => step.kind)).toEqual(['rebuildTable'])
  await other.close()
})

test('10: a removed field stays, nullable and bare; declared again it has its values', async () => {
  const { start } = app()
  const first = { ...User.$fields, rank: t.integer().unique().default(1), boss: t.ref('User').nullable() }
  await (await start({ users: model('User', first) })).tables.users.create({ id: 'a', name: 'A', rank: 7, boss: 'a' })
  const db = await start({ users: User })
  expect((await ready(db)).applied.map(step => step.kind)).toContain('keepOrphan')
  await db.tables.users.create({ id: 'b', name: 'B' })
  expect(await db.sql`select * from users order by id`).toEqual([
    { id: 'a', name: 'A', rank: 7, boss: 'a' },
    { id: 'b', name: 'B', rank: null, boss: null },
  ])
  expect(await db.sql`select "notnull", dflt_value from pragma_table_info('users') where name = 'rank'`).toEqual([
    { notnull: 0, dflt_value: null },
  ])
  expect(await db.sql`select * from pragma_foreign_key_list('users')`).toEqual([])
  const again = await start({ users: model('User', { ...User.$fields, rank: t.text().nullable() }) }, { version: 1 })
  expect(await again.tables.users.list()).toEqual([
    { id: 'a', name: 'A', rank: '7' },
    { id: 'b', name: 'B', rank: null },
  ])
  await again.close()
})

test('10: a field takes the values of the name it had, also of an orphan', async () => {
  const { start } = app()
  await (await start({ users: User })).tables.users.create({ id: 'a', name: 'A' })
  const renamed = model('User', { id: t.id(), title: t.text().renamedFrom('name') })
  const db = await start({ users: renamed })
  expect((await ready(db)).applied.map(step => step.kind)).toEqual(['renameColumn'])
  expect(await db.tables.users.list()).toEqual([{ id: 'a', title: 'A' }])
  await start({ users: model('User', { id: t.id() }) }, { version: 1 })
  const back = await start(
    { users: model('User', { id: t.id(), called: t.text().renamedFrom('name', 'title') }) },
    { version: 2 },
  )
  expect(await back.tables.users.list()).toEqual([{ id: 'a', called: 'A' }])
  expect(() => model('User', { id: t.id(), name: t.text(), title: t.text().renamedFrom('name') })).toThrow(/BAD_MODEL/)
  await back.close()
})

test('11: what ALTER can do is done by ALTER, the rest by a rebuild; times are those of the migration', async () => {
  const { start } = app()
  await (await start({ users: User })).tables.users.create({ id: 'a', name: 'A' })
  const db = await start({ users: model('User', { ...User.$fields, code: t.text().nullable().unique() }) })
  expect((await ready(db)).applied.map(step => step.kind)).toEqual(['addColumn', 'createIndex'])
  const before = Date.now()
  const made = {
    ...User.$fields,
    code: t.text().nullable().unique(),
    at: t.createdAt(),
    n: t.integer().default(sql<number>`1 + 1`),
  }
  const second = await start({ users: model('User', made) })
  expect((await ready(second)).applied.map(step => step.kind)).toEqual(['rebuildTable'])
  const [row] = await second.tables.users.list()
  expect(row).toMatchObject({ id: 'a', name: 'A', code: null, n: 2 })
  expect(row!.at.getTime()).toBeGreaterThanOrEqual(before)
  const needs = model('User', { ...made, must: t.text().default(() => 'x') })
  expect(await failureOf(ready(await start({ users: needs })))).toMatchObject({
    code: 'MIGRATION_DESTRUCTIVE',
    model: 'User',
    fields: ['must'],
    hint: expect.stringMatching(/convertFrom/),
  })
  await (await start({ users: User }, { version: 1 })).close()
})

test('15: between BEGIN and COMMIT nobody else comes in, however many ask at once', async () => {
  const db = localDatabase({ users: User })
  const counter = sql`update users set name = cast(name as integer) + 1 where id = 'n'`
  await db.tables.users.create({ id: 'n', name: '0' })
  await Promise.all(Array.from({ length: 50 }, () => db.batch([counter, User.read('n'), counter])))
  expect(await db.tables.users.read('n')).toEqual({ id: 'n', name: '100' })
  await db.close()
})

test('27: each kind of mistake has its own code', async () => {
  const db = localDatabase({ users: User })
  await db.tables.users.create({ id: 'a', name: 'A' })
  const wrong: [string, Promise<unknown>][] = [
    ['UNIQUE', db.tables.users.create({ id: 'a', name: 'B' })],
    ['NOT_FOUND', db.tables.users.update('b', { name: 'B' })],
    ['UNKNOWN_FIELD', db.tables.users.create({ name: 'x', nope: 1 } as never)],
    ['VALIDATION', db.tables.users.create({ name: 1 } as never)],
    ['BAD_OPTION', db.tables.users.list({ limit: -1 })],
    ['BAD_FILTER', db.tables.users.bulkDelete({ where: {} })],
    ['READONLY', db.sql`delete from dataflow_migrations`],
    ['READONLY', db.tables.users.update('a', { id: 'b' } as never)],
    ['SQL', db.sql`nonsense`],
  ]
  for (const [code, promise] of wrong) expect((await failureOf(promise)).code).toBe(code)
  await db.close()
})

test('27: the codes are these, and no others', () => {
  const codes = `UNIQUE FOREIGN_KEY NOT_NULL CHECK NOT_FOUND CONFLICT VALIDATION BAD_FILTER BAD_OPTION BAD_MODEL BAD_WORKFLOW
    UNKNOWN_MODEL UNKNOWN_FIELD READONLY SQL TX_TIMEOUT TX_CLOSED ABORTED MIGRATION_FAILED MIGRATION_DESTRUCTIVE SCHEMA_NEWER
    SCHEMA_MISMATCH STORAGE STORAGE_FULL STORAGE_CORRUPT STORAGE_NEWER STORAGE_KEY IMPORT LOCKED WORKER_LOAD WORKER_CRASHED
    CLOSED NO_WORKER`
  expect(ERROR_CODES).toEqual(codes.split(/\s+/))
})
