// A model's schema: over the whole of each new row, with its defaults, before the fields' own.
import { describe, expect, test } from 'vitest'
import * as z from 'zod'
import { model, sql, t } from '../../src/index.js'
import { localDatabase } from '../support/local.js'
import { refused, schemaOf } from './support.js'

const fields = {
  id: t.id(),
  name: t.text(),
  slug: t.text().nullable(),
  low: t.integer().default(0),
  high: t.integer().default(() => 10),
  seen: t.text().default(sql`'db'`),
  at: t.createdAt(),
}
const LIBRARIES = [
  [
    'zod',
    z
      .object({ name: z.string(), low: z.number(), high: z.number() })
      .refine(row => row.low <= row.high, { message: 'low is above high', path: ['low'] })
      .transform(row => ({ ...row, name: row.name.trim(), slug: row.name.trim().toLowerCase() })),
  ],
  [
    'a schema written by hand',
    schemaOf(
      (row: any) => {
        if (typeof row.name !== 'string') throw 'needs a name'
        if (row.low > row.high) throw 'low is above high'
        return { ...row, name: row.name.trim(), slug: row.name.trim().toLowerCase() }
      },
      ['low'],
    ),
  ],
] as const

describe.each(LIBRARIES)('%s', (_, schema) => {
  const Item = model('Item', fields, { schema, unique: [['name']] })
  const open = () => localDatabase({ items: Item })
  type Db = ReturnType<typeof open>

  const WRITES: [string, (db: Db, row: any) => Promise<unknown>, readonly (string | number)[]][] = [
    ['create', (db, row) => db.tables.items.create(row), ['low']],
    ['upsert', (db, row) => db.tables.items.upsert(row), ['low']],
    ['bulkCreate', (db, row) => db.tables.items.bulkCreate([{ name: 'first' }, row]), [1, 'low']],
    ['bulkUpsert', (db, row) => db.tables.items.bulkUpsert([row], { on: 'name' }), [0, 'low']],
  ]

  test.each(WRITES)(
    '%s: its output is written; what does not pass is refused and nothing is sent',
    async (_, write, at) => {
      const db = open()
      await db.tables.items.count()
      const { executed, result } = await db.count(() => refused(write(db, { name: 'x', low: 11 })))
      expect([executed, result.issues]).toEqual([0, [{ path: at, message: 'low is above high' }]])
      expect(result).toMatchObject({ model: 'Item', fields: ['low'] })
      await write(db, { name: '  Ada ', high: 3 })
      expect(await db.tables.items.first({ where: { name: 'Ada' } })).toMatchObject({
        slug: 'ada',
        low: 0,
        high: 3,
        seen: 'db',
        at: expect.any(Date), // prettier-ignore
      })
      await db.close()
    },
  )

  test('what it does not speak of stays as it was given or made', async () => {
    const db = open()
    const row = await db.tables.items.create({ id: 'mine', name: 'x', seen: 'here' })
    expect(row).toMatchObject({ id: 'mine', seen: 'here', high: 10 })
    const made = await db.tables.items.create({ name: 'y' })
    expect(await db.tables.items.read(made.id)).toEqual(made)
    await db.close()
  })

  test('an update does not go through it', async () => {
    const db = open()
    const { id } = await db.tables.items.create({ name: 'x' })
    expect(await db.tables.items.update(id, { low: 99 })).toMatchObject({ low: 99, high: 10 })
    await db.tables.items.bulkUpdate({ all: true, set: { name: ' y ' } })
    expect(await db.tables.items.read(id)).toMatchObject({ name: ' y ', slug: 'x' })
    await db.close()
  })

  test('an upsert writes what it added to a row that exists, but no default', async () => {
    const db = open()
    const { id } = await db.tables.items.create({ name: 'x', low: 5, high: 6 })
    expect(await db.tables.items.upsert({ id, name: 'New' })).toMatchObject({
      name: 'New',
      slug: 'new',
      low: 5,
      high: 6,
    })
    await db.tables.items.bulkUpsert([{ id, name: 'Other' }])
    expect(await db.tables.items.read(id)).toMatchObject({ name: 'Other', slug: 'other', low: 5, high: 6 })
    await db.close()
  })
})

describe('what is wrong with a row', () => {
  test('of its fields and as a whole is one error; a field speaks for itself', async () => {
    const Item = model(
      'Item',
      { id: t.id(), name: t.text(), mail: t.text().schema(z.email('is no address')), a: t.integer(), b: t.integer() },
      { schema: z.object({ name: z.string(), a: z.number(), b: z.number().max(3, 'is too much') }) },
    )
    const db = localDatabase({ items: Item })
    const error = await refused(db.tables.items.create({ mail: 'x', a: 1.5, b: 9 } as any))
    expect(error.issues).toEqual([
      { path: ['name'], message: 'is required' },
      { path: ['mail'], message: 'is no address' },
      { path: ['a'], message: expect.stringContaining('safe integer') },
      { path: ['b'], message: 'is too much' },
    ])
    expect(error.fields).toEqual(['name', 'mail', 'a', 'b'])
    await db.close()
  })

  test('the row itself: an empty path', async () => {
    const Item = model(
      'Item',
      { id: t.id(), n: t.integer() },
      {
        schema: schemaOf<any>(() => {
          throw 'never fits'
        }),
      },
    )
    const db = localDatabase({ items: Item })
    const error = await refused(db.tables.items.create({ n: 1 }))
    expect([error.text, error.issues, error.fields]).toEqual(['never fits.', [{ path: [], message: 'never fits' }], []])
    expect((await refused(db.tables.items.bulkCreate([{ n: 1 }]))).issues[0]!.path).toEqual([0])
    await db.close()
  })

  test("the fields' schemas see what the model's gives", async () => {
    const Item = model(
      'Item',
      { id: t.id(), n: t.integer().schema(schemaOf((n: string) => Number(n))) },
      { schema: schemaOf<any, { n: string }>(row => ({ n: `${row.n}0` })) },
    )
    const db = localDatabase({ items: Item })
    expect(await db.tables.items.create({ n: '4' })).toMatchObject({ n: 40 })
    await db.close()
  })
})

describe('what it may not give', () => {
  const items = (give: (row: any) => unknown) =>
    localDatabase({
      items: model('Item', { id: t.id(), name: t.text(), v: t.version() }, { schema: schemaOf<any, any>(give) }),
    })

  test.each([
    [
      'a field that is not there',
      (row: any) => ({ ...row, nam: 1 }),
      'UNKNOWN_FIELD',
      /gives "nam", which is no field\. Hint: .*name/,
    ],
    ['what the library makes', (row: any) => ({ ...row, v: 1 }), 'READONLY', /gives v, which the library makes/],
    ['no object', () => 'text', 'VALIDATION', /the schema of the model gives a string for a row/],
    ['a promise', async (row: any) => row, 'VALIDATION', /must have a synchronous schema/],
    ['a value that does not fit', (row: any) => ({ ...row, name: 5 }), 'VALIDATION', /name must be a string/],
  ] as const)('%s', async (_, give, code, message) => {
    const db = items(give)
    await db.tables.items.count()
    const { executed, result } = await db.count(() => db.tables.items.create({ name: 'x' }).catch((e: unknown) => e))
    expect(executed).toBe(0)
    expect(result).toMatchObject({ code, model: 'Item', message: expect.stringMatching(message) })
    await db.close()
  })

  test('that a row is deleted', async () => {
    const Item = model(
      'Item',
      { id: t.id(), deletedAt: t.date().nullable() },
      { softDelete: true, schema: schemaOf<any, any>(row => ({ ...row, deletedAt: new Date() })) },
    )
    const db = localDatabase({ items: Item })
    await expect(db.tables.items.create({})).rejects.toMatchObject({ code: 'READONLY', fields: ['deletedAt'] })
    await db.close()
  })

  test('undefined is a value that is left out', async () => {
    const db = items(row => ({ ...row, name: undefined }))
    expect((await refused(db.tables.items.create({ name: 'x' }))).issues).toEqual([
      { path: ['name'], message: 'is required' },
    ])
    await db.close()
  })

  test('a default that fails is said of its field', async () => {
    const Item = model(
      'Item',
      {
        id: t.id(),
        n: t.text().default(() => {
          throw new Error('x')
        }),
      },
      { schema: schemaOf<any>(row => row) },
    )
    const db = localDatabase({ items: Item })
    expect((await refused(db.tables.items.create({}))).issues).toEqual([
      { path: ['n'], message: 'has a default that failed' },
    ])
    await db.close()
  })

  test('something that is no schema', () => {
    expect(() => model('Item', { id: t.id() }, { schema: {} as never })).toThrow(
      /^\[BAD_MODEL\] That is not a Standard Schema/,
    )
  })
})

test('in a scope it sees what the scope writes, and does not change it', async () => {
  const Item = model(
    'Item',
    { id: t.id(), tenant: t.text(), since: t.date(), n: t.integer() },
    {
      scope: ['tenant', 'since'],
      schema: z
        .object({ tenant: z.string().toUpperCase(), since: z.date(), n: z.number() })
        .refine(row => row.n < 5, { message: 'is too much', path: ['n'] }),
    },
  )
  const db = localDatabase({ items: Item })
  const { items } = db.scope<any>({ tenant: 'a', since: new Date(5) }).tables
  const row = await items.create({ n: 1 })
  expect(row).toMatchObject({ tenant: 'a', since: new Date(5), n: 1 })
  expect(await db.tables.items.read(row.id)).toEqual(row)
  expect((await refused(items.bulkCreate([{ n: 1 }, { n: 9 }]))).issues).toEqual([
    { path: [1, 'n'], message: 'is too much' },
  ])
  await db.close()
})
