// The workflow of the seed's examples, word for word: `signup` of the tour, with its types.
import { expect, test } from 'vitest'
import { model, t, workflow, type Row } from '../../src/index.js'
import * as z from 'zod'
import { localDatabase } from '../support/local.js'

type Eq<A, B> = (<T>() => T extends A ? 1 : 2) extends <T>() => T extends B ? 1 : 2 ? true : false
const ok = <T extends true>(...values: T[]) => void values

const User = model(
  'User',
  {
    id: t.id(),
    email: t.text({ max: 320 }).unique(),
    name: t.text().renamedFrom('full_name'),
    role: t.enum(['admin', 'member']).default('member'),
    age: t.integer().nullable(),
    active: t.boolean().default(true),
    settings: t.json(z.object({ theme: z.enum(['dark', 'light']).default('light') })),
    avatar: t.blob().nullable(),
    balance: t.bigint().default(0n),
    score: t.real().default(0),
    createdAt: t.createdAt(),
    updatedAt: t.updatedAt(),
  },
  { indexes: [['role', 'age']], unique: [['name', 'age']] },
)
const Post = model('Post', {
  id: t.id(),
  authorId: t.ref('User', { onDelete: 'cascade' }),
  title: t.text(),
  tags: t.json<string[]>().default([]),
  publishedAt: t.date().nullable(),
})
type User = Row<typeof User>
type Post = Row<typeof Post>

const signup = workflow<{ email: string; name: string }>('signup')
  .node('user', ({ input }) => User.create({ email: input.email, name: input.name, settings: {} }))
  .node('post', ({ user }) => Post.create({ authorId: user.id, title: 'Welcome' })) // user.id: Ref<string>, type-checked
  .node('posts', ({ user }) => Post.count({ authorId: user.id }))

test('signup: a typed DAG recorded once; 1 round trip, 1 transaction', async () => {
  const db = localDatabase({ users: User, posts: Post })
  await db.execute(signup, { email: 'c@x', name: 'C' })
  const { control, executed, result: out } = await db.count(() => db.execute(signup, { email: 'd@x', name: 'D' }))
  ok<Eq<typeof out, { user: User; post: Post; posts: number }>>()
  expect({ control, executed }).toEqual({ control: 2, executed: 3 })
  expect(out.user).toMatchObject({ email: 'd@x', name: 'D', role: 'member', settings: { theme: 'light' } })
  expect(out.post).toEqual({ id: out.post.id, authorId: out.user.id, title: 'Welcome', tags: [], publishedAt: null })
  expect(out.posts).toBe(1)
})
