// The way to a saved form in IndexedDB that cannot be opened.
import { DataFlowError } from '../../src/shared/errors.js'
import type { Rescue } from '../seams.js'
import { Connection } from './connection.js'
import { toStorageError } from './errors.js'
import { putInPlace } from './recover.js'
import { survey, type Survey } from './survey.js'

export function openRescue(name: string, secret: CryptoKey | null, factory: IDBFactory = indexedDB): Rescue {
  const connection = new Connection(`dataflow:${name}`, factory)
  const store = connection.store('strict')
  let last: Survey | null = null
  return {
    async survey(take) {
      last = null
      const found = await survey(store, secret, take).catch((e: unknown) => {
        throw toStorageError(e)
      })
      last = found
      return {
        damaged: found.damages.map(({ key, what }) => ({ record: JSON.stringify(key), what })),
        file: found.file,
        exact: found.exact,
        lostRecords: found.lostRecords.length,
        records: found.records,
        lostChunks: found.lostChunks.length,
        chunks: found.chunks,
      }
    },
    async replace(image, work = {}) {
      if (!last) throw new DataFlowError('STORAGE', 'The saved database was not surveyed.')
      return putInPlace(store, last, image, work).catch((e: unknown) => {
        throw toStorageError(e)
      })
    },
    async close() {
      connection.close()
    },
  }
}
