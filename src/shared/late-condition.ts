// Conditions whose values are references of a workflow: parsed when the values are known.
import { fieldOf, type FieldDefinition, type ModelDefinition } from './definition.js'
import { join, negate, parseWhere, related, type Condition } from './filter.js'
import { isWireReference, type WireReference } from './workflow.js'

/** Raw SQL gives a bigint only where a number would not be exact. */
export function widened(field: FieldDefinition | undefined, value: unknown): unknown {
  return field?.kind === 'bigint' && Number.isSafeInteger(value) ? BigInt(value as number) : value
}

/** The condition with every reference in its place. Throws BAD_FILTER and VALIDATION as `parseWhere` does. */
export function completeCondition(
  condition: Condition,
  model: ModelDefinition,
  op: string,
  valueOf: (reference: WireReference) => unknown,
  definitionOf: (model: string) => ModelDefinition,
): Condition {
  const complete = (inner: Condition, of = model) => completeCondition(inner, of, op, valueOf, definitionOf)
  switch (condition.type) {
    case 'late': {
      const { field, operator, operand, ci } = condition
      const definition = fieldOf(model, field)
      const known = (value: unknown) => (isWireReference(value) ? widened(definition, valueOf(value)) : value)
      const value = Array.isArray(operand) ? operand.map(known) : known(operand)
      return parseWhere(model, { [field]: { [operator]: value, ...(ci ? { $ci: true } : {}) } }, { op })
    }
    case 'and':
    case 'or':
      return join(
        condition.type,
        condition.of.map(inner => complete(inner)),
      )
    case 'not':
      return negate(complete(condition.of))
    case 'related':
      return related(condition.relation, complete(condition.where, definitionOf(condition.relation.model)))
    default:
      return condition
  }
}
