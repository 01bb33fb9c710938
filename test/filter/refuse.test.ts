import { describe, expect, it } from 'vitest'
import { sql } from '../../src/shared/sql.js'
import { errorOf, parse } from './support.js'

const nested = (levels: number): object => (levels === 0 ? { age: 1 } : { $not: nested(levels - 1) })
const circular: Record<string, unknown> = {}
circular.$and = [circular]

describe('parseWhere refuses', () => {
  it.each<[string, unknown, string, string[] | undefined, RegExp]>([
    ['no object', undefined, 'BAD_FILTER', undefined, /\{ field: value \}/],
    ['an array', [{ age: 1 }], 'BAD_FILTER', undefined, /\{ field: value \}/],
    ['a date', new Date(), 'BAD_FILTER', undefined, /\{ field: value \}/],
    ['a misspelt field', { nmae: 'x' }, 'UNKNOWN_FIELD', ['nmae'], /did you mean "name"/],
    ['a misspelt field deep inside', { $not: { $or: [{ agee: 1 }] } }, 'UNKNOWN_FIELD', ['agee'], /"age"/],
    ['__proto__', JSON.parse('{"__proto__": 1}'), 'UNKNOWN_FIELD', ['__proto__'], /./],
    ['constructor', { constructor: 1 }, 'UNKNOWN_FIELD', ['constructor'], /./],
    ['a NUL in a name', { 'a\0ge': 1 }, 'UNKNOWN_FIELD', ['a\\0ge'], /./],
    ['an unknown group operator', { $nor: [] }, 'BAD_FILTER', undefined, /did you mean "\$or"/],
    ['a field operator as a group', { $eq: 1 }, 'BAD_FILTER', undefined, /\$and, \$or, \$not, \$sql/],
    ['an unknown operator', { age: { $gtt: 1 } }, 'BAD_FILTER', ['age'], /did you mean "\$gt"/],
    ['an operator without $', { age: { gte: 1 } }, 'BAD_FILTER', ['age'], /did you mean "\$gte"/],
    ['an inherited operator', { age: { constructor: 1 } }, 'BAD_FILTER', ['age'], /./],
    ['an unknown operator of JSON', { data: { $hsa: 1 } }, 'BAD_FILTER', ['data'], /did you mean "\$has"/],
    ['operators mixed with keys in JSON', { data: { $has: 1, a: 1 } }, 'BAD_FILTER', ['data'], /./],
    ['$startsWith on an integer', { age: { $startsWith: 'x' } }, 'BAD_FILTER', ['age'], /it takes \$eq/],
    ['$like on a date', { iso: { $like: 'x' } }, 'BAD_FILTER', ['iso'], /it takes \$eq/],
    ['$ci on an integer', { age: { $eq: 1, $ci: true } }, 'BAD_FILTER', ['age'], /it takes \$eq/],
    ['$gt on JSON', { data: { $gt: 1 } }, 'BAD_FILTER', ['data'], /\$has/],
    ['$gt on a blob', { raw: { $gt: 1 } }, 'BAD_FILTER', ['raw'], /\$null/],
    ['$between on a boolean', { active: { $between: [0, 1] } }, 'BAD_FILTER', ['active'], /\$null/],
    ['$has on text', { title: { $has: 'x' } }, 'BAD_FILTER', ['title'], /\$eq/],
    ['$regex', { title: { $regex: '^a' } }, 'BAD_FILTER', ['title'], /\$like, \$contains or \$startsWith/],
    ['$regex on an integer', { age: { $regex: '^a' } }, 'BAD_FILTER', ['age'], /\$gt/],
    ['undefined as a value', { age: undefined }, 'BAD_FILTER', ['age'], /leave the key out/],
    ['undefined for an operator', { age: { $gt: undefined } }, 'BAD_FILTER', ['age'], /leave the key out/],
    ['undefined in a list', { age: { $in: [1, undefined] } }, 'BAD_FILTER', ['age'], /leave the key out/],
    ['a hole in a list', { age: { $in: Array(2) } }, 'BAD_FILTER', ['age'], /leave the key out/],
    ['undefined in $between', { age: { $between: [1, undefined] } }, 'BAD_FILTER', ['age'], /./],
    ['undefined for $null', { age: { $null: undefined } }, 'BAD_FILTER', ['age'], /./],
    ['undefined for $ci', { title: { $eq: 'x', $ci: undefined } }, 'BAD_FILTER', ['title'], /true or false/],
    ['undefined for $or', { $or: undefined }, 'BAD_FILTER', undefined, /array of filters/],
    ['undefined for $not', { $not: undefined }, 'BAD_FILTER', undefined, /./],
    ['no operator at all', { age: {} }, 'BAD_FILTER', ['age'], /it takes/],
    ['$ci alone', { title: { $ci: true } }, 'BAD_FILTER', ['title'], /it takes/],
    ['$ci with nothing to modify', { title: { $ci: true, $null: true } }, 'BAD_FILTER', ['title'], /it takes/],
    ['$ci that is no boolean', { title: { $ci: 1, $eq: 'x' } }, 'BAD_FILTER', ['title'], /true or false/],
    ['$null that is no boolean', { age: { $null: 1 } }, 'BAD_FILTER', ['age'], /true or false/],
    ['$in that is no array', { age: { $in: new Set([1]) } }, 'BAD_FILTER', ['age'], /an array/],
    ['$between of three', { age: { $between: [1, 2, 3] } }, 'BAD_FILTER', ['age'], /\[from, to\]/],
    ['$and that is no array', { $and: {} }, 'BAD_FILTER', undefined, /array of filters/],
    ['$and with something else', { $and: [true] }, 'BAD_FILTER', undefined, /./],
    ['$or with a falsy entry', { $or: [false] }, 'BAD_FILTER', undefined, /./],
    ['$sql that is text', { $sql: '1 = 1' }, 'BAD_FILTER', undefined, /sql`/],
    ['$like that ends inside an escape', { title: { $like: 'a\\' } }, 'BAD_FILTER', ['title'], /themselves/],
    ['$like that is too long', { title: { $like: 'a'.repeat(10_001) } }, 'BAD_FILTER', ['title'], /themselves/],
    ['33 levels', nested(33), 'BAD_FILTER', undefined, /\$in/],
    ['a circle', circular, 'BAD_FILTER', undefined, /\$in/],
    ['too many conditions', { $or: Array.from({ length: 5001 }, () => ({ age: 1 })) }, 'BAD_FILTER', undefined, /\$in/],
    ['text for an integer', { age: '5' }, 'VALIDATION', ['age'], /correct/],
    ['a fraction for an integer', { age: { $gt: 1.5 } }, 'VALIDATION', ['age'], /correct/],
    ['null for an order', { age: { $gt: null } }, 'VALIDATION', ['age'], /correct/],
    ['a number for a bigint', { big: 5 }, 'VALIDATION', ['big'], /correct/],
    ['an array for a field', { age: [1, 2] }, 'VALIDATION', ['age'], /\$in: \[\.\.\.\]/],
    ['NaN', { score: NaN }, 'VALIDATION', ['score'], /correct/],
    ['a number for a boolean', { active: 1 }, 'VALIDATION', ['active'], /correct/],
    ['an invalid date', { at: new Date(NaN) }, 'VALIDATION', ['at'], /correct/],
    ['a value that the enum has not', { role: 'owner' }, 'VALIDATION', ['role'], /correct/],
    ['half of a surrogate pair', { title: { $contains: '\uD800' } }, 'VALIDATION', ['title'], /correct/],
    ['a date in JSON', { data: { a: new Date() } }, 'VALIDATION', ['data'], /correct/],
    ['a number for $like', { title: { $like: 5 } }, 'VALIDATION', ['title'], /correct/],
    ['a fragment as a value', { age: sql`1` }, 'VALIDATION', ['age'], /correct/],
  ])('%s', (_name, where, code, fields, hint) => {
    const error = errorOf(() => parse(where))
    expect(error).toMatchObject({ code, model: 'Thing', op: 'list' })
    expect(error.fields).toEqual(fields)
    expect(error.hint).toMatch(hint)
    expect(error.message).toMatch(/^\[[A-Z_]+\] Thing\.list: /)
  })

  it('SQL that was not made by the tag, such as JSON from outside', () => {
    const forged = JSON.parse('{"kind": "sql", "parts": ["1) OR (1"], "params": [], "text": "1) OR (1"}')
    expect(errorOf(() => parse({ $sql: forged })).code).toBe('BAD_FILTER')
  })

  it('a value with the path to it and without the value', () => {
    const error = errorOf(() => parse({ $or: [{ age: { $in: [1, 'secret'] } }] }))
    expect(error.issues).toEqual([{ path: ['age', '$in', 1], message: 'must be a safe integer, not a string' }])
    expect(error.message).toContain('age.$in.1 must be a safe integer')
    expect(JSON.stringify(error.toWire())).not.toContain('secret')
  })

  it('a value inside JSON with the path into it', () => {
    const error = errorOf(() => parse({ data: { $has: { a: [1n] } } }))
    expect(error.issues).toEqual([{ path: ['data', '$has', 'a', 0], message: 'JSON cannot hold a bigint' }])
  })
})
