// The saved form in IndexedDB. The caller holds the database's lock, and does one thing at a time.
import { DataFlowError } from '../../src/shared/errors.js'
import type { DatabaseFile, FileChanges, SavedFile, SaveLevel, Storage, StorageReport } from '../seams.js'
import { Connection, type ConnectionEvents } from './connection.js'
import { toStorageError } from './errors.js'
import {
  baseFrom,
  baseKey,
  CHUNK_SIZE,
  databasePageSize,
  encodeChunk,
  encodeHead,
  encodeTail,
  HEAD,
  logKey,
  TAIL,
  type Key,
} from './format.js'
import { LIMITS, Logbook, type Limits, type Plan } from './logbook.js'
import { claim, deleteOtherGenerations, readSaved } from './read.js'
import { encodeRecord } from './record.js'
import { writeAsOwner } from './transaction.js'

export interface IndexedDbOptions extends ConnectionEvents {
  readonly factory?: IDBFactory
  readonly limits?: Partial<Limits>
}

type Write = readonly [Key, object]

export function openIndexedDbStorage(name: string, options: IndexedDbOptions = {}): Storage {
  return new IndexedDbStorage(name, options)
}

class IndexedDbStorage implements Storage {
  readonly #connection: Connection
  readonly #limits: Limits
  /** Null until opened. */
  #book: Logbook | null = null
  /** Checksum of the last record. */
  #lastSum = 0
  #busy: Promise<unknown> | null = null

  constructor(name: string, { factory = indexedDB, limits, ...events }: IndexedDbOptions) {
    this.#connection = new Connection(`dataflow:${name}`, factory, events)
    this.#limits = { ...LIMITS, ...limits }
  }

  get checkpointDue(): boolean {
    return this.#book?.hasIdleWork ?? false
  }

  async open(): Promise<SavedFile> {
    try {
      const store = this.#connection.store('relaxed')
      const claimed = await claim(store)
      const { file, entries, dirty } = await readSaved(store, claimed)
      if (claimed.hasStrays) await deleteOtherGenerations(store, claimed.head.gen)
      this.#lastSum = claimed.tail.record
      this.#book = new Logbook({ head: claimed.head, entries, dirty, oldest: claimed.oldest }, this.#limits)
      return file
    } catch (e) {
      this.#connection.drop()
      throw toStorageError(e)
    }
  }

  flush(changes: FileChanges, file: DatabaseFile, level: SaveLevel): Promise<{ bytes: number }> {
    return this.#write(changes, file, level)
  }

  async checkpointStep(file: DatabaseFile): Promise<void> {
    if (this.checkpointDue) await this.#write(null, file, 'relaxed')
  }

  report(): StorageReport {
    const report = this.#book?.report ?? { baseBytes: 0, logBytes: 0, logRecords: 0, checkpoints: 0 }
    return { ...report, persistent: true }
  }

  async close(): Promise<void> {
    await this.#busy?.catch(() => {}) // whoever asked for it is told
    this.#connection.close()
  }

  #write(changes: FileChanges | null, file: DatabaseFile, level: SaveLevel): Promise<{ bytes: number }> {
    if (this.#busy) return Promise.reject(new Error('One flush at a time'))
    const work = this.#transact(changes, file, level).finally(() => {
      this.#busy = null
    })
    this.#busy = work
    return work
  }

  /** Everything that is saved is copied before the first await: later commits must not leak into it. */
  async #transact(changes: FileChanges | null, file: DatabaseFile, level: SaveLevel): Promise<{ bytes: number }> {
    const book = this.#book
    if (!book) throw new DataFlowError('STORAGE', 'The saved database was not opened.')
    const plan = book.plan(changes, file.chunkCount > 0 ? databasePageSize(file.chunk(0)) : 0)
    const sent = { bytes: 0, lastSum: this.#lastSum }
    const writes = this.#writes(plan, changes, file, sent)
    const fill = (writes: Iterable<Write>) => (objects: IDBObjectStore) =>
      writeAsOwner(objects, book.head, () => {
        for (const [key, value] of writes) objects.put(value, key)
        for (const n of plan.deletions) objects.delete(logKey(book.head.gen, n))
        if (plan.cutBase !== null) objects.delete(baseFrom(book.head.gen, plan.cutBase))
      })
    try {
      const objects = this.#connection.begin('readwrite', level)
      // In an open transaction IndexedDB makes its own copy of each value as it is put, so that a large flush is never
      // in memory as a whole.
      if (objects) await fill(writes)(objects)
      else await this.#connection.store(level)('readwrite', fill([...writes]))
    } catch (e) {
      book.failed(plan)
      const error = toStorageError(e)
      if (error.code !== 'STORAGE_FULL') this.#connection.drop()
      throw error
    }
    book.done(plan)
    this.#lastSum = sent.lastSum
    return { bytes: sent.bytes }
  }

  /** What `plan` puts, made one by one; `sent` is complete when the last one has been made. */
  *#writes(
    plan: Plan,
    changes: FileChanges | null,
    file: DatabaseFile,
    sent: { bytes: number; lastSum: number },
  ): Generator<Write> {
    const { gen } = plan.head
    for (const [i, spans] of plan.records.entries()) {
      const endsFlush = i === plan.records.length - 1
      const { bytes, sum } = encodeRecord(gen, plan.n + i, changes!, spans, endsFlush)
      sent.bytes += bytes.length
      sent.lastSum = sum
      yield [logKey(gen, plan.n + i), bytes]
    }
    for (const n of plan.puts) {
      const length = Math.max(0, Math.min(CHUNK_SIZE, plan.size - n * CHUNK_SIZE))
      const bytes = length > 0 ? file.chunk(n).slice(0, length) : new Uint8Array(0)
      sent.bytes += length
      yield [baseKey(gen, n), encodeChunk(baseKey(gen, n), { bytes, at: plan.at })]
    }
    if (plan.writesTail) {
      yield [TAIL, encodeTail({ gen, last: plan.n + plan.records.length - 1, record: sent.lastSum })]
    }
    if (plan.writesHead) yield [HEAD, encodeHead(plan.head)]
  }
}
