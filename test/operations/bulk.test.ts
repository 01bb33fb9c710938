// bulkCreate, bulkUpdate, bulkUpsert, bulkDelete: policies, counts, keys, collected errors.
import { describe, expect, test } from 'vitest'
import { model, sql, t } from '../../src/index.js'
import { localDatabase, STORAGES } from '../support/local.js'

const User = model(
  'User',
  {
    id: t.id(),
    email: t.text({ max: 10 }).unique(),
    name: t.text().default('none'),
    age: t
      .integer()
      .nullable()
      .check(sql`age >= 0`),
    photo: t.blob().nullable(),
    bossId: t.ref('User', { onDelete: 'cascade' }).nullable(),
    code: t.text().readonly().default('c'),
    version: t.version(),
  },
  { unique: [['name', 'age']] },
)
const Log = model('Log', { id: t.autoId(), text: t.text().unique(), n: t.integer().default(0) })
const Big = model('Big', { id: t.bigint().primaryKey(), n: t.integer().default(0) })
const models = { users: User, logs: Log, bigs: Big }
const open = () => localDatabase(models)

describe.each(STORAGES)('bulk writes in %s', storage => {
  test('a thousand rows: one transaction, keys in order', async () => {
    const db = localDatabase(models, { storage })
    await db.tables.logs.count()
    const { result, control } = await db.count(() =>
      db.tables.logs.bulkCreate(Array.from({ length: 1000 }, (_, i) => ({ text: `${i}` }))),
    )
    expect(result).toEqual({ count: 1000, ids: Array.from({ length: 1000 }, (_, i) => i + 1), errors: [] })
    expect(control).toBeLessThanOrEqual(2)
    expect(await db.tables.logs.bulkUpdate({ where: { n: 0 }, set: { n: { $inc: 2 } } })).toMatchObject({ count: 1000 })
    const gone = await db.tables.logs.bulkDelete({ where: { id: { $gt: 990 } } })
    expect([gone.count, [...gone.ids].sort((a, b) => a - b)]).toEqual([
      10,
      Array.from({ length: 10 }, (_, i) => 991 + i),
    ])
    expect(await db.tables.logs.count({ n: 2 })).toBe(990)
  })
})

describe('bulkCreate', () => {
  test('no rows at all', async () => {
    const { tables } = open()
    const nothing = { count: 0, ids: [], errors: [] }
    expect(await tables.users.bulkCreate([])).toEqual(nothing)
    expect(await tables.users.bulkCreate([], { onConflict: 'update', onError: 'collect' })).toEqual(nothing)
    expect(await tables.users.bulkUpsert([])).toEqual(nothing)
  })

  test('given and made keys in one call', async () => {
    const { tables } = open()
    expect((await tables.logs.bulkCreate([{ text: 'a' }, { id: 50, text: 'b' }, { text: 'c' }])).ids).toEqual([
      1, 50, 51,
    ])
    const { ids } = await tables.users.bulkCreate([{ id: 'own', email: 'a' }, { email: 'b' }])
    expect(ids[0]).toBe('own')
    expect(await tables.users.read(ids[1]!)).toMatchObject({ email: 'b', name: 'none' })
  })

  test("'fail': a taken value fails the whole call, and says which row", async () => {
    const { tables } = open()
    await tables.users.create({ email: 'taken' })
    await expect(
      tables.users.bulkCreate([{ email: 'new' }, { email: 'taken' }, { email: 'newer' }]),
    ).rejects.toMatchObject({
      code: 'UNIQUE',
      model: 'User',
      op: 'bulkCreate',
      fields: ['email'],
      issues: [{ path: [1, 'email'] }],
      hint: expect.stringContaining('row 1'),
    })
    expect(await tables.users.count()).toBe(1)
  })

  test("'skip' leaves the row that is there, whatever is taken, also within the call", async () => {
    const { tables } = open()
    const old = await tables.users.create({ id: 'a', email: 'taken', name: 'old', age: 1 })
    const result = await tables.users.bulkCreate(
      [
        { id: 'a', email: 'x' },
        { id: 'b', email: 'taken' },
        { id: 'c', email: 'fine' },
        { id: 'd', email: 'fine' },
        { id: 'e', email: 'y', name: 'old', age: 1 },
        { id: 'f', email: 'z' },
      ],
      { onConflict: 'skip' },
    )
    expect(result).toEqual({ count: 2, ids: ['c', 'f'], errors: [] })
    expect(await tables.users.read('a')).toEqual(old)
    expect(await tables.logs.bulkCreate([{ text: 'a' }, { text: 'a' }, { text: 'b' }], { onConflict: 'skip' })).toEqual(
      {
        count: 2,
        ids: [1, expect.any(Number)],
        errors: [],
      },
    )
  })

  test("'skip' does not swallow what is no conflict", async () => {
    const { tables } = open()
    await expect(
      tables.users.bulkCreate([{ email: 'a' }, { email: 'b', age: -1 }], { onConflict: 'skip' }),
    ).rejects.toMatchObject({ code: 'CHECK', fields: ['age'], issues: [{ path: [1, 'age'] }] })
    await expect(
      tables.users.bulkCreate([{ email: 'b', bossId: 'nobody' }], { onConflict: 'skip' }),
    ).rejects.toMatchObject({ code: 'FOREIGN_KEY' })
    expect(await tables.users.count()).toBe(0)
  })

  test("'update' changes what each row gave, and keeps the key", async () => {
    const { tables } = open()
    await tables.users.create({ id: 'a', email: 'a', name: 'A', age: 1, photo: new Uint8Array([1]) })
    const result = await tables.users.bulkCreate(
      [
        { id: 'other', email: 'a', age: 2 },
        { id: 'a', email: 'a2' },
        { id: 'n', email: 'n' },
        { email: 'n', name: 'N' },
      ],
      { onConflict: 'update' },
    )
    expect(result).toEqual({ count: 4, ids: ['a', 'a', 'n', 'n'], errors: [] })
    expect(await tables.users.list({ select: ['id', 'email', 'name', 'age', 'photo', 'version', 'code'] })).toEqual([
      { id: 'a', email: 'a2', name: 'A', age: 2, photo: new Uint8Array([1]), version: 3, code: 'c' },
      { id: 'n', email: 'n', name: 'N', age: null, photo: null, version: 2, code: 'c' },
    ])
  })

  test("'update' does not delete: what refers to the row stays", async () => {
    const { tables } = open()
    await tables.users.bulkCreate([
      { id: 'boss', email: 'b' },
      { id: 'x', email: 'x', bossId: 'boss' },
    ])
    await tables.users.bulkCreate([{ id: 'boss', email: 'b', name: 'B' }], { onConflict: 'update' })
    expect(await tables.users.count({ bossId: 'boss' })).toBe(1)
  })

  test('rows that give nothing, under every policy', async () => {
    const Tick = model('Tick', { id: t.autoId() })
    const Made = model('Made', { id: t.autoId(), n: t.integer().default(sql<number>`40 + 2`) })
    const { tables } = localDatabase({ ticks: Tick, mades: Made })
    expect((await tables.ticks.bulkCreate([{}, {}])).ids).toEqual([1, 2])
    expect((await tables.ticks.bulkCreate([{}], { onConflict: 'skip' })).ids).toEqual([3])
    expect((await tables.ticks.bulkCreate([{}, { id: 1 }], { onConflict: 'update' })).ids).toEqual([4, 1])
    expect((await tables.ticks.bulkUpsert([{}])).ids).toEqual([5])
    expect(await tables.ticks.upsert({})).toEqual({ id: 6 })
    expect(await tables.mades.upsert({}, { update: { n: { $inc: 1 } } })).toEqual({ id: 1, n: 42 })
    expect(await tables.mades.upsert({ id: 1 }, { update: { n: { $inc: 1 } } })).toEqual({ id: 1, n: 43 })
    expect(await tables.ticks.count()).toBe(6)
  })

  test("onError 'collect' writes the rows that fit, and tells each other by its index", async () => {
    const { tables } = open()
    await tables.users.create({ email: 'taken' })
    const rows = [
      { email: 'a' },
      { email: 'taken' },
      { email: 'much too long for this' },
      { email: 'b' },
      { email: 'c', age: -1 },
      { email: 'd', bossId: 'nobody' },
      { nam: 'x', email: 'e' },
      { email: 'f', version: 7 },
      null,
      { email: 'a' },
      { email: 'g' },
    ]
    const { count, ids, errors } = await tables.users.bulkCreate(rows as never, { onError: 'collect' })
    expect(count).toBe(3)
    expect(
      await tables.users.list({ where: { id: { $in: ids } }, select: ['email'], orderBy: { email: 'asc' } }),
    ).toEqual([{ email: 'a' }, { email: 'b' }, { email: 'g' }])
    expect(errors.map(({ index, error }) => [index, error.code])).toEqual([
      [1, 'UNIQUE'],
      [2, 'VALIDATION'],
      [4, 'CHECK'],
      [5, 'FOREIGN_KEY'],
      [6, 'UNKNOWN_FIELD'],
      [7, 'READONLY'],
      [8, 'VALIDATION'],
      [9, 'UNIQUE'],
    ])
    for (const { error } of errors) expect(error).toMatchObject({ model: 'User', op: 'bulkCreate' })
    expect(await tables.users.count()).toBe(4)
  })

  test('collect with skip and with update, where SQLite makes the keys', async () => {
    const { tables } = open()
    await tables.logs.create({ text: 'a', n: 1 })
    const rows = [{ text: 'a', n: 2 }, { text: 7 }, { text: 'b' }] as never
    const skipped = await tables.logs.bulkCreate(rows, { onError: 'collect', onConflict: 'skip' })
    expect(skipped).toMatchObject({ count: 1, ids: [expect.any(Number)], errors: [{ index: 1 }] })
    const updated = await tables.logs.bulkCreate(rows, { onError: 'collect', onConflict: 'update' })
    expect(updated).toMatchObject({ count: 2, ids: [1, skipped.ids[0]], errors: [{ index: 1 }] })
    expect(await tables.logs.list({ select: ['text', 'n'] })).toEqual([
      { text: 'a', n: 2 },
      { text: 'b', n: 0 },
    ])
  })
})

test('bulkUpsert: by the key, by unique fields, all or nothing', async () => {
  const { tables } = open()
  expect((await tables.logs.bulkUpsert([{ text: 'a' }, { text: 'b' }], { on: 'text' })).ids).toEqual([1, 2])
  const again = await tables.logs.bulkUpsert([{ text: 'b', n: 5 }, { text: 'c' }], { on: 'text' })
  expect([again.count, again.ids[0], again.errors]).toEqual([2, 2, []])
  await expect(
    tables.logs.bulkUpsert([
      { id: 1, n: 9, text: 'a' },
      { id: 2, text: 'a' },
    ]),
  ).rejects.toMatchObject({ code: 'UNIQUE', op: 'bulkUpsert', fields: ['text'], issues: [{ path: [1, 'text'] }] })
  expect(await tables.logs.list({ select: ['text', 'n'] })).toEqual([
    { text: 'a', n: 0 },
    { text: 'b', n: 5 },
    { text: 'c', n: 0 },
  ])
})

describe('bulkUpdate and bulkDelete', () => {
  test('what a condition chooses, all rows, and none', async () => {
    const { tables } = open()
    await tables.users.bulkCreate(['a', 'b', 'c'].map(id => ({ id, email: id, age: 1, name: id })))
    const some = await tables.users.bulkUpdate({ where: { id: { $in: ['a', 'c'] } }, set: { age: { $inc: 1 } } })
    expect([some.count, [...some.ids].sort(), some.errors]).toEqual([2, ['a', 'c'], []])
    expect(await tables.users.bulkUpdate({ where: { id: 'z' }, set: { age: 9 } })).toEqual({
      count: 0,
      ids: [],
      errors: [],
    })
    expect((await tables.users.bulkUpdate({ all: true, set: { photo: new Uint8Array([1]) } })).count).toBe(3)
    expect(await tables.users.list({ select: ['age', 'version'] })).toEqual([
      { age: 2, version: 3 },
      { age: 1, version: 2 },
      { age: 2, version: 3 },
    ])
    expect(await tables.users.bulkDelete({ where: { id: { $in: [] } } })).toEqual({ count: 0, ids: [], errors: [] })
    expect(await tables.users.bulkDelete({ where: { age: 1 } })).toEqual({ count: 1, ids: ['b'], errors: [] })
    expect((await tables.users.bulkDelete({ all: true })).count).toBe(2)
    expect(await tables.users.count()).toBe(0)
  })

  test('one row that breaks a rule undoes all', async () => {
    const { tables } = open()
    await tables.users.bulkCreate(['a', 'b', 'c'].map((id, i) => ({ id, email: id, age: i, name: id })))
    const before = await tables.users.list()
    await expect(tables.users.bulkUpdate({ all: true, set: { age: { $inc: -1 } } })).rejects.toMatchObject({
      code: 'CHECK',
      op: 'bulkUpdate',
      fields: ['age'],
    })
    await expect(tables.users.bulkUpdate({ all: true, set: { email: 'same' } })).rejects.toMatchObject({
      code: 'UNIQUE',
      fields: ['email'],
    })
    expect(await tables.users.list()).toEqual(before)
  })

  test('the keys of a bigint model are bigints, small or large, in every bulk write', async () => {
    const { tables } = open()
    const ids = [-(2n ** 63n), 1n, 2n ** 53n + 1n]
    const rows = ids.map(id => ({ id }))
    expect((await tables.bigs.bulkCreate(rows)).ids).toEqual(ids)
    expect((await tables.bigs.bulkUpsert(rows)).ids).toEqual(ids)
    expect((await tables.bigs.bulkCreate(rows, { onConflict: 'update' })).ids).toEqual(ids)
    expect((await tables.bigs.bulkUpdate({ all: true, set: { n: 1 } })).ids).toEqual(ids)
    expect((await tables.bigs.bulkDelete({ all: true })).ids).toEqual(ids)
  })

  test('keys in change events are what the model holds', async () => {
    const db = open()
    const id = 2n ** 53n + 1n
    await db.tables.bigs.create({ id })
    await db.tables.bigs.create({ id: 1n })
    await db.tables.bigs.upsert({ id, n: 1 })
    await db.tables.bigs.upsert({ id: 1n, n: 1 })
    await db.tables.bigs.update(1n, { n: 1 })
    await db.tables.bigs.bulkUpdate({ all: true, set: { n: 2 } })
    await db.tables.bigs.bulkUpsert([{ id: 1n, n: 1 }])
    await db.tables.bigs.delete(1n)
    const ids = db.events.flatMap(event => (event.type === 'change' ? [event.detail.ids] : []))
    expect(ids).toEqual([[id], [1n], [id], [1n], [1n], [1n, id], [1n], [1n]])
  })
})
