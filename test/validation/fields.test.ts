// A field's schema: on every value the page knows, on every way a value is written, before anything is sent.
import { describe, expect, test } from 'vitest'
import * as z from 'zod'
import { DataFlowError, model, sql, t } from '../../src/index.js'
import { resolveModels } from '../../src/resolve.js'
import { localDatabase, type LocalDatabase } from '../support/local.js'
import { refused, schemaOf } from './support.js'

const byHand = schemaOf((value: string) => {
  if (typeof value !== 'string' || !value.includes('@')) throw 'is no address'
  return value.toLowerCase()
})

const LIBRARIES = [
  [
    'zod',
    z
      .string()
      .refine(value => value.includes('@'), 'is no address')
      .toLowerCase(),
  ],
  ['a schema written by hand', byHand],
] as const

describe.each(LIBRARIES)('%s', (_, schema) => {
  const User = model(
    'User',
    { id: t.id(), email: t.text().schema(schema).unique(), other: t.text().nullable().schema(schema), n: t.integer() },
    { unique: [['n']] },
  )
  const models = { users: User }
  type Db = LocalDatabase<typeof models>

  async function open(): Promise<Db> {
    const db = localDatabase(models)
    await db.tables.users.create({ id: 'a', email: 'ADA@X', n: 1 })
    return db
  }

  const PATHS: [name: string, write: (db: Db, email: string) => Promise<unknown>, at: readonly (string | number)[]][] =
    [
      ['create', (db, email) => db.tables.users.create({ email, n: 2 }), ['email']],
      ['update', (db, email) => db.tables.users.update('a', { email }), ['email']],
      ['upsert', (db, email) => db.tables.users.upsert({ id: 'a', email, n: 1 }), ['email']],
      [
        'upsert, what it updates',
        (db, email) => db.tables.users.upsert({ id: 'a', email: 'x@x', n: 1 }, { update: { email } }),
        ['email'],
      ],
      [
        'bulkCreate',
        (db, email) =>
          db.tables.users.bulkCreate([
            { email: 'z@z', n: 8 },
            { email, n: 9 },
          ]),
        [1, 'email'],
      ],
      ['bulkUpsert', (db, email) => db.tables.users.bulkUpsert([{ id: 'a', email, n: 1 }]), [0, 'email']],
      ['bulkUpdate', (db, email) => db.tables.users.bulkUpdate({ all: true, set: { email } }), ['email']],
      ['a batch', (db, email) => db.batch([User.count(), User.create({ email, n: 3 })]), ['email']],
    ]

  test.each(PATHS)(
    '%s: the output is stored, what does not pass is refused and nothing is sent',
    async (_, write, at) => {
      const db = await open()
      const before = await db.tables.users.list()
      const { executed, control, result } = await db.count(() => refused(write(db, 'nobody')))
      expect([executed, control]).toEqual([0, 0])
      expect(result.issues).toEqual([{ path: at, message: 'is no address' }])
      expect(result).toMatchObject({ code: 'VALIDATION', model: 'User', fields: ['email'] })
      expect(await db.tables.users.list()).toEqual(before)
      await write(db, 'New@X')
      expect(await db.tables.users.count({ email: 'new@x' })).toBe(1)
      await db.close()
    },
  )

  test('all that is wrong with a row is one error', async () => {
    const db = await open()
    const error = await refused(db.tables.users.create({ email: 'e', other: 'o', n: 1.5 }))
    expect(error.issues.map(issue => issue.path)).toEqual([['email'], ['other'], ['n']])
    expect(error.fields).toEqual(['email', 'other', 'n'])
    await db.close()
  })

  test("onError: 'collect' goes on, and each error says where", async () => {
    const db = await open()
    const rows = ['b@x', 'wrong', 'c@x'].map((email, i) => ({ email, n: i + 10 }))
    const { count, errors } = await db.tables.users.bulkCreate(rows, { onError: 'collect' })
    expect([count, errors.length, errors[0]!.index]).toEqual([2, 1, 1])
    expect(errors[0]!.error.issues).toEqual([{ path: [1, 'email'], message: 'is no address' }])
    await db.close()
  })

  test('null in a nullable field is not asked about', async () => {
    const db = await open()
    expect(await db.tables.users.create({ email: 'b@x', other: null, n: 5 })).toMatchObject({ other: null })
    expect(await db.tables.users.update('a', { other: null })).toMatchObject({ other: null })
    await db.close()
  })

  test('keys and filters are what is stored: they do not go through it', async () => {
    const Key = model('Key', { address: t.text().primaryKey().schema(schema), n: t.integer() })
    const keys = localDatabase({ keys: Key })
    await keys.tables.keys.create({ address: 'A@X', n: 1 })
    expect(await keys.tables.keys.read('a@x')).toEqual({ address: 'a@x', n: 1 })
    expect(await keys.tables.keys.read('A@X')).toBeNull()
    expect(await keys.tables.keys.count({ address: { $contains: 'A' } })).toBe(0)
    expect(await keys.tables.keys.update('a@x', { n: 2 })).toEqual({ address: 'a@x', n: 2 })
    expect(await keys.tables.keys.delete('a@x')).toBe(true)
    await keys.close()
  })
})

describe('every kind of field', () => {
  const give = (output: unknown) => schemaOf<any, any>(() => output)
  const blob = new Uint8Array([1, 2])
  const KINDS: [kind: string, field: any, output: unknown, stored: unknown, unfit: unknown][] = [
    ['text', t.text({ max: 3 }), 'abc', 'abc', 'abcd'],
    ['enum', t.enum(['a', 'b']), 'b', 'b', 'c'],
    ['integer', t.integer(), 7, 7, 7.5],
    ['bigint', t.bigint(), 7n, 7n, 7],
    ['real', t.real(), 0.5, 0.5, Number.NaN],
    ['boolean', t.boolean(), true, true, 1],
    ['date', t.date(), new Date(5), new Date(5), 'soon'],
    ['json', t.json(), { b: 1, a: [null] }, { a: [null], b: 1 }, new Map()],
    ['blob', t.blob(), blob, blob, [1, 2]],
    ['ref', t.ref('Box'), 'first', 'first', 5],
  ]

  test.each(KINDS)('%s: its output is encoded, and must fit', async (_, field, output, stored, unfit) => {
    const make = (schema: any) => model('Box', { id: t.id(), value: field.nullable().schema(schema) } as any)
    const db = localDatabase({ boxes: make(give(output)) as any })
    const boxes = db.tables.boxes as any
    await boxes.create({ id: 'first' })
    expect(await boxes.create({ id: 'b', value: 'anything' })).toEqual({ id: 'b', value: stored })
    expect(await boxes.update('first', { value: 'anything' })).toEqual({ id: 'first', value: stored })
    await db.close()
    const wrong = localDatabase({ boxes: make(give(unfit)) as any })
    const error = await refused((wrong.tables.boxes as any).create({ id: 'c', value: 'anything' }))
    expect(error.issues).toEqual([
      { path: ['value'], message: expect.stringMatching(/ \(that is what its schema gives\)$/) },
    ])
    // A schema may find that there is nothing.
    const nothing = localDatabase({ boxes: make(give(null)) as any })
    expect(await (nothing.tables.boxes as any).create({ id: 'd', value: '' })).toEqual({ id: 'd', value: null })
    expect(await (nothing.tables.boxes as any).count({ value: null })).toBe(1)
    await Promise.all([wrong.close(), nothing.close()])
  })

  test('null for a field that has none is refused', async () => {
    const db = localDatabase({ boxes: model('Box', { id: t.id(), value: t.text().schema(give(null)) }) })
    const error = await refused(db.tables.boxes.create({ value: 'x' }))
    expect(error.text).toMatch(/must be a string, not null \(that is what its schema gives\)/)
    await db.close()
  })

  test('paths lead into a JSON value', async () => {
    const schema = z.object({ list: z.array(z.object({ n: z.number() })) })
    const db = localDatabase({
      boxes: model('Box', { id: t.id(), value: t.json(schema), same: t.json().schema(schema) }),
    })
    const list = [{ n: 1 }, { n: 'x' as never }]
    const error = await refused(db.tables.boxes.bulkCreate([{ value: { list }, same: { list } }]))
    expect(error.issues.map(issue => issue.path)).toEqual([
      [0, 'value', 'list', 1, 'n'],
      [0, 'same', 'list', 1, 'n'],
    ])
    const keyed = schemaOf<any>(() => {
      throw 'no'
    }, [{ key: 'a' }, 'b', { key: 2 }])
    const other = localDatabase({ boxes: model('Box', { id: t.id(), value: t.json(keyed) }) })
    expect((await refused(other.tables.boxes.create({ value: 1 }))).issues).toEqual([
      { path: ['value', 'a', 'b', 2], message: 'no' },
    ])
    await Promise.all([db.close(), other.close()])
  })
})

describe('values that nobody gave', () => {
  const short = z.string().max(4, 'is too long').toUpperCase()

  test('what a default makes goes through the schema, each time', async () => {
    let value = 'abc'
    const Box = model('Box', {
      id: t.id(),
      made: t
        .text()
        .default(() => value)
        .schema(short),
      fixed: t
        .text()
        .readonly()
        .default(() => value)
        .schema(short),
    })
    const db = localDatabase({ boxes: Box })
    expect(await db.tables.boxes.create({})).toMatchObject({ made: 'ABC', fixed: 'ABC' })
    value = 'much too long'
    const { executed, result } = await db.count(() => refused(db.tables.boxes.bulkCreate([{ made: 'x' }, {}])))
    expect(executed).toBe(0)
    expect(result.issues.map(issue => issue.path)).toEqual([[0, 'fixed']])
    await db.close()
  })

  test('a key that the page makes', async () => {
    const Box = model('Box', { id: t.id(() => 'abc').schema(short) })
    const Uuid = model('Uuid', { id: t.id().schema(z.uuidv7()) })
    const Other = model('Other', { id: t.id().schema(z.string().length(3)) })
    const db = localDatabase({ boxes: Box, uuids: Uuid, others: Other })
    expect(await db.tables.boxes.create({})).toEqual({ id: 'ABC' })
    await db.tables.uuids.create({})
    expect((await refused(db.tables.uuids.create({ id: 'x' }))).issues[0]!.path).toEqual(['id'])
    expect((await refused(db.tables.others.create({}))).issues[0]!.path).toEqual(['id'])
    await db.close()
  })

  test('a constant is checked when the database is declared, and the table has the output', async () => {
    const boxes = (value: string) => ({
      boxes: model('Box', { id: t.id(), code: t.text().schema(short).default(value) }),
    })
    expect(() => resolveModels(boxes('much too long'))).toThrow(
      /^\[BAD_MODEL\] Box: The default does not fit the field/,
    )
    const db = localDatabase(boxes('abc'))
    expect(await db.tables.boxes.create({})).toMatchObject({ code: 'ABC' })
    await db.sql`insert into boxes (id) values ('raw')`
    expect(await db.tables.boxes.read('raw')).toMatchObject({ code: 'ABC' })
    await db.close()
  })

  test('$inc is refused where there is a schema: nobody sees the sum', async () => {
    const Box = model('Box', {
      id: t.id(),
      n: t.integer().schema(z.number().max(10)),
      r: t.real().default(0).schema(z.number()),
      b: t.bigint().default(0n).schema(z.bigint()),
      free: t.integer().default(0),
    })
    const db = localDatabase({ boxes: Box })
    const { boxes } = db.tables as any
    await boxes.create({ id: 'a', n: 1 })
    for (const patch of [{ n: { $inc: 1 } }, { r: { $inc: 0.5 } }, { b: { $inc: 1n } }]) {
      const [field] = Object.keys(patch)
      for (const write of [
        () => boxes.update('a', patch),
        () => boxes.bulkUpdate({ all: true, set: patch }),
        () => boxes.upsert({ id: 'a', n: 1 }, { update: patch }),
      ]) {
        const { executed, result } = await db.count(() => refused(write()))
        expect([executed, result.issues.map((issue: any) => issue.path)]).toEqual([0, [[field]]])
        expect(result.message).toMatch(/has a schema, which never sees the sum that \$inc makes/)
      }
    }
    expect(await boxes.update('a', { free: { $inc: 2 } })).toMatchObject({ free: 2, n: 1 })
    await db.close()
  })
})

describe('schemas that cannot be', () => {
  test('an asynchronous one', async () => {
    const later = schemaOf<string>(async value => Promise.reject(new Error(`no ${value}`)))
    const Box = model('Box', { id: t.id(), value: t.text().schema(later) })
    const db = localDatabase({ boxes: Box })
    const { executed, result } = await db.count(() => refused(db.tables.boxes.create({ value: 'x' })))
    expect([executed, result.issues]).toEqual([
      0,
      [{ path: ['value'], message: 'must have a synchronous schema; this one answered with a promise' }],
    ])
    const declared = model('Box', { id: t.id(), value: t.text().schema(later).default('x') })
    expect(() => resolveModels({ boxes: declared })).toThrow(/BAD_MODEL.*must have a synchronous schema/)
    await db.close()
  })

  test('one that throws: what it threw is the cause, not the message', async () => {
    const failure = new Error('secret 123')
    const broken = schemaOf<string>(() => {
      throw failure
    })
    const db = localDatabase({ boxes: model('Box', { id: t.id(), value: t.text().schema(broken) }) })
    const error = await refused(db.tables.boxes.create({ value: 'x' }))
    expect(error.cause).toBe(failure)
    expect(error.message).not.toContain('secret')
    expect(error.issues).toEqual([{ path: ['value'], message: 'has a schema that failed' }])
    await db.close()
  })

  test.each([
    ['autoId', () => t.autoId().schema(z.number())],
    ['version', () => t.version().schema(z.number())],
    ['createdAt', () => t.createdAt().schema(z.date())],
    ['updatedAt', () => t.updatedAt().schema(z.date())],
  ])('%s: the library makes its values', (kind, field) => {
    const fields = { ...(kind === 'autoId' ? {} : { id: t.id() }), value: field() }
    expect(() => model('Box', fields as any)).toThrow(/^\[BAD_MODEL\] Box: The library makes the values of this field/)
  })

  test.each([[undefined], [null], [{}], [() => true], ['text']])('%s is none', wrong => {
    expect(() => t.text().schema(wrong as never)).toThrow(/^\[BAD_MODEL\] That is not a Standard Schema/)
  })

  test('two of them', () => {
    expect(() => t.text().schema(z.string()).schema(z.string())).toThrow(/^\[BAD_MODEL\] A field has one schema/)
    expect(() => t.json(z.string()).schema(z.string())).toThrow(/^\[BAD_MODEL\] A field has one schema/)
  })
})

test('a schema is no part of what crosses, and of the table', () => {
  const plain = { id: t.id(), value: t.text().unique(), n: t.integer().default(1) }
  const checked = {
    id: t.id().schema(z.string()),
    value: t.text().schema(z.email()).unique(),
    n: t.integer().default(1).schema(z.number()),
  }
  const definition = (fields: any) => resolveModels({ boxes: model('Box', fields, {}) }).get('Box')!.definition
  expect(definition(checked)).toEqual(definition(plain))
  expect(structuredClone(definition(checked))).toEqual(definition(checked))
})

test('a table written before the schema is read as it is', async () => {
  const Box = model('Box', { id: t.id(), value: t.text().schema(z.email()) })
  const db = localDatabase({ boxes: Box })
  await db.tables.boxes.count()
  await db.sql`insert into boxes values ('old', 'no address')`
  expect(await db.tables.boxes.read('old')).toEqual({ id: 'old', value: 'no address' })
  await db.close()
})

describe('CHECK errors name the check, with the condition as it was declared', () => {
  const Span = model(
    'Span',
    {
      id: t.id(),
      low: t.integer().check(sql`low >= 0`),
      high: t.integer(),
    },
    { checks: [sql`low <= high`, sql`high < 100`] },
  )
  const db = localDatabase({ spans: Span })

  test.each([
    [{ low: 2, high: 1 }, undefined, /the row does not pass the check ck:spans:1 \(low <= high\)\./],
    [{ low: 2, high: 100 }, undefined, /the row does not pass the check ck:spans:2 \(high < 100\)\./],
    [{ low: -1, high: 1 }, ['low'], /low does not pass the check ck:spans:low:1 \(low >= 0\)\./],
  ])('%o', async (row, fields, message) => {
    await db.tables.spans.upsert({ id: 'a', low: 1, high: 2 })
    for (const write of [() => db.tables.spans.create(row), () => db.tables.spans.update('a', row)]) {
      const error = await write().catch((error: unknown) => error)
      expect(DataFlowError.is(error, 'CHECK')).toBe(true)
      expect((error as DataFlowError).message).toMatch(message)
      expect((error as DataFlowError).fields).toEqual(fields)
    }
  })
})
