// Runs a workflow: its steps in order, each with what earlier ones gave. Synchronous, inside a transaction of the caller.
import { v7 as uuidv7 } from 'uuid'
import { DataFlowError } from '../../src/shared/errors.js'
import type { WireOperation, WireResult, WireResults, WireTable, WireWritten } from '../../src/shared/operation.js'
import {
  conditionQuery,
  NEW_ID,
  type WireReference,
  type WireStep,
  type WireStepResult,
  type WireWorkflow,
} from '../../src/shared/workflow.js'
import { Changes } from '../changes.js'
import type { CompiledModel } from '../compile/model.js'
import type { Execution, Executor } from '../execute.js'
import { SqliteError, type Sqlite } from '../seams.js'
import { completeOperation } from './complete.js'
import { idsOf, valueOfResult } from './values.js'

export interface WorkflowParts {
  readonly db: Sqlite
  readonly executor: Executor
  readonly models: ReadonlyMap<string, CompiledModel>
  /** Called before each operation: what a failure is told of. */
  onOperation(at: At): void
  /** What a failure there is to an app. */
  describe(error: unknown, at: At): DataFlowError
}

/** An operation, and the name of its node; null where the node itself fails. */
export interface At {
  readonly op: WireOperation | null
  readonly node: string
}

/** Runs all steps. Throws what made one fail, unless that step is to be skipped then. */
export function runWorkflow(
  { steps }: WireWorkflow,
  execution: Execution,
  parts: WorkflowParts,
): readonly WireStepResult[] {
  return new Run(parts).run(steps, execution)
}

/** A scope or a savepoint is taken back; thrown up to where it began. */
class TakenBack {
  readonly name: string
  readonly at: number
  /** The savepoint stays where it is, and the steps behind go on from it. */
  readonly stays: boolean

  constructor(name: string, at: number, stays: boolean) {
    this.name = name
    this.at = at
    this.stays = stays
  }
}

/** Where a frame has ended, and which mark ended it: null for the last step. */
interface End {
  readonly at: number
  readonly ends: string | null
}

class Run {
  readonly #parts: WorkflowParts
  /** By slot: what the steps gave. */
  readonly #values = new Map<number, unknown>()
  /** Names of the nodes that are under way, outermost first. */
  readonly #path: string[] = []
  #at: At | null = null

  constructor(parts: WorkflowParts) {
    this.#parts = parts
  }

  run(steps: readonly WireStep[], execution: Execution): WireStepResult[] {
    const results: WireStepResult[] = []
    this.#until(steps, 0, execution, results)
    return results
  }

  // ---- scopes and savepoints -----------------------------------------------------------------------------------

  /** Runs from step `from` to the mark that ends the frame that it is in. */
  #until(steps: readonly WireStep[], from: number, execution: Execution, results: WireStepResult[]): End {
    for (let i = from; i < steps.length; i++) {
      const { run } = steps[i]!
      if (!('control' in run)) {
        results[i] = this.#step(steps[i]!, execution)
        continue
      }
      results[i] = { nothing: true }
      if (run.control === 'commit') return { at: i, ends: run.name }
      if (run.control === 'rollback') throw new TakenBack(run.name, i, false)
      if (run.control === 'rollbackTo') throw new TakenBack(run.name, i, true)
      const end = this.#frame(steps, i + 1, run.name, execution, results)
      // A scope has ended with the savepoints that were set in it.
      if (end.ends !== null && end.ends !== run.name) return end
      i = end.at
    }
    return { at: steps.length, ends: null }
  }

  #frame(
    steps: readonly WireStep[],
    start: number,
    name: string,
    execution: Execution,
    results: WireStepResult[],
  ): End {
    for (let from = start; ;) {
      try {
        return this.#atomically(execution, inner => this.#until(steps, from, inner, results))
      } catch (error) {
        if (!(error instanceof TakenBack) || error.name !== name) throw error
        if (!error.stays) return { at: error.at, ends: name }
        from = error.at + 1
      }
    }
  }

  /** What changed is told only if it is kept. */
  #atomically<T>(execution: Execution, work: (inner: Execution) => T): T {
    const changes = new Changes()
    const result = this.#parts.db.atomically(() => work({ ...execution, changes }))
    execution.changes.merge(changes)
    return result
  }

  // ---- steps ---------------------------------------------------------------------------------------------------

  #step(step: WireStep, execution: Execution): WireStepResult {
    this.#path.push(step.node)
    try {
      if (step.when && !this.#holds(step.when, execution)) {
        this.#forget(step)
        return { nothing: true }
      }
      if (!step.each) return this.#once(step, execution)
      const { of, item } = step.each
      const values: unknown[] = []
      const steps = this.#list(of).map((value, index) => {
        this.#values.set(item, value)
        this.#path.push(String(index))
        const result = this.#once(step, execution)
        this.#path.pop()
        values.push(this.#values.get(step.slot))
        return result
      })
      this.#values.set(step.slot, values)
      return { steps }
    } finally {
      this.#path.pop()
    }
  }

  #once(step: WireStep, execution: Execution): WireStepResult {
    if (!step.skip) return this.#body(step, execution)
    const depth = this.#path.length
    try {
      return this.#atomically(execution, inner => this.#body(step, inner))
    } catch (error) {
      if (error instanceof TakenBack || this.#at === null) throw error
      if (error instanceof SqliteError && (error.transactionLost || error.fatal)) throw error
      const failure = this.#parts.describe(error, this.#at)
      this.#path.length = depth
      this.#forget(step)
      return { error: failure.toWire() }
    }
  }

  #body({ run, slot, kept }: WireStep, execution: Execution): WireStepResult {
    if ('steps' in run) {
      const steps = this.run(run.steps, execution)
      if (kept) {
        const values = run.steps.map(({ node, slot: inner }) => [node, this.#values.get(inner)])
        this.#values.set(slot, Object.fromEntries(values))
      }
      return { steps }
    }
    if ('control' in run) throw new Error('A mark is no step of its own')
    const model = run.op === 'sql' ? undefined : this.#parts.models.get(run.model)
    this.#begin(run)
    const op = completeOperation(run, model, this.#valueAt)
    this.#begin(op)
    const result = this.#execute(op, run, execution)
    if (kept) this.#values.set(slot, valueOfResult(op, result, model))
    return { result }
  }

  /** What an earlier item of a list has left behind is not this one's. */
  #forget({ slot, run }: WireStep): void {
    this.#values.set(slot, null)
    if ('steps' in run) run.steps.forEach(inner => this.#forget(inner))
  }

  #begin(op: WireOperation | null): void {
    this.#at = { op, node: this.#path.join('.') }
    this.#parts.onOperation(this.#at)
  }

  #execute(op: WireOperation, asSent: WireOperation, execution: Execution): WireResult {
    const { executor } = this.#parts
    const created = op.op === 'upsert' && op.tell ? !this.#exists(op, execution) : undefined
    const result = executor.execute(op, execution)
    if (created !== undefined) return { ...(result as object), created } as WireResult
    if (op.op === 'read' && op.method === 'readOrThrow' && isEmptyAnswer(result as WireResults['read'])) {
      throw new DataFlowError('NOT_FOUND', 'there is no row with this key.', {
        hint: 'use read if the row may be missing.',
      })
    }
    // The page knows the row that it sent, but not what its references stood for.
    if (op.op === 'create' && op !== asSent && 'count' in (result as object)) {
      return { ...(result as object), row: op.row } as WireResult
    }
    if (op.op === 'insertMany' && op !== asSent) {
      return {
        ...(result as object),
        ids: idsOf(op, result as WireWritten, this.#parts.models.get(op.model)!),
      } as WireResult
    }
    return result
  }

  /** Whether the row that an upsert is about is there. NULL is equal to nothing. */
  #exists({ model, row, on }: Extract<WireOperation, { op: 'upsert' }>, execution: Execution): boolean {
    const { fields } = this.#parts.models.get(model)!.definition
    const values = on.map(field => ({ field, value: row[fields.findIndex(({ name }) => name === field)] }))
    if (values.some(({ value }) => value === null || value === undefined)) return false
    const of = values.map(({ field, value }) => ({ type: 'compare' as const, field, op: '=' as const, value: value! }))
    const where = { type: 'and' as const, of }
    return this.#parts.executor.execute({ op: 'count', model, where, method: 'upsert' }, execution) !== 0
  }

  #holds(when: NonNullable<WireStep['when']>, execution: Execution): boolean {
    if ('slot' in when) return Boolean(this.#valueAt(when))
    const query = conditionQuery(when)
    this.#begin(query)
    const op = completeOperation(query, undefined, this.#valueAt)
    const { rows } = this.#parts.executor.execute(op, execution) as WireTable
    return rows[0]![0] === 1
  }

  #list(reference: WireReference): readonly unknown[] {
    const list = this.#valueAt(reference) ?? []
    if (Array.isArray(list)) return list
    this.#begin(null)
    throw new DataFlowError('BAD_WORKFLOW', 'forEach needs a list.', { hint: 'refer to the result of list().' })
  }

  readonly #valueAt = ({ slot, path }: WireReference): unknown => {
    if (slot === NEW_ID.slot) return uuidv7()
    let value = this.#values.get(slot) ?? null
    for (const name of path) {
      if (value === null) return null
      value = Object.hasOwn(value as object, name) ? ((value as Record<string | number, unknown>)[name] ?? null) : null
    }
    return value
  }
}

function isEmptyAnswer(rows: WireResults['read']): boolean {
  return ('columns' in rows ? rows.columns[0] : rows.json) === '[]'
}
