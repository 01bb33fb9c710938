// What the codes of rejected promises promise.
import type { ErrorCode } from 'dataflow-edge'

/** After these nobody can know, except by looking: the worker died, or IndexedDB did not say how it ended. */
const UNSURE: readonly ErrorCode[] = ['WORKER_CRASHED', 'STORAGE']

/** True when a call that rejected with this code was certainly not done. */
export function rejectsForSure(code: string): boolean {
  return !(UNSURE as readonly string[]).includes(code)
}
