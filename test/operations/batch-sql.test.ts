// batch, the calls of one tick, and raw SQL.
import { describe, expect, test } from 'vitest'
import * as z from 'zod'
import { model, sql, t, type DataFlowError } from '../../src/index.js'
import { localDatabase, STORAGES } from '../support/local.js'

const User = model('User', {
  id: t.id(),
  email: t.text().unique(),
  n: t.integer().default(0),
  big: t.bigint().default(0n),
})
const Post = model('Post', {
  id: t.autoId(),
  userId: t.ref('User', { onDelete: 'cascade' }),
  body: t.blob().nullable(),
})
const models = { users: User, posts: Post }
const a = { id: 'a', email: 'a@x' }
const b = { id: 'b', email: 'b@x' }

describe.each(STORAGES)('batch in %s', storage => {
  test('is one transaction: each sees what came before it', async () => {
    const db = localDatabase(models, { storage })
    const { result, control } = await db.count(() =>
      db.batch([
        User.create(a),
        Post.create({ userId: 'a', body: new Uint8Array([1]) }),
        Post.list(),
        sql<{ n: number }>`select count(*) as n from posts`,
        User.update('a', { n: { $inc: 1 } }),
        User.read('a', { select: ['n'] }),
        User.delete('a'),
        Post.count(),
        User.first(),
      ]),
    )
    const row = { id: 'a', email: 'a@x', n: 0, big: 0n }
    const post = { id: 1, userId: 'a', body: new Uint8Array([1]) }
    expect(result).toEqual([row, post, [post], [{ n: 1 }], { ...row, n: 1 }, { n: 1 }, true, 0, null])
    expect(control).toBeGreaterThan(0)
    expect(await db.batch([])).toEqual([])
  })

  test.each([
    ['UNIQUE', () => User.create({ id: 'c', email: 'a@x' })],
    ['FOREIGN_KEY', () => Post.create({ userId: 'nobody' })],
    ['NOT_FOUND', () => User.update('nobody', { n: 1 })],
    ['SQL', () => sql`selec 1`],
    ['SQL', () => sql`rollback`],
    ['READONLY', () => sql`delete from dataflow_migrations`],
    ['NOT_NULL', () => sql`insert into users (id) values ('x')`],
  ])('is undone as a whole by %s', async (code, wrong) => {
    const db = localDatabase(models, { storage })
    await db.tables.users.create(a)
    const error = await db
      .batch([User.create(b), User.update('a', { n: 5 }), wrong(), User.delete('a')])
      .catch((e: unknown) => e)
    expect(error).toMatchObject({ name: 'DataFlowError', code })
    expect(await db.tables.users.list()).toEqual([{ ...a, n: 0, big: 0n }])
    expect(await db.tables.posts.count()).toBe(0)
  })

  test('calls of one tick succeed and fail each for itself', async () => {
    const db = localDatabase(models, { storage })
    await db.tables.users.create(a)
    const settled = await db.tick([
      User.create(b),
      User.create({ id: 'c', email: 'a@x' }),
      User.count(),
      [User.create({ id: 'd', email: 'd@x' }), User.create({ id: 'e', email: 'd@x' })],
      sql`select id from users order by id`,
      User.readOrThrow('a', { select: ['n'] }),
      [User.update('a', { n: { $inc: 1 } }), User.update('a', { n: { $inc: 1 } })],
      Post.bulkCreate([{ userId: 'b' }, { userId: 'nobody' }]),
      User.delete('b'),
    ])
    const outcome = (item: PromiseSettledResult<unknown>) =>
      item.status === 'fulfilled' ? item.value : (item.reason as DataFlowError).code
    expect(settled.map(outcome)).toEqual([
      { ...b, n: 0, big: 0n },
      'UNIQUE',
      2,
      'UNIQUE',
      [{ id: 'a' }, { id: 'b' }],
      { n: 0 },
      [expect.objectContaining({ n: 1 }), expect.objectContaining({ n: 2 })],
      'FOREIGN_KEY',
      true,
    ])
    expect(await db.tables.users.list({ select: ['id', 'n'] })).toEqual([{ id: 'a', n: 2 }])
  })
})

describe('raw SQL', () => {
  test.each([
    ['text', "it's 🦫 \0 end", "it's 🦫 \0 end", 'text'],
    ['an empty text', '', '', 'text'],
    ['an integer', 42, 42, 'integer'],
    ['a negative one', -1, -1, 'integer'],
    ['beyond int32', 2 ** 31, 2 ** 31, 'integer'],
    ['the largest safe one', Number.MAX_SAFE_INTEGER, Number.MAX_SAFE_INTEGER, 'integer'],
    ['a fraction', 0.1, 0.1, 'real'],
    ['infinity', -Infinity, -Infinity, 'real'],
    ['a small bigint', 5n, 5, 'integer'],
    ['2^53 - 1 as a bigint', 2n ** 53n - 1n, Number.MAX_SAFE_INTEGER, 'integer'],
    ['2^53 + 1', 2n ** 53n + 1n, 2n ** 53n + 1n, 'integer'],
    ['the smallest int64', -(2n ** 63n), -(2n ** 63n), 'integer'],
    ['the largest int64', 2n ** 63n - 1n, 2n ** 63n - 1n, 'integer'],
    ['a date', new Date(1_700_000_000_123), 1_700_000_000_123, 'integer'],
    ['true', true, 1, 'integer'],
    ['false', false, 0, 'integer'],
    ['null', null, null, 'null'],
    ['bytes', new Uint8Array([0, 255]), new Uint8Array([0, 255]), 'blob'],
    ['no bytes', new Uint8Array(), new Uint8Array(), 'blob'],
    ['a buffer', new Uint8Array([1, 2]).buffer, new Uint8Array([1, 2]), 'blob'],
  ])('binds %s', async (_, value, expected, type) => {
    const db = localDatabase(models)
    expect(await db.sql`select ${value} as value, typeof(${value}) as type`).toEqual([{ value: expected, type }])
  })

  test('a value is bound, whatever it says', async () => {
    const db = localDatabase(models)
    await db.tables.users.create(a)
    const evil = "a'; drop table users; --"
    expect(await db.sql`select id from users where id = ${evil}`).toEqual([])
    expect(await db.sql`insert into users (id, email) values (${evil}, ${evil}) returning id`).toEqual([{ id: evil }])
    expect(await db.tables.users.count()).toBe(2)
  })

  test('data that looks like SQL is data: it never becomes text', async () => {
    const db = localDatabase(models)
    await db.tables.users.bulkCreate([a, b])
    const made = sql`'x' or 1 = 1`
    for (const input of [
      JSON.parse(JSON.stringify({ ...made, text: made.text })),
      { ...made },
      structuredClone(made),
    ]) {
      const refused = expect.objectContaining({ code: 'VALIDATION', op: 'sql' })
      expect(() => sql`delete from users where id = ${input}`).toThrow(refused)
      expect(() => sql.join([input])).toThrow(refused)
      await expect(db.run(input)).rejects.toThrow()
      await expect(db.tables.users.bulkDelete({ where: { $sql: input } })).rejects.toMatchObject({ code: 'BAD_FILTER' })
    }
    expect(await db.tables.users.count()).toBe(2)
  })

  test('sql is a tag: a text is not cut into a query', () => {
    const call = sql as unknown as (...args: unknown[]) => unknown
    for (const wrong of ['delete from users', ['select 1'], undefined, null, {}]) {
      expect(() => call(wrong)).toThrow(expect.objectContaining({ code: 'VALIDATION', hint: expect.any(String) }))
    }
    expect(() => sql.id(5 as never)).toThrow(expect.objectContaining({ code: 'VALIDATION' }))
    expect(() => sql`select 1`.as({} as never)).toThrow(expect.objectContaining({ code: 'VALIDATION' }))
  })

  test.each([
    ['undefined', undefined],
    ['NaN', NaN],
    ['an object', { a: 1 }],
    ['an array', [1]],
    ['a function', () => 1],
    ['a symbol', Symbol('x')],
    ['an invalid date', new Date(NaN)],
    ['2^63', 2n ** 63n],
    ['half of a pair', '\ud800'],
    ['a map', new Map()],
  ])('refuses to bind %s', (_, value) => {
    expect(() => sql`select ${value}`).toThrow(
      expect.objectContaining({ code: 'VALIDATION', op: 'sql', hint: expect.any(String) }),
    )
  })

  test('fragments compose: names, lists, separators, raw text', async () => {
    const db = localDatabase(models)
    await db.tables.users.bulkCreate([a, b, { id: 'c', email: 'c@x', n: 2 }])
    const wanted = sql`${sql.id('users', 'id')} in (${sql.join(['a', 'c'])})`
    const both = sql.join([wanted, sql`n > ${1}`, sql`big = ${0n}`], sql.raw(' and '))
    expect(await db.run(sql`select ${sql.id('id')} from ${sql.id('users')} where ${both}`)).toEqual([{ id: 'c' }])
    const nested = sql`select * from (${sql`select id from users where n = ${0}`}) limit ${1}`
    expect(await db.run(nested)).toEqual([{ id: 'a' }])
    expect(await db.tables.users.list({ where: { $sql: sql`n = ${2}` }, select: ['id'] })).toEqual([{ id: 'c' }])
    expect(await db.run(sql`select ${sql.join([])} 1 as one`)).toEqual([{ one: 1 }])
    expect(() => sql.id('a\0b')).toThrow(expect.objectContaining({ code: 'VALIDATION' }))
  })

  test('.as(schema) checks every row', async () => {
    const db = localDatabase(models)
    await db.tables.users.bulkCreate([a, b])
    const query = sql`select id, n from users order by id`
    expect(
      await db.run(query.as(z.object({ id: z.string().transform(id => id.toUpperCase()), n: z.number() }))),
    ).toEqual([
      { id: 'A', n: 0 },
      { id: 'B', n: 0 },
    ])
    await expect(db.run(query.as(z.object({ id: z.literal('a') })))).rejects.toMatchObject({
      code: 'VALIDATION',
      op: 'sql',
      sql: query.text,
      issues: [expect.objectContaining({ path: [1, 'id'] })],
    })
  })

  test('writes, with and without RETURNING; no rows is an empty list', async () => {
    const db = localDatabase(models)
    expect(await db.sql`insert into users (id, email) values ('x', 'x')`).toEqual([])
    expect(await db.sql`update users set n = 7 returning n`).toEqual([{ n: 7 }])
    expect(await db.sql`select * from users where 0`).toEqual([])
    expect(await db.sql`delete from users returning id, big`).toEqual([{ id: 'x', big: 0 }])
    const changed = db.events.flatMap(event => (event.type === 'change' ? [event.detail] : []))
    const all = (name: string) => ({ model: name, ids: 'all', origin: 'local' })
    expect(changed).toEqual([all('User'), all('User'), all('User'), all('Post')])
  })

  test('a failure of SQL carries the statement, not the values', async () => {
    const db = localDatabase(models)
    await expect(db.sql`select nothing from users where id = ${'secret'}`).rejects.toMatchObject({
      code: 'SQL',
      sql: 'select nothing from users where id = ?',
      message: expect.not.stringContaining('secret'),
    })
  })

  test('PRAGMAs that read are allowed', async () => {
    const db = localDatabase(models)
    await db.tables.users.create(a)
    expect(await db.sql`pragma foreign_keys`).toEqual([{ foreign_keys: 1 }])
    expect((await db.sql`pragma table_info(users)`).map(column => column.name)).toEqual(['id', 'email', 'n', 'big'])
    expect(await db.sql`/* a comment */ PRAGMA main.integrity_check;`).toEqual([{ integrity_check: 'ok' }])
    expect(await db.sql`select name from pragma_table_info('users') where pk`).toEqual([{ name: 'id' }])
  })
})
