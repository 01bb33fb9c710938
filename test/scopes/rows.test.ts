// What a scope reads and writes: its own rows, and no others.
import { beforeEach, describe, expect, test } from 'vitest'
import type { Scope } from '../../src/shared/protocol.js'
import { sql } from '../../src/index.js'
import { resolveModels } from '../../src/resolve.js'
import { compileModel } from '../../worker/compile/model.js'
import { visible, visibleClause } from '../../worker/compile/visible.js'
import { dump, failure, models, filled, tenants, User } from './support.js'

let { db, a, b } = tenants()
beforeEach(async () => {
  ;({ db, a, b } = await filled())
})

describe('reading', () => {
  test('by every method, only its own', async () => {
    expect(await a.tables.users.list({ select: ['id'] })).toEqual([{ id: 'a1' }])
    expect(await a.tables.users.read('a1')).toMatchObject({ id: 'a1', tenantId: 'a' })
    expect(await a.tables.users.read('b1')).toBeNull()
    expect((await failure(a.tables.users.readOrThrow('b1'))).code).toBe('NOT_FOUND')
    expect(await a.tables.users.first({ orderBy: { id: 'desc' } })).toMatchObject({ id: 'a1' })
    expect(await a.tables.users.count()).toBe(1)
    expect(await a.tables.users.count({ $not: { id: 'a1' } })).toBe(0)
    expect(await a.tables.users.count({ $or: [{ id: 'b1' }, { tenantId: 'b' }] })).toBe(0)
    expect(await b.tables.users.distinct('id')).toEqual(['b1'])
    expect(await b.tables.users.aggregate({ groupBy: ['id'], count: true, having: { count: 1 } })).toEqual([
      { id: 'b1', count: 1 },
    ])
    expect(await db.tables.users.count()).toBe(2)
  })

  test("pages go on behind another scope's row as behind any value", async () => {
    await a.tables.users.create({ id: 'c1', email: 'c@x' })
    const page = await b.tables.users.page({ limit: 1 })
    expect(page).toMatchObject({ items: [{ id: 'b1' }], next: null })
    const all = await db.tables.users.page({ limit: 2, orderBy: { id: 'asc' } })
    expect(all.items.map(({ id }) => id)).toEqual(['a1', 'b1'])
    const rest = await a.tables.users.page({ limit: 2, orderBy: { id: 'asc' }, after: all.next! })
    expect(rest.items.map(({ id }) => id)).toEqual(['c1'])
  })

  test('of a shared model all rows', async () => {
    await db.tables.roles.create({ id: 'admin', name: 'Admin' })
    expect(await a.tables.roles.list()).toEqual([{ id: 'admin', name: 'Admin' }])
    const roles = a.tables.roles as unknown as typeof db.tables.roles
    expect((await failure(roles.create({ name: 'Other' }))).code).toBe('READONLY')
    expect((await failure(roles.delete('admin'))).code).toBe('READONLY')
    expect((await failure(roles.bulkUpdate({ all: true, set: { name: 'x' } }))).code).toBe('READONLY')
    expect((await failure(roles.bulkCreate([{ name: 'x' }]))).code).toBe('READONLY')
    expect((await failure(roles.upsert({ name: 'x' }, { on: 'name' }))).code).toBe('READONLY')
  })

  test('of a model that says nothing of scopes nothing', async () => {
    const { secrets } = a.tables as unknown as typeof db.tables
    expect(await failure(secrets.list())).toMatchObject({
      code: 'UNKNOWN_MODEL',
      message: expect.stringContaining('A scope does not see Secret'),
    })
    expect((await failure(secrets.create({ tenantId: 'a' }))).code).toBe('UNKNOWN_MODEL')
  })
})

describe('writing', () => {
  test('fills the field in, and takes its own value', async () => {
    expect(await a.tables.users.create({ id: 'a2', email: 'two@x' })).toMatchObject({ tenantId: 'a', version: 1 })
    expect(await a.tables.users.create({ id: 'a3', tenantId: 'a', email: 'three@x' })).toMatchObject({ tenantId: 'a' })
    expect(await a.tables.posts.create({ authorId: 'a3', title: 'x' })).toMatchObject({ id: 3, tenantId: 'a' })
    expect(await a.tables.posts.upsert({ authorId: 'a3', title: 'y' })).toMatchObject({ id: 4, tenantId: 'a' })
    expect(await a.run(User.create({ id: 'a4', tenantId: 'a', email: 'four@x' }))).toMatchObject({ id: 'a4' })
    expect((await a.tables.users.bulkCreate([{ id: 'a5', email: '5@x' }])).ids).toEqual(['a5'])
    expect((await a.tables.users.bulkUpsert([{ id: 'a6', email: '6@x' }])).ids).toEqual(['a6'])
    expect(await db.tables.users.list({ where: { id: { $in: ['a5', 'a6'] } }, select: ['tenantId'] })).toEqual([
      { tenantId: 'a' },
      { tenantId: 'a' },
    ])
  })

  test('refuses another value by its name', async () => {
    const before = await dump(db)
    const refused = { code: 'READONLY', fields: ['tenantId'] }
    const row = { id: 'x', email: 'x@x', tenantId: 'b' }
    const { users } = a.tables as unknown as typeof db.tables
    expect(await failure(users.create(row))).toMatchObject(refused)
    expect(await failure(users.upsert(row))).toMatchObject(refused)
    expect(await failure(users.upsert(row, { on: 'email' }))).toMatchObject(refused)
    expect(await failure(users.update('a1', { tenantId: 'b' }))).toMatchObject(refused)
    expect(await failure(users.bulkUpdate({ all: true, set: { tenantId: 'b' } }))).toMatchObject(refused)
    expect(await failure(users.upsert({ ...row, tenantId: 'a' }, { update: { tenantId: 'b' } }))).toMatchObject(refused)
    expect(await failure(users.bulkUpsert([row]))).toMatchObject(refused)
    expect(await failure(users.bulkCreate([{ id: 'y', email: 'y@x', tenantId: 'a' }, row]))).toMatchObject({
      ...refused,
      message: expect.stringContaining('row 1'),
    })
    expect(await dump(db)).toEqual(before)
    const { errors, count } = await users.bulkCreate([row, { ...row, tenantId: 'a' }], { onError: 'collect' })
    expect(count).toBe(1)
    expect(errors).toMatchObject([{ index: 0, error: { code: 'READONLY' } }])
  })

  test("another scope's row is not there", async () => {
    const before = await dump(db)
    expect((await failure(a.tables.users.update('b1', { name: 'x' }))).code).toBe('NOT_FOUND')
    expect((await failure(a.tables.users.update('b1', { name: 'x' }, { version: 1 }))).code).toBe('NOT_FOUND')
    expect(await a.tables.users.delete('b1')).toBe(false)
    expect(await a.tables.users.bulkUpdate({ where: { id: 'b1' }, set: { name: 'x' } })).toMatchObject({ count: 0 })
    expect(await a.tables.users.bulkDelete({ where: { id: 'b1' } })).toMatchObject({ count: 0 })
    expect(await dump(db)).toEqual(before)
    expect(await a.tables.users.bulkUpdate({ all: true, set: { name: 'x' } })).toMatchObject({ ids: ['a1'] })
    expect(await a.tables.users.bulkDelete({ all: true })).toMatchObject({ ids: ['a1'] })
    expect(await dump(db)).toEqual({ ...before, users: [before.users[1]], posts: [before.posts[1]] })
  })

  test("a key is taken in the whole database; another scope's row stays as it is", async () => {
    const before = await dump(db)
    const taken = { code: 'UNIQUE', fields: ['id'] }
    const row = { id: 'b1', email: 'new@x' }
    expect(await failure(a.tables.users.create(row))).toMatchObject(taken)
    expect(await failure(a.tables.users.upsert(row))).toMatchObject(taken)
    expect(await failure(a.tables.users.upsert(row, { on: 'email' }))).toMatchObject(taken)
    expect(await failure(a.tables.users.upsert(row, { update: { name: 'x' } }))).toMatchObject(taken)
    expect(await failure(a.tables.users.bulkCreate([row]))).toMatchObject(taken)
    expect(await failure(a.tables.users.bulkCreate([row], { onConflict: 'update' }))).toMatchObject(taken)
    expect(await failure(a.tables.users.bulkUpsert([row]))).toMatchObject(taken)
    expect(await a.tables.users.bulkCreate([row], { onConflict: 'skip' })).toMatchObject({ count: 0, ids: [] })
    expect(await dump(db)).toEqual(before)
  })

  test('uniques hold within a scope, and decide in one', async () => {
    expect(await failure(a.tables.users.create({ email: 'one@x' }))).toMatchObject({
      code: 'UNIQUE',
      fields: ['tenantId', 'email'],
    })
    expect(await b.tables.users.upsert({ email: 'one@x', name: 'B' }, { on: 'email' })).toMatchObject({
      id: 'b1',
      name: 'B',
    })
    expect(await db.tables.users.upsert({ tenantId: 'a', email: 'one@x', name: 'A' }, { on: 'email' })).toMatchObject({
      id: 'a1',
      name: 'A',
    })
    expect(
      await a.tables.users.bulkUpsert([{ email: 'one@x', name: 'C' }], { on: ['email', 'tenantId'] }),
    ).toMatchObject({
      ids: ['a1'],
    })
    expect(await b.tables.users.read('b1')).toMatchObject({ name: 'B' })
    expect(
      (await b.tables.posts.upsert({ authorId: 'b1', title: 'of b', likes: 2 }, { on: ['title', 'authorId'] })).id,
    ).toBe(2)
  })

  test('a batch is bound as a whole', async () => {
    await expect(a.batch([User.count(), User.delete('b1'), User.list()])).resolves.toMatchObject([
      1,
      false,
      [{ id: 'a1' }],
    ])
    expect(await failure(a.batch([User.delete('a1'), User.create({ tenantId: 'b', email: 'x' })]))).toMatchObject({
      code: 'READONLY',
    })
    expect(await a.tables.users.count()).toBe(1)
  })
})

describe('what comes from anywhere', () => {
  const scope: Scope = { tenantId: 'a' }
  test('SQL, wherever it is', async () => {
    const own = sql<boolean>`1`
    expect((await failure(a.run(sql`select * from users`))).code).toBe('READONLY')
    expect((await failure(a.tables.users.list({ where: { $sql: own } }))).code).toBe('READONLY')
    expect(
      (await failure(a.tables.users.count({ $and: [{ $or: [{ $not: { $sql: own } }, { id: 'a1' }] }] }))).code,
    ).toBe('READONLY')
    expect((await failure(a.tables.users.bulkDelete({ where: { $sql: own } }))).code).toBe('READONLY')
    const text = { type: 'sql', sql: '1', params: [] } as const
    const counted = {
      op: 'aggregate',
      model: 'User',
      group: null,
      terms: [],
      answered: 0,
      where: null,
      order: [],
    } as const
    expect((await failure(db.send({ ...counted, having: text, limit: null, offset: 0 }, scope))).code).toBe('READONLY')
    expect((await failure(db.send({ op: 'count', model: 'Role', where: text }, scope))).code).toBe('READONLY')
  })

  test('a model that no scope sees, wherever it is named', async () => {
    const list = {
      op: 'list',
      model: 'User',
      where: null,
      order: [],
      limit: null,
      offset: 0,
      select: null,
      after: null,
    }
    const include = [{ relation: { model: 'Post', through: { model: 'Secret' } } }]
    expect((await failure(db.send({ ...list, include } as never, scope))).code).toBe('UNKNOWN_MODEL')
    const where = { type: 'not', of: { type: 'related', relation: { model: 'Secret' } } }
    expect((await failure(db.send({ ...list, where } as never, scope))).code).toBe('UNKNOWN_MODEL')
    // By whatever way it is reached, nothing of it is seen.
    const { definition } = resolveModels(models).get('Secret')!
    const access = { scope, withDeleted: false }
    expect(visible(definition, access)).toEqual({ type: 'always', value: false })
    expect(visibleClause(compileModel(definition, true), access).sql()).toBe(' AND FALSE')
    expect(visible(definition, { ...access, scope: null })).toBeNull()
  })

  test('a scope that is none', async () => {
    const count = { op: 'count', model: 'User', where: null } as const
    expect((await failure(db.send(count, {}))).code).toBe('VALIDATION')
    expect((await failure(db.send(count, { tenantId: null as never }))).code).toBe('VALIDATION')
    expect((await failure(db.send(count, { tenantId: 1 }))).code).toBe('VALIDATION')
    expect((await failure(db.send(count, { tenantId: 'a', other: 'b' }))).code).toBe('BAD_OPTION')
    expect(await db.send(count, scope)).toBe(1)
    expect((await failure(db.send({ op: 'count', model: 'Nope', where: null }, scope))).code).toBe('UNKNOWN_MODEL')
  })

  test('rows and lists that the page would not send', async () => {
    const before = await dump(db)
    const row = ['b1', undefined, 'new@x', 'B', null, null, 1]
    const fields = ['tenantId', 'name']
    const foreign = { op: 'upsert', model: 'User', row, on: ['id'], update: { fields } } as const
    expect(await failure(db.send(foreign, scope))).toMatchObject({ code: 'UNIQUE' })
    await db.send({ ...foreign, row: ['a2', undefined, 'one@x', 'A', null, null, 1], on: ['email'] }, scope)
    const conflict = { policy: 'update', on: ['email'], lists: [fields], listOf: [0] } as const
    await db.send(
      {
        op: 'insertMany',
        model: 'User',
        rows: [['a3', undefined, 'one@x', 'A', null, null, 1]],
        conflict,
        collect: false,
      },
      scope,
    )
    const after = await dump(db)
    expect(after.users[1]).toEqual(before.users[1])
    expect(after.users[0]).toEqual({ ...before.users[0], name: 'A', version: 3 })
    expect(after.users).toHaveLength(2)
  })
})
