// A workflow as it crosses: plain data, its steps in the order they run.
import type { StoredValue } from './definition.js'
import type { WireError } from './errors.js'
import type { WireOperation, WireResult } from './operation.js'

/** In place of a stored value: what an earlier step gave, at `path` in the result as an app would see it. */
export interface WireReference {
  /** Number of that step. */
  readonly slot: number
  readonly path: readonly (string | number)[]
}

/** A new UUID, each time it is looked at. */
export const NEW_ID: WireReference = { slot: -1, path: [] }

export interface WireStep {
  /** What errors call it. */
  readonly node: string
  /** Its result is kept under this number for the steps behind it. */
  readonly slot: number
  /** Whether a later step refers to it. */
  readonly kept: boolean
  /** Runs only if this holds: a value that JavaScript takes for true, or an SQL expression that is true. */
  readonly when?: WireReference | { readonly sql: string; readonly params: readonly StoredValue[] }
  /** Runs once for each item of a list, which is kept under the number `item` meanwhile. */
  readonly each?: { readonly of: WireReference; readonly item: number }
  /** When it fails, what it did is taken back and the workflow goes on. */
  readonly skip: boolean
  readonly run: WireOperation | { readonly steps: readonly WireStep[] } | WireControl
}

/** So many scopes and savepoints may be open at once: each is a frame of the runner's. */
export const MAX_OPEN = 100

/** A mark in the order of the steps. `name` is the scope's or the savepoint's. */
export interface WireControl {
  readonly control: 'scope' | 'commit' | 'rollback' | 'savepoint' | 'rollbackTo'
  readonly name: string
}

/** Runs in one transaction, as one operation. */
export interface WireWorkflow {
  readonly op: 'workflow'
  readonly name: string
  readonly steps: readonly WireStep[]
  readonly method?: string
}

/** What a step gave. */
export type WireStepResult =
  | { readonly result: WireResult }
  | { readonly steps: readonly WireStepResult[] }
  | { readonly error: WireError }
  /** `when` did not hold, or it is a mark only. */
  | { readonly nothing: true }

/** The references of operations in place of values: the compiler of TypeScript takes them for stored values. */
export function asStored(reference: WireReference): StoredValue {
  return reference as never
}

export function isWireReference(value: unknown): value is WireReference {
  return typeof value === 'object' && value !== null && 'slot' in value
}

/** An SQL condition as the query that gives 1 if it is true. */
export function conditionQuery({ sql, params }: Extract<WireStep['when'], { sql: string }>): WireOperation {
  return { op: 'sql', sql: `SELECT (${sql}\n) IS TRUE`, params, method: 'when' }
}

/** All operations of steps, those of nested steps and of conditions too. */
export function operationsOf(steps: readonly WireStep[]): WireOperation[] {
  return steps.flatMap(({ run, when }) => [
    ...(when && 'sql' in when ? [conditionQuery(when)] : []),
    ...('op' in run ? [run] : 'steps' in run ? operationsOf(run.steps) : []),
  ])
}
