// upsert: what decides, what changes, what stays.
import { describe, expect, test } from 'vitest'
import { model, t } from '../../src/index.js'
import { localDatabase, STORAGES } from '../support/local.js'

const User = model(
  'User',
  {
    id: t.id(),
    email: t.text().unique(),
    city: t.text().nullable(),
    street: t.text().nullable(),
    name: t.text().default('nameless'),
    score: t.integer().default(0),
    total: t.bigint().default(0n),
    photo: t.blob().nullable(),
    secret: t.text().readonly().default('s'),
    createdAt: t.createdAt(),
    updatedAt: t.updatedAt(),
    version: t.version(),
  },
  { unique: [['city', 'street']] },
)
const Counter = model('Counter', { id: t.autoId(), name: t.text().unique(), n: t.integer().default(1) })
const Big = model('Big', { id: t.bigint().primaryKey(), n: t.integer().default(0) })
const models = { users: User, counters: Counter, bigs: Big }
const ada = { email: 'ada@x', name: 'Ada' }

describe.each(STORAGES)('upsert in %s', storage => {
  test('adds, then changes what was given; key, other fields and createdAt stay', async () => {
    const { tables } = localDatabase(models, { storage })
    const made = await tables.users.upsert({ ...ada, score: 5 }, { on: 'email' })
    expect(made).toMatchObject({ ...ada, score: 5, version: 1, secret: 's' })
    const changed = await tables.users.upsert({ email: 'ada@x', city: 'Paris' }, { on: 'email' })
    expect(changed).toEqual({ ...made, city: 'Paris', version: 2, updatedAt: changed.updatedAt })
    expect(await tables.users.list()).toEqual([changed])
  })

  test('by the key when `on` is left out', async () => {
    const { tables } = localDatabase(models, { storage })
    const made = await tables.users.upsert({ id: 'a', ...ada })
    expect(await tables.users.upsert({ id: 'a', email: 'new@x' })).toEqual({
      ...made,
      email: 'new@x',
      version: 2,
      updatedAt: expect.any(Date),
    })
    expect(await tables.users.count()).toBe(1)
  })
})

describe('on', () => {
  test('a list of fields that are unique together, in any order', async () => {
    const { tables } = localDatabase(models)
    const one = await tables.users.create({ email: 'a@x', city: 'Paris', street: 'Rue 1' })
    const two = await tables.users.upsert({ email: 'b@x', city: 'Paris', street: 'Rue 1' }, { on: ['street', 'city'] })
    expect(two).toMatchObject({ id: one.id, email: 'b@x', city: 'Paris' })
    expect(await tables.users.upsert({ email: 'c@x' }, { on: ['city', 'street'] })).toMatchObject({ city: null })
    expect(await tables.users.count()).toBe(2)
  })

  test('a key of ones own does not move the row that is there', async () => {
    const { tables } = localDatabase(models)
    const { id } = await tables.users.create(ada)
    expect((await tables.users.upsert({ id: 'other', ...ada }, { on: 'email' })).id).toBe(id)
    expect((await tables.users.upsert({ id: 'other', email: 'bob@x' }, { on: 'email' })).id).toBe('other')
  })

  test('another unique field that is taken is UNIQUE', async () => {
    const { tables } = localDatabase(models)
    await tables.users.bulkCreate([
      { id: 'a', email: 'a@x' },
      { id: 'b', email: 'b@x' },
    ])
    await expect(tables.users.upsert({ id: 'a', email: 'b@x' })).rejects.toMatchObject({
      code: 'UNIQUE',
      model: 'User',
      op: 'upsert',
      fields: ['email'],
    })
    await expect(tables.users.upsert({ id: 'a', email: 'c@x' }, { on: 'email' })).rejects.toMatchObject({
      code: 'UNIQUE',
      fields: ['id'],
    })
    expect(await tables.users.list({ select: ['email'] })).toEqual([{ email: 'a@x' }, { email: 'b@x' }])
  })

  test.each([['name'], [[]], [['email', 'city']], [['city']], [['email', 'email']]])(
    '%j is not unique: BAD_OPTION',
    async on => {
      const { tables } = localDatabase(models)
      const refused = { code: 'BAD_OPTION', model: 'User', hint: expect.stringContaining('unique') }
      await expect(tables.users.upsert(ada, { on: on as never })).rejects.toMatchObject(refused)
      await expect(tables.users.bulkUpsert([ada], { on: on as never })).rejects.toMatchObject(refused)
    },
  )

  test('autoId and bigint keys', async () => {
    const { tables } = localDatabase(models)
    expect(await tables.counters.upsert({ name: 'a' }, { on: 'name' })).toEqual({ id: 1, name: 'a', n: 1 })
    expect(await tables.counters.upsert({ name: 'a', n: 7 }, { on: 'name' })).toEqual({ id: 1, name: 'a', n: 7 })
    expect(await tables.counters.upsert({ name: 'b' })).toMatchObject({ name: 'b' })
    expect(await tables.counters.upsert({ id: 1, name: 'c' })).toEqual({ id: 1, name: 'c', n: 7 })
    const id = 2n ** 53n + 1n
    await tables.bigs.bulkCreate([{ id: id - 1n }, { id }])
    expect(await tables.bigs.upsert({ id, n: 3 })).toEqual({ id, n: 3 })
    expect(await tables.bigs.list({ select: ['n'] })).toEqual([{ n: 0 }, { n: 3 }])
  })
})

describe('update', () => {
  test('a list: these fields take the new values, others stay', async () => {
    const { tables } = localDatabase(models)
    await tables.users.create({ ...ada, score: 1, city: 'Paris' })
    const row = await tables.users.upsert(
      { email: 'ada@x', name: 'New', score: 9, city: 'Rome', photo: new Uint8Array([1]) },
      { on: 'email', update: ['score', 'photo', 'street'] },
    )
    expect(row).toMatchObject({ name: 'Ada', score: 9, city: 'Paris', photo: new Uint8Array([1]), street: null })
  })

  test('an empty list keeps the row and returns it', async () => {
    const { tables } = localDatabase(models)
    const one = await tables.counters.create({ name: 'a', n: 4 })
    expect(await tables.counters.upsert({ name: 'a', n: 9 }, { on: 'name', update: [] })).toEqual(one)
    expect(await tables.counters.upsert({ name: 'a', n: 9 }, { on: 'name', update: {} })).toEqual(one)
  })

  test('values: a patch of its own, with $inc', async () => {
    const { tables } = localDatabase(models)
    const hit = () =>
      tables.users.upsert(
        { ...ada, score: 1, total: 2n ** 53n },
        { on: 'email', update: { score: { $inc: 1 }, total: { $inc: 1n }, name: 'again', city: undefined as never } },
      )
    expect(await hit()).toMatchObject({ name: 'Ada', score: 1, total: 2n ** 53n, version: 1 })
    expect(await hit()).toMatchObject({ name: 'again', score: 2, total: 2n ** 53n + 1n, version: 2 })
    expect(await hit()).toMatchObject({ name: 'again', score: 3, total: 2n ** 53n + 2n, version: 3, city: null })
    await expect(
      tables.users.upsert(ada, { on: 'email', update: { score: { $inc: Number.MAX_SAFE_INTEGER } } }),
    ).rejects.toMatchObject({ code: 'VALIDATION', op: 'upsert', fields: ['score'] })
  })

  test.each([
    [{ update: ['id'] }, 'READONLY', ['id']],
    [{ update: ['secret'] }, 'READONLY', ['secret']],
    [{ update: ['version'] }, 'READONLY', ['version']],
    [{ update: { createdAt: new Date() } }, 'READONLY', ['createdAt']],
    [{ update: { id: 'x' } }, 'READONLY', ['id']],
    [{ update: ['nam'] }, 'UNKNOWN_FIELD', ['nam']],
    [{ update: { nam: 1 } }, 'UNKNOWN_FIELD', ['nam']],
    [{ update: { score: 'x' } }, 'VALIDATION', ['score']],
    [{ update: null }, 'VALIDATION', undefined],
    [{ on: 'emial' }, 'UNKNOWN_FIELD', ['emial']],
    [{ set: {} }, 'BAD_OPTION', undefined],
    [{ version: 1 }, 'BAD_OPTION', undefined],
  ])('refuses %j with %s', async (options, code, fields) => {
    const { tables } = localDatabase(models)
    const row = await tables.users.create({ id: 'a', ...ada })
    const error = await tables.users.upsert({ id: 'a', ...ada }, options as never).catch((e: unknown) => e)
    expect(error).toMatchObject({ code, model: 'User', op: 'upsert', hint: expect.any(String) })
    expect((error as { fields?: unknown }).fields).toEqual(fields)
    expect(await tables.users.list()).toEqual([row])
  })
})
