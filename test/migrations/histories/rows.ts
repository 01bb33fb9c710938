// Rows that fit a release, made of a few numbers; and what is stored of them.
import type { RowSeed } from './generator.js'
import { appValue, defaultValue, heldKind, poolOf } from './kinds.js'
import { keyOf, modelNamed, whole, type FieldSpec, type ModelSpec, type Release, type Stored } from './spec.js'
import {
  conditionsOf,
  databaseDefault,
  hasRowidKey,
  tableOf,
  violationsOf,
  type Table,
  type TableRow,
  type World,
} from './world.js'

export interface NewRow {
  /** What `create` takes. */
  readonly data: Readonly<Record<string, unknown>>
  readonly stored: TableRow
}

/** Tries a few rows and gives the first that the release allows, or null. `serial` is another for each row. */
export function fittingRow(
  world: World,
  release: Release,
  model: ModelSpec,
  { values }: RowSeed,
  serial: number,
  now: number,
): NewRow | null {
  for (let attempt = 0; attempt < 4; attempt++) {
    const row = makeRow(world, release, model, n => values[n % values.length]! + n + attempt * 3, serial, now)
    if (row && violationsOf(withRow(world, model.name, row.stored), release).length === 0) return row
  }
  return null
}

export const withRow = (world: World, model: string, row: TableRow): World =>
  world.map(table => {
    if (table.model !== model || table.orphan) return table
    const { sequence } = table
    const counted = sequence !== null && row.rowid > sequence ? BigInt(row.rowid) : sequence
    return { ...table, sequence: counted, rows: [...table.rows, row] }
  })

/** A value, and whether the app gives it: what is left out is made by a default. */
type Given = readonly [value: Stored, isGiven: boolean]

function makeRow(
  world: World,
  release: Release,
  model: ModelSpec,
  seedOf: (n: number) => number,
  serial: number,
  now: number,
): NewRow | null {
  const table = tableOf(world, model.name)!
  const rowid = nextRowid(table)
  const data: Record<string, unknown> = {}
  // What is no longer declared stays empty.
  const values: Record<string, Stored> = Object.fromEntries(table.columns.map(({ name }) => [name, null]))
  for (const [i, field] of model.fields.entries()) {
    const given = field.key
      ? keyValue(field, seedOf(i), serial, rowid)
      : fieldValue(field, seedOf(i), world, release, now)
    if (!given) return null
    const [value, isGiven] = given
    values[field.column] = value
    if (isGiven) data[field.name] = appValue(heldKind(field, release), value)
  }
  const key = values[keyOf(model).column] as number | bigint
  if (hasRowidKey(model)) return { data, stored: { rowid: key, values } }
  return rowid === null ? null : { data, stored: { rowid, values } }
}

/** As SQLite numbers rows: one more than the largest number, or with AUTOINCREMENT than any before. */
function nextRowid({ rows, sequence }: Table): number | null {
  const known = [...rows.map(row => BigInt(row.rowid)), ...(sequence === null ? [] : [sequence])]
  const next = known.length === 0 ? 1n : known.reduce((most, n) => (n > most ? n : most)) + 1n
  // At the end of its numbers SQLite begins to guess.
  return next <= BigInt(Number.MAX_SAFE_INTEGER) ? Number(next) : null
}

function keyValue({ kind }: FieldSpec, seed: number, serial: number, next: number | null): Given | null {
  switch (kind) {
    case 'autoId':
      if (next === null) return null
      return seed % 4 === 0 ? [next + (seed % 8 === 0 ? 2 : 70_000), true] : [next, false]
    case 'integer':
      return [wholeKey(seed, serial), true]
    case 'bigint':
      // At the end of the numbers, and far from each other.
      return [seed % 5 === 4 ? whole(2n ** 63n - BigInt(serial) * 70_000n) : wholeKey(seed, serial), true]
    default:
      // Some could be numbers.
      return [seed % 2 === 0 ? String(serial) : `r${serial}`, true]
  }
}

/** Some are far from each other: rows are copied in ranges of their numbers. */
const wholeKey = (seed: number, serial: number) => [-serial, serial * 2, serial * 70_000, serial][seed % 4]!

function fieldValue(field: FieldSpec, seed: number, world: World, release: Release, now: number): Given | null {
  if (field.kind === 'createdAt' || field.kind === 'updatedAt') return [now, false]
  if (field.kind === 'version') return [1, false]
  if (field.fallback && seed % 3 === 0) {
    return [databaseDefault(field) ?? defaultValue(field, { ...field.fallback, how: 'value' }), false]
  }
  if (field.nullable && seed % 4 === 1) return field.fallback ? [null, true] : [null, seed % 8 === 1]
  const values = field.ref ? keysOf(world, release, field.ref.model) : poolOf(field, release)
  const fitting = values.filter(value => conditionsOf(field).every(({ fits }) => value !== null && fits(value)))
  if (fitting.length > 0) return [fitting[seed % fitting.length]!, true]
  return field.nullable ? [null, true] : null
}

function keysOf(world: World, release: Release, name: string): Stored[] {
  const { column, kind } = keyOf(modelNamed(release, name)!)
  const keys = tableOf(world, name)?.rows.map(row => row.values[column]!) ?? []
  // What an earlier release stored may be more than this one's kind of key can say.
  return keys.filter(key => typeof key !== 'bigint' || kind === 'bigint')
}
