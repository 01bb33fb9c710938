// One record of the log as one array of bytes, little-endian:
//   0 u32 checksum of the rest and of the record's key   4 u8 flags (1: ends a flush), 3 zeros
//   8 f64 size of the file after it                      16 runs: u32 first block, u32 blocks, their bytes
// In an encrypted database what follows the checksum is sealed, and the checksum is that of the sealed bytes.
// A record says what is at a place, not how it changed: laying it over a newer chunk and going on to the end of the log
// gives the same file as laying it over the old one.
import type { FileChanges } from '../seams.js'
import { checksum } from './checksum.js'
import type { Cipher } from './cipher.js'
import { damaged } from './errors.js'
import { BLOCK_SIZE, isBytes, isCount, logKey, MAX_RECORD } from './format.js'

const CHECKSUM = 4
const HEADER = 16
const RUN_HEADER = 8
const ENDS_FLUSH = 1

export interface EncodedRecord {
  readonly bytes: Uint8Array<ArrayBuffer>
  readonly sum: number
}

export interface LogRecord {
  /** Size of the file after the flush; when it is smaller than before, what lay behind is zeros from now on. */
  readonly size: number
  readonly endsFlush: boolean
  readonly runs: readonly Run[]
  readonly sum: number
}

export interface Run {
  readonly position: number
  readonly bytes: Uint8Array<ArrayBuffer>
}

/** A run of adjacent blocks inside `FileChanges.blocks`: blocks[from] ... blocks[from + count - 1]. */
export interface Span {
  readonly from: number
  readonly count: number
}

export function encodeRecord(
  gen: number,
  n: number,
  changes: FileChanges,
  spans: readonly Span[],
  endsFlush: boolean,
): EncodedRecord {
  const bytes = new Uint8Array(recordLength(spans))
  const view = new DataView(bytes.buffer)
  view.setUint8(4, endsFlush ? ENDS_FLUSH : 0)
  view.setFloat64(8, changes.size, true)
  let offset = HEADER
  for (const { from, count } of spans) {
    view.setUint32(offset, changes.blocks[from]!, true)
    view.setUint32(offset + 4, count, true)
    offset += RUN_HEADER
    bytes.set(changes.bytes.subarray(from * BLOCK_SIZE, (from + count) * BLOCK_SIZE), offset)
    offset += count * BLOCK_SIZE
  }
  return signed(gen, n, bytes)
}

/** The record that `encodeRecord` made, encrypted. */
export async function encryptRecord(
  gen: number,
  n: number,
  record: EncodedRecord,
  cipher: Cipher,
): Promise<EncodedRecord> {
  const sealed = await cipher.seal(logKey(gen, n), record.bytes.subarray(CHECKSUM))
  const bytes = new Uint8Array(CHECKSUM + sealed.length)
  bytes.set(sealed, CHECKSUM)
  return signed(gen, n, bytes)
}

function signed(gen: number, n: number, bytes: Uint8Array<ArrayBuffer>): EncodedRecord {
  const sum = checksum(logKey(gen, n), bytes.subarray(CHECKSUM))
  new DataView(bytes.buffer).setUint32(0, sum, true)
  return { bytes, sum }
}

export function recordLength(spans: readonly Span[]): number {
  return spans.reduce((sum, span) => sum + RUN_HEADER + span.count * BLOCK_SIZE, HEADER)
}

/**
 * The spans of each record of one flush. At least one record, as the size may be all that changed. Blocks behind the
 * end of the file are left out: the record's size says that they are zeros.
 */
export function splitIntoRecords({ blocks, size }: FileChanges): Span[][] {
  const records: Span[][] = [[]]
  let room = MAX_RECORD - HEADER
  for (let from = 0; from < blocks.length && blocks[from]! * BLOCK_SIZE < size;) {
    if (room < RUN_HEADER + BLOCK_SIZE) {
      records.push([])
      room = MAX_RECORD - HEADER
    }
    const most = Math.floor((room - RUN_HEADER) / BLOCK_SIZE)
    let count = 1
    while (
      count < most &&
      blocks[from + count] === blocks[from]! + count &&
      blocks[from + count]! * BLOCK_SIZE < size
    ) {
      count++
    }
    records.at(-1)!.push({ from, count })
    room -= RUN_HEADER + count * BLOCK_SIZE
    from += count
  }
  return records
}

/** Verifies a record as it was stored; `content` is what follows the checksum. */
export function verifyRecord(
  gen: number,
  n: number,
  value: unknown,
): { content: Uint8Array<ArrayBuffer>; sum: number } {
  const key = logKey(gen, n)
  if (value === undefined) throw damaged(key, 'it is missing')
  if (!isBytes(value) || value.length < HEADER) throw damaged(key, 'it is not a log record')
  const sum = new DataView(value.buffer, value.byteOffset).getUint32(0, true)
  const content = value.subarray(CHECKSUM)
  if (sum !== checksum(key, content)) throw damaged(key, 'its checksum differs')
  return { content, sum }
}

/** Its runs are views into `value`. */
export function decodeRecord(gen: number, n: number, value: unknown): LogRecord {
  const { content, sum } = verifyRecord(gen, n, value)
  return { ...parseRecord(gen, n, content), sum }
}

export async function decryptRecord(gen: number, n: number, value: unknown, cipher: Cipher): Promise<LogRecord> {
  const { content, sum } = verifyRecord(gen, n, value)
  return { ...parseRecord(gen, n, await cipher.open(logKey(gen, n), content)), sum }
}

function parseRecord(gen: number, n: number, content: Uint8Array<ArrayBuffer>): Omit<LogRecord, 'sum'> {
  const key = logKey(gen, n)
  const view = new DataView(content.buffer, content.byteOffset, content.byteLength)
  const flags = view.getUint32(0, true)
  const size = view.getFloat64(4, true)
  if (!isCount(size) || (flags & ~ENDS_FLUSH) !== 0) throw damaged(key, 'its header is not of this format')
  const runs: Run[] = []
  let behind = 0
  for (let offset = HEADER - CHECKSUM; offset < content.length;) {
    const whole = offset + RUN_HEADER <= content.length
    const block = whole ? view.getUint32(offset, true) : 0
    const length = whole ? view.getUint32(offset + 4, true) * BLOCK_SIZE : 0
    offset += RUN_HEADER
    if (length === 0 || block < behind || block * BLOCK_SIZE + length >= size + BLOCK_SIZE) {
      throw damaged(key, 'a run of blocks is not inside the file')
    }
    if (offset + length > content.length) throw damaged(key, 'it is cut short')
    runs.push({ position: block * BLOCK_SIZE, bytes: content.subarray(offset, offset + length) })
    behind = block + length / BLOCK_SIZE
    offset += length
  }
  return { size, endsFlush: (flags & ENDS_FLUSH) !== 0, runs }
}
