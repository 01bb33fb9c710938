// What the compiler says of workflows. Compiled by `tsc -b`; a wrong line is an error there.
import { expect, test } from 'vitest'
import {
  dataflow,
  DataFlowError,
  model,
  sql,
  t,
  workflow,
  WorkflowBuilder,
  type Row,
  type WorkflowRun,
} from '../../src/index.js'

type Eq<A, B> = (<T>() => T extends A ? 1 : 2) extends <T>() => T extends B ? 1 : 2 ? true : false
const ok = <T extends true>(...values: T[]) => void values
/** Compiled, never called. */
const compiled = (body: () => unknown) => void body

const User = model('User', {
  id: t.id(),
  email: t.text().unique(),
  name: t.text(),
  age: t.integer().nullable(),
  active: t.boolean().default(true),
})
const Post = model('Post', {
  id: t.id(),
  authorId: t.ref('User'),
  title: t.text(),
  due: t.date().nullable(),
  size: t.bigint().default(0n),
})
type U = Row<typeof User>
type P = Row<typeof Post>

const signup = workflow<{ email: string; name: string; ages: number[] }>('signup')
  .node('user', ({ input }) => User.create({ email: input.email, name: input.name }))
  .node('post', ({ user }) => Post.create({ authorId: user.id, title: 'Hello' }))
  .node('n', ({ user }) => Post.count({ authorId: user.id }))
  .node('maybe', () => User.first(), { when: ({ user }) => user.active })
  .node('risky', () => User.count(), { onError: 'skip' })
  .node('rows', ({ user }) => sql<{ n: number }>`select ${user.age} as n`)
  .forEach(
    'each',
    ({ input }) => input.ages,
    ({ item }) => User.count({ age: item }),
  )
  .forEach(
    'eachRisky',
    ({ rows }) => rows,
    ({ item }) => User.count({ age: item.n }),
    { onError: 'skip' },
  )

compiled(async () => {
  const db = dataflow('app', { models: { users: User, posts: Post } })
  const out = await db.execute(signup, { email: 'e', name: 'n', ages: [] })
  ok<Eq<typeof out.user, U>>()
  ok<Eq<typeof out.post, P>>()
  ok<Eq<typeof out.n, number>>()
  ok<Eq<typeof out.maybe, U | null>>()
  ok<Eq<typeof out.risky, number | DataFlowError>>()
  ok<Eq<typeof out.rows, { n: number }[]>>()
  ok<Eq<typeof out.each, number[]>>()
  ok<Eq<typeof out.eachRisky, (number | DataFlowError)[]>>()
  await db.transaction(async tx => {
    const inside = await tx.execute(signup, { email: 'e', name: 'n', ages: [1] })
    ok<Eq<typeof inside.n, number>>()
  })
  const child = workflow<{ userId: string }>('child').node('post', ({ input }) =>
    Post.create({ authorId: input.userId, title: 'x' }),
  )
  const nested = workflow('nested')
    .node('user', () => User.create({ email: 'e', name: 'n' }))
    .workflow('child', child, ({ user }) => ({ userId: user.id }), {
      when: ({ user }) => sql<boolean>`${user.age} > 3`,
    })
    // What may not have run is null to what comes behind it.
    .node('found', ({ child: c }) => Post.count({ title: c.post.title as never }))
  ok<Eq<(typeof nestedOut)['child'], { post: P } | null>>()
  const nestedOut = await db.execute(nested)
  const run = await db.execute(new WorkflowBuilder(db).addNode('UserCountNode', 'n').build(), { parameters: {} })
  ok<Eq<typeof run, WorkflowRun>>()

  // What an upsert changes may be references too.
  signup.node('merged', ({ n, user }) =>
    User.upsert({ email: 'e', name: user.name }, { on: 'email', update: { age: { $inc: n }, name: user.name } }),
  )
  // @ts-expect-error an upsert's change of the wrong type
  signup.node('bad', ({ n }) => User.upsert({ email: 'e', name: 'n' }, { update: { name: n } }))
  const inputless = workflow('inputless').node('n', () => User.count())
  await db.execute(inputless, {}, { durability: 'strict' })
  // @ts-expect-error these are options: the input comes first
  await db.execute(inputless, { durability: 'strict' })

  // @ts-expect-error input required
  await db.execute(signup)
  // @ts-expect-error the input lacks a field
  await db.execute(signup, { email: 'e', name: 'n' })
  // @ts-expect-error an unknown option
  await db.execute(signup, { email: 'e', name: 'n', ages: [] }, { durable: true })
  // @ts-expect-error parameters are by node id
  await db.execute(new WorkflowBuilder().build(), { parameters: { a: 1 } })
  const w = signup
  // @ts-expect-error ref of the wrong type
  w.node('bad', ({ post }) => Post.create({ authorId: 'x', title: post.due }))
  // @ts-expect-error a reference that may be null, into a field that may not
  w.node('bad', ({ maybe }) => Post.create({ authorId: maybe.id, title: 'x' }))
  // @ts-expect-error no such node
  w.node('bad', ({ nobody }) => Post.count({ title: nobody }))
  // @ts-expect-error no such field of the result
  w.node('bad', ({ user }) => Post.count({ title: user.title }))
  // @ts-expect-error a reference is no number
  w.node('bad', ({ n }) => User.count({ age: n * 2 }))
  // @ts-expect-error the name is taken
  w.node('user', () => User.count())
  // @ts-expect-error a name with a meaning
  w.node('input', () => User.count())
  // @ts-expect-error no operation
  w.node('bad', () => 7)
  w.forEach(
    'bad',
    // @ts-expect-error forEach needs a list
    ({ user }) => user,
    () => User.count(),
  )
  w.forEach(
    'bad',
    ({ input }) => input.ages,
    // @ts-expect-error an item of the wrong type
    ({ item }) => User.count({ name: item }),
  )
  // @ts-expect-error the child's input
  w.workflow('bad', child, ({ n }) => ({ userId: n }))
  // @ts-expect-error no such policy
  w.node('bad', () => User.count(), { onError: 'ignore' })
  // @ts-expect-error a condition is a reference or an expression
  w.node('bad', () => User.count(), { when: () => true })
  // @ts-expect-error a filter of the wrong type
  w.node('bad', ({ user }) => Post.list({ where: { due: { $gt: user.name } } }))
  // @ts-expect-error a list in place of a value
  w.node('bad', ({ rows }) => User.count({ age: rows }))
  // @ts-expect-error an update with a reference of the wrong type
  w.node('bad', ({ user }) => User.update(user.id, { age: user.name }))
  // @ts-expect-error params are an object
  new WorkflowBuilder().addNode('UserCountNode', 'x', 7)
})

test('what is declared above can be declared', () => {
  expect(signup.name).toBe('signup')
  expect(() => signup.node('bad name' as never, () => User.count())).toThrow(
    expect.objectContaining({ code: 'BAD_WORKFLOW' }),
  )
  expect(() => signup.node('user' as never, () => User.count())).toThrow(/taken/)
  expect(() => signup.node('bad', (() => 7) as never)).toThrow(/no operation/)
  expect(() => signup.node('bad', () => User.count(), { onError: 'ignore' as never })).toThrow(DataFlowError)
  expect(() => signup.node('bad', () => User.count(), { until: 7 } as never)).toThrow(
    expect.objectContaining({ code: 'BAD_OPTION' }),
  )
  expect(() => signup.node('bad', () => User.count(), { when: () => true as never })).toThrow(/no condition/)
  expect(() => new WorkflowBuilder({})).toThrow(expect.objectContaining({ code: 'BAD_OPTION' }))
})
