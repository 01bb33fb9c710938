// Single operations, batches, and several of both in one message; some are taken back while they wait.
import fc from 'fast-check'
import { unwrap } from '../support/local.js'
import type { Client, Unit } from './client.js'
import type { Kind } from './history.js'
import { operation, replay, type Op, type State } from './operations.js'

interface Message {
  readonly kind: 'message'
  readonly units: readonly (readonly Op[])[]
  readonly cancel: boolean
  readonly durability: 'relaxed' | 'deferred' | null
}

const unit = fc.oneof(
  { weight: 3, arbitrary: fc.array(operation, { minLength: 1, maxLength: 1 }) },
  { weight: 1, arbitrary: fc.array(operation, { minLength: 2, maxLength: 4 }) },
)

export const messages: Kind<Message, readonly Unit[]> = {
  arbitrary: fc.record({
    kind: fc.constant('message' as const),
    units: fc.array(unit, { minLength: 1, maxLength: 3 }),
    cancel: fc.oneof({ weight: 3, arbitrary: fc.constant(false) }, fc.constant(true)),
    durability: fc.constantFrom('relaxed' as const, 'deferred' as const, null),
  }),

  perform(client: Client, { units, cancel, durability }) {
    const onSent = async (ids: number[]) => {
      await client.turns.take()
      await unwrap(client.db.engine.cancel(ids))
    }
    return client.send(units, { durability, ...(cancel ? { onSent } : {}) })
  },

  replay(before: State, units) {
    let state = before
    const wrote: string[] = []
    for (const { did, result } of units) {
      // ABORTED always means not done.
      if ('failed' in result && result.failed === 'ABORTED') continue
      const expected = replay(state, did)
      if (!same(expected.result, result)) return null
      state = expected.state
      wrote.push(...expected.wrote)
    }
    return { state, wrote }
  },
}

export const same = (a: unknown, b: unknown): boolean => JSON.stringify(a) === JSON.stringify(b)
