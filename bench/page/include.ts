// Parents with their children: by the library, and by the best SQL that we could write by hand. Both give the same objects.
import { dataflow, model, t } from 'dataflow-edge'
import { openByHand } from './by-hand.js'
import { deleteDatabases } from './measures.js'
import { median, time } from './timing.js'

const User = model('User', { id: t.id(), email: t.text(), name: t.text(), active: t.boolean(), joined: t.date() })
const Post = model('Post', { id: t.id(), authorId: t.ref('User'), title: t.text(), likes: t.integer(), at: t.date() })

const DDL = `
  CREATE TABLE users (id TEXT PRIMARY KEY NOT NULL, email TEXT NOT NULL, name TEXT NOT NULL, active INTEGER NOT NULL,
    joined INTEGER NOT NULL) STRICT;
  CREATE TABLE posts (id TEXT PRIMARY KEY NOT NULL, authorId TEXT NOT NULL REFERENCES users (id), title TEXT NOT NULL,
    likes INTEGER NOT NULL, at INTEGER NOT NULL) STRICT;
  CREATE INDEX posts_author ON posts (authorId)`

// Arrays, not objects: the names are not sent with each row.
const SELECT = `
  SELECT json_group_array(json_array(id, email, name, active, joined, json((
    SELECT json_group_array(json_array(id, title, likes, at))
    FROM (SELECT id, title, likes, at FROM posts WHERE authorId = users.id ORDER BY id)
  ))))
  FROM (SELECT * FROM users ORDER BY id) AS users`

const TIMES = 7

export interface IncludeFigures {
  ms: number
}

/** ms for `parents` rows with `children` rows each, as objects of the page. */
export async function include(
  who: 'dataflow-edge' | 'by hand',
  parents: number,
  children: number,
): Promise<IncludeFigures> {
  const name = `bench-${Date.now()}`
  const rows = makeRows(parents, children)
  const read = who === 'by hand' ? await openedByHand(name, rows) : await opened(name, rows)
  try {
    check(await read.all(), parents, children)
    const times: number[] = []
    for (let i = 0; i < TIMES; i++) times.push(await time(read.all))
    return { ms: median(times) }
  } finally {
    await read.close()
    await deleteDatabases()
  }
}

type Rows = ReturnType<typeof makeRows>

function makeRows(parents: number, children: number) {
  const at = new Date(1_700_000_000_000)
  const users = Array.from({ length: parents }, (_, i) => ({
    id: `u${String(i).padStart(6, '0')}`,
    email: `${i}@example.com`,
    name: `Name ${i}`,
    active: i % 2 === 0,
    joined: at,
  }))
  const posts = users.flatMap(user =>
    Array.from({ length: children }, (_, i) => ({
      id: `${user.id}-${String(i).padStart(3, '0')}`,
      authorId: user.id,
      title: `Title ${i}`,
      likes: i,
      at,
    })),
  )
  // As they come in an app: not parent by parent.
  posts.sort((a, b) => (a.id.slice(8) < b.id.slice(8) ? -1 : 1))
  return { users, posts }
}

async function opened(name: string, { users, posts }: Rows) {
  const db = dataflow(name, { models: { users: User, posts: Post } })
  await db.users.bulkCreate(users)
  await db.posts.bulkCreate(posts)
  return { all: () => db.users.list({ include: { posts: true } }), close: () => db.close() }
}

async function openedByHand(name: string, { users, posts }: Rows) {
  const { worker, close } = await openByHand(name, DDL)
  await worker.insert(
    'INSERT INTO users VALUES (?, ?, ?, ?, CAST(? AS INTEGER))',
    users.map(user => [user.id, user.email, user.name, Number(user.active), String(user.joined.getTime())]),
  )
  await worker.insert(
    'INSERT INTO posts VALUES (?, ?, ?, ?, CAST(? AS INTEGER))',
    posts.map(post => [post.id, post.authorId, post.title, post.likes, String(post.at.getTime())]),
  )
  const all = async () => {
    const found = JSON.parse(await worker.text(SELECT, [])) as [string, string, string, number, number, Child[]][]
    return found.map(([id, email, userName, active, joined, children]) => ({
      id,
      email,
      name: userName,
      active: active === 1,
      joined: new Date(joined),
      posts: children.map(([childId, title, likes, at]) => ({
        id: childId,
        authorId: id,
        title,
        likes,
        at: new Date(at),
      })),
    }))
  }
  return { all, close }
}
type Child = [string, string, number, number]

/** Both give the same, or there is nothing to compare. */
function check(
  got: readonly { posts: readonly { at: Date; likes: number }[]; joined: Date }[],
  parents: number,
  children: number,
): void {
  const last = got.at(-1)?.posts.at(-1)
  const sound =
    got.length === parents && got.every(({ posts, joined }) => posts.length === children && joined instanceof Date)
  if (!sound || last?.likes !== children - 1 || !(last.at instanceof Date))
    throw new Error('The rows are not what they should be')
}
