// What a plan of the logbook puts into the store, as keys and values.
import type { DatabaseFile, FileChanges } from '../seams.js'
import { sealChunk } from './chunk.js'
import type { Cipher } from './cipher.js'
import {
  baseKey,
  CHUNK_SIZE,
  encodeChunk,
  encodeHead,
  encodeTail,
  HEAD,
  logKey,
  TAIL,
  type BaseChunk,
  type Key,
} from './format.js'
import type { Plan } from './logbook.js'
import { encodeRecord, encryptRecord, type EncodedRecord } from './record.js'

export type Write = readonly [Key, object]

/** What has been put: complete when the last write has been made. */
export interface Sent {
  bytes: number
  /** Checksum of the last record. */
  lastSum: number
}

/** Made one by one: IndexedDB copies each as it is put, so that a large flush is never in memory as a whole. */
export function* plainWrites(
  plan: Plan,
  changes: FileChanges | null,
  file: DatabaseFile,
  sent: Sent,
): Generator<Write> {
  for (const [i, record] of recordsOf(plan, changes)) yield recordWrite(plan, i, record, sent)
  for (const [key, chunk] of chunksOf(plan, file)) {
    sent.bytes += chunk.bytes.length
    yield [key, encodeChunk(key, chunk)]
  }
  yield* ends(plan, sent)
}

/** Everything is copied before this first waits: later commits must not leak into it. */
export async function encryptedWrites(
  plan: Plan,
  changes: FileChanges | null,
  file: DatabaseFile,
  sent: Sent,
  cipher: Cipher,
): Promise<Write[]> {
  const plainRecords = [...recordsOf(plan, changes)]
  const plainChunks = [...chunksOf(plan, file)]
  const { gen } = plan.head
  const records = plainRecords.map(
    async ([i, record]) => [i, await encryptRecord(gen, plan.n + i, record, cipher)] as const,
  )
  const chunks = plainChunks.map(async ([key, chunk]) => [key, await sealChunk(key, chunk, cipher)] as const)
  const writes: Write[] = (await Promise.all(records)).map(([i, record]) => recordWrite(plan, i, record, sent))
  writes.push(...(await Promise.all(chunks)))
  sent.bytes += plainChunks.reduce((sum, [, chunk]) => sum + chunk.bytes.length, 0)
  return [...writes, ...ends(plan, sent)]
}

function* recordsOf(plan: Plan, changes: FileChanges | null): Generator<[number, EncodedRecord]> {
  for (const [i, spans] of plan.records.entries()) {
    yield [i, encodeRecord(plan.head.gen, plan.n + i, changes!, spans, i === plan.records.length - 1)]
  }
}

function* chunksOf(plan: Plan, file: DatabaseFile): Generator<[Key, BaseChunk]> {
  for (const n of plan.puts) {
    const length = Math.max(0, Math.min(CHUNK_SIZE, plan.size - n * CHUNK_SIZE))
    const bytes = length > 0 ? file.chunk(n).slice(0, length) : new Uint8Array(0)
    yield [baseKey(plan.head.gen, n), { bytes, at: plan.at }]
  }
}

function recordWrite(plan: Plan, i: number, { bytes, sum }: EncodedRecord, sent: Sent): Write {
  sent.bytes += bytes.length
  sent.lastSum = sum
  return [logKey(plan.head.gen, plan.n + i), bytes]
}

function* ends(plan: Plan, { lastSum }: Sent): Generator<Write> {
  const { gen } = plan.head
  if (plan.writesTail) yield [TAIL, encodeTail({ gen, last: plan.n + plan.records.length - 1, record: lastSum })]
  if (plan.writesHead) yield [HEAD, encodeHead(plan.head)]
}
