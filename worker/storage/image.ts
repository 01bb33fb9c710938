// The file as it grows out of base chunks and log records while a database is opened.
import { CHUNK_SIZE } from './format.js'
import type { LogRecord } from './record.js'

export class Image {
  /** The arrays that IndexedDB gave: they become the file. */
  readonly chunks: Uint8Array<ArrayBuffer>[]
  size = 0

  constructor(chunks: Uint8Array<ArrayBuffer>[], size: number) {
    this.chunks = chunks
    this.#resize(size)
  }

  lay(record: LogRecord): void {
    this.#resize(record.size)
    for (const { position, bytes } of record.runs) {
      for (let done = 0; done < bytes.length;) {
        const at = (position + done) % CHUNK_SIZE
        const part = bytes.subarray(done, done + CHUNK_SIZE - at)
        this.chunks[Math.floor((position + done) / CHUNK_SIZE)]!.set(part, at)
        done += part.length
      }
    }
  }

  /** What lies behind a smaller size is zeros from now on, whatever a chunk newer than this record holds there. */
  #resize(size: number): void {
    const count = chunkCount(size)
    if (size < this.size) {
      this.chunks.length = Math.min(this.chunks.length, count)
      if (size % CHUNK_SIZE > 0) this.chunks[count - 1]!.fill(0, size % CHUNK_SIZE)
    }
    while (this.chunks.length < count) this.chunks.push(new Uint8Array(CHUNK_SIZE))
    this.size = size
  }
}

export function chunkCount(size: number): number {
  return Math.ceil(size / CHUNK_SIZE)
}

/** The chunks that a change of size cuts off, cuts into or adds. */
export function resizedChunks(before: number, after: number): { from: number; to: number } {
  return { from: Math.floor(Math.min(before, after) / CHUNK_SIZE), to: chunkCount(Math.max(before, after)) }
}
