// Semantics 6 for every kind of difference: with autoMigrate off nothing is changed, it is told with its SQL, and apply does it;
// 'warn' lets what exists be used. And what an app has put on a table outlives its rebuild.
import { describe, expect, test } from 'vitest'
import { model, sql, t } from '../../src/index.js'
import type { AnyModel } from '../../src/model.js'
import { useOrigin } from '../whole/support.js'
import { failureOf, release, User as Plain } from './support.js'

useOrigin()
const Team = model('Team', { id: t.id() })
const fields = {
  id: t.id(),
  name: t.text(),
  age: t.integer().nullable(),
  role: t.enum(['a', 'b']).default('a'),
  team: t.ref('Team').nullable(),
  at: t.date().nullable(),
}
const User = model('User', fields)
const { age: _age, ...withoutAge } = fields
const { name: _name, ...withoutName } = fields
const { id: _id, ...withoutKey } = fields

const kinds: [what: string, user: AnyModel, ...steps: string[]][] = [
  ['a new field', model('User', { ...fields, nick: t.text().nullable() }), 'addColumn'],
  ['a removed field', model('User', withoutAge), 'keepOrphan'],
  ['a renamed field', model('User', { ...withoutName, title: t.text().renamedFrom('name') }), 'renameColumn'],
  ['another type', model('User', { ...fields, age: t.text().nullable() }), 'rebuildTable'],
  ['another form of a date', model('User', { ...fields, at: t.date({ as: 'seconds' }).nullable() }), 'rebuildTable'],
  ['NOT NULL gained', model('User', { ...fields, age: t.integer().default(0) }), 'rebuildTable'],
  ['NOT NULL lost', model('User', { ...fields, name: t.text().nullable() }), 'rebuildTable'],
  ['another default', model('User', { ...fields, role: t.enum(['a', 'b']).default('b') }), 'rebuildTable'],
  ['unique gained', model('User', { ...fields, name: t.text().unique() }), 'createIndex'],
  ['a check gained', model('User', { ...fields, name: t.text().check(sql<boolean>`name <> ''`) }), 'rebuildTable'],
  ['a check over the row', model('User', fields, { checks: [sql<boolean>`age > 0 or name <> ''`] }), 'rebuildTable'],
  ['an enum value more', model('User', { ...fields, role: t.enum(['a', 'b', 'c']).default('a') }), 'rebuildTable'],
  [
    'an index',
    model('User', fields, { indexes: [{ on: [{ name: 'desc' }], where: sql<boolean>`age > 1` }] }),
    'createIndex',
  ],
  ['a reference less', model('User', { ...fields, team: t.text().nullable() }), 'dropIndex', 'rebuildTable'],
  [
    'another onDelete',
    model('User', { ...fields, team: t.ref('Team', { onDelete: 'cascade' }).nullable() }),
    'rebuildTable',
  ],
  [
    'another onUpdate',
    model('User', { ...fields, team: t.ref('Team', { onUpdate: 'cascade' }).nullable() }),
    'rebuildTable',
  ],
  ['another key', model('User', { ...withoutKey, name: t.text().primaryKey() }), 'rebuildTable', 'keepOrphan'],
  ['another name', model('Person', fields, { renamedFrom: 'User' })],
  ['another table', model('User', fields, { table: 'people' }), 'renameTable', 'rebuildTable'],
]

async function first() {
  const db = release({ users: User, teams: Team })
  await (db as any).users.create({ id: 'u', name: 'Ada', age: 36, at: 5000 })
  await db.close()
}
const schemaOf = (db: ReturnType<typeof release>) =>
  db.sql`select type, name, sql from sqlite_schema order by type, name`

describe.each(kinds)('%s', (what, user, ...steps) => {
  test('autoMigrate: false', async () => {
    await first()
    const db = release({ users: user, teams: Team }, { autoMigrate: false })
    const before = await schemaOf(db)
    const plan = await db.migrations.plan()
    expect(plan.steps.map(step => step.kind)).toEqual(expect.arrayContaining(steps))
    if (plan.steps.length > 0) {
      const error = await failureOf(db.users.count())
      expect(error).toMatchObject({ code: 'SCHEMA_MISMATCH', model: user.$name })
      const sqlOfPlan = plan.steps.flatMap(step => step.sql)
      if (sqlOfPlan.length > 0) expect(error.sql).toBe(sqlOfPlan.join(';\n'))
    }
    expect(await schemaOf(db)).toEqual(before)
    expect(await db.migrations.history()).toHaveLength(1)
    expect(await db.migrations.status()).toMatchObject({ upToDate: false })
    expect((await db.migrations.apply()).applied.map(step => step.kind)).toEqual(plan.steps.map(step => step.kind))
    expect(await db.users.count()).toBe(1)
    expect(await db.migrations.status()).toMatchObject({ upToDate: true })
    await db.close()
    const next = release({ users: user, teams: Team })
    expect(await next.ready).toMatchObject({ applied: [], cached: true })
    await next.close()
  })

  test("autoMigrate: 'warn'", async () => {
    await first()
    const db = release({ users: user, teams: Team }, { autoMigrate: 'warn' })
    const told: number[] = []
    db.on('migrate', ({ pending }) => told.push(pending.length))
    const before = await schemaOf(db)
    // A table under another name is not there for this model; everything else can be counted.
    const counted = await db.users.count().catch((error: { code: string }) => error.code)
    expect(counted).toBe(what === 'another table' ? 'SCHEMA_MISMATCH' : 1)
    expect(told.length).toBe(steps.length > 0 ? 1 : 0)
    expect(await schemaOf(db)).toEqual(before)
    await db.close()
  })

  test('existingSchema: the table is never changed', async () => {
    await first()
    const db = release({ users: user, teams: Team }, { existingSchema: true })
    const before = await schemaOf(db)
    await db.users.count().catch(() => {}) // whether it fits or not
    expect(await schemaOf(db)).toEqual(before)
    expect(await failureOf(db.migrations.apply())).toMatchObject({ code: 'READONLY' })
    await db.close()
  })
})

test('triggers, views and indexes of the app outlive a rename and a rebuild', async () => {
  const db = release({ users: Plain })
  await db.users.create({ id: 'a', name: 'Ada' })
  await db.batch([
    sql`create table log (name text)`,
    sql`create trigger noted after update on users begin insert into log values (new.name); end`,
    sql`create view names as select name from users`,
    sql`create index mine on users (name, id)`,
  ])
  await db.close()
  const Renamed = model('User', { id: t.id(), title: t.text().default('-').renamedFrom('name') })
  const next = release({ users: Renamed })
  expect((await next.ready).applied.map(step => step.kind)).toEqual(['renameColumn', 'rebuildTable'])
  await (next as any).users.update('a', { title: 'Bea' })
  expect(await next.sql`select name from log`).toEqual([{ name: 'Bea' }])
  expect(await next.sql`select * from names`).toEqual([{ title: 'Bea' }])
  expect(await next.sql`select sql from sqlite_schema where name = 'mine'`).toEqual([
    { sql: expect.stringMatching(/"?title"?, id/) },
  ])
  await next.close()
})
