// References put in their places: what is known becomes the value, the rest the number of the step that gives it.
import type { References } from '../encode/row.js'
import type { PageField } from '../resolve.js'
import { isPlainObject, STANDS_FOR_VALUE } from '../shared/codec.js'
import { didYouMean } from '../shared/nearest.js'
import { placeOf, showPlace, toJsonParam, type Place } from '../shared/reference.js'
import { isSqlExpr, SqlFragment, type SqlExpr } from '../shared/sql.js'
import { asStored, NEW_ID, type WireReference } from '../shared/workflow.js'
import { badReference, misfit, shapeAt, type Shape } from './shape.js'

/** A value that a step will give. */
export class Bound {
  readonly slot: number
  readonly path: readonly (string | number)[]
  readonly shape: Shape
  /** As errors call it. */
  readonly place: string
  readonly #onUse: () => void

  constructor(slot: number, path: readonly (string | number)[], shape: Shape, place: string, onUse: () => void) {
    this.slot = slot
    this.path = path
    this.shape = shape
    this.place = place
    this.#onUse = onUse
  }

  at(name: string | number): Bound {
    const shape = shapeAt(this.shape, name, this.place)
    return new Bound(this.slot, [...this.path, name], shape, `${this.place}.${name}`, this.#onUse)
  }

  get [STANDS_FOR_VALUE](): true {
    return true
  }

  toWire(): WireReference {
    this.#onUse()
    return { slot: this.slot, path: this.path }
  }
}

/** The results of a nested workflow, by the names of its nodes. */
export class Group {
  readonly results: ReadonlyMap<string, unknown>

  constructor(results: ReadonlyMap<string, unknown>) {
    this.results = results
  }

  get [STANDS_FOR_VALUE](): true {
    return true
  }
}

/** By the names of nodes, `input` and `item` among them: a Bound, a Group, a list of these, or a value that is known. */
export type Scope = ReadonlyMap<string, unknown>

/** `value` with everything in it put in its place. Throws BAD_WORKFLOW for a reference that leads nowhere. */
export function bind(value: unknown, scope: Scope): unknown {
  const place = placeOf(value)
  if (place) return follow(place, scope)
  if (isSqlExpr(value)) return bindSql(value, scope)
  if (Array.isArray(value)) return value.map(item => bind(item, scope))
  if (!isPlainObject(value)) return value
  return Object.fromEntries(Object.entries(value).map(([name, inner]) => [name, bind(inner, scope)]))
}

function follow(place: Place, scope: Scope): unknown {
  if (!scope.has(place.node)) {
    throw badReference(`there is no node "${place.node}" before this one`, didYouMean(place.node, [...scope.keys()]))
  }
  let value = scope.get(place.node)
  for (const name of place.path) value = enter(value, name, place)
  return value
}

function enter(value: unknown, name: string | number, place: Place): unknown {
  if (value instanceof Bound) return value.at(name)
  if (value instanceof Group) {
    if (value.results.has(String(name))) return value.results.get(String(name))
    throw badReference(`${showPlace(place)}: there is no ${name}`, didYouMean(String(name), [...value.results.keys()]))
  }
  if (value === null || value === undefined) return value
  return Object.hasOwn(value as object, name) ? (value as Record<string | number, unknown>)[name] : undefined
}

function bindSql(query: SqlExpr, scope: Scope): SqlExpr {
  if (!query.params.some(param => placeOf(param))) return query
  const params = query.params.map(param => {
    const place = placeOf(param)
    if (!place) return param
    const value = follow(place, scope)
    if (value === undefined) throw badReference(`${showPlace(place)} is undefined`, 'give the input a value, or null.')
    return value instanceof Bound ? asStored(value.toWire()) : toJsonParam(value)
  })
  return new SqlFragment(query.parts, params, (query as SqlFragment).schema)
}

/** For the encoders of operations. */
export const boundReferences: References = {
  toWire(value: unknown, field: PageField, operator?: string): WireReference | undefined {
    if (!(value instanceof Bound)) {
      if (value instanceof Group) throw badReference('the results of a workflow are no value', 'refer to one of them.')
      return undefined
    }
    const wrong = operator === undefined ? misfit(value.shape, field) : misfitOperand(value, field, operator)
    if (wrong === undefined) return value.toWire()
    const { name, kind } = field.definition
    throw badReference(`${value.place} ${wrong}, which ${name}, a ${kind}, does not take`, 'refer to another value.')
  },
}

/** The same where an operation runs for each item of a list that only the worker has. */
export const repeatedReferences: References = {
  ...boundReferences,
  made({ definition, generate, schema }) {
    if (!generate && !schema) return NEW_ID
    const text = `The default of ${definition.name} is made on the page, which does not know the items of this list`
    throw badReference(text, `give ${definition.name} a value.`)
  },
}

const TEXT_OPERATORS: readonly string[] = ['$like', '$startsWith', '$endsWith', '$contains']

function misfitOperand({ shape }: Bound, field: PageField, operator: string): string | undefined {
  if (operator === '$null' || operator === '$exists') return 'is a reference'
  const { schema: _schema, ...rest } = field
  // A part of a text, or a pattern: not one of an enum's values.
  const plain = TEXT_OPERATORS.includes(operator) ? { definition: { ...rest.definition, kind: 'text' as const } } : rest
  if (!['$in', '$nin', '$between'].includes(operator) || shape.is === 'unknown') return misfit(shape, plain)
  return shape.is === 'list' ? misfit(shape.of, plain) : 'is no list'
}
