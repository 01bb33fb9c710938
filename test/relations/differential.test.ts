import fc from 'fast-check'
import { beforeAll, expect, test } from 'vitest'
import {
  KEYS,
  LINKS,
  models,
  openWorld,
  Oracle,
  type Args,
  type Data,
  type Name,
  type Row,
  type World,
} from './world.js'

const orNull = <T>(of: fc.Arbitrary<T>) => fc.option(of, { freq: 4 })
const person = fc.constantFrom('p0', 'p1', 'p2', 'p3', 'p4')
const post = fc.constantFrom('t0', 't1', 't2', 't3', 't4', 't5')
const tag = fc.constantFrom(1, 2, 3)
const day = fc.constantFrom(new Date(0), new Date(86_400_000), new Date(1.7e12))
const values = {
  team: fc.constantFrom('x', 'x', 'y'),
  deletedAt: fc.option(day, { freq: 1, nil: null }).map(date => (date?.getTime() === 0 ? date : null)),
  bossId: orNull(person),
  name: fc.constantFrom('a', 'b', 'é'),
  rank: orNull(fc.constantFrom(0, 1, 2 ** 40)),
  big: fc.constantFrom(0n, 2n ** 53n + 1n, -(2n ** 63n)),
  born: orNull(day),
  // Some lead nowhere: foreign keys may have been off.
  authorId: fc.oneof(person, fc.constant('gone')),
  editorId: orNull(person),
  title: fc.constantFrom('a', 'b\0', '"c"'),
  live: fc.boolean(),
  kind: fc.constantFrom('note', 'essay'),
  at: orNull(day),
  extra: orNull(fc.constantFrom<unknown>([1, 'a'], { a: [] }, 'null', 0)),
  photo: orNull(fc.constantFrom(new Uint8Array(), new Uint8Array([0, 255]))),
  word: fc.constantFrom('a', 'b'),
  score: orNull(fc.constantFrom(0.5, -1, Infinity)),
  postId: post,
  tagNo: tag,
  weight: fc.constantFrom(1, 2),
}
const FIELDS: Record<Name, (keyof typeof values)[]> = {
  Person: ['team', 'deletedAt', 'bossId', 'name', 'rank', 'big', 'born'],
  Post: ['team', 'authorId', 'editorId', 'title', 'live', 'kind', 'at', 'extra', 'photo'],
  Tag: ['word', 'score'],
  PostTag: ['team', 'deletedAt', 'postId', 'tagNo', 'weight'],
}
const rowsOf = (name: Name, keys: readonly unknown[]): fc.Arbitrary<Row[]> =>
  fc.tuple(
    ...keys.map(key =>
      fc
        .record(Object.fromEntries(FIELDS[name].map(field => [field, values[field] as fc.Arbitrary<unknown>])))
        .map(row => ({ [KEYS[name]]: key, ...row })),
    ),
  )
const data: fc.Arbitrary<Data> = fc.record({
  Person: rowsOf('Person', ['p0', 'p1', 'p2', 'p3', 'p4']),
  Post: rowsOf('Post', ['t0', 't1', 't2', 't3', 't4', 't5']),
  Tag: rowsOf('Tag', [1, 2, 3]),
  PostTag: rowsOf('PostTag', [1n, 2n, 3n, 2n ** 53n + 1n, 2n ** 53n + 2n, 7n]),
})

const isOrdered = (field: string) => !['extra', 'photo', 'live'].includes(field)
function leaf(name: Name): fc.Arbitrary<Row> {
  return fc.constantFrom(...FIELDS[name]).chain(field => {
    const value = values[field] as fc.Arbitrary<unknown>
    const plain = value.map(of => ({ [field]: of }))
    const others = [value.map(of => ({ [field]: { $ne: of } })), fc.array(value).map(of => ({ [field]: { $in: of } }))]
    const behind = value.map(of => (of === null ? { [field]: { $null: false } } : { [field]: { $gt: of } }))
    return fc.oneof(plain, ...others, ...(isOrdered(field) ? [behind] : []))
  })
}
/** Filters, more and more seldom across relations. */
function filter(name: Name, depth: number): fc.Arbitrary<Row> {
  if (depth === 0) return fc.oneof(leaf(name), fc.constant({}))
  const inner = filter(name, depth - 1)
  const related = fc.constantFrom(...Object.keys(LINKS[name])).chain((relation): fc.Arbitrary<Row> => {
    const { to, many } = LINKS[name][relation]!
    const of = filter(to, depth - 1)
    if (!many) return fc.oneof(of, of, fc.constant(null)).map(where => ({ [relation]: where }))
    const quantified = fc.dictionary(fc.constantFrom('$some', '$every', '$none'), of, { minKeys: 1, maxKeys: 2 })
    return quantified.map(where => ({ [relation]: where }))
  })
  return fc.oneof(
    { weight: 2, arbitrary: leaf(name) },
    { weight: 4, arbitrary: related },
    { weight: 1, arbitrary: inner.map(of => ({ $not: of })) },
    { weight: 1, arbitrary: fc.array(inner, { maxLength: 2 }).map(of => ({ $or: of })) },
    { weight: 1, arbitrary: fc.tuple(inner, fc.oneof(inner, fc.constant(false))).map(of => ({ $and: of })) },
  )
}
function args(name: Name, depth: number, many: boolean): fc.Arbitrary<Args> {
  const fields = [KEYS[name], ...FIELDS[name]]
  const order = fc.constantFrom(...FIELDS[name].filter(isOrdered))
  const include = depth === 0 ? fc.constant({}) : included(name, depth - 1)
  return fc.record(
    {
      select: fc.uniqueArray(fc.constantFrom(...fields), { minLength: 1, maxLength: 4 }),
      include,
      ...(many
        ? {
            where: fc.oneof(filter(name, Math.min(depth, 2)), fc.constant({}), fc.constant({})),
            orderBy: fc
              .array(fc.record({ field: order, direction: fc.constantFrom('asc' as const, 'desc' as const) }), {
                maxLength: 2,
              })
              .map(terms => [
                ...new Map(terms.map(({ field, direction }) => [field, { [field]: direction }])).values(),
              ]),
            limit: fc.constantFrom(0, 1, 2, 3, 100),
          }
        : {}),
      ...('deletedAt' in values && FIELDS[name].includes('deletedAt') ? { withDeleted: fc.boolean() } : {}),
    },
    { requiredKeys: [] },
  ) as fc.Arbitrary<Args>
}
function included(name: Name, depth: number): fc.Arbitrary<Record<string, true | Args>> {
  const relations = fc.subarray(Object.keys(LINKS[name]), { maxLength: 2 })
  return relations.chain(chosen =>
    fc.record(
      Object.fromEntries(
        chosen.map(relation => {
          const { to, many } = LINKS[name][relation]!
          return [relation, fc.oneof(fc.constant(true as const), args(to, depth, many), args(to, depth, many))]
        }),
      ),
    ),
  )
}

let world: World
beforeAll(async () => {
  world = await openWorld()
})
const names = fc.constantFrom<Name>('Person', 'Post', 'Tag', 'PostTag')
const scopes = fc.constantFrom({ team: 'x' }, { team: 'y' }, null)
const operations = Object.fromEntries(Object.values(models).map(model => [model.$name, model])) as Record<Name, any>

test('what is included is what JavaScript finds, for every access, in one statement', () => {
  let rows = 0
  const one = names.chain(name => fc.tuple(fc.constant(name), args(name, 3, true)))
  fc.assert(
    fc.property(
      data,
      fc.array(one, { minLength: 2, maxLength: 4 }),
      scopes,
      fc.boolean(),
      (all, lists, scope, withDeleted) => {
        world.fill(all)
        const oracle = new Oracle(all, scope)
        for (const [name, { withDeleted: _, ...given }] of lists) {
          // Without any the rows are read as ever.
          if (Object.keys(given.include ?? {}).length === 0) given.include = { [Object.keys(LINKS[name])[0]!]: true }
          const expected = oracle.list(name, given, withDeleted)
          world.statements.length = 0
          expect(world.run(operations[name].list(given), { scope, withDeleted })).toEqual(expected)
          expect(world.statements).toHaveLength(1)
          rows += JSON.stringify(expected, (_key, value) => (typeof value === 'bigint' ? 0 : value)).split('{').length
        }
      },
    ),
    { numRuns: 150 },
  )
  // The generators must not drift into answers without rows.
  expect(rows).toBeGreaterThan(1500)
})

test('a filter across relations holds for what JavaScript says, for every access', () => {
  let matched = 0
  let missed = 0
  const one = names.chain(name => fc.tuple(fc.constant(name), filter(name, 3)))
  fc.assert(
    fc.property(
      data,
      fc.array(one, { minLength: 4, maxLength: 6 }),
      scopes,
      fc.boolean(),
      (all, wheres, scope, withDeleted) => {
        world.fill(all)
        const oracle = new Oracle(all, scope)
        for (const [name, where] of wheres) {
          const access = { scope, withDeleted }
          const found = oracle.list(name, { where }, withDeleted).length
          expect(world.run(operations[name].count(where), access)).toBe(found)
          // Two-valued: what does not hold is what its negation holds for.
          const others = oracle.list(name, {}, withDeleted).length - found
          expect(world.run(operations[name].count({ $not: where }), access)).toBe(others)
          matched += found
          missed += others
        }
      },
    ),
    { numRuns: 200 },
  )
  expect(matched / (matched + missed)).toBeGreaterThan(0.2)
  expect(missed / (matched + missed)).toBeGreaterThan(0.2)
})
