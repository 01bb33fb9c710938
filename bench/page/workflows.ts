// Ten operations that belong together: as a workflow, one by one, in a transaction, and as the same SQL by hand.
import { dataflow, model, sql, t, workflow } from 'dataflow-edge'
import { openByHand } from './by-hand.js'
import { deleteDatabases } from './measures.js'
import { medianOfAwaited } from './timing.js'

const User = model('User', { id: t.id(), email: t.text(), name: t.text(), posts: t.integer().default(0) })
const Post = model('Post', {
  id: t.id(),
  authorId: t.ref('User', { inverse: 'written' }),
  title: t.text(),
  likes: t.integer().default(0),
})

const NODES = 10
const ten = workflow<{ email: string }>('ten')
  .node('user', ({ input }) => User.create({ email: input.email, name: 'Ada' }))
  .node('first', ({ user }) => Post.create({ authorId: user.id, title: 'one' }))
  .node('second', ({ user }) => Post.create({ authorId: user.id, title: 'two' }))
  .node('third', ({ user }) => Post.create({ authorId: user.id, title: 'three' }))
  .node('posts', ({ user }) => Post.list({ where: { authorId: user.id } }))
  .node('count', ({ user }) => Post.count({ authorId: user.id }))
  .node('updated', ({ user, count }) => User.update(user.id, { posts: count }))
  .node('liked', ({ first }) => Post.update(first.id, { likes: { $inc: 1 } }))
  .node('read', ({ user }) => User.read(user.id))
  .node('deleted', ({ third }) => Post.delete(third.id))

const DDL = `
  CREATE TABLE users (id TEXT PRIMARY KEY NOT NULL, email TEXT NOT NULL, name TEXT NOT NULL, posts INTEGER NOT NULL DEFAULT 0) STRICT;
  CREATE TABLE posts (id TEXT PRIMARY KEY NOT NULL, authorId TEXT NOT NULL REFERENCES users (id), title TEXT NOT NULL,
    likes INTEGER NOT NULL DEFAULT 0) STRICT;
  CREATE INDEX posts_author ON posts (authorId)`
const INSERT_USER = 'INSERT INTO users (id, email, name, posts) VALUES (?, ?, ?, 0)'
const INSERT_POST = 'INSERT INTO posts (id, authorId, title, likes) VALUES (?, ?, ?, 0)'
const RETURNING_POST = 'RETURNING id, authorId, title, likes'

export type Way = 'workflow' | 'by hand' | 'awaited' | 'transaction' | 'reads and a flush'

let emails = 0
const nextEmail = () => `${++emails}@example.com`

/** ms of the ten operations in this way: the median of `count` times. */
export async function tenOperations(way: Way, count: number): Promise<{ ms: number }> {
  const name = `bench-${Date.now()}`
  const ms = way === 'by hand' ? await byHand(name, count) : await ours(name, way, count)
  await deleteDatabases()
  return { ms }
}

async function ours(name: string, way: Exclude<Way, 'by hand'>, count: number): Promise<number> {
  const db = dataflow(name, { models: { users: User, posts: Post } })
  const one = (tx: Pick<typeof db, 'users' | 'posts'>) => async (): Promise<void> => {
    const user = await tx.users.create({ email: nextEmail(), name: 'Ada' })
    const first = await tx.posts.create({ authorId: user.id, title: 'one' })
    await tx.posts.create({ authorId: user.id, title: 'two' })
    const third = await tx.posts.create({ authorId: user.id, title: 'three' })
    await tx.posts.list({ where: { authorId: user.id } })
    const posts = await tx.posts.count({ authorId: user.id })
    await tx.users.update(user.id, { posts })
    await tx.posts.update(first.id, { likes: { $inc: 1 } })
    await tx.users.read(user.id)
    await tx.posts.delete(third.id)
  }
  const { id } = await db.users.create({ email: nextEmail(), name: 'Ada' })
  const ways = {
    workflow: () => db.execute(ten, { email: nextEmail() }),
    awaited: one(db),
    transaction: () => db.transaction(tx => one(tx)()),
    // What a transaction of ten operations has to do at least: ten messages there and back, and a flush.
    'reads and a flush': async () => {
      for (let i = 0; i < NODES; i++) await db.users.read(id)
      await db.users.update(id, { posts: ++emails })
    },
  }
  try {
    await db.run(sql`select 1`)
    await medianOfAwaited(20, ways[way])
    return await medianOfAwaited(count, ways[way])
  } finally {
    await db.close()
  }
}

async function byHand(name: string, count: number): Promise<number> {
  const { worker, close } = await openByHand(name, DDL)
  const once = async () => {
    const [user, first, second, third] = [0, 1, 2, 3].map(() => crypto.randomUUID()) as [string, string, string, string]
    await worker.run([
      { sql: INSERT_USER, params: [user, nextEmail(), 'Ada'] },
      { sql: INSERT_POST, params: [first, user, 'one'] },
      { sql: INSERT_POST, params: [second, user, 'two'] },
      { sql: INSERT_POST, params: [third, user, 'three'] },
      { sql: 'SELECT id, authorId, title, likes FROM posts WHERE authorId = ? ORDER BY id', params: [user] },
      { sql: 'SELECT count(*) FROM posts WHERE authorId = ?', params: [user] },
      {
        sql: 'UPDATE users SET posts = (SELECT count(*) FROM posts WHERE authorId = users.id) WHERE id = ? RETURNING id, email, name, posts',
        params: [user],
      },
      { sql: `UPDATE posts SET likes = likes + 1 WHERE id = ? ${RETURNING_POST}`, params: [first] },
      { sql: 'SELECT id, email, name, posts FROM users WHERE id = ?', params: [user] },
      { sql: 'DELETE FROM posts WHERE id = ?', params: [third] },
    ])
  }
  try {
    await medianOfAwaited(20, once)
    return await medianOfAwaited(count, once)
  } finally {
    await close()
  }
}
