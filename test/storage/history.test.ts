// Whatever is written, cut, flushed, failed and reopened: opening gives exactly the last saved state.
import fc from 'fast-check'
import { expect, test } from 'vitest'
import { CHUNK_SIZE } from '../../worker/storage/format.js'
import type { Limits } from '../../worker/storage/logbook.js'
import { bytesOf, contentOf, createDisk, diskWith, noise, openOn, type Fault } from './fake.js'

const MAX_SIZE = 3.5 * CHUNK_SIZE

type Step =
  | { kind: 'write'; at: number; length: number; seed: number }
  | { kind: 'truncate'; size: number }
  | { kind: 'flush'; fault: Fault }
  | { kind: 'idle'; fault: Fault }
  | { kind: 'reopen' }

const fault = fc.oneof(
  { weight: 8, arbitrary: fc.constant<Fault>('none') },
  { weight: 1, arbitrary: fc.constant<Fault>('abort') },
  { weight: 1, arbitrary: fc.constant<Fault>('landed') },
)
/** Mostly near chunk borders and within a few places, so that histories meet themselves. */
const position = fc.oneof(
  fc.integer({ min: 0, max: MAX_SIZE / 512 }).map(n => n * 512),
  fc.integer({ min: -3, max: 3 }).chain(d => fc.integer({ min: 1, max: 3 }).map(n => n * CHUNK_SIZE + d * 512)),
)
const write = fc.record({
  kind: fc.constant('write' as const),
  at: position,
  length: fc.oneof(fc.integer({ min: 1, max: 2000 }), fc.integer({ min: 1, max: 150_000 })),
  seed: fc.nat(),
})
const step: fc.Arbitrary<Step> = fc.oneof(
  { weight: 5, arbitrary: write },
  { weight: 2, arbitrary: fc.record({ kind: fc.constant('truncate' as const), size: position }) },
  { weight: 7, arbitrary: fc.record({ kind: fc.constant('flush' as const), fault }) },
  { weight: 3, arbitrary: fc.record({ kind: fc.constant('idle' as const), fault }) },
  { weight: 1, arbitrary: fc.constant({ kind: 'reopen' as const }) },
)
const limits: fc.Arbitrary<Partial<Limits>> = fc.record({
  logBytes: fc.constantFrom(0, 1000, 100_000),
  baseShare: fc.constantFrom(0, 0.1),
  logRecords: fc.constantFrom(0, 2, 6),
  denseShare: fc.constantFrom(0, 0.2, Infinity),
  deletions: fc.constantFrom(0, 1, 4),
  idleDeletions: fc.constantFrom(1, 3),
})

const inChunk = (n: number, length = 100): Step => ({ kind: 'write', at: n * CHUNK_SIZE, length, seed: (seeds += 2) })
const cutTo = (chunks: number): Step => ({ kind: 'truncate', size: chunks * CHUNK_SIZE })
const flush = (fault: Fault = 'none'): Step => ({ kind: 'flush', fault })
const idle: Step = { kind: 'idle', fault: 'none' }
let seeds = 0

// Histories that chance finds once in ten thousand. The checkpoint begins with the fourth record.
const ride: Partial<Limits> = { logBytes: 1e9, logRecords: 3 }
const steps = (...flushes: Step[][]): Step[] => flushes.flatMap(writes => [...writes, flush()])
/** Chunk 3 is cut off before it was ever put, and is back when the head moves to a record before the cut. */
const regrown = steps([inChunk(0)], [inChunk(3)], [inChunk(0)], [inChunk(0)], [inChunk(0), cutTo(3)], [inChunk(3)])
/** Behind the chunks that the head needs there is a good copy of chunk 3 when a flush cuts it off, lands, and fails. */
const keptCopy = [
  ...steps([inChunk(0)], [inChunk(1)], [inChunk(2)], [inChunk(3)], [inChunk(0), cutTo(3)], [inChunk(3)], [inChunk(0)]),
  ...[cutTo(3), flush('landed'), inChunk(0), flush(), idle, idle, idle, idle],
]
/** A flush that brings chunk 3 back puts it, lands, and fails, so that its copy is newer than the log. */
const cutOff = [
  ...steps([inChunk(0)], [inChunk(1)], [inChunk(2)], [inChunk(3)]),
  ...[idle, idle, idle, idle, idle, cutTo(3), flush(), inChunk(2, 120_000), inChunk(3, 120_000), flush('landed')],
]
const examples: [Partial<Limits>, Step[]][] = [
  [ride, regrown],
  [ride, keptCopy],
  [ride, [...cutOff, inChunk(0), flush()]],
  // The same, and a checkpoint begins in which it is chunk 3's turn.
  [ride, [...cutOff, inChunk(0, 80_000), inChunk(1, 80_000), flush()]],
]

const RUNS = Number(process.env['HISTORY_RUNS'] ?? 150)

test('opening gives exactly the last saved state', { timeout: 60_000 + RUNS * 2000 }, async () => {
  await fc.assert(fc.asyncProperty(limits, fc.array(step, { minLength: 1, maxLength: 40 }), check), {
    numRuns: RUNS,
    examples,
    ...(process.env['SEED'] ? { seed: Number(process.env['SEED']) } : {}),
  })
})

async function check(limits: Partial<Limits>, steps: Step[]): Promise<void> {
  let disk = createDisk()
  let session = await openOn(disk, { limits })
  /** What the session believes to be saved, and what is stored: these differ only after a transaction that landed. */
  let saved: Buffer = Buffer.alloc(0)
  let stored = saved

  const expectSaved = async (expected: Buffer): Promise<void> => {
    const copy = await openOn(await diskWith(await contentOf(disk)), { limits })
    expect(copy.file.size).toBe(expected.length)
    expect(bytesOf(copy.file).equals(expected)).toBe(true)
    await copy.storage.close()
  }

  for (const step of steps) {
    const { storage, file, flush } = session
    switch (step.kind) {
      case 'write': {
        const length = Math.min(step.length, MAX_SIZE - step.at)
        if (length > 0) file.write(step.at, noise(length, step.seed), 0, length)
        // A database is whole pages.
        file.truncate(Math.ceil(file.size / 512) * 512)
        break
      }
      case 'truncate':
        file.truncate(Math.min(step.size, file.size))
        break
      case 'flush': {
        const now = bytesOf(file)
        disk.fault = step.fault
        const count = disk.transactions.length
        const result = await flush().catch((e: unknown) => e)
        disk.fault = 'none'
        const transactions = disk.transactions.length - count
        expect(transactions).toBeLessThanOrEqual(1)
        if (result instanceof Error) {
          expect(step.fault).not.toBe('none')
          expect(bytesOf(file).equals(saved)).toBe(true)
          if (step.fault === 'landed') stored = now
        } else {
          saved = now
          if (transactions > 0) stored = saved
        }
        await expectSaved(stored)
        break
      }
      case 'idle': {
        if (file.size !== saved.length || !bytesOf(file).equals(saved)) {
          await flush()
          stored = saved = bytesOf(file)
        }
        disk.fault = step.fault
        const due = storage.checkpointDue
        await storage.checkpointStep(file).then(
          () => due && (stored = saved),
          (e: unknown) => {
            if (step.fault === 'none') throw e
            if (step.fault === 'landed') stored = saved
          },
        )
        disk.fault = 'none'
        await expectSaved(stored)
        break
      }
      case 'reopen': {
        disk = await diskWith(await contentOf(disk))
        session = await openOn(disk, { limits })
        stored = saved = bytesOf(session.file)
        break
      }
    }
  }

  // Idle time ends every checkpoint, and leaves nothing that is not needed.
  const { storage, file, flush } = session
  await flush()
  saved = bytesOf(file)
  for (let i = 0; storage.checkpointDue; i++) {
    expect(i).toBeLessThan(500)
    await storage.checkpointStep(file)
  }
  await expectSaved(saved)
  const keys = [...(await contentOf(disk)).keys()]
  expect(keys.filter(key => key.startsWith('["log"')).length).toBe(storage.report().logRecords)
}
