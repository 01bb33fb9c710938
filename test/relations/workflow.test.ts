// Relations in nodes of workflows: references stand in filters across relations and in what is included.
import { afterAll, beforeAll, expect, test } from 'vitest'
import { workflow } from '../../src/index.js'
import { failureOf } from '../ensure/support.js'
import { Author, openBlog, Post, type Blog } from './support.js'

let db: Blog
beforeAll(async () => {
  db = await openBlog()
})
afterAll(() => db.close())

const byName = workflow<{ name: string; word: string }>('byName')
  .node('author', ({ input }) => Author.first({ where: { name: input.name }, include: { posts: true } }))
  .node('posts', ({ author, input }) =>
    Post.list({
      where: { author: { name: author.name }, tags: { $some: { word: { $in: [input.word, 'nothing'] } } } },
      select: ['id'],
      include: { tags: { select: ['word'], where: { word: { $ne: input.word } } } },
    }),
  )
  .node('first', ({ posts }) => Post.readOrThrow(posts.at(0).id, { select: ['title'], include: { author: true } }))
  .node('count', ({ author }) => Post.count({ editor: { edited: { $some: { author: { name: author.name } } } } }))

test('what earlier nodes give stands in them, and what they give has what is included', async () => {
  const out: any = await db.execute(byName, { name: 'Ada', word: 'craft' })
  expect(out.author).toMatchObject({ id: 'ada', posts: [{ id: 'p1' }, { id: 'p2' }, { id: 'p4' }] })
  expect(out.posts).toEqual([
    { id: 'p1', tags: [{ word: 'math' }] },
    { id: 'p4', tags: [] },
  ])
  expect(out.first).toMatchObject({ title: 'Engines', author: { name: 'Ada' } })
  expect(out.count).toBe(1)
})

test('a row that is not there is NOT_FOUND with an include too', async () => {
  const missing = workflow<{ id: string }>('missing')
    .node('any', () => Author.readOrThrow('ada'))
    .node('post', ({ input }) => Post.readOrThrow(input.id, { include: { author: true } }))
    .node('other', ({ any }) => Post.readOrThrow(any.id, { include: { author: true } }))
  expect(await failureOf(db.execute(missing, { id: 'none' }))).toMatchObject({ code: 'NOT_FOUND', node: 'post' })
  expect(await failureOf(db.execute(missing, { id: 'p1' }))).toMatchObject({ code: 'NOT_FOUND', node: 'other' })
})

test('a bulk write whose relation filter comes to nothing is refused (semantics 23)', async () => {
  const wf = workflow('all')
    .node('changed', () => Post.bulkUpdate({ where: { title: 'nothing' }, set: { title: 'x' } }))
    .node('deleted', ({ changed }) => Author.bulkDelete({ where: { posts: { $none: { id: { $in: changed.ids } } } } }))
  expect(await failureOf(db.execute(wf))).toMatchObject({ code: 'BAD_FILTER', node: 'deleted' })
})
