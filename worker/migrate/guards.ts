// What existing rows say against a plan: each guard counts the rows that would lose something, or that break a rule of
// the new shape. Asked before anything runs.
import { quoteIdentifier } from '../../src/shared/sql.js'
import type { Match } from './match.js'
import { ROWID } from './rebuild.js'
import type { CheckShape, IndexShape, ReferenceShape, TableShape } from './shape.js'

export interface Guard {
  readonly model: string
  /** None for the whole table. */
  readonly fields: readonly string[]
  /** Gives one number: how many rows stand in the way. */
  readonly sql: string
  /** What is wrong with them. */
  readonly what: string
  /** What would allow it. */
  readonly hint: string
  /** Something is lost, and `onDestructive: 'apply'` allows it. What breaks a rule cannot be allowed. */
  readonly loss: boolean
}

/** A column as the guards and the rebuild see it. */
export interface ValuedMatch extends Match {
  /** The new value, over the stored row. */
  readonly value: string
  /** True for stored rows whose value would not come through. */
  readonly loses: string | null
  /** Its values may differ from the stored ones. */
  readonly revalued: boolean
}

const q = quoteIdentifier
const APPLY = "convert the field with .convertFrom(sql`...`), or allow the loss with onDestructive: 'apply'."

export interface GuardParts {
  readonly declared: TableShape
  readonly stored: TableShape
  readonly matches: readonly ValuedMatch[]
  /** The stored rows, with every name that an expression may use. */
  readonly rows: string
  /** Index names, of the table as it is, that are not made anew. */
  readonly kept: ReadonlySet<string>
  keysOf(table: string, column: string): ParentKeys | null
}

/** The keys that a table will have. */
export interface ParentKeys {
  /** A SELECT of them, over what is stored. */
  readonly sql: string
  /** They may differ from the stored ones. */
  readonly revalued: boolean
}

export function guardsOf({ declared, stored, matches, rows, kept, keysOf }: GuardParts): Guard[] {
  const { model } = declared
  const revalued = new Set(matches.filter(match => match.revalued).map(({ column }) => column.name))
  const fieldOf = new Map(matches.map(({ field, column }) => [column.name, field.name]))
  const fieldsOf = (columns: readonly string[]) => columns.map(column => fieldOf.get(column) ?? column)
  const future = `(SELECT ${matches.map(match => `${match.value} AS ${q(match.column.name)}`).join(', ')} FROM ${rows}) AS ${q(declared.table)}`
  const count = (where: string) => `SELECT count(*) FROM ${future} WHERE ${where}`
  const guards: Guard[] = []
  for (const match of matches) {
    const { column, field, from, value, loses } = match
    const about = { model, fields: [field.name] }
    const name = q(column.name)
    if (loses !== null) {
      const where = `${q(from!.name)} IS NOT NULL AND (${loses})`
      const what = 'not to be converted without loss'
      guards.push({ ...about, sql: `SELECT count(*) FROM ${rows} WHERE ${where}`, what, hint: APPLY, loss: true })
    }
    if (from === null && value === ROWID) {
      const what = 'with a number that autoId cannot give back'
      const hint = 'declare a t.bigint() key, or give the field .convertFrom(sql`...`).'
      guards.push({
        ...about,
        sql: count(`${name} NOT BETWEEN ${Number.MIN_SAFE_INTEGER} AND ${Number.MAX_SAFE_INTEGER}`),
        what,
        hint,
        loss: false,
      })
    }
    const wasNotNull = from === null ? isConstant(match) : from.notNull && !match.revalued
    if (column.notNull && !wasNotNull && value !== ROWID) {
      const hint = 'give the field a default or .convertFrom(sql`...`), or declare it nullable.'
      guards.push({ ...about, sql: count(`${name} IS NULL`), what: 'without a value', hint, loss: false })
    }
    if (column.primaryKey && !(from?.primaryKey === true && !match.revalued)) {
      const hint = 'a key is unique: give the rows other values first.'
      guards.push({
        ...about,
        sql: duplicates(future, [column.name]),
        what: 'with a key that another row has',
        hint,
        loss: false,
      })
    }
    const { references } = column
    const parent = references && keysOf(references.table, references.column)
    if (references && (match.revalued || parent?.revalued || !sameTarget(from?.references, references))) {
      guards.push({
        ...about,
        sql: count(`${name} IS NOT NULL${parent ? ` AND ${name} NOT IN (${parent.sql})` : ''}`),
        what: `referring to no row of ${references.table}`,
        hint: 'delete the rows, or set the field to null, first; or give it .convertFrom(sql`...`).',
        loss: false,
      })
    }
  }
  const before = new Map([...stored.checks, ...stored.columns.flatMap(({ checks }) => checks)].map(c => [c.sql, c]))
  const broken = (check: CheckShape, fields: readonly string[]): Guard => ({
    model,
    fields,
    sql: count(`NOT (${check.sql}\n)`),
    what: `refused by the check ${check.name}`,
    hint: 'correct the rows first, convert the field with .convertFrom(sql`...`), or widen the check.',
    loss: false,
  })
  for (const { column, field, revalued: changed } of matches) {
    for (const check of column.checks) if (changed || !before.has(check.sql)) guards.push(broken(check, [field.name]))
  }
  for (const check of declared.checks) {
    if (revalued.size > 0 || !before.has(check.sql)) guards.push(broken(check, []))
  }
  for (const index of declared.indexes) {
    if (!index.unique || (kept.has(index.name) && !index.columns.some(column => revalued.has(column)))) continue
    guards.push({
      model,
      fields: fieldsOf(index.columns),
      sql: duplicates(future, index.columns, index.where),
      what: 'not unique',
      hint: 'make the rows differ first, or declare an index that is not unique.',
      loss: false,
    })
  }
  return guards
}

const sameTarget = (a: ReferenceShape | null | undefined, b: ReferenceShape) =>
  a?.table === b.table && a.column === b.column

/** What a new field is filled with, the same in every row. */
function isConstant({ column, field, value }: ValuedMatch): boolean {
  if (field.kind === 'createdAt' || field.kind === 'updatedAt') return true
  return column.constantDefault && column.default !== null && value === column.default
}

/** Rows that have the same values as an earlier one. NULLs are never the same. */
function duplicates(rows: string, columns: readonly string[], where?: string): string {
  const names = columns.map(q).join(', ')
  const known = columns.map(column => `${q(column)} IS NOT NULL`).join(' AND ')
  const wanted = where === undefined ? '' : ` AND (${where}\n)`
  return `SELECT coalesce(sum(n - 1), 0) FROM (SELECT count(*) AS n FROM ${rows} WHERE ${known}${wanted} GROUP BY ${names} HAVING n > 1)`
}

/** Rows of a column or table that would be given up. */
export function lossOf(shape: TableShape, column: string | null, rows = q(shape.table)): Guard {
  return {
    model: shape.model,
    fields: column === null ? [] : [column],
    sql: `SELECT count(*) FROM ${rows}${column === null ? '' : ` WHERE ${q(column)} IS NOT NULL`}`,
    what: column === null ? 'a removed model that has rows' : 'a removed field that has values',
    hint: "onDestructive: 'keep' keeps them, 'apply' gives them up.",
    loss: true,
  }
}

export function sameIndex(a: IndexShape, b: IndexShape): boolean {
  return (
    JSON.stringify([a.name, a.unique, a.columns, a.desc, a.where]) ===
    JSON.stringify([b.name, b.unique, b.columns, b.desc, b.where])
  )
}
