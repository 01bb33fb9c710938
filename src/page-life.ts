// What the life of the page means for its worker: what is deferred is saved when the page is left, and a page that the
// browser keeps without running it (back/forward cache, frozen tab) keeps no worker.

export interface PageLifeParts {
  /** The page is hidden or left: it may never come back. */
  onLeave(): void
  /** The page will not run until it is shown again. */
  onAside(): void
}

export class PageLife {
  readonly #parts: PageLifeParts
  #watching: AbortController | null = null
  #aside: Promise<void> | null = null

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
    const onPageHide = ({ persisted }: PageTransitionEvent) => (persisted ? this.#putAside() : onLeave())
    globalThis.addEventListener('pagehide', onPageHide, { signal })
    document.addEventListener('freeze', () => this.#putAside(), { signal })
  }

  unwatch(): void {
    this.#watching?.abort()
    this.#watching = null
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
