// S6: every kind of difference that no step handles is told, all in one error, and nothing is changed.
import { describe, expect, test } from 'vitest'
import { model, sql, t } from '../../src/index.js'
import type { AnyModel } from '../../src/model.js'
import { app, differencesOf, failureOf, history, ready, schemaOf, status, upgrade } from './support.js'

const Owner = model('Owner', { id: t.id(), name: t.text() })
const Other = model('Other', { id: t.id() })
const base = {
  id: t.id(),
  name: t.text(),
  age: t.integer().nullable(),
  role: t.enum(['admin', 'member']).default('member'),
  score: t.real().default(1),
  size: t.integer().check(sql<boolean>`size > 0`),
  ownerId: t.ref('Owner', { onDelete: 'cascade' }).nullable(),
}
const Thing = model('Thing', base)
const models = { owners: Owner, others: Other, things: Thing }
const { name: _name, ...withoutName } = base
const { age: _age, ...withoutAge } = base
const { id: _id, ...withoutKey } = base

const check = 'ck:things:size:1'
const cases: [what: string, thing: AnyModel, ...differences: string[]][] = [
  ['removed field', model('Thing', withoutName), 'Thing.name is in the database, but no longer declared'],
  ['removed nullable field', model('Thing', withoutAge), 'Thing.age is in the database, but no longer declared'],
  [
    'renamed field',
    model('Thing', { ...withoutName, title: t.text() }),
    'Thing.title is new and neither nullable nor defaulted',
    'Thing.name is in the database, but no longer declared',
  ],
  [
    'other type',
    model('Thing', { ...base, name: t.integer() }),
    'Thing.name is TEXT in the database, declared as INTEGER',
  ],
  [
    'nullable becomes NOT NULL',
    model('Thing', { ...base, age: t.integer() }),
    'Thing.age is nullable in the database, declared NOT NULL',
  ],
  [
    'NOT NULL becomes nullable',
    model('Thing', { ...base, name: t.text().nullable() }),
    'Thing.name is NOT NULL in the database, declared nullable',
  ],
  [
    'other default',
    model('Thing', { ...base, score: t.real().default(2) }),
    'Thing.score has the default 1 in the database, declared 2',
  ],
  [
    'default removed',
    model('Thing', { ...base, score: t.real() }),
    'Thing.score has the default 1 in the database, declared none',
  ],
  [
    'default added',
    model('Thing', { ...base, name: t.text().default("it's") }),
    "Thing.name has the default none in the database, declared 'it''s'",
  ],
  [
    'enum value added',
    model('Thing', { ...base, role: t.enum(['admin', 'member', 'guest']).default('member') }),
    'Thing.role has another check ck:things:role:enum in the database',
  ],
  [
    'enum becomes text',
    model('Thing', { ...base, role: t.text().default('member') }),
    'Thing.role has the check ck:things:role:enum in the database, no longer declared',
  ],
  [
    'check added to a field',
    model('Thing', { ...base, name: t.text().check(sql<boolean>`name <> ''`) }),
    'Thing.name lacks the check ck:things:name:1 in the database',
  ],
  [
    'check removed from a field',
    model('Thing', { ...base, size: t.integer() }),
    `Thing.size has the check ${check} in the database, no longer declared`,
  ],
  [
    'check changed',
    model('Thing', { ...base, size: t.integer().check(sql<boolean>`size > 1`) }),
    `Thing.size has another check ${check} in the database`,
  ],
  [
    'check over several fields added',
    model('Thing', base, { checks: [sql<boolean>`age < size`] }),
    'Thing lacks the check ck:things:1 in the database',
  ],
  [
    'reference added to a field',
    model('Thing', { ...base, name: t.ref('Owner') }),
    'Thing.name refers to nothing in the database, declared: refers to owners.id (on delete no action)',
  ],
  [
    'reference removed',
    model('Thing', { ...base, ownerId: t.text().nullable() }),
    'Thing.ownerId refers to owners.id (on delete cascade) in the database, declared: refers to nothing',
  ],
  [
    'reference to another model',
    model('Thing', { ...base, ownerId: t.ref('Other', { onDelete: 'cascade' }).nullable() }),
    'Thing.ownerId refers to owners.id (on delete cascade) in the database, declared: refers to others.id (on delete cascade)',
  ],
  [
    'other onDelete',
    model('Thing', { ...base, ownerId: t.ref('Owner', { onDelete: 'set null' }).nullable() }),
    'Thing.ownerId refers to owners.id (on delete cascade) in the database, declared: refers to owners.id (on delete set null)',
  ],
  [
    'another key',
    model('Thing', { ...base, id: t.text(), name: t.text().primaryKey() }),
    'Thing.id is the key in the database',
    'Thing.name is not the key in the database',
  ],
  [
    'a key of another kind',
    model('Thing', { ...withoutKey, id: t.autoId() }),
    'Thing.id is TEXT in the database, declared as INTEGER',
    'Thing.id counts differently in the database (AUTOINCREMENT)',
  ],
  [
    'a new key beside the old one',
    model('Thing', { ...base, id: t.text(), no: t.autoId() }),
    'Thing.id is the key in the database',
    'Thing.no is a new key: a key cannot be added to an existing table',
  ],
  [
    'new NOT NULL field without a default',
    model('Thing', { ...base, extra: t.text() }),
    'Thing.extra is new and neither nullable nor defaulted',
  ],
  [
    'new field with a function as its default',
    model('Thing', { ...base, extra: t.text().default(() => 'x') }),
    'Thing.extra is new and neither nullable nor defaulted',
  ],
  [
    'new field with an SQL default',
    model('Thing', { ...base, extra: t.integer().default(sql<number>`random()`) }),
    'Thing.extra is new with an SQL expression as its default',
  ],
  [
    'new reference with a default',
    model('Thing', { ...base, extra: t.ref('Owner').default('x') }),
    'Thing.extra is a new reference with a default',
  ],
  [
    'createdAt and updatedAt added',
    model('Thing', { ...base, made: t.createdAt(), changed: t.updatedAt() }),
    'Thing.made is new and neither nullable nor defaulted',
    'Thing.changed is new and neither nullable nor defaulted',
  ],
]

/** What must hold after a refused start. */
async function refused(to: Record<string, AnyModel>, differences: string[]) {
  const { start } = app()
  const first = await start(models)
  const owner = await first.tables.owners.create({ name: 'o' })
  const thing = await first.tables.things.create({ name: 'x', size: 1, ownerId: owner.id })
  await first.tables.others.count()
  const before = { schema: await schemaOf(first), registry: await first.sql`select * from dataflow_model_registry` }
  const second = await start(to)
  const error = await failureOf(ready(second))
  expect(error.code).toBe('SCHEMA_MISMATCH')
  const steps = differences.some(text => text.includes(' needs: '))
  const told = differencesOf(error).filter(text => steps || !text.includes(' needs: '))
  expect(told.sort()).toEqual([...differences].sort())
  // Nothing of it was done, nothing was recorded, and no model can be used.
  expect(await schemaOf(second)).toEqual(before.schema)
  expect(await second.sql`select * from dataflow_model_registry`).toEqual(before.registry)
  expect((await history(second)).filter(row => row.status === 'failed')).toEqual([])
  expect(await second.sql`select id, name, size from things`).toEqual([{ id: thing.id, name: 'x', size: 1 }])
  expect(second.events.filter(({ type }) => type === 'migrate')).toEqual([])
  for (const accessor of Object.keys(to)) {
    const again = await failureOf((second.tables as any)[accessor].count())
    expect(again.message).toBe(error.message)
  }
  return { start, second, error }
}

describe('a difference that no step handles', () => {
  test.each(cases)('%s', async (_, thing, ...differences) => {
    const { second, error } = await refused({ ...models, things: thing }, differences)
    expect(error.model).toBe('Thing')
    expect(await status(second, 'Thing')).toBe('needs_migration')
    await second.close()
  })

  test.each(cases)('%s: also when the database itself is asked', async (_, thing, ...differences) => {
    const { start } = app()
    const first = await start(models)
    await first.tables.things.count()
    await first.tables.others.count()
    await first.sql`create view v as select 1` // moves the schema's version: the registry is not trusted
    const second = await start({ ...models, things: thing })
    const error = await failureOf(second.tables.things.count())
    expect(error.code).toBe('SCHEMA_MISMATCH')
    expect(error.issues!.every(({ path }) => path[0] === 'Thing')).toBe(true)
    expect(differencesOf(error).filter(text => !text.includes(' needs: '))).toHaveLength(differences.length)
    await second.close()
  })

  test('model removed', async () => {
    const gone = 'Other is in the database (table "others"), but not declared'
    const { second } = await refused({ owners: Owner, things: Thing }, [gone])
    await second.close()
  })

  test('another table', async () => {
    const Moved = model('Other', Other.$fields, { table: 'items' })
    const { second } = await refused({ ...models, others: Moved }, [
      'Other is stored in table "others", not in "items"',
    ])
    await second.close()
  })

  test('model renamed', async () => {
    const Person = model('Person', Other.$fields, { table: 'others' })
    const gone = 'Other is in the database (table "others"), but not declared'
    const { second } = await refused({ ...models, others: Person }, [gone])
    await second.close()
  })

  test('several at once are one error, with the steps that would have been done', async () => {
    const Changed = model('Thing', { ...withoutName, age: t.integer(), nick: t.text().nullable() })
    const { second, error } = await refused(
      { owners: model('Owner', { ...Owner.$fields, extra: t.text() }), things: Changed },
      [
        'Other is in the database (table "others"), but not declared',
        'Owner.extra is new and neither nullable nor defaulted',
        'Thing needs: add column nick to things',
        'Thing.age is nullable in the database, declared NOT NULL',
        'Thing.name is in the database, but no longer declared',
      ],
    )
    expect(error.model).toBeUndefined()
    expect([...error.fields!].sort()).toEqual(['age', 'extra', 'name'])
    expect(error.sql).toBe('ALTER TABLE "things" ADD COLUMN "nick" TEXT')
    await second.close()
  })

  test('a way out: the earlier declaration', async () => {
    const { start, second } = await refused({ ...models, things: model('Thing', withoutName) }, [
      'Thing.name is in the database, but no longer declared',
    ])
    await second.close()
    const third = await start(models)
    expect(await third.tables.things.count()).toBe(1)
    await third.close()
  })
})

test('differences name the declared field, whatever its column is called', async () => {
  const before = model('Thing', { id: t.id(), title: t.text().column('the title') })
  const after = model('Thing', { id: t.id(), title: t.integer().column('the title') })
  const db = await upgrade({ things: before }, { things: after })
  const error = await failureOf(db.tables.things.count())
  expect(differencesOf(error)).toEqual(['Thing.title is TEXT in the database, declared as INTEGER'])
  expect(error.fields).toEqual(['title'])
  await db.close()
})

test('a table that moved is told also when the database itself is asked: its rows are not left behind', async () => {
  const { start } = app()
  const first = await start({ things: Other })
  await first.tables.things.create({})
  await first.sql`create view v as select 1`
  const second = await start({ things: model('Other', Other.$fields, { table: 'items' }) })
  expect(await failureOf(second.tables.things.count())).toMatchObject({ code: 'SCHEMA_MISMATCH' })
  expect(await second.sql`select count(*) as n from sqlite_schema where name = 'items'`).toEqual([{ n: 0 }])
  // Moved by hand, it fits.
  await second.sql`alter table things rename to items`
  expect(await second.tables.things.count()).toBe(1)
  await second.close()
})

test('a removed model is no difference any more when its table has been dropped by hand', async () => {
  const db = await upgrade({ things: Other, owners: Owner }, { owners: Owner })
  expect(await failureOf(db.tables.owners.count())).toMatchObject({ code: 'SCHEMA_MISMATCH' })
  await db.sql`drop table things`
  expect(await db.tables.owners.count()).toBe(0)
  await db.close()
})

test('a removed check is told although the name of its table needs quotes', async () => {
  const before = model('Thing', { id: t.id(), n: t.boolean() }, { table: 'a "b" c' })
  const after = model('Thing', { id: t.id(), n: t.integer() }, { table: 'a "b" c' })
  const { start } = app()
  const first = await start({ things: before })
  await first.sql`create view v as select 1`
  const second = await start({ things: after })
  expect(differencesOf(await failureOf(second.tables.things.count()))).toHaveLength(1)
  await second.close()
})
