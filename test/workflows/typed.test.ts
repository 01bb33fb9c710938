// Typed workflows: what each kind of node gives, in what order, with which references.
import { expect, test } from 'vitest'
import { DataFlowError, model, sql, t, workflow, type Row } from '../../src/index.js'
import { localDatabase } from '../support/local.js'

const User = model('User', {
  id: t.id(),
  email: t.text().unique(),
  name: t.text({ max: 20 }),
  age: t.integer().nullable(),
  settings: t.json<{ theme: string }>().default({ theme: 'dark' }),
  born: t.date({ as: 'seconds' }).nullable(),
  balance: t.bigint().default(0n),
  createdAt: t.createdAt(),
})
const Post = model('Post', {
  id: t.id(),
  authorId: t.ref('User', { onDelete: 'cascade' }),
  title: t.text(),
  likes: t.integer().default(0),
  due: t.date().nullable(),
  total: t.bigint().default(0n),
})
const models = { users: User, posts: Post }
const open = () => localDatabase(models)

const signup = workflow<{ email: string; name: string }>('signup')
  .node('user', ({ input }) => User.create({ email: input.email, name: input.name }))
  .node('post', ({ user }) => Post.create({ authorId: user.id, title: 'Welcome' }))
  .node('posts', ({ user }) => Post.count({ authorId: user.id }))

test('Later nodes use what earlier ones give; the results are typed', async () => {
  const db = open()
  const { user, post, posts } = await db.execute(signup, { email: 'a@x', name: 'Ada' })
  const typed: [Row<typeof User>, Row<typeof Post>, number] = [user, post, posts]
  expect(typed[1].authorId).toBe(user.id)
  expect(posts).toBe(1)
  expect(await db.tables.posts.read(post.id)).toEqual(post)
  expect(await db.tables.users.read(user.id)).toEqual(user)
})

test('The same value executed twice makes two rows each (semantics 17)', async () => {
  const db = open()
  const first = await db.execute(signup, { email: 'a@x', name: 'Ada' })
  const second = await db.execute(signup, { email: 'b@x', name: 'Bob' })
  expect(second.user.id).not.toBe(first.user.id)
  expect(await db.tables.posts.count()).toBe(2)
})

test('One statement for each node, in one transaction', async () => {
  const db = open()
  await db.execute(signup, { email: 'a@x', name: 'Ada' })
  const counted = await db.count(() => db.execute(signup, { email: 'b@x', name: 'Bob' }))
  expect(counted.executed).toBe(3)
  expect(counted.control).toBe(2)
})

test('All or nothing: a node that fails says which it is', async () => {
  const db = open()
  await db.tables.users.create({ email: 'a@x', name: 'Ada' })
  const twice = workflow('twice')
    .node('first', () => User.create({ email: 'b@x', name: 'B' }))
    .node('again', () => User.create({ email: 'a@x', name: 'A' }))
  const error = await db.execute(twice).catch((e: unknown) => e)
  expect(error).toMatchObject({ code: 'UNIQUE', model: 'User', op: 'create', node: 'again', fields: ['email'] })
  expect(await db.tables.users.count()).toBe(1)
  expect(db.events.filter(event => event.type === 'change')).toHaveLength(1)
})

test('A reference cannot be used as a value', () => {
  expect(() =>
    workflow<{ name: string }>('x').node('a', ({ input }) => User.create({ email: `${input.name}@x`, name: 'x' })),
  ).toThrow(expect.objectContaining({ code: 'BAD_WORKFLOW' }))
  expect(() => workflow<{ n: number }>('x').node('a', ({ input }) => User.count({ age: Number(input.n) }))).toThrow(
    expect.objectContaining({ code: 'BAD_WORKFLOW' }),
  )
})

test('Values cross kinds of fields exactly: dates, bigints, JSON', async () => {
  const db = open()
  const wf = workflow<{ at: Date }>('kinds')
    .node('user', ({ input }) =>
      User.create({ email: 'a@x', name: 'Ada', born: input.at, balance: 2n ** 60n, settings: { theme: 'light' } }),
    )
    .node('post', ({ user }) =>
      Post.create({ authorId: user.id, title: user.settings.theme, due: user.born, total: user.balance }),
    )
    .node('found', ({ user }) =>
      Post.list({ where: { due: { $lte: user.createdAt }, total: { $in: [user.balance] } } }),
    )
  const at = new Date(1_700_000_000_000)
  const { user, post, found } = await db.execute(wf, { at })
  expect(user.born).toEqual(at)
  expect(post).toMatchObject({ title: 'light', due: at, total: 2n ** 60n })
  expect(found).toEqual([post])
})

test('when: a node that does not run gives null, and later ones see null', async () => {
  const db = open()
  const wf = workflow<{ email: string }>('when')
    .node('found', ({ input }) => User.first({ where: { email: input.email } }))
    .node('made', ({ input }) => User.create({ email: input.email, name: 'New' }), {
      when: ({ found }) => sql<boolean>`${found.id} is null`,
    })
    .node('again', ({ found }) => User.update(found.id as never, { name: 'Again' }), { when: ({ found }) => found })
  const first = await db.execute(wf, { email: 'a@x' })
  expect(first).toMatchObject({ found: null, made: { name: 'New' }, again: null })
  const second = await db.execute(wf, { email: 'a@x' })
  expect(second).toMatchObject({ found: { name: 'New' }, made: null, again: { name: 'Again' } })
})

test('forEach over a result and over a list of the input', async () => {
  const db = open()
  const wf = workflow<{ people: { email: string; name: string }[] }>('each')
    .forEach(
      'users',
      ({ input }) => input.people,
      ({ item }) => User.create({ email: item.email, name: item.name }),
    )
    .node('all', () => User.list({ orderBy: { email: 'asc' } }))
    .forEach(
      'posts',
      ({ all }) => all,
      ({ item }) => Post.create({ authorId: item.id, title: item.name }),
    )
    .node('first', ({ posts, all }) => Post.update(posts.at(0).id, { likes: all.length }))
    .node('made', ({ users }) => Post.count({ authorId: users.at(1).id }))
  const { users, posts, first, made } = await db.execute(wf, {
    people: [
      { email: 'a@x', name: 'A' },
      { email: 'b@x', name: 'B' },
    ],
  })
  expect(posts.map(post => post.authorId)).toEqual(users.map(user => user.id))
  expect(first).toMatchObject({ id: posts[0]!.id, likes: 2 })
  expect(made).toBe(1)
})

test("onError: 'skip' takes back what the node did, and gives the error", async () => {
  const db = open()
  const wf = workflow<{ emails: string[] }>('skip')
    .forEach(
      'users',
      ({ input }) => input.emails,
      ({ item }) => User.create({ email: item, name: 'x' }),
      {
        onError: 'skip',
      },
    )
    .node(
      'bulk',
      () =>
        User.bulkCreate([
          { email: 'c@x', name: 'c' },
          { email: 'a@x', name: 'a' },
        ]),
      { onError: 'skip' },
    )
    .node('count', () => User.count())
  const { users, bulk, count } = await db.execute(wf, { emails: ['a@x', 'a@x', 'b@x'] })
  expect(count).toBe(2)
  expect(users.map(user => DataFlowError.is(user, 'UNIQUE'))).toEqual([false, true, false])
  expect(bulk).toMatchObject({ code: 'UNIQUE', node: 'bulk', op: 'bulkCreate' })
  const changed = db.events.filter(event => event.type === 'change')
  expect(changed).toMatchObject([{ detail: { ids: { length: 2 } } }])
})

test('A workflow in a workflow, with a condition of its own, for each item', async () => {
  const db = open()
  const welcome = workflow<{ userId: string; title: string }>('welcome')
    .node('post', ({ input }) => Post.create({ authorId: input.userId, title: input.title }))
    .node('liked', ({ post }) => Post.update(post.id, { likes: { $inc: 3 } }))
  const wf = workflow<{ wanted: boolean }>('outer')
    .node('user', () => User.create({ email: 'a@x', name: 'Ada' }))
    .workflow('greeting', welcome, ({ user }) => ({ userId: user.id, title: 'Hi' }), {
      when: ({ input }) => input.wanted,
    })
    .workflow('sure', welcome, ({ user }) => ({ userId: user.id, title: user.name }))
    .node('likes', ({ sure }) => Post.list({ where: { likes: sure.liked.likes, id: sure.post.id } }))
  const { greeting, sure, likes } = await db.execute(wf, { wanted: false })
  expect(greeting).toBeNull()
  expect(sure).toMatchObject({ post: { title: 'Ada', likes: 0 }, liked: { likes: 3 } })
  expect(likes).toHaveLength(1)
  expect(await db.execute(wf, { wanted: true }).catch(e => e)).toMatchObject({ code: 'UNIQUE', node: 'user' })
})

test('sql nodes give rows, take references of any type, and can be referred to', async () => {
  const db = open()
  const wf = workflow('sql')
    .node('user', () => User.create({ email: 'a@x', name: 'Ada', balance: 2n ** 62n }))
    .node(
      'rows',
      ({ user }) =>
        sql<{ email: string; same: number; kind: string }>`
        select email, ${user.balance} = balance as same, typeof(${user.balance}) as kind, ${user.age} is null as gone
        from users where id = ${user.id} and ${user.createdAt} = "createdAt"`,
    )
    .node('found', ({ rows }) => User.list({ where: { email: rows.at(0).email } }))
    .node('raised', ({ user }) => sql`update users set age = 7 where id = ${user.id} returning age`)
  const { rows, found, raised } = await db.execute(wf)
  expect(rows).toEqual([{ email: 'a@x', same: 1, kind: 'integer', gone: 1 }])
  expect(found).toHaveLength(1)
  expect(raised).toEqual([{ age: 7 }])
})

test('References that do not fit are refused before anything is sent', async () => {
  const db = open()
  const wrong = [
    workflow('a')
      .node('u', () => User.list())
      .node('p', ({ u }) => Post.create({ authorId: 'x', title: u as never })),
    workflow('b')
      .node('u', () => User.create({ email: 'a', name: 'a' }))
      .node('p', ({ u }) => Post.count({ likes: u.name as never })),
    workflow('c')
      .node('u', () => User.create({ email: 'a', name: 'a' }))
      .node('p', ({ u }) => Post.count({ title: (u as any).nmae })),
    workflow('d')
      .node('u', () => User.page({ limit: 1 }))
      .node('p', ({ u }) => Post.count({ title: u.next as never })),
  ]
  for (const wf of wrong) {
    await expect(db.execute(wf as never)).rejects.toMatchObject({ code: 'BAD_WORKFLOW', node: 'p' })
  }
  await expect(db.run(Post.count({ title: workflow('x') as never }))).rejects.toMatchObject({ code: 'VALIDATION' })
})

test('An empty filter behind its references is BAD_FILTER on a bulk write (semantics 23)', async () => {
  const db = open()
  await db.tables.users.create({ email: 'a@x', name: 'Ada' })
  const wf = workflow('empty')
    .node('bulk', () => User.bulkCreate([]))
    .node('gone', ({ bulk }) => User.bulkDelete({ where: { id: { $nin: bulk.ids } } }))
  await expect(db.execute(wf)).rejects.toMatchObject({ code: 'BAD_FILTER', node: 'gone' })
  expect(await db.tables.users.count()).toBe(1)
})
