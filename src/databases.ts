// dataflow.delete() and dataflow.databases(): what concerns databases that are not open.
import { DataFlowError } from './shared/errors.js'

const PREFIX = 'dataflow:'

export interface DeleteOptions {
  /** ms to wait for a tab that has it open, 5000 if left out; then `LOCKED`. */
  maxWaitForOwner?: number
}

/**
 * Deletes a database of this origin with everything in it, backups included. One that does not exist is no error.
 * `LOCKED` when it is open, here or in another tab; then nothing is deleted. `STORAGE`.
 *
 * @example
 * await db.close()
 * await dataflow.delete('app')
 */
export async function deleteDatabase(name: string, options: DeleteOptions = {}): Promise<void> {
  const { maxWaitForOwner = 5000, ...others } = options
  const [unknown] = Object.keys(others)
  if (typeof name !== 'string' || name === '') throw badOption('A database has a name.', "dataflow.delete('app').")
  if (unknown !== undefined) throw badOption(`delete() has no option "${unknown}".`, 'it takes maxWaitForOwner.')
  if (!Number.isFinite(maxWaitForOwner) || maxWaitForOwner < 0) {
    throw badOption('maxWaitForOwner must be a number of milliseconds.', 'maxWaitForOwner: 5000.')
  }
  const locks = globalThis.navigator?.locks as LockManager | undefined
  if (!locks) {
    const hint = 'needs a secure context (https or localhost).'
    throw new DataFlowError('WORKER_LOAD', 'Web Locks are not to be had.', { op: 'delete', hint })
  }
  const signal = AbortSignal.timeout(maxWaitForOwner)
  let held = false
  try {
    await locks.request(PREFIX + name, { signal }, () => {
      held = true
      return deleteIndexedDb(PREFIX + name)
    })
  } catch (error) {
    if (held || !signal.aborted) throw error
    const hint = 'close it with db.close(), here and in other tabs, or wait longer with maxWaitForOwner.'
    throw new DataFlowError('LOCKED', `The database '${name}' is open.`, { op: 'delete', hint, retryable: true })
  }
}

/**
 * The databases of this origin. `STORAGE` where the browser does not say.
 *
 * @example
 * for (const { name } of await dataflow.databases()) console.log(name)
 */
export async function listDatabases(): Promise<{ name: string }[]> {
  if (typeof globalThis.indexedDB?.databases !== 'function') {
    const hint = 'keep a list of the names that your app has used.'
    throw new DataFlowError('STORAGE', 'This browser does not list databases.', { op: 'databases', hint })
  }
  const found = await indexedDB.databases().catch((error: unknown) => {
    throw new DataFlowError('STORAGE', 'The browser could not list the databases.', { op: 'databases' }, error)
  })
  return found.flatMap(({ name }) => (name?.startsWith(PREFIX) ? [{ name: name.slice(PREFIX.length) }] : []))
}

/** A connection that is still open somewhere is told and closes itself: the deletion waits for that. */
function deleteIndexedDb(name: string): Promise<void> {
  return new Promise((resolve, reject) => {
    const request = indexedDB.deleteDatabase(name)
    request.onsuccess = () => resolve()
    request.onerror = () => {
      reject(new DataFlowError('STORAGE', 'The saved database could not be deleted.', { op: 'delete' }, request.error))
    }
  })
}

function badOption(text: string, hint: string): DataFlowError {
  return new DataFlowError('BAD_OPTION', text, { op: 'delete', hint })
}
