// What is found against what has to be: every difference as a line of text.
import type { Found, TableSchema } from './schema.js'
import { show, type Stored } from './spec.js'
import type { Table, World } from './world.js'

export interface Expected {
  readonly world: World
  /** A database that was made at this release. */
  readonly fresh: Found
  /** What was found before: tables that are no longer declared stay as they were. */
  readonly before: Found
  /** Tables that may be there already, although no operation needed them. */
  readonly mayHave: readonly string[]
  /** Views and triggers of the app. */
  readonly others: readonly string[]
}

export function differences(found: Found, { world, fresh, before, mayHave, others }: Expected): string[] {
  const expected = new Map(world.map(table => [table.table, table]))
  const strange = [...found.tables.keys()].filter(name => !expected.has(name) && !mayHave.includes(name))
  return [
    ...found.unsound,
    ...strange.map(name => `the table ${name} is there, nothing declares it`),
    // They come with the first table.
    ...(world.length === 0 && found.own.length === 0 ? [] : list('own tables', found.own, fresh.own)),
    ...list('views and triggers', found.others, others),
    ...world.flatMap(table => {
      const schema = found.tables.get(table.table)
      if (!schema) return [`the table ${table.table} is gone`]
      const wanted = table.orphan ? withoutReferences(before.tables.get(table.table)!) : fresh.tables.get(table.table)!
      return [
        ...schemaDifferences(schema, withOrphans(wanted, table)),
        ...rowDifferences(found.rows.get(table.table)!, table),
        ...sequenceDifferences(found, table),
      ].map(text => `${table.table}: ${text}`)
    }),
    ...mayHave.flatMap(name =>
      found.tables.has(name) && !expected.has(name)
        ? schemaDifferences(found.tables.get(name)!, fresh.tables.get(name)!).map(text => `${name}: ${text}`)
        : [],
    ),
  ]
}

const list = (what: string, found: readonly string[], expected: readonly string[]) =>
  found.join() === expected.join() ? [] : [`${what}: found ${found.join()}, expected ${expected.join()}`]

const withoutReferences = (schema: TableSchema): TableSchema => ({ ...schema, references: [] })

/** The declared table and, behind it, what is kept of earlier declarations. */
function withOrphans(schema: TableSchema, { columns, orphan }: Table): TableSchema {
  if (orphan) return schema
  const kept = columns.filter(column => column.orphan)
  const added = kept.map(({ name, type }) => [name, { type, notNull: false, default: null, key: 0 }] as const)
  return { ...schema, columns: new Map([...schema.columns, ...added]) }
}

/** The order of columns says nothing. */
function schemaDifferences(found: TableSchema, expected: TableSchema): string[] {
  const flags = (['strict', 'autoIncrement'] as const).filter(flag => found[flag] !== expected[flag])
  return [
    ...flags.map(flag => `${flag} is ${found[flag]}`),
    ...entries('column', found.columns, expected.columns),
    ...entries('check', found.checks, expected.checks),
    ...list('references', found.references, expected.references),
    ...entries('index', found.indexes, expected.indexes),
  ]
}

function entries<T>(what: string, found: ReadonlyMap<string, T>, expected: ReadonlyMap<string, T>): string[] {
  const names = new Set([...found.keys(), ...expected.keys()])
  return [...names].flatMap(name => {
    const [a, b] = [show(found.get(name)), show(expected.get(name))]
    return a === b ? [] : [`${what} ${name}: found ${a}, expected ${b}`]
  })
}

function rowDifferences(found: readonly Record<string, Stored>[], { rows, columns }: Table): string[] {
  const expected = [...rows].sort((a, b) => (BigInt(a.rowid) < BigInt(b.rowid) ? -1 : 1))
  const names = columns.map(({ name }) => name).sort()
  const wanted = expected.map(({ rowid, values }) => show([rowid, ...names.map(name => values[name])]))
  const got = found.map(row => show([row['(rowid)'], ...names.map(name => row[name])]))
  if (wanted.join('\n') === got.join('\n')) return []
  return [
    `rows (rowid, ${names.join(', ')})\n    found    ${got.join('\n             ')}\n    expected ${wanted.join('\n             ')}`,
  ]
}

/** A number that was a key once is never a key again. */
function sequenceDifferences(found: Found, { table, sequence }: Table): string[] {
  const counted = found.sequences.get(table) ?? 0n
  return sequence !== null && counted < sequence ? [`counts from ${counted}, expected ${sequence}`] : []
}
