// S2-S6, S13, S17: what the ledger and the registry hold, by value, over the starts of an app.
import { createHash } from 'node:crypto'
import { expect, test } from 'vitest'
import { model, sql, t } from '../../src/index.js'
import { canonicalJson } from '../../src/shared/codec.js'
import { unwrap } from '../support/local.js'
import { app, ensureMetrics, failureOf, history, metrics, ready, schemaOf, status } from './support.js'

const User = model('User', { id: t.id(), email: t.text().unique(), name: t.text() })
const User2 = model(
  'User',
  { ...User.$fields, nick: t.text().nullable(), logins: t.integer().default(0), rank: t.real().default(1.5) },
  { indexes: [['name']] },
)
const UserPlain = model('User', { ...User2.$fields, email: t.text() }, { indexes: [['name']] })
const Post = model('Post', { id: t.autoId(), userId: t.ref('User', { onDelete: 'cascade' }) })

/** What the checksum does not cover, because no two runs have the same. */
const measured = { rows: null, ms: expect.any(Number) }
const sha256 = (content: unknown) => createHash('sha256').update(canonicalJson(content)).digest('hex')
const AT = 1_750_000_000_000
const fixed = (now: number) => ({
  parts: { clock: { now: () => now, monotonic: () => performance.now(), after: () => () => {} } },
})

const CREATE_USERS = `CREATE TABLE "users" (
  "id" TEXT PRIMARY KEY NOT NULL,
  "email" TEXT NOT NULL,
  "name" TEXT NOT NULL
) STRICT`
const CREATE_OPERATIONS = [
  {
    operation_type: 'create_table',
    table_name: 'users',
    description: 'create table users',
    sql_up: [CREATE_USERS],
    sql_down: ['DROP TABLE "users"'],
  },
  {
    operation_type: 'create_index',
    table_name: 'users',
    description: 'create index ux:users:email',
    sql_up: ['CREATE UNIQUE INDEX "ux:users:email" ON "users" ("email")'],
    sql_down: ['DROP INDEX "ux:users:email"'],
  },
]

test('S2, S3: after the first start the rows are exactly these', async () => {
  const { start } = app()
  const db = await start({ users: User }, { version: 7, ...fixed(AT) })
  await db.tables.users.create({ id: 'a', email: 'a', name: 'A' })
  const [row, ...more] = await db.sql`select * from dataflow_migrations`
  expect(more).toEqual([])
  const { schema_checksum, operations, ...rest } = row!
  expect(rest).toEqual({
    version: '000001',
    name: 'create users',
    checksum: sha256(CREATE_OPERATIONS),
    status: 'applied',
    applied_at: AT,
    created_at: AT,
    app_version: 7,
    error: null,
  })
  expect(JSON.parse(operations)).toEqual(CREATE_OPERATIONS.map(operation => ({ ...operation, ...measured })))
  expect(schema_checksum).toMatch(/^[0-9a-f]{64}$/)

  const [registered, ...others] = await db.sql`select * from dataflow_model_registry`
  expect(others).toEqual([])
  const { model_definitions, model_checksum, schema_version, ...registry } = registered!
  expect(registry).toEqual({
    model_name: 'User',
    status: 'active',
    version: 1,
    registered_at: AT,
    updated_at: AT,
  })
  const [{ now: current }] = (await db.sql<{
    now: number
  }>`select schema_version as now from pragma_schema_version`) as [{ now: number }]
  expect(schema_version).toBe(current)
  const column = { type: 'TEXT', notNull: true, primaryKey: false, autoIncrement: false, default: null }
  const none = { constantDefault: true, checks: [], references: null }
  const shape = {
    model: 'User',
    table: 'users',
    columns: [
      { name: 'id', ...column, primaryKey: true, ...none },
      { name: 'email', ...column, ...none },
      { name: 'name', ...column, ...none },
    ],
    indexes: [{ name: 'ux:users:email', columns: ['email'], unique: true }],
    checks: [],
  }
  expect(JSON.parse(model_definitions)).toEqual(shape)
  const byName = [...shape.columns].sort((a, b) => (a.name < b.name ? -1 : 1))
  expect(model_checksum).toBe(sha256({ ...shape, columns: byName }))
  expect(schema_checksum).toBe(sha256([['User', model_checksum]]))

  expect(await db.sql`select * from dataflow_migration_locks`).toEqual([])
  expect((await schemaOf(db)).find(({ name }) => name === 'users')!.sql).toBe(CREATE_USERS)
  await db.close()
})

test('S4, S13: an unchanged second start is one SELECT: no DDL, nothing written, nothing saved', async () => {
  const { start } = app()
  const models = { users: User, posts: Post }
  const first = await start(models)
  const { id } = await first.tables.users.create({ email: 'a', name: 'A' })
  await first.tables.posts.create({ userId: id })
  const before = {
    schema: await schemaOf(first),
    ledger: await first.sql`select * from dataflow_migrations`,
    registry: await first.sql`select * from dataflow_model_registry`,
  }
  const second = await start(models)
  expect(await ready(second)).toMatchObject({ applied: [], pending: [], cached: true })
  expect((await metrics(second)).statements).toMatchObject({ executed: 1, control: 0, prepared: 1 })
  const used = await second.count(() => second.tables.posts.count())
  expect(used).toMatchObject({ executed: 1, control: 0, result: 1 })
  const written = await second.count(() => second.tables.users.create({ email: 'b', name: 'B' }))
  expect(written).toMatchObject({ executed: 1, control: 0 })
  expect((await metrics(second)).statements.executed).toBe(3)
  // The registry is trusted: no introspection.
  expect(await ensureMetrics(second)).toMatchObject({ misses: 1, hits: 1, checks: 2 })
  expect(second.events.filter(({ type }) => type === 'migrate' || type === 'error')).toEqual([])
  expect(second.events.filter(({ type }) => type === 'query').map(e => (e as any).detail.op)).toEqual([
    'count',
    'create',
  ])
  expect(second.events.filter(({ type }) => type === 'flush')).toHaveLength(1) // the create's
  expect({
    schema: await schemaOf(second),
    ledger: await second.sql`select * from dataflow_migrations`,
    registry: await second.sql`select * from dataflow_model_registry`,
  }).toEqual(before)
  await second.close()
})

test('S17: a changed third start migrates before the first operation, in one transaction, and rows survive', async () => {
  const { start } = app()
  const first = await start({ users: User }, fixed(AT))
  await first.tables.users.create({ id: 'ada', email: 'a', name: 'Ada' })
  await start({ users: User }, fixed(AT + 1))
  const third = await start({ users: User2 }, fixed(AT + 2))
  const report = await ready(third)
  expect(
    report.applied.map(({ kind, model: name, description, destructive }) => [kind, name, description, destructive]),
  ).toEqual([
    ['addColumn', 'User', 'add column nick to users', false],
    ['addColumn', 'User', 'add column logins to users', false],
    ['addColumn', 'User', 'add column rank to users', false],
    ['createIndex', 'User', 'create index ix:users:name', false],
  ])
  expect(report).toMatchObject({ pending: [], cached: false })
  // BEGIN and COMMIT, once.
  expect((await metrics(third)).statements.control).toBe(2)
  expect(third.events.filter(({ type }) => type === 'migrate')).toEqual([{ type: 'migrate', detail: report }])
  expect(await third.tables.users.read('ada')).toEqual({
    id: 'ada',
    email: 'a',
    name: 'Ada',
    nick: null,
    logins: 0,
    rank: 1.5,
  })
  const [created, altered, ...more] = await history(third)
  expect(more).toEqual([])
  expect(created).toMatchObject({ version: '000001', appliedAt: AT })
  const operations = [
    {
      operation_type: 'add_column',
      table_name: 'users',
      description: 'add column nick to users',
      sql_up: ['ALTER TABLE "users" ADD COLUMN "nick" TEXT'],
      sql_down: ['ALTER TABLE "users" DROP COLUMN "nick"'],
    },
    {
      operation_type: 'add_column',
      table_name: 'users',
      description: 'add column logins to users',
      sql_up: ['ALTER TABLE "users" ADD COLUMN "logins" INTEGER NOT NULL DEFAULT 0'],
      sql_down: ['ALTER TABLE "users" DROP COLUMN "logins"'],
    },
    {
      operation_type: 'add_column',
      table_name: 'users',
      description: 'add column rank to users',
      sql_up: ['ALTER TABLE "users" ADD COLUMN "rank" REAL NOT NULL DEFAULT 1.5'],
      sql_down: ['ALTER TABLE "users" DROP COLUMN "rank"'],
    },
    {
      operation_type: 'create_index',
      table_name: 'users',
      description: 'create index ix:users:name',
      sql_up: ['CREATE INDEX "ix:users:name" ON "users" ("name")'],
      sql_down: ['DROP INDEX "ix:users:name"'],
    },
  ]
  expect(altered).toEqual({
    version: '000002',
    name: 'alter users',
    checksum: sha256(operations),
    status: 'applied',
    operations: operations.map(operation => ({ ...operation, ...measured })),
    appVersion: null,
    error: null,
    appliedAt: AT + 2,
    createdAt: AT + 2,
  })
  const rows = await third.sql`select model_name, version, registered_at, updated_at from dataflow_model_registry`
  expect(rows).toEqual([{ model_name: 'User', version: 2, registered_at: AT, updated_at: AT + 2 }])
  const fourth = await start({ users: User2 })
  expect(await ready(fourth)).toMatchObject({ applied: [], cached: true })
  expect((await metrics(fourth)).statements.executed).toBe(1)
  await fourth.close()
})

test('S17: an index that is no longer declared is dropped', async () => {
  const { start } = app()
  const first = await start({ users: User2 })
  await first.tables.users.create({ email: 'a', name: 'A' })
  const second = await start({ users: UserPlain })
  expect((await ready(second)).applied.map(step => step.sql)).toEqual([['DROP INDEX "ux:users:email"']])
  await second.tables.users.create({ email: 'a', name: 'B' })
  expect(await second.sql`select version from dataflow_model_registry`).toEqual([{ version: 2 }])
  await second.close()
})

test('S17: the order of the fields, and what SQLite does not see, change nothing', async () => {
  const { start } = app()
  const first = await start({ users: User })
  await first.tables.users.create({ email: 'a', name: 'A' })
  const { name, email } = User.$fields
  const Turned = model('User', { name: name.default(() => 'made'), email, id: t.id(() => 'mine') })
  const second = await start({ users: Turned })
  expect(await ready(second)).toMatchObject({ applied: [], cached: true })
  expect(await second.tables.users.create({ email: 'b' })).toEqual({ id: 'mine', email: 'b', name: 'made' })
  expect(await history(second)).toHaveLength(1)
  await second.close()
})

const B = model('User', User.$fields, { indexes: [['name']] })

test('3: A -> B -> A -> B migrates each time: four rows, two pairs of equal checksums but for the first', async () => {
  const { start } = app()
  for (const [version, Build] of [User, B, User, B].entries()) {
    const db = await start({ users: Build }, { version })
    await db.tables.users.create({ email: String(version), name: 'x' })
    const indexes = await db.sql`select name from sqlite_schema where name = 'ix:users:name'`
    expect(indexes).toHaveLength(version % 2)
  }
  const db = await start({ users: B }, { version: 4 })
  const rows = await db.sql<any>`select version, name, checksum, status from dataflow_migrations order by version`
  expect(rows.map(row => [row.version, row.name, row.status])).toEqual([
    ['000001', 'create users', 'applied'],
    ['000002', 'alter users', 'applied'],
    ['000003', 'alter users', 'applied'],
    ['000004', 'alter users', 'applied'],
  ])
  expect(rows[1]!.checksum).toBe(rows[3]!.checksum)
  expect(rows[1]!.checksum).not.toBe(rows[2]!.checksum)
  expect(await db.sql`select version from dataflow_model_registry`).toEqual([{ version: 4 }])
  expect(await db.tables.users.count()).toBe(4)
  await db.close()
})

test('S2: the ledger is written in the transaction of the DDL: neither without the other', async () => {
  const { start } = app()
  const first = await start({ users: User })
  await first.tables.users.bulkCreate(['a', 'b'].map(email => ({ email, name: 'same' })))
  const before = await schemaOf(first)
  const wrong = t.integer().convertFrom(sql<number>`name`)
  const second = await start({ users: model('User', { ...User.$fields, nick: t.text().nullable(), wrong }) })
  expect(await failureOf(second.tables.users.count())).toMatchObject({ code: 'MIGRATION_FAILED' })
  expect(await schemaOf(second)).toEqual(before)
  expect((await second.sql`select version from dataflow_model_registry`)[0]).toEqual({ version: 1 })
  await second.close()
})

test('S2: history before the first migration is empty; an unknown table is no error', async () => {
  const db = await app().start({ users: User })
  expect(await history(db)).toEqual([])
  expect(await status(db, 'User')).toBe('needs_creation')
  await db.close()
})

test('S6: plan says what apply does, without doing it', async () => {
  const { start } = app()
  const first = await start({ users: User })
  const empty = await unwrap(first.engine.schema.plan())
  expect(empty).toMatchObject({ from: null, differences: [], destructive: false })
  expect(empty.steps.flatMap(step => step.sql)).toEqual(CREATE_OPERATIONS.flatMap(operation => operation.sql_up))
  expect(await status(first, 'User')).toBe('needs_creation')
  expect((await unwrap(first.engine.schema.apply())).applied).toEqual(empty.steps)
  const after = await unwrap(first.engine.schema.plan())
  expect(after).toEqual({
    from: empty.to,
    to: empty.to,
    steps: [],
    differences: [],
    obstacles: [],
    destructive: false,
  })
  await first.close()
})
