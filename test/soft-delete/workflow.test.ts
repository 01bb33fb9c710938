// softDelete, appendOnly and CONFLICT's row inside of workflows.
import { expect, test } from 'vitest'
import { model, t, workflow, WorkflowBuilder } from '../../src/index.js'
import { localDatabase } from '../support/local.js'

const User = model(
  'User',
  { id: t.id(), email: t.text().unique(), version: t.version(), deletedAt: t.date().nullable() },
  { softDelete: true },
)
const Post = model('Post', { id: t.autoId(), authorId: t.ref('User') })
const Entry = model('Entry', { id: t.autoId(), text: t.text(), at: t.createdAt() }, { appendOnly: true })
const models = { users: User, posts: Post, entries: Entry }

test('rows are deleted, seen, restored and purged; later nodes refer to what that gave', async () => {
  const db = localDatabase(models)
  const flow = workflow<{ email: string }>('life')
    .node('user', ({ input }) => User.create({ email: input.email }))
    .node('deleted', ({ user }) => User.delete(user.id))
    .node('there', () => User.count())
    .node('all', () => User.list({ withDeleted: true }))
    .node('back', ({ user }) => User.restore(user.id))
    .node('post', ({ back }) => Post.create({ authorId: back.id }))
    .node('bulk', ({ post }) => Post.delete(post.id))
    .node('gone', () => User.bulkDelete({ all: true }))
    .node('purged', ({ gone }) => User.purge(gone.ids.at(0)))
  const result = await db.execute(flow, { email: 'a' })
  expect(result).toMatchObject({ deleted: true, there: 0, gone: { count: 1 }, purged: true })
  expect(result.all).toEqual([{ ...result.user, version: 2, deletedAt: expect.any(Date) }])
  expect(result.back).toEqual({ ...result.user, version: 3 })
  expect(await db.tables.users.count({}, { withDeleted: true })).toBe(0)
})

test('a deletion that is refused takes the workflow back; the tables that it asks are made first', async () => {
  const db = localDatabase(models)
  const alone = workflow('alone')
    .node('user', () => User.create({ id: 'a', email: 'a' }))
    .node('deleted', ({ user }) => User.delete(user.id))
  expect((await db.execute(alone)).deleted).toBe(true)
  const refused = workflow('refused')
    .node('user', () => User.create({ id: 'b', email: 'b' }))
    .node('post', ({ user }) => Post.create({ authorId: user.id }))
    .node('deleted', ({ user }) => User.delete(user.id))
  await expect(db.execute(refused)).rejects.toMatchObject({ code: 'FOREIGN_KEY', model: 'User', node: 'deleted' })
  expect(await db.tables.posts.count()).toBe(0)
})

test('a CONFLICT carries the row, also as the result of a node that is skipped', async () => {
  const db = localDatabase(models)
  const now = await db.tables.users.create({ id: 'a', email: 'a' })
  const strict = workflow('strict').node('late', () => User.update('a', { email: 'b' }, { version: 7 }))
  await expect(db.execute(strict)).rejects.toMatchObject({ code: 'CONFLICT', node: 'late', current: now })
  const lenient = workflow('lenient').node('late', () => User.delete('a', { version: 7 }), { onError: 'skip' })
  const { late } = await db.execute(lenient)
  expect(late).toMatchObject({ code: 'CONFLICT' })
  expect((late as { current?: unknown }).current).toEqual(now)
})

test('built of nodes: delete hides, an upsert makes a new row and says so', async () => {
  const db = localDatabase(models)
  const flow = new WorkflowBuilder()
    .addNode('UserCreateNode', 'first', { id: 'a', email: 'a' })
    .addNode('UserDeleteNode', 'gone', {})
    .addNode('UserUpsertNode', 'second', { where: { email: 'a' }, create: { id: 'b' } })
    .addNode('UserListNode', 'rows', {})
    .addConnection('first', 'id', 'gone', 'id')
    .build()
  const { results } = await db.execute(JSON.parse(JSON.stringify(flow)))
  expect(results).toMatchObject({
    gone: { deleted: true },
    second: { created: true, record: { id: 'b' } },
    rows: { count: 1 },
  })
})

test('built of nodes: reading what is deleted, deleting a version', async () => {
  const db = localDatabase(models)
  await db.batch([User.create({ id: 'a', email: 'a' }), User.create({ id: 'b', email: 'b' }), User.delete('a')])
  const flow = new WorkflowBuilder()
    .addNode('UserReadNode', 'hidden', { id: 'a' })
    .addNode('UserReadNode', 'seen', { id: 'a', select: ['email'], withDeleted: true })
    .addNode('UserListNode', 'all', { filter: { email: 'a' }, withDeleted: true })
    .addNode('UserCountNode', 'count', { withDeleted: true })
    .build()
  const { results } = await db.execute(flow)
  expect(results).toMatchObject({
    hidden: { found: false },
    seen: { found: true, email: 'a' },
    all: { count: 1 },
    count: { count: 2 },
  })
  const late = new WorkflowBuilder().addNode('UserDeleteNode', 'late', { id: 'b', version: 9 }).build()
  await expect(db.execute(late)).rejects.toMatchObject({ code: 'CONFLICT', node: 'late', current: { id: 'b' } })
  const wrong = new WorkflowBuilder().addNode('PostCountNode', 'count', { withDeleted: true }).build()
  await expect(db.execute(wrong)).rejects.toMatchObject({ code: 'BAD_WORKFLOW', node: 'count' })
})

test('appendOnly is held', async () => {
  const db = localDatabase(models)
  const flow = new WorkflowBuilder()
    .addNode('EntryCreateNode', 'entry', { text: 'a' })
    .addNode('EntryUpdateNode', 'change', { id: 1, fields: { text: 'b' } })
    .build()
  await expect(db.execute(flow)).rejects.toMatchObject({ code: 'READONLY', model: 'Entry', node: 'change' })
  expect(await db.tables.entries.count()).toBe(0)
})
