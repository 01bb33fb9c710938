// Every kind of field: what goes in comes back, by every way there is, and stands in the file as documented.
import fc from 'fast-check'
import { afterAll, describe, expect, test } from 'vitest'
import * as z from 'zod'
import { model, t } from '../src/index.js'
import type { AnyField } from '../src/shared/schema.js'
import { freshName, localDatabase } from './support/local.js'

const KINDS = {
  text: t.text(),
  short: t.text({ max: 3 }),
  choice: t.enum(['a', 'b', '', "it's"]),
  integer: t.integer(),
  bigint: t.bigint(),
  real: t.real(),
  boolean: t.boolean(),
  ms: t.date(),
  seconds: t.date({ as: 'seconds' }),
  iso: t.date({ as: 'text' }),
  json: t.json<unknown>(),
  shaped: t.json(z.object({ theme: z.string().default('light') })),
  blob: t.blob(),
}
type Kind = keyof typeof KINDS

/** One table per kind, nullable and not, so that what is refused can name the field. */
const databases = Object.fromEntries(
  Object.entries(KINDS).map(([kind, field]: [string, AnyField]) => {
    const value = field as typeof KINDS.text
    const One = model('One', { id: t.autoId(), value, maybe: value.nullable() })
    return [kind, localDatabase({ ones: One })]
  }),
) as Record<Kind, ReturnType<typeof localDatabase<any>>>
afterAll(async () => void (await Promise.all(Object.values(databases).map(db => db.close()))))

interface Stored {
  readonly type: string
  readonly value: unknown
}

/** Writes `value` in every way and reads it in every way: all must give the same. */
async function roundTrip(kind: Kind, value: unknown): Promise<{ read: unknown; stored: Stored }> {
  const db = databases[kind]
  const ones = (db.tables as any).ones
  const created = await ones.create({ value, maybe: value })
  const { id } = created
  const read = await ones.read(id)
  expect(read).toEqual(created)
  expect(await ones.list({ where: { id } })).toEqual([created])
  expect(await ones.first({ where: { id }, select: ['maybe', 'value'] })).toEqual({
    maybe: read.value,
    value: read.value,
  })
  expect(await ones.update(id, { value, maybe: value })).toEqual(created)
  expect(await ones.upsert({ id, value, maybe: value })).toEqual(created)
  const bulk = await ones.bulkCreate([{ value, maybe: value }])
  expect(await ones.read(bulk.ids[0])).toEqual({ ...created, id: bulk.ids[0] })
  await ones.delete(bulk.ids[0])
  if (kind !== 'shaped') expect(await ones.count({ id, value: { $eq: read.value } })).toBe(1)
  const [stored] = await db.sql`select typeof(value) as type, value from ones where id = ${id}`
  expect(await db.sql`select value is maybe as same from ones where id = ${id}`).toEqual([{ same: 1 }])
  await ones.delete(id)
  return { read: read.value, stored: stored as Stored }
}

async function refuse(kind: Kind, value: unknown, field: 'value' | 'maybe' = 'value') {
  const ones = (databases[kind].tables as any).ones
  const before = await ones.count()
  const good = GOOD[kind]
  const row = { value: good, maybe: good, [field]: value }
  const error = { code: 'VALIDATION', model: 'One', fields: [field], hint: expect.any(String) }
  await expect(ones.create(row)).rejects.toMatchObject({ ...error, op: 'create' })
  await expect(ones.update(1, { [field]: value })).rejects.toMatchObject({ ...error, op: 'update' })
  await expect(ones.upsert(row)).rejects.toMatchObject({ ...error, op: 'upsert' })
  await expect(ones.bulkCreate([row])).rejects.toMatchObject({ ...error, op: 'bulkCreate' })
  await expect(ones.bulkUpdate({ all: true, set: { [field]: value } })).rejects.toMatchObject({
    ...error,
    op: 'bulkUpdate',
  })
  expect(await ones.count()).toBe(before)
}

const GOOD: Record<Kind, unknown> = {
  text: '',
  short: '',
  choice: 'a',
  integer: 0,
  bigint: 0n,
  real: 0,
  boolean: false,
  ms: 0,
  seconds: 0,
  iso: 0,
  json: 0,
  shaped: {},
  blob: new Uint8Array(),
}

const MAX = 2n ** 63n - 1n
const wellFormed = fc.string({ unit: 'binary', maxLength: 40 })
const plusZero = (value: number) => (Object.is(value, -0) ? 0 : value)
const moment = fc.date({ noInvalidDate: true })
const form = fc.constantFrom<(date: Date) => unknown>(
  date => date,
  date => date.getTime(),
  date => date.toISOString(),
)

/** For each kind: values, what is read, and what is stored. */
const LAWS: { [K in Kind]: [fc.Arbitrary<any>, (value: any) => unknown, (value: any) => Stored] } = {
  text: [
    fc.oneof(wellFormed, fc.constantFrom('', '\0', 'a\0b', '🦫', '\uffff', '"\\', '\u2028', '\ufeff', '😀\0')),
    value => value,
    value => ({ type: 'text', value }),
  ],
  short: [fc.string({ maxLength: 3 }), value => value, value => ({ type: 'text', value })],
  choice: [fc.constantFrom('a', 'b', '', "it's"), value => value, value => ({ type: 'text', value })],
  integer: [
    fc.oneof(fc.maxSafeInteger(), fc.integer(), fc.constantFrom(-0, 2 ** 31, -(2 ** 31) - 1, 2 ** 32)),
    plusZero,
    value => ({ type: 'integer', value: plusZero(value) }),
  ],
  bigint: [
    fc.oneof(fc.bigInt(-MAX - 1n, MAX), fc.constantFrom(MAX, -MAX - 1n, 2n ** 53n, 2n ** 53n + 1n, 0n, 2n ** 31n)),
    value => value,
    value => ({ type: 'integer', value: Number.isSafeInteger(Number(value)) ? Number(value) : value }),
  ],
  real: [
    fc.oneof(
      fc.double({ noNaN: true }),
      fc.constantFrom(-0, 5e-324, Number.MAX_VALUE, Infinity, -Infinity, 2 ** 53, 0.1 + 0.2, 1e15, 123456789012345680),
    ),
    plusZero,
    value => ({ type: 'real', value: plusZero(value) }),
  ],
  boolean: [fc.boolean(), value => value, value => ({ type: 'integer', value: Number(value) })],
  ms: [moment, value => value, (value: Date) => ({ type: 'integer', value: value.getTime() })],
  seconds: [
    moment,
    (value: Date) => new Date(Math.floor(value.getTime() / 1000) * 1000),
    (value: Date) => ({ type: 'integer', value: Math.floor(value.getTime() / 1000) }),
  ],
  iso: [
    fc.date({ noInvalidDate: true, min: new Date('0000-01-01T00:00:00Z'), max: new Date('9999-12-31T23:59:59.999Z') }),
    value => value,
    (value: Date) => ({ type: 'text', value: value.toISOString() }),
  ],
  json: [
    fc.jsonValue({ maxDepth: 4 }).map(value => value ?? 'not null'),
    value => JSON.parse(JSON.stringify(value)),
    value => ({ type: 'text', value: canonical(value) }),
  ],
  shaped: [
    fc.record({ theme: wellFormed }, { requiredKeys: [] }),
    value => ({ theme: value.theme ?? 'light' }),
    value => ({ type: 'text', value: JSON.stringify({ theme: value.theme ?? 'light' }) }),
  ],
  blob: [
    fc.uint8Array({ maxLength: 64 }),
    (value: Uint8Array) => new Uint8Array(value),
    (value: Uint8Array) => ({ type: 'blob', value: new Uint8Array(value) }),
  ],
}

/** Keys sorted at every level, no spaces: written apart from the product. */
function canonical(value: unknown): string {
  if (typeof value !== 'object' || value === null) return JSON.stringify(value)
  if (Array.isArray(value)) return `[${value.map(canonical).join(',')}]`
  const entries = Object.keys(value).sort()
  return `{${entries.map(key => `${JSON.stringify(key)}:${canonical((value as Record<string, unknown>)[key])}`).join(',')}}`
}

describe('what goes in comes back', () => {
  test.each(Object.entries(LAWS))('%s', async (kind, [values, read, stored]) => {
    const dated = ['ms', 'seconds', 'iso'].includes(kind)
    await fc.assert(
      fc.asyncProperty(values, dated ? form : fc.constant((value: unknown) => value), async (value, as) => {
        expect(await roundTrip(kind as Kind, as(value))).toEqual({ read: read(value), stored: stored(value) })
      }),
      { numRuns: 60 },
    )
  })

  test('rows of every kind, saved and opened again, are the rows that create returned', async () => {
    const All = model('All', { id: t.autoId(), ...KINDS })
    const values = fc.record(Object.fromEntries(Object.entries(LAWS).map(([kind, [of]]) => [kind, of])))
    const options = { name: freshName(), storage: 'indexeddb' } as const
    const rows: unknown[] = []
    const first = localDatabase({ all: All }, options)
    for (const value of fc.sample(values, 100)) rows.push(await first.tables.all.create(value as never))
    expect(await first.tables.all.list()).toEqual(rows)
    await first.close()
    const second = localDatabase({ all: All }, options)
    expect(await second.tables.all.list()).toEqual(rows)
    await second.close()
  })

  test('NULL, in every nullable kind; left out is null', async () => {
    for (const kind of Object.keys(KINDS) as Kind[]) {
      const ones = (databases[kind].tables as any).ones
      const { id, maybe } = await ones.create({ value: GOOD[kind], maybe: null })
      expect(maybe).toBeNull()
      expect((await ones.create({ value: GOOD[kind] })).maybe).toBeNull()
      expect(await ones.read(id, { select: ['maybe'] })).toEqual({ maybe: null })
      expect(await ones.update(id, { maybe: GOOD[kind] })).not.toMatchObject({ maybe: null })
      expect(await ones.update(id, { maybe: null })).toMatchObject({ maybe: null })
      expect(await databases[kind].sql`select maybe is null as none from ones where id = ${id}`).toEqual([{ none: 1 }])
      if (kind !== 'json') await refuse(kind, null)
      await ones.bulkDelete({ all: true })
    }
  })

  // toEqual takes seconds for a megabyte: here they are compared as bytes.
  test('large values', async () => {
    const keep = async (kind: Kind, value: unknown, same: (read: unknown) => boolean) => {
      const ones = (databases[kind].tables as any).ones
      const row = await ones.create({ value, maybe: value })
      const rows = [row, await ones.read(row.id), await ones.update(row.id, { value }), ...(await ones.list())]
      rows.push(await ones.upsert({ id: row.id, value }))
      expect(rows.flatMap(({ value: read, maybe }) => [same(read), same(maybe)])).toEqual(Array(10).fill(true))
      await ones.delete(row.id)
    }
    for (const text of ['x'.repeat(2 ** 20), '🦫'.repeat(2 ** 18), '\0'.repeat(2 ** 18)]) {
      await keep('text', text, read => read === text)
    }
    const bytes = Uint8Array.from({ length: 2 ** 20 }, (_, i) => i * 31)
    await keep('blob', bytes, read => Buffer.compare(read as Uint8Array, bytes) === 0)
    const long = Array.from({ length: 100_000 }, (_, i) => i)
    await keep('json', long, read => JSON.stringify(read) === JSON.stringify(long))
  })

  test('-0 becomes 0', async () => {
    for (const kind of ['real', 'integer', 'json'] as const) {
      expect(Object.is((await roundTrip(kind, -0)).read, 0), kind).toBe(true)
    }
  })

  test('an ArrayBuffer and a view of a larger buffer', async () => {
    expect((await roundTrip('blob', new Uint8Array([1, 2]).buffer)).read).toEqual(new Uint8Array([1, 2]))
    const view = new Uint8Array([9, 1, 2, 9]).subarray(1, 3)
    expect((await roundTrip('blob', view)).read).toEqual(new Uint8Array([1, 2]))
    expect((await roundTrip('blob', Buffer.from([7]))).read).toEqual(new Uint8Array([7]))
  })

  test('the ends of the dates', async () => {
    for (const ms of [8.64e15, -8.64e15, 0, -1, 1]) {
      expect((await roundTrip('ms', ms)).read).toEqual(new Date(ms))
      expect((await roundTrip('seconds', ms)).read).toEqual(new Date(Math.floor(ms / 1000) * 1000))
    }
    for (const text of ['0000-01-01T00:00:00.000Z', '9999-12-31T23:59:59.999Z']) {
      expect((await roundTrip('iso', text)).stored).toEqual({ type: 'text', value: text })
    }
    expect((await roundTrip('ms', '2026-01-31T12:00:00+02:00')).read).toEqual(new Date('2026-01-31T10:00:00Z'))
    expect((await roundTrip('ms', '2026-01-31')).read).toEqual(new Date('2026-01-31T00:00:00Z'))
    for (const text of ['2024-02-29', '2000-02-29T23:59:59.999-14:00', '2026', '2026-12', '+012026-01-31']) {
      expect((await roundTrip('ms', text)).read).toEqual(new Date(text))
    }
  })
})

describe('JSON', () => {
  test('keys are sorted at every level, so equal values are equal text', async () => {
    const one = await roundTrip('json', { b: { z: 1, y: [{ d: 1, c: 2 }] }, a: 'x', 10: 1, 9: 2 })
    const two = await roundTrip('json', { 9: 2, a: 'x', 10: 1, b: { y: [{ c: 2, d: 1 }], z: 1 } })
    expect(one).toEqual(two)
    expect(one.stored.value).toBe('{"10":1,"9":2,"a":"x","b":{"y":[{"c":2,"d":1}],"z":1}}')
  })

  test('null is JSON null, undefined properties are left out, halves of pairs are escapes, __proto__ is a key', async () => {
    expect((await roundTrip('json', { a: undefined, b: null })).stored.value).toBe('{"b":null}')
    expect((await roundTrip('json', '\ud800 \udc00')).stored.value).toBe('"\\ud800 \\udc00"')
    const proto = JSON.parse('{"__proto__":{"x":1},"constructor":2}') as object
    const { read } = await roundTrip('json', proto)
    expect(Object.keys(read as object)).toEqual(['__proto__', 'constructor'])
    expect(Object.getPrototypeOf(read)).toBe(Object.prototype)
    const ones = (databases.json.tables as any).ones
    const { id } = await ones.create({ value: null, maybe: null })
    expect(await databases.json.sql`select value, maybe from ones where id = ${id}`).toEqual([
      { value: 'null', maybe: null },
    ])
    expect(await ones.read(id)).toEqual({ id, value: null, maybe: null })
    await ones.delete(id)
  })

  test('depth: 900 levels are kept, 901 refused', async () => {
    const nest = (levels: number, item: unknown = 0) => {
      let value = item
      for (let i = 0; i < levels; i++) value = i % 2 ? [value] : { a: value }
      return value
    }
    expect((await roundTrip('json', nest(900))).read).toEqual(nest(900))
    await refuse('json', nest(901))
    await refuse('json', nest(100_000))
  })

  test('the same object twice is no cycle', async () => {
    const shared = { a: 1 }
    expect((await roundTrip('json', [shared, shared])).read).toEqual([{ a: 1 }, { a: 1 }])
  })

  test('an issue leads to the place', async () => {
    const ones = (databases.json.tables as any).ones
    await expect(ones.create({ value: { a: [1, { b: NaN }] } })).rejects.toMatchObject({
      issues: [{ path: ['value', 'a', 1, 'b'] }],
    })
    const shaped = (databases.shaped.tables as any).ones
    await expect(shaped.create({ value: { theme: 1 } })).rejects.toMatchObject({
      issues: [{ path: ['value', 'theme'] }],
    })
  })
})

const cycle: unknown[] = []
cycle.push({ cycle })
class Custom {
  a = 1
}
const REFUSED: { [K in Kind]: unknown[] } = {
  text: [1, true, {}, [], '\ud800', 'a\udc00', '\udc00\ud800', new String('x'), Symbol('x'), () => 'x', 1n],
  short: ['four', '🦫🦫'],
  choice: ['c', 'A', 0, ['a'], 'toString'],
  integer: [1.5, NaN, Infinity, 2 ** 53, -(2 ** 53), '1', 1n, true, new Date(0), { $inc: 'x' }],
  bigint: [1, MAX + 1n, -MAX - 2n, '1', 1.5, true],
  real: [NaN, '1', 1n, true, new Number(1)],
  boolean: [0, 1, 'true', '', new Boolean(true)],
  ms: [
    NaN,
    Infinity,
    8.64e15 + 1,
    0.5,
    new Date(NaN),
    'tomorrow',
    '',
    'banana 5',
    '5',
    true,
    1n,
    {},
    '2026-13-01',
    '2026-02-29',
    '2026-02-30',
    '2026-04-31T00:00:00.000Z',
    '1900-02-29T23:00-05:00',
    '2026-01-00',
    '2026-01-32',
    '+002026-02-30',
    '2026-01-01T25:00Z',
  ],
  seconds: [new Date(NaN), 'soon', '2026-02-30'],
  iso: [
    '2026-02-30',
    '2026-13-01',
    '-000001-01-01T00:00:00.000Z',
    '+010000-01-01T00:00:00.000Z',
    8.64e15,
    new Date(NaN),
  ],
  json: [
    NaN,
    -Infinity,
    1n,
    new Date(0),
    new Map(),
    new Custom(),
    cycle,
    [undefined],
    () => 1,
    Symbol('x'),
    { a: [1n] },
    new Uint8Array(1),
  ],
  shaped: [1, { theme: 1 }, []],
  blob: [[1, 2], 'x', new Uint16Array(1), new DataView(new ArrayBuffer(1)), {}, 1, new Uint8ClampedArray(1)],
}

describe('what is refused, in a field that is nullable and in one that is not', () => {
  test.each(Object.entries(REFUSED))('%s', async (kind, values) => {
    for (const value of values) {
      await refuse(kind as Kind, value)
      await refuse(kind as Kind, value, 'maybe')
    }
  })
})
