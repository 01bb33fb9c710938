import { expect, test } from 'vitest'
import type { DataFlowError } from '../src/shared/errors.js'
import { acquireOwnership } from '../worker/tabs.js'
import type { Clock } from '../worker/seams.js'

/** Exclusive locks as the specification has them: first come, first served, abort only while waiting. */
class TestLocks {
  readonly held = new Set<string>()
  readonly queue: { name: string; grant: () => void }[] = []
  /** Called when a lock is granted, before its callback. */
  beforeGrant = () => {}

  request = (name: string, { mode, signal }: LockOptions, callback: LockGrantedCallback<unknown>) => {
    expect(mode).toBe('exclusive')
    return new Promise<unknown>((resolve, reject) => {
      const grant = () => {
        this.held.add(name)
        signal?.removeEventListener('abort', abort)
        queueMicrotask(() => {
          this.beforeGrant()
          const held = (async () => callback({ name, mode: 'exclusive' }))()
          held.then(resolve, reject)
          const free = () => {
            this.held.delete(name)
            const next = this.queue.findIndex(waiting => waiting.name === name)
            if (next >= 0) this.queue.splice(next, 1)[0]!.grant()
          }
          held.then(free, free)
        })
      }
      const request = { name, grant }
      const abort = () => {
        this.queue.splice(this.queue.indexOf(request), 1)
        reject(signal!.reason)
      }
      signal?.addEventListener('abort', abort)
      if (this.held.has(name)) this.queue.push(request)
      else grant()
    })
  }
}

function createTab(locks = new TestLocks()) {
  let time = 0
  let timers: { at: number; callback: () => void }[] = []
  const clock: Clock = {
    now: () => time,
    monotonic: () => time,
    after(ms, callback) {
      const timer = { at: time + ms, callback }
      timers.push(timer)
      return () => void (timers = timers.filter(other => other !== timer))
    },
  }
  const events: string[] = []
  return {
    locks,
    events,
    timers: () => timers.length,
    advance(ms: number) {
      time += ms
      const due = timers.filter(timer => timer.at <= time)
      timers = timers.filter(timer => timer.at > time)
      for (const timer of due) timer.callback()
    },
    acquire(name = 'app', maxWait = 5000) {
      const options = {
        maxWait,
        onBlocked: () => events.push('blocked'),
        onLost: (error: DataFlowError) => events.push(error.code),
      }
      return acquireOwnership(name, locks as unknown as LockManager, clock, options)
    },
  }
}

async function settled(): Promise<void> {
  for (let i = 0; i < 10; i++) await Promise.resolve()
}

test('a free lock is owned at once, until release', async () => {
  const { acquire, locks, events, timers, advance } = createTab()
  const ownership = await acquire()
  expect([...locks.held]).toEqual(['dataflow:app'])
  expect(timers()).toBe(0)
  advance(10_000)
  expect(events).toEqual([])
  ownership.release()
  await settled()
  expect(locks.held.size).toBe(0)
  ownership.release()
})

test('databases do not wait for each other', async () => {
  const { acquire, locks } = createTab()
  await Promise.all([acquire('a'), acquire('b')])
  expect([...locks.held]).toEqual(['dataflow:a', 'dataflow:b'])
})

test('the next one is told that it is blocked, once, and gets the lock when it is free', async () => {
  const { acquire, advance, events } = createTab()
  const first = await acquire()
  const second = acquire()
  advance(249)
  expect(events).toEqual([])
  advance(1)
  advance(1000)
  expect(events).toEqual(['blocked'])
  first.release()
  await second
})

test('after maxWait it is LOCKED and no longer waits for the lock', async () => {
  const { acquire, advance, locks, timers } = createTab()
  const first = await acquire()
  const second = acquire()
  advance(5000)
  await expect(second).rejects.toMatchObject({ code: 'LOCKED', retryable: true, hint: expect.any(String) })
  expect([locks.queue.length, timers()]).toEqual([0, 0])
  first.release()
  await settled()
  expect(locks.held.size).toBe(0)
  await acquire()
})

test('a lock granted in the moment of giving up is let go', async () => {
  const { acquire, advance, locks } = createTab()
  const first = await acquire()
  const second = acquire()
  locks.beforeGrant = () => advance(5000)
  first.release()
  await expect(second).rejects.toMatchObject({ code: 'LOCKED' })
  locks.beforeGrant = () => {}
  await settled()
  expect(locks.held.size).toBe(0)
  await acquire()
})

test('without Web Locks it says that a secure context is needed', async () => {
  const after = () => expect.fail('there is nothing to wait for')
  const clock: Clock = { now: () => 0, monotonic: () => 0, after }
  const acquired = acquireOwnership('app', undefined, clock, { maxWait: 1, onBlocked() {}, onLost() {} })
  await expect(acquired).rejects.toMatchObject({ code: 'WORKER_LOAD', hint: expect.stringContaining('https') })
})

test('locks that are refused are an error, not a wait', async () => {
  const tab = createTab()
  tab.locks.request = () => Promise.reject(new DOMException('opaque origin', 'SecurityError'))
  await expect(tab.acquire()).rejects.toMatchObject({ code: 'WORKER_LOAD', cause: { name: 'SecurityError' } })
  expect(tab.timers()).toBe(0)
})
