// What is refused, by code: losses, rules that rows break, newer builds, altered records; and what is kept first.
import { describe, expect, test } from 'vitest'
import { model, sql, t } from '../../src/index.js'
import type { AnyModel } from '../../src/model.js'
import { useOrigin } from '../whole/support.js'
import { freshName } from '../support/local.js'
import { engineOn } from './engine.js'
import { failureOf, firstRelease, release, User } from './support.js'

useOrigin()
const { id, name } = User.$fields
const Team = model('Team', { id: t.id() })
const rows = [
  { id: 'a', name: '1' },
  { id: 'b', name: '1' },
  { id: 'c', name: 'x' },
]

describe('rows that would lose or break something', () => {
  const cases: [what: string, user: AnyModel, field: string, message: string][] = [
    ['a narrower type', model('User', { id, name: t.integer() }), 'name', 'not to be converted without loss (1 row)'],
    ['a new field without a value', model('User', { id, name, n: t.integer() }), 'n', 'without a value (3 rows)'],
    [
      'NOT NULL gained by a conversion',
      model('User', { id, name: t.integer().convertFrom(sql<number>`nullif(length(name), 1)`) }),
      'name',
      'without a value (3 rows)',
    ],
    ['unique gained', model('User', { id, name: t.text().unique() }), 'name', 'not unique (1 row)'],
    [
      'a partial unique gained',
      model('User', { id, name }, { unique: [{ on: ['name'], where: sql<boolean>`id < 'c'` }] }),
      'name',
      'not unique (1 row)',
    ],
    [
      'a check gained',
      model('User', { id, name: t.text().check(sql<boolean>`name <> 'x'`) }),
      'name',
      'refused by the check ck:users:name:1 (1 row)',
    ],
    [
      'enum values removed',
      model('User', { id, name: t.enum(['1']) }),
      'name',
      'refused by the check ck:users:name:enum (1 row)',
    ],
    [
      'a reference to nothing',
      model('User', { id, name: t.ref('Team') }),
      'name',
      'referring to no row of teams (3 rows)',
    ],
    [
      'another key with duplicates',
      model('User', { name: t.text().primaryKey() }),
      'name',
      'with a key that another row has (1 row)',
    ],
  ]

  test.each(cases)('%s', async (_, user, field, message) => {
    await firstRelease(rows)
    const db = release({ users: user, teams: Team })
    const error = await failureOf(db.users.count())
    expect(error).toMatchObject({ code: 'MIGRATION_DESTRUCTIVE', model: 'User', fields: [field] })
    expect(error.issues).toEqual([{ path: ['User', field], message }])
    expect(error.hint!.length).toBeGreaterThan(10)
    const plan = await db.migrations.plan()
    expect(plan.obstacles).toEqual([expect.objectContaining({ model: 'User', fields: [field], message })])
    expect(await db.sql`select * from users order by id`).toEqual(rows)
    expect(await db.migrations.history()).toHaveLength(1)
    await db.close()
    const old = release({ users: User })
    expect(await old.users.list()).toEqual(rows)
    await old.close()
  })
})

test("'error': a removed field or model with values is refused, without any it is dropped", async () => {
  const first = release({ users: model('User', { id, name, nick: t.text().nullable() }), teams: Team })
  await first.users.create({ id: 'a', name: 'A' })
  await first.ensure()
  await first.close()
  const strict = { migrations: { onDestructive: 'error' } } as const
  const next = release({ users: User }, strict)
  expect((await next.ready).applied.map(step => step.kind)).toEqual(['dropTable', 'dropColumn'])
  await next.close()
  const last = release({ users: model('User', { id }) }, { ...strict, version: 2 })
  expect(await failureOf(last.ready)).toMatchObject({
    code: 'MIGRATION_DESTRUCTIVE',
    issues: [{ path: ['User', 'name'], message: 'a removed field that has values (1 row)' }],
  })
  await last.close()
})

test("'apply': values are cut down after a backup, which restore puts back", async () => {
  await firstRelease(rows)
  const Numbered = model('User', { id, name: t.integer() })
  const db = release({ users: Numbered }, { migrations: { onDestructive: 'apply' } })
  const { applied } = await db.ready
  expect(applied.map(step => [step.kind, step.destructive])).toEqual([['rebuildTable', true]])
  expect((await db.users.list()).map(row => row.name)).toEqual([1, 1, 0])
  expect((await db.backups()).map(({ note }) => note)).toEqual(['before migration'])
  await db.close()
  const back = release({ users: User }, { version: 2 })
  await back.ready
  await back.migrations.restore()
  expect(await back.users.list()).toEqual(rows)
  await back.close()
})

test('restore without a backup of a migration is NOT_FOUND', async () => {
  await firstRelease()
  const db = release({ users: User })
  expect(await failureOf(db.migrations.restore())).toMatchObject({ code: 'NOT_FOUND' })
  await db.close()
})

test('a table that holds rows of a removed model is not taken by another one in silence', async () => {
  await firstRelease()
  const without = release({ teams: Team })
  await without.ready
  await without.close()
  const Other = model('Other', { id: t.id() }, { table: 'users' })
  const db = release({ others: Other, teams: Team })
  expect(await failureOf((db as any).others.count())).toMatchObject({
    code: 'MIGRATION_DESTRUCTIVE',
    model: 'Other',
    hint: expect.stringMatching(/renamedFrom: 'User'/),
  })
  await db.close()
})

describe('a newer build has been here', () => {
  const Newer = model('User', { id, name, nick: t.text().default('') }, { indexes: [['nick']] })
  const Renamed = model('User', { id, title: t.text().renamedFrom('name') })
  const newer = async (user: AnyModel) => {
    await firstRelease()
    const db = release({ users: user }, { version: 2 })
    await db.ready
    await db.close()
  }
  const old = (onNewer?: 'error' | 'readonly' | 'compatible') =>
    release({ users: User }, { version: 1, migrations: onNewer ? { onNewer } : {} })

  test("'error', the default: SCHEMA_NEWER", async () => {
    await newer(Newer)
    const db = old()
    expect(await failureOf(db.users.count())).toMatchObject({ code: 'SCHEMA_NEWER' })
    expect(await db.migrations.status()).toMatchObject({ newer: 'error', upToDate: false })
    expect(await failureOf(db.migrations.apply())).toMatchObject({ code: 'SCHEMA_NEWER' })
    await db.close()
  })

  test("'readonly': reading goes on, no write does, nothing is migrated", async () => {
    await newer(Newer)
    const db = old('readonly')
    expect(await db.users.list()).toEqual([{ id: 'a', name: 'Ada' }])
    for (const write of [
      () => db.users.create({ name: 'x' }),
      () => db.users.update('a', { name: 'x' }),
      () => db.users.bulkDelete({ all: true }),
      () => db.sql`delete from users`,
      () => db.transaction(tx => tx.users.delete('a')),
    ]) {
      expect(await failureOf(write())).toMatchObject({ code: 'READONLY' })
    }
    expect(await db.users.count()).toBe(1)
    expect(await db.migrations.status()).toMatchObject({ newer: 'readonly' })
    expect(await db.migrations.history()).toHaveLength(2)
    await db.close()
  })

  test("'readonly': what the newer build has renamed is told when it is asked for", async () => {
    await newer(Renamed)
    const db = old('readonly')
    expect(await db.users.list({ select: ['id'] })).toEqual([{ id: 'a' }])
    expect(await failureOf(db.users.list())).toMatchObject({ code: 'SCHEMA_MISMATCH', fields: ['name'] })
    await db.close()
  })

  test("'compatible': writes go on where the newer build only added", async () => {
    await newer(Newer)
    const db = old('compatible')
    await db.users.create({ id: 'b', name: 'Bob' })
    expect(await db.sql`select * from users order by id`).toEqual([
      { id: 'a', name: 'Ada', nick: '' },
      { id: 'b', name: 'Bob', nick: '' },
    ])
    await db.close()
    const again = release({ users: Newer }, { version: 2 })
    expect(await again.ready).toMatchObject({ applied: [] })
    await again.close()
  })

  test.each([
    ['renamed', Renamed],
    ['needs a value', model('User', { id, name, must: t.text().convertFrom(sql<string>`name`) })],
    ['added a check', model('User', { id, name: t.text().check(sql<boolean>`name <> ''`) })],
    ['added a unique', model('User', { id, name: t.text().unique() })],
    ['changed a type', model('User', { id, name: t.blob() })],
  ])("'compatible': SCHEMA_NEWER where it %s", async (_, user) => {
    await newer(user)
    const db = old('compatible')
    expect(await failureOf(db.users.count())).toMatchObject({ code: 'SCHEMA_NEWER' })
    await db.close()
  })
})

test.each([
  ['the ledger', `update dataflow_migrations set operations = '[]'`, 'dataflow_migrations'],
  [
    'the registry',
    `update dataflow_model_registry set model_definitions = replace(model_definitions, '"notNull":true', '"notNull":false')`,
    'dataflow_model_registry',
  ],
])('%s altered by somebody else is SCHEMA_MISMATCH, with what changed', async (_, alter, table) => {
  const name = freshName()
  await engineOn(name, { users: User }, async (db, raw) => {
    await db.tables.users.create({ id: 'a', name: 'Ada' })
    raw(alter)
  })
  await engineOn(
    name,
    { users: model('User', { id, name: User.$fields.name, nick: t.text().nullable() }) },
    async db => {
      const error = await failureOf(db.tables.users.count())
      expect(error).toMatchObject({ code: 'SCHEMA_MISMATCH' })
      expect(error.issues![0]!.path[0]).toBe(table)
    },
  )
})

test('drift is told with the statement that takes it back', async () => {
  await firstRelease()
  const db = release({ users: User })
  await db.sql`alter table users add column extra text`
  const error = await failureOf(db.users.count())
  expect(error).toMatchObject({ code: 'SCHEMA_MISMATCH', sql: 'ALTER TABLE "users" DROP COLUMN "extra"' })
  expect((await db.migrations.status()).drift).toEqual([
    {
      model: 'User',
      field: 'extra',
      message: 'is in the database, but not declared',
      sql: 'ALTER TABLE "users" DROP COLUMN "extra"',
    },
  ])
  await db.sql`alter table users drop column extra`
  expect(await db.users.list()).toEqual([{ id: 'a', name: 'Ada' }])
  expect((await db.migrations.status()).drift).toEqual([])
  await db.close()
})
