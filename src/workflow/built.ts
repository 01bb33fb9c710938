// A built workflow: JSON, from the builder or from anywhere. Checked, ordered, and turned into a plan.
import type { PageModel } from '../resolve.js'
import { describe, isObject } from '../shared/codec.js'
import { DataFlowError } from '../shared/errors.js'
import { didYouMean, nearest } from '../shared/nearest.js'
import { connect, isPlaceholder, parsePath, shown } from './connect.js'
import { fromJson } from './json.js'
import { COMMON_TYPES, modelTypes, OPERATION_NAMES, type Frames, type NodeType } from './node-types.js'
import { order } from './order.js'
import type { Plan, PlanNode } from './plan.js'

/** A workflow of WorkflowBuilder: plain data, the same after `JSON.parse(JSON.stringify(built))`. */
export interface BuiltWorkflow {
  readonly dataflow: 1
  readonly nodes: readonly BuiltNode[]
  readonly connections: readonly BuiltConnection[]
}
export interface BuiltNode {
  readonly type: string
  readonly id: string
  readonly params: Readonly<Record<string, unknown>>
}
export interface BuiltConnection {
  readonly from: string
  readonly output: string
  readonly to: string
  readonly input: string
}

export type Models = ReadonlyMap<string, PageModel>
/** Values for parameters, by the ids of their nodes. */
export type Parameters = Readonly<Record<string, Readonly<Record<string, unknown>>>>

interface Resolved {
  readonly id: string
  readonly type: NodeType
  readonly mark: boolean
  readonly params: Record<string, unknown>
  readonly connections: readonly BuiltConnection[]
}

export interface Compiled {
  readonly plan: Plan
  /** The flat results, by node id. */
  results(values: Readonly<Record<string, unknown>>): Record<string, unknown>
  /** Parameters that are given only when it is executed, and are not given yet. */
  readonly open: readonly string[]
}

/** Throws BAD_WORKFLOW, UNKNOWN_MODEL, UNKNOWN_FIELD. Without models only what is known without them is checked. */
export function compileBuilt(built: unknown, models: Models | null, parameters: Parameters = {}): Compiled {
  assertBuilt(built)
  if (!isObject(parameters)) throw badParameters(`parameters must be an object, not ${describe(parameters)}.`)
  const resolved = order(resolve(built, models, parameters), built.connections)
  const typeOf = new Map(resolved.map(({ id, type }) => [id, type]))
  const frames: Frames['open'] = []
  const nodes = resolved.map(({ id, type, params, connections }): PlanNode => {
    const body = atNode(id, () => {
      // Its own copy: references are put into it.
      const withReferences = structuredClone(params)
      for (const connection of connections) {
        if (connection.input !== 'after') connect(withReferences, connection, typeOf.get(connection.from)!)
      }
      return type.body(withReferences, { node: id, open: frames })
    })
    return { name: id, body, onError: 'abort' }
  })
  const unended = frames.find(frame => frame.scope)
  if (unended)
    throw bad(`The scope ${unended.name} is never ended`, 'add a TransactionCommitNode or a TransactionRollbackNode.')
  return {
    plan: { name: 'workflow', nodes },
    results: values => flatResults(resolved, values),
    open: resolved.flatMap(({ id, params, connections }) => {
      const connected = new Set(connections.map(({ input }) => input))
      const open = Object.keys(params).filter(name => isPlaceholder(params[name]) && !connected.has(name))
      return open.map(name => `${id}.${name}`)
    }),
  }
}

function assertBuilt(built: unknown): asserts built is BuiltWorkflow {
  const has = (value: unknown, names: readonly string[]): value is Record<string, unknown> =>
    isObject(value) && Object.keys(value).length === names.length && names.every(name => Object.hasOwn(value, name))
  const texts = (value: object) =>
    Object.entries(value).every(([name, v]) => name === 'params' || typeof v === 'string')
  const sound =
    has(built, ['dataflow', 'nodes', 'connections']) &&
    built.dataflow === 1 &&
    Array.isArray(built.nodes) &&
    built.nodes.every(node => has(node, ['type', 'id', 'params']) && texts(node) && isObject(node.params)) &&
    Array.isArray(built.connections) &&
    built.connections.every(connection => has(connection, ['from', 'output', 'to', 'input']) && texts(connection))
  if (!sound) throw bad('That is no workflow', 'make it with workflow(), or with new WorkflowBuilder() ... .build().')
}

// ---- nodes, parameters, connections ------------------------------------------------------------------------------

function resolve(built: BuiltWorkflow, models: Models | null, parameters: Parameters): Resolved[] {
  const typeNamed = typesOf(models)
  const connectionsTo = new Map<string, BuiltConnection[]>()
  for (const { id } of built.nodes) {
    if (!/^[A-Za-z][A-Za-z0-9_-]*$/.test(id))
      throw bad(`"${shown(id)}" is no id of a node`, 'letters, digits, _ and -.')
    if (connectionsTo.has(id)) throw bad(`Two nodes have the id ${id}`, 'every node has an id of its own.')
    connectionsTo.set(id, [])
  }
  for (const [id, given] of Object.entries(parameters)) {
    assertNode(id, connectionsTo, 'The parameters name')
    if (!isObject(given)) throw badParameters(`The parameters of ${id} must be an object, not ${describe(given)}.`)
  }
  for (const connection of built.connections) {
    assertNode(connection.from, connectionsTo, 'A connection comes from')
    assertNode(connection.to, connectionsTo, 'A connection goes to')
    connectionsTo.get(connection.to)!.push(connection)
  }
  return built.nodes.map(({ type: typeName, id, params }) =>
    atNode(id, () => {
      const type = typeNamed(typeName)
      const connections = connectionsTo.get(id)!
      const given = Object.hasOwn(parameters, id) ? parameters[id] : {}
      const all = { ...(fromJson(params) as object), ...given } as Record<string, unknown>
      checkInputs(type, all, connections)
      return { id, type, mark: type.name.startsWith('Transaction'), params: all, connections }
    }),
  )
}

function badParameters(text: string): DataFlowError {
  return new DataFlowError('BAD_OPTION', text, { op: 'workflow', hint: '{ parameters: { user: { name } } }.' })
}

function typesOf(models: Models | null): (name: string) => NodeType {
  const types = new Map(COMMON_TYPES)
  for (const [name, model] of models ?? []) for (const type of modelTypes(name, model)) types.set(type.name, type)
  return name => {
    const found = types.get(name)
    if (found) return found
    const operation = [...OPERATION_NAMES]
      .sort((a, b) => b.length - a.length)
      .find(suffix => name.endsWith(`${suffix}Node`) && name.length > suffix.length + 4)
    const model = operation && name.slice(0, -operation.length - 4)
    if (models && model && !models.has(model)) {
      throw new DataFlowError(
        'UNKNOWN_MODEL',
        `There is no node type ${shown(name)}: this database has no model ${shown(model)}.`,
        {
          model: shown(model),
          hint: didYouMean(model, [...models.keys()]),
        },
      )
    }
    if (!models && model) return modelTypes(model, null).find(type => type.name === name)!
    const near = nearest(name, [...types.keys()])
    throw bad(
      `There is no node type ${shown(name)}`,
      near ? `did you mean ${near}?` : 'UserCreateNode, UserListNode, SQLNode ...',
    )
  }
}

function assertNode(id: string, known: ReadonlyMap<string, unknown>, what: string): void {
  if (known.has(id)) return
  throw bad(`${what} a node "${shown(id)}", which does not exist`, didYouMean(id, [...known.keys()]))
}

function checkInputs(type: NodeType, params: Record<string, unknown>, connections: readonly BuiltConnection[]): void {
  const connected = new Set<string>()
  for (const { input } of connections) {
    if (input === 'after') continue
    if (connected.has(input)) throw bad(`Two connections go to the input ${shown(input)}`, 'remove one.')
    connected.add(input)
  }
  const roots = [...connected].map(input => input.split('.')[0]!)
  for (const name of [...Object.keys(params), ...roots]) {
    if (!type.inputs || type.inputs.includes(name)) continue
    const hint = didYouMean(name, type.inputs)
    if (type.name.endsWith('CreateNode') && !type.name.endsWith('BulkCreateNode')) {
      throw new DataFlowError('UNKNOWN_FIELD', `${type.name} has no input ${shown(name)}.`, {
        fields: [shown(name)],
        hint,
      })
    }
    throw bad(`${type.name} has no ${roots.includes(name) ? 'input' : 'parameter'} ${shown(name)}`, hint)
  }
  const given = new Set([...Object.keys(params).filter(name => params[name] !== undefined), ...roots])
  const missing = type.required.find(names => !names.some(name => given.has(name)))
  if (missing) throw bad(`${type.name} needs ${missing.join(' or ')}`, 'give it as a parameter, or connect it.')
}

// ---- results -----------------------------------------------------------------------------------------------------

function flatResults(nodes: readonly Resolved[], values: Readonly<Record<string, unknown>>): Record<string, unknown> {
  const results: Record<string, unknown> = {}
  for (const { id, type, params, connections } of nodes) {
    const all = { ...params }
    for (const { from, output, input } of connections)
      if (!input.includes('.')) all[input] = valueAt(results[from], output)
    results[id] = type.result(values[id], all)
  }
  return results
}

function valueAt(value: unknown, path: string): unknown {
  return parsePath(path).reduce((inner, name) => (inner as Record<string | number, unknown> | null)?.[name], value)
}

function atNode<T>(node: string, work: () => T): T {
  try {
    return work()
  } catch (error) {
    throw DataFlowError.is(error) ? error.with({ op: 'workflow', node }) : error
  }
}

function bad(text: string, hint: string): DataFlowError {
  return new DataFlowError('BAD_WORKFLOW', `${text}.`, { op: 'workflow', hint })
}
