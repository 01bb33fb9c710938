// What the compiler says of models, rows, filters, tables, options and queries. Compiled by `tsc -b`; a wrong line is an
// error there. Nothing here is run but the declarations.
import { expect, test } from 'vitest'
import * as z from 'zod'
import {
  dataflow,
  model,
  sql,
  t,
  type Bulk,
  type Database,
  type DataFlowError,
  type Insert,
  type Json,
  type Key,
  type ModelOptions,
  type Operation,
  type Page,
  type Result,
  type Row,
  type SqlValue,
  type Table,
  type Update,
  type Where,
} from '../src/index.js'
import { DataFlowError as Failure } from '../src/index.js'

type Eq<A, B> = (<T>() => T extends A ? 1 : 2) extends <T>() => T extends B ? 1 : 2 ? true : false
const ok = <T extends true>(...values: T[]) => void values
/** Compiled, never called. */
const compiled = (body: () => unknown) => void body

const User = model(
  'User',
  {
    id: t.id(),
    email: t.text().unique(),
    name: t.text(),
    role: t.enum(['admin', 'member']).default('member'),
    age: t.integer().nullable(),
    active: t.boolean().default(true),
    settings: t.json(z.object({ theme: z.enum(['dark', 'light']).default('light'), n: z.number() })),
    avatar: t.blob().nullable(),
    score: t.real().default(0),
    balance: t.bigint().default(0n),
    createdAt: t.createdAt(),
    updatedAt: t.updatedAt(),
    version: t.version(),
  },
  { indexes: [['name'], ['role', 'age']], unique: [['name', 'age']] },
)
const Post = model('Post', {
  id: t.id(),
  authorId: t.ref('User', { onDelete: 'cascade' }),
  title: t.text(),
  tags: t.json<string[]>().default([]),
  due: t.date().nullable(),
})
const Count = model('Count', { no: t.autoId(), any: t.json(), postId: t.ref('Post').nullable() })

type U = Row<typeof User>
ok<Eq<U['role'], 'admin' | 'member'>>()
ok<Eq<U['age'], number | null>>()
ok<Eq<U['settings'], { theme: 'dark' | 'light'; n: number }>>()
ok<Eq<U['createdAt'], Date>>()
ok<Eq<U['balance'], bigint>>()
ok<Eq<U['version'], number>>()
ok<Eq<Row<typeof Post>['authorId'], string>>()
ok<Eq<Row<typeof Count>['any'], Json>>()
ok<Eq<Row<typeof Count>['postId'], string | null>>()
ok<Eq<Key<typeof User>, string>>()
ok<Eq<Key<typeof Count>, number>>()
ok<
  Eq<
    Insert<typeof User>,
    {
      email: string
      name: string
      settings: { n: number; theme?: 'dark' | 'light' | undefined }
      id?: string
      role?: 'admin' | 'member'
      age?: number | null
      active?: boolean
      avatar?: Uint8Array | ArrayBuffer | null
      score?: number
      balance?: bigint
    }
  >
>()
type Has<T, K> = K extends keyof T ? true : false
ok<Eq<Has<Update<typeof User>, 'id' | 'createdAt' | 'updatedAt' | 'version'>, false>>()
ok<Eq<NonNullable<Update<typeof User>['score']>, number | { $inc: number }>>()
ok<Eq<NonNullable<Update<typeof User>['balance']>, bigint | { $inc: bigint }>>()
ok<Eq<NonNullable<Update<typeof User>['name']>, string>>()
const Branded = model('Branded', {
  id: t.id<'UserId'>(),
  n: t.text().$type<'a' | 'b'>(),
  fixed: t.text().default('x').readonly(),
})
ok<Eq<Row<typeof Branded>['n'], 'a' | 'b'>>()
ok<Eq<Has<Insert<typeof Branded>, 'fixed'>, false>>()
const Checked = model(
  'Checked',
  {
    id: t.id(),
    mail: t.text().nullable().schema(z.email().brand<'Mail'>()),
    count: t.integer().schema(z.coerce.number<string>()),
    role: t
      .enum(['a', 'b', 'c'])
      .schema(z.enum(['a', 'b']))
      .default('a'),
    day: t.date().schema(z.date()),
    maybe: t.text().schema(z.string().default('x')),
    any: t.json().schema(z.object({ n: z.number().optional() })),
    plain: t.integer(),
  },
  { schema: z.object({ plain: z.number(), day: z.date() }).refine(row => row.plain > 0) },
)
ok<Eq<Row<typeof Checked>['mail'], (string & z.core.$brand<'Mail'>) | null>>()
ok<Eq<Row<typeof Checked>['count'], number>>()
ok<Eq<Row<typeof Checked>['role'], 'a' | 'b'>>()
ok<Eq<Row<typeof Checked>['any'], { n?: number | undefined }>>()
ok<
  Eq<
    Insert<typeof Checked>,
    {
      count: string
      day: Date
      maybe: string
      any: { n?: number | undefined }
      plain: number
      id?: string
      mail?: string | null
      role?: 'a' | 'b'
    }
  >
>()
ok<Eq<NonNullable<Update<typeof Checked>['count']>, string>>()
ok<Eq<NonNullable<Update<typeof Checked>['plain']>, number | { $inc: number }>>()
compiled(() => {
  // @ts-expect-error the schema gives what a text does not hold
  t.text().schema(z.coerce.number())
  // @ts-expect-error null is for nullable fields
  t.text().schema(z.string().nullable())
  // @ts-expect-error undefined is no value
  t.integer().schema(z.number().optional())
  // @ts-expect-error a date is read as a Date
  t.date().schema(z.string())
  // @ts-expect-error none of the enum's values
  t.enum(['a', 'b']).schema(z.enum(['a', 'x']))
  // @ts-expect-error no schema
  t.text().schema((value: string) => value)
  // @ts-expect-error the model's schema gives what the field does not hold
  model('Wrong', { id: t.id(), n: t.integer() }, { schema: z.object({ n: z.string() }) })
  // @ts-expect-error the model's schema gives what is no field
  model('Wrong', { id: t.id(), n: t.integer() }, { schema: z.object({ n: z.number(), nope: z.string() }) })
  // @ts-expect-error no schema
  model('Wrong', { id: t.id() }, { schema: true })
})
const Audited = model('Audited', { no: t.bigint().primaryKey(), name: t.text() }, { audit: true })
const Watched = model('Watched', { id: t.id(), name: t.text() }, { audit: true })
const audited = dataflow('audited', { models: { ones: Audited, twos: Watched }, actor: () => null })
compiled(async () => {
  const [entry] = await audited.audit.list({
    model: 'Audited',
    key: 1n,
    who: null,
    from: new Date(),
    limit: 5,
    after: 3,
  })
  if (entry?.action === 'create') {
    ok<Eq<typeof entry.before, null>>()
    ok<Eq<typeof entry.after, Row<typeof Audited>>>()
    ok<Eq<typeof entry.key, bigint>>()
    ok<Eq<typeof entry.who, string | null>>()
    ok<Eq<typeof entry.at, Date>>()
  }
  const anyDatabase: Database<any> = audited
  void anyDatabase
  const [any] = await audited.audit.list()
  if (any?.model === 'Watched' && any.action === 'delete') {
    ok<Eq<typeof any.before, Row<typeof Watched>>>()
    ok<Eq<typeof any.after, null>>()
    ok<Eq<typeof any.key, string>>()
  }
  ok<Eq<Awaited<ReturnType<typeof audited.audit.prune>>, number>>()
  // @ts-expect-error a model's own name, not its accessor
  await audited.audit.list({ model: 'ones' })
  // @ts-expect-error no model of that name
  await audited.audit.list({ model: 'Nope' })
  // @ts-expect-error a key is one of a model
  await audited.audit.list({ key: 'x' })
  // @ts-expect-error not this model's key
  await audited.audit.list({ model: 'Audited', key: 'x' })
  // @ts-expect-error no such option
  await audited.audit.list({ nope: 1 })
  // @ts-expect-error no such action
  await audited.audit.list({ action: 'insert' })
  // @ts-expect-error a Date
  await audited.audit.prune({ before: 5 })
  // @ts-expect-error true or false
  model('Wrong', { id: t.id() }, { audit: 'yes' })
  // @ts-expect-error no such option
  model('Wrong', { id: t.id() }, { audited: true })
  // @ts-expect-error a text, or a function that gives one
  dataflow('x', { models: { twos: Watched }, actor: 5 })
  // @ts-expect-error not later
  dataflow('x', { models: { twos: Watched }, actor: async () => 'x' })
})
const OfBranded = model('OfBranded', {
  id: t.id(),
  to: t.ref('Branded').$type<string & { readonly __brand: 'UserId' }>(),
})

const db = dataflow('app', { models: { users: User, posts: Post, counts: Count } })
ok<
  Eq<
    (typeof db)['users'],
    Table<typeof User, { readonly users: typeof User; readonly posts: typeof Post; readonly counts: typeof Count }>
  >
>()
const handed: Table<typeof User> = db.users
void handed
// A model keeps its options as they were written: what it can do may depend on them.
ok<Eq<(typeof User)['$options']['unique'], readonly [readonly ['name', 'age']]>>()
ok<Eq<keyof (typeof Post)['$options'], never>>()

compiled(async () => {
  const u = await db.users.create({ email: 'a@b.c', name: 'Ada', settings: { n: 1 } })
  ok<Eq<typeof u, U>>()
  const listed = await db.users.list({
    where: {
      role: 'admin',
      age: { $gte: 18, $lt: 65, $null: false },
      $or: [{ name: { $startsWith: 'A', $ci: true } }, { email: { $like: '%@x.com' } }],
      $and: [false, null, undefined, { active: true }],
      $not: { role: { $in: ['member'] } },
      $sql: sql<boolean>`length(name) > 3`,
    },
    orderBy: [{ name: 'asc' }, { age: 'desc' }],
    select: ['id', 'name'],
    limit: 20,
  })
  ok<Eq<typeof listed, { id: string; name: string }[]>>()
  const read = await db.users.read(u.id)
  ok<Eq<typeof read, U | null>>()
  const some = await db.users.readOrThrow(u.id, { select: ['age'] })
  ok<Eq<typeof some, { age: number | null }>>()
  const first = await db.users.first({ select: ['id'] })
  ok<Eq<typeof first, { id: string } | null>>()
  const page = await db.users.page({ limit: 5, select: ['id'] })
  ok<Eq<typeof page, Page<{ id: string }>>>()
  const bulk = await db.counts.bulkCreate([{ any: [1, null, { a: 'x' }] }])
  ok<Eq<typeof bulk, Bulk<number>>>()
  for await (const row of db.users.iterate({ select: ['id'], chunk: 500 })) ok<Eq<typeof row, { id: string }>>()
  await db.users.update(u.id, { score: { $inc: 1 }, balance: { $inc: 1n }, age: null })
  await db.users.upsert({ email: 'e', name: 'n', settings: { n: 1 } }, { on: 'email', update: { age: 3 } })
  await db.users.bulkUpdate({ where: { role: 'admin' }, set: { active: false } })
  await db.users.bulkDelete({ all: true })
  await db.posts.count({ tags: { $has: 'x' }, due: { $gt: new Date() } }, { signal: new AbortController().signal })

  // @ts-expect-error text operators are not for numbers
  await db.users.list({ where: { age: { $startsWith: 'x' } } })
  // @ts-expect-error a number is compared with a number
  await db.users.list({ where: { age: 'x' } })
  // @ts-expect-error not one of the enum's values
  await db.users.list({ where: { role: 'guest' } })
  // @ts-expect-error no such field
  await db.users.list({ where: { nope: 1 } })
  // @ts-expect-error no such operator
  await db.users.list({ where: { age: { $greater: 1 } } })
  // @ts-expect-error an order is not for booleans
  await db.users.list({ where: { active: { $gt: false } } })
  // @ts-expect-error no such field to order by
  await db.users.list({ orderBy: { nope: 'asc' } })
  // @ts-expect-error no such field to select
  await db.users.list({ select: ['nope'] })
  // @ts-expect-error unknown field
  await db.users.create({ email: 'a', name: 'b', settings: { n: 1 }, nope: 1 })
  // @ts-expect-error name and settings are missing
  await db.users.create({ email: 'a' })
  // @ts-expect-error a key of autoId is a number
  await db.counts.read('x')
  // @ts-expect-error a page needs a limit
  await db.users.page({})
  // @ts-expect-error must say which rows
  await db.users.bulkDelete({})
  // @ts-expect-error must say which rows
  await db.users.bulkUpdate({ set: { age: 1 } })
  // @ts-expect-error not both
  await db.users.bulkDelete({ all: true, where: { age: 1 } })
  // @ts-expect-error false names no rows
  await db.users.bulkDelete({ all: false })
  // @ts-expect-error createdAt is managed
  await db.users.update(u.id, { createdAt: new Date() })
  // @ts-expect-error a key is never changed
  await db.users.update(u.id, { id: 'x' })
  // @ts-expect-error the version is counted by the library
  await db.users.update(u.id, { version: 2 })
  // @ts-expect-error $inc is for numbers
  await db.users.update(u.id, { name: { $inc: 1 } })
  // @ts-expect-error a bigint grows by a bigint
  await db.users.update(u.id, { balance: { $inc: 1 } })
  // @ts-expect-error no such accessor
  db.people
  // @ts-expect-error no such accessor
  await db.ensure('people')
  // @ts-expect-error no such accessor
  await db.tableStatus('User')
})

const Note = model(
  'Note',
  { id: t.id(), text: t.text(), n: t.integer().default(0), version: t.version(), deletedAt: t.date().nullable() },
  { softDelete: true, unique: [['text']] },
)
const Entry = model('Entry', { id: t.autoId(), text: t.text() }, { appendOnly: true })
ok<Eq<Row<typeof Note>['deletedAt'], Date | null>>()
ok<Eq<Has<Insert<typeof Note> & Update<typeof Note>, 'deletedAt'>, false>>()
ok<Eq<Insert<typeof Note>, { text: string; id?: string; n?: number }>>()
ok<Eq<Has<typeof User, 'restore' | 'purge' | 'bulkRestore' | 'bulkPurge'>, false>>()
ok<Eq<Has<typeof Entry, 'update' | 'delete' | 'bulkUpdate' | 'bulkUpsert' | 'bulkDelete' | 'restore'>, false>>()

compiled(async () => {
  const { notes, entries, users } = dataflow('app', { models: { notes: Note, entries: Entry, users: User } })
  const note = await notes.create({ text: 'a' })
  ok<Eq<typeof note, Row<typeof Note>>>()
  const restored = await notes.restore(note.id, { version: 2, signal: new AbortController().signal })
  ok<Eq<typeof restored, Row<typeof Note>>>()
  ok<Eq<Awaited<ReturnType<typeof notes.purge>>, boolean>>()
  const purged = await notes.bulkPurge({ where: { deletedAt: { $lt: new Date() } } }, { durability: 'strict' })
  ok<Eq<typeof purged, Bulk<string>>>()
  await notes.bulkRestore({ all: true })
  await notes.delete(note.id, { version: note.version })
  const listed = await notes.list({ withDeleted: true, select: ['id', 'deletedAt'] })
  ok<Eq<typeof listed, { id: string; deletedAt: Date | null }[]>>()
  await notes.read('a', { withDeleted: true })
  await notes.first({ withDeleted: false })
  await notes.page({ limit: 1, withDeleted: true })
  for await (const row of notes.iterate({ withDeleted: true })) ok<Eq<typeof row, Row<typeof Note>>>()
  await notes.count({}, { withDeleted: true })
  const sum = await notes.aggregate({ sum: ['n'], withDeleted: true })
  ok<Eq<typeof sum, { sum: { n: number | null } }>>()
  await notes.distinct('text', { withDeleted: true })
  const restore = Note.restore('a')
  ok<Eq<Result<typeof restore>, Row<typeof Note>>>()
  ok<Eq<(typeof restore)['write'], true>>()
  await entries.bulkCreate([{ text: 'a' }], { onConflict: 'skip' })
  const entry = await entries.upsert({ text: 'a' }, { update: [] })
  ok<Eq<typeof entry, Row<typeof Entry>>>()

  // @ts-expect-error deletedAt is the library's to write
  await notes.create({ text: 'a', deletedAt: new Date() })
  // @ts-expect-error deletedAt is the library's to write
  await notes.update('a', { deletedAt: null })
  // @ts-expect-error deletedAt is the library's to write
  await notes.upsert({ text: 'a' }, { update: ['deletedAt'] })
  // @ts-expect-error must say which rows
  await notes.bulkPurge({})
  // @ts-expect-error withDeleted is for reading
  await notes.bulkDelete({ all: true, withDeleted: true })
  // @ts-expect-error true or false
  await notes.list({ withDeleted: 1 })
  // @ts-expect-error withDeleted is for a model with softDelete: true
  await users.list({ withDeleted: true })
  // @ts-expect-error withDeleted is for a model with softDelete: true
  await users.read('a', { withDeleted: true })
  // @ts-expect-error withDeleted is for a model with softDelete: true
  await users.page({ limit: 1, withDeleted: true })
  // @ts-expect-error withDeleted is for a model with softDelete: true
  await users.count({}, { withDeleted: true })
  // @ts-expect-error withDeleted is for a model with softDelete: true
  await users.aggregate({ count: true, withDeleted: true })
  // @ts-expect-error withDeleted is for a model with softDelete: true
  await users.distinct('name', { withDeleted: true })
  // @ts-expect-error withDeleted is for a model with softDelete: true
  users.iterate({ withDeleted: true })
  // @ts-expect-error withDeleted is for a model with softDelete: true
  User.list({ withDeleted: true })
  // @ts-expect-error withDeleted is for a model with softDelete: true
  User.count({}, { withDeleted: true })
  // @ts-expect-error only a model with softDelete has it
  await users.restore('a')
  // @ts-expect-error only a model with softDelete has it
  User.purge('a')
  // @ts-expect-error appendOnly rows are never changed
  await entries.update(1, { text: 'b' })
  // @ts-expect-error appendOnly rows are never deleted
  await entries.delete(1)
  // @ts-expect-error appendOnly rows are never changed
  Entry.bulkUpdate({ all: true, set: { text: 'b' } })
  // @ts-expect-error update must be []: appendOnly rows are never changed
  await entries.upsert({ text: 'a' })
  // @ts-expect-error update must be []: appendOnly rows are never changed
  await entries.upsert({ text: 'a' }, { update: ['text'] })
  // @ts-expect-error appendOnly rows are never changed
  await entries.bulkCreate([{ text: 'a' }], { onConflict: 'update' })
  const { id } = User.$fields
  // @ts-expect-error softDelete needs a field: deletedAt: t.date().nullable()
  model('Bad', { id }, { softDelete: true })
  // @ts-expect-error softDelete needs a field: deletedAt: t.date().nullable()
  model('Bad', { id, deletedAt: t.date() }, { softDelete: true })
  // @ts-expect-error softDelete needs a field: deletedAt: t.date().nullable()
  model('Bad', { id, deletedAt: t.text().nullable() }, { softDelete: true })
  // @ts-expect-error softDelete and appendOnly exclude each other
  model('Bad', { id, deletedAt: t.date().nullable() }, { softDelete: true, appendOnly: true })
  // @ts-expect-error true or false
  model('Bad', { id, deletedAt: t.date().nullable() }, { softDelete: 'deletedAt' })
})

compiled(async () => {
  const all = await db.users.aggregate({
    count: true,
    sum: ['score', 'balance', 'age'],
    avg: ['age'],
    min: ['createdAt'],
  })
  ok<
    Eq<
      typeof all,
      {
        count: number
        sum: { score: number | null; balance: bigint | null; age: number | null }
        avg: { age: number | null }
        min: { createdAt: Date | null }
      }
    >
  >()
  const groups = await db.users.aggregate({
    groupBy: ['role', 'age'],
    where: { active: true },
    count: ['age'],
    countDistinct: ['settings'],
    sum: ['balance', 'age'],
    avg: ['score'],
    max: ['name', 'createdAt'],
    having: { count: { $gt: 1 }, sum: { balance: { $gte: 10n } }, $or: [{ role: 'admin' }, { max: { name: 'x' } }] },
    orderBy: [{ count: 'desc' }, { sum: { balance: 'asc' }, role: 'asc' }],
    limit: 10,
    signal: new AbortController().signal,
  })
  ok<
    Eq<
      typeof groups,
      {
        role: 'admin' | 'member'
        age: number | null
        count: { age: number }
        countDistinct: { settings: number }
        sum: { age: number | null; balance: bigint }
        avg: { score: number }
        max: { name: string; createdAt: Date }
      }[]
    >
  >()
  const byRole = await db.users.aggregate({ groupBy: 'role', count: true })
  ok<Eq<typeof byRole, { role: 'admin' | 'member'; count: number }[]>>()
  const operation = User.aggregate({ groupBy: ['role'], max: ['age'] })
  ok<Eq<Result<typeof operation>, { role: 'admin' | 'member'; max: { age: number | null } }[]>>()
  const roles = await db.users.distinct('role')
  ok<Eq<typeof roles, ('admin' | 'member')[]>>()
  const ages = await db.users.distinct('age', { where: { active: true }, limit: 3 })
  ok<Eq<typeof ages, (number | null)[]>>()

  // @ts-expect-error a text has no sum
  await db.users.aggregate({ sum: ['name'] })
  // @ts-expect-error JSON has no order
  await db.users.aggregate({ min: ['settings'] })
  // @ts-expect-error no such field
  await db.users.aggregate({ count: ['nope'] })
  // @ts-expect-error no such field to group by
  await db.users.aggregate({ groupBy: ['nope'], count: true })
  // @ts-expect-error no such option
  await db.users.aggregate({ count: true, total: ['age'] })
  // @ts-expect-error having is for groups
  await db.users.aggregate({ count: true, having: { count: 1 } })
  // @ts-expect-error limit is for groups
  await db.users.aggregate({ count: true, limit: 1 })
  // @ts-expect-error no such field in the filter
  await db.users.aggregate({ where: { nope: 1 }, count: true })
  // @ts-expect-error no such aggregate
  await db.users.aggregate({ groupBy: ['role'], having: { median: { age: 1 } } })
  // @ts-expect-error no such operator on a count
  await db.users.aggregate({ groupBy: ['role'], having: { count: { $contains: 'x' } } })
  // @ts-expect-error the sum of a bigint is a bigint
  await db.users.aggregate({ groupBy: ['role'], having: { sum: { balance: { $gt: 1 } } } })
  // @ts-expect-error of which field?
  await db.users.aggregate({ groupBy: ['role'], having: { sum: { $gt: 1 } } })
  // @ts-expect-error not a direction
  await db.users.aggregate({ groupBy: ['role'], orderBy: { count: 'up' } })
  // @ts-expect-error a text has no sum to order by
  await db.users.aggregate({ groupBy: ['role'], orderBy: { sum: { name: 'asc' } } })
  // @ts-expect-error nothing was counted
  byRole[0]?.sum
  // @ts-expect-error no such field
  await db.users.distinct('nope')
  // @ts-expect-error no such option
  await db.users.distinct('role', { orderBy: { role: 'asc' } })
  const Stock = model('Stock', { id: t.id(), count: t.integer() })
  const stock = dataflow('stock', { models: { stocks: Stock } }).stocks
  ok<Eq<Awaited<ReturnType<typeof stock.distinct<'count'>>>, number[]>>()
  // @ts-expect-error the answer's `count` is the number of rows
  await stock.aggregate({ groupBy: ['count'], count: true })
})

compiled(async () => {
  const [u, n, rows] = await db.batch([
    User.create({ email: 'x', name: 'y', settings: { n: 2 } }),
    Post.count({ authorId: 'a' }),
    sql<{ a: number }>`select 1 as a`,
  ])
  ok<Eq<typeof u, U>>()
  ok<Eq<typeof n, number>>()
  ok<Eq<typeof rows, { a: number }[]>>()
  const tuple = await db.batch([User.count(), sql`select 1`, Post.list({ select: ['id'] }), User.delete('a')])
  ok<Eq<typeof tuple, [number, Record<string, SqlValue>[], { id: string }[], boolean]>>()
  const none = await db.batch([])
  ok<Eq<typeof none, []>>()
  const list: readonly Operation<U>[] = []
  const many = await db.batch(list)
  ok<Eq<typeof many, U[]>>()
  const fixed = [Post.count(), User.count()] as const
  const counts = await db.batch(fixed, { durability: 'strict' })
  ok<Eq<typeof counts, [number, number]>>()
  const [first, ...others] = await db.batch([User.count(), ...list])
  ok<Eq<typeof first, number>>()
  ok<Eq<typeof others, U[]>>()
  // @ts-expect-error there are two results
  counts[2]
  // @ts-expect-error no such option
  await db.batch([User.count()], { timeout: 5 })
  // @ts-expect-error it has run already: a promise is no operation
  await db.batch([db.users.count()])
  const op = Post.first({ select: ['title'] })
  ok<Eq<Result<typeof op>, { title: string } | null>>()
  ok<Eq<(typeof op)['write'], false>>()
  const one = await db.run(op)
  ok<Eq<typeof one, { title: string } | null>>()
  const raw = await db.run(sql<{ n: number }>`select count(*) as n from users`)
  ok<Eq<typeof raw, { n: number }[]>>()
  const untyped = await db.sql`select 1 as a`
  ok<Eq<typeof untyped, Record<string, SqlValue>[]>>()
  const as = await db.run(sql`select 1 as a`.as(z.object({ a: z.number() })))
  ok<Eq<typeof as, { a: number }[]>>()
  const inTransaction = await db.transaction(
    async tx => {
      const post = await tx.posts.create({ authorId: 'a', title: 't' })
      await tx.sql`update users set score = score + 1 where id = ${post.authorId}`
      const [count] = await tx.batch([Post.count()])
      ok<Eq<typeof count, number>>()
      tx.afterCommit(() => {})
      const title = await tx.savepoint(async inner => {
        ok<Eq<typeof inner, typeof tx>>()
        const deeper = await inner.savepoint(async innermost => (await innermost.posts.readOrThrow(post.id)).title)
        ok<Eq<typeof deeper, string>>()
        return { deeper }
      })
      ok<Eq<typeof title, { deeper: string }>>()
      // @ts-expect-error a savepoint runs a function
      await tx.savepoint([Post.count()])
      // @ts-expect-error its function is asynchronous
      await tx.savepoint(() => 1)
      // @ts-expect-error it has the time and the durability of its transaction
      await tx.savepoint(async () => {}, { timeout: 100 })
      // @ts-expect-error a callback
      tx.afterCommit(post.id)
      // @ts-expect-error a transaction has no transactions
      await tx.transaction(async () => {})
      return post.id
    },
    { timeout: 5000, maxWait: 100, durability: 'strict' },
  )
  ok<Eq<typeof inTransaction, string>>()
  // @ts-expect-error not an operation
  await db.run({ model: 'User' })
  // @ts-expect-error not an operation
  await db.batch([1])
  // @ts-expect-error no such option
  await db.transaction(async () => 1, { mode: 'exclusive' })
  // @ts-expect-error a savepoint is of a transaction
  await db.savepoint(async () => 1)
  const off = db.on('change', ({ model: name, ids }) => ok<Eq<typeof name, string>>(...(ids === 'all' ? [] : [])))
  off()
  // @ts-expect-error no such event
  db.on('saved', () => {})
  await using other = dataflow('other', { models: { users: User } })
  const [entry] = await other.migrations.history()
  ok<Eq<NonNullable<typeof entry>['appliedAt'], Date | null>>()
  const caught: unknown = null
  if (Failure.is(caught, 'UNIQUE')) ok<Eq<typeof caught.code, 'UNIQUE'>>()
})

compiled(() => {
  const filter: Where<(typeof User)['$fields']> = { email: { $nin: ['a'] } }
  const failure = (e: DataFlowError) => e.issues?.[0]?.path
  // @ts-expect-error no such option
  dataflow('x', { models: { users: User }, autoMigrat: true })
  // @ts-expect-error no such level
  dataflow('x', { models: { users: User }, durability: 'fast' })
  // @ts-expect-error a database needs models
  dataflow('x', {})
  // @ts-expect-error not a model
  dataflow('x', { models: { users: {} } })
  return [filter, failure]
})

compiled(() => {
  // @ts-expect-error dangling ref: User is not passed
  dataflow('x', { models: { posts: Post } })
  for (const { sql: reserved } of [{ sql: User }]) {
    // @ts-expect-error reserved accessor
    dataflow('x', { models: { sql: reserved } })
    // @ts-expect-error reserved accessor
    dataflow('x', { models: { transaction: reserved } })
  }
  const toCount = { id: t.id(), countNo: t.ref('Count') }
  // @ts-expect-error the key of Count is a number: .$type<number>() is missing
  dataflow('x', { models: { users: User, posts: Post, counts: Count, wrong: model('Wrong', toCount) } })
  const right = model('Right', { ...toCount, countNo: t.ref('Count').$type<number>().nullable() })
  dataflow('x', { models: { users: User, posts: Post, counts: Count, right } })
  dataflow('x', { models: { branded: Branded, of: OfBranded } })
  dataflow('x', { models: { nodes: model('Node', { id: t.id(), parentId: t.ref('Node').nullable() }) } })
  // @ts-expect-error no primary key
  model('Bad', { a: t.text() })
  // @ts-expect-error composite keys are refused
  model('Bad', { a: t.text().primaryKey(), b: t.text().primaryKey() })
  // @ts-expect-error `$` is for operators
  model('Bad', { id: t.id(), $a: t.text() })
  // @ts-expect-error an index over a field that does not exist
  model('Bad', { id: t.id() }, { indexes: [['nope']] })
  // @ts-expect-error no such option
  model('Bad', { id: t.id() }, { tables: 'bad' })
  // @ts-expect-error no such option of an index
  model('Bad', { id: t.id() }, { indexes: [{ on: ['id'], were: sql<boolean>`id <> ''` }] })
  const options: ModelOptions<(typeof Post)['$fields']> = { indexes: [['title']] }
  ok<Eq<Row<ReturnType<typeof model<'Post', (typeof Post)['$fields']>>>, Row<typeof Post>>>()
  model('Post', Post.$fields, options)
  // @ts-expect-error a default of another type
  t.integer().default('x')
  // @ts-expect-error a default that is not one of the values
  t.enum(['a', 'b']).default('c')
  // @ts-expect-error no such action
  t.ref('User', { onDelete: 'explode' })
  // @ts-expect-error a date is not stored so
  t.date({ as: 'days' })
})

test('the declarations above make operations as plain data', () => {
  const op = User.list({ where: { role: 'admin' } })
  expect(op).toMatchObject({ model: 'User', op: 'list', args: [{ where: { role: 'admin' } }], write: false })
  expect(op.key).toBe(User.list({ where: { role: 'admin' } }).key)
  expect(Object.keys(db)).toEqual(expect.arrayContaining(['users', 'posts', 'counts']))
})
