import fc from 'fast-check'
import { describe, expect, test } from 'vitest'
import { BLOCK_SIZE, CHUNK_SIZE, ChunkedFile } from '../../worker/sqlite/file.js'
import type { FileChanges } from '../../worker/seams.js'
import { imageOf, replay } from './support.js'

const LIMIT = 2.5 * CHUNK_SIZE

/** Positions near what can go wrong: the ends of blocks, pages and chunks. */
const position = fc.oneof(
  fc.integer({ min: 0, max: LIMIT }),
  fc
    .tuple(fc.integer({ min: 0, max: 2 }), fc.integer({ min: -200, max: 200 }))
    .map(([n, d]) => Math.max(0, n * CHUNK_SIZE + d)),
  fc.tuple(fc.integer({ min: 0, max: 40 }), fc.integer({ min: -2, max: 2 })).map(([n, d]) => Math.max(0, n * 4096 + d)),
)
const length = fc.oneof(fc.integer({ min: 0, max: 300 }), fc.constant(4096), fc.integer({ min: 0, max: 20_000 }))

const command = fc.oneof(
  {
    weight: 6,
    arbitrary: fc.record({
      kind: fc.constant('write' as const),
      position,
      length,
      seed: fc.integer({ min: 0, max: 3 }),
    }),
  },
  { weight: 2, arbitrary: fc.record({ kind: fc.constant('truncate' as const), size: position }) },
  { weight: 2, arbitrary: fc.record({ kind: fc.constant('take' as const) }) },
  { weight: 1, arbitrary: fc.record({ kind: fc.constant('undo' as const) }) },
  { weight: 1, arbitrary: fc.record({ kind: fc.constant('undoUntaken' as const) }) },
  { weight: 2, arbitrary: fc.record({ kind: fc.constant('read' as const), position, length }) },
)

/** Mostly constant, so that many writes put back what was there. */
function content(length: number, seed: number): Uint8Array {
  return new Uint8Array(length).map((_, i) => (seed === 0 ? 0 : seed === 1 ? 7 : (i * seed) % 251))
}

function resized(image: Uint8Array, size: number): Uint8Array {
  const next = new Uint8Array(size)
  next.set(image.subarray(0, size))
  return next
}

function expectedChanges(before: Uint8Array, now: Uint8Array): FileChanges | null {
  const count = Math.ceil(Math.max(before.length, now.length) / BLOCK_SIZE)
  const old = resized(before, count * BLOCK_SIZE)
  const current = resized(now, count * BLOCK_SIZE)
  const blocks: number[] = []
  for (let i = 0; i < count; i++) {
    const at = i * BLOCK_SIZE
    if (Buffer.compare(old.subarray(at, at + BLOCK_SIZE), current.subarray(at, at + BLOCK_SIZE)) !== 0) blocks.push(i)
  }
  if (blocks.length === 0 && before.length === now.length) return null
  const gather = (image: Uint8Array): Uint8Array<ArrayBuffer> => {
    const bytes = new Uint8Array(blocks.length * BLOCK_SIZE)
    blocks.forEach((b, i) => bytes.set(image.subarray(b * BLOCK_SIZE, (b + 1) * BLOCK_SIZE), i * BLOCK_SIZE))
    return bytes
  }
  return { blocks, bytes: gather(current), before: gather(old), sizeBefore: before.length, size: now.length }
}

function expectSame(file: ChunkedFile, image: Uint8Array): void {
  expect(file.size).toBe(image.length)
  expect(Buffer.compare(imageOf(file), image)).toBe(0)
  expect(file.chunkCount).toBe(Math.ceil(image.length / CHUNK_SIZE))
  if (file.chunkCount === 0) return
  const last = file.chunk(file.chunkCount - 1)
  expect(last.length).toBe(CHUNK_SIZE)
  const used = image.length - (file.chunkCount - 1) * CHUNK_SIZE
  expect(last.subarray(used).every(byte => byte === 0)).toBe(true)
}

describe('ChunkedFile', () => {
  test('does what an array of bytes does, whatever the order of writes, cuts, looks and undos', () => {
    fc.assert(
      fc.property(fc.array(command, { maxLength: 30 }), commands => {
        const file = new ChunkedFile()
        let image: Uint8Array = new Uint8Array(0)
        let taken: Uint8Array = image
        const history: { before: Uint8Array; changes: FileChanges }[] = []
        for (const command of commands) {
          switch (command.kind) {
            case 'write': {
              const bytes = content(command.length, command.seed)
              // Surrounded by other bytes, as it is in WASM's memory.
              const source = new Uint8Array(bytes.length + 8).fill(99)
              source.set(bytes, 3)
              file.write(command.position, source, 3, bytes.length)
              if (bytes.length > 0) {
                image = resized(image, Math.max(image.length, command.position + bytes.length))
                image.set(bytes, command.position)
              }
              break
            }
            case 'truncate':
              file.truncate(command.size)
              image = resized(image, command.size)
              break
            case 'take': {
              const changes = file.takeChanges()
              expect(changes).toEqual(expectedChanges(taken, image))
              if (changes) {
                expect(Buffer.compare(replay(taken, changes), image)).toBe(0)
                history.push({ before: taken, changes })
              }
              taken = image.slice()
              break
            }
            case 'undo': {
              const last = history.pop()
              if (!last) break
              file.undo(last.changes)
              image = last.before.slice()
              taken = last.before
              break
            }
            case 'undoUntaken':
              file.undoUntaken()
              image = taken.slice()
              break
            case 'read': {
              const target = new Uint8Array(command.length + 5).fill(42)
              const count = file.read(command.position, target, 5, command.length)
              const expected = image.subarray(command.position, command.position + command.length)
              expect(count).toBe(expected.length)
              expect(Buffer.compare(target.subarray(5, 5 + count), expected)).toBe(0)
              expect(target.subarray(5 + count).every(byte => byte === 42)).toBe(true)
              break
            }
          }
        }
        expectSame(file, image)
        file.undoUntaken()
        for (const { before, changes } of history.reverse()) {
          file.undo(changes)
          expectSame(file, before)
        }
      }),
      { numRuns: 150 },
    )
  }, 30_000)

  test('saved chunks become the file; a missing tail and what lies behind the end are zeros', () => {
    const first = new Uint8Array(CHUNK_SIZE).fill(1)
    const file = new ChunkedFile({ chunks: [first], size: CHUNK_SIZE + 10 })
    expect(file.chunk(0)).toBe(first)
    expect(file.chunkCount).toBe(2)
    expect(file.chunk(1).every(byte => byte === 0)).toBe(true)
    expect(() => file.chunk(2)).toThrow(RangeError)

    const tail = new Uint8Array(CHUNK_SIZE).fill(2)
    const short = new ChunkedFile({ chunks: [tail], size: 100 })
    short.truncate(200)
    expect(imageOf(short)).toEqual(resized(new Uint8Array(100).fill(2), 200))
    expect(short.takeChanges()).toMatchObject({ blocks: [], sizeBefore: 100, size: 200 })
    expect(short.takeChanges()).toBeNull()
  })

  test('chunks that start at an odd address are copied, chunks of another size refused', () => {
    const odd = new Uint8Array(new ArrayBuffer(CHUNK_SIZE + 1), 1).fill(3)
    const file = new ChunkedFile({ chunks: [odd], size: CHUNK_SIZE })
    file.write(5, new Uint8Array([9]), 0, 1)
    expect(file.takeChanges()).toMatchObject({ blocks: [0] })
    expect(() => new ChunkedFile({ chunks: [new Uint8Array(10)], size: 10 })).toThrow(RangeError)
  })

  test('what a look returns stays as it is when the file goes on changing', () => {
    const file = new ChunkedFile()
    file.write(0, new Uint8Array([1]), 0, 1)
    const changes = file.takeChanges()!
    file.write(0, new Uint8Array([2]), 0, 1)
    expect([changes.bytes[0], changes.before[0]]).toEqual([1, 0])
    file.undo(changes)
    expect(file.size).toBe(0)
  })

  test('undo in the wrong order is refused', () => {
    const file = new ChunkedFile()
    file.write(0, new Uint8Array(100), 0, 100)
    const first = file.takeChanges()!
    file.write(100, new Uint8Array(100), 0, 100)
    file.takeChanges()
    expect(() => file.undo(first)).toThrow(RangeError)
  })
})
