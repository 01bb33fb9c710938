// The saved form in IndexedDB. The caller holds the database's lock, and does one thing at a time; only backups are
// written while flushes go on.
import { get } from 'idb-keyval'
import { DataFlowError } from '../../src/shared/errors.js'
import type {
  BackupInfo,
  DatabaseFile,
  FileChanges,
  FileImage,
  LongWork,
  SavedFile,
  SaveLevel,
  Storage,
  StorageReport,
} from '../seams.js'
import { Backups } from './backups.js'
import { Cipher, wrongKey } from './cipher.js'
import { Connection, type ConnectionEvents } from './connection.js'
import { DamagedError, LostError, toStorageError } from './errors.js'
import { baseFrom, databasePageSize, decodeHead, HEAD, logKey } from './format.js'
import { switchTo, writeGeneration } from './generation.js'
import { LIMITS, Logbook, type Limits, type Plan } from './logbook.js'
import { claim, deleteOtherGenerations, readSaved } from './read.js'
import { describeRescue, survey } from './survey.js'
import { writeAsOwner, writeNext } from './transaction.js'
import { encryptedWrites, plainWrites, type Sent, type Write } from './writes.js'

export interface IndexedDbOptions extends ConnectionEvents {
  readonly factory?: IDBFactory
  readonly limits?: Partial<Limits>
  /** What everything saved is encrypted with; a key of AES-GCM, or one of PBKDF2 made of a passphrase. */
  readonly key?: CryptoKey | null
}

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
  readonly #backups: Backups
  readonly #key: CryptoKey | null
  readonly #onLost: ConnectionEvents['onLost']
  #cipher: Cipher | null = null

  constructor(name: string, { factory = indexedDB, limits, key = null, ...events }: IndexedDbOptions) {
    this.#connection = new Connection(`dataflow:${name}`, factory, events)
    this.#onLost = events.onLost
    this.#limits = { ...LIMITS, ...limits }
    this.#key = key
    this.#backups = new Backups({ store: this.#connection.store('relaxed'), owner: () => this.#opened.head })
  }

  get checkpointDue(): boolean {
    return this.#book?.hasIdleWork ?? false
  }

  async open(): Promise<SavedFile> {
    try {
      const store = this.#connection.store('relaxed')
      this.#cipher = this.#key && (await this.#openCipher(this.#key))
      const claimed = await claim(store, this.#cipher)
      const { head } = claimed
      const [{ file, entries, dirty }] = await Promise.all([
        readSaved(store, claimed, this.#cipher),
        claimed.hasBackups ? this.#backups.load() : null,
      ])
      if (claimed.hasStrays) await deleteOtherGenerations(store, head.gen)
      this.#lastSum = claimed.tail.record
      this.#book = new Logbook({ head, entries, dirty, oldest: claimed.oldest }, this.#limits)
      return file
    } catch (e) {
      const error = await this.#withRescue(toStorageError(e))
      this.#connection.drop()
      throw error
    }
  }

  flush(changes: FileChanges, file: DatabaseFile, level: SaveLevel): Promise<{ bytes: number }> {
    return this.#write(changes, file, level)
  }

  async checkpointStep(file: DatabaseFile): Promise<{ bytes: number }> {
    return this.checkpointDue ? this.#write(null, file, 'relaxed') : { bytes: 0 }
  }

  replace(image: FileImage, work: LongWork = {}): Promise<void> {
    return this.#alone(() => this.#replace(image, this.#cipher, work))
  }

  async backup(
    image: FileImage,
    about: { createdAt: number; note: string | null },
    work: LongWork = {},
  ): Promise<BackupInfo> {
    return this.#told(() => this.#backups.add(image, about, this.#cipher, work))
  }

  backups(): readonly BackupInfo[] {
    return this.#backups.list
  }

  readBackup(id: string, work: LongWork = {}): Promise<SavedFile> {
    return this.#told(() => this.#backups.read(id, this.#cipher, work))
  }

  deleteBackup(id: string): Promise<void> {
    return this.#told(() => this.#backups.delete(id))
  }

  rekey(key: CryptoKey | null, image: FileImage, work: LongWork = {}): Promise<void> {
    return this.#alone(() => this.#rekey(key, image, work))
  }

  report(): StorageReport {
    const report = this.#book?.report ?? { baseBytes: 0, logBytes: 0, logRecords: 0, checkpoints: 0 }
    return { ...report, backupBytes: this.#backups.bytes, persistent: true }
  }

  async close(): Promise<void> {
    await this.#busy?.catch(() => {}) // whoever asked for it is told
    this.#connection.close()
  }

  get #opened(): Logbook {
    if (!this.#book) throw new DataFlowError('STORAGE', 'The saved database was not opened.')
    return this.#book
  }

  /** Before anything else is read: with a wrong key nothing is touched. */
  async #openCipher(key: CryptoKey): Promise<Cipher> {
    const stored = await get<unknown>(HEAD, this.#connection.store('relaxed'))
    if (stored === undefined) return Cipher.create(key)
    const { cipher } = decodeHead(stored)
    if (cipher) return Cipher.open(key, cipher)
    throw wrongKey('it is not encrypted', 'open it without `encryption`, then call db.rekey() to encrypt it.')
  }

  /** Says of a damaged database what could be brought back. */
  async #withRescue(error: DataFlowError): Promise<DataFlowError> {
    if (!(error instanceof DamagedError)) return error
    try {
      const rescue = describeRescue(await survey(this.#connection.store('relaxed'), this.#key, 'prefix'))
      const hint = `nothing was changed; dataflow.recover() brings back what can be saved: ${rescue}.`
      return new DataFlowError('STORAGE_CORRUPT', error.text, { hint }, error.cause)
    } catch {
      // The first failure is the one to tell: it names what is damaged.
      return error
    }
  }

  #write(changes: FileChanges | null, file: DatabaseFile, level: SaveLevel): Promise<{ bytes: number }> {
    return this.#alone(() => this.#transact(changes, file, level))
  }

  #alone<T>(work: () => Promise<T>): Promise<T> {
    if (this.#busy) return Promise.reject(new Error('One flush at a time'))
    const running = this.#told(work).finally(() => {
      this.#busy = null
    })
    this.#busy = running
    return running
  }

  async #told<T>(work: () => Promise<T>): Promise<T> {
    try {
      return await work()
    } catch (e) {
      throw toStorageError(e)
    }
  }

  /** Everything that is saved is copied before the first await: later commits must not leak into it. */
  async #transact(changes: FileChanges | null, file: DatabaseFile, level: SaveLevel): Promise<{ bytes: number }> {
    const book = this.#opened
    const plan = book.plan(changes, file.chunkCount > 0 ? databasePageSize(file.chunk(0)) : 0)
    const sent: Sent = { bytes: 0, lastSum: this.#lastSum }
    try {
      if (this.#cipher) {
        await this.#put(plan, await encryptedWrites(plan, changes, file, sent, this.#cipher), level)
      } else {
        await this.#put(plan, plainWrites(plan, changes, file, sent), level)
      }
    } catch (e) {
      book.failed(plan)
      const error = toStorageError(e)
      if (error instanceof LostError) this.#onLost?.(error)
      if (error.code !== 'STORAGE_FULL') this.#connection.drop()
      throw error
    }
    book.done(plan)
    this.#lastSum = sent.lastSum
    return { bytes: sent.bytes }
  }

  async #put(plan: Plan, writes: Iterable<Write>, level: SaveLevel): Promise<void> {
    const { head } = this.#opened
    const fill = (writes: Iterable<Write>) => (objects: IDBObjectStore) => {
      if (plan.onlyAppends) {
        return writeNext(objects, () => {
          for (const [key, value] of writes) key[0] === 'log' ? objects.add(value, key) : objects.put(value, key)
        })
      }
      return writeAsOwner(objects, head, () => {
        for (const [key, value] of writes) objects.put(value, key)
        for (const n of plan.deletions) objects.delete(logKey(head.gen, n))
        if (plan.cutBase !== null) objects.delete(baseFrom(head.gen, plan.cutBase))
      })
    }
    const objects = this.#connection.begin('readwrite', level)
    // In an open transaction IndexedDB makes its own copy of each value as it is put.
    if (objects) await fill(writes)(objects)
    else await this.#connection.store(level)('readwrite', fill([...writes]))
  }

  async #replace(image: FileImage, cipher: Cipher | null, work: LongWork): Promise<void> {
    const store = this.#connection.store('relaxed')
    const before = this.#opened.head
    const head = await writeGeneration(store, { ...before, owner: before }, image, cipher, work)
    await switchTo(this.#connection.store('strict'), before, head)
    this.#cipher = cipher
    this.#lastSum = 0
    this.#book = new Logbook({ head, entries: [], dirty: new Map(), oldest: 0 }, this.#limits)
    // What cannot be deleted now is deleted at the next opening.
    await deleteOtherGenerations(store, head.gen).catch(() => {})
  }

  async #rekey(key: CryptoKey | null, image: FileImage, work: LongWork): Promise<void> {
    const before = this.#cipher
    if (before && key) {
      const cipher = await before.rewrap(key)
      const head = { ...this.#opened.head, cipher: cipher.head }
      await switchTo(this.#connection.store('strict'), this.#opened.head, head)
      this.#cipher = cipher
      this.#opened.head = head
    } else if (key) {
      await this.#replace(image, await Cipher.create(key), work)
    }
    // Those that an earlier attempt has left as they were are caught up with.
    if (this.#cipher) await this.#backups.reencrypt(key !== null, this.#cipher, work)
    if (before && !key) await this.#replace(image, null, work)
    // Nothing may stay behind in the form of before.
    await deleteOtherGenerations(this.#connection.store('relaxed'), this.#opened.head.gen)
  }
}
