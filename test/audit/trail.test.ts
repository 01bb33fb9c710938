// The audit trail: every change of a row, by every way that changes one.
import { describe, expect, test } from 'vitest'
import { model, sql, t, workflow } from '../../src/index.js'
import { localDatabase, unwrap, type LocalOptions } from '../support/local.js'

const User = model(
  'User',
  {
    id: t.id(),
    name: t.text().unique(),
    age: t.integer().default(0),
    deletedAt: t.date().nullable(),
    updatedAt: t.updatedAt(),
  },
  { audit: true },
)
const Post = model(
  'Post',
  {
    id: t.autoId(),
    userId: t.ref('User', { onDelete: 'cascade' }),
    editorId: t.ref('User', { onDelete: 'set null' }).nullable(),
    title: t.text(),
  },
  { audit: true },
)
const Plain = model('Plain', { id: t.id(), n: t.integer().default(0), userId: t.ref('User').nullable() })
const Team = model('Team', { id: t.id(), n: t.integer().default(0) })
const Member = model('Member', { id: t.id(), teamId: t.ref('Team', { onDelete: 'cascade' }) }, { audit: true })
const models = { users: User, posts: Post, plains: Plain, teams: Team, members: Member }

const open = (options: LocalOptions = {}) => localDatabase(models, { actor: 'ada', ...options })
type Db = ReturnType<typeof open>

/** Oldest first, without what differs from run to run. */
async function told(db: Db) {
  const entries = await db.audit.list()
  return entries.reverse().map(({ model, key, action, who }) => [model, key, action, who].join(' '))
}

describe('what is recorded', () => {
  test('create, update, delete: who, when, before, after', async () => {
    const db = open()
    const created = await db.tables.users.create({ id: 'u', name: 'Ada' })
    const updated = await db.tables.users.update('u', { age: 36 })
    await db.tables.users.delete('u')
    const [third, second, first] = await db.audit.list()
    expect(first).toEqual({
      id: 1,
      model: 'User',
      key: 'u',
      who: 'ada',
      at: created.updatedAt,
      action: 'create',
      before: null,
      after: created, // prettier-ignore
    })
    expect(second).toEqual({
      ...first,
      id: 2,
      at: updated.updatedAt,
      action: 'update',
      before: created,
      after: updated,
    })
    expect(third).toMatchObject({ id: 3, action: 'delete', before: updated, after: null })
    await db.close()
  })

  test('an upsert is what it became', async () => {
    const db = open()
    await db.tables.users.upsert({ id: 'u', name: 'Ada' })
    await db.tables.users.upsert({ id: 'u', name: 'Bob' })
    expect(await told(db)).toEqual(['User u create ada', 'User u update ada'])
    await db.close()
  })

  test('a bulk write has an entry for each row that changed', async () => {
    const db = open()
    const rows = ['a', 'b', 'c'].map(id => ({ id, name: id }))
    await db.tables.users.bulkCreate(rows)
    await db.tables.users.bulkCreate([...rows, { id: 'd', name: 'd' }], { onConflict: 'skip' })
    await db.tables.users.bulkCreate([{ id: 'a', name: 'x' }, { id: 'e', name: 'e' }], { onError: 'collect' }) // prettier-ignore
    await db.tables.users.bulkUpsert([{ id: 'a', name: 'A' }])
    await db.tables.users.bulkUpdate({ where: { id: { $in: ['a', 'b'] } }, set: { age: 5 } })
    await db.tables.users.bulkDelete({ where: { age: 5 } })
    expect(await told(db)).toEqual([
      ...['a', 'b', 'c', 'd', 'e'].map(id => `User ${id} create ada`),
      'User a update ada',
      'User a update ada',
      'User b update ada',
      'User a delete ada',
      'User b delete ada',
    ])
    await db.close()
  })

  test('cascades and set null, also from a model that is not audited', async () => {
    const db = open()
    await db.tables.users.bulkCreate([{ id: 'u', name: 'u' }, { id: 'e', name: 'e' }]) // prettier-ignore
    await db.tables.posts.bulkCreate([{ userId: 'u', title: '1' }, { userId: 'e', editorId: 'u', title: '2' }]) // prettier-ignore
    await db.tables.users.delete('u')
    await db.tables.teams.create({ id: 't' })
    await db.tables.members.create({ id: 'm', teamId: 't' })
    const { executed } = await db.count(() => db.tables.teams.bulkDelete({ all: true }))
    expect(executed).toBe(2)
    const [gone] = await db.audit.list({ model: 'Member', limit: 1 })
    expect(gone).toMatchObject({ action: 'delete', who: 'ada', before: { id: 'm', teamId: 't' } })
    const posts = await db.audit.list({ model: 'Post', limit: 2 })
    expect(posts.map(({ key, action, after }) => [key, action, after?.editorId]).sort()).toEqual([
      [1, 'delete', undefined],
      [2, 'update', null],
    ])
    await db.close()
  })

  test('raw SQL, also INSERT OR REPLACE and UPDATE of a key', async () => {
    const db = open({ actor: () => 'sql' })
    await db.sql`insert into users (id, name, updatedAt) values ('a', 'a', 1), ('b', 'b', 1)`
    await db.sql`update users set age = age + 1 where id = 'a'`
    await db.sql`insert or replace into users (id, name, updatedAt) values ('c', 'a', 1)`
    await db.sql`update users set id = 'd' where id = 'b'`
    await db.sql`with x as (select 'd' as id) delete from users where id in (select id from x)`
    expect(await told(db)).toEqual([
      'User a create sql',
      'User b create sql',
      'User a update sql',
      'User a delete sql',
      'User c create sql',
      'User d update sql',
      'User d delete sql',
    ])
    const [, , renamed] = await db.audit.list({ limit: 3, after: 7 }).then(entries => [0, 0, entries[0]] as const)
    expect(renamed).toMatchObject({ key: 'd', before: { id: 'b' }, after: { id: 'd' } })
    await db.close()
  })

  test("an app's own trigger that writes an audited table", async () => {
    const db = open()
    await db.tables.users.count()
    await db.sql`create trigger mine after insert on plains begin insert into users (id, name, updatedAt) values (new.id, 'x', 0); end`
    await db.tables.plains.create({ id: 'p' })
    expect(await told(db)).toEqual(['User p create ada'])
    await db.close()
  })

  test('nothing for a row that stays as it is', async () => {
    const db = open()
    const { id } = await db.tables.posts.create({
      userId: (await db.tables.users.create({ name: 'u' })).id,
      title: 'x',
    })
    await db.tables.posts.update(id, { title: 'x' })
    await db.tables.posts.update(id, {})
    await db.sql`update users set name = name`
    expect(await told(db)).toHaveLength(2)
    // updatedAt moves on.
    await db.tables.users.bulkUpdate({ all: true, set: { name: 'u' } })
    await db.close()
  })

  test('nothing of what was rolled back', async () => {
    const db = open()
    await db.tables.users.create({ id: 'a', name: 'a' })
    await expect(db.batch([User.create({ id: 'b', name: 'b' }), User.create({ id: 'c', name: 'a' })])).rejects.toThrow()
    const settled = await db.tick([User.create({ id: 'd', name: 'd' }), User.create({ id: 'e', name: 'a' })])
    expect(settled.map(({ status }) => status)).toEqual(['fulfilled', 'rejected'])
    await expect(db.tables.users.bulkCreate([{ name: 'f' }, { name: 'a' }])).rejects.toThrow()
    expect(await told(db)).toEqual(['User a create ada', 'User d create ada'])
    await db.close()
  })

  test('a transaction: each call with its own actor, all with its stamp', async () => {
    const names = ['one', 'two']
    const db = open()
    await db.tables.users.count()
    const lease = await unwrap(db.engine.begin({ maxWait: 100, timeout: 5000, id: 900 }))
    const row = (id: string) => ['x' + id, id, 0, null, undefined]
    for (const actor of names) {
      const ops = [{ op: 'create' as const, model: 'User', row: row(actor) as never }]
      const [outcome] = await unwrap(db.engine.run([{ id: 901, ops, durability: null, lease, actor }]))
      expect(outcome).toHaveProperty('ok')
    }
    await unwrap(db.engine.commit(lease, null))
    const entries = await db.audit.list()
    expect(entries.map(({ who }) => who)).toEqual(['two', 'one'])
    expect(entries[0]!.at).toEqual(entries[1]!.at)
    const second = await unwrap(db.engine.begin({ maxWait: 100, timeout: 5000, id: 902 }))
    const ops = [{ op: 'delete' as const, model: 'User', id: 'xone' }]
    await unwrap(db.engine.run([{ id: 903, ops, durability: null, lease: second, actor: 'three' }]))
    await unwrap(db.engine.rollback(second))
    expect(await db.audit.list()).toEqual(entries)
    await db.close()
  })
})

test('soft delete, restore, purge; what a model that keeps everything adds', async () => {
  const Note = model('Note', { id: t.id(), deletedAt: t.date().nullable() }, { audit: true, softDelete: true })
  const Fact = model('Fact', { id: t.id() }, { audit: true, appendOnly: true })
  const db = localDatabase({ notes: Note, facts: Fact }, { actor: 'ada' })
  await db.sql`select 1`
  await db.tables.notes.create({ id: 'n' })
  expect((await db.count(() => db.tables.notes.delete('n'))).executed).toBeLessThanOrEqual(3)
  await db.tables.notes.restore('n')
  await db.tables.notes.bulkDelete({ all: true })
  await db.tables.notes.purge('n')
  await db.tables.facts.create({ id: 'f' })
  expect((await db.audit.list()).map(({ key, action, who }) => `${key} ${action} ${who}`).reverse()).toEqual([
    'n create ada',
    'n update ada',
    'n update ada',
    'n update ada',
    'n delete ada',
    'f create ada',
  ])
  await db.close()
})

test('a workflow: its actor is asked once, and what a scope takes back is not recorded', async () => {
  let asked = 0
  const db = open({ actor: () => `n${++asked}` })
  await db.sql`select 1`
  const flow = workflow('w')
    .node('user', () => User.create({ id: 'u', name: 'u' }))
    .node('post', ({ user }) => Post.create({ userId: user.id, title: 'x' }))
    .node('again', () => User.create({ id: 'u', name: 'u' }), { onError: 'skip' })
  await db.execute(flow)
  expect(await told(db)).toEqual(['User u create n2', 'Post 1 create n2'])
  const failing = workflow('w').node('a', () => User.delete('u')).node('b', () => User.update('nobody', { age: 1 })) // prettier-ignore
  await expect(db.execute(failing)).rejects.toMatchObject({ code: 'NOT_FOUND' })
  expect(await told(db)).toHaveLength(2)
  await db.close()
})

describe('what it costs', () => {
  test('one statement for an operation that changes audited rows', async () => {
    const db = open()
    await db.sql`select 1`
    await db.tables.users.create({ id: 'u', name: 'u' })
    const count = async (work: () => Promise<unknown>) => (await db.count(work)).executed
    expect(await count(() => db.tables.users.create({ id: 'v', name: 'v' }))).toBe(2)
    expect(await count(() => db.tables.users.update('u', { age: 1 }))).toBe(2)
    expect(await count(() => db.tables.users.upsert({ id: 'u', name: 'u' }))).toBe(2)
    expect(await count(() => db.tables.users.bulkCreate([{ name: '1' }, { name: '2' }, { name: '3' }]))).toBe(4)
    expect(await count(() => db.tables.users.bulkUpdate({ all: true, set: { age: 2 } }))).toBe(2)
    expect(await count(() => db.tables.users.delete('v'))).toBe(2)
    expect(await count(() => db.batch([User.delete('u'), User.create({ id: 'u', name: 'u' })]))).toBe(4)
    expect(await count(() => db.sql`update users set age = 9`)).toBe(2)
    await db.close()
  })

  test('nothing more where none is changed: a read, a row that is not there, another model', async () => {
    const db = open()
    await db.tables.users.create({ id: 'u', name: 'u' })
    await db.sql`select 1`
    const count = async (work: () => Promise<unknown>) =>
      db.count(work).then(({ executed, control }) => [executed, control])
    expect(await count(() => db.tables.users.read('u'))).toEqual([1, 0])
    expect(await count(() => db.tables.users.list())).toEqual([1, 0])
    expect(await count(() => db.tables.plains.create({ id: 'q' }))).toEqual([1, 0])
    expect(await count(() => db.tables.plains.update('q', { n: { $inc: 1 } }))).toEqual([1, 0])
    expect(await count(() => db.tables.plains.delete('q'))).toEqual([1, 0])
    expect(await count(() => db.sql`update plains set n = 5`)).toEqual([1, 0])
    expect(await count(() => db.sql`select * from users`)).toEqual([1, 0])
    expect((await count(() => db.tables.users.delete('nobody')))[0]).toBe(1)
    expect((await count(() => db.tables.users.bulkDelete({ where: { name: 'nobody' } })))[0]).toBe(1)
    await db.close()
  })

  test('a database without audited models has no table for it', async () => {
    const db = localDatabase({ plains: model('Plain', { id: t.id() }) })
    await db.tables.plains.create({})
    expect(await db.sql`select name from sqlite_schema where name like 'dataflow_audit%'`).toEqual([])
    expect(await db.audit.list()).toEqual([])
    expect(await db.audit.prune({ before: new Date() })).toBe(0)
    await db.close()
  })
})

describe('who', () => {
  test('a function is asked once for each call that writes', async () => {
    const asked: number[] = []
    const db = open({ actor: () => (asked.push(1), asked.length > 1 ? `n${asked.length}` : null) })
    await db.tables.users.count()
    await db.tables.users.list()
    await db.tables.users.bulkCreate([{ name: 'a' }, { name: 'b' }])
    await db.batch([User.create({ name: 'c' }), Plain.create({}), User.count()])
    expect(asked).toHaveLength(2)
    expect((await db.audit.list()).map(({ who }) => who)).toEqual(['n2', null, null])
    await db.close()
  })

  test('nobody', async () => {
    const db = localDatabase(models)
    await db.tables.users.create({ name: 'a' })
    expect((await db.audit.list())[0]!.who).toBeNull()
    await db.close()
  })

  test.each([
    [
      'throws',
      () => {
        throw new Error('secret')
      },
      /actor failed\. Nothing was written/,
    ],
    ['gives a number', () => 5 as never, /actor gave a number/],
    ['gives nothing', () => undefined as never, /actor gave undefined/],
    ['gives half of a pair', () => '\ud800', /actor gave half of a surrogate pair/],
  ])('a function that %s: nothing is written', async (_, actor, message) => {
    const db = open({ actor })
    await db.tables.users.count()
    const { executed, result } = await db.count(() => db.tables.users.create({ name: 'a' }).catch((e: unknown) => e))
    expect(executed).toBe(0)
    expect(result).toMatchObject({ code: 'BAD_OPTION', message: expect.stringMatching(message) })
    expect((result as Error).message).not.toMatch(/secret/)
    expect(await db.tables.users.count()).toBe(0)
    await db.close()
  })
})

describe('list', () => {
  test('by model, key, who, action, time; limit and after', async () => {
    let who = 'ada'
    let now = 1000
    const clock = { ...(await import('../support/local.js')).clock, now: () => now }
    const db = open({ actor: () => who, parts: { clock } })
    for (const id of ['a', 'b', 'c']) {
      await db.tables.users.create({ id, name: id })
      now += 1000
    }
    who = 'bob'
    await db.tables.users.update('b', { age: 1 })
    await db.tables.posts.create({ userId: 'a', title: 'x' })
    const keys = async (args: Parameters<typeof db.audit.list>[0]) =>
      (await db.audit.list(args)).map(({ key, action }) => `${key} ${action}`)
    expect(await keys({})).toEqual(['1 create', 'b update', 'c create', 'b create', 'a create'])
    expect(await keys({ model: 'User' })).toEqual(['b update', 'c create', 'b create', 'a create'])
    expect(await keys({ model: 'User', key: 'b' })).toEqual(['b update', 'b create'])
    expect(await keys({ model: 'Post', key: 1 })).toEqual(['1 create'])
    expect(await keys({ who: 'bob' })).toEqual(['1 create', 'b update'])
    expect(await keys({ who: null })).toEqual([])
    expect(await keys({ action: 'update' })).toEqual(['b update'])
    expect(await keys({ from: new Date(2000), to: new Date(4000) })).toEqual(['c create', 'b create'])
    const first = await db.audit.list({ model: 'User', limit: 3 })
    expect(first).toHaveLength(3)
    expect(await keys({ model: 'User', limit: 3, after: first.at(-1)!.id })).toEqual(['a create'])
    expect(await keys({ limit: 0 })).toEqual([])
    await db.close()
  })

  test.each([
    [{ model: 'Nope' }, 'UNKNOWN_MODEL'],
    [{ model: 'users' }, 'UNKNOWN_MODEL'],
    [{ key: 'a' }, 'BAD_OPTION'],
    [{ model: 'User', key: 5 }, 'VALIDATION'],
    [{ who: 5 }, 'BAD_OPTION'],
    [{ action: 'insert' }, 'BAD_OPTION'],
    [{ from: 5 }, 'BAD_OPTION'],
    [{ to: new Date(Number.NaN) }, 'BAD_OPTION'],
    [{ limit: -1 }, 'BAD_OPTION'],
    [{ after: 'x' }, 'BAD_OPTION'],
    [{ nope: 1 }, 'BAD_OPTION'],
    ['x', 'BAD_OPTION'],
  ])('%j is %s', async (args, code) => {
    const db = open()
    await expect(db.audit.list(args as never)).rejects.toMatchObject({ code })
    await db.close()
  })
})

describe('prune', () => {
  test('forgets what is older; ids go on', async () => {
    let now = 1000
    const clock = { ...(await import('../support/local.js')).clock, now: () => now }
    const db = open({ parts: { clock }, storage: 'indexeddb' })
    await db.tables.users.create({ id: 'a', name: 'a' })
    now = 2000
    await db.tables.users.create({ id: 'b', name: 'b' })
    expect(await db.audit.prune({ before: new Date(2000) })).toBe(1)
    expect((await db.audit.list()).map(({ id }) => id)).toEqual([2])
    expect(await db.audit.prune({ before: new Date(9000) })).toBe(1)
    await db.tables.users.create({ id: 'c', name: 'c' })
    expect((await db.audit.list()).map(({ id }) => id)).toEqual([3])
    await expect(db.audit.prune({} as never)).rejects.toMatchObject({ code: 'BAD_OPTION' })
    await expect(db.audit.prune({ before: 5 } as never)).rejects.toMatchObject({ code: 'BAD_OPTION' })
    await db.close()
  })
})

test('the trail is not written by hand', async () => {
  const db = open()
  await db.tables.users.create({ id: 'a', name: 'a' })
  for (const text of [
    "update dataflow_audit set who = 'x'",
    'delete from dataflow_audit',
    "insert into \"dataflow_audit\" (model, key, action) values ('User', 1, 'create')",
    'drop table dataflow_audit',
    'drop index dataflow_audit_key',
    'drop trigger "tr:users:audit:create"',
    'create trigger x after insert on users begin delete from dataflow_audit; end',
  ]) {
    await expect(db.run(sql`${sql.raw(text)}`), text).rejects.toMatchObject({ code: 'READONLY' })
  }
  expect(await db.sql`select count(*) as n from dataflow_audit`).toEqual([{ n: 1 }])
  expect(await told(db)).toEqual(['User a create ada'])
  await db.close()
})

describe('declared wrongly', () => {
  test('existingSchema has no table for it', () => {
    expect(() => localDatabase(models, { existingSchema: true })).toThrow(/^\[BAD_OPTION\] User cannot be audited/)
  })
  test('an actor without an audited model', () => {
    const plain = { plains: model('Plain', { id: t.id() }) }
    expect(() => localDatabase(plain, { actor: 'x' })).toThrow(/^\[BAD_OPTION\] actor is for models that are audited/)
  })
  test('an actor that is none', () => {
    expect(() => localDatabase(models, { actor: 5 as never })).toThrow(/^\[BAD_OPTION\] actor must not be a number/)
  })
  test('no boolean', () => {
    expect(() => model('X', { id: t.id() }, { audit: 'yes' as never })).toThrow(
      /^\[BAD_MODEL\] X: audit is true or false/,
    )
  })
  test('too many fields', () => {
    const fields = Object.fromEntries(Array.from({ length: 500 }, (_, i) => [`f${i}`, t.integer().default(0)]))
    expect(() => model('X', { id: t.id(), ...fields } as never, { audit: true })).toThrow(/at most 500 fields/)
  })
  test('off is as if it were not said', async () => {
    const db = localDatabase({ xs: model('X', { id: t.id() }, { audit: false }) })
    await db.tables.xs.create({})
    expect(await db.audit.list()).toEqual([])
    await db.close()
  })
})
