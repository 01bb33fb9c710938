// From the stored shape of one table to the declared one. ALTER TABLE where it is enough, a rebuild otherwise.
import { quoteIdentifier } from '../../src/shared/sql.js'
import { conversion } from './convert.js'
import { withKnownNames } from './expression.js'
import { guardsOf, lossOf, sameIndex, type Guard, type ParentKeys, type ValuedMatch } from './guards.js'
import { planManaged } from './managed.js'
import { fold, isAlterable, isRowidName, type Match, type Matching } from './match.js'
import { rebuildTable, ROWID, rowsOf } from './rebuild.js'
import type { ColumnShape, TableShape } from './shape.js'
import * as steps from './step.js'
import type { PlannedStep } from './step.js'

export type OnDestructive = 'keep' | 'error' | 'apply'

export interface TablePlan {
  /** Before any table is renamed. */
  readonly first: readonly PlannedStep[]
  readonly steps: readonly PlannedStep[]
  /** After the data steps: what they may still want to read is given up last. */
  readonly late: readonly PlannedStep[]
  readonly guards: readonly Guard[]
  /** What is stored afterwards: the declared shape, and the orphans. */
  readonly shape: TableShape
}

export interface TablePlanInput {
  /** Under its new name already; references by their new names too. */
  readonly stored: TableShape
  /** The name of the table before the plan: guards are asked before anything runs. */
  readonly tableNow: string
  readonly declared: TableShape
  readonly matching: Matching
  /** The keys that a table will have; null when there is no such table. */
  keysOf(table: string, column: string): ParentKeys | null
  readonly onDestructive: OnDestructive
  /** Data steps are to run: removed columns stay until they have. */
  readonly hasDataSteps: boolean
  /** Epoch ms: what createdAt and updatedAt are filled with. */
  readonly now: number
}

const q = quoteIdentifier

export function planTable(input: TablePlanInput): TablePlan {
  const { stored, tableNow, declared, matching, onDestructive, hasDataSteps, now } = input
  const matches = matching.matches.map(match => valued(match, now))
  const owner = { model: declared.model, table: declared.table }
  const keeps = onDestructive === 'keep'
  const { left } = matching
  // Orphans of earlier migrations go with the others.
  const given = keeps ? [] : left
  const stays = keeps || hasDataSteps ? left : []
  const orphans = moveAside(stays, declared).map(({ column, name }) => ({ column, orphan: orphanOf(column, name) }))

  const renames = [
    ...orphans.map(({ column, orphan }) => [column.name, orphan.name] as const),
    ...matches.flatMap(({ from, column }) => (from ? [[from.name, column.name] as const] : [])),
  ].filter(([from, to]) => from !== to)
  const altered = renames.filter(([from, to]) => isAlterable(from, to))
  const renamedByRebuild = renames.filter(([from, to]) => !isAlterable(from, to))
  const shape: TableShape = { ...declared, columns: [...declared.columns, ...orphans.map(({ orphan }) => orphan)] }

  const why = [
    ...new Set([
      ...matches.flatMap(match => whyRebuilt(match)),
      ...renamedByRebuild.map(([from, to]) => `${from} is ${to} now`),
      ...stays.filter(column => !column.orphan && !isPlain(column)).map(({ name }) => `${name} is let go`),
      ...(keeps || hasDataSteps ? [] : left.filter(isBound).map(({ name }) => `${name} is dropped`)),
      ...(sameChecks(stored.checks, declared.checks) ? [] : ['its checks']),
    ]),
  ]
  const kept = new Set(
    stored.indexes.filter(old => declared.indexes.some(index => sameIndex(old, index))).map(index => index.name),
  )
  const dropped = stored.indexes.filter(index => !kept.has(index.name)).map(index => steps.dropIndex(owner, index))
  const created = declared.indexes.filter(index => !kept.has(index.name)).map(index => steps.createIndex(owner, index))
  const renamed = altered.map(([from, to]) => steps.renameColumn(owner, from, to))
  const letGo = orphans.filter(({ column }) => !column.orphan).map(({ orphan }) => steps.keepOrphan(owner, orphan.name))

  const named = new Map(renames)
  const alteredTo = new Map(altered)
  /** Where a stored column is found when the rebuild begins. */
  const nameNow = ({ name }: ColumnShape) => alteredTo.get(name) ?? name
  const asFound = { ...stored, table: tableNow }
  const guards = [
    ...guardsOf({ declared, stored, matches, rows: rowsOf(asFound, undefined, renames), kept, keysOf: input.keysOf }),
    ...given.map(column => lossOf({ ...asFound, model: declared.model }, column.name)),
  ]
  const drops = hasDataSteps && !keeps ? orphans.map(({ orphan }) => steps.dropColumn(owner, orphan.name)) : []
  const final = hasDataSteps && !keeps ? declared : shape

  const own = planManaged(stored, declared, why.length > 0)
  if (why.length > 0) {
    const current = { ...stored, columns: stored.columns.map(column => ({ ...column, name: nameNow(column) })) }
    // An expression knows the columns by their stored names, although some have others by now.
    const names = stored.columns.map(column => [nameNow(column), column.name] as const)
    const more = stored.columns.map(column => [nameNow(column), named.get(column.name) ?? column.name] as const)
    const how = rebuildTable({
      shape: { ...shape, indexes: declared.indexes.filter(index => kept.has(index.name)) },
      stored: current,
      values: [...matches.map(({ value }) => value), ...orphans.map(({ column }) => q(column.name))],
      rows: rowsOf(current, names, more),
    })
    return {
      first: own.drop,
      steps: [
        ...dropped,
        ...renamed,
        steps.rebuild(owner, how, why),
        ...(keeps ? letGo : []),
        ...created,
        ...own.create,
      ],
      late: drops,
      guards,
      shape: final,
    }
  }
  const added = matches.filter(({ from }) => from === null).map(({ column }) => steps.addColumn(owner, column))
  const gone = keeps || hasDataSteps ? [] : left.map(({ name }) => steps.dropColumn(owner, name))
  return {
    first: own.drop,
    steps: [...dropped, ...gone, ...renamed, ...(keeps ? letGo : []), ...added, ...created, ...own.create],
    late: drops,
    guards,
    shape: final,
  }
}

/** The values that one column will have, over what is stored. */
export function futureKeys(stored: TableShape, { matches }: Matching, column: string, now: number): ParentKeys | null {
  const match = matches.find(other => fold(other.column.name) === fold(column))
  if (!match) return null
  const { value, revalued } = valued(match, now)
  const renames = matches.flatMap(({ from, column: to }) => (from ? [[from.name, to.name] as const] : []))
  return { sql: `SELECT ${value} FROM ${rowsOf(stored, undefined, renames)} WHERE ${value} IS NOT NULL`, revalued }
}

/** An orphan whose name is declared again, for another column's values, gets another one. */
function moveAside(columns: readonly ColumnShape[], declared: TableShape) {
  const taken = new Set([...declared.columns, ...columns].map(({ name }) => fold(name)))
  const names = new Set(declared.columns.map(({ name }) => fold(name)))
  return columns.map(column => {
    let name = column.name
    for (let n = 1; names.has(fold(name)) || (name !== column.name && taken.has(fold(name))); n++) {
      name = `${column.name} (orphan ${n})`
    }
    taken.add(fold(name))
    return { column, name }
  })
}

function orphanOf({ type, date }: ColumnShape, name: string): ColumnShape {
  return {
    name,
    type,
    ...(date ? { date } : {}),
    orphan: true,
    notNull: false,
    primaryKey: false,
    autoIncrement: false,
    default: null,
    constantDefault: true,
    checks: [],
    references: null,
  }
}

/** Nothing has to be taken from it to make an orphan of it. */
const isPlain = ({ notNull, primaryKey, default: value, checks, references }: ColumnShape) =>
  !notNull && !primaryKey && value === null && checks.length === 0 && references === null

/** What DROP COLUMN refuses. */
const isBound = ({ name, primaryKey, references }: ColumnShape) =>
  primaryKey || references !== null || isRowidName(name)

/** The value of a declared column in each stored row. */
function valued(match: Match, now: number): ValuedMatch {
  const { column, field, from } = match
  const filled = (value: string) => {
    if (!column.notNull || column.default === null || (from?.notNull && value === q(from.name))) return value
    return `coalesce(${value}, ${column.default})`
  }
  const changed =
    !from ||
    from.type !== column.type ||
    from.date !== column.date ||
    from.notNull !== column.notNull ||
    fold(from.name) !== fold(column.name) ||
    !sameChecks(from.checks, column.checks)
  if (field.convertFrom !== undefined && changed) {
    return { ...match, value: filled(`(${withKnownNames(field.convertFrom)}\n)`), loses: null, revalued: true }
  }
  if (from) {
    const { value, loses } = conversion(from, column)
    const name = q(from.name)
    const result = filled(value(name))
    return { ...match, value: result, loses: loses?.(name) ?? null, revalued: result !== name }
  }
  const made = field.kind === 'createdAt' || field.kind === 'updatedAt' ? String(now) : null
  if (column.autoIncrement) return { ...match, value: ROWID, loses: null, revalued: true }
  const value = made ?? (column.default === null ? 'NULL' : column.default)
  return { ...match, value, loses: null, revalued: value !== 'NULL' }
}

/** What ALTER TABLE cannot do about this column. */
function whyRebuilt({ column, from, field, value, revalued }: ValuedMatch): string[] {
  const { name } = column
  if (!from) return isAddable(column, value, field.convertFrom) ? [] : [`${name} is new`]
  const why: string[] = []
  if (from.type !== column.type) why.push(`${name} is ${column.type}`)
  else if (revalued) why.push(`the values of ${name}`)
  if (from.notNull !== column.notNull) why.push(`${name} is ${column.notNull ? 'NOT NULL' : 'nullable'}`)
  if (from.primaryKey !== column.primaryKey || from.autoIncrement !== column.autoIncrement) why.push(`the key ${name}`)
  if (from.default !== column.default) why.push(`the default of ${name}`)
  if (!sameChecks(from.checks, column.checks)) why.push(`the checks of ${name}`)
  if (JSON.stringify(sorted(from.references)) !== JSON.stringify(sorted(column.references))) {
    why.push(`the reference of ${name}`)
  }
  return why
}

const sorted = (references: ColumnShape['references']) =>
  references && [references.table, references.column, references.onDelete, references.onUpdate]

/** ADD COLUMN takes only constants as defaults, and no default for a reference. */
function isAddable(column: ColumnShape, value: string, convertFrom: string | undefined): boolean {
  if (convertFrom !== undefined || column.primaryKey || isRowidName(column.name)) return false
  if (value !== 'NULL' && value !== column.default) return false
  if (column.default !== null && (!column.constantDefault || column.references)) return false
  return !(column.notNull && column.default === null)
}

function sameChecks(a: readonly { name: string; sql: string }[], b: readonly { name: string; sql: string }[]): boolean {
  const text = (checks: typeof a) =>
    checks
      .map(({ name, sql }) => `${name}\0${sql}`)
      .sort()
      .join('\n')
  return text(a) === text(b)
}
