// A built workflow: JSON, from the builder or from anywhere. Checked, ordered, and turned into a plan.
import type { PageModel } from '../resolve.js'
import { isObject } from '../shared/codec.js'
import { DataFlowError } from '../shared/errors.js'
import { didYouMean, nearest } from '../shared/nearest.js'
import { makeReference } from '../shared/reference.js'
import { fromJson } from './json.js'
import { COMMON_TYPES, modelTypes, OPERATION_NAMES, type Frames, type NodeType } from './node-types.js'
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
  const resolved = order(built, resolve(built, models, parameters))
  const frames: Frames['open'] = []
  const nodes = resolved.map(({ id, type, params, connections }): PlanNode => {
    const body = atNode(id, () => {
      // Its own copy: references are put into it.
      const withReferences = structuredClone(params)
      for (const connection of connections) {
        if (connection.input !== 'after') connect(withReferences, connection, resolved)
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
    open: resolved.flatMap(({ id, params }) =>
      Object.entries(params).flatMap(([name, value]) => (isPlaceholder(value) ? [`${id}.${name}`] : [])),
    ),
  }
}

function assertBuilt(built: unknown): asserts built is BuiltWorkflow {
  const { dataflow, nodes, connections } = (built ?? {}) as Partial<BuiltWorkflow>
  const texts = (value: unknown, names: readonly string[]) =>
    isObject(value) &&
    Object.keys(value).every(name => [...names, 'params'].includes(name)) &&
    names.every(name => typeof value[name] === 'string')
  const sound =
    dataflow === 1 &&
    Array.isArray(nodes) &&
    nodes.every(node => texts(node, ['type', 'id']) && isObject(node.params)) &&
    Array.isArray(connections) &&
    connections.every(connection => texts(connection, ['from', 'output', 'to', 'input']))
  if (!sound) throw bad('That is no workflow', 'make it with workflow(), or with new WorkflowBuilder() ... .build().')
}

// ---- nodes, parameters, connections ------------------------------------------------------------------------------

function resolve(built: BuiltWorkflow, models: Models | null, parameters: Parameters): Resolved[] {
  const typeNamed = typesOf(models)
  const ids = built.nodes.map(node => node.id)
  for (const [i, id] of ids.entries()) {
    if (!/^[A-Za-z][A-Za-z0-9_-]*$/.test(id)) throw bad(`"${show(id)}" is no id of a node`, 'letters, digits, _ and -.')
    if (ids.indexOf(id) !== i) throw bad(`Two nodes have the id ${id}`, 'every node has an id of its own.')
  }
  for (const id of Object.keys(parameters)) assertNode(id, ids, 'The parameters name')
  for (const { from, to } of built.connections) {
    assertNode(from, ids, 'A connection comes from')
    assertNode(to, ids, 'A connection goes to')
  }
  return built.nodes.map(({ type: typeName, id, params }) =>
    atNode(id, () => {
      const type = typeNamed(typeName)
      const connections = built.connections.filter(connection => connection.to === id)
      const all = { ...(fromJson(params) as object), ...parameters[id] } as Record<string, unknown>
      checkInputs(type, all, connections)
      return { id, type, params: all, connections }
    }),
  )
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
        `There is no node type ${show(name)}: this database has no model ${show(model)}.`,
        {
          model,
          hint: didYouMean(model, [...models.keys()]),
        },
      )
    }
    if (!models && model) return modelTypes(model, null).find(type => type.name === name)!
    const near = nearest(name, [...types.keys()])
    throw bad(
      `There is no node type ${show(name)}`,
      near ? `did you mean ${near}?` : 'UserCreateNode, UserListNode, SQLNode ...',
    )
  }
}

function assertNode(id: string, ids: readonly string[], what: string): void {
  if (!ids.includes(id)) throw bad(`${what} a node "${show(id)}", which does not exist`, didYouMean(id, ids))
}

function checkInputs(type: NodeType, params: Record<string, unknown>, connections: readonly BuiltConnection[]): void {
  const connected = connections.map(({ input }) => input)
  const [first] = connected.filter((input, i) => connected.indexOf(input) !== i && input !== 'after')
  if (first !== undefined) throw bad(`Two connections go to the input ${show(first)}`, 'remove one.')
  const roots = connected.filter(input => input !== 'after').map(input => input.split('.')[0]!)
  for (const name of [...Object.keys(params), ...roots]) {
    if (!type.inputs || type.inputs.includes(name)) continue
    const hint = didYouMean(name, type.inputs)
    if (type.name.endsWith('CreateNode') && !type.name.endsWith('BulkCreateNode')) {
      throw new DataFlowError('UNKNOWN_FIELD', `${type.name} has no input ${show(name)}.`, {
        fields: [show(name)],
        hint,
      })
    }
    throw bad(`${type.name} has no ${roots.includes(name) ? 'input' : 'parameter'} ${show(name)}`, hint)
  }
  const given = new Set([...Object.keys(params).filter(name => params[name] !== undefined), ...roots])
  const missing = type.required.find(names => !names.some(name => given.has(name)))
  if (missing) throw bad(`${type.name} needs ${missing.join(' or ')}`, 'give it as a parameter, or connect it.')
}

/** Puts a reference to the connection's output into its input. */
function connect(params: Record<string, unknown>, connection: BuiltConnection, nodes: readonly Resolved[]): void {
  const { type } = nodes.find(node => node.id === connection.from)!
  const output = parsePath(connection.output)
  const [root] = output
  if (type.outputs && !type.outputs.includes(String(root))) {
    throw bad(
      `${connection.from} has no output ${show(connection.output)} that can be connected`,
      didYouMean(String(root), type.outputs),
    )
  }
  const path = parsePath(connection.input)
  const last = path.pop()!
  let into: any = params
  for (const name of path) into = into[name] ??= {}
  if (typeof into !== 'object' || into === null)
    throw bad(`${show(connection.input)} leads into no object`, 'correct the input.')
  if (into[last] !== undefined && !isPlaceholder(into[last])) {
    throw bad(`${show(connection.input)} is both given and connected`, 'remove one.')
  }
  into[last] = makeReference(connection.from, type.outputPath(output))
}

function parsePath(path: string): (string | number)[] {
  return path.split('.').map(name => (/^\d+$/.test(name) ? Number(name) : name))
}

/** A parameter that is given when the workflow is executed: `{ $param: true }`. */
function isPlaceholder(value: unknown): boolean {
  return isObject(value) && value.$param === true && Object.keys(value).length === 1
}

// ---- the order ---------------------------------------------------------------------------------------------------

/** As they were added, unless a connection wants it otherwise. What begins or ends a scope keeps its place. */
function order({ connections }: BuiltWorkflow, nodes: readonly Resolved[]): Resolved[] {
  const needs = new Map(nodes.map(({ id }) => [id, new Set(connections.filter(c => c.to === id).map(c => c.from))]))
  nodes.forEach(({ id, type }, i) => {
    if (!type.name.startsWith('Transaction')) return
    for (const before of nodes.slice(0, i)) needs.get(id)!.add(before.id)
    for (const behind of nodes.slice(i + 1)) needs.get(behind.id)!.add(id)
  })
  const ordered: Resolved[] = []
  const done = new Set<string>()
  while (ordered.length < nodes.length) {
    const next = nodes.find(({ id }) => !done.has(id) && [...needs.get(id)!].every(need => done.has(need)))
    if (!next) {
      const left = nodes.filter(({ id }) => !done.has(id)).map(({ id }) => id)
      throw bad(`These nodes wait for each other: ${left.join(', ')}`, 'remove the connection that closes the cycle.')
    }
    ordered.push(next)
    done.add(next.id)
  }
  return ordered
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

const show = (name: string) => name.replaceAll('\0', '\\0')

function bad(text: string, hint: string): DataFlowError {
  return new DataFlowError('BAD_WORKFLOW', `${text}.`, { op: 'workflow', hint })
}
