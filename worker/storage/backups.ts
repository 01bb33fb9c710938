// Copies of the whole file that are kept beside the database. A backup exists from the moment its description is put;
// chunks without one are what an interrupted backup has left.
import { promisifyRequest, type UseStore } from 'idb-keyval'
import { DataFlowError } from '../../src/shared/errors.js'
import type { BackupInfo, FileImage, LongWork, SavedFile } from '../seams.js'
import { textChecksum } from './checksum.js'
import type { Cipher } from './cipher.js'
import { damaged } from './errors.js'
import {
  aboutKey,
  backupChunks,
  backupKey,
  backupsBehind,
  everyAbout,
  everyBackup,
  isCount,
  type Head,
  type Key,
} from './format.js'
import { chunkCount } from './image.js'
import { readChunkBatches } from './read.js'
import { throwIfAborted, writeSlices } from './slices.js'
import { completed, writeAsOwner } from './transaction.js'

export interface BackupsParts {
  readonly store: UseStore
  owner(): Head
}

interface About extends BackupInfo {
  /** Where its chunks are. */
  readonly place: string
  readonly encrypted: boolean
}

export class Backups {
  readonly #parts: BackupsParts
  /** By id. */
  #abouts = new Map<string, About>()
  /** A description that cannot be read. It is told to who asks for backups; the database itself is not concerned. */
  #damage: DataFlowError | null = null

  constructor(parts: BackupsParts) {
    this.#parts = parts
  }

  /** Bytes of all of them. */
  get bytes(): number {
    return [...this.#abouts.values()].reduce((sum, about) => sum + about.bytes, 0)
  }

  /** Newest first. */
  get list(): BackupInfo[] {
    if (this.#damage) throw this.#damage
    return [...this.#abouts.values()]
      .sort((a, b) => b.createdAt - a.createdAt || (a.id < b.id ? 1 : -1))
      .map(({ id, createdAt, size, bytes, note }) => ({ id, createdAt, size, bytes, note }))
  }

  /** Reads the descriptions and deletes chunks that belong to none. */
  async load(): Promise<void> {
    const { store } = this.#parts
    const stored = await store('readonly', async objects => {
      const [keys, values] = await Promise.all([
        promisifyRequest(objects.getAllKeys(everyAbout())),
        promisifyRequest<unknown[]>(objects.getAll(everyAbout())),
      ])
      return keys.flatMap((key, i) => this.#decode(key as Key, values[i]) ?? [])
    })
    this.#abouts = new Map(stored.map(about => [about.id, about]))
    // Which chunks the damaged one has is not known: they may be what somebody comes back for.
    if (this.#damage) return
    const known = new Set(stored.map(about => about.place))
    for (const place of await this.#places()) if (!known.has(place)) await this.#deleteChunks(place)
  }

  async add(
    image: FileImage,
    { createdAt, note }: { createdAt: number; note: string | null },
    cipher: Cipher | null,
    work: LongWork,
  ): Promise<BackupInfo> {
    const id = crypto.randomUUID()
    const about = { id, createdAt, size: image.size, note }
    return this.#write(image, about, cipher, work)
  }

  /** Rejects with NOT_FOUND or STORAGE_CORRUPT. */
  read(id: string, cipher: Cipher | null, work: LongWork): Promise<SavedFile> {
    return this.#read(this.#find(id), cipher, work)
  }

  async delete(id: string): Promise<void> {
    const { store, owner } = this.#parts
    const { place } = this.#find(id)
    await store('readwrite', objects =>
      writeAsOwner(objects, owner(), () => {
        objects.delete(aboutKey(id))
        objects.delete(backupChunks(place))
      }),
    )
    this.#abouts.delete(id)
  }

  /** Writes anew what is not encrypted as `wanted` says; `cipher` reads what is. */
  async reencrypt(wanted: boolean, cipher: Cipher, work: LongWork): Promise<void> {
    for (const about of this.#abouts.values()) {
      if (about.encrypted === wanted) continue
      const { chunks, size } = await this.#read(about, about.encrypted ? cipher : null, { signal: work.signal })
      const image = { size, chunkCount: chunks.length, chunk: (n: number) => chunks[n]! }
      await this.#write(image, about, wanted ? cipher : null, { signal: work.signal })
      await this.#deleteChunks(about.place)
    }
  }

  #decode(key: Key, value: unknown): About | null {
    try {
      return decodeAbout(key, value)
    } catch (e) {
      if (!DataFlowError.is(e, 'STORAGE_CORRUPT')) throw e
      this.#damage = e
      return null
    }
  }

  #find(id: string): About {
    const about = this.#abouts.get(id)
    if (about) return about
    const hint = 'db.backups() lists those that are there.'
    throw new DataFlowError('NOT_FOUND', 'There is no backup with this id.', { hint })
  }

  async #write(
    image: FileImage,
    { id, createdAt, size, note }: Omit<BackupInfo, 'bytes'>,
    cipher: Cipher | null,
    work: LongWork,
  ): Promise<BackupInfo> {
    const { store, owner } = this.#parts
    const place = crypto.randomUUID()
    try {
      const keyOf = (n: number): Key => backupKey(place, n)
      const bytes = await writeSlices(image, { store, owner, cipher, keyOf }, work)
      const about: About = { id, createdAt, size, bytes, note, place, encrypted: cipher !== null }
      await store('readwrite', objects =>
        writeAsOwner(objects, owner(), () => void objects.put(encodeAbout(about), aboutKey(id))),
      )
      this.#abouts.set(id, about)
      return { id, createdAt, size, bytes, note }
    } catch (e) {
      // Room is what may be missing. What cannot be deleted now is deleted at the next opening.
      await this.#deleteChunks(place).catch(() => {})
      throw e
    }
  }

  async #read({ place, size, encrypted }: About, cipher: Cipher | null, work: LongWork): Promise<SavedFile> {
    const keys = Array.from({ length: chunkCount(size) }, (_, n) => backupKey(place, n))
    const chunks: Uint8Array<ArrayBuffer>[] = []
    for await (const batch of readChunkBatches(this.#parts.store, keys, encrypted ? cipher : null)) {
      throwIfAborted(work.signal)
      chunks.push(...batch.map(chunk => chunk.bytes))
      work.onProgress?.(Math.min(chunks.length * chunks[0]!.length, size), size)
    }
    return { chunks, size }
  }

  async #places(): Promise<string[]> {
    return this.#parts.store('readonly', async objects => {
      const places: string[] = []
      let key = await promisifyRequest(objects.getKey(everyBackup()))
      while (key !== undefined) {
        const place = (key as Key)[1] as string
        places.push(place)
        key = await promisifyRequest(objects.getKey(backupsBehind(place)))
      }
      return places
    })
  }

  async #deleteChunks(place: string): Promise<void> {
    await this.#parts.store('readwrite', objects => {
      objects.delete(backupChunks(place))
      return completed(objects.transaction)
    })
  }
}

function encodeAbout({ id, createdAt, size, bytes, note, place, encrypted }: About): object {
  const fields = { id, createdAt, size, bytes, note, place, encrypted }
  return { ...fields, sum: textChecksum(JSON.stringify(fields)) }
}

function decodeAbout(key: Key, value: unknown): About {
  const { id, createdAt, size, bytes, note, place, encrypted, sum } = (value ?? {}) as Partial<About> & { sum: number }
  const fields = { id, createdAt, size, bytes, note, place, encrypted }
  if (sum !== textChecksum(JSON.stringify(fields))) throw damaged(key, 'its checksum differs')
  if (!isCount(size)) throw damaged(key, 'a field is not a count')
  return fields as About
}
