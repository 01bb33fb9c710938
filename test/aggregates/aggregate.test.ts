// aggregate and distinct by example: shapes, exactness, what is refused.
import { afterAll, beforeAll, describe, expect, test } from 'vitest'
import { DataFlowError, model, sql, t } from '../../src/index.js'
import { failureOf } from '../ensure/support.js'
import { localDatabase, type LocalDatabase } from '../support/local.js'

const Sale = model('Sale', {
  id: t.autoId(),
  city: t.text().nullable(),
  count: t.integer().default(1),
  price: t.real().default(0),
  cents: t.bigint().default(0n),
  paid: t.boolean().default(false),
  at: t.date({ as: 'seconds' }).nullable(),
  tags: t.json<string[]>().default([]),
  photo: t.blob().nullable(),
})
const models = { sales: Sale }
let db: LocalDatabase<typeof models>
let untyped: any

beforeAll(async () => {
  db = localDatabase(models)
  untyped = db.tables.sales
  await db.tables.sales.bulkCreate([
    { city: 'Lille', count: 2, price: 1.5, cents: 2n ** 62n, at: '2026-01-01T00:00:00Z', tags: ['a'] },
    { city: 'Lille', count: 3, price: 2.5, cents: 2n ** 62n, at: '2026-03-01T00:00:00Z', paid: true },
    { city: 'Brest', price: 4, cents: -1n, tags: ['a'], photo: new Uint8Array([0, 255]) },
    { city: null, price: 8 },
  ])
})
afterAll(() => db.close())

test('one object for all rows', async () => {
  const { sales } = db.tables
  expect(await sales.aggregate({ count: true, sum: ['count', 'price', 'cents'], avg: ['count'], min: ['at', 'city'] }))
    // Beyond 64 bits.
    .toEqual({
      count: 4,
      sum: { count: 7, price: 16, cents: 2n ** 63n - 1n },
      avg: { count: 1.75 },
      min: { at: new Date('2026-01-01'), city: 'Brest' },
    })
  expect(await sales.aggregate({ where: { city: 'Lille' }, sum: ['cents'] })).toEqual({ sum: { cents: 2n ** 63n } })
  expect(await sales.aggregate({ count: ['city', 'id'], countDistinct: ['city', 'tags', 'photo'] })).toEqual({
    count: { city: 3, id: 4 },
    countDistinct: { city: 2, tags: 2, photo: 1 },
  })
})

test('no rows: counts are 0, everything else is null; no groups', async () => {
  const where = { city: 'Rome' }
  const args = {
    where,
    count: true,
    countDistinct: ['city'],
    sum: ['price', 'cents'],
    avg: ['count'],
    max: ['at'],
  } as const
  expect(await db.tables.sales.aggregate(args)).toEqual({
    count: 0,
    countDistinct: { city: 0 },
    sum: { price: null, cents: null },
    avg: { count: null },
    max: { at: null },
  })
  expect(await db.tables.sales.aggregate({ ...args, groupBy: ['city'] })).toEqual([])
})

test('groups: in the order of their fields, or as told; the answer can be chosen from and cut', async () => {
  const { sales } = db.tables
  expect(await sales.aggregate({ groupBy: ['city'], count: true, max: ['at'] })).toEqual([
    { city: null, count: 1, max: { at: null } },
    { city: 'Brest', count: 1, max: { at: null } },
    { city: 'Lille', count: 2, max: { at: new Date('2026-03-01') } },
  ])
  const cities = (args: object) =>
    untyped.aggregate({ groupBy: 'city', ...args }).then((rows: { city: string | null }[]) => rows.map(row => row.city))
  expect(await cities({ orderBy: { count: 'desc' } })).toEqual(['Lille', null, 'Brest'])
  expect(await cities({ orderBy: [{ sum: { price: 'desc' } }] })).toEqual([null, 'Brest', 'Lille'])
  expect(await cities({ orderBy: { count: 'desc', city: 'desc' } })).toEqual(['Lille', 'Brest', null])
  expect(await cities({ orderBy: { sum: { cents: 'desc' } }, limit: 1 })).toEqual(['Lille'])
  expect(await cities({ limit: 1, offset: 1 })).toEqual(['Brest'])
  expect(await cities({ having: { count: 1 } })).toEqual([null, 'Brest'])
  expect(await cities({ having: { count: { city: { $gt: 0 } } } })).toEqual(['Brest', 'Lille'])
  expect(await cities({ having: { sum: { cents: { $gt: 2n ** 63n - 1n } } } })).toEqual(['Lille'])
  expect(await cities({ having: { sum: { cents: { $lt: 0n }, price: 4 } } })).toEqual(['Brest'])
  expect(await cities({ having: { max: { at: { $gte: '2026-02-01' } } } })).toEqual(['Lille'])
  expect(await cities({ having: { max: { at: null }, $not: { city: null } } })).toEqual(['Brest'])
  expect(await cities({ having: { $or: [{ city: 'Brest' }, { avg: { price: 2 } }] } })).toEqual(['Brest', 'Lille'])
  expect(await cities({ having: {} })).toEqual([null, 'Brest', 'Lille'])
})

test('groups by every kind of field', async () => {
  const { sales } = db.tables
  expect(await sales.aggregate({ groupBy: ['tags', 'paid'], count: true, orderBy: { count: 'desc' } })).toEqual([
    { tags: ['a'], paid: false, count: 2 },
    { tags: [], paid: false, count: 1 },
    { tags: [], paid: true, count: 1 },
  ])
  expect(await sales.aggregate({ groupBy: ['photo'] })).toEqual([{ photo: null }, { photo: new Uint8Array([0, 255]) }])
  expect(await sales.distinct('cents')).toEqual([-1n, 0n, 2n ** 62n])
  expect(await sales.distinct('at', { where: { at: { $null: false } }, limit: 1 })).toEqual([new Date('2026-01-01')])
})

test('as values, in a batch, and beside raw SQL', async () => {
  const query = Sale.aggregate({ groupBy: ['city'], count: true })
  expect(query.key).toBe(Sale.aggregate({ count: true, groupBy: ['city'] }).key)
  const [answer, cities] = await db.batch([query, Sale.distinct('city')])
  expect(answer).toHaveLength(3)
  expect(cities).toEqual([null, 'Brest', 'Lille'])
  const { executed } = await db.count(() => db.run(query))
  expect(executed).toBe(1)
})

test('a column named as a field of the answer, and names that need quoting', async () => {
  const Odd = model('Odd', { id: t.id(), a: t.integer().column('c1'), b: t.text().column('the "b"') }, { table: 'o d' })
  const odd = localDatabase({ odds: Odd })
  await odd.tables.odds.bulkCreate([
    { a: 1, b: 'x' },
    { a: 2, b: 'x' },
  ])
  const answer = odd.tables.odds.aggregate({ groupBy: ['b'], sum: ['a'], having: { sum: { a: 3 } } })
  expect(await answer).toEqual([{ b: 'x', sum: { a: 3 } }])
  await odd.close()
})

test('the infinities, and what a number cannot hold', async () => {
  const Value = model('Value', { id: t.autoId(), real: t.real().default(0), whole: t.integer().default(0) })
  const { tables, close } = localDatabase({ values: Value })
  const { values } = tables
  await values.bulkCreate([
    { real: Infinity, whole: Number.MAX_SAFE_INTEGER },
    { real: 1, whole: 1 },
  ])
  expect(await values.aggregate({ sum: ['real'], max: ['real'], avg: ['whole'] })).toEqual({
    sum: { real: Infinity },
    max: { real: Infinity },
    avg: { whole: 2 ** 52 },
  })
  expect(await failureOf(values.aggregate({ sum: ['whole'] }))).toMatchObject({
    code: 'VALIDATION',
    model: 'Value',
    op: 'aggregate',
    fields: ['sum.whole'],
    hint: expect.stringMatching(/t\.bigint/),
  })
  await values.bulkCreate(Array.from({ length: 1030 }, () => ({ whole: Number.MAX_SAFE_INTEGER })))
  expect(await failureOf(values.aggregate({ sum: ['whole'] }))).toMatchObject({
    code: 'VALIDATION',
    op: 'aggregate',
    text: expect.stringMatching(/sum/),
    hint: expect.stringMatching(/t\.bigint/),
  })
  await values.create({ real: -Infinity })
  expect(await values.aggregate({ sum: ['real'], avg: ['real'] })).toEqual({ sum: { real: NaN }, avg: { real: NaN } })
  await close()
})

const circular: Record<string, unknown> = {}
circular.$not = circular

describe('refuses', () => {
  test.each<[object | undefined, string, RegExp, string[]?]>([
    [undefined, 'BAD_OPTION', /count: true/],
    [{}, 'BAD_OPTION', /count: true/],
    [{ where: {} }, 'BAD_OPTION', /count: true/],
    [{ cuont: true }, 'BAD_OPTION', /"count"/],
    [{ count: false }, 'BAD_OPTION', /count: \['name'\]/],
    [{ count: [] }, 'BAD_OPTION', /leave it out/],
    [{ sum: true }, 'BAD_OPTION', /sum: \['name'\]/],
    [{ sum: 'price' }, 'BAD_OPTION', /sum: \['name'\]/],
    [{ count: ['cty'] }, 'UNKNOWN_FIELD', /"city"/, ['cty']],
    [{ sum: ['city'] }, 'VALIDATION', /id, count, price, cents/, ['city']],
    [{ sum: ['paid'] }, 'VALIDATION', /price/, ['paid']],
    [{ avg: ['at'] }, 'VALIDATION', /price/, ['at']],
    [{ min: ['tags'] }, 'VALIDATION', /city/, ['tags']],
    [{ max: ['photo'] }, 'VALIDATION', /city/, ['photo']],
    [{ groupBy: [] }, 'BAD_OPTION', /leave it out/],
    [{ groupBy: null }, 'BAD_OPTION', /groupBy: \['name'\]/],
    [{ groupBy: 'cty' }, 'UNKNOWN_FIELD', /"city"/, ['cty']],
    [{ groupBy: ['__proto__'] }, 'UNKNOWN_FIELD', /./, ['__proto__']],
    [{ groupBy: ['count'] }, 'BAD_OPTION', /raw SQL/],
    [{ count: true, having: { count: 1 } }, 'BAD_OPTION', /groupBy/],
    [{ count: true, orderBy: { count: 'asc' } }, 'BAD_OPTION', /groupBy/],
    [{ count: true, limit: 1 }, 'BAD_OPTION', /groupBy/],
    [{ count: true, offset: 1 }, 'BAD_OPTION', /groupBy/],
    [{ groupBy: 'city', limit: -1 }, 'BAD_OPTION', /limit/],
    [{ groupBy: 'city', where: { cty: 1 } }, 'UNKNOWN_FIELD', /"city"/, ['cty']],
    [{ groupBy: 'city', having: [] }, 'BAD_FILTER', /field: value/],
    [{ groupBy: 'city', having: null }, 'BAD_FILTER', /field: value/],
    [{ groupBy: 'city', having: { price: 1 } }, 'BAD_FILTER', /where/, ['price']],
    [{ groupBy: 'city', having: { prise: 1 } }, 'UNKNOWN_FIELD', /"price"/, ['prise']],
    [{ groupBy: 'city', having: { sum: 1 } }, 'BAD_FILTER', /\{ sum: \{ field/],
    [{ groupBy: 'city', having: { sum: {} } }, 'BAD_FILTER', /\{ sum: \{ field/],
    [{ groupBy: 'city', having: { sum: { city: 1 } } }, 'VALIDATION', /price/, ['city']],
    [{ groupBy: 'city', having: { sum: { $gt: 1 } } }, 'UNKNOWN_FIELD', /./, ['$gt']],
    [{ groupBy: 'city', having: { sum: { count: 'x' } } }, 'VALIDATION', /correct/, ['sum.count']],
    [{ groupBy: 'city', having: { sum: { cents: 1 } } }, 'VALIDATION', /correct/, ['sum.cents']],
    [{ groupBy: 'city', having: { count: { $contains: 'x' } } }, 'BAD_FILTER', /\$gt/, ['count']],
    [{ groupBy: 'city', having: { count: undefined } }, 'BAD_FILTER', /leave the key out/, ['count']],
    [{ groupBy: 'city', having: { count: { city: undefined } } }, 'BAD_FILTER', /leave the key out/, ['count.city']],
    [{ groupBy: 'city', having: { $sql: sql`1` } }, 'BAD_FILTER', /\$and, \$or, \$not/],
    [{ groupBy: 'city', having: { $nor: [] } }, 'BAD_FILTER', /\$or/],
    [{ groupBy: 'city', having: circular }, 'BAD_FILTER', /\$in/],
    [{ groupBy: 'city', orderBy: { price: 'asc' } }, 'BAD_FILTER', /aggregate/, ['price']],
    [{ groupBy: 'city', orderBy: { city: 'up' } }, 'BAD_OPTION', /'desc'/],
    [{ groupBy: 'city', orderBy: { count: 1 } }, 'BAD_FILTER', /field/],
    [{ groupBy: 'city', orderBy: { sum: 'asc' } }, 'BAD_FILTER', /\{ sum: \{ field/],
    [{ groupBy: 'city', orderBy: { sum: { price: 'up' } } }, 'BAD_OPTION', /'desc'/],
    [{ groupBy: 'city', orderBy: 'count' }, 'VALIDATION', /fields/],
  ])('%o', async (args, code, hint, fields) => {
    const error = await failureOf(untyped.aggregate(args))
    expect(error).toBeInstanceOf(DataFlowError)
    expect(error).toMatchObject({ code, model: 'Sale', op: 'aggregate', hint: expect.stringMatching(hint) })
    if (fields) expect(error.fields).toEqual(fields)
  })

  test.each<[unknown[], string, RegExp]>([
    [['cty'], 'UNKNOWN_FIELD', /"city"/],
    [[undefined], 'UNKNOWN_FIELD', /./],
    [['city', { having: {} }], 'BAD_OPTION', /where|limit/],
    [['city', { where: { cty: 1 } }], 'UNKNOWN_FIELD', /"city"/],
    [['city', { limit: 1.5 }], 'BAD_OPTION', /limit/],
  ])('distinct %o', async (args, code, hint) => {
    const refused = { code, model: 'Sale', op: 'distinct', hint: expect.stringMatching(hint) }
    expect(await failureOf(untyped.distinct(...args))).toMatchObject(refused)
  })
})
