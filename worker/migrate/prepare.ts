// Everything that is known of a migration before it runs: the plan, what existing rows say to it, what it will record.
import { DataFlowError } from '../../src/shared/errors.js'
import type { MigrationConfig, MigrationObstacle, MigrationStep } from '../../src/shared/protocol.js'
import { SqliteError, type Sqlite } from '../seams.js'
import type { Guard } from './guards.js'
import type { SchemaPlan } from './planner.js'
import type { Registration } from './registry.js'
import type { PlannedStep } from './step.js'

export interface Prepared {
  readonly plan: SchemaPlan
  readonly dataSteps: readonly PlannedStep[]
  readonly registration: Registration
  readonly obstacles: readonly MigrationObstacle[]
  /** Rows are given up: a copy of the database is kept first. */
  readonly destructive: boolean
  readonly foreignKeysOff: boolean
  /** Names of indexes that are the library's: rebuilds make them again by themselves. */
  readonly ownIndexes: readonly string[]
  readonly schemaChecksum: string
  readonly appVersion: number | null
  /** Epoch ms. */
  readonly now: number
}

/** Guards that count no row say nothing. */
export function obstaclesOf(db: Sqlite, guards: readonly Guard[]): MigrationObstacle[] {
  return guards.flatMap(({ model, fields, sql, what, hint, loss }) => {
    let rows = 0
    db.each(sql, [], row => (rows = Number(row.value(0))))
    if (rows === 0) return []
    const message = `${what} (${rows} ${rows === 1 ? 'row' : 'rows'})`
    return [{ model, fields, rows, message, hint, loss }]
  })
}

/** Throws MIGRATION_DESTRUCTIVE when existing rows would lose something that nobody has allowed, or break a rule. */
export function assertAllowed(
  obstacles: readonly MigrationObstacle[],
  onDestructive: MigrationConfig['onDestructive'],
): void {
  const refused = obstacles.filter(({ loss }) => !loss || onDestructive !== 'apply')
  if (refused.length === 0) return
  const models = [...new Set(refused.map(({ model }) => model))]
  const fields = [...new Set(refused.flatMap(({ fields }) => fields))]
  const text = refused
    .map(({ model, fields, message }) => `${[model, fields.join(', ')].filter(Boolean).join('.')} ${message}`)
    .join('; ')
  throw new DataFlowError('MIGRATION_DESTRUCTIVE', `The migration would lose or break what is there: ${text}.`, {
    ...(models.length === 1 ? { model: models[0]! } : {}),
    ...(fields.length > 0 ? { fields } : {}),
    issues: refused.flatMap(({ model, fields, message }) =>
      (fields.length > 0 ? fields : [null]).map(field => ({
        path: field === null ? [model] : [model, field],
        message,
      })),
    ),
    hint: [...new Set(refused.map(({ hint }) => hint))].join(' '),
  })
}

/** A guard that cannot be asked: an expression of the app that SQLite refuses. */
export function isBadExpression(error: unknown): error is SqliteError {
  return error instanceof SqliteError && !error.fatal
}

export function publicStep({ kind, model, description, sql, destructive }: PlannedStep): MigrationStep {
  return { kind, model, description, sql, destructive }
}

const LOSING: ReadonlySet<string> = new Set(['dropTable', 'dropColumn', 'rebuildTable'])

/** Steps on models whose rows would lose something are marked. */
export function marked(steps: readonly PlannedStep[], obstacles: readonly MigrationObstacle[]): PlannedStep[] {
  const losing = new Set(obstacles.filter(({ loss }) => loss).map(({ model }) => model))
  return steps.map(step => (losing.has(step.model) && LOSING.has(step.kind) ? { ...step, destructive: true } : step))
}
