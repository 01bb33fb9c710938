import { beforeAll, describe, expect, it } from 'vitest'
import type { Condition } from '../../src/shared/filter.js'
import { sql } from '../../src/shared/sql.js'
import { compile, errorOf, openTable, sqlOf, type Table } from './support.js'

let table: Table
beforeAll(async () => {
  table = await openTable()
})

const bytes = (text: string) => new TextEncoder().encode(text)

describe('compileCondition writes', () => {
  it.each<[unknown, string, unknown[]]>([
    [{ age: 5 }, '"age" = ?', [5]],
    [{ age: { $ne: 5 } }, '"age" IS NOT ?', [5]],
    [{ title: 'x' }, '"the ""Title""" = ?', ['x']],
    [{ big: { $gt: 5n } }, '"big" > CAST(? AS INTEGER)', ['5']],
    [{ age: { $gt: 2 ** 31 } }, '"age" > CAST(? AS INTEGER)', ['2147483648']],
    [{ at: new Date(1.7e12) }, '"at" = CAST(? AS INTEGER)', ['1700000000000']],
    [{ score: 2 ** 40 }, '"score" = ?', [2 ** 40]],
    [{ active: true }, '"active" = ?', [1]],
    [{ age: null }, '"age" IS NULL', []],
    [{ age: { $exists: true } }, '"age" IS NOT NULL', []],
    [{ age: { $between: [1, 2] } }, '("age" >= ? AND "age" <= ?)', [1, 2]],
    [{ $not: { age: 5 } }, '("age" = ?) IS NOT TRUE', [5]],
    [{ $or: [{ age: 5 }, { active: false }] }, '("age" = ? OR "active" = ?)', [5, 0]],
    [{}, 'TRUE', []],
    [{ $or: [] }, 'FALSE', []],
    [{ age: { $in: [1, 2, 3] } }, '"age" IN (?, ?, ?, ?)', [1, 2, 3, 3]],
    [{ age: { $in: [1, null] } }, '("age" IN (?) OR "age" IS NULL)', [1]],
    [{ age: { $nin: [1] } }, '("age" IN (?)) IS NOT TRUE', [1]],
    [{ age: { $nin: [1, null] } }, '"age" NOT IN (?)', [1]],
    [{ age: { $in: [1, 2 ** 40] } }, '"age" IN (CAST(? AS INTEGER), CAST(? AS INTEGER))', ['1', '1099511627776']],
    [{ title: { $startsWith: 'ab' } }, '("the ""Title""" >= ? AND "the ""Title""" < ?)', ['ab', 'ac']],
    [{ role: { $startsWith: 'a\uD7FF' } }, '("role" >= ? AND "role" < ?)', ['a\uD7FF', 'a\uE000']],
    [{ role: { $startsWith: 'a\u{10FFFF}' } }, '("role" >= ? AND "role" < ?)', ['a\u{10FFFF}', 'b']],
    [{ role: { $startsWith: '\u{10FFFF}' } }, '"role" >= ?', ['\u{10FFFF}']],
    [{ role: { $startsWith: 'AZ', $ci: true } }, '(lower("role") >= ? AND lower("role") < ?)', ['az', 'a{']],
    [{ role: { $endsWith: 'é' } }, 'substr(CAST("role" AS BLOB), ?) = ?', [-2, bytes('é')]],
    [{ role: { $contains: '%' } }, 'instr("role", ?) > 0', ['%']],
    [{ role: { $eq: 'ADMIN', $ci: true } }, 'lower("role") = ?', ['admin']],
    [{ role: { $in: ['A', 'B'], $ci: true } }, 'lower("role") IN (?, ?)', ['a', 'b']],
    [{ role: { $like: 'a%' } }, '("role" >= ? AND "role" < ?)', ['a', 'b']],
    [{ role: { $like: '%a\\%' } }, 'substr(CAST("role" AS BLOB), ?) = ?', [-2, bytes('a%')]],
    [{ role: { $like: 'a\\_b' } }, '"role" = ?', ['a_b']],
    [{ role: { $like: 'a*[_%x' } }, '("role" GLOB ? AND instr("role", char(0)) = 0)', ['a[*][[]?*x']],
    [{ $sql: sql`x = ${1}`, age: 5 }, '((x = ?) AND "age" = ?)', [1, 5]],
    [{ $sql: sql`x -- why` }, '(x -- why\n)', []],
  ])('%o', (where, text, params) => {
    expect(sqlOf(where)).toEqual({ sql: text, params })
  })

  it('$has with what the element is', () => {
    const exists = (same: string) =>
      'EXISTS (SELECT 1 FROM json_each("data") AS dataflow_item ' +
      `WHERE typeof(dataflow_item.key) = 'integer' AND ${same})`
    const has = (value: unknown) => sqlOf({ data: { $has: value } })
    expect(has('a')).toEqual({
      sql: exists("(dataflow_item.type = 'text' AND dataflow_item.value = ?)"),
      params: ['a'],
    })
    expect(has(null)).toEqual({ sql: exists('dataflow_item.type = ?'), params: ['null'] })
    expect(has([1])).toEqual({
      sql: exists('(dataflow_item.type = ? AND dataflow_item.value = ?)'),
      params: ['array', '[1]'],
    })
    expect(has('\uD800')).toEqual({ sql: exists('"data" -> dataflow_item.key = ?'), params: ['"\\ud800"'] })
  })

  it('columns qualified by their table, so that a missing one is an error and not a string', () => {
    expect(compile({ type: 'null', field: 'age', is: true }).sql).toBe('"Order Details"."age" IS NULL')
    expect(() => table.db.exec('SELECT 1 FROM "Order Details" WHERE "Order Details"."gone" = \'gone\'')).toThrow(
      /no such column/,
    )
  })

  it('few texts for lists of many lengths', () => {
    const texts = new Set(Array.from({ length: 500 }, (_, i) => sqlOf({ age: { $in: Array(i + 1).fill(i) } }).sql))
    expect(texts.size).toBe(10)
  })

  it('names that are not in the model never', () => {
    expect(errorOf(() => compile({ type: 'null', field: 'nope', is: true })).code).toBe('UNKNOWN_FIELD')
    expect(errorOf(() => compile({ type: 'regex', field: 'age' } as unknown as Condition)).code).toBe('BAD_FILTER')
  })
})

describe('rows', () => {
  it('a condition on SQL that is NULL does not hold, and its $not does', () => {
    table.setRows([{ id: 'a', age: 1 }, { id: 'b' }])
    expect(table.keys({ $sql: sql`age = ${1}` })).toEqual(['a'])
    expect(table.keys({ $not: { $sql: sql`age = ${1}` } })).toEqual(['b'])
    expect(table.keys({ $not: { $sql: sql`age = ${1} -- one` } })).toEqual(['b'])
  })

  it('100 000 values of each kind, exactly', () => {
    const many = <T>(value: (i: number) => T) => Array.from({ length: 100_000 }, (_, i) => value(i))
    const huge = 2n ** 62n
    table.setRows([
      {
        id: 'a',
        big: huge + 77_777n,
        score: Infinity,
        raw: Uint8Array.of(1, 17, 112),
        title: 'k99999',
        at: new Date(5e12),
      },
      { id: 'b', big: huge - 1n, score: 0.1, raw: Uint8Array.of(2), title: 'k', at: new Date(1) },
    ])
    expect(table.keys({ big: { $in: many(i => huge + BigInt(i)) } })).toEqual(['a'])
    expect(table.keys({ score: { $in: many(i => (i ? i + 0.5 : Infinity)) } })).toEqual(['a'])
    expect(table.keys({ raw: { $in: many(i => Uint8Array.of(i >> 16, i >> 8, i)) } })).toEqual(['a'])
    expect(table.keys({ title: { $in: many(i => `k${i}`) } })).toEqual(['a'])
    expect(table.keys({ title: { $in: many(i => `K${i}`), $ci: true } })).toEqual(['a'])
    expect(table.keys({ at: { $nin: many(i => new Date(5e12 + i)) } })).toEqual(['b'])
  })

  it('as deep and as long as it may be', () => {
    table.setRows([{ id: 'a', age: 1 }, { id: 'b' }])
    const deep = (levels: number): object =>
      levels === 0 ? { age: 1 } : { $or: [{ age: 2 }, { $not: deep(levels - 1) }] }
    expect(table.keys(deep(16))).toEqual(['a'])
    expect(table.keys({ $or: Array.from({ length: 2499 }, (_, i) => ({ age: i })) })).toEqual(['a'])
    let wide: Condition = { type: 'compare', field: 'age', op: '=', value: 1 }
    const others = Array.from({ length: 70 }, (): Condition => ({ type: 'compare', field: 'age', op: '=', value: 2 }))
    for (let level = 0; level < 35; level++) wide = { type: 'not', of: { type: 'or', of: [wide, ...others] } }
    expect(table.keysOf(wide)).toEqual(['b'])
  })

  it('more values than SQLite binds are one clear error', () => {
    const where = {
      $or: Array.from({ length: 200 }, () => ({ age: { $in: Array.from({ length: 200 }, (_, i) => i) } })),
    }
    const error = errorOf(() => sqlOf(where))
    expect(error).toMatchObject({ code: 'BAD_FILTER', model: 'Thing' })
    expect(error.hint).toContain('$in')
  })

  it('an index answers a prefix, a list and a comparison', () => {
    table.db.run('CREATE INDEX by_role ON "Order Details" (role); CREATE INDEX by_at ON "Order Details" (at)')
    const ids = Array.from({ length: 300 }, (_, i) => new Date(i))
    for (const where of [
      { role: { $startsWith: 'ad' } },
      { role: { $like: 'ad%' } },
      { role: { $in: ['admin', 'member'] } },
      { at: { $gt: new Date(1.7e12) } },
      { at: { $in: ids } },
    ]) {
      const { sql: text, params } = sqlOf(where)
      const plan = table.db.exec(`EXPLAIN QUERY PLAN SELECT * FROM "Order Details" WHERE ${text}`, params)
      expect(String(plan[0]!.values[0]![3])).toMatch(/^SEARCH .* USING INDEX by_/)
    }
  })

  it('a pattern that invites backtracking ends soon', () => {
    table.setRows([{ id: 'a', title: 'a'.repeat(2000) }])
    const started = performance.now()
    expect(table.keys({ title: { $like: `${'%a_'.repeat(30)}b` } })).toEqual([])
    expect(performance.now() - started).toBeLessThan(1000)
  })
})
