// What a node of a workflow will give, before it has run: a reference that stands where its value will be.
import { describe, isPlainObject, isWellFormed } from './codec.js'
import { DataFlowError } from './errors.js'

declare const VALUE: unique symbol
/** Also from another copy of the library. */
const PLACE: unique symbol = Symbol.for('dataflow-edge.reference')

/** Stands for a value of type `T` that an earlier node of a workflow gives. */
export interface Ref<T> {
  readonly [VALUE]: T
}

type Leaf = string | number | bigint | boolean | null | undefined | Date | Uint8Array

/** A reference to a result, and to what is in it: `user.id`, `posts.at(0).title`, `posts.length`. */
export type Refs<T> = Ref<T> &
  ([T] extends [Leaf]
    ? unknown
    : NonNullable<T> extends readonly (infer Item)[]
      ? { readonly length: Ref<number>; at(index: number): Refs<Item> }
      : { readonly [K in keyof NonNullable<T>]-?: Refs<NonNullable<T>[K] | Extract<T, null>> })

/** Values of which each may be a reference. */
export type OrRefs<T> = { [K in keyof T]: T[K] | Ref<Exclude<T[K], undefined>> }
/** The same for what an update sets, where an increment may be one too. */
export type OrUpdateRefs<T> = {
  [K in keyof T]:
    | T[K]
    | Ref<Exclude<T[K], undefined | { $inc: any }>>
    | (Extract<T[K], { $inc: any }> extends { $inc: infer By } ? { $inc: Ref<By> } : never)
}

/** Where the value comes from: a node's name, and the way into its result. */
export interface Place {
  readonly node: string
  readonly path: readonly (string | number)[]
}

/** A reference to what `node` gives, at `path` in it. */
export function makeReference(node: string, path: readonly (string | number)[] = []): Refs<any> {
  const place: Place = { node, path }
  // A function, so that `posts.at(0)` is an item while `event.at` is a field.
  return new Proxy(() => {}, {
    get(_, name) {
      if (name === PLACE) return place
      if (name === 'toJSON') return () => ({ $ref: [node, ...path] })
      if (name === Symbol.toPrimitive || name === 'toString' || name === 'valueOf') return () => refuse(place)
      return typeof name === 'symbol' || name === 'then' ? undefined : makeReference(node, [...path, name])
    },
    apply(_, _self, [index]: unknown[]) {
      if (path.at(-1) !== 'at' || !Number.isSafeInteger(index) || (index as number) < 0) refuse(place)
      return makeReference(node, [...path.slice(0, -1), index as number])
    },
  }) as never
}

/** Where `value` comes from if it is a reference, or undefined. */
export function placeOf(value: unknown): Place | undefined {
  return typeof value === 'function' ? (value as { [PLACE]?: Place })[PLACE] : undefined
}

export const showPlace = ({ node, path }: Place): string => [node, ...path].join('.')

function refuse(place: Place): never {
  throw new DataFlowError('BAD_WORKFLOW', `${showPlace(place)} is not known before the workflow runs.`, {
    op: 'workflow',
    hint: 'pass it on as it is; compute with it in an sql node.',
  })
}

/**
 * A value as the JSON text that stands in SQL for a reference, inside `json_extract(?, '$')`: SQLite reads any kind of value
 * back from it, exact. Lists and objects are read back as their JSON text, with dates as epoch milliseconds.
 * Throws VALIDATION for what SQL cannot hold.
 */
export function toJsonParam(value: unknown): string {
  const json = toJson(value ?? null)
  return typeof value === 'object' && value !== null && !(value instanceof Date) ? JSON.stringify(json) : json
}

const MAX_DEPTH = 100

function toJson(value: unknown, depth = 0): string {
  if (depth > MAX_DEPTH) return refuseInSql('what is nested too deep')
  switch (typeof value) {
    case 'string':
      return isWellFormed(value) ? JSON.stringify(value) : refuseInSql('text with half of a surrogate pair')
    case 'number':
      if (Number.isNaN(value)) return refuseInSql('NaN')
      return Number.isFinite(value) ? JSON.stringify(value) : value > 0 ? '9e999' : '-9e999'
    case 'bigint':
      return BigInt.asIntN(64, value) === value ? String(value) : refuseInSql('a bigint beyond 64 bits')
    case 'boolean':
      return String(value)
    case 'object':
      if (value === null) return 'null'
      if (value instanceof Date) return toJson(value.getTime())
      if (Array.isArray(value)) return `[${value.map(item => toJson(item ?? null, depth + 1)).join(',')}]`
      if (!isPlainObject(value)) return refuseInSql(describe(value))
      return `{${Object.entries(value)
        .filter(([, inner]) => inner !== undefined)
        .map(([name, inner]) => `${JSON.stringify(name)}:${toJson(inner, depth + 1)}`)
        .join(',')}}`
    default:
      return refuseInSql(describe(value))
  }
}

function refuseInSql(what: string): never {
  throw new DataFlowError('VALIDATION', `a reference to ${what} cannot stand in SQL.`, {
    op: 'sql',
    hint: 'refer to a text, a number, a boolean, a date or null, or read it in the SQL itself.',
  })
}
