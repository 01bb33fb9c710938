// Transactions with savepoints: committed, rolled back, broken by their timeout, aborted while they wait, and used wrongly.
import fc from 'fast-check'
import { unwrap } from '../support/local.js'
import { models } from './operations.js'
import { leaseOf } from '../semantics/support.js'
import { codeOf, type Client, type Lease, type Unit } from './client.js'
import type { Kind } from './history.js'
import { same } from './messages.js'
import { operation, replay, type Op, type State } from './operations.js'

type Step =
  /** Of one message. */
  | { readonly step: 'run'; readonly units: readonly (readonly Op[])[] }
  /** By what the savepoint is in. */
  | { readonly step: 'outOfTurn'; readonly op: Op }
  | { readonly step: 'pass'; readonly ms: number }
  | { readonly step: 'savepoint'; readonly steps: readonly Step[]; readonly back: boolean; readonly sibling: boolean }

interface Transaction {
  readonly kind: 'transaction'
  readonly steps: readonly Step[]
  readonly end: 'commit' | 'rollback'
  readonly timeout: number
  readonly maxWait: number
  readonly cancel: boolean
  readonly late: Op
}

type StepRecord =
  | { readonly step: 'run'; readonly units: readonly Unit[] }
  | { readonly step: 'outOfTurn'; readonly unit: Unit }
  /** `end`: null when it was kept or taken back as it was to be, else the code. */
  | {
      readonly step: 'savepoint'
      readonly steps: readonly StepRecord[]
      readonly back: boolean
      readonly end: string | null
    }

interface TransactionRecord {
  readonly steps: readonly StepRecord[]
  readonly end: { readonly begun: boolean; readonly committed: boolean; readonly code: string | null }
  readonly late: readonly Unit[]
}

const { steps } = fc.letrec<{ steps: Step[]; step: Step }>(tie => ({
  steps: fc.array(tie('step'), { maxLength: 5 }),
  step: fc.oneof(
    { depthSize: 'small', withCrossShrink: true },
    {
      weight: 6,
      arbitrary: fc.record({
        step: fc.constant('run' as const),
        units: fc.array(fc.array(operation, { minLength: 1, maxLength: 2 }), { minLength: 1, maxLength: 2 }),
      }),
    },
    { weight: 1, arbitrary: fc.record({ step: fc.constant('outOfTurn' as const), op: operation }) },
    { weight: 1, arbitrary: fc.record({ step: fc.constant('pass' as const), ms: fc.constantFrom(10, 60) }) },
    {
      weight: 3,
      arbitrary: fc.record({
        step: fc.constant('savepoint' as const),
        steps: tie('steps'),
        back: fc.boolean(),
        sibling: fc.boolean(),
      }),
    },
  ),
}))

export const transactions: Kind<Transaction, TransactionRecord> = {
  arbitrary: fc.record({
    kind: fc.constant('transaction' as const),
    steps: steps.filter(steps => steps.length > 0),
    end: fc.oneof({ weight: 3, arbitrary: fc.constant('commit' as const) }, fc.constant('rollback' as const)),
    timeout: fc.constantFrom(50, 1000),
    maxWait: fc.constantFrom(50, 100_000),
    cancel: fc.oneof({ weight: 5, arbitrary: fc.constant(false) }, fc.constant(true)),
    late: operation,
  }),

  async perform(client, { steps, end, timeout, maxWait, cancel, late }) {
    const { engine } = client.db
    const id = client.nextId()
    const beginning = unwrap(engine.begin({ maxWait, timeout, id }))
    if (cancel) {
      beginning.catch(() => {})
      await client.turns.take()
      await unwrap(engine.cancel([id]))
    }
    let token = 0
    const notBegun = await codeOf(beginning.then(answer => (token = answer)))
    if (notBegun) return { steps: [], end: { begun: false, committed: false, code: notBegun }, late: [] }
    const lease = leaseOf(client.db, models, token)
    const done: StepRecord[] = []
    await perform(client, steps, done, lease, null)
    const code = await codeOf(lease[end]())
    await client.turns.take()
    return {
      steps: done,
      end: { begun: true, committed: end === 'commit' && code === null, code },
      late: await client.send([[late]], { lease }),
    }
  },

  replay(before, { steps, end, late }) {
    if (!late.every(({ result }) => 'failed' in result && ENDED.includes(result.failed))) return null
    if (!end.begun) {
      const right = end.code === 'ABORTED' || end.code === 'TX_TIMEOUT'
      return right ? { state: before, wrote: [] } : null
    }
    const inside = replaySteps(before, steps)
    if (!inside) return null
    // Broken once, it is never committed; and nothing else keeps it from that.
    if (end.code === null ? inside.broken : !ENDED.includes(end.code)) return null
    return end.committed ? inside : { state: before, wrote: [] }
  },
}

const ENDED = ['TX_CLOSED', 'TX_TIMEOUT']

async function perform(client: Client, steps: readonly Step[], done: StepRecord[], lease: Lease, outer: Lease | null) {
  for (const step of steps) {
    await client.turns.take()
    if (step.step === 'run') done.push({ step: 'run', units: await client.send(step.units, { lease }) })
    else if (step.step === 'pass') client.pass(step.ms)
    else if (step.step === 'outOfTurn') {
      if (outer) done.push({ step: 'outOfTurn', unit: (await client.send([[step.op]], { lease: outer }))[0]! })
    } else {
      const inner: StepRecord[] = []
      let opened: Lease | null = null
      const opening = lease.savepoint()
      // The second of two at once is refused, or finds that all has ended.
      if (step.sibling && (await codeOf(lease.savepoint())) === null) throw new Error('Two savepoints side by side')
      const refused = await codeOf(opening.then(lease => (opened = lease)))
      if (!opened) {
        done.push({ step: 'savepoint', steps: [], back: step.back, end: refused })
        continue
      }
      await perform(client, step.steps, inner, opened, lease)
      await client.turns.take()
      const end = await codeOf(step.back ? (opened as Lease).rollback() : (opened as Lease).commit())
      done.push({ step: 'savepoint', steps: inner, back: step.back, end })
    }
  }
}

interface Replayed {
  readonly state: State
  readonly wrote: string[]
  readonly broken: boolean
}

function replaySteps(before: State, steps: readonly StepRecord[]): Replayed | null {
  let state = before
  let broken = false
  const wrote: string[] = []
  for (const step of steps) {
    if (step.step === 'outOfTurn') {
      const { result } = step.unit
      if (!('failed' in result && ENDED.includes(result.failed))) return null
    } else if (step.step === 'run') {
      for (const { did, result } of step.units) {
        if ('failed' in result && ENDED.includes(result.failed)) {
          broken = true
          continue
        }
        const expected = replay(state, did)
        if (broken || !same(expected.result, result)) return null
        state = expected.state
        wrote.push(...expected.wrote)
      }
    } else {
      const inside = replaySteps(state, step.steps)
      if (!inside) return null
      broken ||= inside.broken || step.end !== null
      if (step.end !== null && !ENDED.includes(step.end)) return null
      if (step.back || broken) continue
      state = inside.state
      wrote.push(...inside.wrote)
    }
  }
  return { state, wrote, broken }
}
