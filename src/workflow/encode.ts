// A plan with its input -> what crosses, and how its answers become the app's results.
import { decodeConflict } from '../encode/conflict.js'
import { prepare } from '../encode/operation.js'
import type { Prepared } from '../encode/options.js'
import type { Operation } from '../model.js'
import { modelNamed, type PageModel } from '../resolve.js'
import { prepareSql } from '../run-sql.js'
import { DataFlowError } from '../shared/errors.js'
import type { WireOperation } from '../shared/operation.js'
import type { Scope as DataScope } from '../shared/protocol.js'
import { isSqlExpr, type SqlQuery } from '../shared/sql.js'
import type { WireStep, WireStepResult } from '../shared/workflow.js'
import { bind, Bound, boundReferences, Group, repeatedReferences, type Scope } from './bind.js'
import type { Body, Plan, PlanNode } from './plan.js'
import { shapeOf, type Shape } from './shape.js'

type Step = { -readonly [K in keyof WireStep]: WireStep[K] }
type Models = ReadonlyMap<string, PageModel>

/** A node that was encoded: its step (none if it is known that it does not run), and its result out of the answer. */
interface Encoded {
  readonly step: Step | null
  /** What later nodes see under its name. */
  readonly result: unknown
  decode(answer: WireStepResult): unknown
}

/** Checks everything that is known, and encodes. Throws a DataFlowError; nothing was sent. */
export function prepareWorkflow(plan: Plan, input: unknown, models: Models, within: DataScope | null): Prepared {
  const encoder = new Encoder(models, within)
  const { steps, decode } = encoder.encodePlan(plan, input)
  return {
    wire: { op: 'workflow', name: plan.name, steps },
    decode: answers => decode(answers as readonly WireStepResult[]),
  }
}

class Encoder {
  readonly #models: Models
  readonly #within: DataScope | null
  #slots = 0
  /** Inside of a list that only the worker has. */
  #repeated = false

  constructor(models: Models, within: DataScope | null) {
    this.#models = models
    this.#within = within
  }

  encodePlan(
    { nodes }: Plan,
    input: unknown,
  ): { steps: Step[]; results: Map<string, unknown>; decode(answers: readonly WireStepResult[]): unknown } {
    const scope = new Map<string, unknown>([['input', input]])
    const encoded = nodes.map(node => {
      const one = atNode(node.name, () => this.#encodeNode(node, scope))
      scope.set(node.name, one.result)
      return one
    })
    scope.delete('input')
    return {
      steps: encoded.flatMap(({ step }) => step ?? []),
      results: scope,
      decode(answers) {
        let at = 0
        const values = encoded.map(({ step, decode }, i) => [
          nodes[i]!.name,
          decode(step ? answers[at++]! : { nothing: true }),
        ])
        return Object.fromEntries(values)
      },
    }
  }

  #encodeNode(node: PlanNode, scope: Scope): Encoded {
    const when = node.when === undefined ? true : bind(node.when, scope)
    const conditional = when instanceof Bound || isSqlExpr(when)
    if (!conditional && !when) return { step: null, result: null, decode: () => null }
    const encoded = node.each === undefined ? this.#encodeBody(node, scope) : this.#encodeEach(node, scope)
    if (!conditional) return encoded
    encoded.step!.when = when instanceof Bound ? when.toWire() : { sql: when.text, params: when.params }
    return orNull(encoded)
  }

  #encodeEach(node: PlanNode, scope: Scope): Encoded {
    // As in the worker, null is an empty list: its node did not run.
    const given = bind(node.each, scope)
    const list = given === null ? [] : given
    if (list instanceof Bound) return this.#encodeForEachBound(node, list, scope)
    if (!Array.isArray(list))
      throw bad('forEach needs a list', 'refer to the result of list(), or to a list of the input.')
    const inner = list.map((item, i) => {
      const one = this.#encodeBody(node, new Map(scope).set('item', item))
      one.step!.node = String(i)
      return one
    })
    const step = this.#step(node.name, { steps: inner.map(one => one.step!) })
    return {
      step,
      result: inner.map(one => one.result),
      decode: answer => stepsOf(answer).map((one, i) => inner[i]!.decode(one)),
    }
  }

  #encodeForEachBound(node: PlanNode, list: Bound, scope: Scope): Encoded {
    if (list.shape.is !== 'list' && list.shape.is !== 'unknown') {
      throw bad(`${list.place} is no list`, 'refer to the result of list().')
    }
    const item = this.#slots++
    const shape: Shape = list.shape.is === 'list' ? list.shape.of : list.shape
    const outside = this.#repeated
    this.#repeated = true
    const inner = this.#encodeBody(node, new Map(scope).set('item', new Bound(item, [], shape, 'item', () => {})))
    this.#repeated = outside
    const step = inner.step!
    step.each = { of: list.toWire(), item }
    return {
      step,
      result: this.#bound(step, { is: 'list', of: shapeOfResult(inner.result) }, useAll(inner.result)),
      decode: answer => stepsOf(answer).map(inner.decode),
    }
  }

  #encodeBody({ name, body, onError }: PlanNode, scope: Scope): Encoded {
    const encoded = this.#encodeRun(name, body, scope)
    if (onError === 'abort') return encoded
    encoded.step!.skip = true
    return {
      ...encoded,
      decode: answer =>
        'error' in answer ? decodeConflict(DataFlowError.fromWire(answer.error), this.#models) : encoded.decode(answer),
    }
  }

  #encodeRun(name: string, body: Body, scope: Scope): Encoded {
    if ('control' in body) return { step: this.#step(name, body), result: null, decode: () => null }
    if ('plan' in body) {
      const { steps, results, decode } = this.encodePlan(body.plan, bind(body.input, scope))
      return {
        step: this.#step(name, { steps }),
        result: new Group(results),
        decode: answer => decode(stepsOf(answer)),
      }
    }
    const { wire, decode, shape } = this.#encodeQuery(body, scope)
    const step = this.#step(name, wire)
    return { step, result: this.#bound(step, shape), decode: answer => decode(resultOf(answer)) }
  }

  #encodeQuery({ query, tell }: Extract<Body, { query: unknown }>, scope: Scope) {
    if (isSqlExpr(query)) {
      return { ...prepareSql(bind(query, scope) as SqlQuery<unknown>), shape: { is: 'unknown' } as const }
    }
    const { model: name, op, args } = query as Operation<unknown>
    const model = modelNamed(this.#models, name, op)
    const operation = { ...query, model: name, op, args: bind(args, scope) } as Operation<unknown>
    const references = this.#repeated ? repeatedReferences : boundReferences
    const { wire, decode } = prepare(model, operation, { references, scope: this.#within })
    if (!tell) return { wire, decode, shape: shapeOf(model, operation) }
    return {
      wire: { ...wire, tell } as WireOperation,
      decode: (answer: never) => ({ record: decode(answer), created: (answer as { created: boolean }).created }),
      shape: shapeOf(model, operation),
    }
  }

  #step(node: string, run: WireStep['run']): Step {
    return { node, slot: this.#slots++, kept: false, skip: false, run }
  }

  #bound(step: Step, shape: Shape, onUse = (): void => {}): Bound {
    return new Bound(step.slot, [], shape, step.node, () => {
      step.kept = true
      onUse()
    })
  }
}

/** A node that may not run gives null then, and later nodes see null. */
function orNull(encoded: Encoded): Encoded {
  return { ...encoded, decode: answer => ('nothing' in answer ? null : encoded.decode(answer)) }
}

function shapeOfResult(result: unknown): Shape {
  if (result instanceof Bound) return result.shape
  if (!(result instanceof Group)) return { is: 'unknown' }
  return { is: 'object', of: new Map([...result.results].map(([name, inner]) => [name, shapeOfResult(inner)])) }
}

/** The results of a workflow that runs for each item are kept as a whole. */
function useAll(result: unknown): () => void {
  return () => {
    if (result instanceof Bound) result.toWire()
    else if (result instanceof Group) for (const inner of result.results.values()) useAll(inner)()
  }
}

function stepsOf(answer: WireStepResult): readonly WireStepResult[] {
  return (answer as { steps: readonly WireStepResult[] }).steps
}

function resultOf(answer: WireStepResult): never {
  return (answer as { result: unknown }).result as never
}

function atNode<T>(node: string, work: () => T): T {
  try {
    return work()
  } catch (error) {
    if (!DataFlowError.is(error)) throw error
    throw error.with({ op: error.op ?? 'workflow', node: error.node === undefined ? node : `${node}.${error.node}` })
  }
}

function bad(text: string, hint: string): DataFlowError {
  return new DataFlowError('BAD_WORKFLOW', `${text}.`, { hint })
}
