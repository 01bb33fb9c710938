import { beforeEach, expect, test, vi } from 'vitest'
import { DataFlowError } from '../src/shared/errors.js'
import { Saver, type FlushStorage } from '../worker/saver.js'
import type { Clock, DatabaseFile, FileChanges, SaveLevel } from '../worker/seams.js'
import { ChunkedFile } from '../worker/sqlite/file.js'

/** Time that stands still until a test moves it. */
class TestClock implements Clock {
  time = 0
  timers: { at: number; callback: () => void }[] = []
  now = () => this.time
  monotonic = () => this.time
  after(ms: number, callback: () => void) {
    const timer = { at: this.time + ms, callback }
    this.timers.push(timer)
    return () => void (this.timers = this.timers.filter(other => other !== timer))
  }
  advance(ms: number) {
    this.time += ms
    const due = this.timers.filter(timer => timer.at <= this.time)
    this.timers = this.timers.filter(timer => timer.at > this.time)
    for (const timer of due) timer.callback()
  }
}

/** Storage whose transactions end when the test says so. */
class TestStorage implements FlushStorage {
  running: { level: SaveLevel | 'step'; changes: FileChanges | null; end(error?: Error): Promise<void> } | null = null
  levels: (SaveLevel | 'step')[] = []
  checkpointDue = false
  closed = false
  flush = (changes: FileChanges, _file: DatabaseFile, level: SaveLevel) =>
    this.#start(level, changes).then(() => ({ bytes: changes.bytes.length }))
  checkpointStep = () => this.#start('step', null).then(() => ({ bytes: 7 }))
  report = () => ({ baseBytes: 0, logBytes: 0, logRecords: 0, backupBytes: 0, checkpoints: 3, persistent: true })
  close = async () => void (this.closed = true)

  #start(level: SaveLevel | 'step', changes: FileChanges | null): Promise<void> {
    expect(this.running, 'one at a time').toBe(null)
    this.levels.push(level)
    return new Promise((resolve, reject) => {
      const end = async (error?: Error) => {
        this.running = null
        if (error) reject(error)
        else resolve()
        await settled()
      }
      this.running = { level, changes, end }
    })
  }
}

/** Until nothing more happens by itself. */
async function settled(): Promise<void> {
  for (let i = 0; i < 10; i++) await Promise.resolve()
}

let clock: TestClock
let storage: TestStorage
let file: ChunkedFile
let saver: Saver
let events: string[]

beforeEach(() => {
  clock = new TestClock()
  storage = new TestStorage()
  file = new ChunkedFile()
  events = []
  saver = new Saver({
    file,
    storage,
    clock,
    onFailing: error => events.push(`failing ${error.code} ${content()}`),
    onFailed: (error, { deferred }) => events.push(`failed ${error.code} ${deferred} ${content()}`),
    onFlushed: ({ ms, bytes, commits }) => events.push(`flushed ${ms} ${bytes} ${commits}`),
  })
})

const FULL = new DataFlowError('STORAGE_FULL', 'no room', { retryable: true })

/** A commit that writes one character, a block each, and what became of its promise. */
function commit(character: string, level: SaveLevel | 'deferred' = 'relaxed') {
  file.write(file.size, new Uint8Array(128).fill(character.charCodeAt(0)), 0, 128)
  return observe(saver.committed(level))
}

function observe(promise: Promise<void>) {
  const outcome = { state: 'pending' }
  promise.then(
    () => (outcome.state = 'saved'),
    (e: unknown) => (outcome.state = DataFlowError.is(e) ? e.code : String(e)),
  )
  return outcome
}

function textOf(bytes: Uint8Array): string {
  return Array.from({ length: bytes.length / 128 }, (_, i) => String.fromCharCode(bytes[i * 128]!)).join('')
}

function content(): string {
  const bytes = new Uint8Array(file.size)
  file.read(0, bytes, 0, file.size)
  return textOf(bytes)
}

const inFlush = () => storage.running && storage.running.changes && textOf(storage.running.changes.bytes)

test('a commit starts a flush at once and resolves when it is saved', async () => {
  const a = commit('a')
  expect(inFlush()).toBe('a')
  await settled()
  expect(a.state).toBe('pending')
  clock.advance(2)
  await storage.running!.end()
  expect(a.state).toBe('saved')
  expect(events).toEqual(['flushed 2 128 1'])
})

test('commits made during a flush are in the next one, together', async () => {
  const a = commit('a')
  const b = commit('b')
  const c = commit('c')
  expect(inFlush()).toBe('a')
  await storage.running!.end()
  expect([a.state, b.state, c.state]).toEqual(['saved', 'pending', 'pending'])
  expect(inFlush()).toBe('bc')
  await storage.running!.end()
  expect([b.state, c.state]).toEqual(['saved', 'saved'])
  expect(storage.running).toBe(null)
})

test('a flush takes the strictest level that waits for it', async () => {
  commit('a')
  commit('b', 'deferred')
  commit('c', 'strict')
  commit('d', 'relaxed')
  await storage.running!.end()
  await storage.running!.end()
  commit('e', 'deferred')
  commit('f')
  await storage.running!.end()
  expect(storage.levels).toEqual(['relaxed', 'strict', 'relaxed'])
})

test('deferred resolves at once and is saved soon', async () => {
  const a = commit('a', 'deferred')
  const b = commit('b', 'deferred')
  await settled()
  expect([a.state, b.state, storage.running]).toEqual(['saved', 'saved', null])
  expect(saver.metrics.pending).toBe(2)
  expect(clock.timers.length).toBe(1)
  clock.advance(50)
  expect(inFlush()).toBe('ab')
  await storage.running!.end()
  expect(saver.metrics).toMatchObject({ pending: 0, flushes: 1 })
})

test('deferred is saved with whatever flush comes first', async () => {
  commit('a', 'deferred')
  commit('b')
  expect(inFlush()).toBe('ab')
  commit('c', 'deferred')
  await storage.running!.end()
  expect(storage.running).toBe(null)
  clock.advance(50)
  expect(inFlush()).toBe('c')
  await storage.running!.end()
  expect(clock.timers).toEqual([])
})

test('a commit that changed nothing waits for what it may have read', async () => {
  const none = observe(saver.committed('strict'))
  await settled()
  expect([none.state, storage.running]).toEqual(['saved', null])
  commit('a')
  const reader = observe(saver.committed('relaxed'))
  await settled()
  expect(reader.state).toBe('pending')
  await storage.running!.end()
  expect([reader.state, storage.running]).toEqual(['saved', null])
  expect(saver.metrics.flushes).toBe(1)
})

test('flush waits for everything committed so far', async () => {
  const empty = observe(saver.flush())
  await settled()
  expect(empty.state).toBe('saved')
  commit('a', 'deferred')
  const all = observe(saver.flush())
  expect(inFlush()).toBe('a')
  commit('b')
  const both = observe(saver.flush())
  await storage.running!.end()
  expect([all.state, both.state]).toEqual(['saved', 'pending'])
  await storage.running!.end()
  expect(both.state).toBe('saved')
})

test('a failed flush takes back its commits and all made since, before anybody is told', async () => {
  const a = commit('a')
  await storage.running!.end()
  const b = commit('b')
  const c = commit('c')
  const d = commit('d', 'deferred')
  const flushed = observe(saver.flush())
  file.write(0, new Uint8Array(128).fill(120), 0, 128)
  expect(saver.metrics.pending).toBe(3)
  await storage.running!.end(FULL)
  expect(events.slice(1)).toEqual(['failing STORAGE_FULL xbcd', 'failed STORAGE_FULL 1 a'])
  expect([a, b, c, d, flushed].map(({ state }) => state)).toEqual([
    'saved',
    'STORAGE_FULL',
    'STORAGE_FULL',
    'saved',
    'STORAGE_FULL',
  ])
  expect(content()).toBe('a')
  expect(file.takeChanges()).toBe(null)
  expect(saver.metrics).toMatchObject({ lost: 1, pending: 0, flushes: 1 })
})

test('onFailed comes before the rejections', async () => {
  const failing = new Saver({
    file,
    storage,
    clock,
    onFailed: () => events.push('failed'),
    onFlushed() {},
  })
  file.write(0, new Uint8Array(128).fill(97), 0, 128)
  const promise = failing.committed('relaxed').catch(() => events.push('rejected'))
  await storage.running!.end(FULL)
  await promise
  expect(events).toEqual(['failed', 'rejected'])
})

test('saving works again after a failure', async () => {
  commit('a')
  await storage.running!.end(FULL)
  const b = commit('b')
  expect(inFlush()).toBe('b')
  await storage.running!.end()
  expect([b.state, content()]).toEqual(['saved', 'b'])
})

test('an error of another kind is STORAGE', async () => {
  const a = commit('a')
  await storage.running!.end(new Error('unexpected'))
  expect(a.state).toBe('STORAGE')
})

test('when memory cannot be put back, nothing more is taken', async () => {
  const broken = new Saver({
    file,
    storage,
    clock,
    onFailed() {
      throw new Error('the connection could not be reopened')
    },
    onFlushed() {},
  })
  file.write(0, new Uint8Array(128).fill(97), 0, 128)
  const a = observe(broken.committed('relaxed'))
  await storage.running!.end(FULL)
  expect(a.state).toBe('STORAGE_FULL')
  await expect(broken.committed('relaxed')).rejects.toMatchObject({ code: 'STORAGE', retryable: false })
  await expect(broken.committed('deferred')).rejects.toMatchObject({ code: 'STORAGE' })
  await broken.close()
  expect(storage.closed).toBe(true)
})

test('when there is no memory to copy what a flush saves, it has failed: nobody waits for ever', async () => {
  commit('a')
  await storage.running!.end()
  const taking = vi.spyOn(file, 'takeChanges').mockImplementation(() => {
    throw new RangeError('Array buffer allocation failed')
  })
  const b = commit('b')
  await settled()
  expect(b.state).toBe('STORAGE')
  taking.mockRestore()
  expect(content()).toBe('a')
  const c = commit('c')
  await storage.running!.end()
  expect([c.state, content()]).toEqual(['saved', 'ac'])
})

test('idle moments go on with the checkpoint, a step at a time, and let commits through', async () => {
  storage.checkpointDue = true
  commit('a')
  await storage.running!.end()
  expect(storage.running).toBe(null)
  clock.advance(20)
  expect(storage.levels).toEqual(['relaxed', 'step'])
  const b = commit('b')
  expect(storage.running!.level).toBe('step')
  await storage.running!.end()
  expect(inFlush()).toBe('b')
  await storage.running!.end()
  expect(b.state).toBe('saved')
  clock.advance(20)
  storage.checkpointDue = false
  await storage.running!.end()
  expect(storage.levels).toEqual(['relaxed', 'step', 'relaxed', 'step'])
  // Two commits of a block each, and two steps.
  expect(saver.metrics.bytes).toBe(2 * 128 + 2 * 7)
  expect(clock.timers).toEqual([])
})

test('a step never sees what is not saved', async () => {
  storage.checkpointDue = true
  commit('a')
  await storage.running!.end()
  file.write(128, new Uint8Array(128).fill(98), 0, 128)
  clock.advance(20)
  expect([storage.running!.level, inFlush()]).toEqual(['relaxed', 'b'])
})

test('a failed step loses nothing, is counted, and is tried again after a longer pause', async () => {
  storage.checkpointDue = true
  const a = commit('a')
  await storage.running!.end()
  clock.advance(20)
  await storage.running!.end(FULL)
  expect([a.state, content(), saver.metrics.failedSteps, saver.metrics.lost]).toEqual(['saved', 'a', 1, 0])
  clock.advance(20)
  expect(storage.running).toBe(null)
  clock.advance(20)
  expect(storage.running!.level).toBe('step')
})

test('close saves what is left, then closes the storage', async () => {
  storage.checkpointDue = true
  commit('a', 'deferred')
  const closed = observe(saver.close())
  expect(inFlush()).toBe('a')
  await expect(saver.committed('relaxed')).rejects.toMatchObject({ code: 'CLOSED' })
  await expect(saver.flush()).rejects.toMatchObject({ code: 'CLOSED' })
  expect(storage.closed).toBe(false)
  await storage.running!.end()
  expect([closed.state, storage.closed, clock.timers]).toEqual(['saved', true, []])
  await saver.close()
})

test('close waits for the flush under way, and closes even if the last one fails', async () => {
  const a = commit('a')
  const b = commit('b')
  const closed = observe(saver.close())
  await storage.running!.end()
  expect([a.state, b.state, storage.closed]).toEqual(['saved', 'pending', false])
  await storage.running!.end(FULL)
  expect([b.state, closed.state, storage.closed]).toEqual(['STORAGE_FULL', 'STORAGE_FULL', true])
})

test('abandon saves nothing more than the flush under way, and tells who waits', async () => {
  storage.checkpointDue = true
  const a = commit('a')
  const b = commit('b')
  commit('c', 'deferred')
  saver.abandon(new DataFlowError('WORKER_CRASHED', 'gone'))
  await settled()
  expect([a.state, b.state]).toEqual(['pending', 'WORKER_CRASHED'])
  await expect(saver.committed('relaxed')).rejects.toMatchObject({ code: 'WORKER_CRASHED' })
  await storage.running!.end()
  expect([a.state, storage.running, clock.timers, saver.metrics.lost]).toEqual(['saved', null, [], 1])
  await saver.close()
  expect(storage.closed).toBe(true)
})

test('metrics count flushes, bytes and lag', async () => {
  for (let i = 1; i <= 20; i++) {
    commit('x')
    clock.advance(i)
    await storage.running!.end()
  }
  expect(saver.metrics).toEqual({
    flushes: 20,
    bytes: 20 * 128,
    lastMs: 20,
    pending: 0,
    lost: 0,
    lagP50: 10,
    lagP95: 19,
    checkpoints: 3,
    failedSteps: 0,
  })
})
