// Saves what a message wrote, and answers it after its flush if it has a write that waits for one (semantics 13).
import type { WireError } from '../src/shared/errors.js'
import type { Durability } from '../src/shared/operation.js'
import type { Unit } from '../src/shared/protocol.js'
import type { Changes } from './changes.js'
import type { Attempt, UnitOutcome } from './message.js'
import type { Open } from './open.js'

/** From the weakest. */
const STRICTNESS: readonly Durability[] = ['deferred', 'relaxed', 'strict']

export function strictest(levels: Iterable<Durability>): Durability {
  return STRICTNESS[Math.max(...Array.from(levels, level => STRICTNESS.indexOf(level)))]!
}

export interface SaveMessageParts {
  /** Of units that ask for none. */
  readonly durability: Durability
  publish(changes: Changes): void
  toWire(error: unknown): WireError
}

/** To be called right after the message was run. */
export async function saveMessage(
  { saver, runner, ensure }: Open,
  units: readonly Unit[],
  { outcomes, wrote, checked, changes }: Attempt,
  { durability, publish, toWire }: SaveMessageParts,
): Promise<UnitOutcome[]> {
  const levels = units.filter((_, i) => wrote[i] || checked[i]).map(unit => unit.durability ?? durability)
  if (levels.length === 0) return outcomes
  const saved = saver.committed(strictest(levels))
  publish(changes)
  try {
    await saved
    return outcomes
  } catch (error) {
    const failure = { error: toWire(error) }
    // What was only read may have seen what is taken back: it is read again.
    const reads = units.filter((_, i) => !wrote[i])
    const again = [...runner.run(reads, ensure.ticket).outcomes]
    return units.map((_, i) => (wrote[i] ? failure : again.shift()!))
  }
}
