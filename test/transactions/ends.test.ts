// How a transaction ends, whatever ends it: nothing of it is there, nobody is blocked, and no call is left pending.
import { expect, test, vi } from 'vitest'
import { dataflow } from '../../src/index.js'
import { handClock, settle } from '../semantics/support.js'
import { failureOf, useOrigin } from '../whole/support.js'
import { Account, codeOf, feedOf, idsOf, models, openBank, type Tx } from './support.js'

const time = handClock(1000)
const origin = useOrigin({ clock: time.clock })

/** A promise, and what settles it. */
function gate() {
  let open = () => {}
  const opened = new Promise<void>(resolve => (open = resolve))
  return { opened, open }
}

/** A database whose worker can be ended. */
function openMortal() {
  const { Worker: Real } = origin.current.globals as { Worker: new () => Worker }
  const workers: Worker[] = []
  const db = dataflow('mortal', { models, worker: () => (workers.push(new Real()), workers.at(-1)!) })
  return { db, workers }
}

test('19: calls that are not awaited are part of it when they were made before the function has ended', async () => {
  const db = openBank()
  const told = feedOf(db)
  let forgotten: Promise<unknown>[] = []
  let late: Promise<string> | undefined
  await db.transaction(async tx => {
    forgotten = [
      tx.accounts.create({ id: 'a' }),
      codeOf(tx.accounts.create({ id: 'a' })),
      tx.batch([Account.create({ id: 'b' })]),
      tx.sql`insert into accounts (id, cents) values ('c', 1)`,
    ]
    // The function has ended when this runs.
    late = Promise.resolve()
      .then(() => {})
      .then(() => settle())
      .then(() => codeOf(tx.accounts.create({ id: 'late' })))
  })
  expect(await Promise.all(forgotten)).toMatchObject([{ id: 'a' }, 'UNIQUE', [{ id: 'b' }], []])
  expect(await late).toBe('TX_CLOSED')
  expect(await idsOf(db)).toEqual(['a', 'b', 'c'])
  expect(told).toEqual({ Account: ['all'] })
})

test('19: calls that are not awaited when the function throws are taken back with the rest', async () => {
  const db = openBank()
  let forgotten: Promise<unknown> | undefined
  const end = db.transaction(async tx => {
    forgotten = tx.accounts.create({ id: 'a' })
    throw new Error('mine')
  })
  await expect(end).rejects.toThrow('mine')
  expect(await forgotten).toMatchObject({ id: 'a' })
  expect(await idsOf(db)).toEqual([])
})

test('19: the timeout ends it in the worker, whatever the function is doing; then everybody else goes on', async () => {
  const db = openBank()
  await db.ensure()
  const hanging = gate()
  const begun = gate()
  const inSavepoint = gate()
  let handle: Tx | undefined
  const end = failureOf(
    db.transaction(
      async tx => {
        handle = tx
        await tx.accounts.create({ id: 'a' })
        await tx.savepoint(async inner => {
          await inner.accounts.create({ id: 'b' })
          begun.open()
          await hanging.opened
          inSavepoint.open()
          await inner.accounts.create({ id: 'c' })
        })
      },
      { timeout: 100 },
    ),
  )
  await begun.opened
  const waiting = idsOf(db)
  await settle()
  time.pass(100)
  expect(await waiting).toEqual([])
  expect(await codeOf(handle!.accounts.count())).toBe('TX_TIMEOUT')
  hanging.open()
  const error = await end
  expect(error).toMatchObject({ code: 'TX_TIMEOUT', message: expect.stringContaining('100 ms') })
  expect(await codeOf(handle!.accounts.count())).toBe('TX_CLOSED')
  expect(await idsOf(db)).toEqual([])
  expect((await db.metrics()).tx).toMatchObject({ committed: 0, timedOut: 1 })
})

test('19: a call of the database awaited inside waits, warns once after 250 ms, and the timeout ends it', async () => {
  const db = openBank()
  await db.ensure()
  const warned = vi.spyOn(console, 'warn').mockImplementation(() => {})
  vi.useFakeTimers({ toFake: ['setTimeout', 'clearTimeout'] })
  try {
    const calls = gate()
    const end = codeOf(
      db.transaction(
        async tx => {
          await tx.accounts.create({ id: 'a' })
          const wrong = Promise.all([db.accounts.count(), db.sql`select 1`, db.accounts.count()])
          calls.open()
          await wrong
          await tx.accounts.create({ id: 'b' })
        },
        { timeout: 100 },
      ),
    )
    await calls.opened
    vi.advanceTimersByTime(249)
    expect(warned).not.toHaveBeenCalled()
    vi.advanceTimersByTime(1)
    expect(warned).toHaveBeenCalledTimes(1)
    expect(warned).toHaveBeenCalledWith(expect.stringContaining('use only tx.*'))
    while ((await Promise.race([end, settle()])) === undefined) time.pass(100)
    expect(await end).toBe('TX_TIMEOUT')
  } finally {
    vi.useRealTimers()
    warned.mockRestore()
  }
  expect(await idsOf(db)).toEqual([])
})

test('18: aborted before, while it waits and inside: not done, and its function is not called again', async () => {
  const db = openBank()
  await db.ensure()
  let ran = 0
  const reason = new Error('the user left')
  const before = await failureOf(db.transaction(async () => ran++, { signal: AbortSignal.abort(reason) }))
  expect(before).toMatchObject({ code: 'ABORTED', cause: reason })
  const inside = new AbortController()
  const late: string[] = []
  const insideEnd = await failureOf(
    db.transaction(
      async tx => {
        await tx.accounts.create({ id: 'a' })
        const waiting = new AbortController()
        const waits = failureOf(db.transaction(async () => ran++, { signal: waiting.signal }))
        await settle()
        waiting.abort(reason)
        expect(await waits).toMatchObject({ code: 'ABORTED', cause: reason })
        await tx.savepoint(async inner => {
          await inner.accounts.create({ id: 'b' })
          inside.abort(reason)
          late.push(await codeOf(inner.accounts.create({ id: 'c' })), await codeOf(tx.accounts.create({ id: 'd' })))
        })
      },
      { signal: inside.signal },
    ),
  )
  expect(insideEnd).toMatchObject({ code: 'ABORTED', cause: reason, message: expect.stringContaining('rolled back') })
  expect(await idsOf(db)).toEqual([])
  expect([ran, (await db.metrics()).tx.committed]).toEqual([0, 0])
  await vi.waitFor(() => expect(late).toHaveLength(2))
  expect(late.at(-1)).toBe('TX_CLOSED')
})

test('18: aborted when it has begun, before its function runs: the function is not called', async () => {
  const db = openBank()
  await db.ensure()
  const controller = new AbortController()
  let ran = false
  // In the task in which the answer arrives: too late to be cancelled, too early for the function.
  const { Worker: Real } = origin.current.globals as { Worker: { prototype: EventTarget } }
  const { dispatchEvent } = Real.prototype
  let begins = 0
  Real.prototype.dispatchEvent = function (this: EventTarget, event: Event) {
    const ok = ((event as MessageEvent).data as { value?: { ok?: unknown } })?.value?.ok
    if (typeof ok === 'number' && ++begins === 1) controller.abort()
    return dispatchEvent.call(this, event)
  }
  try {
    expect(await codeOf(db.transaction(async () => (ran = true), { signal: controller.signal }))).toBe('ABORTED')
  } finally {
    Real.prototype.dispatchEvent = dispatchEvent
  }
  expect([ran, begins]).toEqual([false, 1])
  expect(await db.accounts.count()).toBe(0)
})

test('18: aborted after the commit was sent, or when all is done: it resolves', async () => {
  const db = openBank()
  const controller = new AbortController()
  const { signal } = controller
  const result = await db.transaction(
    async tx => {
      await tx.accounts.create({ id: 'a' })
      tx.afterCommit(() => controller.abort())
      return 'done'
    },
    { signal },
  )
  expect([result, signal.aborted]).toEqual(['done', true])
  const atTheEnd = new AbortController()
  const second = db.transaction(async tx => void (await tx.accounts.create({ id: 'b' })), { signal: atTheEnd.signal })
  db.on('change', () => atTheEnd.abort())
  await second
  expect(await idsOf(db)).toEqual(['a', 'b'])
})

test('18: a signal of one call inside takes back that call alone', async () => {
  const db = openBank()
  await db.transaction(async tx => {
    expect(await codeOf(tx.accounts.create({ id: 'a' }, { signal: AbortSignal.abort() }))).toBe('ABORTED')
    await tx.accounts.create({ id: 'b' })
  })
  expect(await idsOf(db)).toEqual(['b'])
})

test('19: the worker ends in the middle: pending calls WORKER_CRASHED, later ones too, a new worker finds the data as before', async () => {
  const { db, workers } = openMortal()
  await db.accounts.create({ id: 'before' })
  const later: string[] = []
  const end = await failureOf(
    db.transaction(async tx => {
      await tx.accounts.create({ id: 'a' })
      const inner = tx.savepoint(async inner => {
        await inner.accounts.create({ id: 'b' })
        const pending = [codeOf(inner.accounts.create({ id: 'c' })), codeOf(db.accounts.count())]
        await settle()
        workers[0]!.terminate()
        later.push(...(await Promise.all(pending)))
        // Another worker has started by then, and another transaction is open in it.
        await db.transaction(async other => {
          await other.accounts.create({ id: 'other' })
          later.push(await codeOf(inner.accounts.create({ id: 'd' })), await codeOf(tx.accounts.create({ id: 'e' })))
          later.push(await codeOf(tx.savepoint(async () => {})))
        })
      })
      later.push(await codeOf(inner))
      expect(() => tx.afterCommit(() => {})).toThrow(expect.objectContaining({ code: 'WORKER_CRASHED' }))
    }),
  )
  expect(end).toMatchObject({ code: 'WORKER_CRASHED', retryable: true })
  expect(new Set(later)).toEqual(new Set(['WORKER_CRASHED']))
  expect(await idsOf(db)).toEqual(['before', 'other'])
  expect(workers).toHaveLength(2)
})

test('close in the middle: CLOSED, nothing of it is saved, the next one opens', async () => {
  const db = openBank('closed')
  await db.accounts.create({ id: 'before' })
  let closing: Promise<void> | undefined
  const end = codeOf(
    db.transaction(async tx => {
      await tx.savepoint(async inner => {
        await inner.accounts.create({ id: 'a' })
        closing = db.close()
        await inner.accounts.create({ id: 'b' })
      })
    }),
  )
  expect(await end).toBe('CLOSED')
  await closing
  const again = openBank('closed')
  expect(await idsOf(again)).toEqual(['before'])
})

test('the durability of a transaction and of the writes in it: the strictest of them counts at the commit', async () => {
  const db = openBank()
  const levels: (string | undefined)[] = []
  const transaction = Object.getPrototypeOf(await openRaw()).transaction as IDBDatabase['transaction']
  const spy = vi
    .spyOn(Object.getPrototypeOf(await openRaw()) as IDBDatabase, 'transaction')
    .mockImplementation(function (this: IDBDatabase, ...args) {
      if (args[1] === 'readwrite') levels.push(args[2]?.durability)
      return transaction.apply(this, args)
    })
  try {
    await db.ensure()
    const levelOf = async (
      durability: 'relaxed' | 'strict' | 'deferred' | undefined,
      body: (tx: Tx) => Promise<unknown>,
    ) => {
      levels.length = 0
      await db.transaction(body, durability ? { durability } : {})
      const answered = [...levels]
      await db.flush()
      return answered
    }
    let n = 0
    const create = (tx: Tx, durability: 'relaxed' | 'strict' | 'deferred') =>
      tx.accounts.create({ id: `${++n}` }, { durability })
    const one = async (tx: Tx) => tx.accounts.create({ id: `${++n}` })
    expect(await levelOf(undefined, one)).toEqual(['relaxed'])
    expect(await levelOf('strict', one)).toEqual(['strict'])
    expect(await levelOf('deferred', one)).toEqual([])
    expect(await levelOf('deferred', tx => create(tx, 'strict'))).toEqual(['strict'])
    expect(await levelOf(undefined, tx => create(tx, 'deferred'))).toEqual(['relaxed'])
    expect(await levelOf('deferred', tx => tx.savepoint(inner => create(inner, 'relaxed')))).toEqual(['relaxed'])
    const back = async (tx: Tx) => {
      await tx
        .savepoint(async inner => (await create(inner, 'strict'), Promise.reject(new Error('mine'))))
        .catch(() => {})
      await one(tx)
    }
    expect(await levelOf('deferred', back)).toEqual([])
  } finally {
    spy.mockRestore()
  }
})

/** A connection to fake-indexeddb, for its prototype. */
async function openRaw(): Promise<IDBDatabase> {
  return new Promise((resolve, reject) => {
    const request = indexedDB.open('raw')
    request.onsuccess = () => resolve(request.result)
    request.onerror = () => reject(request.error)
  })
}
