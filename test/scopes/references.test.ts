// What a row that a scope writes may refer to; which statements that costs.
import { beforeEach, describe, expect, test } from 'vitest'
import { model, t } from '../../src/index.js'
import { localDatabase } from '../support/local.js'
import { dump, failure, filled, tenants } from './support.js'

let { db, a, b } = tenants()
beforeEach(async () => {
  ;({ db, a, b } = await filled())
  await db.tables.roles.create({ id: 'admin', name: 'Admin' })
  await db.tables.secrets.create({ id: 's1', tenantId: 'a' })
})

/** Each way to write a reference to the user `id`. */
const writes: Record<string, (id: string) => Promise<unknown>> = {
  create: authorId => a.tables.posts.create({ authorId, title: 'x' }),
  'create with a key': authorId => a.tables.posts.create({ id: 9, authorId, title: 'x' }),
  update: authorId => a.tables.posts.update(1, { authorId }),
  upsert: authorId => a.tables.posts.upsert({ authorId, title: 'x' }),
  'upsert of a row that is there': authorId => a.tables.posts.upsert({ id: 1, authorId, title: 'x' }),
  'upsert with other values': authorId =>
    a.tables.posts.upsert({ id: 1, authorId: 'a1', title: 'x' }, { update: { authorId } }),
  bulkCreate: authorId => a.tables.posts.bulkCreate([{ authorId, title: 'x' }]),
  'bulkCreate that skips': authorId => a.tables.posts.bulkCreate([{ authorId, title: 'x' }], { onConflict: 'skip' }),
  'bulkCreate that updates': authorId =>
    a.tables.posts.bulkCreate([{ authorId, title: 'x' }], { onConflict: 'update' }),
  bulkUpsert: authorId => a.tables.posts.bulkUpsert([{ id: 1, authorId, title: 'x' }]),
  bulkUpdate: authorId => a.tables.posts.bulkUpdate({ all: true, set: { authorId } }),
}

describe.each(Object.entries(writes))('%s', (_, write) => {
  test('refers to a row of its scope', async () => {
    await a.tables.users.create({ id: 'a2', email: '2@x' })
    await write('a2')
    expect(await a.tables.posts.count({ authorId: 'a2' })).toBe(1)
  })

  test("a row of another scope's is as one that is not there", async () => {
    const before = await dump(db)
    const refused = await failure(write('b1'))
    expect(refused).toMatchObject({ code: 'FOREIGN_KEY', fields: ['authorId'] })
    expect(refused).toEqual(await failure(write('nobody')))
    expect(await dump(db)).toEqual(before)
  })
})

test('to a shared row any; to a model that no scope sees none', async () => {
  expect(await a.tables.users.update('a1', { roleId: 'admin' })).toMatchObject({ roleId: 'admin' })
  expect(await failure(a.tables.users.update('a1', { roleId: 'nope' }))).toMatchObject({
    code: 'FOREIGN_KEY',
    fields: ['roleId'],
  })
  const refused = { code: 'FOREIGN_KEY', fields: ['secretId'] }
  expect(await failure(a.tables.posts.update(1, { secretId: 's1' }))).toMatchObject(refused)
  expect(await a.tables.posts.update(1, { secretId: null })).toMatchObject({ secretId: null })
  expect(await failure(a.tables.posts.create({ authorId: 'b1', secretId: 's1', title: 'x' }))).toMatchObject({
    code: 'FOREIGN_KEY',
    fields: ['authorId', 'secretId'],
  })
})

test('a row may refer to itself before it is there, and to one that the same call wrote', async () => {
  const { users } = a.tables
  expect(await users.create({ id: 'me', email: 'me@x', bossId: 'me' })).toMatchObject({ bossId: 'me' })
  expect(await users.update('a1', { bossId: 'a1' })).toMatchObject({ bossId: 'a1' })
  expect((await failure(users.update('b1', { bossId: 'b1' }))).code).toBe('NOT_FOUND')
  expect((await failure(users.upsert({ id: 'b1', email: 'x@x', bossId: 'b1' }))).code).toBe('UNIQUE')
  const rows = [
    { id: 'x', email: 'x@x' },
    { id: 'y', email: 'y@x', bossId: 'x' },
  ]
  expect((await users.bulkCreate(rows)).count).toBe(2)
})

test('a reference has no $inc: nobody knows to what it would lead', async () => {
  await a.tables.comments.create({ id: 'c', postId: 1, text: 'x' })
  expect((await failure(a.tables.comments.update('c', { postId: { $inc: 1 } }))).code).toBe('READONLY')
  expect((await failure(a.tables.comments.bulkUpdate({ all: true, set: { postId: { $inc: 1 } } }))).code).toBe(
    'READONLY',
  )
  expect((await failure(a.tables.comments.create({ postId: 2, text: 'x' }))).code).toBe('FOREIGN_KEY')
})

test('collects what fails, row by row', async () => {
  const rows = ['a1', 'b1', 'nobody', 'a1'].map((authorId, i) => ({ authorId, title: `t${i}` }))
  const { count, errors } = await a.tables.posts.bulkCreate(rows, { onError: 'collect' })
  expect(count).toBe(2)
  expect(errors).toMatchObject([
    { index: 1, error: { code: 'FOREIGN_KEY', fields: ['authorId'] } },
    { index: 2, error: { code: 'FOREIGN_KEY', fields: ['authorId'] } },
  ])
  expect(await failure(a.tables.posts.bulkCreate(rows.slice(1)))).toMatchObject({
    message: expect.stringContaining('row 0'),
  })
})

test('deletes its own rows, and what refers to them; a restrict is told', async () => {
  await a.tables.comments.create({ id: 'c', postId: 1, text: 'x' })
  expect((await failure(a.tables.users.delete('a1'))).code).toBe('FOREIGN_KEY')
  await a.tables.comments.delete('c')
  expect(await a.tables.users.delete('a1')).toBe(true)
  expect(await a.tables.posts.count()).toBe(0)
  expect(await b.tables.posts.count()).toBe(1)
})

test('costs no statement; a refusal one', async () => {
  const executed = async (work: () => Promise<unknown>) => (await db.count(work)).executed
  const post = { authorId: 'a1', title: 'x' }
  expect(await executed(() => a.tables.posts.create(post))).toBe(1)
  expect(await executed(() => a.tables.posts.update(1, { authorId: 'a1' }))).toBe(1)
  expect(await executed(() => a.tables.posts.upsert({ ...post, id: 1, title: 'z' }))).toBe(1)
  expect(await executed(() => a.tables.posts.bulkUpdate({ all: true, set: { secretId: null } }))).toBe(1)
  const rows = Array.from({ length: 10 }, (_, i) => ({ authorId: 'a1', title: `t${i}` }))
  expect(await executed(() => a.tables.posts.bulkCreate(rows))).toBe(10)
  expect(await executed(() => a.tables.posts.bulkUpsert(rows, { on: ['authorId', 'title'] }))).toBe(10)
  expect(await executed(() => failure(a.tables.posts.create({ ...post, authorId: 'b1' })))).toBe(2)
  expect(await executed(() => a.tables.users.read('a1'))).toBe(1)
  expect(await executed(() => a.tables.users.delete('none'))).toBe(1)
  // On the database itself nothing is looked up.
  const texts: string[] = []
  db.events.length = 0
  await db.tables.posts.create({ ...post, tenantId: 'a', title: 'unscoped' })
  for (const event of db.events) if (event.type === 'query') texts.push(event.detail.sql)
  expect(texts).toEqual([expect.stringMatching(/^INSERT INTO "posts" \([^)]*\) VALUES \([^)]*\) RETURNING/)])
})

test('values of every kind of key arrive as they are in a row that refers', async () => {
  const kinds = { text: t.text(), integer: t.integer(), bigint: t.bigint(), boolean: t.boolean(), date: t.date() }
  const Big = model('Big', { id: t.bigint().primaryKey(), tenant: t.integer() }, { scope: 'tenant' })
  const Int = model('Int', { id: t.integer().primaryKey(), tenant: t.integer() }, { scope: 'tenant' })
  const Of = model(
    'Of',
    {
      id: t.id(),
      tenant: t.integer(),
      bigId: t.ref('Big').$type<bigint>(),
      intId: t.ref('Int').$type<number>(),
      ...kinds,
      real: t.real(),
      json: t.json(),
      blob: t.blob(),
    },
    { scope: 'tenant' },
  )
  const local = localDatabase({ bigs: Big, ints: Int, ofs: Of })
  const own = local.scope({ tenant: 2 ** 40 })
  const other = local.scope({ tenant: 2 ** 40 + 1 })
  await own.tables.bigs.create({ id: 2n ** 60n })
  await own.tables.ints.create({ id: 2 ** 50 })
  const row = {
    id: 'x',
    bigId: 2n ** 60n,
    intId: 2 ** 50,
    text: 'ä\0b',
    integer: 2 ** 45,
    bigint: -(2n ** 62n),
    boolean: true,
    date: new Date(2 ** 41),
    real: 1.5,
    json: { a: [1] },
    blob: new Uint8Array([0, 1]),
  }
  const stored = { ...row, tenant: 2 ** 40 }
  expect(await own.tables.ofs.create(row)).toEqual(stored)
  expect(await own.tables.ofs.read('x')).toEqual(stored)
  expect(await own.tables.ofs.upsert({ ...row, bigint: 3n })).toEqual({ ...stored, bigint: 3n })
  expect((await failure(other.tables.ofs.create({ ...row, id: 'y' }))).code).toBe('FOREIGN_KEY')
  expect((await failure(own.tables.ofs.update('x', { bigId: 2n ** 60n + 1n }))).code).toBe('FOREIGN_KEY')
})
