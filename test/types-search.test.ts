// What the compiler says of text search. Compiled by `tsc -b`; a wrong line is an error there.
import { expect, test } from 'vitest'
import { dataflow, model, t, type Piece, type Result, type Row } from '../src/index.js'

type Eq<A, B> = (<T>() => T extends A ? 1 : 2) extends <T>() => T extends B ? 1 : 2 ? true : false
const ok = <T extends true>(...values: T[]) => void values
/** Compiled, never called. */
const compiled = (body: () => unknown) => void body

const fields = {
  id: t.id(),
  title: t.text(),
  body: t.text().nullable(),
  kind: t.enum(['note', 'task']),
  views: t.integer(),
  due: t.date({ as: 'text' }).nullable(),
}
const Post = model('Post', fields, { search: ['title', 'body'] })
const Plain = model('Plain', fields)
const Indexed = model('Indexed', fields, { indexes: [['views']] })
const db = dataflow('types', { models: { posts: Post, plain: Plain, indexed: Indexed }, storage: 'memory' })

type P = Row<typeof Post>

compiled(async () => {
  const rows = await db.posts.search('words')
  ok<Eq<typeof rows, P[]>>()
  const selected = await db.posts.search('words', {
    select: ['id', 'title'],
    limit: 3,
    offset: 1,
    where: { views: { $gt: 1 } },
  })
  ok<Eq<typeof selected, { id: string; title: string }[]>>()
  const ranked = await db.posts.search('words', { rank: true, select: ['id'] })
  ok<Eq<typeof ranked, { id: string; $rank: number }[]>>()
  const weighted = await db.posts.search('words', { rank: { title: 5 }, select: ['id'] })
  ok<Eq<typeof weighted, { id: string; $rank: number }[]>>()
  const unranked = await db.posts.search('words', { rank: false })
  ok<Eq<typeof unranked, P[]>>()
  const pieces = await db.posts.search('words', { highlight: true, snippet: true, select: ['id'] })
  ok<Eq<typeof pieces, { id: string; $highlight: { title: Piece[]; body: Piece[] | null }; $snippet: Piece[] }[]>>()
  const marked = await db.posts.search('words', {
    highlight: { fields: ['body'], markers: ['<', '>'] },
    snippet: { field: 'title', words: 5, markers: ['<', '>'] },
    select: ['id'],
    signal: new AbortController().signal,
  })
  ok<Eq<typeof marked, { id: string; $highlight: { body: string | null }; $snippet: string }[]>>()
  const none = await db.posts.search('words', { highlight: false, snippet: false, select: ['id'] })
  ok<Eq<typeof none, { id: string }[]>>()
  const operation = Post.search('words', { rank: true, select: ['views'] })
  ok<Eq<Result<typeof operation>, { views: number; $rank: number }[]>>()
  const [found, count] = await db.batch([Post.search('words', { select: ['id'] }), Post.count()])
  ok<Eq<typeof found, { id: string }[]>>()
  ok<Eq<typeof count, number>>()
  await db.transaction(async tx => {
    const inside = await tx.posts.search('words')
    ok<Eq<typeof inside, P[]>>()
  })
  model('A', fields, { search: ['id', 'kind'] })

  // @ts-expect-error the model has no text search
  Plain.search('words')
  // @ts-expect-error the model has no text search
  await db.plain.search('words')
  // @ts-expect-error the model has no text search
  await db.indexed.search('words')
  // @ts-expect-error words are a text
  await db.posts.search(7)
  // @ts-expect-error there are no words
  await db.posts.search()
  // @ts-expect-error no such option
  await db.posts.search('words', { orderBy: { title: 'asc' } })
  // @ts-expect-error not one of the searched fields
  await db.posts.search('words', { highlight: { fields: ['kind'] } })
  // @ts-expect-error not one of the searched fields
  await db.posts.search('words', { snippet: { field: 'views' } })
  // @ts-expect-error not one of the searched fields
  await db.posts.search('words', { rank: { views: 2 } })
  // @ts-expect-error two markers
  await db.posts.search('words', { highlight: { markers: ['<'] } })
  // @ts-expect-error no such option
  await db.posts.search('words', { snippet: { length: 5 } })
  // @ts-expect-error no such field to select
  await db.posts.search('words', { select: ['nope'] })
  // @ts-expect-error no such field
  await db.posts.search('words', { where: { nope: 1 } })
  // @ts-expect-error it was not asked for
  rows[0]!.$rank
  // @ts-expect-error no such field
  model('A', fields, { search: ['nope'] })
  // @ts-expect-error a number is not searched
  model('A', fields, { search: ['views'] })
  // @ts-expect-error a date is not searched
  model('A', fields, { search: ['due'] })
})

test('the declarations above are models', () => {
  expect([Post.$options.search, 'search' in Plain.$options]).toEqual([['title', 'body'], false])
})
