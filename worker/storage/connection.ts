// The connection to IndexedDB: opened on demand, given up when it is no longer good. Hands out stores that idb-keyval's
// functions take, with the durability that its own createStore cannot pass.
import { promisifyRequest, type UseStore } from 'idb-keyval'
import { DataFlowError } from '../../src/shared/errors.js'
import type { SaveLevel } from '../seams.js'
import { discarded, gone, toStorageError, upgraded, type LostError } from './errors.js'

const STORE = 'data'
const VERSION = 1
/** After a connection was closed: the first pause, which doubles, and how often it is tried again. */
const PROBE_MS = 50
const PROBES = 8

export interface ConnectionEvents {
  /** The database was deleted, or is being deleted or upgraded by another tab; the connection stays closed. */
  onLost?(error: DataFlowError): void
}

export class Connection {
  readonly #databaseName: string
  readonly #factory: IDBFactory
  readonly #events: ConnectionEvents
  #db: IDBDatabase | null = null
  #opening: Promise<IDBDatabase> | null = null
  /** Only the first opening may make the database: later an empty one would hide that the data is gone. */
  #wasOpen = false
  /** Why it stays closed. */
  #end: DataFlowError | null = null

  constructor(databaseName: string, factory: IDBFactory, events: ConnectionEvents = {}) {
    this.#databaseName = databaseName
    this.#factory = factory
    this.#events = events
  }

  /** The object store in a new transaction, at once; null when the connection has to be opened first. */
  begin(mode: IDBTransactionMode, durability: SaveLevel): IDBObjectStore | null {
    try {
      return this.#db && objectsOf(this.#db, mode, durability)
    } catch (e) {
      // Closed by the browser (Safari does it to pages in the background), and its event has not come yet.
      if (!(e instanceof DOMException && e.name === 'InvalidStateError')) throw e
      this.drop()
      return null
    }
  }

  /** A transaction of its own for each call. */
  store(durability: SaveLevel): UseStore {
    return async (mode, callback) =>
      callback(this.begin(mode, durability) ?? objectsOf(await this.#open(), mode, durability))
  }

  /** Drops a connection that failed; the next use opens a new one. */
  drop(): void {
    this.#db?.close()
    this.#db = null
  }

  close(): void {
    this.#end ??= new DataFlowError('CLOSED', 'The database is closed.')
    this.drop()
  }

  #open(): Promise<IDBDatabase> {
    if (this.#end) return Promise.reject(this.#end)
    return (this.#opening ??= this.#connect().finally(() => {
      this.#opening = null
    }))
  }

  async #connect(): Promise<IDBDatabase> {
    const request = this.#factory.open(this.#databaseName, VERSION)
    let refusal: DataFlowError | null = null
    request.onupgradeneeded = event => {
      // Chromium deletes what it cannot read, and says so only here, only once.
      const { dataLoss, dataLossMessage = '' } = event as { dataLoss?: string; dataLossMessage?: string }
      if (this.#wasOpen) refusal = this.#lose(gone())
      else if (dataLoss === 'total') refusal = discarded(dataLossMessage)
      if (refusal) request.transaction!.abort()
      else request.result.createObjectStore(STORE)
    }
    const db = await promisifyRequest(request).catch((e: unknown) => {
      throw refusal ?? toStorageError(e)
    })
    if (this.#end) {
      db.close()
      throw this.#end
    }
    this.#wasOpen = true
    db.onclose = () => {
      if (this.#db === db) this.#db = null
      this.#probe(0)
    }
    db.onversionchange = () => void this.#lose(upgraded())
    return (this.#db = db)
  }

  /**
   * Was only the connection closed, or is everything deleted? While the browser clears a site's data it opens nothing,
   * and no event tells when it has finished. What else fails is told to who needs the connection next.
   */
  #probe(attempt: number): void {
    this.#open().catch(() => {
      if (this.#end === null && attempt < PROBES) setTimeout(() => this.#probe(attempt + 1), PROBE_MS << attempt)
    })
  }

  #lose(error: LostError): LostError {
    this.#end ??= error
    this.drop()
    this.#events.onLost?.(error)
    return error
  }
}

function objectsOf(db: IDBDatabase, mode: IDBTransactionMode, durability: SaveLevel): IDBObjectStore {
  return db.transaction(STORE, mode, { durability }).objectStore(STORE)
}
