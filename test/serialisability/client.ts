// One client of the engine: what a page of its own would send. It remembers what it has read last.
import { DataFlowError } from '../../src/shared/errors.js'
import type { Durability } from '../../src/shared/operation.js'
import { leaseOf, unitOf } from '../semantics/support.js'
import { unwrap, type LocalDatabase } from '../support/local.js'
import { answerOf, models, queryOf, type Op, type Result } from './operations.js'
import type { Turns } from './turns.js'

export type Lease = ReturnType<typeof leaseOf>

/** What was really asked, and the answer. */
export interface Unit {
  readonly did: readonly Op[]
  readonly result: Result
}

let ids = 5_000_000

export class Client {
  readonly db: LocalDatabase<typeof models>
  readonly turns: Turns
  readonly pass: (ms: number) => void
  #lastRead = 0

  constructor(db: LocalDatabase<typeof models>, turns: Turns, pass: (ms: number) => void) {
    this.db = db
    this.turns = turns
    this.pass = pass
  }

  nextId(): number {
    return ++ids
  }

  /**
   * One message: units that succeed or fail each by itself. `cancelled` is called when it is on its way, with the numbers
   * of its units.
   */
  async send(
    groups: readonly (readonly Op[])[],
    {
      lease,
      durability = null,
      onSent,
    }: { lease?: Lease; durability?: Durability | null; onSent?: (ids: number[]) => unknown } = {},
  ): Promise<Unit[]> {
    const asked = groups.map(ops => ops.map(op => this.#resolve(op)))
    const items = asked.map(ops => ops.map(op => unitOf(models, queryOf(op), lease?.id)))
    const units = items.map(ops => ({
      ...ops[0]!.unit,
      id: this.nextId(),
      durability,
      ops: ops.flatMap(({ unit }) => unit.ops),
    }))
    const answering = unwrap(this.db.engine.run(structuredClone(units)))
    await onSent?.(units.map(unit => unit.id))
    const outcomes = await answering
    return asked.map((did, i) => {
      const outcome = outcomes[i]!
      if ('error' in outcome) return { did, result: { failed: DataFlowError.fromWire(outcome.error).code } }
      const ok = did.map((op, j) => answerOf(op, items[i]![j]!.decode(outcome.ok[j]! as never)))
      did.forEach((op, j) => {
        if (op.op === 'read') this.#lastRead = (ok[j] as number | null) ?? 0
      })
      return { did, result: { ok } }
    })
  }

  #resolve(op: Op): Op {
    return op.op === 'carry' ? { op: 'upsert', id: op.id, n: this.#lastRead + 1 } : op
  }
}

/** The code it fails with, or null. */
export async function codeOf(promise: Promise<unknown>): Promise<string | null> {
  try {
    await promise
    return null
  } catch (error) {
    if (!DataFlowError.is(error)) throw error
    return error.code
  }
}
