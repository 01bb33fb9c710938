// The plan of a whole schema: from what the registry and the database say to what is declared.
import type { SchemaDifference } from '../../src/shared/protocol.js'
import { quoteIdentifier } from '../../src/shared/sql.js'
import { withFieldName, type DeclaredModel } from './declared.js'
import { driftOf } from './drift.js'
import { lossOf, sameIndex, type Guard, type ParentKeys } from './guards.js'
import { hasTable, introspect, type Query } from './introspect.js'
import { managed, managedOf, planManaged, unmanaged } from './managed.js'
import { fold, isAlterable, matchColumns, type Matching } from './match.js'
import { rebuildTable, rowsOf } from './rebuild.js'
import type { Registration, Registry, RegistryRow } from './registry.js'
import type { TableShape } from './shape.js'
import * as steps from './step.js'
import type { PlannedStep } from './step.js'
import { futureKeys, planTable, type OnDestructive } from './table-plan.js'

export interface SchemaPlan {
  readonly steps: readonly PlannedStep[]
  /** After the data steps. */
  readonly late: readonly PlannedStep[]
  readonly guards: readonly Guard[]
  /** What nobody but the one who did it can answer for: a schema changed by raw SQL. */
  readonly differences: readonly SchemaDifference[]
  readonly registration: Omit<Registration, 'dataSteps' | 'fingerprint'>
}

export interface PlanOptions {
  readonly onDestructive: OnDestructive
  readonly hasDataSteps: boolean
  /** Epoch ms. */
  readonly now: number
}

/** A stored table and what is declared for it now. */
interface Pair {
  readonly row: RegistryRow
  readonly model: DeclaredModel
}

export interface Changes {
  readonly pairs: readonly Pair[]
  /** No longer declared. */
  readonly gone: readonly RegistryRow[]
}

/** Stored models that are not what is declared (semantics 1): what an open has to migrate. */
export function changesSince(registry: Registry, declared: ReadonlyMap<string, DeclaredModel>): Changes {
  const rows = registry.rows ?? new Map<string, RegistryRow>()
  const taken = new Set<RegistryRow>()
  const pairs: Pair[] = []
  for (const model of declared.values()) {
    const former = model.definition.renamedFrom?.find(name => rows.has(name) && !declared.has(name))
    const row = rows.get(model.definition.name) ?? (former === undefined ? undefined : rows.get(former))
    if (!row || taken.has(row)) continue
    taken.add(row)
    const same = row.model === model.definition.name && row.status === 'active' && row.checksum === model.checksum
    if (!same) pairs.push({ row, model })
  }
  return { pairs, gone: [...rows.values()].filter(row => row.status === 'active' && !taken.has(row)) }
}

/** The plan of these changes, and of the tables that `wanted` names and the database lacks. */
export function planSchema(
  changes: Changes,
  wanted: readonly DeclaredModel[],
  registry: Registry,
  query: Query,
  options: PlanOptions,
): SchemaPlan {
  const plan = new Plan(registry, query, options)
  const others = wanted.filter(model => !changes.pairs.some(pair => pair.model === model))
  plan.makeRoom(changes, others)
  plan.change(changes)
  plan.provide(others)
  return plan
}

class Plan implements SchemaPlan {
  readonly steps: PlannedStep[] = []
  readonly late: PlannedStep[] = []
  readonly guards: Guard[] = []
  readonly differences: SchemaDifference[] = []
  readonly registration = {
    registered: [] as Registration['registered'][number][],
    removed: [] as string[],
  }
  readonly #registry: Registry
  readonly #query: Query
  readonly #options: PlanOptions
  /** Removed models whose table's name another one has now. */
  readonly #inTheWay = new Set<RegistryRow>()

  constructor(registry: Registry, query: Query, options: PlanOptions) {
    this.#registry = registry
    this.#query = query
    this.#options = options
  }

  /** The table of a removed model, where another model's is to be: it goes first, if it may. */
  makeRoom({ pairs, gone }: Changes, others: readonly DeclaredModel[]): void {
    const sources = new Map(pairs.map(({ row, model }) => [model, row]))
    for (const model of [...sources.keys(), ...others]) {
      const { shape } = model
      const own = sources.get(model) ?? this.#registry.rows?.get(shape.model)
      const owner = own && fold(own.shape.table) === fold(shape.table) ? undefined : this.#ownerOf(shape.table)
      // The table of a model that is declared moves away by itself.
      if (!owner || !(owner.status === 'orphan' || gone.includes(owner)) || [...sources.values()].includes(owner))
        continue
      this.#inTheWay.add(owner)
      if (gone.includes(owner) && this.#options.onDestructive !== 'keep') continue
      if (!hasTable(this.#query, shape.table)) continue
      const { hint, ...guard } = lossOf(owner.shape, null)
      const more = `declare renamedFrom: '${owner.model}', or another table; ${hint}`
      this.guards.push({ ...guard, model: shape.model, hint: more })
      this.steps.push(...dropTable(owner.shape))
      this.registration.removed.push(owner.model)
    }
  }

  change({ pairs, gone }: Changes): void {
    const present = pairs.flatMap(({ row, model }) => {
      const stored = this.#asStored(row, model)
      if (stored) return [{ row, model, stored, matching: matchColumns(stored, model.definition, model.shape) }]
      this.#create(model)
      return []
    })
    const { onDestructive, hasDataSteps } = this.#options
    const goesFirst = (row: RegistryRow) => onDestructive !== 'keep' && (!hasDataSteps || this.#inTheWay.has(row))
    for (const row of gone) if (goesFirst(row)) this.#letGo(row)
    const renamed = renamesOf(present)
    const plans = present.map(({ model: { shape }, stored, matching }) => {
      const current = underNewNames(stored, shape, renamed)
      return planTable({
        ...this.#options,
        stored: current,
        tableNow: stored.table,
        declared: shape,
        matching: rematched(matching, stored, current),
        keysOf: (table, column) => this.#keysOf(present, table, column),
      })
    })
    for (const { first } of plans) this.steps.push(...first)
    this.#renameTables(present.map(({ stored, model }) => ({ from: stored.table, to: model.shape })))
    for (const row of gone) if (!goesFirst(row) && !this.#inTheWay.has(row)) this.#letGo(row)
    plans.forEach((plan, i) => {
      const { row, model } = present[i]!
      const { shape, checksum } = model
      this.steps.push(...plan.steps)
      this.late.push(...plan.late)
      this.guards.push(...plan.guards)
      this.registration.registered.push({
        shape: plan.shape,
        checksum,
        status: 'active',
        ...(row.model === shape.model ? {} : { formerly: row.model }),
      })
    })
  }

  /** Tables of models that are as they were, or were never there: looked at, and made if they are missing. */
  provide(models: readonly DeclaredModel[]): void {
    for (const model of models) {
      const { shape, checksum } = model
      const row = this.#registry.rows?.get(shape.model)
      const expected = row?.shape ?? shape
      // Another model's table is renamed or dropped before.
      const found = !row && this.#ownerOf(shape.table) ? null : introspect(this.#query, expected)
      if (!found) {
        this.#create(model)
        continue
      }
      const own = row ? null : planManaged(found.shape, shape)
      // A table that nobody has registered gets what is kept on it, as it gets its indexes.
      const differences = driftOf(own ? { ...found.shape, ...managedOf(model.definition) } : found.shape, expected)
      if (own) this.steps.push(...own.drop, ...own.create)
      if (!found.strict) differences.push({ model: shape.model, message: 'is stored in a table that is not STRICT' })
      this.differences.push(...differences.map(difference => withFieldName(difference, model)))
      this.#mendIndexes(found.shape, shape)
      this.registration.registered.push({ shape: expected, checksum, status: 'active' })
    }
  }

  #create({ shape, checksum }: DeclaredModel): void {
    // A table that somebody dropped has left its index behind.
    const left = shape.search && hasTable(this.#query, shape.search.name) ? { search: shape.search } : {}
    this.steps.push(...planManaged(left, unmanaged(shape)).drop)
    this.steps.push(...steps.createTable(shape), ...planManaged({}, shape).create)
    this.registration.registered.push({ shape, checksum, status: 'active' })
  }

  /** The stored model whose table has this name. */
  #ownerOf(table: string): RegistryRow | undefined {
    return [...(this.#registry.rows?.values() ?? [])].find(row => fold(row.shape.table) === fold(table))
  }

  #mendIndexes(actual: TableShape, expected: TableShape): void {
    const found = new Map(actual.indexes.map(index => [index.name, index]))
    for (const index of expected.indexes) {
      const is = found.get(index.name)
      found.delete(index.name)
      if (is && sameIndex(is, index)) continue
      if (is) this.steps.push(steps.dropIndex(expected, is))
      this.steps.push(steps.createIndex(expected, index))
    }
    // An index under another kind of name was made by the app's own SQL: it stays.
    for (const index of found.values())
      if (/^[iu]x:/.test(index.name)) this.steps.push(steps.dropIndex(expected, index))
  }

  /** The stored shape; null when its table is no more. Trusted while the schema has not moved, else looked at. */
  #asStored(row: RegistryRow, model: DeclaredModel | null): TableShape | null {
    if (row.schemaVersion === this.#registry.schemaVersion) return row.shape
    const found = introspect(this.#query, row.shape)
    if (!found) {
      if (model && fold(model.shape.table) !== fold(row.shape.table) && hasTable(this.#query, model.shape.table)) {
        // Moved by hand to where it is declared.
        return introspect(this.#query, { ...row.shape, table: model.shape.table })!.shape
      }
      return null
    }
    const differences = driftOf(found.shape, row.shape)
    if (!found.strict) differences.push({ model: row.model, message: 'is stored in a table that is not STRICT' })
    this.differences.push(...differences)
    return { ...row.shape, indexes: found.shape.indexes.filter(({ name }) => /^[iu]x:/.test(name)) }
  }

  /** A removed model: its table stays, without its references, or goes. */
  #letGo(row: RegistryRow): void {
    const stored = this.#asStored(row, null)
    if (!stored) return void this.registration.removed.push(row.model)
    if (this.#options.onDestructive !== 'keep') {
      this.guards.push(lossOf(stored, null))
      const drop = dropTable(stored)
      if (this.#options.hasDataSteps && !this.#inTheWay.has(row)) this.late.push(...drop)
      else this.steps.push(...drop)
      this.registration.removed.push(row.model)
      return
    }
    const bare = unmanaged(stored)
    this.steps.push(...planManaged(stored, bare).drop)
    const shape = { ...bare, columns: stored.columns.map(column => ({ ...column, references: null })) }
    if (stored.columns.some(({ references }) => references)) {
      const values = shape.columns.map(({ name }) => `"${name.replaceAll('"', '""')}"`)
      const how = rebuildTable({ shape, stored, values, rows: rowsOf(stored) })
      this.steps.push(steps.rebuild(stored, how, ['its references are let go']))
    }
    this.steps.push(steps.keepOrphan(stored, null))
    this.registration.registered.push({ shape, checksum: row.checksum, status: 'orphan' })
  }

  /** The keys that a table will have; null when there is no such table. */
  #keysOf(present: readonly Present[], table: string, column: string): ParentKeys | null {
    const changed = present.find(({ model }) => fold(model.shape.table) === fold(table))
    if (changed) return futureKeys(changed.stored, changed.matching, column, this.#options.now)
    if (!hasTable(this.#query, table)) return null
    const [of, name] = [table, column].map(quoteIdentifier)
    return { sql: `SELECT ${name} FROM ${of} WHERE ${name} IS NOT NULL`, revalued: false }
  }

  /** A table whose new name another one still has goes by way of a third name, and is the last to arrive. */
  #renameTables(moves: readonly { readonly from: string; readonly to: TableShape }[]): void {
    const due = moves.filter(({ from, to }) => from !== to.table)
    const taken = new Set(due.map(({ from }) => fold(from)))
    const waiting = due.filter(({ to }) => taken.has(fold(to.table)))
    const aside = (i: number) => `dataflow_moved_${i + 1}`
    waiting.forEach(({ from, to }, i) => this.steps.push(steps.renameTable({ model: to.model, table: aside(i) }, from)))
    for (const { from, to } of due) if (!taken.has(fold(to.table))) this.steps.push(steps.renameTable(to, from))
    waiting.forEach(({ to }, i) => this.steps.push(steps.renameTable(to, aside(i))))
  }
}

/** With the index that the table does not take along; its triggers go with it. */
const dropTable = (shape: TableShape): PlannedStep[] => [
  ...planManaged(managed([], shape.search), unmanaged(shape)).drop,
  steps.dropTable(shape),
]

interface Present {
  readonly stored: TableShape
  readonly model: DeclaredModel
  readonly matching: Matching
}

/** By old table: its new name, and the new names of its columns. SQLite carries them into references by itself. */
function renamesOf(present: readonly Present[]) {
  return new Map(
    present.map(({ stored, model, matching }) => [
      fold(stored.table),
      {
        table: model.shape.table,
        columns: new Map(
          matching.matches.flatMap(({ from, column }) =>
            from && isAlterable(from.name, column.name) ? [[fold(from.name), column.name]] : [],
          ),
        ),
      },
    ]),
  )
}

function underNewNames(
  stored: TableShape,
  { model, table }: TableShape,
  renamed: ReturnType<typeof renamesOf>,
): TableShape {
  const columns = stored.columns.map(column => {
    const { references } = column
    const to = references && renamed.get(fold(references.table))
    if (!to) return column
    const name = to.columns.get(fold(references.column)) ?? references.column
    return { ...column, references: { ...references, table: to.table, column: name } }
  })
  return { ...stored, model, table, columns }
}

function rematched({ matches, left }: Matching, stored: TableShape, current: TableShape): Matching {
  const now = new Map(stored.columns.map((column, i) => [column, current.columns[i]!]))
  return {
    matches: matches.map(match => ({ ...match, from: match.from && now.get(match.from)! })),
    left: left.map(column => now.get(column)!),
  }
}
