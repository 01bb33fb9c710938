// One step of a migration, as it is planned, run, told and kept in the ledger.
import type { MigrationStep } from '../../src/shared/protocol.js'
import { quoteIdentifier } from '../../src/shared/sql.js'
import {
  addColumnSql,
  createIndexSql,
  createTableSql,
  dropColumnSql,
  dropIndexSql,
  dropTableSql,
  dropTriggerSql,
  renameColumnSql,
  renameTableSql,
} from './ddl.js'
import type { Rebuild } from './rebuild.js'
import type { ColumnShape, IndexShape, SearchShape, TableShape, TriggerShape } from './shape.js'

export interface PlannedStep extends MigrationStep {
  readonly table: string
  /** What takes it back; null where nothing does. */
  readonly down: readonly string[] | null
  /** The copy of the rows, which is done in pieces. */
  readonly rebuild?: Rebuild
  /** A data step: its id. Without SQL it runs on the page. */
  readonly data?: string
}

type Owner = Pick<TableShape, 'model' | 'table'>

function step(
  kind: MigrationStep['kind'],
  { model, table }: Owner,
  description: string,
  sql: readonly string[],
  down: readonly string[] | null,
): PlannedStep {
  return { kind, model, table, description, sql, down, destructive: false }
}

export function createTable(shape: TableShape): PlannedStep[] {
  const sql = createTableSql(shape, shape.table)
  const create = step('createTable', shape, `create table ${shape.table}`, [sql], [dropTableSql(shape.table)])
  return [create, ...shape.indexes.map(index => createIndex(shape, index))]
}

export function createTrigger(owner: Owner, { name, sql }: TriggerShape): PlannedStep {
  return step('createTrigger', owner, `create trigger ${name}`, [sql], [dropTriggerSql(name)])
}

export function dropTrigger(owner: Owner, { name, sql }: TriggerShape): PlannedStep {
  return step('dropTrigger', owner, `drop trigger ${name}`, [dropTriggerSql(name)], [sql])
}

/** `fill`: reads the rows that are there. */
export function createSearch(owner: Owner, { name, sql }: SearchShape, fill: string): PlannedStep {
  return step('createSearch', owner, `create search index ${name}`, [sql, fill], [dropTableSql(name)])
}

/** It may be gone already: it does not go with its table, nor stay with it. */

export function dropSearch(owner: Owner, { name, sql }: SearchShape, fill: string): PlannedStep {
  const drop = `DROP TABLE IF EXISTS ${quoteIdentifier(name)}`
  return step('dropSearch', owner, `drop search index ${name}`, [drop], [sql, fill])
}

export function dropTable(shape: TableShape): PlannedStep {
  return step('dropTable', shape, `drop table ${shape.table}`, [dropTableSql(shape.table)], null)
}

export function renameTable(owner: Owner, from: string): PlannedStep {
  const down = [renameTableSql(owner.table, from)]
  return step('renameTable', owner, `rename table ${from} to ${owner.table}`, [renameTableSql(from, owner.table)], down)
}

export function addColumn(owner: Owner, column: ColumnShape): PlannedStep {
  const sql = [addColumnSql(owner.table, column)]
  const text = `add column ${column.name} to ${owner.table}`
  return step('addColumn', owner, text, sql, [dropColumnSql(owner.table, column.name)])
}

export function renameColumn(owner: Owner, from: string, to: string): PlannedStep {
  const text = `rename column ${from} of ${owner.table} to ${to}`
  return step(
    'renameColumn',
    owner,
    text,
    [renameColumnSql(owner.table, from, to)],
    [renameColumnSql(owner.table, to, from)],
  )
}

export function dropColumn(owner: Owner, column: string): PlannedStep {
  return step(
    'dropColumn',
    owner,
    `drop column ${column} of ${owner.table}`,
    [dropColumnSql(owner.table, column)],
    null,
  )
}

/** Nothing is done to it: it is only no longer declared. */
export function keepOrphan(owner: Owner, column: string | null): PlannedStep {
  const what = column === null ? `table ${owner.table}` : `column ${column} of ${owner.table}`
  return step('keepOrphan', owner, `keep ${what}, no longer declared`, [], null)
}

export function rebuild(owner: Owner, how: Rebuild, why: readonly string[]): PlannedStep {
  const sql = [...how.create, how.copy, ...how.replace]
  return { ...step('rebuildTable', owner, `rebuild table ${owner.table}: ${why.join(', ')}`, sql, null), rebuild: how }
}

export function createIndex(shape: Owner, index: IndexShape): PlannedStep {
  const sql = [createIndexSql(shape.table, index)]
  return step('createIndex', shape, `create index ${index.name}`, sql, [dropIndexSql(index.name)])
}

export function dropIndex(shape: Owner, index: IndexShape): PlannedStep {
  const down = [createIndexSql(shape.table, index)]
  return step('dropIndex', shape, `drop index ${index.name}`, [dropIndexSql(index.name)], down)
}

export function dataStep(id: string, sql: string | null): PlannedStep {
  const owner = { model: '', table: '' }
  return { ...step('data', owner, `data step ${id}`, sql === null ? [] : [sql], null), data: id }
}
