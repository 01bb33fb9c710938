// Long work on the page's thread, in slices: between two of them the page draws and answers its user.

/** ms. Of a frame's 16 the page needs its own share. */
const SLICE_MS = 6

export class Slices {
  #since = performance.now()

  /** The slice is over: `pause` should be awaited before anything else is done. */
  get over(): boolean {
    return performance.now() - this.#since >= SLICE_MS
  }

  async pause(): Promise<void> {
    await letThePageRun()
    this.#since = performance.now()
  }
}

/** Not by a timer: nested ones are held back for 4 ms each, and for a second in a tab that is not seen. */
function letThePageRun(): Promise<void> {
  const { scheduler } = globalThis as { scheduler?: { yield?(): Promise<void> } }
  if (scheduler?.yield) return scheduler.yield()
  const { port1, port2 } = new MessageChannel()
  return new Promise(resolve => {
    port1.onmessage = () => {
      port1.close()
      resolve()
    }
    port2.postMessage(null)
  })
}
