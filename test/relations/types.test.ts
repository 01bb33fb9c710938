// What the compiler says of relations. Compiled by `tsc -b`; a wrong line is an error there. Nothing here is run.
import { test } from 'vitest'
import { dataflow, model, t, type Row, type Where } from '../../src/index.js'
import { Author, models, Post, Tag } from './support.js'

type Eq<A, B> = (<T>() => T extends A ? 1 : 2) extends <T>() => T extends B ? 1 : 2 ? true : false
const ok = <T extends true>(...values: T[]) => void values
/** Compiled, never called. */
const compiled = (body: () => unknown) => void body

const db = dataflow('blog', { models })
type A = Row<typeof Author>
type P = Row<typeof Post>

compiled(async () => {
  const authors = await db.authors.list({
    select: ['name'],
    include: {
      posts: {
        select: ['title'],
        where: { live: true, tags: { $some: { word: 'a', parent: null } } },
        orderBy: { at: 'desc' },
        limit: 3,
        include: {
          editor: { select: ['name'] },
          author: { select: ['id'] },
          tags: { include: { parent: true, children: { select: ['no'] } } },
        },
      },
      edited: true,
    },
  })
  type T = Row<typeof Tag>
  ok<
    Eq<
      typeof authors,
      {
        name: string
        posts: {
          title: string
          editor: { name: string } | null
          author: { id: string }
          tags: (T & { parent: T | null; children: { no: number }[] } extends infer X
            ? { [K in keyof X]: X[K] }
            : never)[]
        }[]
        edited: { [K in keyof P]: P[K] }[]
      }[]
    >
  >()
  const read = await db.posts.read('p', { include: { author: true } })
  ok<Eq<NonNullable<typeof read>['author'], { [K in keyof A]: A[K] }>>()
  const page = await db.posts.page({ limit: 1, select: ['id'], include: { editor: true } })
  ok<Eq<(typeof page)['items'][0]['editor'], { [K in keyof A]: A[K] } | null>>()
  for await (const row of db.tags.iterate({ include: { posts: { select: ['id'] } } }))
    ok<Eq<typeof row.posts, { id: string }[]>>()
  await db.authors.count({ posts: { $none: { editor: { name: 'x', $or: [{ edited: { $every: { live: true } } }] } } } })
  await db.authors.aggregate({ where: { posts: { $some: {} } }, count: true })
  await db.posts.bulkDelete({ where: { author: { name: 'x' } } })

  // @ts-expect-error no such relation
  await db.authors.list({ include: { post: true } })
  // @ts-expect-error an author has no tags
  await db.authors.list({ include: { posts: true, tags: true } })
  // @ts-expect-error no such field of a post in the nested filter
  await db.authors.list({ include: { posts: { where: { nope: 1 } } } })
  // @ts-expect-error a title is a text
  await db.authors.list({ include: { posts: { where: { title: 1 } } } })
  // @ts-expect-error no such field of a post to select
  await db.authors.list({ include: { posts: { select: ['name'] } } })
  // @ts-expect-error no such field of a post to order by
  await db.authors.list({ include: { posts: { orderBy: { name: 'asc' } } } })
  // @ts-expect-error one row has no limit
  await db.posts.list({ include: { author: { limit: 1 } } })
  // @ts-expect-error no such option
  await db.authors.list({ include: { posts: { offset: 1 } } })
  // @ts-expect-error no such relation deep inside
  await db.authors.list({ include: { posts: { include: { writer: true } } } })
  // @ts-expect-error a relation is included or left out
  await db.authors.list({ include: { posts: false } })
  // @ts-expect-error posts are not deleted softly
  await db.authors.list({ include: { posts: { withDeleted: true } } })
  // @ts-expect-error $some is for lists
  await db.posts.list({ where: { author: { $some: { name: 'x' } } } })
  // @ts-expect-error a list needs $some, $every or $none
  await db.authors.list({ where: { posts: { title: 'x' } } })
  // @ts-expect-error no such field of a post
  await db.authors.list({ where: { posts: { $some: { name: 'x' } } } })
  // @ts-expect-error no such relation
  await db.authors.count({ post: { $some: {} } })
  // @ts-expect-error a list is never null
  await db.authors.count({ posts: null })
  // @ts-expect-error a write includes nothing
  await db.authors.update('a', { name: 'x' }, { include: { posts: true } })
  // @ts-expect-error a write includes nothing
  await db.authors.create({ name: 'x' }, { include: { posts: true } })
})

compiled(() => {
  const Note = model('Note', { id: t.id(), deletedAt: t.date().nullable(), title: t.text() }, { softDelete: true })
  const Line = model('Line', { id: t.id(), noteId: t.ref('Note') })
  const notes = dataflow('notes', { models: { notes: Note, lines: Line } })
  return async () => {
    const line = await notes.lines.readOrThrow('l', { include: { note: { select: ['title'] } } })
    // A row that was deleted softly is hidden.
    ok<Eq<(typeof line)['note'], { title: string } | null>>()
    const seen = await notes.lines.readOrThrow('l', { include: { note: { select: ['title'], withDeleted: true } } })
    ok<Eq<(typeof seen)['note'], { title: string }>>()
  }
})

compiled(async () => {
  const op = Author.list({
    select: ['name'],
    include: { posts: { select: ['title'], include: { editor: { select: ['name'] } } } },
  })
  type Expected = { name: string; posts: { title: string; editor: { name: string } | null }[] }[]
  const run = await db.run(op)
  ok<Eq<typeof run, Expected>>()
  const [batched, count] = await db.batch([op, Author.count({ posts: { $some: { live: true } } })])
  ok<Eq<typeof batched, Expected>>()
  ok<Eq<typeof count, number>>()
  await db.transaction(async tx => {
    const inTransaction = await tx.run(op)
    ok<Eq<typeof inTransaction, Expected>>()
    const [both] = await tx.batch([op])
    ok<Eq<typeof both, Expected>>()
  })
  const first = await db.run(Post.first({ include: { author: { select: ['name'] } } }))
  ok<Eq<NonNullable<typeof first>['author'], { name: string }>>()
  const read = await db.run(Post.read('p', { select: ['id'], include: { author: { select: ['name'] } } }))
  ok<Eq<typeof read, { id: string; author: { name: string } } | null>>()
  const page = await db.run(Tag.page({ limit: 2, select: ['no'], include: { posts: { select: ['id'] } } }))
  ok<Eq<typeof page.items, { no: number; posts: { id: string }[] }[]>>()
  await db.run(Post.list({ where: { author: { name: 'x' }, tags: { $none: { word: { $in: ['a'] } } } } }))
  await db.run(Post.bulkUpdate({ where: { author: { name: 'x' } }, set: { live: true } }))
  await db.run(Post.aggregate({ where: { author: { name: 'x' } }, count: true }))
  const where: Where<(typeof Post)['$fields']> = { title: 'x' }
  await db.run(Post.list({ where }))
  await db.batch([Post.count(where), Post.bulkDelete({ where })])

  // @ts-expect-error no such relation
  await db.run(Author.list({ include: { post: true } }))
  // @ts-expect-error no such relation
  await db.batch([Author.list({ include: { post: true } })])
  // @ts-expect-error no such relation
  await db.transaction(tx => tx.batch([Author.count(), Author.list({ include: { post: true } })]))
  // @ts-expect-error no such relation deep inside
  await db.run(Author.list({ include: { posts: { include: { writer: true } } } }))
  // @ts-expect-error no such field in the nested filter
  await db.run(Author.list({ include: { posts: { where: { nope: 1 } } } }))
  // @ts-expect-error no such field to select
  await db.batch([Author.list({ include: { posts: { select: ['name'] } } })])
  // @ts-expect-error no such field to order by
  await db.run(Author.list({ include: { posts: { orderBy: { name: 'asc' } } } }))
  // @ts-expect-error $some is for lists
  await db.run(Post.list({ where: { author: { $some: { name: 'x' } } } }))
  // @ts-expect-error no such relation to filter by
  await db.run(Author.count({ post: { $some: {} } }))
  // @ts-expect-error no such field of a post
  await db.batch([Author.bulkDelete({ where: { posts: { $some: { name: 'x' } } } })])
  // @ts-expect-error no such field: what is no object is no filter of a relation
  Author.list({ where: { nope: 1 } })
  // @ts-expect-error no such operator
  Author.list({ where: { rank: { $greater: 1 } } })
  // @ts-expect-error no such option
  Author.list({ include: { posts: true }, limits: 1 })
  // @ts-expect-error no such field to select
  Author.list({ select: ['nope'] })
  // @ts-expect-error a count includes nothing
  Author.count({ name: 'x' }, { include: { posts: true } })
  // @ts-expect-error a write includes nothing
  Author.create({ name: 'x' }, { include: { posts: true } })
})

compiled(() => {
  const User = model('User', { id: t.id(), name: t.text() })
  const Twice = model('Twice', { id: t.id(), aId: t.ref('User'), bId: t.ref('User', { inverse: 'pages' }) })
  const Taken = model('Taken', { id: t.id(), by: t.ref('User', { inverse: 'name' }) })
  const Own = model('Own', { id: t.id(), owner: t.text(), ownerId: t.ref('User') })
  const Lost = model('Lost', { id: t.id() }, { relations: { tags: { through: 'LostTag' } } })
  // @ts-expect-error two relations of User are called "pages"
  dataflow('x', { models: { users: User, pages: Twice } })
  // @ts-expect-error the relation "name" of User has the name of a field
  dataflow('x', { models: { users: User, pages: Taken } })
  // @ts-expect-error the relation "owner" of Own has the name of a field
  dataflow('x', { models: { users: User, pages: Own } })
  // @ts-expect-error the relation "tags" of Lost leads through no model
  dataflow('x', { models: { users: Lost } })
  // @ts-expect-error no such option
  t.ref('User', { like: 'author' })
  // @ts-expect-error no such option of a relation
  model('Bad', { id: t.id() }, { relations: { tags: { through: 'UserTag', by: 'x' } } })
})

test('compiles', () => {})
