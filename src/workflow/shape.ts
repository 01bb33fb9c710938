// What is known of a node's result before it runs: which references into it there are, and where they fit.
import { METHODS, type Operation } from '../model.js'
import type { PageField, PageModel } from '../resolve.js'
import type { FieldKind } from '../shared/definition.js'
import { DataFlowError } from '../shared/errors.js'
import { didYouMean } from '../shared/nearest.js'

export type Shape =
  | { readonly is: 'field'; readonly field: PageField }
  | { readonly is: 'row' | 'object'; readonly of: ReadonlyMap<string, Shape> }
  | { readonly is: 'list'; readonly of: Shape }
  | { readonly is: 'number' | 'boolean' | 'unknown' }
  /** What the page makes of the answer: the worker has no such value. */
  | { readonly is: 'made on the page'; readonly by: string }

/** The shape of what an operation gives. */
export function shapeOf(model: PageModel, { op, args }: Operation<unknown>): Shape {
  const key = shapeOfField(model.fieldNamed.get(model.definition.key)!)
  switch (op) {
    case 'read':
    case 'readOrThrow':
      return rowShape(model, args[1])
    case 'first':
      return rowShape(model, args[0])
    case 'list':
      return { is: 'list', of: rowShape(model, args[0]) }
    case 'search':
      return { is: 'list', of: rowShape(model, args[1]) }
    case 'count':
      return { is: 'number' }
    case 'delete':
    case 'purge':
      return { is: 'boolean' }
    case 'page':
    case 'aggregate':
    case 'distinct':
      return { is: 'made on the page', by: op }
    default:
      if (METHODS[op].write && op.startsWith('bulk')) {
        return {
          is: 'object',
          of: new Map<string, Shape>([
            ['count', { is: 'number' }],
            ['ids', { is: 'list', of: key }],
          ]),
        }
      }
      return rowShape(model, undefined)
  }
}

function rowShape(model: PageModel, options: unknown): Shape {
  const select = (options as { select?: readonly string[] } | undefined)?.select
  const fields = model.fields.filter(({ definition }) => select?.includes(definition.name) ?? true)
  return { is: 'row', of: new Map(fields.map(field => [field.definition.name, shapeOfField(field)])) }
}

const shapeOfField = (field: PageField): Shape => ({ is: 'field', field })

/** The shape of `name` in a value of this shape. Throws BAD_WORKFLOW where there is none. */
export function shapeAt(shape: Shape, name: string | number, place: string): Shape {
  switch (shape.is) {
    case 'unknown':
      return shape
    case 'field':
      if (shape.field.definition.kind === 'json') return { is: 'unknown' }
      throw badReference(`${place} has no ${name}`, 'refer to the value itself.')
    case 'row':
    case 'object': {
      const inner = shape.of.get(String(name))
      if (inner) return inner
      throw badReference(`${place} has no ${name}`, didYouMean(String(name), [...shape.of.keys()]))
    }
    case 'list':
      if (name === 'length') return { is: 'number' }
      if (typeof name === 'number') return shape.of
      throw badReference(`${place} is a list and has no ${name}`, 'take an item of it: .at(0), or its length.')
    case 'made on the page':
      throw badReference(`the result of ${shape.by} is made on the page`, 'use list, count, or an sql node.')
    default:
      throw badReference(`${place} is a ${shape.is} and has no ${name}`, 'refer to the value itself.')
  }
}

const NUMBERS: readonly FieldKind[] = ['integer', 'autoId', 'version', 'real']
const DATES: readonly FieldKind[] = ['date', 'createdAt', 'updatedAt']

/** What keeps a value of this shape from entering `into`, or undefined. What is not known is checked when it runs. */
export function misfit(shape: Shape, { definition, schema }: PageField): string | undefined {
  const { kind } = definition
  if (shape.is === 'unknown')
    return schema ? 'may be anything; a field with a schema takes only its own kind' : undefined
  if (shape.is === 'number') return schema || !['integer', 'real'].includes(kind) ? 'is a number' : undefined
  if (shape.is === 'boolean') return schema || kind !== 'boolean' ? 'is true or false' : undefined
  if (shape.is !== 'field') return `is a ${shape.is === 'made on the page' ? `result of ${shape.by}` : shape.is}`
  const from = shape.field.definition
  const what = from.ref ? `is a key of ${from.ref.model}` : `is a ${from.kind}`
  if (schema) return from.kind === kind ? undefined : `${what}; a field with a schema takes only its own kind`
  return fits(from, definition) ? undefined : what
}

function fits(from: PageField['definition'], into: PageField['definition']): boolean {
  switch (into.kind) {
    case 'id':
    case 'text':
      return ['id', 'text', 'enum'].includes(from.kind)
    case 'enum':
      return from.kind === 'enum' && from.values!.every(value => into.values!.includes(value))
    case 'integer':
    case 'autoId':
    case 'version':
      return NUMBERS.includes(from.kind) && from.kind !== 'real'
    case 'real':
      return NUMBERS.includes(from.kind)
    case 'date':
    case 'createdAt':
    case 'updatedAt':
      return DATES.includes(from.kind)
    default:
      return from.kind === into.kind
  }
}

export function badReference(text: string, hint: string): DataFlowError {
  return new DataFlowError('BAD_WORKFLOW', `${text}.`, { hint })
}
