// A condition that was not made by parseWhere in this program: looked through before anything is compiled from it.
import { canonicalJson } from './codec.js'
import { fieldOf, type FieldDefinition, type ModelDefinition } from './definition.js'
import { badFilter, isText, MAX_DEPTH, MAX_NODES, operatorsOf, tooLarge, unknownField } from './filter-errors.js'
import { wrongPattern, type Condition } from './filter.js'

type Shape = Readonly<Record<string, unknown>>

/** Throws BAD_FILTER or UNKNOWN_FIELD unless `condition` is one for this model: names, shapes, types of values. */
export function checkCondition(model: ModelDefinition, condition: unknown): asserts condition is Condition {
  let nodes = 0
  check(condition, 0)

  function check(node: unknown, depth: number): void {
    if (depth > MAX_DEPTH || ++nodes > MAX_NODES) throw tooLarge({ model })
    if (typeof node !== 'object' || node === null) throw misshaped(model, 'is not an object')
    const shape = node as Shape
    switch (shape.type) {
      case 'always':
        return expect(model, typeof shape.value === 'boolean', 'always')
      case 'not':
        return check(shape.of, depth + 1)
      case 'and':
      case 'or':
        expect(model, Array.isArray(shape.of), shape.type)
        for (const inner of shape.of as unknown[]) check(inner, depth + 1)
        return
      case 'sql':
        expect(model, typeof shape.sql === 'string' && isArrayOf(shape.params, isBindable), 'sql')
        return
      default:
        checkLeaf(model, shape)
    }
  }
}

function checkLeaf(model: ModelDefinition, shape: Shape): void {
  const field = typeof shape.field === 'string' ? fieldOf(model, shape.field) : undefined
  if (!field) throw unknownField({ model }, String(shape.field))
  const { type, value, op } = shape
  const ordered = operatorsOf(field).includes('$gt')
  const ci = shape.ci === undefined || shape.ci === false || (shape.ci === true && isText(field.kind))
  switch (type) {
    case 'null':
      return expect(model, typeof shape.is === 'boolean', type, field)
    case 'compare':
      return expect(
        model,
        ci &&
          (op === '=' || op === '<>' || (ordered && ['<', '<=', '>', '>='].includes(op as string))) &&
          isStored(field, value),
        type,
        field,
      )
    case 'in':
      return expect(
        model,
        ci &&
          typeof shape.orNull === 'boolean' &&
          typeof shape.negated === 'boolean' &&
          isArrayOf(shape.values, item => isStored(field, item)),
        type,
        field,
      )
    case 'match':
      return expect(
        model,
        ci &&
          isText(field.kind) &&
          typeof value === 'string' &&
          (['startsWith', 'endsWith', 'contains'].includes(op as string) || (op === 'like' && !wrongPattern(value))),
        type,
        field,
      )
    case 'has':
      return expect(model, field.kind === 'json' && isCanonical(value), type, field)
    default:
      throw misshaped(model, 'is of no known type', field)
  }
}

/** Whether a column of that field can hold `value`. */
function isStored(field: FieldDefinition, value: unknown): boolean {
  switch (field.type) {
    case 'TEXT':
      return typeof value === 'string'
    case 'INTEGER':
      return field.kind === 'bigint'
        ? typeof value === 'bigint' && BigInt.asIntN(64, value) === value
        : Number.isSafeInteger(value)
    case 'REAL':
      return typeof value === 'number' && !Number.isNaN(value)
    case 'BLOB':
      return value instanceof Uint8Array
  }
}

function isCanonical(value: unknown): boolean {
  try {
    return canonicalJson(JSON.parse(value as string)) === value
  } catch {
    return false
  }
}

const isBindable = (value: unknown) =>
  value === null || typeof value === 'string' || typeof value === 'number' || value instanceof Uint8Array

const isArrayOf = (value: unknown, holds: (item: unknown) => boolean) =>
  Array.isArray(value) && Array.from(value).every(holds)

function expect(model: ModelDefinition, holds: boolean, type: string, field?: FieldDefinition): void {
  if (!holds) throw misshaped(model, `of type ${type} does not have its shape`, field)
}

function misshaped(model: ModelDefinition, what: string, field?: FieldDefinition) {
  return badFilter({ model }, `the condition${field ? ` on ${field.name}` : ''} ${what}.`, {
    ...(field && { fields: [field.name] }),
    hint: 'conditions are made by parseWhere.',
  })
}
