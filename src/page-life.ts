// What the life of the page means for its worker: what is deferred is saved when the page is left, and a page that the
// browser keeps without running it (back/forward cache, frozen tab) keeps no worker.

export interface PageLifeParts {
  /** Where workers that wait for the database ask for it. */
  readonly channel: string
  /** The page is hidden or left: it may never come back. */
  onLeave(): void
  /** The page will not run until it is shown again. */
  onAside(): void
}

export class PageLife {
  readonly #parts: PageLifeParts
  #watching: AbortController | null = null
  #aside: Promise<void> | null = null
  #asked: BroadcastChannel | null = null

  constructor(parts: PageLifeParts) {
    this.#parts = parts
  }

  /** Resolves when the page is shown again; null while it is not put aside. */
  get aside(): Promise<void> | null {
    return this.#aside
  }

  watch(): void {
    if (typeof document === 'undefined' || this.#watching) return
    this.#watching = new AbortController()
    const { signal } = this.#watching
    const { onLeave } = this.#parts
    const onHidden = () => document.visibilityState === 'hidden' && onLeave()
    document.addEventListener('visibilitychange', onHidden, { signal })
    globalThis.addEventListener('pagehide', onLeave, { signal })
    // Not when the page is only said to be kept: ending a busy worker in the middle of a reload crashes Chromium's renderer.
    document.addEventListener('freeze', () => this.#putAside(), { signal })
    // Chromium throws a page out of its cache when a message comes for it, and its worker with it, which may have been
    // frozen in the middle of something. A page that runs need not hear it.
    this.#asked = new BroadcastChannel(this.#parts.channel)
    this.#asked.onmessage = () => {}
  }

  unwatch(): void {
    this.#watching?.abort()
    this.#watching = null
    this.#asked?.close()
  }

  #putAside(): void {
    if (this.#aside) return
    const shown = new AbortController()
    const { signal } = shown
    this.#aside = new Promise(resolve => {
      const onShown = () => {
        shown.abort()
        this.#aside = null
        resolve()
      }
      document.addEventListener('resume', onShown, { signal })
      globalThis.addEventListener('pageshow', onShown, { signal })
    })
    this.#parts.onAside()
  }
}
