// The file as it was at one moment: it shares the file's chunks until they are about to change.
import type { FileSnapshot } from '../seams.js'

type Bytes = Uint8Array<ArrayBuffer>

export class Snapshot implements FileSnapshot {
  readonly size: number
  readonly chunkCount: number
  #chunks: Bytes[]
  readonly #onRelease: () => void

  constructor(chunks: Bytes[], size: number, onRelease: () => void) {
    this.#chunks = chunks
    this.chunkCount = chunks.length
    this.size = size
    this.#onRelease = onRelease
  }

  chunk(n: number): Bytes {
    const chunk = this.#chunks[n]
    if (!chunk) throw new RangeError(`The snapshot has no chunk ${n}, or was released`)
    return chunk
  }

  shares(n: number, live: Bytes): boolean {
    return this.#chunks[n] === live
  }

  /** `copy` is what the chunk holds now, before it changes. */
  keep(n: number, copy: Bytes): void {
    this.#chunks[n] = copy
  }

  release(): void {
    this.#chunks = []
    this.#onRelease()
  }
}
