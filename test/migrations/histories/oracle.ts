// What a migration has to make of a database: each row mapped by the rules of docs/migrations, as plain values. It
// knows nothing of the planner.
import { convert } from './convert.js'
import type { Mode } from './generator.js'
import { conversionOf } from './kinds.js'
import {
  keyOf,
  modelNamed,
  sameName,
  whole,
  type FieldSpec,
  type ModelSpec,
  type Release,
  type Stored,
} from './spec.js'
import {
  columnNamed,
  columnOf,
  databaseDefault,
  hasRowidKey,
  violationsOf,
  type Column,
  type Issue,
  type Table,
  type TableRow,
  type World,
} from './world.js'

export interface Verdict {
  readonly world: World
  /** The stored model that each declared one comes from. */
  readonly sources: ReadonlyMap<string, string>
  /** Why it has to be refused as destructive. */
  readonly issues: readonly Issue[]
  /** More that the error may name: what follows from the issues. */
  readonly possible: readonly Issue[]
  /** Declarations that cannot be carried out here: it has to be refused, with whatever code. */
  readonly broken: readonly string[]
  /** What no rule decides: nothing can be expected. */
  readonly unclear: readonly string[]
  /** Values are given up: only onDestructive: 'apply' does that, and keeps a copy first. */
  readonly loses: boolean
}

export function migrate(world: World, release: Release, mode: Mode, now: number): Verdict {
  const notes: Notes = { issues: [], broken: [], unclear: [], losses: [], damaged: new Set() }
  const sources = matchModels(world, release, notes)
  const used = new Set(sources.values())
  const tables = release.flatMap(model => {
    const source = sources.get(model.name)
    return source ? [mapTable(source, model, { release, mode, now, notes })] : []
  })
  const left = world.filter(table => !used.has(table)).flatMap(table => removeModel(table, mode, notes))
  for (const { table } of left) {
    if (release.some(model => sameName(model.table, table))) notes.unclear.push(`the table ${table} is in the way`)
  }
  const next = [...tables, ...left]
  const violations = violationsOf(next, release)
  const follows = (issue: Issue) => issue.fields.some(field => touches(issue.model, field, release, notes.damaged))
  return {
    world: next,
    sources: new Map([...sources].map(([name, source]) => [name, source.model])),
    issues: [...notes.issues, ...violations.filter(issue => !follows(issue))],
    possible: violations.filter(follows),
    broken: notes.broken,
    unclear: notes.unclear,
    loses: notes.losses.length > 0,
  }
}

interface Notes {
  readonly issues: Issue[]
  readonly broken: string[]
  readonly unclear: string[]
  readonly losses: string[]
  /** `model.field` of columns whose values are not known, because the migration is refused for them. */
  readonly damaged: Set<string>
}

/** Whether the values of the field, or of the key that it refers to, are not known. */
function touches(model: string, name: string, release: Release, damaged: ReadonlySet<string>): boolean {
  if (damaged.has(`${model}.${name}`)) return true
  const target = modelNamed(release, model)!.fields.find(field => field.name === name)?.ref?.model
  return target !== undefined && damaged.has(`${target}.${keyOf(modelNamed(release, target)!).name}`)
}

/** Which stored table is which declared model's. */
function matchModels(world: World, release: Release, notes: Notes): Map<string, Table> {
  const sources = new Map<string, Table>()
  for (const model of release) {
    const own = world.find(table => table.model === model.name)
    const old = model.renamedFrom
      .filter(name => !modelNamed(release, name))
      .flatMap(name => world.find(table => table.model === name) ?? [])
    const source = own ?? old[0]
    if (own?.orphan && old.length > 0) notes.unclear.push(`${model.name} is an orphan, and a model is renamed to it`)
    if (old.length > 1 && old[0]!.orphan !== old.at(-1)!.orphan) notes.unclear.push(`${model.name} has several sources`)
    if (source) sources.set(model.name, source)
  }
  return sources
}

function removeModel(table: Table, mode: Mode, notes: Notes): Table[] {
  if (mode === 'keep') return [{ ...table, orphan: true }]
  if (table.rows.length > 0) {
    const why = 'a model with rows is removed'
    notes.losses.push(why)
    if (mode === 'error') notes.issues.push({ model: table.model, fields: [], why })
  }
  return []
}

interface Context {
  readonly release: Release
  readonly mode: Mode
  readonly now: number
  readonly notes: Notes
}

/** A declared field with the stored column that its values come from. */
interface Match {
  readonly field: FieldSpec
  readonly column: Column
  readonly source: Column | null
}

function mapTable(source: Table, model: ModelSpec, context: Context): Table {
  const matches = matchColumns(source, model, context.release)
  const used = new Set(matches.map(match => match.source))
  const removed = source.columns.filter(column => !used.has(column))
  const orphans = removed.flatMap(column => removeColumn(column, source, model, matches, context))
  const filled = matches.map(match => columnValues(match, source, model, matches, context))
  const columns = [...matches.map(match => match.column), ...orphans.map(({ as }) => as)]
  const rows = source.rows.map((row, i): TableRow => {
    const values = Object.fromEntries([
      ...filled.map(({ column, values }) => [column.name, values[i]!] as const),
      ...orphans.map(({ from, as }) => [as.name, row.values[from.name]!] as const),
    ])
    return { rowid: rowidOf(model, values) ?? row.rowid, values }
  })
  const isCounted = keyOf(model).kind === 'autoId'
  const largest = rows.reduce((most, { rowid }) => (rowid > most ? BigInt(rowid) : most), source.sequence ?? 0n)
  return { model: model.name, table: model.table, orphan: false, sequence: isCounted ? largest : null, columns, rows }
}

function rowidOf(model: ModelSpec, values: Readonly<Record<string, Stored>>): number | bigint | null {
  const key = values[keyOf(model).column]
  return hasRowidKey(model) && (typeof key === 'number' || typeof key === 'bigint') ? key : null
}

function matchColumns(source: Table, model: ModelSpec, release: Release): Match[] {
  const used = new Set<Column>()
  return model.fields.map(field => {
    const free = source.columns.filter(column => !used.has(column))
    const live = free.filter(column => !column.orphan)
    const orphans = free.filter(column => column.orphan)
    const byOldName = (columns: readonly Column[]) =>
      field.renamedFrom.map(name => columnNamed(columns, name)).find(column => column !== undefined)
    const found =
      columnNamed(live, field.column) ?? byOldName(live) ?? columnNamed(orphans, field.column) ?? byOldName(orphans)
    if (found) used.add(found)
    return { field, column: columnOf(field, release), source: found ?? null }
  })
}

/** What is left of a stored column that nothing declared takes its values from. */
function removeColumn(
  column: Column,
  source: Table,
  model: ModelSpec,
  matches: readonly Match[],
  { mode, notes }: Context,
): { from: Column; as: Column }[] {
  if (mode !== 'keep' && source.rows.some(row => row.values[column.name] !== null)) {
    const why = 'a field with values is removed'
    notes.losses.push(why)
    if (mode === 'error') notes.issues.push({ model: model.name, fields: [column.name], why })
  }
  if (mode !== 'keep') return []
  const isTaken = (name: string) =>
    columnNamed(source.columns, name) !== undefined || matches.some(match => sameName(match.column.name, name))
  let name = column.name
  if (matches.some(match => sameName(match.column.name, name))) {
    // Another column has its name now.
    for (let n = 1; isTaken(name); n++) name = `${column.name} (orphan ${n})`
  }
  const { type, form } = column
  return [{ from: column, as: { name, type, form, notNull: false, key: false, checks: [], orphan: true } }]
}

function columnValues(
  match: Match,
  table: Table,
  model: ModelSpec,
  matches: readonly Match[],
  context: Context,
): { column: Column; values: readonly Stored[] } {
  const { field, column, source } = match
  const { notes } = context
  const fallback = databaseDefault(field)
  const fill = (values: readonly Stored[]) =>
    !field.nullable && fallback !== undefined ? values.map(value => value ?? fallback) : values
  const changed = field.convertFrom && isChanged(match, table, model, notes)
  if (field.convertFrom && changed) return { column, values: fill(converted(match, table, model, matches, context)) }
  if (source) {
    const isStamp = field.kind === 'createdAt' || field.kind === 'updatedAt'
    if (isStamp && table.rows.some(row => row.values[source.name] === null)) {
      notes.unclear.push(`${model.name}.${field.name} has no time in some rows`)
    }
    return { column, values: fill(implicit(match, table, model, context)) }
  }
  return { column, values: newValues(match, table, model, context) }
}

/** Whether the column is not as it is stored: only then its conversion runs. */
function isChanged({ source, column, field }: Match, table: Table, model: ModelSpec, notes: Notes): boolean {
  if (!source) return true
  const differs =
    source.type !== column.type ||
    source.form !== column.form ||
    source.notNull !== column.notNull ||
    !sameName(source.name, column.name) ||
    source.checks.join('\n') !== column.checks.join('\n')
  const isRespelt = source.name !== column.name
  const isMoved = table.table !== model.table && column.checks.length > 0
  if (!differs && (isRespelt || isMoved || source.key !== column.key)) {
    notes.unclear.push(`${model.name}.${field.name} has a conversion, and has hardly changed`)
  }
  return differs
}

function converted(
  { field, column }: Match,
  table: Table,
  model: ModelSpec,
  matches: readonly Match[],
  context: Context,
): Stored[] {
  const { notes, release } = context
  const { how, of } = field.convertFrom!
  const looked = columnNamed(table.columns, of)
  const name = `${model.name}.${field.name}`
  if (!looked) {
    // The new names may be known, or not.
    const isDeclared = matches.some(match => sameName(match.column.name, of))
    if (isDeclared || table.rows.length === 0)
      notes.unclear.push(`${name} is converted from ${of}, which is not stored`)
    else notes.broken.push(`${name} is converted from ${of}, which is not stored`)
    return table.rows.map(() => null)
  }
  const isDisplaced = matches.some(match => sameName(match.column.name, of) && match.source !== looked)
  if (isDisplaced) notes.unclear.push(`${name} is converted from ${of}, which is two columns`)
  const values = table.rows.map(row => row.values[looked.name]!)
  if (how === 'copy' && looked.type !== column.type && values.some(value => value !== null)) {
    notes.unclear.push(`${name} is a copy of another type`)
  }
  const conversion = conversionOf(field, field.convertFrom!, release)
  return values.map(value => conversion.of(value, looked.type))
}

function implicit(
  { field, column, source }: Match,
  table: Table,
  model: ModelSpec,
  { mode, notes }: Context,
): Stored[] {
  let isLossy = false
  const values = table.rows.map((row): Stored => {
    const result = convert(row.values[source!.name]!, source!, column)
    if (result === 'unclear') {
      notes.unclear.push(
        `${model.name}.${field.name} from ${source!.type} ${source!.form} to ${column.type} ${column.form}`,
      )
      return null
    }
    isLossy ||= result.lost
    return result.value
  })
  if (isLossy) notes.losses.push(`${model.name}.${field.name}`)
  if (isLossy && mode !== 'apply') {
    notes.issues.push({ model: model.name, fields: [field.name], why: `values that are no ${column.type}` })
    notes.damaged.add(`${model.name}.${field.name}`)
  }
  return values
}

const isSafe = (number: bigint) => number >= -(2n ** 53n - 1n) && number <= 2n ** 53n - 1n

function newValues({ field, column }: Match, table: Table, model: ModelSpec, { now, notes }: Context): Stored[] {
  const fallback = databaseDefault(field)
  if (field.kind === 'createdAt' || field.kind === 'updatedAt') return table.rows.map(() => now)
  if (field.kind === 'autoId') {
    if (!table.rows.every(({ rowid }) => isSafe(BigInt(rowid)))) {
      notes.issues.push({ model: model.name, fields: [field.name], why: 'rowids that autoId cannot give back' })
      notes.damaged.add(`${model.name}.${field.name}`)
    }
    return table.rows.map(row => whole(BigInt(row.rowid)))
  }
  if (fallback !== undefined) return table.rows.map(() => fallback)
  if (column.notNull && table.rows.length > 0) {
    notes.issues.push({ model: model.name, fields: [field.name], why: 'new, NOT NULL, and nothing to fill it with' })
    notes.damaged.add(`${model.name}.${field.name}`)
  }
  return table.rows.map(() => null)
}
