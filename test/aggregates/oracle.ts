// What an aggregate answers, written over rows as an app sees them. Knows nothing of the library.
import { compare, matches } from '../filter/oracle.js'

type Row = Record<string, unknown>
type Named = Record<string, readonly string[]>

export interface Question {
  readonly where: Row
  readonly groupBy: readonly string[] | null
  readonly count: boolean
  /** By aggregate: the fields. */
  readonly of: Named
  readonly having: Row | null
  readonly orderBy: readonly { readonly path: readonly string[]; readonly descending: boolean }[]
  readonly limit: number | null
  readonly offset: number
}

const kinds = { json: ['data'] }

/** The same value of any kind has the same text. */
const textOf = (value: unknown): string => {
  if (typeof value === 'bigint') return `n${value}`
  if (value instanceof Date) return `d${value.getTime()}`
  if (value instanceof Uint8Array) return `b${[...value].join()}`
  if (typeof value === 'number') return String(value)
  return JSON.stringify(value)
}

export function answer(rows: readonly Row[], question: Question): Row | Row[] {
  const { groupBy, having, orderBy, limit, offset } = question
  const chosen = rows.filter(row => matches(row, question.where, kinds))
  if (groupBy === null) return aggregate(chosen, question)
  const groups = new Map<string, Row[]>()
  for (const row of chosen) {
    const key = groupBy.map(field => textOf(row[field])).join('|')
    groups.set(key, [...(groups.get(key) ?? []), row])
  }
  const answers = [...groups.values()].map(members => ({
    shown: {
      ...Object.fromEntries(groupBy.map(field => [field, members[0]![field]])),
      ...aggregate(members, question),
    },
    // Filters and orders may name what is not shown.
    flat: flatten(members, groupBy),
  }))
  const kept = answers.filter(({ flat }) => having === null || matches(flat, flattenFilter(having), kinds))
  kept.sort((a, b) => {
    for (const { path, descending } of [...orderBy, ...groupBy.map(field => ({ path: [field], descending: false }))]) {
      const name = path.join('.')
      const difference = compareAny(a.flat[name], b.flat[name], name === 'data')
      if (difference !== 0) return descending ? -difference : difference
    }
    return 0
  })
  return kept.slice(offset, limit === null ? undefined : offset + limit).map(({ shown }) => shown)
}

const AGGREGATES = ['count', 'countDistinct', 'sum', 'avg', 'min', 'max']
const OF: Named = {
  count: ['name', 'age', 'big', 'score', 'at', 'data', 'raw', 'done'],
  countDistinct: ['name', 'age', 'big', 'score', 'at', 'data', 'raw', 'done'],
  sum: ['age', 'big', 'score'],
  avg: ['age', 'big', 'score'],
  min: ['name', 'age', 'big', 'score', 'at'],
  max: ['name', 'age', 'big', 'score', 'at'],
}

function aggregate(rows: readonly Row[], { count, of }: Question): Row {
  const result: Row = count ? { count: rows.length } : {}
  for (const [fn, fields] of Object.entries(of)) {
    if (fields.length > 0) result[fn] = Object.fromEntries(fields.map(field => [field, one(fn, rows, field)]))
  }
  return result
}

function flatten(rows: readonly Row[], groupBy: readonly string[]): Row {
  const flat: Row = { count: rows.length }
  for (const field of groupBy) flat[field] = rows[0]![field]
  for (const fn of AGGREGATES) {
    for (const field of OF[fn]!) {
      const value = one(fn, rows, field)
      // To a filter it is SQL's NULL.
      flat[`${fn}.${field}`] = Number.isNaN(value) ? null : value
    }
  }
  return flat
}

/** `{ sum: { age: 1 } }` as `{ 'sum.age': 1 }`. */
function flattenFilter(filter: Row): Row {
  const flat: Row = {}
  for (const [key, value] of Object.entries(filter)) {
    if (key === '$and' || key === '$or') flat[key] = (value as (Row | false)[]).map(part => part && flattenFilter(part))
    else if (key === '$not') flat[key] = flattenFilter(value as Row)
    else if (AGGREGATES.includes(key) && isFields(value)) {
      for (const [field, of] of Object.entries(value)) flat[`${key}.${field}`] = of
    } else flat[key] = value
  }
  return flat
}

const isFields = (value: unknown): value is Row =>
  typeof value === 'object' && value !== null && !Object.keys(value).some(key => key.startsWith('$'))

function one(fn: string, rows: readonly Row[], field: string): unknown {
  const values = rows.map(row => row[field]).filter(value => value !== null)
  if (fn === 'count') return values.length
  if (fn === 'countDistinct') return new Set(values.map(textOf)).size
  if (values.length === 0) return null
  const sorted = [...values].sort((a, b) => compareAny(a, b))
  if (fn === 'min') return sorted[0]
  if (fn === 'max') return sorted.at(-1)
  const sum = values.reduce((a, b) => (a as number) + (b as number)) as number | bigint
  if (fn === 'sum') return sum
  return Number(sum) / values.length
}

/** JSON orders by its text, bytes by themselves, false before true. */
function compareAny(a: unknown, b: unknown, json = false): number {
  if (a === null || b === null) return compare(a, b)
  if (json) return compare(JSON.stringify(a), JSON.stringify(b))
  if (a instanceof Uint8Array) return Buffer.compare(a, b as Uint8Array)
  return compare(a, b)
}
