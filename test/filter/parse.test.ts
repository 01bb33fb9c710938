import { describe, expect, it } from 'vitest'
import { isEmptyCondition, type Condition } from '../../src/shared/filter.js'
import { sql } from '../../src/shared/sql.js'
import { parse } from './support.js'

const compare = (field: string, op: string, value: unknown, more = {}) => ({
  type: 'compare',
  field,
  op,
  value,
  ...more,
})

describe('parseWhere encodes', () => {
  it.each([
    ['text', { title: 'x' }, compare('title', '=', 'x')],
    ['enum', { role: { $ne: 'admin' } }, compare('role', '<>', 'admin')],
    ['integer', { age: { $gt: 5 } }, compare('age', '>', 5)],
    ['bigint', { big: { $gte: 5n } }, compare('big', '>=', 5n)],
    ['real', { score: { $lt: 0.5 } }, compare('score', '<', 0.5)],
    ['boolean', { active: true }, compare('active', '=', 1)],
    ['date in ms', { at: { $lte: new Date(1500) } }, compare('at', '<=', 1500)],
    ['date in seconds, between two', { day: { $lt: new Date(1500) } }, compare('day', '<', 1.5)],
    ['date as text', { iso: new Date(0) }, compare('iso', '=', '1970-01-01T00:00:00.000Z')],
    ['createdAt', { made: { $gt: new Date(7) } }, compare('made', '>', 7)],
    ['JSON, keys sorted', { data: { b: 1, a: [null] } }, compare('data', '=', '{"a":[null],"b":1}')],
    ['JSON, an empty object', { data: {} }, compare('data', '=', '{}')],
    ['JSON, an array', { data: ['b', 'a'] }, compare('data', '=', '["b","a"]')],
    ['JSON, operators', { data: { $ne: { $x: 1 } } }, compare('data', '<>', '{"$x":1}')],
    ['blob', { raw: Uint8Array.of(1) }, compare('raw', '=', Uint8Array.of(1))],
    ['null', { age: null }, { type: 'null', field: 'age', is: true }],
    ['$eq: null', { data: { $eq: null } }, { type: 'null', field: 'data', is: true }],
    ['$ne: null', { age: { $ne: null } }, { type: 'null', field: 'age', is: false }],
    ['$null: false', { age: { $null: false } }, { type: 'null', field: 'age', is: false }],
    ['$exists: true', { age: { $exists: true } }, { type: 'null', field: 'age', is: false }],
    ['$exists: false', { age: { $exists: false } }, { type: 'null', field: 'age', is: true }],
    ['text longer than the field', { name: { $in: ['long'] } }, { type: 'in', values: ['long'], orNull: false }],
    ['$in with null', { age: { $in: [1, null] } }, { type: 'in', values: [1], orNull: true, negated: false }],
    ['$nin with null', { age: { $nin: [null, 1] } }, { type: 'in', values: [1], orNull: true, negated: true }],
    ['$in: [null]', { age: { $in: [null] } }, { type: 'null', field: 'age', is: true }],
    ['$nin: [null]', { age: { $nin: [null] } }, { type: 'null', field: 'age', is: false }],
    ['$like', { title: { $like: 'a%' } }, { type: 'match', op: 'like', value: 'a%', ci: false }],
    ['$contains of an enum', { role: { $contains: 'min' } }, { type: 'match', op: 'contains', value: 'min' }],
    ['$ci', { title: { $endsWith: 'X', $ci: true } }, { type: 'match', op: 'endsWith', value: 'X', ci: true }],
    ['$ci beside $eq', { role: { $eq: 'ADMIN', $ci: true } }, compare('role', '=', 'ADMIN', { ci: true })],
    ['$has', { data: { $has: { b: 1, a: 2 } } }, { type: 'has', field: 'data', value: '{"a":2,"b":1}' }],
    ['$has: null', { data: { $has: null } }, { type: 'has', field: 'data', value: 'null' }],
  ])('%s', (_name, where, condition) => {
    expect(parse(where)).toMatchObject(condition)
  })

  it('$between as two comparisons', () => {
    expect(parse({ age: { $between: [1, 2] } })).toEqual({
      type: 'and',
      of: [compare('age', '>=', 1), compare('age', '<=', 2)],
    })
  })

  it('several fields, operators and groups as one flat and', () => {
    const condition = parse({ age: { $gt: 1, $lt: 5 }, $and: [{ active: true }, false, null, undefined, 0, ''] })
    expect(condition).toMatchObject({ type: 'and', of: [{ op: '>' }, { op: '<' }, { field: 'active' }] })
  })

  it('$or and $not', () => {
    expect(parse({ $or: [{ age: 1 }, { $not: { age: 2 } }] })).toEqual({
      type: 'or',
      of: [compare('age', '=', 1), { type: 'not', of: compare('age', '=', 2) }],
    })
  })

  it('$sql as text and values', () => {
    expect(parse({ $sql: sql`length(name) < ${40}` })).toEqual({
      type: 'sql',
      sql: 'length(name) < ?',
      params: [40],
    })
  })

  it('an object without a prototype', () => {
    expect(parse(Object.assign(Object.create(null), { age: 1 }))).toEqual(compare('age', '=', 1))
  })

  it('plain data that can be cloned, and keeps no array or bytes of the app', () => {
    const raw = Uint8Array.of(1, 2)
    const list = [1, 2]
    const condition = parse({ raw, age: { $in: list } })
    raw[0] = 9
    list[0] = 9
    expect(structuredClone(condition)).toMatchObject({ of: [{ value: Uint8Array.of(1, 2) }, { values: [1, 2] }] })
  })
})

const always: Condition = { type: 'always', value: true }
const never: Condition = { type: 'always', value: false }

describe('a filter that says the same of every row (semantics 22, 23)', () => {
  it.each([
    {},
    { $and: [] },
    { $and: [false, null, undefined] },
    { $and: [{}, { $and: [{}] }] },
    { $or: [{}] },
    { $or: [{ age: 1 }, { $and: [false] }] },
    { $not: { $or: [] } },
    { $not: { age: { $in: [] } } },
    { age: { $nin: [] } },
    { $not: { $not: {} } },
    { $or: [{ $or: [] }, { $not: { $or: [] } }] },
  ])('holds always, is empty: %j', where => {
    expect(parse(where)).toEqual(always)
    expect(isEmptyCondition(parse(where))).toBe(true)
  })

  it.each([
    { $or: [] },
    { age: { $in: [] } },
    { $not: {} },
    { age: 1, $or: [] },
    { $and: [{ age: 1 }, { $not: {} }] },
    { $or: [{ $or: [] }] },
  ])('holds never, is not empty: %j', where => {
    expect(parse(where)).toEqual(never)
    expect(isEmptyCondition(parse(where))).toBe(false)
  })

  it.each([{ age: null }, { $and: [false, { age: 1 }] }, { $not: { age: 1 } }, { data: {} }, { $or: [{ age: 1 }] }])(
    'depends on the row, is not empty: %j',
    where => {
      expect(isEmptyCondition(parse(where))).toBe(false)
    },
  )

  it('is found in conditions that were not made by parseWhere', () => {
    const none: Condition = { type: 'in', field: 'age', values: [], orNull: false, negated: true }
    const some: Condition = { type: 'null', field: 'age', is: true }
    expect(isEmptyCondition({ type: 'and', of: [none, { type: 'and', of: [] }] })).toBe(true)
    expect(isEmptyCondition({ type: 'or', of: [some, always] })).toBe(true)
    expect(isEmptyCondition({ type: 'not', of: { type: 'and', of: [some, never] } })).toBe(true)
    expect(isEmptyCondition({ type: 'or', of: [some, never] })).toBe(false)
    expect(isEmptyCondition({ type: 'or', of: [] })).toBe(false)
  })
})
