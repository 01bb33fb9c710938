// Long work on the page's thread, in slices: between two of them the page draws and answers its user.

/** ms. Of a frame's 16 the page needs its own share. */
const SLICE_MS = 6

/** The clock is looked at once in so many times: a look takes as long as a small row. */
const LOOK = 8

export class Slices {
  #since = performance.now()
  #asked = 0

  /** The slice is over: `pause` should be awaited before anything else is done. */
  get over(): boolean {
    return ++this.#asked % LOOK === 0 && performance.now() - this.#since >= SLICE_MS
  }

  async pause(): Promise<void> {
    await letThePageRun()
    this.#since = performance.now()
  }
}

/**
 * Not by a timer: nested ones are held back for 4 ms each, and for a second in a tab that is not seen. Not by
 * scheduler.yield(): what goes on behind it goes before the timers of the page, which would wait for a whole chunk.
 */
function letThePageRun(): Promise<void> {
  const { port1, port2 } = new MessageChannel()
  return new Promise(resolve => {
    port1.onmessage = () => {
      port1.close()
      resolve()
    }
    port2.postMessage(null)
  })
}
