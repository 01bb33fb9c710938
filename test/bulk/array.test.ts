// Large arrays: one transaction and one message, and the page runs meanwhile.
import { describe, expect, test, vi } from 'vitest'
import { caught, count, open, useOrigin } from './support.js'

useOrigin()

const numbers = (length: number) => Array.from({ length }, (_, n) => ({ n }))

/** Time passes only for who looks at the clock: two looks are a slice. Pauses go by a MessageChannel each. */
function slices(): { pauses: () => number } {
  let now = 0
  vi.spyOn(performance, 'now').mockImplementation(() => (now += 3))
  let pauses = 0
  class Counted extends MessageChannel {
    constructor() {
      super()
      pauses++
    }
  }
  vi.stubGlobal('MessageChannel', Counted)
  return { pauses: () => pauses }
}

describe('a large array', () => {
  test('is one message and one transaction, and has its keys', async () => {
    const db = open({ storage: 'indexeddb' })
    await db.logs.count()
    await db.flush()
    const { result, messages, flushes, control } = await count(db, () => db.logs.bulkCreate(numbers(30_000)))
    expect({ messages, flushes, control }).toEqual({ messages: 1, flushes: 1, control: 2 })
    expect(result.count).toBe(30_000)
    expect(result.ids).toEqual(Array.from({ length: 30_000 }, (_, i) => i + 1))
    const users = Array.from({ length: 500 }, (_, i) => ({ id: `u${i}`, email: `${i}` }))
    expect((await db.users.bulkCreate(users)).ids).toEqual(users.map(({ id }) => id))
    await db.close()
  })

  test('is all or nothing, and its errors name the row', async () => {
    const db = open()
    const rows = numbers(1000)
    rows[900] = { n: 1.5 }
    expect(await caught(db.logs.bulkCreate(rows))).toMatchObject({ code: 'VALIDATION', issues: [{ path: [900, 'n'] }] })
    rows[900] = { n: 3 }
    expect(await caught(db.logs.bulkCreate(rows))).toMatchObject({ code: 'UNIQUE', issues: [{ path: [900, 'n'] }] })
    expect(await db.logs.count()).toBe(0)
    rows[5] = undefined as never
    const { count: written, ids, errors } = await db.logs.bulkCreate(rows, { onError: 'collect' })
    expect([written, ids.length]).toEqual([998, 998])
    expect(errors).toMatchObject([
      { index: 5, error: { code: 'VALIDATION' } },
      { index: 900, error: { code: 'UNIQUE' } },
    ])
    await db.close()
  })

  test('leaves the thread after each slice, and tells how far it is', async () => {
    const db = open()
    await db.logs.count()
    const { pauses } = slices()
    const told: object[] = []
    await db.logs.bulkCreate(numbers(1000), { onProgress: progress => told.push(progress) })
    expect(pauses()).toBeGreaterThanOrEqual(1000 / 16 - 1)
    expect(told).toHaveLength(pauses() + 1)
    expect(told.at(-1)).toEqual({ rows: 1000, total: 1000 })
    await db.close()
  })

  test('an iterable that never waits leaves the thread as well', async () => {
    const db = open()
    await db.logs.count()
    const { pauses } = slices()
    await db.logs.bulkCreate(new Set(numbers(1000)))
    expect(pauses()).toBeGreaterThanOrEqual(1000 / 16 - 1)
    await db.close()
  })

  test('what is called after it comes after it, in a transaction as well', async () => {
    const db = open()
    await db.logs.count()
    slices()
    const first = db.logs.bulkCreate(numbers(1000))
    const counted = db.logs.count()
    const second = db.logs.bulkUpsert(
      numbers(400).map(row => ({ ...row, text: 'second' })),
      { on: 'n' },
    )
    const after = db.logs.count({ text: 'second' })
    const flushed = db.flush()
    expect([await counted, await after]).toEqual([1000, 400])
    await Promise.all([first, second, flushed])
    const inside = await db.transaction(async tx => {
      const writing = tx.logs.bulkCreate(numbers(1500).slice(1000))
      const counted = tx.logs.count()
      await writing
      return counted
    })
    expect(inside).toBe(1500)
    const last = db.logs.bulkCreate(numbers(2500).slice(1500))
    await db.close()
    expect((await last).count).toBe(1000)
  })

  test('a failure or an abort while it is encoded holds nobody up', async () => {
    const db = open()
    await db.logs.count()
    slices()
    const rows = numbers(1000)
    rows[999] = { n: 1.5 }
    const failing = caught(db.logs.bulkCreate(rows))
    const counted = db.logs.count()
    expect(await failing).toMatchObject({ code: 'VALIDATION' })
    expect(await counted).toBe(0)
    const controller = new AbortController()
    const aborted = caught(db.logs.bulkCreate(numbers(1000), { signal: controller.signal }))
    controller.abort()
    expect(await aborted).toMatchObject({ code: 'ABORTED' })
    expect(await db.logs.count()).toBe(0)
    await db.close()
  })

  test('is taken as it is when it is given', async () => {
    const db = open()
    await db.logs.count()
    slices()
    const rows = numbers(1000)
    const writing = db.logs.bulkCreate(rows)
    rows.length = 0
    expect((await writing).count).toBe(1000)
    await db.close()
  })
})
