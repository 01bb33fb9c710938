import { afterEach, beforeEach, expect, test, vi } from 'vitest'
import { dataflow, model, t } from '../src/index.js'
import { systemClock } from '../worker/clock.js'
import { localDatabase } from './support/local.js'

const DAY = 86_400_000

beforeEach(() => void vi.useFakeTimers())
afterEach(() => void vi.useRealTimers())

test.each([0, 1, 2 ** 31 - 1, 2 ** 31, 2 ** 33 + 5])('after %d ms, and not before', ms => {
  let fired = 0
  systemClock.after(ms, () => fired++)
  if (ms > 0) {
    vi.advanceTimersByTime(ms - 1)
    expect(fired).toBe(0)
  }
  vi.advanceTimersByTime(1)
  expect(fired).toBe(1)
  expect(vi.getTimerCount()).toBe(0)
})

test('Infinity is never; what is taken back leaves no timer, at any time', () => {
  for (const passed of [0, 60 * DAY]) {
    let fired = 0
    const cancel = systemClock.after(Infinity, () => fired++)
    vi.advanceTimersByTime(passed)
    expect([fired, vi.getTimerCount()]).toEqual([0, 1])
    cancel()
    expect(vi.getTimerCount()).toBe(0)
  }
})

test('maxWaitForOwner may be Infinity, and nothing that is no time', async () => {
  const models = { notes: model('Note', { id: t.id() }) }
  const db = localDatabase(models, { maxWaitForOwner: Infinity })
  expect(await db.tables.notes.count()).toBe(0)
  await db.close()
  for (const maxWaitForOwner of [NaN, -1, -Infinity, '5' as never, null as never]) {
    expect(() => dataflow('x', { models, maxWaitForOwner })).toThrow(/maxWaitForOwner must not be .*milliseconds/)
  }
})
