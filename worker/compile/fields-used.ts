// Which fields an operation needs of its table: for `autoMigrate: 'warn'`, where some may be missing.
import type { ModelDefinition } from '../../src/shared/definition.js'
import type { Condition } from '../../src/shared/filter.js'
import type { WireOperation } from '../../src/shared/operation.js'

/** Stands among the fields for the full-text index. */
export const SEARCH_INDEX = '$search'

export function fieldsUsed(op: Exclude<WireOperation, { op: 'sql' }>, model: ModelDefinition): ReadonlySet<string> {
  const all = model.fields.map(field => field.name)
  const where = [
    ...('where' in op && op.where ? fieldsOfCondition(op.where) : []),
    ...(model.scope ?? []),
    ...(model.softDelete === undefined ? [] : [model.softDelete]),
  ]
  switch (op.op) {
    case 'delete':
    case 'bulkDelete':
      return new Set([
        model.key,
        ...where,
        ...(model.softDelete !== undefined || ('version' in op && op.version !== null) ? keptOnUpdate(model) : []),
      ])
    case 'bulkRestore':
      return new Set([model.key, ...where, ...keptOnUpdate(model)])
    case 'count':
    case 'purge':
    case 'bulkPurge':
      return new Set([model.key, ...where])
    case 'bulkUpdate':
      return new Set([model.key, ...where, ...op.set.map(assignment => assignment.field), ...keptOnUpdate(model)])
    case 'read':
      return new Set([model.key, ...(op.select ?? all), ...where])
    case 'aggregate':
      return new Set([...(op.group ?? []), ...op.terms.flatMap(term => term.field ?? []), ...where])
    case 'search':
      return new Set([SEARCH_INDEX, model.key, ...(op.select ?? all), ...where])
    case 'list':
      return new Set([...(op.select ?? all), ...where, ...op.order.map(term => term.field)])
    default:
      // They answer with the whole row, or write it.
      return new Set(all)
  }
}

/** What every update writes by itself. */
function keptOnUpdate(model: ModelDefinition): string[] {
  return model.fields.filter(({ kind }) => kind === 'updatedAt' || kind === 'version').map(field => field.name)
}

function fieldsOfCondition(condition: Condition): string[] {
  switch (condition.type) {
    case 'and':
    case 'or':
      return condition.of.flatMap(fieldsOfCondition)
    case 'not':
      return fieldsOfCondition(condition.of)
    case 'always':
    case 'sql':
      return []
    default:
      return [condition.field]
  }
}
