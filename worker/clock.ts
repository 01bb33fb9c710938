// The clock of the real world.
import type { Clock } from './seams.js'

/** setTimeout takes 31 bits of milliseconds, and fires at once for more. */
const LONGEST = 2 ** 31 - 1

export const systemClock: Clock = {
  now: () => Date.now(),
  monotonic: () => performance.now(),
  /** Infinity: never. */
  after(ms, callback) {
    let timer: ReturnType<typeof setTimeout>
    const wait = (left: number): void => {
      timer = left > LONGEST ? setTimeout(() => wait(left - LONGEST), LONGEST) : setTimeout(callback, left)
    }
    wait(ms)
    return () => clearTimeout(timer)
  },
}
