// A whole file, written to the store in slices: as a generation or as a backup. Each slice is a transaction of its own.
import type { UseStore } from 'idb-keyval'
import { DataFlowError } from '../../src/shared/errors.js'
import type { FileImage, LongWork } from '../seams.js'
import { sealChunk, sealedLength } from './chunk.js'
import type { Cipher } from './cipher.js'
import { CHUNK_SIZE, encodeChunk, type Head, type Key } from './format.js'
import { completed, writeAsOwner } from './transaction.js'

/** Chunks (256 KiB) for each transaction: whoever else writes waits for one slice at most. */
const SLICE = 4

export interface Target {
  readonly store: UseStore
  /** Who writes, asked for each slice; null where nobody owns the database. */
  owner(): Head | null
  readonly cipher: Cipher | null
  keyOf(n: number): Key
}

/** Returns the bytes stored. What was written stays when it rejects. */
export async function writeSlices(
  image: FileImage,
  { store, owner, cipher, keyOf }: Target,
  work: LongWork,
): Promise<number> {
  let bytes = 0
  for (let from = 0; from < image.chunkCount; from += SLICE) {
    throwIfAborted(work.signal)
    const writes: [Key, object][] = []
    for (let n = from; n < Math.min(from + SLICE, image.chunkCount); n++) {
      const length = Math.min(CHUNK_SIZE, image.size - n * CHUNK_SIZE)
      const chunk = { bytes: image.chunk(n).slice(0, length), at: -1 }
      const key = keyOf(n)
      writes.push([key, cipher ? await sealChunk(key, chunk, cipher) : encodeChunk(key, chunk)])
      bytes += sealedLength(length, cipher)
    }
    await store('readwrite', objects => {
      const put = () => writes.forEach(([key, value]) => objects.put(value, key))
      const head = owner()
      if (head) return writeAsOwner(objects, head, put)
      put()
      return completed(objects.transaction)
    })
    work.onProgress?.(Math.min((from + SLICE) * CHUNK_SIZE, image.size), image.size)
  }
  throwIfAborted(work.signal)
  return bytes
}

export function throwIfAborted(signal: AbortSignal | undefined): void {
  if (!signal?.aborted) return
  throw DataFlowError.is(signal.reason)
    ? signal.reason
    : new DataFlowError('ABORTED', 'The call was aborted; nothing was changed.', {}, signal.reason)
}
