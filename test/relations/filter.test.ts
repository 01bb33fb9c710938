// Filters across relations by example: what holds, what they write to, and what is refused.
import { afterAll, beforeAll, beforeEach, describe, expect, test } from 'vitest'
import { model, sql, t } from '../../src/index.js'
import { failureOf } from '../ensure/support.js'
import { localDatabase, unwrap } from '../support/local.js'
import { openBlog, Post, type Blog } from './support.js'

let db: Blog
let untyped: any
beforeAll(async () => {
  db = await openBlog()
  untyped = db.tables
})
afterAll(() => db.close())

const authors = async (where: object) => (await untyped.authors.list({ where })).map((row: any) => row.id)
const posts = async (where: object) => (await untyped.posts.list({ where })).map((row: any) => row.id)

test('of a list: some, every, none', async () => {
  expect(await authors({ posts: { $some: { live: true } } })).toEqual(['ada', 'bob'])
  expect(await authors({ posts: { $some: {} } })).toEqual(['ada', 'bob'])
  // Nothing is also true of every one of no rows.
  expect(await authors({ posts: { $every: { live: true } } })).toEqual(['bob', 'cyd'])
  expect(await authors({ posts: { $none: { live: true } } })).toEqual(['cyd'])
  expect(await authors({ posts: { $none: {} } })).toEqual(['cyd'])
  expect(await authors({ posts: { $some: {}, $every: { live: true } } })).toEqual(['bob'])
})

test('of one row: its fields, or null', async () => {
  expect(await posts({ author: { name: 'Ada' } })).toEqual(['p1', 'p2', 'p4'])
  expect(await posts({ editor: null })).toEqual(['p2', 'p4'])
  expect(await posts({ editor: {} })).toEqual(['p1', 'p3'])
  expect(await posts({ editor: { $not: { name: 'Ada' } } })).toEqual(['p1'])
  // Two-valued: the rows without an editor too.
  expect(await posts({ $not: { editor: { name: 'Ada' } } })).toEqual(['p1', 'p2', 'p4'])
})

test('NULL is no value that fails by itself: what is not true is not', async () => {
  // Cyd, who has no rank, has written nothing.
  expect(await posts({ author: { rank: { $ne: 1 } } })).toEqual(['p3'])
  expect(await authors({ edited: { $every: { at: { $gt: 5 } } } })).toEqual(['bob', 'cyd'])
  expect(await authors({ edited: { $none: { at: { $gt: 5 } } } })).toEqual(['ada', 'cyd'])
})

test('through, nested, and back to where it began', async () => {
  expect(await authors({ posts: { $some: { tags: { $some: { parent: { word: 'all' } } } } } })).toEqual(['ada'])
  expect(await authors({ posts: { $some: { editor: { posts: { $some: { editor: { name: 'Ada' } } } } } } })).toEqual([
    'ada',
  ])
  expect(
    await posts({ tags: { $some: { word: 'math' } }, postTags: { $some: { weight: 5, tag: { word: 'craft' } } } }),
  ).toEqual(['p1'])
  expect(await untyped.tags.count({ parent: { parent: null } })).toBe(2)
})

test('in every operation that takes a filter', async () => {
  const { tables } = db
  const where = { author: { name: 'Ada' } }
  expect(await tables.posts.count(where)).toBe(3)
  expect(await tables.posts.first({ where, orderBy: { title: 'desc' }, select: ['id'] })).toEqual({ id: 'p2' })
  expect((await tables.posts.page({ where, limit: 2, select: ['id'] })).items).toEqual([{ id: 'p1' }, { id: 'p2' }])
  expect(await tables.posts.aggregate({ where, count: true, groupBy: 'kind' })).toEqual([
    { kind: 'essay', count: 1 },
    { kind: 'note', count: 2 },
  ])
  expect(await tables.posts.distinct('kind', { where })).toEqual(['essay', 'note'])
  expect(
    await tables.authors.list({
      select: ['id'],
      include: { posts: { select: ['id'], where: { tags: { $some: { word: 'craft' } } }, limit: 1 } },
    }),
  ).toEqual([
    { id: 'ada', posts: [{ id: 'p1' }] },
    { id: 'bob', posts: [] },
    { id: 'cyd', posts: [] },
  ])
})

describe('writes', () => {
  let own: Blog
  beforeEach(async () => {
    own = await openBlog()
    return () => own.close()
  })

  test('change and delete the rows that pass', async () => {
    const { posts: ownPosts, tags } = own.tables
    const changed = await ownPosts.bulkUpdate({ where: { tags: { $some: { word: 'craft' } } }, set: { title: 'x' } })
    expect(changed.ids).toEqual(['p1', 'p4'])
    // A table asked about itself while it is written.
    expect((await tags.bulkDelete({ where: { children: { $some: {} } } }).catch(error => error)).code).toBe(
      'FOREIGN_KEY',
    )
    expect((await tags.bulkDelete({ where: { parent: { word: 'all' } } })).ids).toEqual([2, 3])
    expect((await own.run(Post.bulkDelete({ where: { editor: null } }))).ids).toEqual(['p2', 'p4'])
  })

  test('an empty filter is every row, also where a relation makes it so (semantics 23)', async () => {
    const { authors: ownAuthors, posts: ownPosts } = own.tables
    const nothing = { $or: [] }
    for (const where of [
      { posts: { $every: {} } },
      { posts: { $none: nothing } },
      { $not: { posts: { $some: nothing } } },
      { posts: { $every: { $and: [false as const] }, $none: { tags: { $some: nothing } } } },
      { $not: { posts: { $some: { author: nothing } } } },
    ]) {
      expect(await failureOf(ownAuthors.bulkDelete({ where }))).toMatchObject({ code: 'BAD_FILTER' })
      expect(await failureOf(ownAuthors.bulkUpdate({ where, set: { rank: 1 } }))).toMatchObject({ code: 'BAD_FILTER' })
    }
    expect(await failureOf(ownPosts.bulkDelete({ where: { $not: { author: nothing } } }))).toMatchObject({
      code: 'BAD_FILTER',
    })
    // What depends on the row is no empty filter, even if it holds for all that are there.
    expect((await ownPosts.bulkUpdate({ where: { author: {} }, set: { live: true } })).count).toBe(4)
    expect((await ownAuthors.bulkDelete({ where: { posts: { $some: nothing } } })).count).toBe(0)
  })
})

test.for<[string, object, string, RegExp]>([
  ['a misspelt relation', { post: { $some: {} } }, 'UNKNOWN_FIELD', /Author has no field "post".*did you mean "posts"/],
  ['a list without a quantifier', { posts: { live: true } }, 'BAD_FILTER', /does not say of which rows.*\$some/],
  ['an empty quantifier', { posts: {} }, 'BAD_FILTER', /does not say of which rows/],
  ['a quantifier and a field', { posts: { $some: {}, live: true } }, 'BAD_FILTER', /says more than of which rows/],
  ['a list that is null', { posts: null }, 'BAD_FILTER', /does not say of which rows/],
  ['a quantifier of nothing', { posts: { $some: null } }, 'BAD_FILTER', /a filter must be an object/],
  ['undefined', { posts: { $some: undefined } }, 'BAD_FILTER', /a filter must be an object/],
  ['a field of the other model', { posts: { $some: { name: 'x' } } }, 'UNKNOWN_FIELD', /Post has no field "name"/],
  [
    '$some of one row',
    { posts: { $some: { author: { $some: {} } } } },
    'BAD_FILTER',
    /\$some is for lists; author is one row/,
  ],
  ['a value for one row', { posts: { $some: { author: 'ada' } } }, 'BAD_FILTER', /a filter must be an object/],
  ['a wrong value', { posts: { $some: { live: 1 } } }, 'VALIDATION', /live/],
])('refused: %s', async ([, where, code, message]) => {
  const failure = await failureOf(untyped.authors.list({ where }))
  expect(failure).toMatchObject({ code })
  expect(failure.message).toMatch(message)
})

test('as deep and as large as any filter, and no more', async () => {
  const nested = (levels: number): object =>
    levels === 0 ? {} : { posts: { $every: { author: nested(levels - 1), live: true } } }
  expect(await authors(nested(10))).toEqual(['bob', 'cyd'])
  expect(await failureOf(authors(nested(11)))).toMatchObject({ code: 'BAD_FILTER', text: /too large/ })
  const many = (count: number) => ({ posts: { $some: { $or: Array.from({ length: count }, () => ({ live: true })) } } })
  expect(await authors(many(2000))).toEqual(['ada', 'bob'])
  expect(await failureOf(authors(many(2600)))).toMatchObject({ code: 'BAD_FILTER' })
})

test("the app's own SQL knows the table of the relation by its name, unless it stands around it", async () => {
  expect(
    await authors({ posts: { $some: { $sql: sql<boolean>`posts.views > ${6} and authors.name = ${'Ada'}` } } }),
  ).toEqual(['ada'])
  expect(await untyped.tags.count({ children: { $some: { $sql: sql<boolean>`word = ${'math'}` } } })).toBe(1)
})

test("with autoMigrate 'warn' a relation needs its columns and no others", async () => {
  const declare = (more: object) => ({
    owners: model('Owner', { id: t.id(), name: t.text() }),
    items: model('Item', { id: t.id(), ownerId: t.ref('Owner'), n: t.integer(), ...more }),
  })
  const name = `warned-${process.pid}`
  const first = localDatabase(declare({}), { name, storage: 'indexeddb' })
  await first.tables.owners.create({ id: 'o', name: 'x' })
  await first.tables.items.create({ id: 'i', ownerId: 'o', n: 1 })
  await first.close()
  const warned = localDatabase(declare({ added: t.text().nullable() }), {
    name,
    storage: 'indexeddb',
    autoMigrate: 'warn',
  })
  const owners = warned.tables.owners as any
  expect(await owners.count({ items: { $some: { n: 1 } } })).toBe(1)
  expect(await owners.list({ select: ['id'], include: { items: { select: ['n'] } } })).toEqual([
    { id: 'o', items: [{ n: 1 }] },
  ])
  for (const call of [owners.count({ items: { $some: { added: 'x' } } }), owners.list({ include: { items: true } })]) {
    expect(await failureOf(call)).toMatchObject({ code: 'SCHEMA_MISMATCH', model: 'Item', fields: ['added'] })
  }
  await unwrap(warned.engine.close())
})
