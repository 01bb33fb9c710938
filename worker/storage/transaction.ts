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

/**
 * As `writeAsOwner`, but in half the time, for records that follow the last one: the head is not read, and the
 * transaction ends with its last request instead of a round trip later. `write` has to add the next record, so that of
 * two owners who go on from one state only the first one can.
 */
export function writeNext(objects: IDBObjectStore, write: () => void): Promise<void> {
  const { transaction } = objects
  try {
    write()
    transaction.commit()
  } catch (e) {
    abort(transaction)
    throw e
  }
  return completed(transaction)
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
