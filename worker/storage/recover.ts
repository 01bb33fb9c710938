// Puts what could be rescued in the place of a damaged database: as its next generation. The values that were not used
// are kept aside, as they are.
import { get, type UseStore } from 'idb-keyval'
import type { FileImage, LongWork } from '../seams.js'
import { asideKey, baseKey, encodeHead, encodeTail, HEAD, logKey, TAIL, type Key } from './format.js'
import { writeGeneration } from './generation.js'
import { deleteOtherGenerations } from './read.js'
import type { Survey } from './survey.js'
import { completed } from './transaction.js'

/** Returns how many values are kept aside. The caller holds the database's lock. */
export async function putInPlace(
  store: UseStore,
  { head, gen, cipher, damages, lostRecords, lostChunks }: Survey,
  image: FileImage,
  work: LongWork,
): Promise<number> {
  const unused = [
    ...damages.map(({ key }) => key),
    ...lostRecords.map(n => logKey(gen, n)),
    ...lostChunks.map(n => baseKey(gen, n)),
  ]
  const when = new Date().toISOString()
  const aside = await keepAside(store, when, unused)
  // Nobody owns it: the head that says who does may be what is damaged.
  const before = { gen, epoch: (head?.epoch ?? 0) + 1, owner: null }
  const next = await writeGeneration(store, before, image, cipher, work)
  await store('readwrite', objects => {
    objects.put(encodeHead(next), HEAD)
    objects.put(encodeTail({ gen: next.gen, last: -1, record: 0 }), TAIL)
    return completed(objects.transaction)
  })
  await deleteOtherGenerations(store, next.gen)
  return aside
}

async function keepAside(store: UseStore, when: string, keys: readonly Key[]): Promise<number> {
  let kept = 0
  const seen = new Set<string>()
  for (const key of keys) {
    const value = await get<unknown>(key, store)
    if (value === undefined || seen.has(JSON.stringify(key))) continue
    seen.add(JSON.stringify(key))
    await store('readwrite', objects => {
      objects.put(value, asideKey(when, key))
      return completed(objects.transaction)
    })
    kept++
  }
  return kept
}
