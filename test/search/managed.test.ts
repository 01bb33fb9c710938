// Triggers that the library keeps on a model's table: derived from the model, part of its shape, made and dropped with it.
import { describe, expect, test } from 'vitest'
import { model, sql, t } from '../../src/index.js'
import type { AnyModel } from '../../src/model.js'
import { resolveModels } from '../../src/resolve.js'
import { managedOf } from '../../worker/migrate/managed.js'
import { checksumOf, shapeOf } from '../../worker/migrate/shape.js'
import { app, differencesOf, failureOf, history, metrics, ready, status } from '../ensure/support.js'
import { localDatabase, unwrap, type LocalDatabase } from '../support/local.js'
import { opened } from './support.js'

const fields = { id: t.id(), title: t.text(), body: t.text().nullable(), views: t.integer().default(0) }
const Plain = model('Post', fields)
const Post = model('Post', fields, { search: ['title', 'body'] })
const Titles = model('Post', fields, { search: ['title'] })

const shapeOfModel = (declared: AnyModel) => shapeOf(resolveModels({ posts: declared }).get(declared.$name)!.definition)

const ownObjects = async (db: LocalDatabase<any>) =>
  (
    await db.sql<{ name: string }>`
      select name from sqlite_schema where name glob 'tr:*' or name glob 'dataflow_search*' order by name`
  ).map(({ name }) => name)

/** Docids of the index that hold the word. */
const found = async (db: LocalDatabase<any>, word: string) =>
  (
    await db.sql<{ id: string }>`select p.id from posts p where p.rowid in
      (select docid from "dataflow_search(posts)" where "dataflow_search(posts)" match ${word}) order by p.id`
  ).map(({ id }) => id)

const isSound = async (db: LocalDatabase<any>) =>
  expect(await db.sql`pragma integrity_check`).toEqual([{ integrity_check: 'ok' }])

const SHADOWS = ['', '_docsize', '_segdir', '_segments', '_stat'].map(end => `dataflow_search(posts)${end}`)
const TRIGGERS = ['delete', 'insert', 'update in', 'update out'].map(what => `tr:posts:search:${what}`)
const ALL = [...SHADOWS, ...TRIGGERS]

test('a model without triggers has the shape and the checksum that it always had', () => {
  const shape = shapeOfModel(Plain)
  expect(Object.keys(shape)).toEqual(['model', 'table', 'columns', 'indexes', 'checks'])
  // As the release before wrote it into registries.
  expect(checksumOf(shape)).toBe('5f342cf40869c94880c1e04ebce71e9c9a8ff7b6339774206864e036af1b14d1')
  expect(checksumOf(shapeOfModel(Post))).not.toBe(checksumOf(shape))
  const turned = model('Post', fields, { search: ['body', 'title'] })
  expect(checksumOf(shapeOfModel(turned))).toBe(checksumOf(shapeOfModel(Post)))
})

test('they are made with the table', async () => {
  const db = localDatabase({ posts: Post })
  await db.tables.posts.create({ id: 'a', title: 'Hello' })
  expect(await ownObjects(db)).toEqual(ALL)
  expect((await history(db)).map(({ name }) => name)).toEqual(['create posts'])
  const { operations } = (await history(db))[0]!
  expect(operations.map(({ operation_type }) => operation_type)).toEqual([
    'create_table',
    'create_search',
    ...TRIGGERS.map(() => 'create_trigger'),
  ])
  expect(await found(db, 'hello')).toEqual(['a'])
  await db.close()
})

test('create, update and delete of a model with triggers of the library only are one statement each', async () => {
  const db = localDatabase({ posts: Post })
  const { posts } = db.tables
  await posts.create({ id: 'a', title: 'Hello' })
  const one = async (work: () => Promise<unknown>) => expect((await db.count(work)).executed).toBe(1)
  await one(() => posts.create({ id: 'b', title: 'Good bye' }))
  await one(() => posts.update('b', { title: 'Farewell' }))
  await one(() => posts.upsert({ id: 'b', title: 'Adieu' }))
  await one(() => posts.bulkUpdate({ where: { id: 'b' }, set: { body: 'words' } }))
  await one(() => posts.delete('b'))
  await one(() => posts.bulkDelete({ where: { id: 'zz' } }))
  // A trigger of the app on another table changes nothing about that.
  await db.sql`create table notes (text)`
  await db.sql`create trigger mine after insert on notes begin delete from notes where text is null; end`
  await posts.count()
  await one(() => posts.create({ id: 'c', title: 'Again' }))
  await one(() => posts.update('c', { title: 'And again' }))
  await one(() => posts.delete('c'))
  // One on the table itself is read after, as ever.
  await db.sql`create trigger m after insert on posts begin update posts set views = 7 where id = new.id; end`
  await posts.count()
  const { executed, result } = await db.count(() => posts.create({ id: 'd', title: 'Late' }))
  expect([executed, result.views]).toEqual([2, 7])
  await isSound(db)
  await db.close()
})

test('what they write is no change of a model', async () => {
  const db = localDatabase({ posts: Post, others: model('Other', { id: t.id() }) })
  await db.sql`create trigger mine after insert on others begin select 1; end`
  await db.tables.posts.create({ id: 'a', title: 'Hello' })
  const change = db.events.findLast(event => event.type === 'change')
  expect(change!.detail).toEqual({ model: 'Post', ids: ['a'], origin: 'local' })
  await db.close()
})

describe('raw SQL', () => {
  test('writes the table of the model', async () => {
    const db = localDatabase({ posts: Post })
    await db.sql`insert into posts (id, title) values ('a', 'Hello world')`
    expect(await found(db, 'world')).toEqual(['a'])
    await db.sql`update posts set title = 'Good bye', rowid = 17`
    expect([await found(db, 'world'), await found(db, 'bye')]).toEqual([[], ['a']])
    await db.sql`delete from posts`
    expect(await found(db, 'bye')).toEqual([])
    await isSound(db)
    await db.close()
  })

  test('that replaces rows: those that go are told to the triggers', async () => {
    const db = localDatabase({ posts: Post })
    await db.tables.posts.create({ id: 'a', title: 'Hello' })
    await db.sql`insert or replace into posts (id, title) values ('a', 'Good bye')`
    await db.sql`replace /* all */ into posts (id, title) values ('a', 'See you')`
    await db.sql`update or /**/ replace posts set title = 'The end'`
    expect([await found(db, 'hello OR good OR see'), await found(db, 'end')]).toEqual([[], ['a']])
    await isSound(db)
    expect(await db.sql`select * from pragma_recursive_triggers`).toEqual([{ recursive_triggers: 0 }])
    await db.close()
  })

  test.each([
    'delete from "dataflow_search(posts)"',
    `insert into "dataflow_search(posts)" ("dataflow_search(posts)") values ('rebuild')`,
    'update [dataflow_search(posts)] set title = 1',
    'drop table `dataflow_search(posts)`',
    'delete from "dataflow_search(posts)_docsize"',
    'drop trigger "tr:posts:search:insert"',
    'drop trigger [tr:posts:search:insert]',
    'create trigger "tr:mine" after insert on posts begin select 1; end',
    'create trigger mine after insert on posts begin delete from "dataflow_search(posts)"; end',
    'alter table "dataflow_search(posts)_stat" add column x',
  ])('is refused where it names what is the library’s: %s', async text => {
    const db = localDatabase({ posts: Post })
    await db.tables.posts.create({ id: 'a', title: 'Hello' })
    expect(await failureOf(db.run(sql`${sql.raw(text)}`))).toMatchObject({ code: 'READONLY' })
    expect(await found(db, 'hello')).toEqual(['a'])
    await db.close()
  })

  test('may have a full-text table of its own', async () => {
    const db = localDatabase({ posts: Post })
    await db.tables.posts.create({ id: 'a', title: 'Hello' })
    await db.sql`create virtual table mine using fts4(x)`
    await db.sql`insert into mine values ('some words')`
    expect(await db.sql`select count(*) as n from mine where mine match 'words'`).toEqual([{ n: 1 }])
    await db.sql`drop table mine`
    expect(await found(db, 'hello')).toEqual(['a'])
    await db.close()
  })
})

describe('a migration', () => {
  const rows = [
    { id: 'a', title: 'Hello world', body: 'first' },
    { id: 'b', title: 'Good bye', body: 'last words' },
  ]
  async function migrated(from: AnyModel, to: AnyModel, more: Record<string, AnyModel> = {}) {
    const { start } = app()
    const first = (await start({ posts: from, ...more })) as LocalDatabase<any>
    await first.tables.posts!.bulkCreate(rows)
    await first.tables.posts!.delete('zz')
    const second = (await start({ posts: to, ...more })) as LocalDatabase<any>
    const report = await ready(second)
    return { db: second, kinds: report.applied.map(({ kind }) => kind), start }
  }

  test('switches it on: existing rows are in the index', async () => {
    const { db, kinds } = await migrated(Plain, Post)
    expect(kinds).toEqual(['createSearch', ...TRIGGERS.map(() => 'createTrigger')])
    expect([await found(db, 'world'), await found(db, 'words')]).toEqual([['a'], ['b']])
    await isSound(db)
    await db.close()
  })

  test('switches it off', async () => {
    const { db, kinds } = await migrated(Post, Plain)
    expect(kinds).toEqual([...TRIGGERS.map(() => 'dropTrigger'), 'dropSearch'])
    expect(await ownObjects(db)).toEqual([])
    await db.tables.posts!.update('a', { title: 'x' })
    await db.close()
  })

  test('changes the fields', async () => {
    const { db, kinds } = await migrated(Titles, Post)
    expect(new Set(kinds)).toEqual(new Set(['dropTrigger', 'dropSearch', 'createSearch', 'createTrigger']))
    expect([await found(db, 'world'), await found(db, 'words')]).toEqual([['a'], ['b']])
    await isSound(db)
    await db.close()
  })

  test('that does not touch them leaves them alone', async () => {
    const { db, kinds } = await migrated(
      Post,
      model('Post', fields, { search: ['title', 'body'], indexes: [['views']] }),
    )
    expect(kinds).toEqual(['createIndex'])
    await isSound(db)
    await db.close()
  })

  test('renames a field', async () => {
    const { title: _title, ...others } = fields
    const renamed = model('Post', { ...others, name: t.text().renamedFrom('title') }, { search: ['name', 'body'] })
    const { db, kinds } = await migrated(Post, renamed)
    expect(kinds).toContain('renameColumn')
    await db.tables.posts!.update('a', { name: 'Changed' })
    expect([await found(db, 'name:changed'), await found(db, 'bye'), await found(db, 'hello')]).toEqual([
      ['a'],
      ['b'],
      [],
    ])
    await isSound(db)
    await db.close()
  })

  test('adds, renames and drops fields that are not searched', async () => {
    const { views: _views, ...others } = fields
    const changed = { ...others, seen: t.integer().default(0).renamedFrom('views'), note: t.text().nullable() }
    const { db, kinds } = await migrated(Post, model('Post', changed, { search: ['title', 'body'] }))
    expect(kinds).toEqual(['renameColumn', 'addColumn'])
    await db.tables.posts!.update('b', { title: 'Changed', seen: 2 })
    expect(await found(db, 'changed')).toEqual(['b'])
    await isSound(db)
    await db.close()
  })

  test('rebuilds the table', async () => {
    const stricter = {
      ...fields,
      views: t
        .integer()
        .default(0)
        .check(sql`views >= 0`),
    }
    const { db, kinds } = await migrated(Post, model('Post', stricter, { search: ['title', 'body'] }))
    expect(kinds).toContain('rebuildTable')
    expect(await ownObjects(db)).toEqual(ALL)
    await db.tables.posts!.update('a', { title: 'Changed' })
    await db.tables.posts!.create({ id: 'c', title: 'New' })
    expect([await found(db, 'changed'), await found(db, 'bye'), await found(db, 'new')]).toEqual([['a'], ['b'], ['c']])
    await isSound(db)
    await db.close()
  })

  test('renames the table', async () => {
    const { start } = app()
    const first = await start({ notes: Post })
    await first.tables.notes.bulkCreate(rows)
    const second = await start({ posts: Post })
    await ready(second)
    expect(await ownObjects(second)).toEqual(ALL)
    await second.tables.posts.update('a', { title: 'Changed' })
    expect([await found(second, 'changed'), await found(second, 'bye')]).toEqual([['a'], ['b']])
    await isSound(second)
    await second.close()
  })

  test('removes the model, and takes it up again', async () => {
    const Other = model('Other', { id: t.id() })
    const { start } = app()
    const first = await start({ posts: Post, others: Other })
    await first.tables.posts.bulkCreate(rows)
    await first.tables.others.count()
    const second = await start({ others: Other }, { version: 2 })
    await ready(second)
    expect(await ownObjects(second)).toEqual([])
    expect(await second.sql`select count(*) as n from posts`).toEqual([{ n: 2 }])
    const third = await start({ posts: Post, others: Other }, { version: 3 })
    expect(await third.tables.posts.count()).toBe(2)
    expect(await found(third, 'bye')).toEqual(['b'])
    await isSound(third)
    await third.close()
  })
})

test('a removed model that is given up takes its index along', async () => {
  const Other = model('Other', { id: t.id() })
  const { start } = app()
  const first = await start({ posts: Post, others: Other })
  await first.batch([Post.count(), Other.count()])
  const second = await start({ others: Other }, { migrations: { onDestructive: 'apply' } })
  expect((await ready(second)).applied.map(({ kind }) => kind)).toEqual(['dropSearch', 'dropTable'])
  expect(await ownObjects(second)).toEqual([])
  await second.close()
})

describe('drift', () => {
  test('a trigger that somebody has dropped is told, with the statements that mend it', async () => {
    const other = opened()
    const db = localDatabase({ posts: Post }, { parts: other.parts })
    await db.tables.posts.create({ id: 'a', title: 'Hello' })
    other.sqlite.run('DROP TRIGGER "tr:posts:search:update in"')
    other.sqlite.run(`UPDATE posts SET title = 'Good bye'`)
    await unwrap(db.engine.schema.ensure([])).catch(() => {})
    await db.sql`create view v as select 1`
    const error = await failureOf(db.tables.posts.count())
    expect(error).toMatchObject({ code: 'SCHEMA_MISMATCH', model: 'Post' })
    expect(differencesOf(error)).toEqual(['Post lacks the trigger tr:posts:search:update in in the database'])
    expect(await status(db, 'Post')).toBe('needs_migration')
    const { drift } = await unwrap(db.engine.schema.status())
    expect(drift[0]!.sql).toBe(error.sql)
    // Each of its statements may be run as raw SQL.
    for (const text of statementsOf(error.sql!)) await db.run(sql`${sql.raw(text)}`)
    expect([await found(db, 'hello'), await found(db, 'bye')]).toEqual([[], ['a']])
    expect(await db.tables.posts.count()).toBe(1)
    await isSound(db)
    // And only while it is wrong.
    expect(await failureOf(db.run(sql`${sql.raw(statementsOf(error.sql!)[0]!)}`))).toMatchObject({ code: 'READONLY' })
    await db.close()
  })

  test('a trigger that somebody has changed, one too many, and an index that is gone', async () => {
    const other = opened()
    const db = localDatabase({ posts: Post }, { parts: other.parts })
    await db.tables.posts.create({ id: 'a', title: 'Hello' })
    other.sqlite.run('DROP TRIGGER "tr:posts:search:insert"')
    other.sqlite.run('CREATE TRIGGER "tr:posts:search:insert" AFTER INSERT ON posts BEGIN SELECT 1; END')
    other.sqlite.run('CREATE TRIGGER "tr:posts:other" AFTER INSERT ON posts BEGIN SELECT 1; END')
    other.sqlite.run('DROP TABLE "dataflow_search(posts)"')
    await db.sql`create view v as select 1`
    const error = await failureOf(db.tables.posts.count())
    expect(differencesOf(error)).toEqual([
      'Post has another trigger tr:posts:search:insert in the database',
      'Post has the trigger tr:posts:other in the database, not declared',
      'Post lacks its text search index in the database',
    ])
    for (const text of statementsOf(error.sql!)) await db.run(sql`${sql.raw(text)}`)
    expect(await db.tables.posts.count()).toBe(1)
    expect(await ownObjects(db)).toEqual(ALL)
    await isSound(db)
    await db.close()
  })

  test('a table that was dropped and is made again leaves no index of its own behind', async () => {
    const db = localDatabase({ posts: Post })
    await db.tables.posts.create({ id: 'a', title: 'Hello' })
    await db.sql`drop table posts`
    await db.tables.posts.create({ id: 'b', title: 'World' })
    expect([await found(db, 'hello'), await found(db, 'world')]).toEqual([[], ['b']])
    expect(await ownObjects(db)).toEqual(ALL)
    await isSound(db)
    await db.close()
  })
})

describe('modes', () => {
  test('autoMigrate false: a model whose triggers are not there is SCHEMA_MISMATCH until they are applied', async () => {
    const { start } = app()
    const first = await start({ posts: Plain })
    await first.tables.posts.create({ id: 'a', title: 'Hello' })
    const db = await start({ posts: Post }, { autoMigrate: false })
    const error = await failureOf(db.tables.posts.count())
    expect(error.code).toBe('SCHEMA_MISMATCH')
    expect(differencesOf(error)).toContain('Post needs: create trigger tr:posts:search:insert')
    await unwrap(db.engine.schema.apply())
    expect(await db.tables.posts.count()).toBe(1)
    expect(await found(db, 'hello')).toEqual(['a'])
    await db.close()
  })

  test("autoMigrate 'warn': what does not need them runs", async () => {
    const { start } = app()
    const first = await start({ posts: Plain })
    await first.tables.posts.create({ id: 'a', title: 'Hello' })
    const db = await start({ posts: Post }, { autoMigrate: 'warn' })
    expect(await db.tables.posts.count()).toBe(1)
    await db.tables.posts.update('a', { title: 'x' })
    const [{ detail }] = db.events.filter(event => event.type === 'migrate') as any
    expect(detail.pending[0].kind).toBe('createSearch')
    const error = await failureOf(db.tables.posts.search('x'))
    expect(error).toMatchObject({ code: 'SCHEMA_MISMATCH', model: 'Post', op: 'search' })
    expect(error.message).toContain('the table has no text search index yet')
    await db.tables.posts.bulkCreate(Array.from({ length: 30 }, (_, i) => ({ title: `many ${i}` })))
    await unwrap(db.engine.schema.apply())
    expect((await db.tables.posts.search('many')).length).toBe(30)
    await db.close()
  })

  test('existingSchema makes nothing: what is lacking is SCHEMA_MISMATCH, with the statements for it', async () => {
    const { start } = app()
    const first = await start({ posts: Plain })
    await first.tables.posts.create({ id: 'a', title: 'Hello' })
    const db = await start({ posts: Post }, { existingSchema: true })
    const error = await failureOf(db.tables.posts.count())
    expect(error).toMatchObject({ code: 'SCHEMA_MISMATCH', hint: expect.stringContaining('search indexes') })
    expect(differencesOf(error)).toContain('Post lacks its text search index in the database')
    expect(await ownObjects(db)).toEqual([])
    for (const text of statementsOf(error.sql!)) await db.run(sql`${sql.raw(text)}`)
    expect(await db.tables.posts.count()).toBe(1)
    expect(await found(db, 'hello')).toEqual(['a'])
    await db.close()
    // A database that has them is as good.
    const again = await start({ posts: Post }, { existingSchema: true })
    expect(await again.tables.posts.count()).toBe(1)
    await again.close()
  })

  test("an older build without the index cannot search it; onNewer 'compatible' still writes", async () => {
    const { start } = app()
    const first = await start({ posts: Titles })
    await first.tables.posts.create({ id: 'a', title: 'Hello' })
    const newer = await start({ posts: Post }, { version: 2 })
    expect((await newer.tables.posts.search('hello')).length).toBe(1)
    const older = await start({ posts: Titles }, { version: 1, migrations: { onNewer: 'compatible' } })
    expect(await older.tables.posts.count()).toBe(1)
    expect((await failureOf(older.tables.posts.search('hello'))).code).toBe('SCHEMA_MISMATCH')
    await older.tables.posts.bulkCreate(Array.from({ length: 30 }, (_, i) => ({ title: `many ${i}` })))
    const again = await start({ posts: Post }, { version: 2 })
    expect((await again.tables.posts.search('many')).length).toBe(30)
    await isSound(again)
    await again.close()
  })

  test('a warm start reads the registry and nothing else', async () => {
    const { start } = app()
    const first = await start({ posts: Post })
    await first.tables.posts.create({ id: 'a', title: 'Hello' })
    const db = await start({ posts: Post })
    await db.tables.posts.create({ id: 'b', title: 'x' })
    expect((await metrics(db)).statements.executed).toBe(2)
    await db.close()
  })
})

test.each([
  [{ search: [] }, 'search is a list of fields.'],
  [{ search: 'title' }, 'search is a list of fields.'],
  [{ search: ['nope'] }, 'search names "nope", which is no field.'],
  [{ search: ['n'] }, 'Only texts can be searched.'],
  [{ search: ['day'] }, 'Only texts can be searched.'],
  [{ search: ['doc'] }, 'A column of that name cannot be searched.'],
  [{ search: ['option'] }, 'A column of that name cannot be searched.'],
  [{ search: ['title'] }, 'A table with a column "rowid" cannot be searched.'],
])('BAD_MODEL: %j', (options, message) => {
  const bad = () =>
    resolveModels({
      bad: model(
        'Bad',
        {
          id: t.id(),
          title: t.text(),
          n: t.integer(),
          day: t.date({ as: 'text' }),
          doc: t.text().column('DocId'),
          option: t.text().column('a=b'),
          other: t.text().column('RowID'),
        },
        options as never,
      ) as never,
    })
  expect(bad).toThrow(expect.objectContaining({ code: 'BAD_MODEL', model: 'Bad', text: message }))
})

test('names and columns of every kind', () => {
  const odd = model(
    'Odd',
    { id: t.id(), a: t.text().column('a "quoted" \'name\'') },
    { table: 'It\'s "odd" (x)', search: ['a'] },
  )
  expect(managedOf(resolveModels({ odd }).get('Odd')!.definition).search!.name).toBe('dataflow_search(It\'s "odd" (x))')
})

/** The statements of an error's SQL: a trigger has a semicolon inside. */
const statementsOf = (text: string) => text.split(/;\n/)
