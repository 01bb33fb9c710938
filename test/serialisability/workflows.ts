// Workflows: many steps in one message, later ones with what earlier ones gave, some skipped when they fail.
import fc from 'fast-check'
import { workflow } from '../../src/index.js'
import { resolveModels } from '../../src/resolve.js'
import { DataFlowError } from '../../src/shared/errors.js'
import { prepareExecute } from '../../src/workflow/execute.js'
import { unwrap } from '../support/local.js'
import type { Kind } from './history.js'
import { same } from './messages.js'
import { answerOf, models, operation, queryOf, replay, Row, type Op, type Result, type State } from './operations.js'

interface Workflow {
  readonly kind: 'workflow'
  /** A `carry` of a later step writes the number of this one. */
  readonly first: { readonly op: 'upsert'; readonly id: string; readonly n: number }
  readonly steps: readonly { readonly op: Op; readonly skip: boolean }[]
}

interface WorkflowRecord {
  readonly workflow: Workflow
  /** Of each step: its answer, or the code with which it was skipped; or the code of the whole. */
  readonly result: { readonly ok: readonly Result[] } | { readonly failed: string }
}

const id = fc.constantFrom('a', 'b', 'c', 'd')

export const workflows: Kind<Workflow, WorkflowRecord> = {
  arbitrary: fc.record({
    kind: fc.constant('workflow' as const),
    first: fc.record({ op: fc.constant('upsert' as const), id, n: fc.nat(9) }),
    steps: fc.array(fc.record({ op: operation, skip: fc.boolean() }), { minLength: 1, maxLength: 5 }),
  }),

  async perform(client, action) {
    const { first, steps } = action
    let made: any = workflow('steps').node('first', () => queryOf(first) as never)
    steps.forEach(({ op, skip }, i) => {
      const query = ({ first }: any) => (op.op === 'carry' ? Row.upsert({ id: op.id, n: first.n }) : queryOf(op))
      made = made.node(`step${i}`, query, skip ? { onError: 'skip' } : {})
    })
    const { prepared } = prepareExecute(made, {}, {}, resolveModels(models))
    const unit = { id: client.nextId(), ops: [prepared.wire], durability: null }
    const [outcome] = await unwrap(client.db.engine.run([structuredClone(unit)]))
    if ('error' in outcome!) return { workflow: action, result: { failed: DataFlowError.fromWire(outcome.error).code } }
    const results = prepared.decode(outcome!.ok[0]! as never) as Record<string, unknown>
    const ok = [{ op: first as Op }, ...steps].map(({ op }, i): Result => {
      const result = results[i === 0 ? 'first' : `step${i - 1}`]
      return DataFlowError.is(result) ? { failed: result.code } : { ok: [answerOf(op, result)] }
    })
    return { workflow: action, result: { ok } }
  },

  replay(before: State, { workflow: { first, steps }, result }) {
    let state = before
    const wrote: string[] = []
    const ok: Result[] = []
    let carried = 0
    for (const { op, skip } of [{ op: first as Op, skip: false }, ...steps]) {
      const done = replay(state, [op.op === 'carry' ? { op: 'upsert', id: op.id, n: carried } : op])
      if ('failed' in done.result && !skip) return same(done.result, result) ? { state: before, wrote: [] } : null
      if (ok.push(done.result) === 1) carried = (done.result as { ok: number[] }).ok[0]!
      state = done.state
      wrote.push(...done.wrote)
    }
    return same({ ok }, result) ? { state, wrote } : null
  },
}
