// Semantics 25: rows of an iterable are written chunk by chunk, and what was written stays.
import { runInNewContext } from 'node:vm'
import { describe, expect, test, vi } from 'vitest'
import { DataFlowError, type Insert } from '../../src/index.js'
import { caught, count, type Everything, type Log, open, source, useOrigin } from './support.js'

useOrigin()

describe('an iterable', () => {
  test('one message, one transaction and one flush for each chunk of 10 000 rows', async () => {
    const db = open({ storage: 'indexeddb' })
    await db.logs.count()
    await db.flush()
    const { rows } = source(25_000)
    const { result, messages, flushes, control, executed } = await count(db, () => db.logs.bulkCreate(rows))
    expect(result).toEqual({ count: 25_000, failed: 0, errors: [] })
    expect({ messages, flushes, control, executed }).toEqual({ messages: 3, flushes: 3, control: 6, executed: 25_000 })
    expect(await db.logs.count()).toBe(25_000)
    await db.close()
  })

  test('chunks end at about 16 MiB', async () => {
    const db = open()
    await db.logs.count()
    const text = 'x'.repeat(1024 * 1024)
    const { rows } = source(40, n => ({ n, text }))
    const { messages } = await count(db, () => db.logs.bulkCreate(rows))
    expect(messages).toBe(3)
    await db.close()
  })

  test('the source is pulled no more than two chunks ahead of what is saved', async () => {
    const db = open()
    const { rows, seen } = source(45_000)
    const ahead: number[] = []
    await db.logs.bulkCreate(rows, { onProgress: ({ rows: done }) => ahead.push(seen.pulled - done) })
    expect(Math.max(...ahead)).toBeLessThanOrEqual(20_000)
    expect(seen).toEqual({ pulled: 45_000, closed: true })
    await db.close()
  })

  test('sync iterables that are no arrays, and bulkUpsert', async () => {
    const db = open()
    function* numbers(text: string) {
      for (let n = 0; n < 300; n++) yield { n, text }
    }
    expect(await db.logs.bulkCreate(numbers('a'))).toEqual({ count: 300, failed: 0, errors: [] })
    expect(await db.logs.bulkUpsert(numbers('b'), { on: 'n' })).toEqual({ count: 300, failed: 0, errors: [] })
    expect(await db.logs.bulkCreate(new Set([{ n: 300 }]))).toEqual({ count: 1, failed: 0, errors: [] })
    expect(await db.logs.count({ text: 'b' })).toBe(300)
    expect(await db.logs.bulkCreate(numbers('c'), { onConflict: 'skip' })).toMatchObject({ count: 0 })
    await db.close()
  })

  test('values of every kind, absent ones too, and rows that overwrite different fields', async () => {
    const db = open()
    const rows: Insert<typeof Everything>[] = [
      { id: 1 },
      { id: 2, text: 'a\0b "é" \u{1F600}', big: 2n ** 62n, real: Infinity, flag: true, at: new Date(5) },
      { id: 3, real: -Infinity, json: { b: [false, null], a: '\u2028' }, bytes: new Uint8Array([1, 2, 3]), made: 1 },
      { id: 4, real: -0, bytes: new Uint8Array(), big: -1n, json: null },
      { id: 5, bytes: new Uint8Array([9]), text: '' },
    ]
    await db.all.bulkCreate(rows)
    const written = await db.all.list()
    await db.all.bulkDelete({ all: true })
    await db.all.bulkCreate(new Set(rows))
    const strip = (list: typeof written) => list.map(({ createdAt, ...row }) => [createdAt instanceof Date, row])
    expect(strip(await db.all.list())).toEqual(strip(written))
    await db.all.bulkUpsert(
      new Set<Insert<typeof Everything>>([
        { id: 1, text: 'new' },
        { id: 2, made: 2 },
        { id: 3 },
        { id: 6, text: 'six' },
      ]),
    )
    expect(await db.all.list({ select: ['id', 'text', 'made'] })).toEqual([
      { id: 1, text: 'new', made: 7 },
      { id: 2, text: 'a\0b "é" \u{1F600}', made: 2 },
      { id: 3, text: null, made: 1 },
      { id: 4, text: null, made: 7 },
      { id: 5, text: '', made: 7 },
      { id: 6, text: 'six', made: 7 },
    ])
    await db.close()
  })

  test('an iterator whose promises are not those of this realm', async () => {
    const db = open()
    let n = 0
    const Foreign = runInNewContext('Promise') as typeof Promise
    const next = () => Foreign.resolve({ done: n === 3, value: { n: n++ } })
    const rows = { [Symbol.asyncIterator]: () => ({ next }) }
    expect(await db.logs.bulkCreate(rows as never)).toMatchObject({ count: 3 })
    await db.close()
  })

  test('nothing at all', async () => {
    const db = open()
    expect(await db.logs.bulkCreate(new Set<Insert<typeof Log>>())).toEqual({ count: 0, failed: 0, errors: [] })
    await db.close()
  })
})

describe('what ends it early', () => {
  test('a row that is wrong in the third chunk: the first two stay, the error names the row', async () => {
    const db = open({ storage: 'indexeddb' })
    const { rows, seen } = source(50_000, n => ({ n: n === 25_000 ? 1.5 : n }))
    const error = await caught(db.logs.bulkCreate(rows))
    expect(error).toBeInstanceOf(DataFlowError)
    expect(error).toMatchObject({
      code: 'VALIDATION',
      model: 'Log',
      op: 'bulkCreate',
      kept: 20_000,
      issues: [{ path: [25_000, 'n'] }],
      hint: 'row 25000 is wrong; correct the values. 20000 rows before it are saved.',
    })
    expect(seen).toEqual({ pulled: 25_001, closed: true })
    expect(await db.logs.count()).toBe(20_000)
    await db.close()
  })

  test('a row that SQLite refuses in the third chunk', async () => {
    const db = open({ storage: 'indexeddb' })
    const { rows, seen } = source(60_000, n => ({ n: n === 25_000 ? 3 : n }))
    const error = await caught(db.logs.bulkCreate(rows))
    expect(error).toMatchObject({
      code: 'UNIQUE',
      kept: 20_000,
      fields: ['n'],
      issues: [{ path: [25_000, 'n'] }],
      hint: expect.stringMatching(/^row 25000; .* 20000 rows before it are saved\.$/),
    })
    expect(seen.closed).toBe(true)
    expect(seen.pulled).toBeLessThanOrEqual(40_000)
    expect(await db.logs.count()).toBe(20_000)
    expect(await db.logs.first({ orderBy: { n: 'desc' } })).toMatchObject({ n: 19_999 })
    await db.close()
  })

  test('a source that waits for ever does not keep a failed chunk from being told', async () => {
    const db = open()
    await db.logs.create({ n: 5 })
    const { rows } = source(10_001, n => (n < 10_000 ? { n } : new Promise(() => {})))
    expect(await caught(db.logs.bulkCreate(rows))).toMatchObject({
      code: 'UNIQUE',
      kept: 0,
      issues: [{ path: [5, 'n'] }],
    })
    await db.close()
  })

  test('an iterable that throws: what it threw is the cause', async () => {
    const db = open()
    const cause = new Error('the network is gone')
    const { rows } = source(12_000, n => (n === 11_000 ? Promise.reject(cause) : { n }))
    const error = await caught(db.logs.bulkCreate(rows))
    expect(error).toMatchObject({ code: 'VALIDATION', kept: 10_000 })
    expect(error.cause).toBe(cause)
    const thrown = {
      [Symbol.iterator]() {
        throw cause
      },
    }
    expect((await caught(db.logs.bulkCreate(thrown as never))).cause).toBe(cause)
    await db.close()
  })

  test('a signal, between chunks: ABORTED says what was kept, and the source is closed', async () => {
    const db = open()
    const controller = new AbortController()
    const { rows, seen } = source(50_000, n => {
      if (n === 25_000) controller.abort('enough')
      return { n }
    })
    const error = await caught(db.logs.bulkCreate(rows, { signal: controller.signal }))
    expect(error).toMatchObject({ code: 'ABORTED', model: 'Log', op: 'bulkCreate', cause: 'enough' })
    expect(error.kept).toBe(await db.logs.count())
    expect(error.kept % 10_000).toBe(0)
    expect(error.kept).toBeGreaterThanOrEqual(10_000)
    expect(error.message).toContain(`${error.kept} rows before it are saved, all others were not written`)
    await vi.waitFor(() => expect(seen.closed).toBe(true))
    await db.close()
  })

  test('a signal while the source waits for ever, and one that was aborted before', async () => {
    const db = open()
    const controller = new AbortController()
    const returned = vi.fn()
    const endless = {
      [Symbol.asyncIterator]: () => ({ next: () => new Promise<never>(() => {}), return: returned }),
    }
    const writing = caught(db.logs.bulkCreate(endless, { signal: controller.signal }))
    controller.abort()
    expect(await writing).toMatchObject({ code: 'ABORTED', kept: 0 })
    expect(returned).toHaveBeenCalledTimes(1)
    const { rows, seen } = source(5)
    expect(await caught(db.logs.bulkCreate(rows, { signal: controller.signal }))).toMatchObject({
      code: 'ABORTED',
      kept: 0,
    })
    expect(seen.pulled).toBe(0)
    await db.close()
  })

  test('a signal after the last row was committed changes nothing', async () => {
    const db = open()
    const controller = new AbortController()
    const writing = db.logs.bulkCreate(source(5).rows, {
      signal: controller.signal,
      onProgress: () => controller.abort(),
    })
    expect(await writing).toMatchObject({ count: 5 })
    await db.close()
  })

  test('the database is closed meanwhile', async () => {
    const db = open()
    let closing: Promise<void> | undefined
    const { rows, seen } = source(30_000, n => {
      if (n === 15_000) closing = db.close()
      return { n }
    })
    expect(await caught(db.logs.bulkCreate(rows))).toMatchObject({ code: 'CLOSED', kept: 10_000 })
    expect(seen.closed).toBe(true)
    await closing
  })

  test('what is no iterable, and options that do not fit', async () => {
    const db = open()
    for (const rows of [5, 'text', null, undefined, {}, () => {}]) {
      expect(await caught(db.logs.bulkCreate(rows as never))).toMatchObject({ code: 'VALIDATION', op: 'bulkCreate' })
    }
    const wrong: object[] = [{ atomic: 1 }, { onProgress: 1 }, { chunk: 5 }, { signal: 1 }, { onConflict: 'replace' }]
    for (const options of wrong) {
      const { rows, seen } = source(5)
      expect(await caught(db.logs.bulkCreate(rows, options as never))).toMatchObject({
        code: 'BAD_OPTION',
        model: 'Log',
      })
      expect(seen.pulled).toBe(0)
    }
    expect(await caught(db.logs.bulkCreate([], { atomic: true } as never))).toMatchObject({ code: 'BAD_OPTION' })
    await db.close()
  })
})

describe("onError: 'collect'", () => {
  test('index and error of each row, of both sides, over chunks', async () => {
    const db = open()
    await db.logs.create({ n: 2 })
    const { rows } = source(25_000, n => ({ n: n === 15_000 ? 1.5 : n === 24_999 ? 0 : n }))
    const result = await db.logs.bulkCreate(rows, { onError: 'collect' })
    expect(result).toMatchObject({
      count: 24_997,
      failed: 3,
      errors: [
        { index: 2, error: { code: 'UNIQUE', fields: ['n'], model: 'Log' } },
        { index: 15_000, error: { code: 'VALIDATION', fields: ['n'], model: 'Log' } },
        { index: 24_999, error: { code: 'UNIQUE', fields: ['n'] } },
      ],
    })
    expect(await db.logs.count()).toBe(24_998)
    await db.close()
  })

  test('of many that fail the first thousand are told', async () => {
    const db = open()
    const { rows } = source(3000, () => ({ n: 1 }))
    const { count: written, failed, errors } = await db.logs.bulkCreate(rows, { onError: 'collect' })
    expect([written, failed, errors.length, errors[0]!.index, errors[999]!.index]).toEqual([1, 2999, 1000, 1, 1000])
    await db.close()
  })

  test('what a trigger has done before its RAISE(FAIL) is taken back with its row', async () => {
    const db = open()
    await db.users.count()
    await db.logs.count()
    await db.sql`create trigger tells after insert on users begin
      insert into logs (n, text) values (new.age, '');
      select raise(fail, 'no') where new.name = 'bad';
    end`
    const rows = ['good', 'bad', 'fine'].map((name, age) => ({ email: name, name, age }))
    const result = await db.users.bulkCreate(rows, { onError: 'collect' })
    expect(result).toMatchObject({ count: 2, errors: [{ index: 1 }] })
    expect(await db.logs.list({ select: ['n'] })).toEqual([{ n: 0 }, { n: 2 }])
    await db.close()
  })

  test('bulkUpsert collects as well, of arrays and iterables', async () => {
    const db = open()
    await db.users.bulkCreate([
      { id: 'a', email: 'a' },
      { id: 'b', email: 'b' },
    ])
    const rows = [
      { id: 'a', email: 'b' },
      { id: 'b', email: 'b', age: 1.5 },
      { id: 'c', email: 'c' },
    ]
    const failures = {
      errors: [
        { index: 0, error: { code: 'UNIQUE' } },
        { index: 1, error: { code: 'VALIDATION' } },
      ],
    }
    const result = await db.users.bulkUpsert(rows, { onError: 'collect' })
    expect(result).toMatchObject({ count: 1, ids: ['c'], ...failures })
    expect(await db.users.bulkUpsert(new Set(rows), { onError: 'collect' })).toMatchObject({
      count: 1,
      failed: 2,
      ...failures,
    })
    await db.close()
  })
})

describe('atomic', () => {
  test('everything in one transaction, or nothing', async () => {
    const db = open()
    await db.logs.count()
    const { messages, result } = await count(db, () => db.logs.bulkCreate(source(25_000).rows, { atomic: true }))
    expect(messages).toBe(1)
    expect(result).toMatchObject({ count: 25_000 })
    await db.logs.bulkDelete({ all: true })
    const failing = source(25_000, n => ({ n: n === 24_000 ? 3 : n }))
    const error = await caught(db.logs.bulkCreate(failing.rows, { atomic: true }))
    expect(error).toMatchObject({ code: 'UNIQUE', kept: 0, issues: [{ path: [24_000, 'n'] }] })
    expect(await db.logs.count()).toBe(0)
    await db.close()
  })

  test('beyond 64 MiB it is refused, and nothing is written', async () => {
    const db = open()
    const text = 'x'.repeat(4 * 1024 * 1024)
    const { rows, seen } = source(100, n => ({ n, text }))
    expect(await caught(db.logs.bulkCreate(rows, { atomic: true }))).toMatchObject({
      code: 'BAD_OPTION',
      model: 'Log',
      kept: 0,
      hint: expect.stringContaining('leave atomic out'),
    })
    expect(seen).toEqual({ pulled: 16, closed: true })
    expect(await db.logs.count()).toBe(0)
    await db.close()
  })
})

describe('in a transaction', () => {
  test('everything belongs to it', async () => {
    const db = open()
    const rolledBack = db.transaction(async tx => {
      expect(await tx.logs.bulkCreate(source(12_000).rows)).toMatchObject({ count: 12_000 })
      expect(await tx.logs.count()).toBe(12_000)
      throw new Error('no')
    })
    await expect(rolledBack).rejects.toThrow('no')
    expect(await db.logs.count()).toBe(0)
    await db.transaction(tx => tx.logs.bulkCreate(source(12_000).rows))
    expect(await db.logs.count()).toBe(12_000)
    await db.close()
  })

  test('its errors say what is part of it', async () => {
    const db = open()
    await db.transaction(async tx => {
      const error = await caught(tx.logs.bulkCreate(source(15_000, n => ({ n: n === 12_000 ? 0 : n })).rows))
      expect(error).toMatchObject({
        code: 'UNIQUE',
        kept: 10_000,
        hint: expect.stringContaining('part of the transaction'),
      })
      expect(await caught(tx.logs.bulkCreate(source(1).rows, { atomic: true }))).toMatchObject({ code: 'BAD_OPTION' })
    })
    expect(await db.logs.count()).toBe(10_000)
    await db.close()
  })
})
