// list, first, count, page and iterate.
import fc from 'fast-check'
import { describe, expect, test } from 'vitest'
import { model, t, type Insert, type Row } from '../../src/index.js'
import { localDatabase } from '../support/local.js'

const Item = model('Item', {
  id: t.integer().primaryKey(),
  name: t.text().nullable(),
  rank: t.integer().default(0),
  big: t.bigint().default(0n),
  score: t.real().nullable(),
  done: t.boolean().default(false),
  at: t.date({ as: 'text' }).nullable(),
  blob: t.blob().nullable(),
  more: t.blob().nullable(),
  data: t.json<unknown>().default(null),
})
type Item = Row<typeof Item>
const models = { items: Item }
const seeded = async (rows: Insert<typeof Item>[]) => {
  const db = localDatabase(models)
  await db.tables.items.bulkCreate(rows)
  return db
}
const ids = (rows: readonly { id: number }[]) => rows.map(row => row.id)
const decode = (cursor: string) => atob(cursor.replaceAll('-', '+').replaceAll('_', '/'))

describe('list', () => {
  const five = () => seeded([3, 1, 5, 2, 4].map(id => ({ id, name: id % 2 ? 'odd' : null, rank: 10 - id })))

  test('is in key order unless orderBy says otherwise', async () => {
    const { tables } = await five()
    expect(ids(await tables.items.list())).toEqual([1, 2, 3, 4, 5])
    expect(ids(await tables.items.list({ orderBy: { id: 'desc' } }))).toEqual([5, 4, 3, 2, 1])
    expect(ids(await tables.items.list({ orderBy: { rank: 'asc' } }))).toEqual([5, 4, 3, 2, 1])
    expect(ids(await tables.items.list({ orderBy: { name: 'asc' } }))).toEqual([2, 4, 1, 3, 5])
    expect(ids(await tables.items.list({ orderBy: [{ name: 'desc' }, { rank: 'asc' }] }))).toEqual([5, 3, 1, 4, 2])
    expect(ids(await tables.items.list({ orderBy: { id: 'asc', rank: 'asc' } }))).toEqual([1, 2, 3, 4, 5])
    expect(ids(await tables.items.list({ orderBy: [{ rank: 'asc' }, { rank: 'desc' }] }))).toEqual([5, 4, 3, 2, 1])
  })

  test('limit and offset', async () => {
    const { tables } = await five()
    expect(ids(await tables.items.list({ limit: 2 }))).toEqual([1, 2])
    expect(ids(await tables.items.list({ limit: 2, offset: 4 }))).toEqual([5])
    expect(ids(await tables.items.list({ offset: 3 }))).toEqual([4, 5])
    expect(await tables.items.list({ limit: 0 })).toEqual([])
    expect(await tables.items.list({ offset: 99 })).toEqual([])
    expect(ids(await tables.items.list({ limit: Number.MAX_SAFE_INTEGER, offset: 2 ** 33 - 2 ** 33 + 1 }))).toEqual([
      2, 3, 4, 5,
    ])
  })

  test('first is the first of the list, or null; count counts', async () => {
    const { tables } = await five()
    expect(await tables.items.first({ orderBy: { id: 'desc' }, select: ['id'] })).toEqual({ id: 5 })
    expect(await tables.items.first({ where: { id: 9 } })).toBeNull()
    expect(await tables.items.first({ offset: 2, select: ['id'] })).toEqual({ id: 3 })
    expect(await tables.items.first({ limit: 0 })).toBeNull()
    expect(await tables.items.first()).toMatchObject({ id: 1 })
    expect(await tables.items.count()).toBe(5)
    expect(await tables.items.count({})).toBe(5)
    expect(await tables.items.count({ name: null })).toBe(2)
  })

  test('rows with blobs, and models with more than one', async () => {
    const { tables } = await seeded([
      { id: 1, blob: new Uint8Array([1]), more: new Uint8Array([]) },
      { id: 2, more: new Uint8Array([2, 2]), data: { a: 1 } },
      { id: 3 },
    ])
    expect(await tables.items.list({ select: ['more', 'id', 'blob', 'data'] })).toEqual([
      { more: new Uint8Array([]), id: 1, blob: new Uint8Array([1]), data: null },
      { more: new Uint8Array([2, 2]), id: 2, blob: null, data: { a: 1 } },
      { more: null, id: 3, blob: null, data: null },
    ])
    expect((await tables.items.list()).map(row => [row.id, row.blob, row.more])).toEqual([
      [1, new Uint8Array([1]), new Uint8Array([])],
      [2, null, new Uint8Array([2, 2])],
      [3, null, null],
    ])
    expect(await tables.items.list({ where: { id: 9 } })).toEqual([])
    expect(await tables.items.list({ where: { blob: new Uint8Array([1]) }, select: ['more'] })).toEqual([
      { more: new Uint8Array([]) },
    ])
  })
})

const ORDERABLE = ['id', 'name', 'rank', 'big', 'score', 'done', 'at'] as const
const row = fc.record({
  name: fc.constantFrom(null, '', 'a', 'b', 'é', '\0', '🦫', '\uffff'),
  rank: fc.constantFrom(0, 1, -1, Number.MAX_SAFE_INTEGER),
  big: fc.constantFrom(0n, 2n ** 63n - 1n, 2n ** 63n - 2n, -(2n ** 63n)),
  score: fc.constantFrom(null, 0, 0.1, -Infinity, Infinity, 5e-324),
  done: fc.boolean(),
  at: fc.constantFrom(null, new Date(0), new Date(1), new Date(-1)),
})
const order = fc.array(
  fc
    .tuple(fc.constantFrom(...ORDERABLE), fc.constantFrom<'asc' | 'desc'>('asc', 'desc'))
    .map(([field, direction]) => ({ [field]: direction })),
  { maxLength: 4 },
)

test('walking pages in any order and limit, forward and back, gives the list', async () => {
  const db = localDatabase(models)
  const { items } = db.tables
  const rows = fc.array(row, { maxLength: 12 }).map(all => all.map((one, i) => ({ ...one, id: (i * 7) % 13 })))
  const select = fc.constantFrom(undefined, ['id'] as const, ['rank', 'id'] as const, ['blob', 'id'] as const)
  await fc.assert(
    fc.asyncProperty(rows, order, fc.integer({ min: 1, max: 5 }), select, async (data, orderBy, limit, chosen) => {
      await items.bulkDelete({ all: true })
      await items.bulkCreate(data)
      const shared = { orderBy, ...(chosen ? { select: chosen } : {}) }
      const list = await items.list(shared as { orderBy: typeof orderBy })
      const pages: Item[][] = []
      let last = await items.page({ ...shared, limit } as { limit: number })
      expect(last.prev).toBeNull()
      pages.push(last.items)
      while (last.next !== null) {
        last = await items.page({ ...shared, limit, after: last.next } as { limit: number })
        pages.push(last.items)
        expect(pages.length).toBeLessThan(20)
      }
      expect(pages.flat()).toEqual(list)
      expect(pages.slice(0, -1).every(page => page.length === limit)).toBe(true)
      const back: Item[][] = [last.items]
      while (last.prev !== null) {
        last = await items.page({ ...shared, limit, before: last.prev } as { limit: number })
        back.unshift(last.items)
        expect(back.length).toBeLessThan(20)
      }
      expect(back.flat()).toEqual(list)
      const walked: Item[] = []
      for await (const one of items.iterate({ ...shared, chunk: limit } as object)) walked.push(one)
      expect(walked).toEqual(list)
    }),
    { numRuns: 150 },
  )
})

describe('page', () => {
  const ties = () => seeded([1, 2, 3, 4, 5].map(id => ({ id, rank: 1, name: id === 3 ? null : 'x' })))

  test('a filter, and rows written meanwhile shift nothing', async () => {
    const { tables } = await ties()
    const one = await tables.items.page({ limit: 2, orderBy: { rank: 'desc' }, where: { name: 'x' }, select: ['id'] })
    expect(one).toEqual({ items: [{ id: 1 }, { id: 2 }], prev: null, next: expect.any(String) })
    await tables.items.create({ id: 0, rank: 1, name: 'x' })
    await tables.items.delete(2)
    const two = await tables.items.page({
      limit: 2,
      orderBy: { rank: 'desc' },
      where: { name: 'x' },
      select: ['name'],
      after: one.next!,
    })
    expect(two).toEqual({ items: [{ name: 'x' }, { name: 'x' }], prev: expect.any(String), next: null })
    const back = await tables.items.page({
      limit: 2,
      orderBy: { rank: 'desc' },
      where: { name: 'x' },
      select: ['id'],
      before: two.prev!,
    })
    expect(back).toEqual({ items: [{ id: 0 }, { id: 1 }], prev: null, next: expect.any(String) })
  })

  test('an empty table, and exactly one page', async () => {
    const { tables } = localDatabase(models)
    expect(await tables.items.page({ limit: 3 })).toEqual({ items: [], prev: null, next: null })
    await tables.items.bulkCreate([{ id: 1 }, { id: 2 }, { id: 3 }])
    expect(await tables.items.page({ limit: 3, select: ['id'] })).toMatchObject({ prev: null, next: null })
  })

  test('a cursor of another list, or none at all, is refused', async () => {
    const { tables } = await ties()
    const { next } = await tables.items.page({ limit: 1, orderBy: { rank: 'asc' } })
    const refused = { code: 'BAD_OPTION', model: 'Item', op: 'page', hint: expect.stringContaining('same orderBy') }
    const [key, rank] = [{ id: 'asc' }, { rank: 'asc' }] as const
    for (const [orderBy, after] of [
      [undefined, next],
      [key, next],
      [{ rank: 'desc' }, next],
      [[rank, { name: 'asc' }], next],
      [rank, ''],
      [rank, 'nonsense'],
      [rank, `${next}x`.slice(3)],
      [rank, btoa('[]')],
      [rank, btoa('{}')],
      [rank, btoa('["+rank,+id",1]')],
      [rank, btoa('["+rank,+id","1",1]')],
      [rank, btoa('["+rank,+id",{"a":1},1]')],
      [rank, btoa('["+rank,+id",true,1]')],
      [{ big: 'asc' }, btoa('["+big,+id",["1; drop"],1]')],
      [rank, 5],
      [rank, {}],
      [rank, null],
    ] as const) {
      await expect(
        tables.items.page({ limit: 1, orderBy: orderBy as never, after: after as never }),
        `${JSON.stringify(orderBy)} ${String(after)}`,
      ).rejects.toMatchObject(refused)
    }
    expect(JSON.parse(decode(next!))[0]).toBe('+rank,+id')
  })

  test('needs a limit, one direction, and an order that can be compared', async () => {
    const { tables } = await ties()
    const { next } = await tables.items.page({ limit: 1 })
    for (const options of [
      {},
      { limit: 0 },
      { limit: -1 },
      { limit: 1.5 },
      { limit: '1' },
      { limit: Infinity },
      { limit: 1, after: next, before: next },
      { limit: 1, offset: 1 },
      { limit: 1, orderBy: { data: 'asc' } },
      { limit: 1, orderBy: { blob: 'asc' } },
      { limit: 1, orderBy: { id: 'up' } },
      { limit: 1, orderBy: { id: undefined } },
      { limit: 1, select: [] },
      { limit: 1, select: 'id' },
    ]) {
      await expect(tables.items.page(options as never), JSON.stringify(options)).rejects.toMatchObject({
        code: 'BAD_OPTION',
        model: 'Item',
        op: 'page',
      })
    }
  })

  test('a stored text longer than the field now allows does not stop the walk', async () => {
    const Short = model('Short', { id: t.id(), name: t.text({ max: 2 }) })
    const db = localDatabase({ shorts: Short })
    await db.tables.shorts.create({ id: 'a', name: 'ab' })
    await db.sql`insert into shorts (id, name) values ('b', 'abcdef'), ('c', 'abcdefg')`
    const one = await db.tables.shorts.page({ limit: 2, orderBy: { name: 'asc' } })
    const two = await db.tables.shorts.page({ limit: 2, orderBy: { name: 'asc' }, after: one.next! })
    expect([...one.items, ...two.items].map(row => row.id)).toEqual(['a', 'b', 'c'])
  })
})

describe('a page whose neighbours were deleted', () => {
  const idsOf = (page: { items: { id: number }[] }) => ids(page.items)

  test('a cursor holds a place: it outlives its row', async () => {
    const { items } = (await seeded(Array.from({ length: 6 }, (_, id) => ({ id })))).tables
    const middle = await items.page({ limit: 2, after: (await items.page({ limit: 2 })).next! })
    await items.bulkDelete({ where: { id: { $in: [2, 3] } } })
    expect(idsOf(await items.page({ limit: 2, after: middle.next! }))).toEqual([4, 5])
    expect(idsOf(await items.page({ limit: 2, before: middle.prev! }))).toEqual([0, 1])
  })

  test('without rows it has no cursors, in both directions', async () => {
    const { items } = (await seeded([{ id: 0 }, { id: 1 }, { id: 2 }])).tables
    const first = await items.page({ limit: 1 })
    const second = await items.page({ limit: 1, after: first.next! })
    await items.bulkDelete({ where: { id: { $ne: 1 } } })
    const empty = { items: [], prev: null, next: null }
    expect(await items.page({ limit: 1, after: second.next! })).toEqual(empty)
    expect(await items.page({ limit: 1, before: second.prev! })).toEqual(empty)
    // What is written behind the place later is found there.
    await items.create({ id: 9 } as never)
    expect(idsOf(await items.page({ limit: 1, after: second.next! }))).toEqual([9])
  })
})

describe('iterate', () => {
  test('limit, chunk, where, and a break', async () => {
    const db = await seeded(Array.from({ length: 25 }, (_, i) => ({ id: i, rank: i % 2 })))
    const { items } = db.tables
    const seen: number[] = []
    for await (const { id } of items.iterate({ where: { rank: 1 }, chunk: 3, limit: 7, select: ['id'] })) seen.push(id)
    expect(seen).toEqual([1, 3, 5, 7, 9, 11, 13])
    seen.length = 0
    for await (const { id } of items.iterate({ orderBy: { id: 'desc' } })) {
      if (id < 22) break
      seen.push(id)
    }
    expect(seen).toEqual([24, 23, 22])
    for await (const one of items.iterate({ limit: 0 })) expect.fail(`${one.id}`)
    const { executed } = await db.count(async () => {
      for await (const one of items.iterate({ chunk: 10 })) void one
    })
    expect(executed).toBe(3)
    for await (const { id } of items.iterate({
      limit: 1,
      signal: new AbortController().signal,
      durability: 'strict',
    })) {
      expect(id).toBe(0)
    }
  })

  test.each([
    { chunk: 0 },
    { chunk: 1.5 },
    { limit: -1 },
    { offset: 1 },
    { after: 'x' },
    { orderBy: { id: 1 } },
    { durability: 'none' },
    null,
    5,
  ])('refuses %j', async options => {
    const { tables } = localDatabase(models)
    const walk = async () => {
      for await (const one of tables.items.iterate(options as never)) expect.fail(`${(one as Item).id}`)
    }
    await expect(walk()).rejects.toMatchObject({ code: 'BAD_OPTION', model: 'Item' })
  })
})
