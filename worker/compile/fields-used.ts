// Which models an operation looks at, and which of their fields it needs: for `autoMigrate: 'warn'`, where some may be
// missing.
import type { ModelDefinition } from '../../src/shared/definition.js'
import { MAX_DEPTH } from '../../src/shared/filter-errors.js'
import type { Condition } from '../../src/shared/filter.js'
import { isWrite, type WireOperation } from '../../src/shared/operation.js'
import { MAX_INCLUDE_DEPTH, type Include, type Relation } from '../../src/shared/relation.js'

/** Stands among the fields for the full-text index. */
export const SEARCH_INDEX = '$search'
/** Stands among the fields for the triggers of the audit trail. */
export const AUDIT_TRAIL = '$audit'

type OfModel = Exclude<WireOperation, { op: 'sql' }>

/** Told for each model that is looked at, with the fields that relations and conditions name. */
type Use = (model: string, fields: readonly string[]) => void

/** The operation's model first, then those that its relations lead to. */
export function modelsUsed(op: OfModel): Iterable<string> {
  if (!('where' in op && op.where) && !('include' in op && op.include)) return [op.model]
  const models = new Set([op.model])
  visit(op, model => models.add(model))
  return models
}

/** Of the operation's own model, or of one that its relations lead to. */
export function fieldsUsed(op: OfModel, model: ModelDefinition): ReadonlySet<string> {
  const hidden = [...(model.scope ?? []), ...(model.softDelete === undefined ? [] : [model.softDelete])]
  const used = new Set(hidden)
  visit(op, (name, fields) => {
    if (name === model.name) for (const field of fields) used.add(field)
  })
  if (op.model === model.name) for (const field of ownFields(op, model)) used.add(field)
  if (model.audit && op.model === model.name && isWrite(op.op)) used.add(AUDIT_TRAIL)
  return used
}

function ownFields(op: OfModel, model: ModelDefinition): readonly string[] {
  const all = model.fields.map(field => field.name)
  switch (op.op) {
    case 'delete':
    case 'bulkDelete':
      return [
        model.key,
        ...(model.softDelete !== undefined || ('version' in op && op.version !== null) ? keptOnUpdate(model) : []),
      ]
    case 'bulkRestore':
      return [model.key, ...keptOnUpdate(model)]
    case 'count':
    case 'purge':
    case 'bulkPurge':
      return [model.key]
    case 'bulkUpdate':
      return [model.key, ...op.set.map(assignment => assignment.field), ...keptOnUpdate(model)]
    case 'read':
      return [model.key, ...(op.select ?? all)]
    case 'aggregate':
      return [...(op.group ?? []), ...op.terms.flatMap(term => term.field ?? [])]
    case 'search':
      return [SEARCH_INDEX, model.key, ...(op.select ?? all)]
    case 'list':
      return [...(op.select ?? all), ...op.order.map(term => term.field)]
    default:
      // They answer with the whole row, or write it.
      return all
  }
}

/** What every update writes by itself. */
function keptOnUpdate(model: ModelDefinition): string[] {
  return model.fields.filter(({ kind }) => kind === 'updatedAt' || kind === 'version').map(field => field.name)
}

function visit(op: OfModel, use: Use): void {
  if ('where' in op && op.where) visitCondition(op.model, op.where, use)
  if ('include' in op && op.include) visitIncludes(op.model, op.include, use)
}

/** An operation may come from anywhere: what is missing, or nested deeper, is refused when it is compiled. */
function visitCondition(model: string, condition: Condition, use: Use, depth = 0): void {
  if (!condition || depth > MAX_DEPTH) return
  switch (condition.type) {
    case 'and':
    case 'or':
      for (const inner of condition.of) visitCondition(model, inner, use, depth + 1)
      return
    case 'not':
      return visitCondition(model, condition.of, use, depth + 1)
    case 'related':
      visitRelation(model, condition.relation, use)
      return visitCondition(condition.relation.model, condition.where, use, depth + 1)
    case 'always':
    case 'sql':
      return
    default:
      use(model, [condition.field])
  }
}

function visitIncludes(model: string, includes: readonly Include[], use: Use, depth = 0): void {
  if (depth > MAX_INCLUDE_DEPTH) return
  for (const { relation, select = [], where, order = [], include } of includes) {
    visitRelation(model, relation, use)
    use(relation.model, [...select, ...order.map(term => term.field)])
    if (where) visitCondition(relation.model, where, use)
    if (include) visitIncludes(relation.model, include, use, depth + 1)
  }
}

function visitRelation(model: string, { from, model: target, to, through }: Relation, use: Use): void {
  use(model, [from])
  use(target, [to])
  if (through) use(through.model, [through.from, through.to])
}
