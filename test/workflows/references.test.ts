// References at the edges: lists, nulls, bytes and wide numbers, in SQL, in places that take none; and who failed.
import { expect, test } from 'vitest'
import { DataFlowError, model, sql, t, workflow, WorkflowBuilder, type Workflow } from '../../src/index.js'
import { localDatabase, unwrap } from '../support/local.js'

const User = model('User', {
  id: t.id(),
  email: t.text().unique(),
  name: t.text(),
  role: t.enum(['admin', 'member']).default('member'),
  settings: t.json<any>().nullable(),
  balance: t.bigint().default(0n),
  file: t.blob().nullable(),
  seen: t.date().nullable(),
})
const Post = model('Post', {
  id: t.id(),
  authorId: t.ref('User', { onDelete: 'cascade' }),
  title: t.text(),
  likes: t.integer().default(0),
  total: t.bigint().default(0n),
})
const open = () => localDatabase({ users: User, posts: Post })
async function seeded() {
  const db = open()
  await db.tables.users.create({ id: 'u', email: 'a@x', name: 'Ada', balance: 5n, settings: { text: 'abc' } })
  return db
}

test('bulkCreate gives the ids that its references stood for, and those made in the worker', async () => {
  const db = await seeded()
  const wf = workflow('ids')
    .node('names', () => sql<{ a: string; b: string }>`select 'p1' as a, 'p2' as b`)
    .node('given', ({ names }) =>
      Post.bulkCreate([
        { id: names.at(0).a, authorId: 'u', title: 'x' },
        { id: names.at(0).b, authorId: 'u', title: 'x' },
        { id: 'p3', authorId: 'u', title: 'x' },
      ]),
    )
    .node('users', () => User.list())
    .forEach(
      'made',
      ({ users }) => users,
      ({ item }) => Post.bulkCreate([{ authorId: item.id, title: 'made' }]),
    )
  const { given, made } = await db.execute(wf)
  expect(given.ids).toEqual(['p1', 'p2', 'p3'])
  const [post] = await db.tables.posts.list({ where: { title: 'made' } })
  expect(made.map(({ ids }) => ids)).toEqual([[post!.id]])
})

test('A condition may look at any table: all are there before it runs (semantics 2)', async () => {
  const wf = workflow('when').node('n', () => User.count(), {
    when: () => sql<boolean>`not exists (select 1 from posts)`,
  })
  expect(await open().execute(wf)).toEqual({ n: 0 })
})

test('Lists and rows stand in SQL as JSON: bigints exact, dates as epoch milliseconds', async () => {
  const db = await seeded()
  await db.tables.users.update('u', { balance: 2n ** 62n, seen: new Date(1234) })
  const wf = workflow('json')
    .node('users', () => User.list())
    .node(
      'read',
      ({ users }) => sql<{ big: bigint; seen: number; none: null }>`
        select json_extract(value, '$.balance') as big, json_extract(value, '$.seen') as seen,
          json_extract(value, '$.file') as none from json_each(${users})`,
    )
  expect((await db.execute(wf)).read).toEqual([{ big: 2n ** 62n, seen: 1234, none: null }])
})

test('What SQL cannot hold is VALIDATION there, as it is in the sql tag, and without its value', async () => {
  const db = await seeded()
  const wf = workflow<{ value: unknown }>('unfit').node('q', ({ input }) => sql`select ${input.value} as v`)
  let deep: unknown = 1
  for (let i = 0; i < 5000; i++) deep = [deep]
  for (const value of ['a\ud800b', NaN, new Date(NaN), 2n ** 70n, () => 7, new Map(), new Uint8Array(1), deep]) {
    await expect(db.execute(wf, { value })).rejects.toMatchObject({ code: 'VALIDATION', node: 'q' })
  }
  await expect(db.execute(wf, { value: undefined })).rejects.toMatchObject({ code: 'BAD_WORKFLOW', node: 'q' })
  expect((await db.execute(wf, { value: 'a\0b' })).q).toEqual([{ v: 'a\0b' }])
  await db.tables.users.update('u', { file: new Uint8Array(1) })
  const bytes = workflow('bytes')
    .node('user', () => User.readOrThrow('u'))
    .node('q', ({ user }) => sql`select ${user.file}`)
  await expect(db.execute(bytes)).rejects.toMatchObject({ code: 'VALIDATION', node: 'q' })
})

test('A small number that raw SQL gives of a bigint is one', async () => {
  const db = await seeded()
  const wf = workflow('small')
    .node('rows', () => sql<{ balance: bigint }>`select balance from users`)
    .node('post', ({ rows }) => Post.create({ authorId: 'u', title: 'x', total: rows.at(0).balance }))
    .node('same', ({ rows }) => Post.count({ total: { $in: [rows.at(0).balance, 7n] } }))
  expect(await db.execute(wf)).toMatchObject({ post: { total: 5n }, same: 1 })
})

test('The parts of a text that operators look for need not be one of the values of an enum', async () => {
  const db = await seeded()
  await db.tables.users.update('u', { name: 'mem' })
  const wf = workflow('part')
    .node('user', () => User.readOrThrow('u'))
    .node('same', ({ user }) => User.count({ role: { $startsWith: user.name } }))
  expect((await db.execute(wf)).same).toBe(1)
})

test('Where no reference can stand, the error says so', async () => {
  const db = await seeded()
  const first = workflow('places')
    .node('user', () => User.readOrThrow('u'))
    .node('n', () => User.count())
  const wrong: Workflow<{}, any>[] = [
    first.node('x', ({ user }) => User.create(user as never)),
    first.node('x', ({ user }) => User.update('u', user as never)),
    first.node('x', ({ user }) => User.count(user as never)),
    first.node('x', ({ user }) => User.bulkCreate(user as never)),
    first.node('x', ({ user }) => User.bulkCreate([user as never])),
    first.node('x', ({ user }) => User.update('u', { settings: { name: user.name } })),
    first.node('x', ({ n }) => User.list({ limit: n })),
  ]
  for (const wf of wrong) {
    await expect(db.execute(wf)).rejects.toMatchObject({ text: expect.stringMatching(/a reference/), node: 'x' })
  }
})

test('null is an empty list, whether the page or the worker knows it; what is no list is the error of its node', async () => {
  const db = await seeded()
  const over = (list: 'none' | 'text') =>
    workflow<{ no?: boolean }>('lists')
      .node('none', () => User.list(), { when: ({ input }) => input.no as never })
      .node('user', () => User.readOrThrow('u'))
      .node('text', () => sql`select 1 as x`)
      .forEach(
        'each',
        ({ none, user }) => (list === 'none' ? none : (user.settings as any).text) as never,
        () => User.count(),
      )
  expect((await db.execute(over('none'))).each).toEqual([])
  const error = await db.execute(over('text')).catch((e: unknown) => e)
  expect(error).toMatchObject({ code: 'BAD_WORKFLOW', node: 'each', op: 'workflow' })
  expect((error as DataFlowError).sql).toBeUndefined()
})

test('The error of a workflow that is skipped names the node in it', async () => {
  const db = await seeded()
  const child = workflow('child')
    .node('fine', () => User.count())
    .node('bad', () => User.create({ email: 'a@x', name: 'again' }))
  const wf = workflow('outer')
    .workflow('inner', child, () => ({}), { onError: 'skip' })
    .node('after', () => User.count())
  expect(await db.execute(wf)).toMatchObject({ inner: { code: 'UNIQUE', node: 'inner.bad' }, after: 1 })
})

test('What fails at COMMIT is the fault of no node', async () => {
  const db = await seeded()
  await db.sql`create table log (user references users(id) deferrable initially deferred)`
  const wf = workflow('deferred')
    .node('made', () => User.create({ email: 'b@x', name: 'b' }))
    .node('log', () => sql`insert into log values ('nobody')`, { onError: 'skip' })
    .node('last', () => User.count())
  const error = (await db.execute(wf).catch((e: unknown) => e)) as DataFlowError
  expect(error).toMatchObject({ code: 'FOREIGN_KEY', op: 'workflow' })
  expect(error.node).toBeUndefined()
  expect(await db.tables.users.count()).toBe(1)
})

test('A workflow that fails in a transaction leaves nothing in the changes that are told of it', async () => {
  const db = await seeded()
  db.events.length = 0
  const id = await unwrap(db.engine.begin({ maxWait: 0, timeout: 60_000, id: 1 }))
  const create = (key: string) => ({
    op: 'create' as const,
    model: 'User',
    row: [key, `${key}@x`, key, 'member', null, 0n, null, null],
  })
  const lease = { durability: null, lease: id }
  const fails = { op: 'sql' as const, sql: 'select * from nothing', params: [] }
  const steps = [create('gone'), fails].map((run, slot) => ({ node: `n${slot}`, slot, kept: false, skip: false, run }))
  await unwrap(db.engine.run([{ id: 2, ops: [{ op: 'workflow', name: 'x', steps }], ...lease } as never]))
  await unwrap(db.engine.run([{ id: 3, ops: [create('kept')], ...lease } as never]))
  await unwrap(db.engine.commit(id, null))
  const changes = db.events.flatMap(event => (event.type === 'change' ? [event.detail.ids] : []))
  expect(changes).toEqual([['kept']])
})

test('upsert: where and create that contradict each other are refused; what agrees is not', () => {
  const built = (create: object) => () =>
    new WorkflowBuilder(open()).addNode('UserUpsertNode', 'x', { where: { email: 'a@x' }, create }).build()
  expect(built({ email: 'b@x', name: 'b' })).toThrow(expect.objectContaining({ code: 'BAD_WORKFLOW', node: 'x' }))
  expect(built({ email: 'a@x', name: 'b' })).not.toThrow()
})

test('Two savepoints of one name, or one with the name of a scope, are refused by build()', () => {
  const savepoint = (builder: WorkflowBuilder, id: string) =>
    builder.addNode('TransactionSavepointNode', id, { name: 'here' })
  expect(() => savepoint(savepoint(new WorkflowBuilder(), 'a'), 'b').build()).toThrow(
    expect.objectContaining({ code: 'BAD_WORKFLOW', node: 'b' }),
  )
  expect(() => savepoint(new WorkflowBuilder().addNode('TransactionScopeNode', 'here'), 'b').build()).toThrow(
    expect.objectContaining({ code: 'BAD_WORKFLOW', node: 'b' }),
  )
})

test('A parameter that comes with the execution may be connected instead', async () => {
  const db = await seeded()
  const built = new WorkflowBuilder(db)
    .addNode('UserListNode', 'users')
    .addNode('UserReadNode', 'one', { id: { $param: true }, select: ['name'] })
    .addConnection('users', 'records.0.id', 'one', 'id')
    .build()
  expect((await db.execute(built)).results.one).toEqual({ name: 'Ada', found: true })
  const both = db.execute(built, { parameters: { one: { id: 'u' } } })
  await expect(both).rejects.toMatchObject({ code: 'BAD_WORKFLOW', node: 'one' })
})
