// The file as it was at one moment: it shares the file's chunks until they are about to change.
import { DataFlowError } from '../../src/shared/errors.js'
import type { FileSnapshot } from '../seams.js'

type Bytes = Uint8Array<ArrayBuffer>

export class Snapshot implements FileSnapshot {
  readonly size: number
  readonly chunkCount: number
  /** null for one that there was no memory to keep. */
  #chunks: (Bytes | null)[]
  readonly #onRelease: () => void

  constructor(chunks: Bytes[], size: number, onRelease: () => void) {
    this.#chunks = chunks
    this.chunkCount = chunks.length
    this.size = size
    this.#onRelease = onRelease
  }

  chunk(n: number): Bytes {
    const chunk = this.#chunks[n]
    if (chunk === null) {
      const hint = 'write less meanwhile, or close other tabs; nothing was changed.'
      const text = 'There was no memory left to keep the file as it was.'
      throw new DataFlowError('STORAGE', text, { hint, retryable: true })
    }
    if (chunk === undefined) throw new RangeError(`The snapshot has no chunk ${n}, or was released`)
    return chunk
  }

  shares(n: number, live: Bytes): boolean {
    return this.#chunks[n] === live
  }

  /** `copy` is what the chunk holds now, before it changes; null when it could not be made. */
  keep(n: number, copy: Bytes | null): void {
    this.#chunks[n] = copy
  }

  release(): void {
    this.#chunks = []
    this.#onRelease()
  }
}
