// storage: 'memory'. Nothing is saved, by the app's own choice.
import { DataFlowError } from '../../src/shared/errors.js'
import type { Storage } from '../seams.js'

export function openMemoryStorage(): Storage {
  return {
    checkpointDue: false,
    open: async () => ({ chunks: [], size: 0 }),
    flush: async changes => ({ bytes: changes.bytes.length }),
    checkpointStep: async () => ({ bytes: 0 }),
    report: () => ({ baseBytes: 0, logBytes: 0, logRecords: 0, checkpoints: 0, backupBytes: 0, persistent: false }),
    replace: async ({ size }, work) => work?.onProgress?.(size, size),
    backup: async () => nothingSaved(),
    backups: () => nothingSaved(),
    readBackup: async () => nothingSaved(),
    deleteBackup: async () => nothingSaved(),
    rekey: async () => nothingSaved(),
    close: async () => {},
  }
}

function nothingSaved(): never {
  const hint = "use storage: 'indexeddb', or db.export() for a copy of your own."
  throw new DataFlowError('STORAGE', "Nothing of this database is saved (storage: 'memory').", { hint })
}
