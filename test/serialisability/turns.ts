// Who goes on next is drawn: the same number gives the same order again.
import { settle } from '../semantics/support.js'

export class Turns {
  readonly #draw: () => number
  #waiting: (() => void)[] = []

  constructor(seed: number) {
    this.#draw = mulberry32(seed)
  }

  /** Waits until it is drawn. */
  take(): Promise<void> {
    return new Promise(resolve => this.#waiting.push(resolve))
  }

  /** Gives turns until all have ended. `onIdle`: all wait for the engine, which waits for time to pass. */
  async until(all: Promise<unknown>, onIdle: () => void): Promise<void> {
    const ended = new AbortController()
    const end = all.finally(() => ended.abort())
    end.catch(() => {})
    for (;;) {
      await settle()
      if (ended.signal.aborted) break
      const [next] = this.#waiting.splice(Math.floor(this.#draw() * this.#waiting.length), 1)
      if (next) next()
      else onIdle()
    }
    await end
  }
}

function mulberry32(seed: number): () => number {
  let a = seed
  return () => {
    a = (a + 0x6d2b79f5) | 0
    let t = Math.imul(a ^ (a >>> 15), 1 | a)
    t = (t + Math.imul(t ^ (t >>> 7), 61 | t)) ^ t
    return ((t ^ (t >>> 14)) >>> 0) / 2 ** 32
  }
}
