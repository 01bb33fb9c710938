// An operation of a workflow with what earlier steps gave in the place of its references.
import { BadValue, encodeValue } from '../../src/shared/codec.js'
import type { FieldDefinition, ModelDefinition, StoredValue } from '../../src/shared/definition.js'
import { DataFlowError } from '../../src/shared/errors.js'
import { badFilter } from '../../src/shared/filter-errors.js'
import { isEmptyCondition, type Condition } from '../../src/shared/filter.js'
import { completeCondition, widened } from '../../src/shared/late-condition.js'
import { isWrite, nameOf, type Assignment, type WireOperation, type WireRow } from '../../src/shared/operation.js'
import { toJsonParam } from '../../src/shared/reference.js'
import type { Include } from '../../src/shared/relation.js'
import { isWireReference, type WireReference } from '../../src/shared/workflow.js'
import { modelNamed, type CompiledModel } from '../compile/model.js'

export type ValueOf = (reference: WireReference) => unknown

/** The operation as it is run; the same object where it holds no references. Throws VALIDATION and BAD_FILTER. */
export function completeOperation(
  op: WireOperation,
  model: CompiledModel | undefined,
  valueOf: ValueOf,
): WireOperation {
  if (op.op === 'sql') return { ...op, params: completeParams(op.params, valueOf) }
  if (!model) return op
  const complete = new Completion(model, nameOf(op), valueOf)
  const parts: Record<string, unknown> = {}
  if ('row' in op && op.row.some(isWireReference)) parts.row = complete.row(op.row)
  if ('rows' in op && op.rows.some(row => row.some(isWireReference))) parts.rows = op.rows.map(complete.row)
  if ('id' in op && isWireReference(op.id)) parts.id = complete.key(op.id)
  if ('set' in op && op.set.some(isLate)) parts.set = complete.assignments(op.set)
  if ('update' in op && 'set' in op.update && op.update.set.some(isLate)) {
    parts.update = { set: complete.assignments(op.update.set) }
  }
  if ('where' in op && op.where) parts.where = complete.filter(op.where, isWrite(op.op))
  if ('include' in op && op.include) parts.include = complete.includes(op.include)
  return Object.keys(parts).length > 0 ? ({ ...op, ...parts } as WireOperation) : op
}

function completeParams(params: readonly StoredValue[], valueOf: ValueOf): StoredValue[] {
  return params.map(param => (isWireReference(param) ? toJsonParam(valueOf(param)) : param))
}

const isLate = (assignment: Assignment) =>
  isWireReference('increment' in assignment ? assignment.increment : assignment.value)

class Completion {
  readonly #model: ModelDefinition
  readonly #definitionOf: (name: string) => ModelDefinition
  readonly #op: string
  readonly #valueOf: ValueOf

  constructor({ definition, models }: CompiledModel, op: string, valueOf: ValueOf) {
    this.#model = definition
    this.#definitionOf = name => modelNamed(models, name).definition
    this.#op = op
    this.#valueOf = valueOf
  }

  readonly row = (row: WireRow): WireRow => row.map((value, i) => this.#stored(this.#model.fields[i]!, value))

  key(id: StoredValue): StoredValue {
    return this.#stored(
      this.#model.fields.find(field => field.primaryKey)!,
      id,
    ) as StoredValue
  }

  assignments(set: readonly Assignment[]): Assignment[] {
    return set.map(assignment => {
      const field = this.#model.fields.find(({ name }) => name === assignment.field)
      // What no field has is refused when it is compiled.
      if (!field) return assignment
      if (!('increment' in assignment)) {
        return { field: field.name, value: this.#stored(field, assignment.value) as StoredValue }
      }
      const increment = this.#stored({ ...field, nullable: false }, assignment.increment) as number | bigint
      return { field: field.name, increment }
    })
  }

  includes(includes: readonly Include[]): Include[] {
    return includes.map(({ where, include, ...rest }) => ({
      ...rest,
      where: where && this.#condition(where, this.#definitionOf(rest.relation.model)),
      ...(include ? { include: this.includes(include) } : {}),
    }))
  }

  #condition(condition: Condition, model: ModelDefinition): Condition {
    return completeCondition(condition, model, this.#op, this.#valueOf, this.#definitionOf)
  }

  /** null: every row. A write says that otherwise (semantics 23). */
  filter(where: Condition, writes: boolean): Condition | null {
    const condition = this.#condition(where, this.#model)
    if (!isEmptyCondition(condition)) return condition
    if (!writes) return null
    throw badFilter({ model: this.#model, op: this.#op }, 'an empty filter would be every row.', {
      hint: 'its references left nothing to choose by; for the whole table say `{ all: true }`.',
    })
  }

  #stored(field: FieldDefinition, value: StoredValue | undefined): StoredValue | undefined {
    if (!isWireReference(value)) return value
    const known = widened(field, this.#valueOf(value))
    try {
      if (known === undefined) throw new BadValue('is not there')
      if (known === null && field.nullable) return null
      if (known === null && field.kind !== 'json') throw new BadValue('must not be null')
      return encodeValue(field, known)
    } catch (error) {
      if (!(error instanceof BadValue)) throw error
      throw new DataFlowError('VALIDATION', `${field.name} ${error.message}.`, {
        model: this.#model.name,
        op: this.#op,
        fields: [field.name],
        issues: error.issues.map(({ path, message }) => ({ path: [field.name, ...path], message })),
        hint: 'it is what an earlier node gave; nothing was written.',
      })
    }
  }
}
