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
  expect(await failureOf(ready(other))).toMatchObject({ code: 'SCHEMA_MISMATCH', fields: ['name'] })
  await other.close()
})

test('10: a removed or renamed field is refused; its values stay', async () => {
  const { start } = app()
  await (await start({ users: User })).tables.users.create({ id: 'a', name: 'A' })
  const renamed = model('User', { id: t.id(), title: t.text().renamedFrom('name') })
  const db = await start({ users: renamed })
  expect(await failureOf(db.tables.users.count())).toMatchObject({ code: 'SCHEMA_MISMATCH' })
  expect(await db.sql`select * from users`).toEqual([{ id: 'a', name: 'A' }])
  await db.close()
})

test('11: a unique column is added as a column and an index; what ALTER cannot do is refused', async () => {
  const { start } = app()
  await (await start({ users: User })).tables.users.create({ id: 'a', name: 'A' })
  const db = await start({ users: model('User', { ...User.$fields, code: t.text().nullable().unique() }) })
  expect((await ready(db)).applied.map(step => step.kind)).toEqual(['addColumn', 'createIndex'])
  const made = model('User', { ...User.$fields, code: t.text().nullable().unique(), at: t.createdAt() })
  expect(await failureOf(ready(await start({ users: made })))).toMatchObject({
    code: 'SCHEMA_MISMATCH',
    fields: ['at'],
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
