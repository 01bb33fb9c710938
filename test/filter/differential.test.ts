import fc from 'fast-check'
import { beforeAll, describe, expect, it } from 'vitest'
import { fieldOf } from '../../src/shared/definition.js'
import { quoteIdentifier } from '../../src/shared/sql.js'
import { filters, orders, rows, type Order } from './arbitraries.js'
import { compare, matches, type Kinds } from './oracle.js'
import { model, openTable, parse, type Row, type Table } from './support.js'

const kinds: Kinds = { json: ['data', 'value'] }

function sorted(all: readonly Row[], order: readonly Order[]): Row[] {
  return [...all].sort((a, b) => {
    for (const { field, descending } of order) {
      const difference = compare(a[field], b[field])
      if (difference !== 0) return descending ? -difference : difference
    }
    return compare(a.id, b.id)
  })
}

const orderSql = (order: readonly Order[]) =>
  [
    ...order.map(term => `${quoteIdentifier(fieldOf(model, term.field)!.column)}${term.descending ? ' DESC' : ''}`),
    'id',
  ].join(', ')

describe('a filter means in SQL what it means in JavaScript (semantics 21, 22)', () => {
  let table: Table
  beforeAll(async () => {
    table = await openTable()
  })

  it('for any rows, any filter and any order', () => {
    let matched = 0
    let missed = 0
    fc.assert(
      fc.property(rows, fc.array(filters, { minLength: 3, maxLength: 3 }), orders, (all, wheres, order) => {
        table.setRows(all)
        for (const where of wheres) {
          const condition = parse(where)
          const expected = sorted(all, order).filter(row => matches(row, where, kinds))
          expect(table.keysOf(condition, orderSql(order))).toEqual(expected.map(row => row.id))
          matched += expected.length
          missed += all.length - expected.length
        }
      }),
      { numRuns: 1200 },
    )
    // The generators must not drift into filters that always or never hold.
    expect(matched / (matched + missed)).toBeGreaterThan(0.2)
    expect(missed / (matched + missed)).toBeGreaterThan(0.2)
  })

  it('for lists that are bound as one JSON text', () => {
    fc.assert(
      fc.property(rows, filters, (all, filler) => {
        table.setRows(all)
        for (const name of ['title', 'age', 'big', 'score', 'at', 'day', 'iso', 'active', 'data', 'raw']) {
          const given = all.slice(1).map(row => row[name])
          if (given.every(value => value === null)) continue
          const long = Array.from({ length: 300 }, (_, i) => given[i % given.length])
          for (const where of [{ [name]: { $in: long } }, { [name]: { $nin: long } }, { $not: filler }]) {
            const expected = all.filter(row => matches(row, where, kinds))
            expect(table.keys(where)).toEqual(expected.map(row => row.id))
          }
        }
      }),
      { numRuns: 100 },
    )
  })
})
