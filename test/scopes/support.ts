// Two tenants of one database.
import { expect } from 'vitest'
import { model, t } from '../../src/index.js'
import type { ScopedTables } from '../../src/scope.js'
import type { ErrorCode } from '../../src/shared/errors.js'
import { localDatabase, type LocalOptions } from '../support/local.js'

export const User = model(
  'User',
  {
    id: t.id(),
    tenantId: t.text(),
    email: t.text().unique(),
    name: t.text().default('nameless'),
    bossId: t.ref('User', { onDelete: 'set null' }).nullable(),
    roleId: t.ref('Role').nullable(),
    version: t.version(),
  },
  { scope: 'tenantId' },
)
export const Post = model(
  'Post',
  {
    id: t.autoId(),
    tenantId: t.text({ max: 10 }),
    authorId: t.ref('User', { onDelete: 'cascade' }),
    secretId: t.ref('Secret').nullable(),
    title: t.text(),
    likes: t.integer().default(0),
    createdAt: t.createdAt(),
  },
  { scope: 'tenantId', unique: [['authorId', 'title']] },
)
export const Comment = model(
  'Comment',
  { id: t.id(), tenantId: t.text(), postId: t.ref('Post').$type<number>(), text: t.text() },
  { scope: ['tenantId'] },
)
export const Role = model('Role', { id: t.id(), name: t.text().unique() }, { shared: true })
export const Secret = model('Secret', { id: t.id(), tenantId: t.text() })
export const models = { users: User, posts: Post, comments: Comment, roles: Role, secrets: Secret }

export function tenants(options: LocalOptions = {}) {
  const db = localDatabase(models, options)
  const scope = (tenantId: string) => db.scope<ScopedTables<typeof models>>({ tenantId })
  const [a, b] = [scope('a'), scope('b')]
  return { db, a, b }
}

/** Each with a user, a1 and b1, who has written a post, 1 and 2. */
export async function filled() {
  const { db, a, b } = tenants()
  await a.tables.users.create({ id: 'a1', email: 'one@x' })
  await b.tables.users.create({ id: 'b1', email: 'one@x' })
  await a.tables.posts.create({ authorId: 'a1', title: 'of a' })
  await b.tables.posts.create({ authorId: 'b1', title: 'of b' })
  return { db, a, b }
}

/** Everything in the database, as it is stored. */
export async function dump(db: { sql(strings: TemplateStringsArray, ...values: unknown[]): Promise<any[]> }) {
  return {
    users: await db.sql`select * from users order by id`,
    posts: await db.sql`select * from posts order by id`,
    comments: await db.sql`select * from comments order by id`,
  }
}

/** The code, the fields and the sentence of what a call rejects with. */
export async function failure(call: Promise<unknown>): Promise<{ code: ErrorCode; fields: unknown; message: string }> {
  const error = await call.then(
    () => expect.unreachable('it resolved'),
    (reason: any) => reason,
  )
  return { code: error.code, fields: error.fields, message: error.message }
}
