// A database that a newer build of the app has changed, and what an older one may still do with it.
import { DataFlowError } from '../../src/shared/errors.js'
import type { MigrationConfig } from '../../src/shared/protocol.js'
import { SEARCH_INDEX } from '../compile/fields-used.js'
import type { DeclaredModel } from './declared.js'
import type { BuildHistory } from './ledger.js'
import type { Registry } from './registry.js'
import type { ColumnShape, TableShape } from './shape.js'

export interface Standing {
  readonly kind: 'readonly' | 'compatible'
  /** By model, the columns that this build can use; a model that is not here it cannot use. */
  readonly usable: ReadonlyMap<string, ReadonlySet<string>>
}

/** Which of two builds is the newer one (semantics 8). */
export function isNewer(history: BuildHistory, checksum: string, version: number | null): boolean {
  if (version === null) return history.earlier.has(checksum)
  return history.appVersion !== null && history.appVersion > version
}

export function newerBuild(model?: string): DataFlowError {
  return new DataFlowError('SCHEMA_NEWER', 'A newer build of the app has changed the schema of this database.', {
    ...(model === undefined ? {} : { model }),
    hint: 'load the newer build; to go back to this one on purpose, give dataflow() a higher `version`.',
  })
}

/** Throws SCHEMA_NEWER where `onNewer` does not let this build go on. */
export function standing(
  onNewer: MigrationConfig['onNewer'],
  registry: Registry,
  models: ReadonlyMap<string, DeclaredModel>,
): Standing {
  if (onNewer === 'error') throw newerBuild()
  const usable = new Map<string, ReadonlySet<string>>()
  for (const { shape } of models.values()) {
    const row = registry.rows?.get(shape.model)
    if (!row || row.status !== 'active' || row.shape.table !== shape.table) continue
    if (onNewer === 'compatible' && !onlyAdds(row.shape, shape)) throw newerBuild(shape.model)
    const stored = new Map(row.shape.columns.map(column => [column.name, column]))
    const readable = shape.columns.filter(column => isReadable(stored.get(column.name), column))
    const names = readable.map(({ name }) => name)
    if (row.shape.search?.sql === shape.search?.sql) names.push(SEARCH_INDEX)
    usable.set(shape.model, new Set(names))
  }
  return { kind: onNewer, usable }
}

const isReadable = (stored: ColumnShape | undefined, declared: ColumnShape) =>
  stored !== undefined && !stored.orphan && stored.type === declared.type && stored.date === declared.date

/** What the newer build has more, this one can leave out: its own columns and rules are as they were. */
function onlyAdds(stored: TableShape, declared: TableShape): boolean {
  const columns = new Map(stored.columns.map(column => [column.name, column]))
  for (const column of declared.columns) {
    const now = columns.get(column.name)
    columns.delete(column.name)
    if (!now || JSON.stringify(now) !== JSON.stringify(column)) return false
  }
  if ([...columns.values()].some(column => column.notNull && column.default === null)) return false
  const checks = new Set(declared.checks.map(({ sql }) => sql))
  const own = new Set(declared.columns.map(({ name }) => name))
  const uniques = new Set(declared.indexes.filter(index => index.unique).map(({ name }) => name))
  return (
    stored.checks.every(({ sql }) => checks.has(sql)) &&
    stored.indexes.every(
      index => !index.unique || uniques.has(index.name) || !index.columns.every(name => own.has(name)),
    )
  )
}
