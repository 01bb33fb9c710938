// Opening a saved database: claim it, read the base, lay the log over it. Everything is verified on the way.
import { getMany, promisifyRequest, type UseStore } from 'idb-keyval'
import { openChunk } from './chunk.js'
import { wrongKey, type Cipher } from './cipher.js'
import { damaged } from './errors.js'
import type { SavedFile } from '../seams.js'
import {
  baseKey,
  CHUNK_SIZE,
  decodeHead,
  decodeTail,
  encodeHead,
  encodeTail,
  everyBackup,
  HEAD,
  logBefore,
  logFrom,
  logKey,
  otherGenerations,
  TAIL,
  type BaseChunk,
  type Head,
  type Key,
  type Tail,
} from './format.js'
import { Image, resizedChunks } from './image.js'
import type { Entry } from './logbook.js'
import { decodeRecord, decryptRecord, type LogRecord } from './record.js'
import { abort, completed } from './transaction.js'

/** Chunks (256 KiB) and log records (up to 60 KiB) per batch. */
const CHUNK_BATCH = 16
const RECORD_BATCH = 64

export interface Claim {
  readonly head: Head
  readonly tail: Tail
  /** The oldest record that is still stored. */
  readonly oldest: number
  /** There are values of other generations: an import that was cut short, or what one has replaced. */
  readonly hasStrays: boolean
  /** There are backups, or what an interrupted one has left. */
  readonly hasBackups: boolean
}

export interface SavedState {
  readonly file: SavedFile
  readonly entries: Entry[]
  /** For each chunk the first record that its saved copy lacks, in ascending order of these. */
  readonly dirty: Map<number, number>
}

/** Makes the caller the owner: raises the epoch, in the transaction that read it. Makes the head of a new database. */
export async function claim(store: UseStore, cipher: Cipher | null): Promise<Claim> {
  return store('readwrite', async objects => {
    const { transaction } = objects
    const ended = completed(transaction)
    // When a request fails first, that is told below.
    ended.catch(() => {})
    try {
      const [found, foundTail] = await Promise.all([
        promisifyRequest<unknown>(objects.get(HEAD)),
        promisifyRequest<unknown>(objects.get(TAIL)),
      ])
      const isNew = found === undefined && (await promisifyRequest(objects.count())) === 0
      const before = isNew ? newHead(cipher) : decodeHead(found)
      if (before.cipher?.dataKey !== cipher?.head.dataKey) {
        throw wrongKey(cipher ? 'it was changed meanwhile' : 'it is encrypted, and none was given')
      }
      const tail = isNew ? { gen: before.gen, last: -1, record: 0 } : decodeTail(foundTail)
      const head = { ...before, epoch: before.epoch + 1 }
      objects.put(encodeHead(head), HEAD)
      if (isNew) objects.put(encodeTail(tail), TAIL)
      const keyIn = (range: IDBKeyRange) => promisifyRequest(objects.getKey(range))
      const [oldest, behind, backup, ...strays] = await Promise.all([
        keyIn(logBefore(head.gen, head.first)),
        keyIn(logFrom(head.gen, tail.last + 1)),
        keyIn(everyBackup()),
        ...otherGenerations(head.gen).map(keyIn),
      ])
      if (behind)
        throw damaged(TAIL, `it names record ${tail.last} as the last one, but ${JSON.stringify(behind)} exists`)
      await ended
      const hasStrays = strays.some(key => key !== undefined)
      const hasBackups = backup !== undefined
      return {
        head,
        tail,
        oldest: oldest === undefined ? head.first : Number((oldest as Key)[2]),
        hasStrays,
        hasBackups,
      }
    } catch (e) {
      abort(transaction)
      throw transaction.error ?? e
    }
  })
}

export async function readSaved(store: UseStore, { head, tail }: Claim, cipher: Cipher | null): Promise<SavedState> {
  checkTail(head, tail)
  const { gen, first } = head
  const chunks: BaseChunk[] = []
  const baseKeys = Array.from({ length: head.chunks }, (_, n) => baseKey(gen, n))
  for await (const batch of readChunkBatches(store, baseKeys, cipher)) {
    const behind = batch.findIndex(chunk => chunk.at > tail.last)
    if (behind !== -1) {
      throw damaged(baseKey(gen, chunks.length + behind), `it is newer than the last log record ${tail.last}`)
    }
    chunks.push(...batch)
  }

  const image = new Image(
    chunks.map(chunk => chunk.bytes),
    head.size,
  )
  const entries: Entry[] = []
  const dirty = new Map<number, number>()
  const logKeys = Array.from({ length: tail.last - first + 1 }, (_, i) => logKey(gen, first + i))
  let last: LogRecord | undefined
  for await (const [, values] of readAll(logKeys, RECORD_BATCH, keys => getRecords(store, keys))) {
    const from = first + entries.length
    const decode = (value: unknown, i: number) =>
      cipher ? decryptRecord(gen, from + i, value, cipher) : decodeRecord(gen, from + i, value)
    for (const [i, record] of (await Promise.all(values.map(decode))).entries()) {
      for (const chunk of chunksOf(record, image.size)) {
        if (from + i > (chunks[chunk]?.at ?? -1) && !dirty.has(chunk)) dirty.set(chunk, from + i)
      }
      image.lay(record)
      entries.push({ bytes: (values[i] as Uint8Array).length, size: record.size })
      last = record
    }
  }
  if (last && !last.endsFlush) throw damaged(logKey(gen, tail.last), 'it does not end a flush')
  if (last && last.sum !== tail.record) throw damaged(TAIL, 'the last log record is another one')
  return { file: { chunks: image.chunks, size: image.size }, entries, dirty }
}

/** Chunks in the order of their keys, each verified and in its full length. */
export async function* readChunkBatches(
  store: UseStore,
  keys: Key[],
  cipher: Cipher | null,
): AsyncGenerator<BaseChunk[]> {
  for await (const [batch, values] of readAll(keys, CHUNK_BATCH, keys => getMany(keys, store))) {
    yield await Promise.all(values.map((value, i) => openChunk(batch[i]!, value, cipher)))
  }
}

/** Deletes the values of every generation but `gen`. */
export async function deleteOtherGenerations(store: UseStore, gen: number): Promise<void> {
  await store('readwrite', objects => {
    for (const range of otherGenerations(gen)) objects.delete(range)
    return completed(objects.transaction)
  })
}

function newHead(cipher: Cipher | null): Head {
  return { gen: 0, epoch: 0, databasePageSize: 0, first: 0, size: 0, chunks: 0, cipher: cipher?.head ?? null }
}

function checkTail(head: Head, tail: Tail): void {
  if (tail.gen !== head.gen) throw damaged(TAIL, `it belongs to generation ${tail.gen}, the head to ${head.gen}`)
  if (tail.last < head.first - 1) throw damaged(TAIL, `it names record ${tail.last}, the log begins at ${head.first}`)
}

function* chunksOf({ runs, size }: LogRecord, sizeBefore: number): Generator<number> {
  for (const { position, bytes } of runs) {
    const last = Math.floor((position + bytes.length - 1) / CHUNK_SIZE)
    for (let chunk = Math.floor(position / CHUNK_SIZE); chunk <= last; chunk++) yield chunk
  }
  if (size === sizeBefore) return
  const { from, to } = resizedChunks(sizeBefore, size)
  for (let chunk = from; chunk < to; chunk++) yield chunk
}

/** Small values come twice as fast by range; which one is missing, if the number is not right, is asked for by key. */
async function getRecords(store: UseStore, keys: Key[]): Promise<unknown[]> {
  const range = IDBKeyRange.bound(keys[0], keys.at(-1))
  const values = await store('readonly', objects => promisifyRequest<unknown[]>(objects.getAll(range)))
  return values.length === keys.length ? values : getMany(keys, store)
}

/** `keys` and their values, in batches. The next one is on its way while one is used: fast, and little memory. */
async function* readAll(
  keys: Key[],
  batch: number,
  read: (keys: Key[]) => Promise<unknown[]>,
): AsyncGenerator<[Key[], unknown[]]> {
  const start = (from: number): Promise<unknown[]> | null => {
    if (from >= keys.length) return null
    const values = read(keys.slice(from, from + batch))
    // Its turn may never come, when the one before it fails; then that error is the one to tell.
    values.catch(() => {})
    return values
  }
  let next = start(0)
  for (let from = 0; next; from += batch) {
    const current = next
    next = start(from + batch)
    yield [keys.slice(from, from + batch), await current]
  }
}
