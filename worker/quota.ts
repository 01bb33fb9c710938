// Tells before the browser's room for the origin runs out. Asking costs a message to the browser's own process: once in a
// while, never for each flush.
import type { QuotaEvent } from '../src/shared/protocol.js'

const LEVELS = [0.8, 0.95]
const BYTES_BETWEEN = 8 * 1024 * 1024

/** What `navigator.storage.estimate()` gives; a browser may leave either out. */
export interface Estimate {
  readonly usage?: number
  readonly quota?: number
}

export interface QuotaParts {
  /** null: the browser does not say. */
  readonly estimate: (() => Promise<Estimate>) | null
  isWanted(): boolean
  tell(event: QuotaEvent): void
}

export class QuotaWatch {
  readonly #parts: QuotaParts
  #bytes = 0
  /** Levels that were told. */
  #told = 0

  constructor(parts: QuotaParts) {
    this.#parts = parts
  }

  wrote(bytes: number): void {
    this.#bytes += bytes
    if (this.#bytes >= BYTES_BETWEEN) void this.check()
  }

  async check(): Promise<void> {
    const { estimate, isWanted, tell } = this.#parts
    this.#bytes = 0
    if (!estimate || this.#told === LEVELS.length || !isWanted()) return
    // A browser that does not answer has nothing to warn of; the flush that finds no room tells it.
    const { usage, quota } = await estimate().catch((): Estimate => ({}))
    if (usage === undefined || !quota || !isWanted()) return
    const passed = LEVELS.filter(level => usage / quota >= level).length
    if (passed <= this.#told) return
    this.#told = passed
    tell({ usage, quota })
  }
}
