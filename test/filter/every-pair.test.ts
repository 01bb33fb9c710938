// Every value against every value of the pools, by every operator: what random filters meet too rarely.
import { beforeAll, describe, expect, it } from 'vitest'
import { matches, type Kinds } from './oracle.js'
import { bigints, dates, integers, jsonScalars, reals, words } from './pools.js'
import { openTable, type Row, type Table } from './support.js'

const kinds: Kinds = { json: ['data', 'value'] }
const comparisons = ['$eq', '$ne', '$gt', '$gte', '$lt', '$lte']

let table: Table
beforeAll(async () => {
  table = await openTable()
})

function rowsOf(name: string, values: readonly unknown[]): Row[] {
  const rows = [null, ...values].map((value, i): Row => ({ id: `r${String(i).padStart(3, '0')}`, [name]: value }))
  table.setRows(rows)
  return rows
}

function agree(rows: readonly Row[], name: string, filter: Record<string, unknown>): void {
  const where = { [name]: filter }
  const expected = rows.filter(row => matches(row, where, kinds)).map(row => row.id)
  expect(
    table.keys(where),
    JSON.stringify(filter, (_, v) => (typeof v === 'bigint' ? `${v}n` : v)),
  ).toEqual(expected)
}

describe('every pair', () => {
  it.each([
    ['title', words],
    ['age', integers],
    ['big', bigints],
    ['score', reals],
    ['at', dates],
    ['iso', dates],
    ['active', [true, false]],
  ] as const)('%s: comparisons and lists', (name, values) => {
    const rows = rowsOf(name, values)
    for (const value of values) {
      for (const operator of name === 'active' ? ['$eq', '$ne'] : comparisons) {
        agree(rows, name, { [operator]: value })
        if (name === 'title') agree(rows, name, { [operator]: value, $ci: true })
      }
      for (const list of [[value], [value, values[0], null], Array.from({ length: 257 }, () => value)]) {
        agree(rows, name, { $in: list })
        agree(rows, name, { $nin: list })
      }
    }
  })

  it('day, kept in whole seconds: a moment between two of them is between them', () => {
    const moments = [...dates, new Date(8.64e15 - 1), new Date(-8.64e15 + 999)]
    const rows = rowsOf(
      'day',
      moments.flatMap(date => [0, 1].map(more => new Date(Math.floor(date.getTime() / 1000 + more) * 1000))),
    )
    for (const value of moments) {
      for (const operator of comparisons) agree(rows, 'day', { [operator]: value })
      for (const list of [[value], [value, moments[0], null], [moments[3], value], Array(257).fill(value)]) {
        agree(rows, 'day', { $in: list })
        agree(rows, 'day', { $nin: list })
      }
      for (const other of moments) agree(rows, 'day', { $between: [value, other] })
    }
  })

  it.each(['$startsWith', '$endsWith', '$contains'])('title: %s', operator => {
    const rows = rowsOf('title', words)
    for (const word of words) for (const $ci of [false, true]) agree(rows, 'title', { [operator]: word, $ci })
  })

  it('title: $like with wildcards around, in and instead of characters', () => {
    const rows = rowsOf('title', words)
    const patterns = words.flatMap(word => {
      const parts = [...word].map(character => character.replace(/[\\%_]/, '\\$&'))
      const literal = parts.join('')
      return [
        ...[literal, `${literal}%`, `%${literal}`, `%${literal}%`, `_${literal}`, `${literal}_`, `%_${literal}%`, word],
        ...parts.flatMap((_, i) => ['%', '_'].map(wildcard => parts.with(i, wildcard).join(''))),
        ...parts.map((_, i) => parts.toSpliced(i, 0, '%').join('')),
      ]
    })
    for (const $like of new Set(patterns.filter(pattern => !/^(?:[^\\]|\\.)*\\$/su.test(pattern)))) {
      agree(rows, 'title', { $like })
      agree(rows, 'title', { $like, $ci: true })
    }
  })

  it.each(['data', 'value'])('%s: $has and $eq', name => {
    const nested = [...jsonScalars.map(item => [item]), ...jsonScalars.map(item => ({ a: item, 0: [item] }))]
    const items = [...jsonScalars, ...nested]
    const rows = rowsOf(name, [...items, ...nested.map(item => [1, item, 'z']), [jsonScalars], []])
    for (const item of items) {
      agree(rows, name, { $has: item })
      agree(rows, name, { $eq: item })
      agree(rows, name, { $ne: item })
      agree(rows, name, { $in: [item, null] })
    }
  })
})
