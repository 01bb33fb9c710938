import fc from 'fast-check'
import { expect, test } from 'vitest'
import { DataFlowError } from '../../src/shared/errors.js'
import type { FileChanges } from '../../worker/seams.js'
import {
  baseKey,
  BLOCK_SIZE,
  CHUNK_SIZE,
  databasePageSize,
  decodeChunk,
  decodeHead,
  decodeTail,
  encodeChunk,
  encodeHead,
  encodeTail,
  MAX_RECORD,
  type Head,
} from '../../worker/storage/format.js'
import { openChunk } from '../../worker/storage/chunk.js'
import { decodeRecord, encodeRecord, splitIntoRecords } from '../../worker/storage/record.js'
import { noise } from './fake.js'

const count = fc.nat()
const head: fc.Arbitrary<Head> = fc
  .record({
    gen: count,
    epoch: count,
    databasePageSize: count,
    first: count,
    chunks: count,
    rest: fc.nat(CHUNK_SIZE - 1),
  })
  .map(({ rest, ...head }) => ({ ...head, size: head.chunks * CHUNK_SIZE + rest, cipher: null }))

/** Blocks with holes and runs, of a file that may end in the middle of them. */
const changes: fc.Arbitrary<FileChanges> = fc
  .record({
    runs: fc.array(fc.record({ gap: fc.integer({ min: 1, max: 5000 }), length: fc.integer({ min: 1, max: 700 }) }), {
      maxLength: 12,
    }),
    cut: fc.double({ min: 0, max: 1, noNaN: true }),
    seed: fc.nat(),
  })
  .map(({ runs, cut, seed }) => {
    const blocks: number[] = []
    let next = 0
    for (const { gap, length } of runs) {
      next += gap
      for (let i = 0; i < length; i++) blocks.push(next++)
    }
    const size = Math.ceil(next * (cut < 0.7 ? 1 : cut)) * BLOCK_SIZE
    const bytes = noise(blocks.length * BLOCK_SIZE, seed)
    return { blocks, bytes, before: new Uint8Array(bytes.length), sizeBefore: 0, size }
  })

const encode = (n: number, changes: FileChanges) => {
  const parts = splitIntoRecords(changes)
  return parts.map((spans, i) => encodeRecord(3, n + i, changes, spans, i === parts.length - 1))
}

test('records give back the blocks inside the file, in values of at most 60 KiB, the last of which ends the flush', () => {
  fc.assert(
    fc.property(changes, fc.nat(), (changes, n) => {
      const records = encode(n, changes)
      const blocks: number[] = []
      const bytes: Uint8Array[] = []
      records.forEach((encoded, i) => {
        expect(encoded.bytes.length).toBeLessThanOrEqual(MAX_RECORD)
        const record = decodeRecord(3, n + i, encoded.bytes)
        expect([record.sum, record.size, record.endsFlush]).toEqual([
          encoded.sum,
          changes.size,
          i === records.length - 1,
        ])
        for (const run of record.runs) {
          bytes.push(run.bytes)
          for (let at = 0; at < run.bytes.length; at += BLOCK_SIZE) blocks.push((run.position + at) / BLOCK_SIZE)
        }
      })
      const inside = changes.blocks.filter(block => block * BLOCK_SIZE < changes.size)
      expect(blocks.join()).toBe(inside.join())
      expect(Buffer.concat(bytes).equals(changes.bytes.subarray(0, inside.length * BLOCK_SIZE))).toBe(true)
    }),
  )
})

test('adjacent blocks are one run', () => {
  const blocks = Array.from({ length: 100 }, (_, i) => i + 7)
  const bytes = noise(100 * BLOCK_SIZE, 1)
  const [record] = encode(0, { blocks, bytes, before: bytes, sizeBefore: 0, size: 1 << 20 })
  expect(record!.bytes.length).toBe(16 + 8 + 100 * BLOCK_SIZE)
})

test('a change of nothing but the size is a record', () => {
  const none = new Uint8Array(0)
  const [record] = encode(0, { blocks: [], bytes: none, before: none, sizeBefore: 8192, size: 4096 })
  expect(decodeRecord(3, 0, record!.bytes)).toMatchObject({ size: 4096, runs: [], endsFlush: true })
})

test('a flipped bit anywhere in a record is noticed, and so are a cut and a wrong place', () => {
  fc.assert(
    fc.property(changes, fc.nat(), fc.nat(), (changes, where, bit) => {
      const { bytes } = encode(5, changes)[0]!
      const flipped = bytes.slice()
      flipped[where % bytes.length]! ^= 1 << (bit % 8)
      expectCorrupt(() => decodeRecord(3, 5, flipped), '["log",3,5]')
      expectCorrupt(() => decodeRecord(3, 5, bytes.slice(0, where % bytes.length)), '["log",3,5]')
      expectCorrupt(() => decodeRecord(3, 6, bytes), '["log",3,6]')
      expectCorrupt(() => decodeRecord(2, 5, bytes), '["log",2,5]')
    }),
  )
})

test.each([undefined, null, 7, 'text', [], {}, new ArrayBuffer(64), new Uint8Array(3)])(
  'a record that is %s is refused',
  value => expectCorrupt(() => decodeRecord(0, 0, value), '["log",0,0]'),
)

test('head and tail give back what they hold, also after a structured clone', () => {
  fc.assert(
    fc.property(head, count, count, (head, last, record) => {
      expect(decodeHead(structuredClone(encodeHead(head)))).toEqual(head)
      const tail = { gen: head.gen, last: last - 1, record }
      expect(decodeTail(structuredClone(encodeTail(tail)))).toEqual(tail)
    }),
  )
})

test('any other value in any field of head or tail is noticed', () => {
  const tail = { gen: 1, last: 2, record: 3 }
  const other = fc.oneof(count, fc.string(), fc.constantFrom(null, undefined, true, -1, 0.5, NaN))
  const without = (value: object, field: string, replacement: unknown) => ({ ...value, [field]: replacement })
  fc.assert(
    fc.property(head, other, (head, replacement) => {
      const encoded = encodeHead(head)
      for (const field of Object.keys(encoded)) {
        if (Object.is((encoded as Record<string, unknown>)[field], replacement)) continue
        if (field === 'format' && typeof replacement === 'number' && replacement > 1) continue
        expectCorrupt(() => decodeHead(without(encoded, field, replacement)), '["head"]')
      }
      for (const field of ['gen', 'last', 'record', 'sum'] as const) {
        const encoded = encodeTail(tail)
        if (Object.is((encoded as Record<string, unknown>)[field], replacement)) continue
        expectCorrupt(() => decodeTail(without(encoded, field, replacement)), '["tail"]')
      }
    }),
  )
})

test('a newer format is told as such, whatever else it holds', () => {
  for (const value of [{ format: 2 }, { ...encodeHead({ ...anyHead }), format: 7 }]) {
    expect(codeOf(() => decodeHead(value))).toBe('STORAGE_NEWER')
  }
})

test('chunks give back their bytes: whole ones as the very array, a shorter one with zeros behind', async () => {
  const key = baseKey(1, 2)
  const whole = noise(CHUNK_SIZE, 1)
  expect((await openChunk(key, encodeChunk(key, { bytes: whole, at: 9 }), null)).bytes).toBe(whole)
  const short = noise(4096, 2)
  const { bytes, at } = await openChunk(key, encodeChunk(key, { bytes: short, at: -1 }), null)
  expect([bytes.length, at]).toEqual([CHUNK_SIZE, -1])
  expect(Buffer.compare(bytes.subarray(0, 4096), short)).toBe(0)
  expect(bytes.subarray(4096).every(byte => byte === 0)).toBe(true)
})

test('a chunk with a flipped bit, another place or another log number is refused', () => {
  const key = baseKey(1, 2)
  fc.assert(
    fc.property(fc.uint8Array({ minLength: 1, maxLength: 5000 }), count, fc.nat(), (source, at, where) => {
      const bytes = new Uint8Array(source)
      const encoded = encodeChunk(key, { bytes, at })
      expectCorrupt(() => decodeChunk(baseKey(1, 3), encoded), '["base",1,3]')
      expectCorrupt(() => decodeChunk(key, { ...encoded, at: at + 1 }), '["base",1,2]')
      const flipped = bytes.slice()
      flipped[where % bytes.length]! ^= 1
      expectCorrupt(() => decodeChunk(key, { ...encoded, bytes: flipped }), '["base",1,2]')
    }),
  )
  for (const value of [undefined, null, 1, new Uint8Array(CHUNK_SIZE), { bytes: [], at: 0, sum: 0 }]) {
    expectCorrupt(() => decodeChunk(key, value), '["base",1,2]')
  }
})

test('the page size of a database is read from its header', () => {
  const header = new Uint8Array(100)
  header[16] = 0x10
  expect(databasePageSize(header)).toBe(4096)
  header.set([0, 1], 16)
  expect(databasePageSize(header)).toBe(65536)
})

const anyHead: Head = { gen: 0, epoch: 1, databasePageSize: 4096, first: 0, size: 0, chunks: 0, cipher: null }

function codeOf(run: () => unknown): string | undefined {
  try {
    run()
  } catch (e) {
    return DataFlowError.is(e) ? e.code : String(e)
  }
  return undefined
}

function expectCorrupt(run: () => unknown, key: string): void {
  try {
    run()
  } catch (e) {
    if (!DataFlowError.is(e, 'STORAGE_CORRUPT')) throw e
    expect(e.message).toContain(key)
    return
  }
  expect.fail(`${key} was taken for good`)
}
