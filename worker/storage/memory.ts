// storage: 'memory'. Nothing is saved, by the app's own choice.
import type { Storage } from '../seams.js'

export function openMemoryStorage(): Storage {
  return {
    checkpointDue: false,
    open: async () => ({ chunks: [], size: 0 }),
    flush: async changes => ({ bytes: changes.bytes.length }),
    checkpointStep: async () => {},
    report: () => ({ baseBytes: 0, logBytes: 0, logRecords: 0, checkpoints: 0, persistent: false }),
    close: async () => {},
  }
}
