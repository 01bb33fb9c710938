// SCHEMA_MISMATCH: what the database has and what was expected of it, in one error.
import { DataFlowError } from '../../src/shared/errors.js'
import type { SchemaDifference } from '../../src/shared/protocol.js'
import { withFieldName, type DeclaredModel } from './declared.js'
import { verifyExisting } from './drift.js'
import { introspect, type Query } from './introspect.js'
import { compareManaged, managed, planManaged, type Managed } from './managed.js'
import type { SchemaPlan } from './planner.js'
import type { TableShape } from './shape.js'

/** `existingSchema`: differences of tables that others made; a table that is missing is one. */
export function verifyModels(models: readonly DeclaredModel[], query: Query): SchemaDifference[] {
  return models.flatMap(model => {
    const { shape } = model
    const found = introspect(query, shape)
    return found
      ? [...verifyExisting(found.shape, shape), ...lackingManaged(found.shape, shape)].map(difference =>
          withFieldName(difference, model),
        )
      : [{ model: shape.model, message: `has no table "${shape.table}"` }]
  })
}

const lackingManaged = (found: TableShape, shape: TableShape): SchemaDifference[] =>
  compareManaged(onlyNamed(found, shape), shape).map(message => ({ model: shape.model, message }))

/** Other builds' triggers are nobody's concern where the tables are somebody else's. */
function onlyNamed({ triggers = [], search }: TableShape, shape: TableShape): Managed {
  return managed(
    triggers.filter(({ name }) => shape.triggers?.some(wanted => wanted.name === name)),
    search,
  )
}

/** The statements that make the triggers and indexes that models need of tables that are there. */
export function missingOf(models: readonly DeclaredModel[], query: Query): string[] {
  return models.flatMap(({ shape }) => {
    const found = introspect(query, shape)
    if (!found) return []
    const { drop, create } = planManaged(onlyNamed(found.shape, shape), shape)
    return [...drop, ...create].flatMap(({ sql }) => sql)
  })
}

/** One error for all differences of a plan. */
export function mismatch(plan: Pick<SchemaPlan, 'differences' | 'steps'>, hint: string, repair = ''): DataFlowError {
  const { differences } = plan
  const issues = [
    ...differences.map(({ model, field, message }) => ({
      path: field === undefined ? [model] : [model, field],
      message,
    })),
    ...plan.steps.map(({ model, description }) => ({ path: [model], message: `needs: ${description}` })),
  ]
  const models = new Set(issues.map(issue => issue.path[0]!))
  const fields = [...new Set(differences.flatMap(({ field }) => field ?? []))]
  const text = issues.map(({ path, message }) => `${path.join('.')} ${message}`).join('; ')
  const sql = repair || plan.steps.flatMap(step => step.sql).join(';\n')
  return new DataFlowError('SCHEMA_MISMATCH', `The database has another schema: ${text}.`, {
    ...(models.size === 1 ? { model: [...models][0]! } : {}),
    ...(fields.length > 0 ? { fields } : {}),
    issues,
    ...(sql ? { sql } : {}),
    hint,
  })
}
