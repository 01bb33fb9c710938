// The index is in step with the table, whatever is written and taken back.
import fc from 'fast-check'
import { describe, expect, test } from 'vitest'
import { model, sql, t } from '../../src/index.js'
import { begin } from '../semantics/support.js'
import { localDatabase, type LocalDatabase } from '../support/local.js'
import { text } from './oracle.js'
import { expectInStep, opened } from './support.js'

const fields = {
  title: t.text().check(sql`title <> 'never'`),
  body: t.text().nullable(),
  slug: t.text().nullable().unique(),
  views: t.integer().default(0),
  authorId: t.ref('Author', { onDelete: 'cascade' }).nullable(),
}
const Author = model('Author', { id: t.id(), name: t.text() })
const Posts = {
  id: model('Post', { id: t.id(), ...fields }, { search: ['title', 'body'] }),
  integer: model('Post', { id: t.integer().primaryKey(), ...fields }, { search: ['title', 'body'] }),
}

type Db = LocalDatabase<any>
type Step = (db: Db, Post: any) => Promise<unknown>

const keys = { id: (n: number) => `k${n}`, integer: (n: number) => n }

function steps(keyOf: (n: number) => string | number) {
  const n = fc.integer({ min: 0, max: 40 })
  const row = fc.record(
    {
      id: n.map(keyOf),
      title: fc.oneof({ weight: 9, arbitrary: text }, { weight: 1, arbitrary: fc.constant('never') }),
    },
    { noNullPrototype: true },
  )
  const whole = fc
    .tuple(
      row,
      fc.option(text),
      fc.option(
        n.map(i => `s${i % 5}`),
        { freq: 2 },
      ),
      fc.option(fc.constantFrom('a', 'b'), { freq: 2 }),
    )
    .map(([of, body, slug, authorId]) => ({ ...of, body, slug, authorId }))
  const step = (make: (db: Db, Post: any) => Promise<unknown>): Step => make
  return fc.oneof(
    whole.map(of => step(db => db.tables.posts!.create(of))),
    whole.map(of => step(db => db.tables.posts!.upsert(of))),
    fc
      .tuple(row, fc.option(text))
      .map(([{ id, title }, body]) => step(db => db.tables.posts!.update(id, { title, body }))),
    fc.tuple(n, n).map(([id, views]) => step(db => db.tables.posts!.update(keyOf(id), { views }))),
    n.map(id => step(db => db.tables.posts!.delete(keyOf(id)))),
    fc
      .tuple(
        fc.array(whole, { maxLength: 30 }),
        fc.constantFrom('fail', 'skip', 'update'),
        fc.constantFrom('abort', 'collect'),
      )
      .map(([rows, onConflict, onError]) => step(db => db.tables.posts!.bulkCreate(rows, { onConflict, onError }))),
    fc.array(whole, { maxLength: 30 }).map(rows => step(db => db.tables.posts!.bulkUpsert(rows))),
    text.map(title => step(db => db.tables.posts!.bulkUpdate({ where: { views: { $lt: 3 } }, set: { title } }))),
    n.map(views => step(db => db.tables.posts!.bulkDelete({ where: { views } }))),
    fc.tuple(whole, whole).map(([a, b]) =>
      // All or nothing, in one transaction; and several units, each with its savepoint.
      step((db, Post) =>
        Promise.allSettled([db.batch([Post.upsert(a), Post.create(b)]), db.tick([Post.create(a), Post.create(b)])]),
      ),
    ),
    fc
      .tuple(
        fc.uniqueArray(row, { selector: ({ id }) => id, minLength: 15, maxLength: 40 }),
        fc.constantFrom('skip', 'update'),
      )
      .map(([rows, onConflict]) => {
        const sound = rows.map(of => ({ ...of, title: `${of.title} sound` }))
        return step(db => db.tables.posts!.bulkCreate(sound, { onConflict }))
      }),
    fc.tuple(whole, whole, fc.boolean()).map(([a, b, kept]) =>
      step(async (db, Post) => {
        const lease = await begin(db, { posts: Post, authors: Author })
        await lease.run(Post.upsert(a)).catch(() => {})
        await lease.run(Post.upsert(b)).catch(() => {})
        await (kept ? lease.commit() : lease.rollback())
      }),
    ),
    row.map(({ id, title }) =>
      step(db => db.sql`insert or replace into posts (id, title, slug) values (${id}, ${title}, 's1')`),
    ),
    n.map(i =>
      step(db => db.sql`update or replace posts set slug = 's2', title = title || ' more' where rowid % 7 = ${i}`),
    ),
    n.map(i => step(db => db.sql`delete from posts where rowid % 5 = ${i % 5}`)),
    fc.constant(step(db => db.tables.authors!.delete('a'))),
    fc.constant(step(db => db.tables.authors!.upsert({ id: 'a', name: 'A' }))),
  )
}

const TRIGGERS: Record<string, readonly string[]> = {
  none: [],
  after: [
    `create trigger a after update of title on posts when new.title not like '% changed'
       begin update posts set title = new.title || ' changed' where id = new.id; end`,
    `create trigger b after insert on posts begin update posts set body = coalesce(body, '') || ' added' where id = new.id; end`,
    `create trigger c after insert on posts when new.title like 'tea%' begin delete from posts where id = new.id; end`,
    `create trigger d after delete on posts begin update posts set title = title || ' left' where slug = 's3'; end`,
  ],
}

describe.each(['id', 'integer'] as const)('key: %s', kind => {
  test.each(['none', 'after'])('triggers of the app: %s', async triggers => {
    await fc.assert(
      fc.asyncProperty(fc.array(steps(keys[kind]), { minLength: 1, maxLength: 25 }), async all => {
        const other = opened()
        const Post = Posts[kind]
        const db: Db = localDatabase({ posts: Post, authors: Author } as never, { parts: other.parts })
        await db.batch([
          Author.upsert({ id: 'a', name: 'A' }),
          Author.upsert({ id: 'b', name: 'B' }),
          (Post as typeof Posts.id).count(),
        ])
        for (const trigger of TRIGGERS[triggers]!) await db.run(sql`${sql.raw(trigger)}`)
        for (const step of all) await step(db, Post).catch(() => {})
        expectInStep(other.sqlite)
        await db.close()
      }),
      { numRuns: 40 },
    )
  })
})

test('many rows at once are put into the index at once, and taken back as one', async () => {
  const other = opened()
  const db = localDatabase({ posts: Posts.id, authors: Author }, { parts: other.parts })
  const rows = (from: number, count: number) =>
    Array.from({ length: count }, (_, i) => ({ id: `k${from + i}`, title: `word${from + i} tea` }))
  await db.tables.posts.count()
  const { executed } = await db.count(() => db.tables.posts.bulkCreate(rows(0, 100)))
  expect(executed).toBe(104)
  expect((await db.tables.posts.search('tea')).length).toBe(100)
  await expect(db.tables.posts.bulkCreate([...rows(100, 50), ...rows(0, 1)])).rejects.toMatchObject({ code: 'UNIQUE' })
  expect((await db.tables.posts.search('word100 OR word5')).length).toBe(1)
  await db.tables.posts.bulkUpsert(rows(50, 100).map(row => ({ ...row, title: `${row.title} changed` })))
  expect((await db.tables.posts.search('changed')).length).toBe(100)
  await db.tables.posts.create({ id: 'later', title: 'afterwards' })
  expect((await db.tables.posts.search('afterwards')).length).toBe(1)
  expectInStep(other.sqlite)
  await db.close()
})
