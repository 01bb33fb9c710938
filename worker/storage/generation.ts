// A whole file in place of the one that is saved: written beside it as the next generation, then switched to in one put.
import { get, type UseStore } from 'idb-keyval'
import type { FileImage, LongWork } from '../seams.js'
import type { Cipher } from './cipher.js'
import {
  baseKey,
  baseFrom,
  databasePageSize,
  decodeHead,
  encodeHead,
  encodeTail,
  HEAD,
  TAIL,
  type Head,
} from './format.js'
import { writeSlices } from './slices.js'
import { completed, writeAsOwner } from './transaction.js'

/** What the next generation follows. */
export interface Before {
  readonly gen: number
  readonly epoch: number
  /** Who writes, and may have been replaced; null where nobody owns the database. */
  readonly owner: Head | null
}

/** Resolves with the head that is to be switched to. If it rejects, nothing refers to what was written. */
export async function writeGeneration(
  store: UseStore,
  { gen: last, epoch, owner }: Before,
  image: FileImage,
  cipher: Cipher | null,
  work: LongWork,
): Promise<Head> {
  const gen = last + 1
  const { size, chunkCount: chunks } = image
  const pageSize = chunks > 0 ? databasePageSize(image.chunk(0)) : 0
  // What an attempt before this one may have left, which could be longer.
  await deleteGeneration(store, gen)
  try {
    await writeSlices(image, { store, owner: () => owner, cipher, keyOf: n => baseKey(gen, n) }, work)
  } catch (e) {
    // Room is what may be missing. What cannot be deleted now is deleted at the next opening.
    await deleteGeneration(store, gen).catch(() => {})
    throw e
  }
  return { gen, epoch, databasePageSize: pageSize, first: 0, size, chunks, cipher: cipher?.head ?? null }
}

/** Puts `head` in place of `before`. When the transaction's end is in doubt, the store is asked what it holds. */
export async function switchTo(store: UseStore, before: Head, head: Head): Promise<void> {
  try {
    await store('readwrite', objects =>
      writeAsOwner(objects, before, () => {
        objects.put(encodeHead(head), HEAD)
        if (head.gen !== before.gen) objects.put(encodeTail({ gen: head.gen, last: -1, record: 0 }), TAIL)
      }),
    )
  } catch (e) {
    const stored = decodeHead(await get<unknown>(HEAD, store))
    const isThere = stored.epoch === head.epoch && stored.gen === head.gen
    if (!isThere || stored.cipher?.dataKey !== head.cipher?.dataKey) throw e
  }
}

async function deleteGeneration(store: UseStore, gen: number): Promise<void> {
  await store('readwrite', objects => {
    objects.delete(baseFrom(gen, 0))
    return completed(objects.transaction)
  })
}
