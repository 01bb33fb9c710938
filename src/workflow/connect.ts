// A connection of a built workflow: a reference to an output, put into an input.
import { isObject } from '../shared/codec.js'
import { DataFlowError } from '../shared/errors.js'
import { didYouMean } from '../shared/nearest.js'
import { makeReference } from '../shared/reference.js'
import type { BuiltConnection } from './built.js'
import type { NodeType } from './node-types.js'

type Path = (string | number)[]

/** Puts a reference to the connection's output into its input. `from`: the type of the node that it comes from. */
export function connect(params: Record<string, unknown>, connection: BuiltConnection, from: NodeType): void {
  const output = parsePath(connection.output)
  const [root] = output
  if (from.outputs && !from.outputs.includes(String(root))) {
    throw bad(
      `${connection.from} has no output ${shown(connection.output)} that can be connected`,
      didYouMean(String(root), from.outputs),
    )
  }
  const path = parsePath(connection.input)
  const last = path.pop()!
  let into: object = params
  path.forEach((name, i) => {
    const inner = enter(into, name, connection.input)
    into = (
      inner === undefined ? put(into, name, typeof (path[i + 1] ?? last) === 'number' ? [] : {}) : inner
    ) as object
  })
  const given = enter(into, last, connection.input)
  if (given !== undefined && !isPlaceholder(given)) {
    throw bad(`${shown(connection.input)} is both given and connected`, 'remove one.')
  }
  put(into, last, makeReference(connection.from, from.outputPath(output)))
}

/** A list is not made longer than this by a path that leads far beyond its end. */
const MAX_ITEMS = 2 ** 16

/** What is there under `name`; undefined for nothing. Items of a list have numbers. */
function enter(into: unknown, name: string | number, input: string): unknown {
  const fits = Array.isArray(into)
    ? typeof name === 'number' && name < Math.max(into.length, MAX_ITEMS)
    : isObject(into)
  if (!fits) throw bad(`${shown(input)} leads into no object and to no item of a list`, 'correct the input.')
  return Object.hasOwn(into as object, name) ? (into as Record<string | number, unknown>)[name] : undefined
}

/** Never through a setter such as that of `__proto__`: a path may come from anywhere. */
function put<T>(into: object, name: string | number, value: T): T {
  Object.defineProperty(into, name, { value, enumerable: true, configurable: true, writable: true })
  return value
}

export function parsePath(path: string): Path {
  return path.split('.').map(name => (/^\d+$/.test(name) ? Number(name) : name))
}

/** A parameter that is given when the workflow is executed: `{ $param: true }`. */
export function isPlaceholder(value: unknown): boolean {
  return isObject(value) && value.$param === true && Object.keys(value).length === 1
}

export const shown = (name: string): string => name.replaceAll('\0', '\\0')

function bad(text: string, hint: string): DataFlowError {
  return new DataFlowError('BAD_WORKFLOW', `${text}.`, { op: 'workflow', hint })
}
