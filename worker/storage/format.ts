// The saved form, format 1: the keys of the one object store, and the small values under them. Log records are in
// record.ts. Checksums cover the bytes as they are stored, so an encrypted database can be checked without its key.
import { checksum, textChecksum } from './checksum.js'
import { isCipherHead, SEAL_BYTES, type CipherHead } from './cipher.js'
import { damaged, newer } from './errors.js'

export const FORMAT = 1
export const CHUNK_SIZE = 256 * 1024
export const BLOCK_SIZE = 128
/** A value of 64 KiB or more costs three times as much in Chromium, which moves it into a blob. */
export const MAX_RECORD = 60 * 1024

export type Key = (string | number)[]
export const HEAD: Key = ['head']
export const TAIL: Key = ['tail']
export const baseKey = (gen: number, n: number): Key => ['base', gen, n]
export const logKey = (gen: number, n: number): Key => ['log', gen, n]
/** What is known of a backup, and its chunks under a place of their own. */
export const aboutKey = (id: string): Key => ['backups', id]
export const backupKey = (place: string, n: number): Key => ['backup', place, n]

/** A value that a recovery could not use. */
export const asideKey = (when: string, key: Key): Key => ['aside', when, ...key]

export const everyAbout = (): IDBKeyRange => IDBKeyRange.bound(['backups'], ['backups', []])
export const everyBackup = (): IDBKeyRange => IDBKeyRange.bound(['backup'], ['backup', []])
export const backupChunks = (place: string): IDBKeyRange => IDBKeyRange.bound(['backup', place], ['backup', place, []])
/** Chunks of the places behind this one. */
export const backupsBehind = (place: string): IDBKeyRange => IDBKeyRange.bound(['backup', place, []], ['backup', []])

/** Base chunks from the n-th on. An array sorts behind every number. */
export const baseFrom = (gen: number, n: number): IDBKeyRange => IDBKeyRange.bound(baseKey(gen, n), ['base', gen, []])

/** Base chunks and log records of all generations but `gen`. */
export function otherGenerations(gen: number): IDBKeyRange[] {
  return ['base', 'log'].flatMap(kind => [
    IDBKeyRange.bound([kind], [kind, gen], false, true),
    IDBKeyRange.bound([kind, gen, []], [kind, []]),
  ])
}

/** Log records before the n-th. */
export const logBefore = (gen: number, n: number): IDBKeyRange =>
  IDBKeyRange.bound(['log', gen], logKey(gen, n), false, true)

/** Log records from the n-th on. */
export const logFrom = (gen: number, n: number): IDBKeyRange => IDBKeyRange.bound(logKey(gen, n), ['log', gen, []])

/** Where the saved state begins: base chunks that hold everything before record `first`, and who may write. */
export interface Head {
  readonly gen: number
  /** Raised by each owner when it opens; a flush of an owner that has been replaced sees another one and gives up. */
  readonly epoch: number
  readonly databasePageSize: number
  /** Number of the first log record to lay over the base. */
  readonly first: number
  /** Size of the file before record `first`. */
  readonly size: number
  /** Base chunks that must be there. What lies behind them began as zeros and is in the log. */
  readonly chunks: number
  /** What everything is encrypted with; null if it is not. */
  readonly cipher: CipherHead | null
}

/** Which record is the last one: without it a lost last record could not be told from a log that ends there. */
export interface Tail {
  readonly gen: number
  /** Number of the last record; `first - 1` when the log is empty. */
  readonly last: number
  /** Checksum of the last record. */
  readonly record: number
}

/** A base chunk, together with the number of the last record it contains. */
export interface BaseChunk {
  readonly bytes: Uint8Array<ArrayBuffer>
  readonly at: number
}

export function encodeHead(head: Head): object {
  const { gen, epoch, databasePageSize, first, size, chunks, cipher } = head
  const fields = { format: FORMAT, gen, epoch, databasePageSize, first, size, chunks, cipher }
  return { ...fields, sum: textChecksum(JSON.stringify(fields)) }
}

export function decodeHead(value: unknown): Head {
  const { format, gen, epoch, databasePageSize, first, size, chunks, cipher, sum } = asObject(value, HEAD)
  // Before the checksum: a newer format may compute it in another way.
  if (isCount(format) && format > FORMAT) throw newer(`saved in format ${format}, this build reads format ${FORMAT}`)
  const fields = { format, gen, epoch, databasePageSize, first, size, chunks, cipher }
  if (sum !== textChecksum(JSON.stringify(fields))) throw damaged(HEAD, 'its checksum differs')
  if (cipher !== null && !isCipherHead(cipher)) throw damaged(HEAD, 'its cipher is unknown')
  if (format !== FORMAT) throw damaged(HEAD, 'its format is unknown')
  if (![gen, epoch, databasePageSize, first, size, chunks].every(isCount)) throw damaged(HEAD, 'a field is not a count')
  const head = { gen, epoch, databasePageSize, first, size, chunks, cipher } as Head
  if (head.chunks * CHUNK_SIZE >= head.size + CHUNK_SIZE) throw damaged(HEAD, 'it has more chunks than the file')
  return head
}

export function encodeTail(tail: Tail): object {
  const { gen, last, record } = tail
  return { gen, last, record, sum: textChecksum(JSON.stringify([gen, last, record])) }
}

export function decodeTail(value: unknown): Tail {
  const { gen, last, record, sum } = asObject(value, TAIL)
  if (sum !== textChecksum(JSON.stringify([gen, last, record]))) throw damaged(TAIL, 'its checksum differs')
  if (!isCount(gen) || !isCount(record) || !(isCount(last) || last === -1)) {
    throw damaged(TAIL, 'a field is not a count')
  }
  return { gen, last, record }
}

/**
 * `bytes` is stored without the zeros behind the end of the file, encrypted if the database is, and must own its buffer:
 * a clone takes it whole.
 */
export function encodeChunk(key: Key, { bytes, at }: BaseChunk): object {
  return { at, sum: checksum([...key, at], bytes), bytes }
}

/** As it was stored. */
export function decodeChunk(key: Key, value: unknown): BaseChunk {
  const { at, sum, bytes } = asObject(value, key)
  if (!isBytes(bytes) || bytes.length > CHUNK_SIZE + SEAL_BYTES) throw damaged(key, 'its bytes are not a chunk')
  if (!(isCount(at) || at === -1)) throw damaged(key, 'its log number is not a count')
  if (sum !== checksum([...key, at], bytes)) throw damaged(key, 'its checksum differs')
  return { bytes, at }
}

/** The chunk in its full length: the stored array itself, unless it is the shorter one at the end of the file. */
export function wholeChunk(bytes: Uint8Array<ArrayBuffer>): Uint8Array<ArrayBuffer> {
  if (bytes.length === CHUNK_SIZE && bytes.buffer.byteLength === CHUNK_SIZE) return bytes
  const whole = new Uint8Array(CHUNK_SIZE)
  whole.set(bytes)
  return whole
}

/** SQLite keeps its page size at offset 16, and 65536, which does not fit there, as 1. */
export function databasePageSize(firstChunk: Uint8Array): number {
  const stored = (firstChunk[16]! << 8) | firstChunk[17]!
  return stored === 1 ? 65536 : stored
}

export function isBytes(value: unknown): value is Uint8Array<ArrayBuffer> {
  return value instanceof Uint8Array && value.buffer instanceof ArrayBuffer
}

export function isCount(value: unknown): value is number {
  return Number.isSafeInteger(value) && (value as number) >= 0
}

function asObject(value: unknown, key: Key): Record<string, unknown> {
  if (value === undefined) throw damaged(key, 'it is missing')
  if (typeof value !== 'object' || value === null) throw damaged(key, 'it is not an object')
  return value as Record<string, unknown>
}
