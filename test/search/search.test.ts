// search: which rows it finds, in which order, and what it gives beside them.
import { describe, expect, test } from 'vitest'
import { model, sql, t } from '../../src/index.js'
import { RANKED } from '../../worker/compile/search.js'
import { failureOf } from '../ensure/support.js'
import { localDatabase } from '../support/local.js'

const Post = model(
  'Post',
  {
    id: t.id(),
    title: t.text(),
    body: t.text().nullable(),
    lang: t.enum(['en', 'fr']).default('en'),
    views: t.integer().default(0),
    photo: t.blob().nullable(),
  },
  { search: ['title', 'body', 'lang'] },
)
const models = { posts: Post }

const rows = [
  { id: 'a', title: 'A quiet café', body: 'Coffee in the morning, tea in the evening.', views: 1 },
  { id: 'b', title: 'Tea houses', body: 'Green tea, black tea, white tea.', views: 2 },
  { id: 'c', title: 'Le Café de la Gare', body: null, lang: 'fr' as const, views: 3 },
  { id: 'd', title: 'Well-known places', body: 'Naïve guides to the quiet coast.', views: 4 },
]

async function open() {
  const db = localDatabase(models)
  await db.tables.posts.bulkCreate(rows)
  return db
}
const ids = (found: readonly { id: string }[]) => found.map(({ id }) => id)

describe('words', () => {
  test.each([
    ['tea', 'ba'],
    ['TEA', 'ba'],
    ['cafe', 'ac'],
    ['café', 'ac'],
    ['CAFÉ quiet', 'a'],
    ['quiet', 'ad'],
    ['naive', 'd'],
    ['"quiet cafe"', 'a'],
    ['"cafe quiet"', ''],
    ['mor*', 'a'],
    ['mor', ''],
    ['"green te*"', 'b'],
    ['tea OR coast', 'dba'],
    ['tea NOT coffee', 'b'],
    ['tea -coffee', 'b'],
    ['tea AND NOT coffee', 'b'],
    ['tea coffee', 'a'],
    ['tea AND coffee', 'a'],
    ['quiet -cafe OR gare', 'cd'],
    ['well-known', 'd'],
    ['title:tea', 'b'],
    ['body:tea', 'ba'],
    ['title:te*', 'b'],
    ['title:"houses tea"', 'b'],
    ['-title:tea tea', 'a'],
    ['lang:fr', 'c'],
    ['nope:tea', ''],
    ['', ''],
    ['   ', ''],
    ['!?* "" -', ''],
    ['tea !!!', 'ba'],
    ['tea ^green', 'b'],
    // Not to be understood: word by word.
    ['tea OR', ''],
    ['OR tea', ''],
    ['"green tea', 'b'],
    ['green tea"', 'b'],
    ['-tea', 'ba'],
    ['NOT tea', ''],
    ['(tea)', 'ba'],
    ['tea) OR (coast', 'dba'],
    ['NEAR(tea)', ''],
    ['tea\0green', 'b'],
    ["tea'; drop table posts; --", ''],
  ])('%j', async (words, expected) => {
    const db = await open()
    expect(
      ids(await db.tables.posts.search(words))
        .sort()
        .join(''),
    ).toBe([...expected].sort().join(''))
    const inKeyOrder = ids(await db.tables.posts.search(words, { rank: false }))
    expect(inKeyOrder.join('')).toBe([...expected].sort().join(''))
    await db.close()
  })
})

test('SQLite has what expressions are written for', async () => {
  const db = await open()
  const options = (await db.sql<{ compile_options: string }>`pragma compile_options`).map(row => row.compile_options)
  expect(options).toEqual(expect.arrayContaining(['ENABLE_FTS3', 'ENABLE_FTS3_PARENTHESIS']))
  await db.close()
})

describe('order', () => {
  test('more and rarer words, in shorter texts, come first; equal ones in key order', async () => {
    const db = localDatabase(models)
    await db.tables.posts.bulkCreate([
      { id: '3', title: 'apple pear' },
      { id: '1', title: 'apple pear' },
      { id: '2', title: 'apple apple pear' },
      { id: '4', title: 'apple pear, and many other words that nobody looks for' },
      { id: '5', title: 'plum' },
      ...Array.from({ length: 20 }, (_, i) => ({ id: `x${i}`, title: 'something else' })),
    ])
    const found = await db.tables.posts.search('apple OR plum', { rank: true, select: ['id'] })
    expect(ids(found)).toEqual(['5', '2', '1', '3', '4'])
    const ranks = found.map(({ $rank }) => $rank)
    expect(ranks).toEqual([...ranks].sort((a, b) => b - a))
    expect(ranks[2]).toBe(ranks[3])
    expect(Object.keys(found[0]!)).toEqual(['id', '$rank'])
    for (let offset = 0; offset < 6; offset++) {
      const page = await db.tables.posts.search('apple OR plum', { offset, limit: 2, select: ['id'] })
      expect(ids(page)).toEqual(ids(found).slice(offset, offset + 2))
    }
    expect(await db.tables.posts.search('apple', { limit: 0 })).toEqual([])
    await db.close()
  })

  test('of more matches than are ranked, the first ones are; the others follow in key order', async () => {
    const db = localDatabase(models)
    const id = (i: number) => String(i).padStart(6, '0')
    const STEP = RANKED / 10
    await db.tables.posts.bulkCreate(
      Array.from({ length: RANKED + 50 }, (_, i) => ({
        id: id(RANKED + 50 - i),
        title: i < RANKED && i % STEP === 7 ? 'tea' : 'tea and more',
      })),
    )
    const search = async (args: { limit?: number; offset?: number }) =>
      ids(await db.tables.posts.search('tea', { ...args, select: ['id'] }))
    const all = await search({})
    expect(new Set(all).size).toBe(RANKED + 50)
    const best = Array.from({ length: 10 }, (_, i) => id(RANKED + 50 - (9 - i) * STEP - 7))
    expect(all.slice(0, 10)).toEqual(best)
    // Written last, so they are not ranked.
    expect(all.slice(RANKED)).toEqual(Array.from({ length: 50 }, (_, i) => id(i + 1)))
    expect(await search({ limit: 10 })).toEqual(best)
    expect(await search({ limit: 20, offset: RANKED - 10 })).toEqual(all.slice(RANKED - 10, RANKED + 10))
    const last = await db.tables.posts.search('tea', { rank: true, offset: RANKED + 49 })
    expect(last.map(({ $rank }) => $rank)).toEqual([0])
    await db.close()
  })

  test('weights of fields', async () => {
    const db = localDatabase(models)
    await db.tables.posts.bulkCreate([
      { id: 'a', title: 'one two', body: 'apple three' },
      { id: 'b', title: 'apple two', body: 'one three' },
    ])
    expect(ids(await db.tables.posts.search('apple', { rank: { title: 10 } }))).toEqual(['b', 'a'])
    expect(ids(await db.tables.posts.search('apple', { rank: { body: 10 } }))).toEqual(['a', 'b'])
    const [, second] = await db.tables.posts.search('apple', { rank: { title: 0 } })
    expect([second!.id, second!.$rank]).toEqual(['b', 0])
    await db.close()
  })
})

test('rows: whole, selected, with blobs; filtered; in batches; as many statements as it takes', async () => {
  const db = await open()
  const { posts } = db.tables
  await posts.update('b', { photo: new Uint8Array([1, 2]) })
  const [b, a] = await posts.search('tea')
  expect([b, a]).toEqual([await posts.read('b'), await posts.read('a')])
  expect(await posts.search('tea', { select: ['photo', 'id'] })).toEqual([
    { photo: new Uint8Array([1, 2]), id: 'b' },
    { photo: null, id: 'a' },
  ])
  expect(ids(await posts.search('quiet OR tea', { where: { views: { $gt: 1 } } }))).toEqual(['b', 'd'])
  expect(ids(await posts.search('tea', { where: { $sql: sql`title like 'T%'` } }))).toEqual(['b'])
  expect(ids(await posts.search('tea', { where: { $or: [] } }))).toEqual([])
  expect(ids(await posts.search('tea', { rank: false, limit: 1, where: { views: 2 } }))).toEqual(['b'])
  const [first, second] = await db.batch([Post.search('gare'), Post.search('tea', { limit: 1 })])
  expect([ids(first), ids(second)]).toEqual([['c'], ['b']])
  const statements = async (work: () => Promise<unknown>) => (await db.count(work)).executed
  expect(await statements(() => posts.search('tea'))).toBe(2)
  expect(await statements(() => posts.search('tea', { rank: false }))).toBe(1)
  expect(await statements(() => posts.search('tea', { highlight: true, snippet: true }))).toBe(3)
  expect(await statements(() => posts.search('nothing', { highlight: true }))).toBe(1)
  expect(await statements(() => posts.search(''))).toBe(0)
  await db.close()
})

test('highlights and snippets', async () => {
  const db = await open()
  const { posts } = db.tables
  const [a, c] = await posts.search('cafe', { highlight: true, snippet: true })
  expect(a!.$highlight).toEqual({
    title: [
      { text: 'A quiet ', match: false },
      { text: 'café', match: true },
    ],
    body: [{ text: 'Coffee in the morning, tea in the evening.', match: false }],
    lang: [{ text: 'en', match: false }],
  })
  expect(c!.$highlight.body).toBeNull()
  expect(c!.$snippet).toEqual([
    { text: 'Le ', match: false },
    { text: 'Café', match: true },
    { text: ' de la Gare', match: false },
  ])
  const markers = ['<b>', '</b>'] as const
  const marked = await posts.search('"green tea" OR whi*', { highlight: { fields: ['body'], markers }, select: ['id'] })
  expect(marked).toEqual([{ id: 'b', $highlight: { body: '<b>Green</b> <b>tea</b>, black tea, <b>white</b> tea.' } }])
  const long = `${'word '.repeat(50)}😀 the Ñandú runs ${'more '.repeat(50)}`
  await posts.create({ id: 'l', title: 'Long', body: long })
  const [l] = await posts.search('nandu', { snippet: { words: 5, markers: ['[', ']'] }, highlight: true })
  expect(l!.$snippet).toBe('…word 😀 the [Ñandú] runs more…')
  expect(l!.$highlight.body!.map(({ text }) => text).join('')).toBe(long)
  const [inTitle] = await posts.search('nandu', { snippet: { field: 'title', markers: ['[', ']'] } })
  expect(inTitle!.$snippet).toBe('Long')
  await db.close()
})

test('what is wrong is refused', async () => {
  const db = await open()
  const posts = db.tables.posts as any
  const codeOf = async (...args: unknown[]) => (await failureOf(posts.search(...args))).code
  expect(await codeOf('tea', { limt: 3 })).toBe('BAD_OPTION')
  expect(await codeOf('tea', { limit: -1 })).toBe('BAD_OPTION')
  expect(await codeOf('tea', { rank: 1 })).toBe('BAD_OPTION')
  expect(await codeOf('tea', { rank: { title: -1 } })).toBe('BAD_OPTION')
  expect(await codeOf('tea', { rank: { views: 1 } })).toBe('UNKNOWN_FIELD')
  expect(await codeOf('tea', { highlight: { fields: ['views'] } })).toBe('UNKNOWN_FIELD')
  expect(await codeOf('tea', { highlight: { fields: 'title' } })).toBe('BAD_OPTION')
  expect(await codeOf('tea', { highlight: { markers: ['a'] } })).toBe('BAD_OPTION')
  expect(await codeOf('tea', { highlight: { colour: 'red' } })).toBe('BAD_OPTION')
  expect(await codeOf('tea', { snippet: { words: 0 } })).toBe('BAD_OPTION')
  expect(await codeOf('tea', { snippet: { field: 'views' } })).toBe('UNKNOWN_FIELD')
  expect(await codeOf('tea', { select: ['nope'] })).toBe('UNKNOWN_FIELD')
  expect(await codeOf('tea', { where: { nope: 1 } })).toBe('UNKNOWN_FIELD')
  expect(await codeOf(7)).toBe('VALIDATION')
  expect(await codeOf()).toBe('VALIDATION')
  await db.close()
  const plain = localDatabase({ notes: model('Note', { id: t.id(), text: t.text() }) })
  const error = await failureOf((plain.tables.notes as any).search('x'))
  expect(error).toMatchObject({
    code: 'BAD_OPTION',
    model: 'Note',
    op: 'search',
    hint: expect.stringContaining('search:'),
  })
  await plain.close()
})
