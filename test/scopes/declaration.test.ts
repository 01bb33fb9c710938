// What a model says of scopes: what is refused, which indexes it makes, and what a change of it does to a database.
import { describe, expect, test } from 'vitest'
import { dataflow, model, sql, t } from '../../src/index.js'
import type { ErrorCode } from '../../src/shared/errors.js'
import type { AnyField } from '../../src/shared/schema.js'
import { resolveModels } from '../../src/resolve.js'
import { freshName, localDatabase, unwrap } from '../support/local.js'

const codeOf = (work: () => unknown): ErrorCode | null => {
  try {
    work()
    return null
  } catch (error) {
    return (error as { code: ErrorCode }).code
  }
}
const fields = { id: t.id(), tenantId: t.text(), email: t.text().unique(), name: t.text(), note: t.text().nullable() }

describe('is refused', () => {
  test.each<[string, object]>([
    ['a field that is none', { scope: 'tenant' }],
    ['the key', { scope: 'id' }],
    ['a field that can be null', { scope: 'note' }],
    ['no field', { scope: [] }],
    ['a field twice', { scope: ['tenantId', 'tenantId'] }],
    ['what is no name', { scope: 7 }],
    ['scoped and shared', { scope: 'tenantId', shared: true }],
    ['shared that is not true', { shared: false }],
  ])('%s', (_, options) => {
    expect(codeOf(() => model('User', fields, options as never))).toBe('BAD_MODEL')
  })

  test.each([t.json(), t.blob(), t.real(), t.createdAt(), t.version()])('a field of that kind', field => {
    expect(codeOf(() => model('User', { id: t.id(), tenantId: field } as any, { scope: 'tenantId' } as never))).toBe(
      'BAD_MODEL',
    )
  })

  test('a field that another model stores in another way', () => {
    const one = model('One', { id: t.id(), tenant: t.text(), at: t.date() }, { scope: ['tenant', 'at'] })
    const other = (options: object) =>
      model('Other', { id: t.id(), ...options } as any, { scope: ['tenant', 'at'] } as never)
    const both = (options: object) => codeOf(() => resolveModels({ ones: one, others: other(options) as never }))
    expect(both({ tenant: t.enum(['a', 'b']), at: t.date() })).toBeNull()
    expect(both({ tenant: t.integer(), at: t.date() })).toBe('BAD_MODEL')
    expect(both({ tenant: t.text(), at: t.date({ as: 'seconds' }) })).toBe('BAD_MODEL')
    expect(both({ tenant: t.text(), at: t.bigint() })).toBe('BAD_MODEL')
  })

  test('a reference that SQLite would fill in', () => {
    const User = model('User', fields, { scope: 'tenantId' })
    const post = (authorId: AnyField) =>
      model('Post', { id: t.id(), tenantId: t.text(), authorId } as any, { scope: 'tenantId' } as never) as any
    const withDefault = post(t.ref('User').default(sql<string>`'root'`))
    expect(codeOf(() => resolveModels({ users: User, posts: withDefault }))).toBe('BAD_MODEL')
    expect(codeOf(() => resolveModels({ users: User, posts: post(t.ref('User').default(() => 'me')) }))).toBeNull()
  })
})

test('what is unique is unique within a scope: its fields come first', () => {
  const indexesOf = (options: object) =>
    resolveModels({ users: model('User', fields, options as never) as never })
      .get('User')!
      .definition.indexes.map(({ name }) => name)
  const lists = {
    unique: [['name', 'tenantId'], { on: [{ name: 'desc' }], where: sql`note is null` }],
    indexes: [['name']],
  }
  expect(indexesOf(lists)).toEqual([
    'ux:users:email',
    'ux:users:name,tenantId',
    'ux:users:name desc where note is null',
    'ix:users:name',
  ])
  expect(indexesOf({ ...lists, scope: 'tenantId' })).toEqual([
    'ux:users:tenantId,email',
    'ux:users:tenantId,name',
    'ux:users:tenantId,name desc where note is null',
    'ix:users:name',
    'ix:users:tenantId,id',
  ])
  expect(indexesOf({ scope: ['tenantId', 'name'] })).toEqual([
    'ux:users:tenantId,name,email',
    'ix:users:tenantId,name,id',
  ])
  expect(codeOf(() => indexesOf({ scope: 'tenantId', unique: [[]] }))).toBe('BAD_MODEL')
})

describe('switched in a database that has rows', () => {
  const whole = { users: model('User', fields) }
  const scoped = { users: model('User', fields, { scope: 'tenantId' }) }
  const rows = [
    { id: '1', tenantId: 'a', email: 'x', name: 'x' },
    { id: '2', tenantId: 'b', email: 'y', name: 'y' },
  ]
  const indexes = (db: { sql: any }) =>
    db.sql`select name from sqlite_schema where type = 'index' and name like 'ux:%' order by name`

  test('its unique indexes are made anew, and its rows stay', async () => {
    const options = { name: freshName(), storage: 'indexeddb' as const }
    const first = localDatabase(whole, { ...options, version: 1 })
    await first.tables.users.bulkCreate(rows)
    await first.close()

    const second = localDatabase(scoped, { ...options, version: 2 })
    const { applied } = await unwrap(second.engine.ready())
    expect(applied.map(({ kind }) => kind).sort()).toEqual(['createIndex', 'createIndex', 'dropIndex'])
    expect(await indexes(second)).toEqual([{ name: 'ux:users:tenantId,email' }])
    const [a, b] = [second.scope({ tenantId: 'a' }), second.scope({ tenantId: 'b' })]
    expect(await a.tables.users.list({ select: ['id'] })).toEqual([{ id: '1' }])
    await b.tables.users.create({ id: '3', email: 'x', name: 'z' })
    await second.close()

    // Off again: two scopes have the same address, which no unique index over all rows would allow.
    const third = localDatabase(whole, { ...options, version: 3 })
    await expect(third.tables.users.count()).rejects.toMatchObject({ code: 'MIGRATION_DESTRUCTIVE' })
    await third.close()

    const fourth = localDatabase(scoped, { ...options, version: 4 })
    await fourth.scope({ tenantId: 'b' }).tables.users.delete('3')
    await fourth.close()
    const fifth = localDatabase(whole, { ...options, version: 5 })
    expect(await fifth.tables.users.count()).toBe(2)
    expect(await indexes(fifth)).toEqual([{ name: 'ux:users:email' }])
    await fifth.close()
  })

  test('shared is no change of the table', async () => {
    const options = { name: freshName(), storage: 'indexeddb' as const }
    const first = localDatabase(whole, options)
    await first.tables.users.bulkCreate(rows)
    await first.close()
    const second = localDatabase({ users: model('User', fields, { shared: true }) }, options)
    expect(await second.tables.users.count()).toBe(2)
    expect((await unwrap(second.engine.ready())).applied).toEqual([])
    await second.close()
  })
})

test('a database without a scoped model has no scopes', () => {
  const db: any = dataflow('app', { models: { users: model('User', fields, { shared: true }) } })
  expect(codeOf(() => db.scope({}))).toBe('BAD_OPTION')
  expect(codeOf(() => db.scope({ tenantId: 'a' }))).toBe('BAD_OPTION')
})
