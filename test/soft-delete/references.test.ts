// softDelete: what refers to a row that is deleted softly, restored or purged.
import { describe, expect, test } from 'vitest'
import { model, t } from '../../src/index.js'
import { useOrigin } from '../whole/support.js'
import { freshName, localDatabase } from '../support/local.js'
import { release } from '../migrations/support.js'

const deletedAt = t.date().nullable()
const User = model('User', { id: t.id(), deletedAt }, { softDelete: true })
const Post = model('Post', { id: t.autoId(), authorId: t.ref('User', { onDelete: 'restrict' }) })
const Note = model('Note', { id: t.autoId(), userId: t.ref('User').nullable(), deletedAt }, { softDelete: true })
const Like = model('Like', { id: t.autoId(), userId: t.ref('User', { onDelete: 'cascade' }) })
const Mark = model('Mark', { id: t.autoId(), userId: t.ref('User', { onDelete: 'set null' }).nullable() })
const models = { users: User, posts: Post, notes: Note, likes: Like, marks: Mark }

const refused = (model: string) => ({
  code: 'FOREIGN_KEY',
  model: 'User',
  message: expect.stringContaining(`rows of ${model} still refer to it`),
  hint: expect.stringContaining(model),
})

async function users() {
  const db = localDatabase(models)
  await db.tables.users.bulkCreate([{ id: 'a' }, { id: 'b' }, { id: 'c' }])
  return db
}

test.each(['restrict', 'no action'])('rows that refer with %s keep it', async kind => {
  const db = await users()
  const { tables } = db
  const create = kind === 'restrict' ? Post.create({ authorId: 'b' }) : Note.create({ userId: 'b' })
  const { id } = (await db.run(create)) as { id: number }
  const error = refused(kind === 'restrict' ? 'Post' : 'Note')
  await expect(tables.users.delete('b')).rejects.toMatchObject({ ...error, op: 'delete' })
  await expect(tables.users.bulkDelete({ all: true })).rejects.toMatchObject({ ...error, op: 'bulkDelete' })
  expect(await tables.users.count()).toBe(3)
  expect(await tables.users.delete('a')).toBe(true)
  await db.run(kind === 'restrict' ? Post.delete(id) : Note.delete(id))
  expect(await tables.users.delete('b')).toBe(true)
})

test('cascade and set null: what refers is left alone', async () => {
  const { tables } = await users()
  const like = await tables.likes.create({ userId: 'a' })
  const mark = await tables.marks.create({ userId: 'a' })
  expect(await tables.users.delete('a')).toBe(true)
  expect(await tables.likes.list()).toEqual([like])
  expect(await tables.marks.list()).toEqual([mark])
})

test('purge is SQLite’s own delete: references act as they are declared, deleted rows count', async () => {
  const db = await users()
  const { tables } = db
  await tables.likes.create({ userId: 'a' })
  await tables.marks.create({ userId: 'a' })
  const note = await tables.notes.create({ userId: 'a' })
  await tables.notes.delete(note.id)
  await tables.users.bulkDelete({ all: true })
  await expect(tables.users.purge('a')).rejects.toMatchObject({ code: 'FOREIGN_KEY', op: 'purge' })
  await expect(tables.users.bulkPurge({ all: true })).rejects.toMatchObject({ code: 'FOREIGN_KEY', op: 'bulkPurge' })
  await tables.notes.purge(note.id)
  db.events.length = 0
  expect(await tables.users.purge('a')).toBe(true)
  expect(await tables.likes.list()).toEqual([])
  expect(await tables.marks.list()).toEqual([{ id: 1, userId: null }])
  const changed = db.events.flatMap(event => (event.type === 'change' ? [event.detail] : []))
  expect(changed).toEqual(expect.arrayContaining([{ model: 'User', ids: ['a'], origin: 'local' }]))
  expect(changed.map(event => event.model).sort()).toEqual(['Like', 'Mark', 'User'])
})

test('a deleted row can be referred to, and does not bring back or take along what refers to it', async () => {
  const { tables } = await users()
  await tables.users.delete('a')
  const post = await tables.posts.create({ authorId: 'a' })
  expect(await tables.posts.update(post.id, { authorId: 'a' })).toEqual(post)
  await expect(tables.posts.create({ authorId: 'nobody' })).rejects.toMatchObject({ code: 'FOREIGN_KEY' })
  expect(await tables.users.restore('a')).toEqual({ id: 'a', deletedAt: null })
  await expect(tables.users.delete('a')).rejects.toMatchObject(refused('Post'))
})

test('one statement more for each reference that restricts, none without', async () => {
  const db = await users()
  await db.tables.users.delete('a')
  // The update, and Post's and Note's rows.
  expect((await db.count(() => db.tables.users.delete('b'))).executed).toBe(3)
  expect((await db.count(() => db.tables.users.delete('b'))).executed).toBe(1)
  expect((await db.count(() => db.tables.users.bulkDelete({ all: true }))).executed).toBe(3)
  expect((await db.count(() => db.tables.notes.bulkDelete({ all: true }))).executed).toBe(1)
})

test('two references of one model are one statement', async () => {
  const Pair = model('Pair', { id: t.autoId(), one: t.ref('User').nullable(), two: t.ref('User').nullable() })
  const db = localDatabase({ users: User, pairs: Pair })
  await db.tables.users.bulkCreate([{ id: 'a' }, { id: 'b' }, { id: 'c' }])
  await db.tables.pairs.bulkCreate([{ one: 'a' }, { two: 'b' }])
  for (const id of ['a', 'b']) await expect(db.tables.users.delete(id)).rejects.toMatchObject(refused('Pair'))
  expect((await db.count(() => db.tables.users.delete('c'))).executed).toBe(2)
})

test('tables that were never used are made before they are asked', async () => {
  const name = freshName()
  const first = localDatabase({ users: User }, { name, storage: 'indexeddb' })
  await first.tables.users.create({ id: 'a' })
  await first.close()
  const db = localDatabase(models, { name, storage: 'indexeddb' })
  expect(await db.tables.users.delete('a')).toBe(true)
  await db.close()
})

test("autoMigrate 'warn': a table that has no such reference yet restricts nothing", async () => {
  const name = freshName()
  const Early = model('Note', { id: t.autoId() })
  const first = localDatabase({ users: User, notes: Early }, { name, storage: 'indexeddb' })
  await first.tables.users.create({ id: 'a' })
  await first.tables.notes.create({})
  await first.close()
  const db = localDatabase({ users: User, notes: Note }, { name, storage: 'indexeddb', autoMigrate: 'warn' })
  expect(await db.tables.users.delete('a')).toBe(true)
  await db.close()
})

test('in a batch and in one tick', async () => {
  const db = await users()
  const { tables } = db
  await expect(db.batch([User.delete('a'), Post.create({ authorId: 'b' }), User.delete('b')])).rejects.toMatchObject(
    refused('Post'),
  )
  expect(await tables.users.count()).toBe(3)
  expect(await tables.posts.count()).toBe(0)
  const settled = await db.tick([Post.create({ authorId: 'b' }), User.delete('a'), User.delete('b'), User.delete('c')])
  expect(settled.map(item => item.status)).toEqual(['fulfilled', 'fulfilled', 'rejected', 'fulfilled'])
  expect(await tables.users.list({ select: ['id'] })).toEqual([{ id: 'b' }])
})

describe('rows that refer to rows of their own model', () => {
  const Tree = model(
    'Tree',
    { id: t.bigint().primaryKey(), parentId: t.ref('Tree').$type<bigint>().nullable(), deletedAt },
    { softDelete: true },
  )
  const huge = 2n ** 60n

  test('a parent stays while its child is there; both go at once; a row keeps not itself', async () => {
    const { tables } = localDatabase({ trees: Tree })
    await tables.trees.bulkCreate([{ id: huge }, { id: huge + 1n, parentId: huge }, { id: 3n, parentId: 3n }])
    await expect(tables.trees.delete(huge)).rejects.toMatchObject({ code: 'FOREIGN_KEY', model: 'Tree' })
    await expect(tables.trees.bulkDelete({ where: { id: huge } })).rejects.toMatchObject({ code: 'FOREIGN_KEY' })
    expect(await tables.trees.delete(3n)).toBe(true)
    expect(await tables.trees.bulkDelete({ where: { id: { $gte: huge } } })).toMatchObject({ count: 2 })
    expect(await tables.trees.count()).toBe(0)
  })

  test('many rows', async () => {
    const { tables } = localDatabase({ trees: Tree })
    const ids = Array.from({ length: 1000 }, (_, i) => huge + BigInt(i))
    await tables.trees.bulkCreate(ids.map((id, i) => ({ id, parentId: i === 0 ? null : ids[i - 1]! })))
    const allBut = ids.at(-1)!
    await expect(tables.trees.bulkDelete({ where: { id: { $lt: allBut } } })).rejects.toMatchObject({
      code: 'FOREIGN_KEY',
    })
    expect(await tables.trees.count()).toBe(1000)
    expect((await tables.trees.bulkDelete({ all: true })).count).toBe(1000)
  })
})

describe('in a transaction', () => {
  useOrigin()

  test('a refused deletion leaves the transaction as it was', async () => {
    const db: any = release({ users: User, posts: Post, notes: Note, likes: Like, marks: Mark })
    await db.transaction(async (tx: any) => {
      await tx.users.bulkCreate([{ id: 'a' }, { id: 'b' }])
      await tx.posts.create({ authorId: 'a' })
      await tx.users.delete('a').then(
        () => expect.unreachable(),
        (error: unknown) => expect(error).toMatchObject(refused('Post')),
      )
      await tx.users.delete('b')
    })
    expect(await db.users.list()).toEqual([{ id: 'a', deletedAt: null }])
    await db.close()
  })
})
