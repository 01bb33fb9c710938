// Transactions: writing under the owner's epoch inside one that somebody else has opened, and how they end.
import { gone, replaced } from './errors.js'
import { decodeHead, HEAD, type Head } from './format.js'

/**
 * Lets `write` put its requests and resolves when the transaction has completed. The head is read beside them, without
 * waiting for it: if another owner has claimed the database since `owner`, nothing of the transaction remains.
 */
export function writeAsOwner(objects: IDBObjectStore, owner: Head, write: () => void): Promise<void> {
  const { transaction } = objects
  let reason: unknown
  const head = objects.get(HEAD)
  head.onsuccess = () => {
    try {
      if (head.result === undefined) throw gone()
      const { gen, epoch } = decodeHead(head.result)
      if (gen !== owner.gen || epoch !== owner.epoch) throw replaced()
    } catch (e) {
      reason = e
      abort(transaction)
    }
  }
  try {
    write()
  } catch (e) {
    abort(transaction)
    throw e
  }
  return completed(transaction).catch((e: unknown) => {
    throw reason ?? e
  })
}

/** idb-keyval's promisifyRequest would take a request's error that bubbles up, when `transaction.error` is still null. */
export function completed(transaction: IDBTransaction): Promise<void> {
  return new Promise((resolve, reject) => {
    transaction.oncomplete = () => resolve()
    transaction.onabort = () => reject(transaction.error)
  })
}

export function abort(transaction: IDBTransaction): void {
  try {
    transaction.abort()
  } catch (e) {
    // It has ended by itself, which is what is wanted.
    if (!(e instanceof DOMException && e.name === 'InvalidStateError')) throw e
  }
}
