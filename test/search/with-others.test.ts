// Text search beside what else a model can be: softly deleted, append-only, in a workflow, in a transaction.
import { expect, test } from 'vitest'
import { model, t, workflow } from '../../src/index.js'
import { begin } from '../semantics/support.js'
import { localDatabase } from '../support/local.js'
import { expectInStep, opened } from './support.js'

const ids = (found: readonly { id: string }[]) => found.map(({ id }) => id)

test('softDelete: a deleted row is not found, unless withDeleted', async () => {
  const Post = model(
    'Post',
    { id: t.id(), title: t.text(), deletedAt: t.date().nullable() },
    { search: ['title'], softDelete: true },
  )
  const other = opened()
  const db = localDatabase({ posts: Post }, { parts: other.parts })
  const { posts } = db.tables
  await posts.bulkCreate([
    { id: 'a', title: 'tea' },
    { id: 'b', title: 'green tea' },
  ])
  await posts.delete('a')
  for (const rank of [true, false]) {
    expect(ids(await posts.search('tea', { rank }))).toEqual(['b'])
    expect(ids(await posts.search('tea', { rank, withDeleted: true })).sort()).toEqual(['a', 'b'])
    expect(ids(await posts.search('tea', { rank, where: { id: 'a' } }))).toEqual([])
  }
  await posts.restore('a')
  expect(ids(await posts.search('tea'))).toEqual(['a', 'b'])
  await posts.delete('a')
  await posts.purge('a')
  expect(ids(await posts.search('tea', { withDeleted: true }))).toEqual(['b'])
  expectInStep(other.sqlite)
  await db.close()
})

test('appendOnly', async () => {
  const Event = model('Event', { id: t.id(), text: t.text() }, { search: ['text'], appendOnly: true })
  const db = localDatabase({ events: Event })
  await db.tables.events.create({ id: 'a', text: 'something happened' })
  expect(ids(await db.tables.events.search('happ*'))).toEqual(['a'])
  await db.close()
})

const Post = model('Post', { id: t.id(), title: t.text(), views: t.integer().default(0) }, { search: ['title'] })

test('a workflow goes on with what was found', async () => {
  const db = localDatabase({ posts: Post })
  await db.tables.posts.bulkCreate([
    { id: 'a', title: 'tea' },
    { id: 'b', title: 'green tea with milk' },
    { id: 'c', title: 'coffee' },
  ])
  const wf = workflow('views')
    .node('found', () => Post.search('tea', { rank: true, highlight: true }))
    .node('best', ({ found }) => Post.update(found.at(0).id, { views: 10 }))
    .forEach(
      'seen',
      ({ found }) => found,
      ({ item }) => Post.update(item.id, { views: { $inc: 1 } }),
    )
  const { found, best } = await db.execute(wf, undefined)
  expect(found.map(({ id, $highlight }) => [id, $highlight.title[0]!.text])).toEqual([
    ['a', 'tea'],
    ['b', 'green '],
  ])
  expect(best.id).toBe('a')
  expect((await db.tables.posts.list()).map(({ views }) => views)).toEqual([11, 1, 0])
  await db.close()
})

test('a transaction finds what it has written, and nobody what it took back', async () => {
  const models = { posts: Post }
  const db = localDatabase(models)
  await db.tables.posts.count()
  const tx = await begin(db, models)
  await tx.run(Post.bulkCreate(Array.from({ length: 30 }, (_, i) => ({ title: `tea ${i}` }))))
  await tx.run(Post.create({ id: 'x', title: 'coffee' }))
  expect((await tx.run(Post.search('tea'))).length).toBe(30)
  expect(ids(await tx.run(Post.search('coffee')))).toEqual(['x'])
  await tx.rollback()
  expect(await db.tables.posts.search('tea OR coffee')).toEqual([])
  await db.tables.posts.create({ id: 'y', title: 'tea' })
  expect(ids(await db.tables.posts.search('tea'))).toEqual(['y'])
  await db.close()
})
