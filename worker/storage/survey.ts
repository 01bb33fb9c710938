// Reads a saved form that may be damaged, as far as it can be read: what is bad, what the good rest amounts to.
import { get, promisifyRequest, type UseStore } from 'idb-keyval'
import { DataFlowError } from '../../src/shared/errors.js'
import type { SavedFile } from '../seams.js'
import { openChunk } from './chunk.js'
import { Cipher, wrongKey } from './cipher.js'
import {
  baseFrom,
  baseKey,
  CHUNK_SIZE,
  decodeHead,
  decodeTail,
  HEAD,
  logFrom,
  logKey,
  TAIL,
  type Head,
  type Key,
  type Tail,
} from './format.js'
import { Image } from './image.js'
import { decodeRecord, decryptRecord, type LogRecord } from './record.js'

export interface Damage {
  readonly key: Key
  /** Whole sentence, naming the key. */
  readonly what: string
}

export interface Survey {
  readonly head: Head | null
  readonly gen: number
  readonly cipher: Cipher | null
  /** In the order of opening; empty when the saved form is sound. */
  readonly damages: readonly Damage[]
  readonly file: SavedFile
  /** The file is a state that was committed once: the longest good prefix of all flushes. */
  readonly exact: boolean
  /** Log records that are not in the file: bad ones, and for a prefix those behind them. */
  readonly lostRecords: readonly number[]
  /** Log records that were saved, as far as is known. */
  readonly records: number
  /** Chunks that are not in the file; zeros are in their place. */
  readonly lostChunks: readonly number[]
  readonly chunks: number
}

/**
 * `prefix`: everything up to the last flush before the first bad record. `patched`: all good records, for when chunks
 * are newer than the prefix, so that it was never a state of its own.
 */
export async function survey(store: UseStore, secret: CryptoKey | null, take: 'prefix' | 'patched'): Promise<Survey> {
  const damages: Damage[] = []
  const head = await tolerant(HEAD, damages, async key => decodeHead(await get<unknown>(key, store)))
  const tail = await tolerant(TAIL, damages, async key => decodeTail(await get<unknown>(key, store)))
  const cipher = await cipherOf(head, secret)
  const gen = head?.gen ?? tail?.gen ?? (await greatestGeneration(store))
  const keys = await keysOf(store, gen)

  const chunkCount = head?.chunks ?? keys.chunks.length
  const chunks: { bytes: Uint8Array<ArrayBuffer>; at: number; length: number }[] = []
  const lostChunks: number[] = []
  for (let n = 0; n < chunkCount; n++) {
    const chunk = await tolerant(baseKey(gen, n), damages, async key => {
      const value = await get<unknown>(key, store)
      return { ...(await openChunk(key, value, cipher)), length: (value as { bytes: Uint8Array }).bytes.length }
    })
    if (!chunk) lostChunks.push(n)
    chunks.push(chunk ?? { bytes: new Uint8Array(CHUNK_SIZE), at: -1, length: CHUNK_SIZE })
  }

  const { first, last } = logRange(head, tail, keys.records)
  const records: (LogRecord | null)[] = []
  for (let n = first; n <= last; n++) {
    const read = async (key: Key) => {
      const value = await get<unknown>(key, store)
      return cipher ? decryptRecord(gen, n, value, cipher) : decodeRecord(gen, n, value)
    }
    records.push(await tolerant(logKey(gen, n), damages, read))
  }
  if (damages.length === 0) noteTail(tail!, records.at(-1), last, gen, damages)

  const good = prefixOf(records)
  const isTaken = (i: number): boolean => (take === 'patched' ? records[i] !== null : i < good)
  const size = head?.size ?? chunks.reduce((_, chunk, n) => n * CHUNK_SIZE + chunk.length, 0)
  const image = new Image(
    chunks.map(chunk => chunk.bytes),
    size,
  )
  for (const [i, record] of records.entries()) if (isTaken(i)) image.lay(record!)
  const lastTaken = first + good - 1
  return {
    head,
    gen,
    cipher,
    damages,
    file: { chunks: image.chunks, size: image.size },
    exact: lostChunks.length === 0 && (good === records.length || chunks.every(({ at }) => at <= lastTaken)),
    lostRecords: records.flatMap((_, i) => (isTaken(i) ? [] : [first + i])),
    records: records.length,
    lostChunks,
    chunks: chunkCount,
  }
}

/** What of the saved form could be brought back, as a sentence. */
export function describeRescue({ exact, lostRecords, records, lostChunks, chunks }: Survey): string {
  if (lostChunks.length > 0) return `${chunks - lostChunks.length} of its ${chunks} chunks are good`
  const kept = records - lostRecords.length
  const log = `${kept} of the last ${records} log records are good`
  return exact ? `everything up to its last good flush is there, ${log}` : log
}

async function tolerant<T>(key: Key, damages: Damage[], read: (key: Key) => Promise<T>): Promise<T | null> {
  try {
    return await read(key)
  } catch (e) {
    if (!DataFlowError.is(e, 'STORAGE_CORRUPT')) throw e
    damages.push({ key, what: e.message })
    return null
  }
}

/** The key that everything is encrypted with is in the head. */
function cipherOf(head: Head | null, secret: CryptoKey | null): Promise<Cipher> | null {
  if (head?.cipher && secret) return Cipher.open(secret, head.cipher)
  if (head?.cipher) throw wrongKey('it is encrypted, and none was given')
  if (head && secret) throw wrongKey('it is not encrypted')
  if (secret) throw wrongKey('the head, which holds the data key, is damaged: what is encrypted is lost')
  return null
}

async function keysOf(store: UseStore, gen: number): Promise<{ chunks: Key[]; records: number[] }> {
  return store('readonly', async objects => {
    const [chunks, records] = await Promise.all([
      promisifyRequest(objects.getAllKeys(baseFrom(gen, 0))),
      promisifyRequest(objects.getAllKeys(logFrom(gen, 0))),
    ])
    return { chunks: chunks as Key[], records: records.map(key => (key as Key)[2] as number) }
  })
}

async function greatestGeneration(store: UseStore): Promise<number> {
  const keys = await store('readonly', objects =>
    promisifyRequest(objects.getAllKeys(IDBKeyRange.bound(['base'], ['log', []]))),
  )
  const generations = keys
    .filter(key => ['base', 'log'].includes((key as Key)[0] as string))
    .map(key => (key as Key)[1])
  return Math.max(0, ...(generations as number[]))
}

/** Which records there should be. Without a head: those that follow each other without a gap up to the last one. */
function logRange(head: Head | null, tail: Tail | null, present: readonly number[]): { first: number; last: number } {
  const last = Math.max(tail?.last ?? -1, present.at(-1) ?? -1, (head?.first ?? 0) - 1)
  if (head) return { first: head.first, last }
  let first = last + 1
  for (let i = present.length - 1; i >= 0 && present[i] === first - 1; i--) first--
  return { first, last }
}

/** How many records there are up to the last flush before the first bad one. */
function prefixOf(records: readonly (LogRecord | null)[]): number {
  const firstBad = records.indexOf(null)
  const run = firstBad === -1 ? records : records.slice(0, firstBad)
  return run.findLastIndex(record => record!.endsFlush) + 1
}

/** Everything verified by itself: does the tail say the same? */
function noteTail(
  tail: Tail,
  record: LogRecord | null | undefined,
  last: number,
  gen: number,
  damages: Damage[],
): void {
  const agrees = tail.gen === gen && tail.last === last && (!record || record.sum === tail.record)
  if (!agrees)
    damages.push({ key: TAIL, what: `The saved record ["tail"] cannot be used: it does not name the last log record.` })
}
