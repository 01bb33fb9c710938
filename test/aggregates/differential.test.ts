// aggregate and distinct answer what an oracle in JavaScript answers, for any rows and any question.
import fc from 'fast-check'
import { describe, expect, test } from 'vitest'
import { model, t } from '../../src/index.js'
import { localDatabase } from '../support/local.js'
import { answer, type Question } from './oracle.js'

const Thing = model('Thing', {
  id: t.integer().primaryKey(),
  name: t.text().nullable(),
  role: t.enum(['a', 'b', 'c']),
  age: t.integer().nullable(),
  big: t.bigint().nullable(),
  score: t.real().nullable(),
  done: t.boolean().nullable(),
  at: t.date({ as: 'text' }).nullable(),
  data: t.json<unknown>().nullable(),
  raw: t.blob().nullable(),
})
type Field = 'name' | 'role' | 'age' | 'big' | 'score' | 'done' | 'at' | 'data' | 'raw'

const MAX = 2n ** 63n - 1n
// Halves and quarters add up exactly in any order.
const values: Record<Field, fc.Arbitrary<unknown>> = {
  name: fc.constantFrom('', 'a', 'A', 'é', '\0', 'a\0b', '\uffff', '\u{10000}', 'NaN'),
  role: fc.constantFrom('a', 'b', 'c'),
  age: fc.oneof(fc.integer({ min: -3, max: 3 }), fc.constantFrom(2 ** 50, -(2 ** 50), 2 ** 31)),
  big: fc.constantFrom(0n, 1n, -1n, 2n ** 32n, -(2n ** 32n), MAX, MAX - 1n, -MAX - 1n, 2n ** 53n + 1n),
  score: fc.constantFrom(0, 0.25, -0.5, 3, 1000.75, Infinity, -Infinity),
  done: fc.boolean(),
  at: fc.constantFrom(new Date(0), new Date(1), new Date(-1), new Date('2026-01-31T12:00:00Z')),
  data: fc.constantFrom(0, 'x', [], [1], { a: 1 }, true),
  raw: fc.constantFrom(new Uint8Array(), new Uint8Array([0]), new Uint8Array([0, 255]), new Uint8Array([16])),
}
const FIELDS = Object.keys(values) as Field[]
const rows = fc
  .array(
    fc.record(Object.fromEntries(FIELDS.map(name => [name, name === 'role' ? values.role : fc.option(values[name])]))),
    { maxLength: 12 },
  )
  .map(all => all.map((row, id) => ({ ...row, id })))

const NUMBERS = ['age', 'big', 'score']
const ORDERED = ['name', 'age', 'big', 'score', 'at']
const fieldsOf: Record<string, readonly string[]> = {
  count: FIELDS.filter(name => name !== 'role'),
  countDistinct: FIELDS.filter(name => name !== 'role'),
  sum: NUMBERS,
  avg: NUMBERS,
  min: ORDERED,
  max: ORDERED,
}
const AGGREGATES = Object.keys(fieldsOf)
const direction = fc.boolean()

/** A filter of what is an integer, a bigint, a real or anything else. */
function filterOf(value: fc.Arbitrary<unknown>, ordered: boolean): fc.Arbitrary<unknown> {
  const lists = fc.array(fc.option(value), { maxLength: 3 })
  return fc.oneof(
    value,
    fc.constant(null),
    fc.record({ $null: fc.boolean() }),
    fc.record({ $ne: fc.option(value) }),
    fc.record({ $in: lists }),
    fc.record({ $nin: lists }),
    ...(ordered ? ['$gt', '$gte', '$lt', '$lte'].map(operator => fc.record({ [operator]: value })) : []),
  )
}
const whole = fc.integer({ min: 0, max: 6 })
const havingLeaf: fc.Arbitrary<Record<string, unknown>> = fc.oneof(
  filterOf(whole, true)
    .filter(filter => filter !== null)
    .map(count => ({ count })),
  fc.constantFrom(...AGGREGATES).chain(fn =>
    fc.constantFrom(...fieldsOf[fn]!).chain(field => {
      const value =
        fn === 'count' || fn === 'countDistinct'
          ? whole
          : fn === 'avg'
            ? fc.constantFrom(0, 0.25, -1, Infinity)
            : values[field as Field]
      return filterOf(value, true).map(filter => ({ [fn]: { [field]: filter } }))
    }),
  ),
)
const having = fc.letrec<{ filter: Record<string, unknown> }>(tie => ({
  filter: fc.oneof(
    { depthSize: 'small', withCrossShrink: true },
    { weight: 4, arbitrary: havingLeaf },
    { weight: 1, arbitrary: fc.array(tie('filter'), { maxLength: 2 }).map(all => ({ $or: all })) },
    { weight: 1, arbitrary: fc.array(tie('filter'), { maxLength: 2 }).map(all => ({ $and: [false, ...all] })) },
    { weight: 1, arbitrary: tie('filter').map(one => ({ $not: one })) },
  ),
})).filter

const lists = fc.record(
  Object.fromEntries(AGGREGATES.map(fn => [fn, fc.subarray([...fieldsOf[fn]!], { maxLength: 3 })])),
)
const question: fc.Arbitrary<Question> = fc
  .record({
    where: fc.oneof(
      fc.constant({}),
      fc.constantFrom('a', 'b').map(role => ({ role })),
      fc.constantFrom(...ORDERED).map(name => ({ [name]: { $null: false } })),
      fc.constant({ id: -1 }),
    ),
    groupBy: fc.option(fc.shuffledSubarray(FIELDS, { minLength: 1, maxLength: 2 })),
    count: fc.boolean(),
    of: lists,
    having: fc.option(having),
    orderBy: fc.array(
      fc.tuple(
        fc.oneof(
          fc.constant(['count']),
          fc.constantFrom(...AGGREGATES).chain(fn => fc.constantFrom(...fieldsOf[fn]!).map(field => [fn, field])),
        ),
        direction,
      ),
      { maxLength: 2 },
    ),
    limit: fc.option(fc.nat(4)),
    offset: fc.nat(2),
  })
  .map(({ count, of, orderBy, ...rest }) => ({
    ...rest,
    count,
    // A field cannot be counted beside all rows.
    of: { ...of, ...(count ? { count: [] } : {}) },
    orderBy: orderBy.map(([path, descending]) => ({ path, descending })),
  }))

function argsOf({ where, groupBy, count, of, having, orderBy, limit, offset }: Question) {
  const asked = Object.entries(of).filter(([, fields]) => fields.length > 0)
  const ordered = orderBy.map(({ path: [name, field], descending }) => {
    const word = descending ? 'desc' : 'asc'
    return { [name!]: field === undefined ? word : { [field]: word } }
  })
  return {
    where,
    ...(count || (groupBy === null && asked.length === 0) ? { count: true } : {}),
    ...Object.fromEntries(asked),
    ...(groupBy === null
      ? {}
      : { groupBy, ...(having ? { having } : {}), orderBy: ordered, offset, ...(limit === null ? {} : { limit }) }),
  }
}

/** Averages and sums of reals to twelve digits: the rest depends on the order of adding. */
const rounded = (value: unknown): unknown =>
  typeof value === 'number' && !Number.isInteger(value) && Number.isFinite(value)
    ? Number(value.toPrecision(12))
    : Array.isArray(value)
      ? value.map(rounded)
      : value !== null && typeof value === 'object' && !(value instanceof Date) && !(value instanceof Uint8Array)
        ? Object.fromEntries(Object.entries(value).map(([key, inner]) => [key, rounded(inner)]))
        : value

describe.each([['', undefined] as const, ['in indexed fields', [['role', 'age'], ['name']]] as const])(
  'aggregate %s',
  (_, indexes) => {
    const Model = indexes ? model('Thing', Thing.$fields, { indexes }) : Thing

    test('answers what JavaScript answers', async () => {
      const db = localDatabase({ things: Model })
      const { things } = db.tables
      let groups = 0
      await fc.assert(
        fc.asyncProperty(rows, fc.array(question, { minLength: 3, maxLength: 3 }), async (all, questions) => {
          await things.bulkDelete({ all: true })
          await things.bulkCreate(all as never)
          const stored = (await things.list()) as Record<string, unknown>[]
          for (const asked of questions) {
            const args = argsOf(asked)
            const expected = answer(stored, { ...asked, count: 'count' in args && args.count === true })
            expect(rounded(await things.aggregate(args as never))).toEqual(rounded(expected))
            groups += Array.isArray(expected) ? expected.length : 0
          }
        }),
        { numRuns: 300 },
      )
      // The generators must not drift into questions without an answer.
      expect(groups).toBeGreaterThan(100)
      await db.close()
    })

    test('distinct gives each value once, in order', async () => {
      const db = localDatabase({ things: Model })
      const { things } = db.tables
      await fc.assert(
        fc.asyncProperty(rows, fc.constantFrom(...FIELDS), fc.option(fc.nat(3)), async (all, field, limit) => {
          await things.bulkDelete({ all: true })
          await things.bulkCreate(all as never)
          const stored = (await things.list()) as Record<string, unknown>[]
          const where = { role: { $ne: 'c' as const } }
          const asked: Question = {
            where,
            groupBy: [field],
            count: false,
            of: {},
            having: null,
            orderBy: [],
            limit,
            offset: 0,
          }
          const expected = (answer(stored, asked) as Record<string, unknown>[]).map(row => row[field])
          expect(await things.distinct(field, { where, ...(limit === null ? {} : { limit }) })).toEqual(expected)
        }),
        { numRuns: 150 },
      )
      await db.close()
    })
  },
)
