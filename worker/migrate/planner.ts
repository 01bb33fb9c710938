// Plans over several models: from what the registry and the database say to what is declared.
import type { ModelDefinition } from '../../src/shared/definition.js'
import { DataFlowError } from '../../src/shared/errors.js'
import type { SchemaDifference } from '../../src/shared/protocol.js'
import { hasTable, introspect, type IntrospectedTable, type Query } from './introspect.js'
import type { BuildHistory, Registry } from './ledger.js'
import { planNewTable, planTable, verifyExisting, type PlannedStep } from './plan.js'
import { checksumOf, contentChecksum, shapeOf, type TableShape } from './shape.js'

/** A model with its shape, hashed once per worker. */
export interface DeclaredModel {
  readonly definition: ModelDefinition
  readonly shape: TableShape
  readonly checksum: string
}

export interface Plan {
  readonly steps: readonly PlannedStep[]
  readonly differences: readonly SchemaDifference[]
  /** Models that the plan brings to, or found at, their declared shape. */
  readonly models: readonly DeclaredModel[]
}

export function declare(definitions: readonly ModelDefinition[]): ReadonlyMap<string, DeclaredModel> {
  return new Map(
    definitions.map(definition => {
      const shape = shapeOf(definition)
      return [definition.name, { definition, shape, checksum: checksumOf(shape) }]
    }),
  )
}

/** The checksum of a build: all its models. */
export function schemaChecksum(models: Iterable<DeclaredModel>): string {
  return contentChecksum([...models].map(({ shape, checksum }) => [shape.model, checksum]).sort())
}

/**
 * Stored models that are not what is declared (semantics 1): what an open has to migrate. One that is gone, and whose
 * table was dropped by hand, is no difference.
 */
export function changedModels(registry: Registry, declared: ReadonlyMap<string, DeclaredModel>, query: Query) {
  const rows = [...(registry.rows?.values() ?? [])]
  const changed = rows.flatMap(row => {
    const model = declared.get(row.model)
    return model && model.checksum !== row.checksum ? [model] : []
  })
  const gone: SchemaDifference[] = rows
    .filter(row => !declared.has(row.model) && hasTable(query, row.shape.table))
    .map(row => ({ model: row.model, message: `is in the database (table "${row.shape.table}"), but not declared` }))
  return { changed, gone }
}

/**
 * How to bring these models to their declared shape. The stored definition is trusted while the schema has not moved;
 * otherwise, and with `look`, the database itself is asked.
 */
export function planModels(models: readonly DeclaredModel[], registry: Registry, query: Query, look: boolean): Plan {
  const steps: PlannedStep[] = []
  const differences: SchemaDifference[] = []
  for (const model of models) {
    const row = registry.rows?.get(model.shape.model)
    const trusted = row !== undefined && !look && row.schemaVersion === registry.schemaVersion
    const plan = trusted ? planTable(row.shape, model.shape) : planFromDatabase(introspect(query, model.shape), model)
    steps.push(...plan.steps)
    differences.push(...plan.differences.map(difference => withFieldName(difference, model)))
    const { table } = model.shape
    // The rows are still there: an empty table under the new name would leave them behind.
    if (!trusted && row && row.shape.table !== table && hasTable(query, row.shape.table)) {
      differences.push({ model: row.model, message: `is stored in table "${row.shape.table}", not in "${table}"` })
    }
  }
  return { steps, differences, models }
}

function planFromDatabase(found: IntrospectedTable | null, { shape }: DeclaredModel) {
  if (!found) return planNewTable(shape)
  const plan = planTable(found.shape, shape)
  if (found.strict) return plan
  return {
    ...plan,
    differences: [...plan.differences, { model: shape.model, message: `is stored in a table that is not STRICT` }],
  }
}

/** Shapes know columns; an app knows its fields. */
function withFieldName(difference: SchemaDifference, { definition }: DeclaredModel): SchemaDifference {
  const field = definition.fields.find(({ column }) => column === difference.field)?.name
  return field === undefined ? difference : { ...difference, field }
}

/** `existingSchema`: differences of tables that others made; a table that is missing is one. */
export function verifyModels(models: readonly DeclaredModel[], query: Query): SchemaDifference[] {
  return models.flatMap(model => {
    const { shape } = model
    const found = introspect(query, shape)
    return found
      ? verifyExisting(found.shape, shape).map(difference => withFieldName(difference, model))
      : [{ model: shape.model, message: `has no table "${shape.table}"` }]
  })
}

/** Throws SCHEMA_NEWER when a newer build wrote here (semantics 8). */
export function refuseNewer(history: BuildHistory, checksum: string, version: number | null): void {
  const older =
    version === null ? history.earlier.has(checksum) : history.appVersion !== null && history.appVersion > version
  if (!older) return
  throw new DataFlowError('SCHEMA_NEWER', 'A newer build of the app has changed the schema of this database.', {
    hint: 'load the newer build; to go back to this one on purpose, give dataflow() a higher `version`.',
  })
}

/** One error for all differences of a plan. */
export function mismatch(plan: Pick<Plan, 'differences' | 'steps'>, hint: string): DataFlowError {
  const { differences, steps } = plan
  const issues = [
    ...differences.map(({ model, field, message }) => ({
      path: field === undefined ? [model] : [model, field],
      message,
    })),
    ...steps.map(({ model, description }) => ({ path: [model], message: `needs: ${description}` })),
  ]
  const models = new Set(issues.map(issue => issue.path[0]!))
  const fields = [...new Set(differences.flatMap(({ field }) => field ?? []))]
  const text = issues.map(({ path, message }) => `${path.join('.')} ${message}`).join('; ')
  return new DataFlowError('SCHEMA_MISMATCH', `The database has another schema: ${text}.`, {
    ...(models.size === 1 ? { model: [...models][0]! } : {}),
    ...(fields.length > 0 ? { fields } : {}),
    issues,
    ...(steps.length > 0 ? { sql: steps.flatMap(step => step.sql).join(';\n') } : {}),
    hint,
  })
}
