// Schemas and references: what only a later result will be, no schema sees; so it enters where it has been checked before.
import { describe, expect, test } from 'vitest'
import * as z from 'zod'
import { DataFlowError, model, sql, t, workflow } from '../../src/index.js'
import { localDatabase } from '../support/local.js'
import { schemaOf } from './support.js'

const User = model('User', {
  id: t.id(),
  email: t.text().schema(z.email().toLowerCase()),
  n: t.integer().default(1),
  at: t.date().nullable(),
})
const Post = model(
  'Post',
  { id: t.id(), userId: t.ref('User'), title: t.text(), mail: t.text().nullable().schema(z.email()), n: t.integer() },
  {
    schema: z
      .object({ title: z.string().trim(), n: z.number() })
      .refine(row => row.n < 10, { message: 'is too much', path: ['n'] }),
  },
)
const Looks = model(
  'Looks',
  { id: t.id(), userId: t.ref('User'), n: t.integer() },
  { schema: schemaOf<any, any>(row => (row.n > 3 ? row : { ...row, n: 3 })) },
)
const Key = model('Key', { id: t.id().schema(z.string().min(3)), userId: t.ref('User') })
const models = { users: User, posts: Post, looks: Looks, keys: Key }

async function open() {
  const db = localDatabase(models)
  await db.tables.users.create({ id: 'u', email: 'A@b.co', n: 7 })
  await db.sql`select 1`
  return db
}
const signup = (build: (ctx: any) => any) =>
  workflow('signup')
    .node('user', () => User.read('u'))
    .node('next', build as never)

test('a value that is known goes through the schemas, and one of the same kind enters', async () => {
  const db = await open()
  const { next } = (await db.execute(
    signup(({ user }) => Post.create({ userId: user.id, title: ' x ', mail: user.email, n: 2 })),
  )) as any
  expect(next).toMatchObject({ userId: 'u', title: 'x', mail: 'a@b.co', n: 2 })
  await db.close()
})

describe('refused, and nothing is sent', () => {
  test.each([
    [
      'a field that no schema may see',
      ({ user }: any) => Post.create({ userId: 'u', title: 'x', mail: user.id, n: 1 }),
      /its own kind/,
    ],
    ['what SQL gives', ({ rows }: any) => User.create({ email: rows.at(0).email }), /may be anything/],
    [
      'a value that the model looks at',
      ({ user }: any) => Post.create({ userId: 'u', title: 'x', n: user.n }),
      /looks at n, which is a reference/,
    ],
    [
      'a model that compares it',
      ({ user }: any) => Looks.create({ userId: 'u', n: user.n }),
      /looks at n, which is a reference/,
    ],
    ['$inc', ({ user }: any) => Post.update('p', { n: { $inc: user.n } as never, mail: user.n }), /does not take/],
  ])('%s', async (_, build, message) => {
    const db = await open()
    const flow = workflow('w')
      .node('user', () => User.read('u'))
      .node('rows', () => sql<{ email: string }>`select email from users`)
      .node('next', build as never)
    const { executed, result } = await db.count(() => db.execute(flow).catch((e: unknown) => e))
    expect(executed).toBe(0)
    expect(DataFlowError.is(result, 'BAD_WORKFLOW')).toBe(true)
    expect((result as Error).message).toMatch(message)
    await db.close()
  })

  test('what is known and does not pass', async () => {
    const db = await open()
    const flow = signup(({ user }) => Post.create({ userId: user.id, title: 'x', n: 10 }))
    const { executed, result } = await db.count(() => db.execute(flow).catch((e: unknown) => e))
    expect(executed).toBe(0)
    expect(result).toMatchObject({ code: 'VALIDATION', issues: [{ path: ['n'], message: 'is too much' }] })
    await db.close()
  })
})

test('for each item of a list that only the worker has', async () => {
  const db = await open()
  const each = (build: (ctx: any) => any) =>
    workflow('each')
      .node('users', () => User.list())
      .forEach('made', ({ users }) => users, build as never)
  const { made } = (await db.execute(each(({ item }) => Post.create({ userId: item.id, title: ' y ', n: 1 })))) as any
  expect(made).toMatchObject([{ userId: 'u', title: 'y', n: 1 }])
  const flow = each(({ item }) => Key.create({ userId: item.id }))
  await expect(db.execute(flow)).rejects.toMatchObject({ code: 'BAD_WORKFLOW' })
  await db.close()
})
