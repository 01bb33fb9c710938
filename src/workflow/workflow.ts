// workflow(): a typed graph of operations, recorded on the page, run in the worker: one round trip, one transaction.
import { isOperation, type Operation } from '../model.js'
import { badOption, named, readOptions } from '../encode/options.js'
import type { QueryResult } from '../database.js'
import { DataFlowError } from '../shared/errors.js'
import { makeReference, placeOf, type OrRefs, type Ref, type Refs } from '../shared/reference.js'
import type { Simplify, TypeError } from '../shared/schema.js'
import { isSqlExpr, type SqlExpr, type SqlQuery } from '../shared/sql.js'
import { PLAN, planOf, type Body, type Plan, type PlanNode } from './plan.js'

declare const TYPES: unique symbol

type Query = Operation<any> | SqlQuery<any>

/** What a node's function is given: the input, and a reference to what each earlier node gives. */
export type NodeContext<In, Out> = { readonly input: Refs<In> } & {
  readonly [K in keyof Out]: Refs<Referred<Out[K]>>
}
/** A node that was skipped is null to later ones. */
type Referred<T> = [Extract<T, DataFlowError>] extends [never] ? T : Exclude<T, DataFlowError> | null

type Holds = Ref<unknown> | SqlExpr<boolean>
type Policy = 'abort' | 'skip'

/** How a node runs. `Condition` and `OnError` are what was given, `never` and 'abort' if nothing was. */
export interface NodeOptions<Context, Condition extends Holds = Holds, OnError extends Policy = Policy> {
  /** The node runs only if this holds; otherwise its result is null. */
  when?: (context: Context) => Condition
  /** 'skip': when the node fails, what it did is taken back, its result is the error, and the workflow goes on. */
  onError?: OnError
}

type OrNull<Condition> = [Condition] extends [never] ? never : null
type OrError<OnError> = OnError extends 'skip' ? DataFlowError : never
type With<In, Out, N extends string, T> = Workflow<In, Simplify<Out & { [K in N]: T }>>
type Free<N extends string, Out> = N extends keyof Out | 'input' | 'item'
  ? TypeError<`"${N}" is taken: every node has a name of its own`>
  : N

/** A workflow that takes `In` and gives `Out`, by the names of its nodes. Each method returns a longer one. */
export interface Workflow<In, Out> {
  readonly name: string
  readonly [TYPES]?: [In, Out]
  readonly [PLAN]: Plan
  /** An operation or a raw query, with references to the input and to earlier nodes in place of values. */
  node<const N extends string, Q extends Query, C extends Holds = never, const E extends Policy = 'abort'>(
    name: N & Free<N, Out>,
    build: (context: NodeContext<In, Out>) => Q,
    options?: NodeOptions<NodeContext<In, Out>, C, E>,
  ): With<In, Out, N, QueryResult<Q> | OrNull<C> | OrError<E>>
  /** The same for each item of a list: a result of an earlier node, or a part of the input. */
  forEach<const N extends string, Item, Q extends Query, C extends Holds = never, const E extends Policy = 'abort'>(
    name: N & Free<N, Out>,
    list: (context: NodeContext<In, Out>) => Ref<readonly Item[]>,
    build: (context: NodeContext<In, Out> & { readonly item: Refs<Item> }) => Q,
    options?: NodeOptions<NodeContext<In, Out>, C, E>,
  ): With<In, Out, N, (QueryResult<Q> | OrError<E>)[] | OrNull<C>>
  /** Another workflow as one node: its results are this node's. */
  workflow<const N extends string, ChildIn, ChildOut, C extends Holds = never, const E extends Policy = 'abort'>(
    name: N & Free<N, Out>,
    child: Workflow<ChildIn, ChildOut>,
    input: (context: NodeContext<In, Out>) => OrRefs<ChildIn>,
    options?: NodeOptions<NodeContext<In, Out>, C, E>,
  ): With<In, Out, N, ChildOut | OrNull<C> | OrError<E>>
}

/**
 * Begins a workflow: a graph of operations in which later nodes use what earlier ones give. `db.execute(workflow, input)`
 * runs it in one round trip and one transaction, all or nothing. The same value can be executed any number of times.
 *
 * @example
 * const signup = workflow<{ email: string }>('signup')
 *   .node('user', ({ input }) => User.create({ email: input.email, name: 'New' }))
 *   .node('post', ({ user }) => Post.create({ authorId: user.id, title: 'Welcome' }))
 * const { user, post } = await db.execute(signup, { email: 'ada@example.com' })
 *
 * A reference such as `user.id` throws a DataFlowError `BAD_WORKFLOW` when it is used as a string or a number.
 */
export function workflow<In = {}>(name: string): Workflow<In, {}> {
  if (typeof name !== 'string' || name === '') throw bad('A workflow has a name.', "workflow('signup').")
  return new Recorder(name, []) as unknown as Workflow<In, {}>
}

type Build = (context: Record<string, unknown>) => unknown

class Recorder {
  readonly name: string
  readonly [PLAN]: Plan

  constructor(name: string, nodes: readonly PlanNode[]) {
    this.name = name
    this[PLAN] = { name, nodes }
  }

  node(name: string, build: Build, options?: NodeOptions<any>): Recorder {
    const context = this.#context(name)
    return this.#with(name, queryBody(name, call(name, build, context)), options, context)
  }

  forEach(name: string, list: Build, build: Build, options?: NodeOptions<any>): Recorder {
    const context = this.#context(name)
    const each = call(name, list, context)
    if (!placeOf(each)) throw bad(`${name}: forEach needs a reference to a list.`, '({ posts }) => posts.')
    const body = queryBody(name, call(name, build, references(this[PLAN].nodes, 'input', 'item')))
    return this.#with(name, body, options, context, each)
  }

  workflow(name: string, child: unknown, input: Build, options?: NodeOptions<any>): Recorder {
    const context = this.#context(name)
    const plan = planOf(child)
    if (!plan) throw bad(`${name} is no workflow.`, 'pass what workflow() made.')
    return this.#with(name, { plan, input: call(name, input, context) }, options, context)
  }

  #context(name: unknown): Record<string, unknown> {
    const { nodes } = this[PLAN]
    if (typeof name !== 'string' || !/^[A-Za-z][A-Za-z0-9_]*$/.test(name)) {
      throw bad('The name of a node must be an identifier.', "node('user', ...).")
    }
    if (name === 'input' || name === 'item' || nodes.some(node => node.name === name)) {
      throw bad(`"${name}" is taken.`, 'every node has a name of its own; input and item have a meaning.')
    }
    return references(nodes, 'input')
  }

  #with(
    name: string,
    body: Body,
    options: NodeOptions<any> | undefined,
    context: Record<string, unknown>,
    each?: unknown,
  ): Recorder {
    const { when, onError = 'abort' } = named({ op: 'workflow' }, () => readOptions(options, ['when', 'onError']))
    if (onError !== 'abort' && onError !== 'skip') {
      throw badOption(`onError of ${name} knows no such policy.`, "use 'abort' or 'skip'.")
    }
    const node: PlanNode = {
      name,
      body,
      onError,
      ...(when === undefined ? {} : { when: condition(name, when as Build, context) }),
      ...(each === undefined ? {} : { each }),
    }
    return new Recorder(this.name, [...this[PLAN].nodes, node])
  }
}

/** Each is made when it is asked for: a workflow of many nodes has as many references for each of them. */
function references(nodes: readonly PlanNode[], ...others: string[]): Record<string, unknown> {
  const isKnown = (name: unknown) => others.includes(name as string) || nodes.some(node => node.name === name)
  const get = (name: unknown) => (isKnown(name) ? makeReference(name as string) : undefined)
  return new Proxy(
    {},
    {
      get: (_, name) => get(name),
      ownKeys: () => [...others, ...nodes.map(node => node.name)],
      getOwnPropertyDescriptor: (_, name) => {
        const value = get(name)
        return value && { value, enumerable: true, configurable: true }
      },
    },
  )
}

function call(name: string, build: Build, context: Record<string, unknown>): unknown {
  if (typeof build === 'function' && !placeOf(build)) return build(context)
  throw bad(`${name} needs a function.`, `.node('${name}', ({ input }) => User.create({ name: input.name })).`)
}

function queryBody(name: string, query: unknown): Body {
  if (isOperation(query) || isSqlExpr(query)) return { query: query as Operation<unknown> }
  throw bad(`${name} gives no operation.`, 'return User.create({ ... }), or a query of the sql tag.')
}

function condition(name: string, when: Build, context: Record<string, unknown>): unknown {
  const holds = call(name, when, context)
  if (placeOf(holds) || isSqlExpr(holds)) return holds
  throw bad(`when of ${name} gives no condition.`, 'return a reference, or an expression of the sql tag.')
}

function bad(text: string, hint: string): DataFlowError {
  return new DataFlowError('BAD_WORKFLOW', text, { op: 'workflow', hint })
}
