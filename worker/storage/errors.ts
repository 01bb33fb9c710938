// The one place that reads IndexedDB's errors: by their name, which is specified, never by their text.
import { DataFlowError } from '../../src/shared/errors.js'
import type { Key } from './format.js'

export function toStorageError(e: unknown): DataFlowError {
  if (DataFlowError.is(e)) return e
  const name = e instanceof Error || e instanceof DOMException ? e.name : ''
  switch (name) {
    case 'QuotaExceededError': {
      const hint = 'delete data, or ask for persistent storage with db.persist().'
      return new DataFlowError('STORAGE_FULL', 'The browser has no more room for it.', { hint, retryable: true }, e)
    }
    case 'ConstraintError':
      // The only values that are added, not put, are log records: somebody else has written this one.
      return replaced(e)
    case 'VersionError':
      return newer('upgraded by a newer build', e)
    case 'SecurityError': {
      const hint = 'storage is blocked for this page: check the browser settings for cookies and site data.'
      return new DataFlowError('STORAGE', 'IndexedDB may not be used here.', { hint }, e)
    }
    case 'RangeError': {
      const hint = 'what was saved is safe; close other tabs, or open it on a device with more memory.'
      return new DataFlowError('STORAGE', 'There is no memory left for the database.', { hint, retryable: true }, e)
    }
    case 'DataCloneError':
    case 'DataError':
      return new DataFlowError('STORAGE', `IndexedDB refused a value (${name}).`, {}, e)
    default:
      return new DataFlowError('STORAGE', `IndexedDB failed${name && ` (${name})`}.`, { retryable: true }, e)
  }
}

export function discarded(why: string): DataFlowError<'STORAGE_CORRUPT'> {
  const text = `The browser could not read its own files and has deleted all that this site had saved${why && ` (${why})`}.`
  const hint =
    'nothing is left to recover: import a file that was exported. The next call begins with an empty database.'
  return new DataFlowError('STORAGE_CORRUPT', text, { hint })
}

/** What is saved is no longer what is open here, and never will be again. */
export class LostError extends DataFlowError<'STORAGE'> {}

export function replaced(cause?: unknown): LostError {
  const hint = 'two owners wrote at once, or the site data was replaced; reload to read what is saved now.'
  return new LostError('STORAGE', 'Another tab or worker took over the database.', { hint }, cause)
}

export function upgraded(): LostError {
  const hint = 'close this tab or reload it.'
  return new LostError('STORAGE', 'Another tab deletes or upgrades the saved database.', { hint })
}

export function gone(): LostError {
  return new LostError('STORAGE', 'The saved database is gone: the site data was cleared.', {
    hint: 'reload to start again with an empty database.',
  })
}

/** A record is not what was saved. */
export class DamagedError extends DataFlowError<'STORAGE_CORRUPT'> {}

export function damaged(key: Key, what: string, cause?: unknown): DamagedError {
  const text = `The saved record ${JSON.stringify(key)} cannot be used: ${what}.`
  const hint = 'the saved data was changed or lost outside of this library; it is left as it is.'
  return new DamagedError('STORAGE_CORRUPT', text, { hint }, cause)
}

export function newer(what: string, cause?: unknown): DataFlowError<'STORAGE_NEWER'> {
  const hint = 'a newer version of the app wrote it; reload to get that version.'
  return new DataFlowError('STORAGE_NEWER', `The database was ${what}.`, { hint }, cause)
}
