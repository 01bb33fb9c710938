// What clients did, when, and what they saw; and the search for an order, one after the other, that explains all of it.
import type fc from 'fast-check'
import type { Client } from './client.js'
import type { State } from './operations.js'

/** A kind of thing that a client does. What it `perform`s is recorded; `replay` is what that means with one thread. */
export interface Kind<Action extends { readonly kind: string }, Record> {
  readonly arbitrary: fc.Arbitrary<Action>
  perform(client: Client, action: Action): Promise<Record>
  /** null when it cannot have happened on these rows. */
  replay(before: State, record: Record): { readonly state: State; readonly wrote: readonly string[] } | null
}

/** Something that was done: between these two moments, and at one of them. */
export interface Event {
  readonly client: number
  readonly start: number
  end: number
  readonly action: unknown
  record: unknown
  replay(before: State): { readonly state: State; readonly wrote: readonly string[] } | null
}

export interface Order {
  readonly events: readonly Event[]
  readonly state: State
  readonly wrote: ReadonlySet<string>
}

/**
 * An order in which the events explain each other and end in `final`, in which none stands before one that had been
 * answered when it began; null when there is none.
 */
export function findOrder(events: readonly Event[], initial: State, final: State): Order | null {
  const seen = new Set<string>()
  const keyOf = (state: State) => JSON.stringify([...state].sort(([a], [b]) => (a < b ? -1 : 1)))
  const end = keyOf(final)
  const search = (
    left: readonly Event[],
    order: readonly Event[],
    state: State,
    wrote: readonly string[],
  ): Order | null => {
    if (left.length === 0) return keyOf(state) === end ? { events: order, state, wrote: new Set(wrote) } : null
    const key = `${left.map(event => events.indexOf(event)).join()} ${keyOf(state)}`
    if (seen.has(key)) return null
    seen.add(key)
    const first = Math.min(...left.map(event => event.end))
    for (const event of left) {
      if (event.start > first) continue
      const after = event.replay(state)
      if (!after) continue
      const found = search(
        left.filter(other => other !== event),
        [...order, event],
        after.state,
        [...wrote, ...after.wrote],
      )
      if (found) return found
    }
    return null
  }
  return search(events, [], initial, [])
}
