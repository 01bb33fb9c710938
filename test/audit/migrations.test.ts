// Schemas change, the trail goes on: entries of earlier builds are read by what is declared today, as far as it is there.
import { describe, expect, test } from 'vitest'
import { model, sql, t, type DatabaseOptions } from '../../src/index.js'
import type { AnyModel } from '../../src/model.js'
import { release } from '../migrations/support.js'
import { changedForeign, failureOf, useOrigin } from '../whole/support.js'

useOrigin()

const audit = true
const id = t.id()

/** Opens a build of the app, does something, closes it. */
async function build<T>(
  models: Record<string, AnyModel>,
  work: (db: any) => Promise<T>,
  options: Omit<DatabaseOptions<any>, 'models'> = {},
): Promise<T> {
  const db = release(models, options)
  try {
    return await work(db)
  } finally {
    await db.close()
  }
}

const rowsOf = (entries: { before: unknown; after: unknown }[]) => entries.map(({ before, after }) => [before, after])
const TRIGGERS = sql<{ n: number }>`select count(*) as n from sqlite_schema where name glob 'tr:*:audit:*'`

describe('fields', () => {
  const First = model('Item', { id, title: t.text(), n: t.integer(), gone: t.text().nullable() }, { audit })
  const first = (db: any) => db.items.create({ id: 'a', title: 'x', n: 1, gone: 'g' })

  test('added, removed, renamed, in another order', async () => {
    await build({ items: First }, first)
    const Second = model(
      'Item',
      { more: t.text().default('m'), n: t.integer(), name: t.text().renamedFrom('title'), id },
      { audit },
    )
    await build({ items: Second }, async db => {
      await db.items.update('a', { name: 'y' })
      const entries = await db.audit.list({ model: 'Item', key: 'a' })
      expect(rowsOf(entries)).toEqual([
        [
          { more: 'm', n: 1, name: 'x', id: 'a' },
          { more: 'm', n: 1, name: 'y', id: 'a' },
        ],
        // As it was then: without the new field, with the one that is no more.
        [null, { n: 1, name: 'x', id: 'a', gone: 'g' }],
      ])
      expect(Object.keys(entries[1].after)).toEqual(['n', 'name', 'id', 'gone'])
    })
  })

  test('of another kind or form', async () => {
    const Before = model(
      'Item',
      { id, at: t.date({ as: 'seconds' }), iso: t.date({ as: 'text' }), n: t.integer(), b: t.integer(), s: t.text() },
      { audit },
    )
    const at = new Date(86_400_000)
    await build({ items: Before }, db => db.items.create({ id: 'a', at, iso: at, n: 7, b: 1, s: '12' }))
    const After = model(
      'Item',
      { id, at: t.date(), iso: t.date({ as: 'seconds' }), n: t.bigint(), b: t.boolean(), s: t.integer() },
      { audit },
    )
    await build({ items: After }, async db => {
      const row = { id: 'a', at, iso: at, n: 7n, b: true, s: 12 }
      expect(await db.items.read('a')).toEqual(row)
      expect(rowsOf(await db.audit.list())).toEqual([[null, row]])
      await db.items.update('a', { s: 13 })
      expect(rowsOf(await db.audit.list())[0]).toEqual([row, { ...row, s: 13 }])
    })
    // What the field of today cannot hold stays as it was written.
    const Blob = model('Item', { id, s: t.blob().nullable(), n: t.date().nullable() }, { audit })
    await build({ items: Blob }, async db => {
      expect((await db.audit.list()).at(-1).after).toMatchObject({ s: '12', n: new Date(7), b: 1 })
    })
  })

  test('their order is no migration', async () => {
    await build({ items: First }, first)
    const Moved = model('Item', { gone: t.text().nullable(), n: t.integer(), title: t.text(), id }, { audit })
    await build({ items: Moved }, async db => {
      expect((await db.ready).cached).toBe(true)
    })
  })

  test('a rebuild records nothing, and what follows is recorded once', async () => {
    await build({ items: First }, first)
    const Strict = model(
      'Item',
      { id, title: t.text(), n: t.integer().check(sql`n > 0`), gone: t.text().nullable() },
      { audit },
    )
    await build({ items: Strict }, async db => {
      expect((await db.ready).applied.map((step: any) => step.kind)).toContain('rebuildTable')
      await db.items.update('a', { n: 2 })
      expect((await db.audit.list()).map((entry: any) => entry.action)).toEqual(['update', 'create'])
      expect(await db.run(TRIGGERS)).toEqual([{ n: 3 }])
    })
  })
})

describe('on and off', () => {
  const fields = { id, n: t.integer().default(0) }
  const Off = model('Item', fields)
  const On = model('Item', fields, { audit })
  // Going back to an earlier build is a newer version.
  let version = 0
  const step = <T>(models: Record<string, AnyModel>, work: (db: any) => Promise<T>) =>
    build(models, work, { version: ++version })

  test('switched on with rows that are there, off, and on again', async () => {
    await step({ items: Off }, db => db.items.create({ id: 'a' }))
    await step({ items: On }, async db => {
      expect((await db.ready).applied.map((step: any) => step.kind)).toEqual(Array(3).fill('createTrigger'))
      expect(await db.audit.list()).toEqual([])
      await db.items.update('a', { n: 1 })
    })
    await step({ items: Off }, async db => {
      expect((await db.ready).applied.map((step: any) => step.kind)).toEqual(Array(3).fill('dropTrigger'))
      await db.items.update('a', { n: 2 })
      expect(await db.run(TRIGGERS)).toEqual([{ n: 0 }])
      // What was recorded stays, and can be read.
      expect(rowsOf(await db.audit.list())).toEqual([
        [
          { id: 'a', n: 0 },
          { id: 'a', n: 1 },
        ],
      ])
    })
    await step({ items: On }, async db => {
      await db.items.delete('a')
      expect(await db.audit.list()).toMatchObject([
        { id: 2, action: 'delete', before: { id: 'a', n: 2 } },
        { id: 1, action: 'update' },
      ])
    })
  })

  test('a model that is removed, and declared again', async () => {
    const Other = model('Other', { id })
    await step({ items: On, others: Other }, db => db.items.create({ id: 'a' }))
    await step({ others: Other }, async db => {
      await db.others.create({ id: 'o' })
      expect(await db.run(TRIGGERS)).toEqual([{ n: 0 }])
      // Of models that are not declared there is nothing to say what their rows are.
      expect(await db.audit.list()).toEqual([])
      expect(await db.sql`select model, key from dataflow_audit`).toEqual([{ model: 'Item', key: 'a' }])
    })
    await step({ items: On, others: Other }, async db => {
      await db.items.update('a', { n: 5 })
      expect((await db.audit.list()).map((entry: any) => entry.action)).toEqual(['update', 'create'])
    })
  })
})

describe('names of models and tables', () => {
  const fields = { id, n: t.integer().default(0) }

  test('entries go with a model that is renamed, and its table', async () => {
    await build({ items: model('Item', fields, { audit }) }, db => db.items.create({ id: 'a' }))
    const Thing = model('Thing', fields, { audit, renamedFrom: 'Item' })
    await build({ things: Thing }, async db => {
      await db.things.update('a', { n: 1 })
      const entries = await db.audit.list({ model: 'Thing', key: 'a' })
      expect(entries.map((entry: any) => [entry.model, entry.action])).toEqual([
        ['Thing', 'update'],
        ['Thing', 'create'],
      ])
    })
    await build({ others: model('Thing', fields, { audit, table: 'elsewhere' }) }, async db => {
      await db.others.delete('a')
      expect((await db.audit.list()).map((entry: any) => entry.action)).toEqual(['delete', 'update', 'create'])
    })
  })

  test('names that are exchanged by way of a third', async () => {
    const A = model('A', fields, { audit })
    const B = model('B', fields, { audit })
    await build({ as: A, bs: B }, async db => {
      await db.as.create({ id: 'was a' })
      await db.bs.create({ id: 'was b' })
    })
    const C = model('C', fields, { audit, renamedFrom: 'A' })
    const D = model('D', fields, { audit, renamedFrom: 'B' })
    await build({ bs: C, as: D }, async db => {
      expect((await db.audit.list({ model: 'C' })).map((entry: any) => entry.key)).toEqual(['was a'])
      expect((await db.audit.list({ model: 'D' })).map((entry: any) => entry.key)).toEqual(['was b'])
      expect(await db.bs.read('was a')).toEqual({ id: 'was a', n: 0 })
      await db.bs.delete('was a')
      expect((await db.audit.list({ model: 'C' })).map((entry: any) => entry.action)).toEqual(['delete', 'create'])
    })
  })
})

test('data steps are recorded: of SQL by nobody, of the page by the actor', async () => {
  const fields = { id, n: t.integer().default(0) }
  const Item = model('Item', fields, { audit })
  const data = [
    { id: 'of sql', up: sql`update items set n = 1` },
    { id: 'of the page', up: (tx: any) => tx.items.update('a', { n: 2 }) },
  ]
  await build({ items: Item }, db => db.items.create({ id: 'a' }))
  await build(
    { items: Item },
    async db => {
      const entries = await db.audit.list()
      expect(entries.map((entry: any) => [entry.action, entry.who, entry.after.n])).toEqual([
        ['update', 'ada', 2],
        ['update', null, 1],
        ['create', null, 0],
      ])
      expect(entries.every((entry: any) => entry.at instanceof Date && entry.at.getTime() > 0)).toBe(true)
    },
    { actor: 'ada', migrations: { data: data as never } },
  )
})

describe('modes', () => {
  const fields = { id, n: t.integer().default(0) }
  const Off = model('Item', fields)
  const On = model('Item', fields, { audit })

  test('autoMigrate false: SCHEMA_MISMATCH, whose statements make what is missing; apply makes it too', async () => {
    await build({ items: Off }, db => db.items.create({ id: 'a' }))
    await build(
      { items: On },
      async db => {
        const error = await failureOf(db.items.read('a'))
        expect(error).toMatchObject({ code: 'SCHEMA_MISMATCH', model: 'Item' })
        expect(error.sql).toContain('CREATE TABLE IF NOT EXISTS dataflow_audit')
        expect(await db.audit.list()).toEqual([])
        await db.migrations.apply()
        await db.items.update('a', { n: 1 })
        expect(await db.audit.list()).toHaveLength(1)
      },
      { autoMigrate: false },
    )
  })

  test("autoMigrate 'warn': reads go on, a write that would not be recorded is refused", async () => {
    await build({ items: Off }, db => db.items.create({ id: 'a' }))
    await build(
      { items: On },
      async db => {
        expect(await db.items.read('a')).toEqual({ id: 'a', n: 0 })
        for (const write of [
          () => db.items.update('a', { n: 1 }),
          () => db.items.create({}),
          () => db.items.delete('a'),
          () => db.items.bulkUpdate({ all: true, set: { n: 1 } }),
          () => db.items.bulkDelete({ all: true }),
        ]) {
          const error = await failureOf(write())
          expect(error).toMatchObject({ code: 'SCHEMA_MISMATCH' })
          expect(error.text).toBe('the table has no audit trail yet.')
        }
        await db.migrations.apply()
        await db.items.update('a', { n: 1 })
        expect(await db.audit.list()).toHaveLength(1)
      },
      { autoMigrate: 'warn' },
    )
  })

  test('a newer build has more fields, or no trail: the older one writes only what is recorded', async () => {
    const More = model('Item', { ...fields, more: t.text().default('x') }, { audit })
    await build({ items: On }, db => db.items.create({ id: 'a' }), { version: 1 })
    await build({ items: More }, db => db.items.update('a', { n: 1 }), { version: 2 })
    const older = { version: 1, migrations: { onNewer: 'compatible' as const } }
    await build(
      { items: On },
      async db => {
        await db.items.update('a', { n: 2 })
        const [entry] = await db.audit.list()
        expect(entry).toMatchObject({ after: { id: 'a', n: 2, more: 'x' }, who: null })
      },
      older,
    )
    await build({ items: model('Item', { ...fields, more: t.text().default('x') }) }, db => db.items.count(), {
      version: 3,
    })
    await build(
      { items: On },
      async db => {
        expect(await db.items.read('a')).toEqual({ id: 'a', n: 2 })
        expect((await failureOf(db.items.update('a', { n: 3 }))).text).toBe('the table has no audit trail yet.')
      },
      older,
    )
  })

  test('a newer build that records: what an older one wrote is by nobody', async () => {
    await build({ items: Off }, db => db.items.create({ id: 'a' }), { version: 1 })
    await build({ items: On }, db => db.items.count(), { version: 2 })
    const older = { version: 1, migrations: { onNewer: 'compatible' as const } }
    await build({ items: Off }, db => db.items.update('a', { n: 1 }), older)
    await build(
      { items: On },
      async db => {
        await db.items.update('a', { n: 2 })
        expect((await db.audit.list()).map((entry: any) => [entry.after.n, entry.who])).toEqual([
          [2, 'ada'],
          [1, null],
        ])
      },
      { version: 2, actor: 'ada' },
    )
  })
})

test('somebody has dropped a trigger: told as drift', async () => {
  const Item = model('Item', { id }, { audit })
  await build({ items: Item }, async db => {
    await db.items.create({ id: 'a' })
    const changed = await changedForeign(await db.export(), 'drop trigger "tr:items:audit:update"')
    const error = await failureOf(db.import(changed))
    expect(error).toMatchObject({ code: 'IMPORT' })
    expect(error.text).toMatch(/lacks the trigger tr:items:audit:update/)
  })
})
