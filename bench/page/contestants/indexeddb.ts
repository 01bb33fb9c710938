// IndexedDB by hand, the floor: one transaction for each call, and nothing around it.
import type { Contestant, MakeContestant, TableName } from './contestant.js'

export const openIndexedDb: MakeContestant = <T extends TableName>(database: string, name: T): Contestant<T> => {
  const request = indexedDB.open(database, 1)
  request.onupgradeneeded = () => request.result.createObjectStore(name, { keyPath: 'id' })
  const opening = resultOf(request)
  let db: IDBDatabase | undefined
  const objects = (mode: IDBTransactionMode) => db!.transaction(name, mode, { durability: 'relaxed' }).objectStore(name)
  const ready = async () => (db ??= await opening)
  const put = (rows: readonly unknown[]) => {
    const store = objects('readwrite')
    for (const row of rows) store.put(row)
    return completionOf(store.transaction)
  }
  return {
    ready,
    add: row => (db ? put([row]) : ready().then(() => put([row]))),
    addAll: rows => put(rows),
    get: id => (db ? resultOf(objects('readonly').get(id)) : ready().then(() => resultOf(objects('readonly').get(id)))),
    list: () => resultOf(objects('readonly').getAll()),
    close: async () => db?.close(),
  }
}

function resultOf<T>(request: IDBRequest<T>): Promise<T> {
  return new Promise((resolve, reject) => {
    request.onsuccess = () => resolve(request.result)
    request.onerror = () => reject(request.error)
  })
}

function completionOf(transaction: IDBTransaction): Promise<void> {
  return new Promise((resolve, reject) => {
    transaction.oncomplete = () => resolve()
    transaction.onabort = () => reject(transaction.error)
  })
}
