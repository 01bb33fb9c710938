// IndexedDB for tests: what is in it as a plain map, copies of it, and transactions that fail in chosen ways.
import { IDBFactory, IDBKeyRange } from 'fake-indexeddb'
import { ChunkedFile } from '../../worker/sqlite/file.js'
import { openIndexedDbStorage, type IndexedDbOptions } from '../../worker/storage/indexeddb.js'

globalThis.IDBKeyRange = IDBKeyRange

/** abort: nothing of it happens. landed: it happens, but the page is told that it failed. */
export type Fault = 'none' | 'abort' | 'landed'

export interface Observed {
  readonly mode: IDBTransactionMode
  readonly durability: string
}

export interface Disk {
  readonly factory: IDBFactory
  /** What happens to the next readwrite transaction. */
  fault: Fault
  /** The name of its error. */
  errorName: string
  readonly transactions: Observed[]
  readonly databases: IDBDatabase[]
}

export type Content = Map<string, unknown>

export function createDisk(): Disk {
  const factory = new IDBFactory()
  const disk: Disk = { factory, fault: 'none', errorName: 'AbortError', transactions: [], databases: [] }
  const open = factory.open.bind(factory)
  factory.open = (name, version) => {
    const request = open(name, version)
    request.addEventListener('success', () => watch(disk, request.result))
    return request
  }
  return disk
}

function watch(disk: Disk, db: IDBDatabase): void {
  disk.databases.push(db)
  const transaction = db.transaction.bind(db)
  db.transaction = (names, mode = 'readonly', options) => {
    const tx = transaction(names, mode, options)
    disk.transactions.push({ mode, durability: tx.durability })
    if (mode === 'readwrite' && disk.fault !== 'none') fail(tx, disk.fault, disk.errorName)
    return tx
  }
}

function fail(tx: IDBTransaction, fault: Fault, errorName: string): void {
  const error = new DOMException('injected', errorName)
  if (fault === 'abort') {
    // As when the browser finds no room while it commits.
    tx.commit = () => {}
    Object.defineProperty(tx, 'error', { value: error, writable: true })
    queueMicrotask(() => tx.abort())
    return
  }
  tx.addEventListener('complete', () => Object.defineProperty(tx, 'error', { value: error }))
  Object.defineProperty(tx, 'oncomplete', { set() {} })
  Object.defineProperty(tx, 'onabort', { set: (handler: () => void) => tx.addEventListener('complete', handler) })
}

async function objects(factory: IDBFactory, mode: IDBTransactionMode): Promise<[IDBObjectStore, IDBDatabase]> {
  const request = factory.open('dataflow:test', 1)
  request.onupgradeneeded = () => request.result.createObjectStore('data')
  await done(request, 'success')
  return [request.result.transaction('data', mode).objectStore('data'), request.result]
}

export function done(target: EventTarget, type: string): Promise<void> {
  return new Promise((resolve, reject) => {
    target.addEventListener(type, () => resolve())
    target.addEventListener('error', reject)
  })
}

export async function contentOf({ factory }: Disk): Promise<Content> {
  const [store, db] = await objects(factory, 'readonly')
  const keys = store.getAllKeys()
  const values = store.getAll()
  await done(store.transaction, 'complete')
  db.close()
  return new Map(keys.result.map((key, i) => [JSON.stringify(key), values.result[i]]))
}

export async function diskWith(content: Content): Promise<Disk> {
  const disk = createDisk()
  const [store, db] = await objects(disk.factory, 'readwrite')
  for (const [key, value] of content) store.put(value, JSON.parse(key) as IDBValidKey)
  await done(store.transaction, 'complete')
  db.close()
  return disk
}

export async function openOn(disk: Disk, options: IndexedDbOptions = {}) {
  const storage = openIndexedDbStorage('test', { factory: disk.factory, ...options })
  const file = new ChunkedFile(await storage.open())
  /** What the saver does, without its waiting. */
  const flush = async (level: 'relaxed' | 'strict' = 'relaxed') => {
    const changes = file.takeChanges()
    if (!changes) return { bytes: 0 }
    return storage.flush(changes, file, level).catch((e: unknown) => {
      file.undo(changes)
      throw e
    })
  }
  return { storage, file, flush }
}

export function bytesOf(file: ChunkedFile): Buffer {
  const bytes = Buffer.alloc(file.size)
  file.read(0, bytes, 0, file.size)
  return bytes
}

/** Bytes without zeros that look random. */
export function noise(length: number, seed: number): Uint8Array<ArrayBuffer> {
  const bytes = new Uint8Array(length)
  let state = seed | 1
  for (let i = 0; i < length; i++) bytes[i] = (state = Math.imul(state, 1664525) + 1013904223) >>> 24 || 1
  return bytes
}
