// Workflows of a scope: every node is bound, also in one that comes from a file.
import { beforeEach, expect, test } from 'vitest'
import { sql, workflow, WorkflowBuilder } from '../../src/index.js'
import { dump, failure, Post, tenants, User } from './support.js'

let { db, a, b } = tenants()
beforeEach(async () => {
  ;({ db, a, b } = tenants())
  await b.tables.users.create({ id: 'b1', email: 'b@x' })
})

const signup = workflow<{ email: string; tenantId: string }>('signup')
  .node('user', ({ input }) => User.create({ email: input.email, tenantId: input.tenantId }))
  .node('post', ({ user }) => Post.create({ tenantId: user.tenantId, authorId: user.id, title: 'hello' }))
  .node('count', () => User.count())

test('a typed one, with references from node to node', async () => {
  const { user, post, count } = await a.execute(signup, { email: 'a@x', tenantId: 'a' })
  expect([user.tenantId, post.authorId === user.id, count]).toEqual(['a', true, 1])
  const before = await dump(db)
  expect(await failure(a.execute(signup, { email: 'new@x', tenantId: 'b' }))).toMatchObject({
    code: 'READONLY',
    fields: ['tenantId'],
  })
  expect(await dump(db)).toEqual(before)
})

test('the field may be left out, as in any create of a scope', async () => {
  const short = workflow('short').node('user', () => User.create({ email: 'a@x' } as never))
  expect((await a.execute(short)).user).toMatchObject({ tenantId: 'a' })
})

test('a value that is known only when it runs is held against the scope then', async () => {
  const foreign = workflow<{ authorId: string }>('foreign')
    .node('user', () => User.create({ id: 'a1', email: 'a@x', tenantId: 'a' }))
    .node('post', ({ input }) => Post.create({ authorId: input.authorId, title: 'x', tenantId: 'a' }))
    .node('gone', ({ input }) => User.delete(input.authorId))
  expect(await failure(a.execute(foreign, { authorId: 'b1' }))).toMatchObject({ code: 'FOREIGN_KEY' })
  expect(await a.tables.users.count()).toBe(0)
  expect(await a.execute(foreign, { authorId: 'a1' })).toMatchObject({ gone: true })
})

test('SQL is refused: as a node, as a condition, in a filter', async () => {
  const refused = { code: 'READONLY' }
  expect(await failure(a.execute(workflow('w').node('n', () => sql`select * from users`)))).toMatchObject(refused)
  const when = workflow('w').node('n', () => User.count(), { when: () => sql<boolean>`exists (select 1 from users)` })
  expect(await failure(a.execute(when))).toMatchObject(refused)
  const filter = workflow('w').node('n', () => User.list({ where: { $sql: sql<boolean>`1` } }))
  expect(await failure(a.execute(filter))).toMatchObject(refused)
  const wire = {
    op: 'workflow' as const,
    name: 'w',
    steps: [
      {
        node: 'n',
        slot: 0,
        kept: false,
        skip: false,
        run: { op: 'sql' as const, sql: 'select * from users', params: [] },
      },
    ],
  }
  expect(await failure(db.send(wire, { tenantId: 'a' }))).toMatchObject(refused)
  expect(await db.send(wire)).toHaveLength(1)
})

test('one that was built, sent as JSON, is bound as well', async () => {
  const built = new WorkflowBuilder(db as never)
    .addNode('UserUpsertNode' as never, 'user', {
      where: { id: 'b1' },
      create: { id: 'b1', tenantId: 'a', email: 'mine@x' },
      update: { name: 'mine' },
    } as never)
    .build()
  const before = await dump(db)
  expect(await failure(a.execute(JSON.parse(JSON.stringify(built))))).toMatchObject({ code: 'UNIQUE' })
  const list = new WorkflowBuilder(db as never).addNode('UserListNode' as never, 'users', {} as never).build()
  expect((await a.execute(JSON.parse(JSON.stringify(list)))).results.users).toMatchObject({ records: [], count: 0 })
  expect((await b.execute(JSON.parse(JSON.stringify(list)))).results.users).toMatchObject({ count: 1 })
  expect(await dump(db)).toEqual(before)
})
