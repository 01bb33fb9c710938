// A workflow as it was recorded: nodes in the order they run, with references where values will be. Plain data, but for
// queries of the sql tag.
import type { Operation } from '../model.js'
import type { SqlQuery } from '../shared/sql.js'
import type { WireControl } from '../shared/workflow.js'

export interface Plan {
  readonly name: string
  readonly nodes: readonly PlanNode[]
}

export interface PlanNode {
  readonly name: string
  readonly body: Body
  /** A reference, an SQL expression, or a value that is known. */
  readonly when?: unknown
  /** A reference to a list, or a list: the body runs for each `item` of it. */
  readonly each?: unknown
  readonly onError: 'abort' | 'skip'
}

export type Body =
  | {
      readonly query: Operation<unknown> | SqlQuery<unknown>
      /** An upsert says whether it made the row. */
      readonly tell?: boolean
    }
  | { readonly plan: Plan; readonly input: unknown }
  | WireControl

/** What has a plan: a typed workflow. */
export const PLAN: unique symbol = Symbol.for('dataflow-edge.plan')

export function planOf(value: unknown): Plan | undefined {
  return typeof value === 'object' && value !== null ? (value as { [PLAN]?: Plan })[PLAN] : undefined
}
