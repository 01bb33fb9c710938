// A snapshot stays what the file was, whatever is done to the file.
import fc from 'fast-check'
import { describe, expect, test } from 'vitest'
import { CHUNK_SIZE, ChunkedFile } from '../../worker/sqlite/file.js'
import type { FileImage } from '../../worker/seams.js'
import { noise } from '../storage/fake.js'
import { boot, imageOf, openDatabase, rowsOf } from './support.js'

function bytesOf(image: FileImage): Buffer {
  const bytes = Buffer.alloc(image.chunkCount * CHUNK_SIZE)
  for (let n = 0; n < image.chunkCount; n++) bytes.set(image.chunk(n), n * CHUNK_SIZE)
  expect(bytes.subarray(image.size).every(byte => byte === 0)).toBe(true)
  return bytes.subarray(0, image.size)
}

function fileOf(length: number): ChunkedFile {
  const file = new ChunkedFile()
  file.write(0, noise(length, 1), 0, length)
  file.takeChanges()
  return file
}

describe('a snapshot', () => {
  test('shares chunks until they change, and copies each once for all snapshots', () => {
    const file = fileOf(3 * CHUNK_SIZE)
    const [one, two] = [file.snapshot(), file.snapshot()]
    file.write(CHUNK_SIZE + 5, noise(10, 2), 0, 10)
    expect(one.chunk(0)).toBe(file.chunk(0))
    expect(one.chunk(2)).toBe(file.chunk(2))
    expect(one.chunk(1)).not.toBe(file.chunk(1))
    expect(one.chunk(1)).toBe(two.chunk(1))
    const later = file.snapshot()
    const kept = one.chunk(1)
    file.write(CHUNK_SIZE + 50, noise(10, 3), 0, 10)
    expect(one.chunk(1)).toBe(kept)
    expect(later.chunk(1)).not.toBe(kept)
  })

  test('released: nothing is copied any more, and it answers no more', () => {
    const file = fileOf(CHUNK_SIZE)
    const live = file.chunk(0)
    const snapshot = file.snapshot()
    snapshot.release()
    file.write(0, noise(10, 2), 0, 10)
    expect(file.chunk(0)).toBe(live)
    expect(() => snapshot.chunk(0)).toThrow(RangeError)
  })

  test('for which there is no memory fails, and the write does not', () => {
    const file = fileOf(2 * CHUNK_SIZE)
    const snapshot = file.snapshot()
    const live = file.chunk(0)
    live.slice = () => {
      throw new RangeError('Array buffer allocation failed')
    }
    file.write(0, noise(10, 2), 0, 10)
    expect(Buffer.from(file.chunk(0).subarray(0, 10))).toEqual(Buffer.from(noise(10, 2)))
    expect(() => snapshot.chunk(0)).toThrow(expect.objectContaining({ code: 'STORAGE' }))
    expect(snapshot.chunk(1)).toBe(file.chunk(1))
  })

  test('outlives a content that takes the place of the file', () => {
    const file = fileOf(CHUNK_SIZE + 100)
    const before = imageOf(file)
    const snapshot = file.snapshot()
    const other = new ChunkedFile()
    other.write(0, noise(900, 7), 0, 900)
    file.become(other)
    expect(Buffer.from(imageOf(file))).toEqual(Buffer.from(noise(900, 7)))
    expect(file.takeChanges()).toBeNull()
    file.write(10, noise(3 * CHUNK_SIZE, 9), 0, 3 * CHUNK_SIZE)
    file.undoUntaken()
    expect(Buffer.from(imageOf(file))).toEqual(Buffer.from(noise(900, 7)))
    expect(bytesOf(snapshot)).toEqual(Buffer.from(before))
  })

  const position = fc.integer({ min: 0, max: 3 * CHUNK_SIZE })
  const step = fc.oneof(
    fc.record({ do: fc.constant('write' as const), position, length: fc.integer({ min: 1, max: CHUNK_SIZE }) }),
    fc.record({ do: fc.constant('truncate' as const), position }),
    fc.record({ do: fc.constantFrom('take', 'undo', 'undoUntaken', 'snapshot', 'release') }),
  )

  test('is what the file was, whatever is written, cut, saved and taken back (property)', () => {
    fc.assert(
      fc.property(fc.array(step, { maxLength: 30 }), steps => {
        const file = fileOf(CHUNK_SIZE + 1234)
        const held: { snapshot: ReturnType<ChunkedFile['snapshot']>; expected: Buffer }[] = []
        const taken: NonNullable<ReturnType<ChunkedFile['takeChanges']>>[] = []
        for (const [i, step] of steps.entries()) {
          if (step.do === 'write') file.write(step.position, noise(step.length, i + 5), 0, step.length)
          else if (step.do === 'truncate') file.truncate(step.position)
          else if (step.do === 'take') taken.push(...[file.takeChanges()].filter(changes => changes !== null))
          else if (step.do === 'undo') {
            file.undoUntaken()
            const changes = taken.pop()
            if (changes) file.undo(changes)
          } else if (step.do === 'undoUntaken') file.undoUntaken()
          else if (step.do === 'snapshot')
            held.push({ snapshot: file.snapshot(), expected: Buffer.from(imageOf(file)) })
          else held.shift()?.snapshot.release()
          for (const { snapshot, expected } of held) expect(bytesOf(snapshot).equals(expected)).toBe(true)
        }
      }),
      { numRuns: 150 },
    )
  })

  test('of a database is a database of that moment', async () => {
    const { db, file } = await openDatabase()
    db.exec('CREATE TABLE t (a INTEGER PRIMARY KEY, b TEXT) STRICT')
    for (let i = 0; i < 200; i++) db.run('INSERT INTO t (b) VALUES (?)', ['x'.repeat(500)])
    const snapshot = file.snapshot()
    db.run('DELETE FROM t WHERE a > 3')
    db.run('VACUUM')
    db.run("UPDATE t SET b = 'later'")
    const copy = new ChunkedFile()
    const bytes = bytesOf(snapshot)
    copy.write(0, bytes, 0, bytes.length)
    db.close()
    file.become(copy)
    const again = (await boot()).open(file)
    expect(rowsOf(again, 'SELECT count(*), max(length(b)) FROM t')).toEqual([[200, 500]])
    expect(rowsOf(again, 'PRAGMA integrity_check')).toEqual([['ok']])
    again.close()
  })
})
