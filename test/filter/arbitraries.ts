// Rows, filters and orders out of small pools, so that values meet; the pools hold what is known to go wrong.
import fc from 'fast-check'
import { bigints, dates, integers, jsonScalars, reals, words } from './pools.js'

type Row = Record<string, unknown>
type Filter = Record<string, unknown>

// '\uFFFF' is before U+10000 by code point and behind it by UTF-16 unit; U+D7FF and U+E000 are neighbours.
const character = fc.constantFrom(
  ...['a', 'b', 'A', 'z', 'é', 'É', '%', '_', '\\', '*', '?', '[', ']', '^', '-', '"', "'", '\0', ' '],
  ...['😀', '\uFFFD', '\uFFFF', '\u{10000}', '\u{10FFFF}', '\uD7FF', '\uE000'],
)
const word = fc.constantFrom(...words)
const part = fc
  .tuple(word, fc.nat(3), fc.nat(3))
  .map(([of, from, length]) => [...of].slice(from, from + length).join(''))
const text = fc.oneof(
  { weight: 4, arbitrary: word },
  { weight: 2, arbitrary: part },
  { weight: 1, arbitrary: fc.array(character, { maxLength: 4 }).map(parts => parts.join('')) },
)
const role = fc.constantFrom('admin', 'Admin', 'member')
const integer = fc.constantFrom(...integers)
const bigint = fc.constantFrom(...bigints)
const real = fc.oneof(
  fc.constantFrom(...reals),
  fc.double({ noNaN: true }).map(value => value + 0),
)
const date = fc.constantFrom(...dates)
const blob = fc.array(fc.constantFrom(0, 1, 255), { maxLength: 3 }).map(bytes => Uint8Array.from(bytes))
const scalar = fc.constantFrom(...jsonScalars)
const shallow = fc.oneof(
  { weight: 5, arbitrary: scalar },
  { weight: 1, arbitrary: fc.array(scalar, { maxLength: 2 }) },
  { weight: 1, arbitrary: fc.dictionary(fc.constantFrom('a', 'b', 'é', '1', 'key'), scalar, { maxKeys: 2 }) },
)
const json = fc.oneof(
  { weight: 1, arbitrary: shallow },
  { weight: 3, arbitrary: fc.array(shallow, { maxLength: 6 }) },
  { weight: 1, arbitrary: fc.dictionary(fc.constantFrom('a', 'b', '0'), shallow, { maxKeys: 2 }) },
)

const valueOf: Record<string, fc.Arbitrary<unknown>> = {
  name: text,
  title: text,
  role,
  age: integer,
  big: bigint,
  score: real,
  active: fc.boolean(),
  at: date,
  day: date,
  iso: date,
  data: json,
  value: json,
  raw: blob,
}
const orNull = (value: fc.Arbitrary<unknown>) => fc.option(value, { freq: 5 })

/** Rows with keys of their own; `day` without its milliseconds, as it is read back. */
export const rows: fc.Arbitrary<Row[]> = fc
  .array(fc.record(Object.fromEntries(Object.entries(valueOf).map(([name, value]) => [name, orNull(value)]))), {
    minLength: 1,
    maxLength: 8,
  })
  .map(all =>
    all.map((row, i) => {
      const day = row.day as Date | null
      return { ...row, id: `r${i}`, day: day && new Date(Math.floor(day.getTime() / 1000) * 1000) }
    }),
  )

const escaped = (literal: string) => literal.replace(/[\\%_]/g, '\\$&')
const pattern = fc
  .array(
    fc.oneof(
      { weight: 3, arbitrary: fc.oneof(part, word).map(escaped) },
      { weight: 3, arbitrary: fc.constantFrom('%', '_', '%', '_', 'a', 'b', '\\a') },
      { weight: 1, arbitrary: character.map(escaped) },
    ),
    { maxLength: 4 },
  )
  .map(parts => parts.join(''))

function operatorsOf(name: string): Record<string, fc.Arbitrary<unknown>> {
  const value = valueOf[name]!
  const list = fc.array(orNull(value), { maxLength: 5 })
  const operators: Record<string, fc.Arbitrary<unknown>> = {
    $eq: orNull(value),
    $ne: orNull(value),
    $in: list,
    $nin: list,
    $null: fc.boolean(),
    $exists: fc.boolean(),
  }
  if (name === 'data' || name === 'value') return { ...operators, $has: shallow }
  if (name === 'active' || name === 'raw') return operators
  Object.assign(operators, { $gt: value, $gte: value, $lt: value, $lte: value, $between: fc.tuple(value, value) })
  if (!['name', 'title', 'role'].includes(name)) return operators
  return { ...operators, $startsWith: text, $endsWith: text, $contains: text, $like: pattern }
}

function fieldFilter(name: string): fc.Arbitrary<unknown> {
  const operators = operatorsOf(name)
  const one = fc
    .constantFrom(...Object.keys(operators), ...('$has' in operators ? ['$has', '$has', '$has', '$has'] : []))
    .chain(operator => operators[operator]!.map((value): Filter => ({ [operator]: value })))
  const some = fc.array(one, { minLength: 1, maxLength: 2 }).map(parts => Object.assign({}, ...parts) as Filter)
  const withCase =
    '$like' in operators
      ? fc.tuple(some, fc.boolean()).map(([filter, ci]): Filter => {
          return Object.keys(filter).some(key => key !== '$null' && key !== '$exists') ? { ...filter, $ci: ci } : filter
        })
      : some
  return fc.oneof({ weight: 1, arbitrary: orNull(valueOf[name]!) }, { weight: 4, arbitrary: withCase })
}

// Text and JSON have the most ways to go wrong.
const leaf: fc.Arbitrary<Filter> = fc
  .constantFrom(...Object.keys(valueOf), 'title', 'title', 'name', 'data', 'value')
  .chain(name => fieldFilter(name).map((filter): Filter => ({ [name]: filter })))

export const filters: fc.Arbitrary<Filter> = fc.letrec<{ filter: Filter }>(tie => ({
  filter: fc.oneof(
    { depthSize: 'small', withCrossShrink: true },
    { weight: 4, arbitrary: leaf },
    { weight: 1, arbitrary: fc.tuple(leaf, leaf).map(([a, b]) => ({ ...a, ...b })) },
    {
      weight: 1,
      arbitrary: fc
        .array(fc.oneof({ weight: 4, arbitrary: tie('filter') }, { weight: 1, arbitrary: fc.constant(false) }), {
          maxLength: 3,
        })
        .map(all => ({ $and: all })),
    },
    { weight: 1, arbitrary: fc.array(tie('filter'), { maxLength: 3 }).map(all => ({ $or: all })) },
    { weight: 1, arbitrary: tie('filter').map(one => ({ $not: one })) },
  ),
})).filter

export interface Order {
  readonly field: string
  readonly descending: boolean
}

/** Fields whose order an app can see: not JSON and not bytes. */
export const orders: fc.Arbitrary<Order[]> = fc.array(
  fc.record({
    field: fc.constantFrom(...Object.keys(valueOf).filter(name => !['data', 'value', 'raw'].includes(name))),
    descending: fc.boolean(),
  }),
  { maxLength: 2 },
)
