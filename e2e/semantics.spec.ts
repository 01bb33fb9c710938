// Decisions of design/semantics.md that only a browser can prove and that have no spec of their own.
import { expect, test } from './shared-browser.js'

test.describe('12: what a resolved write means', () => {
  test('relaxed and strict wait for IndexedDB, deferred does not', async ({ app }) => {
    const result = await app.evaluate(async () => {
      const { follow, openFaulty } = window.kit
      const { db, worker } = await openFaulty('waits-for-save')
      await db.ensure()
      const flush = await worker.hold()
      const first = follow([db.notes.create({ title: 'relaxed' })])
      await flush.begun
      const others = follow([
        db.notes.create({ title: 'strict' }, { durability: 'strict' }),
        db.transaction(tx => tx.notes.create({ title: 'in a transaction' })),
      ])
      // Of the same message, it would be saved with them.
      await db.metrics()
      await db.notes.create({ title: 'deferred' }, { durability: 'deferred' })
      const { flush: metrics } = await db.metrics()
      const before = [...first.now(), ...others.now()]
      await worker.tell('release')
      await Promise.all([first.all, others.all])
      return { before, pending: metrics.pending, after: [...first.now(), ...others.now()] }
    })
    expect(result.before).toEqual(['pending', 'pending', 'pending'])
    expect(result.pending).toBeGreaterThanOrEqual(3)
    expect(result.after).toEqual(['ok', 'ok', 'ok'])
  })

  test('flush() saves what was called before it in the same tick', async ({ app }) => {
    const pending = await app.evaluate(async () => {
      const { db, worker } = await window.kit.openFaulty('flush-same-tick', { durability: 'deferred' })
      await db.ensure()
      await worker.tell('stopTimers')
      void db.notes.create({ title: 'a' })
      await db.flush()
      return (await db.metrics()).flush.pending
    })
    expect(pending).toBe(0)
  })

  test('writes that wait while a flush is under way share the next one', async ({ app }) => {
    const flushes = await app.evaluate(async () => {
      const { openFaulty } = window.kit
      const { db, worker } = await openFaulty('group-commit')
      await db.ensure()
      const { flushes: before } = (await db.metrics()).flush
      const flush = await worker.hold()
      const first = db.notes.create({ title: 'a' })
      await flush.begun
      const rest: Promise<unknown>[] = []
      for (let i = 0; i < 20; i++) {
        rest.push(db.notes.create({ title: `${i}` }))
        await db.metrics()
      }
      await worker.tell('release')
      await Promise.all([first, ...rest])
      return (await db.metrics()).flush.flushes - before
    })
    expect(flushes).toBe(2)
  })
})

test.describe('13: a message of one tick', () => {
  test('is one transaction with a savepoint per operation; none for a single one', async ({ app }) => {
    const counts = await app.evaluate(async () => {
      const { Note, openNotes, statementsOf } = window.kit
      const db = openNotes('one-transaction')
      await db.ensure()
      const create = (title: string) => db.notes.create({ title })
      return {
        one: await statementsOf(db, () => create('a')),
        three: await statementsOf(db, () => Promise.all([create('a'), create('b'), create('c')])),
        batch: await statementsOf(db, () => db.batch([Note.create({ title: 'a' }), Note.create({ title: 'b' })])),
        reads: await statementsOf(db, () => Promise.all([db.notes.count(), db.notes.list(), db.notes.first()])),
      }
    })
    expect(counts).toEqual({
      one: { executed: 1, control: 0 },
      // BEGIN, three times SAVEPOINT and RELEASE, COMMIT.
      three: { executed: 3, control: 8 },
      batch: { executed: 2, control: 2 },
      reads: { executed: 3, control: 0 },
    })
  })

  test('one operation of it that fails takes nothing else along', async ({ app }) => {
    const result = await app.evaluate(async () => {
      const { codeOf, openNotes } = window.kit
      const db = openNotes('one-fails')
      const { id } = await db.notes.create({ title: 'a' })
      const codes = await Promise.all(
        [db.notes.create({ title: 'b' }), db.notes.create({ id, title: 'twice' }), db.notes.create({ title: 'c' })].map(
          codeOf,
        ),
      )
      return { codes, count: await db.notes.count() }
    })
    expect(result).toEqual({ codes: ['ok', 'UNIQUE', 'ok'], count: 3 })
  })

  test('without writes it answers at once, with a write after the flush; it sees what is not saved yet', async ({
    app,
  }) => {
    const result = await app.evaluate(async () => {
      const { follow, openFaulty } = window.kit
      const { db, worker } = await openFaulty('answers')
      await db.ensure()
      const flush = await worker.hold()
      const write = db.notes.create({ title: 'a' })
      await flush.begun
      const readAlone = await db.notes.count()
      const together = follow([db.notes.count(), db.notes.create({ title: 'b' })])
      await db.metrics()
      const deferredTogether = await Promise.all([
        db.notes.count(),
        db.notes.create({ title: 'c' }, { durability: 'deferred' }),
      ])
      const before = together.now()
      await worker.tell('release')
      await write
      return { readAlone, before, after: await together.all, deferredTogether: deferredTogether[0] }
    })
    expect(result).toEqual({ readAlone: 1, before: ['pending', 'pending'], after: ['ok', 'ok'], deferredTogether: 2 })
  })
})

test('14: a trigger that rolls back everything: only the guilty operation fails', async ({ app }) => {
  const result = await app.evaluate(async () => {
    const { codeOf, openNotes } = window.kit
    const db = openNotes('guilty')
    await db.ensure()
    await db.sql`create trigger no_thirteen before insert on notes when new.stars = 13
      begin select raise(rollback, 'unlucky'); end`
    const codes = await Promise.all(
      [
        db.notes.create({ title: 'a' }),
        db.notes.create({ title: 'b', stars: 13 }),
        db.notes.create({ title: 'c' }),
        db.batch([window.kit.Note.create({ title: 'd' }), window.kit.Note.create({ title: 'e', stars: 13 })]),
      ].map(codeOf),
    )
    return { codes, titles: (await db.notes.list({ orderBy: { title: 'asc' } })).map(({ title }) => title) }
  })
  expect(result.codes[0]).toBe('ok')
  expect(result.codes[1]).not.toBe('ok')
  expect(result.codes[2]).toBe('ok')
  expect(result.codes[3]).not.toBe('ok')
  expect(result.titles).toEqual(['a', 'c'])
})

test.describe('16: a flush that fails', () => {
  test('rejects what it carried and every later commit; memory is the last saved state; later writes work', async ({
    app,
  }) => {
    const result = await app.evaluate(async () => {
      const { follow, openFaulty, openNotes } = window.kit
      const { db, worker } = await openFaulty('failed-flush')
      const kept = await db.notes.create({ title: 'kept', stars: 1 })
      const flush = await worker.hold()
      const carried = follow([db.notes.create({ title: 'carried' }), db.notes.update(kept.id, { stars: 2 })])
      await flush.begun
      const later = follow([
        db.notes.create({ title: 'later' }),
        db.notes.delete(kept.id),
        db.transaction(tx => tx.notes.create({ title: 'in a transaction' })),
      ])
      // Its reads were answered from memory; together with a write they wait, and are run again.
      const together = Promise.all([
        db.notes.list(),
        window.kit.settled(db.notes.create({ title: 'together' })),
        db.sql`select count(*) as n from notes`,
      ])
      await db.metrics()
      const inMemory = await db.notes.count()
      await worker.tell('abort')
      const codes = { carried: await carried.all, later: await later.all }
      const [list, write, sql] = await together
      const memory = await db.notes.list()
      const { ensure, flush: metrics } = await db.metrics()
      const after = await db.notes.create({ title: 'after' })
      await db.close()
      const saved = await openNotes('failed-flush').notes.list()
      return { kept, codes, inMemory, list, write, sql, memory, ensure, metrics, after, saved }
    })
    expect(result.codes).toEqual({ carried: ['STORAGE', 'STORAGE'], later: ['STORAGE', 'STORAGE', 'STORAGE'] })
    expect(result.inMemory).not.toBe(1)
    expect(result.list).toEqual([result.kept])
    expect(result.sql).toEqual([{ n: 1 }])
    expect(result.write).toMatchObject({ failed: { code: 'STORAGE', retryable: true } })
    expect(result.memory).toEqual([result.kept])
    expect(result.metrics).toMatchObject({ pending: 0, lost: 0 })
    expect(result.saved).toEqual([result.kept, result.after])
  })

  test('an open transaction gets TX_CLOSED, and nothing of it stays', async ({ app }) => {
    const result = await app.evaluate(async () => {
      const { codeOf, openFaulty } = window.kit
      const { db, worker } = await openFaulty('failed-lease')
      await db.ensure()
      const flush = await worker.hold()
      const carried = codeOf(db.notes.create({ title: 'carried' }))
      await flush.begun
      const codes: string[] = []
      const transaction = await codeOf(
        db.transaction(async tx => {
          await tx.notes.create({ title: 'inside' })
          await worker.tell('abort')
          codes.push(await carried)
          codes.push(await codeOf(tx.notes.count()))
          await tx.notes.create({ title: 'too late' })
        }),
      )
      return { codes, transaction, count: await db.notes.count(), again: await codeOf(db.notes.create({ title: 'a' })) }
    })
    expect(result).toEqual({ codes: ['STORAGE', 'TX_CLOSED'], transaction: 'TX_CLOSED', count: 0, again: 'ok' })
  })

  test('deferred writes that are lost are counted, and told once by an error event', async ({ app }) => {
    const result = await app.evaluate(async () => {
      const { codeOf, failureOf, openFaulty } = window.kit
      const { db, worker } = await openFaulty('failed-deferred')
      await db.ensure()
      const errors: ReturnType<typeof failureOf>[] = []
      db.on('error', error => errors.push(failureOf(error)))
      const flush = await worker.hold()
      const write = codeOf(db.notes.create({ title: 'relaxed' }))
      await flush.begun
      for (let i = 0; i < 3; i++) await db.notes.create({ title: `${i}` }, { durability: 'deferred' })
      await worker.tell('abort')
      const code = await write
      const { lost, pending } = (await db.metrics()).flush
      return { code, errors, lost, pending, count: await db.notes.count() }
    })
    expect(result).toMatchObject({ code: 'STORAGE', lost: 3, pending: 0, count: 0 })
    expect(result.errors).toEqual([
      expect.objectContaining({
        code: 'STORAGE',
        retryable: true,
        message: expect.stringContaining('3 deferred writes'),
      }),
    ])
  })

  test('a value that is refused (the disk is full): STORAGE_FULL with a hint, retryable', async ({ app }) => {
    const result = await app.evaluate(async () => {
      const { openFaulty, settled } = window.kit
      const { db, worker } = await openFaulty('refused')
      await db.notes.create({ title: 'kept' })
      await worker.tell('refuse')
      const full = await settled(db.notes.create({ title: 'too much' }))
      const memory = await db.notes.list({ select: ['title'] })
      const again = await settled(db.notes.create({ title: 'again' }))
      return { full, memory, again }
    })
    expect(result.full).toMatchObject({
      failed: { code: 'STORAGE_FULL', retryable: true, hint: expect.stringContaining('db.persist()') },
    })
    expect(result.memory).toEqual([{ title: 'kept' }])
    expect(result.again).toMatchObject({ ok: { title: 'again' } })
  })

  test('a quota that is really full: STORAGE_FULL, everything before stays, and works with room again', async ({
    app,
    sharedBrowser,
  }) => {
    const { origin } = new URL(app.url())
    const { devtools } = sharedBrowser
    // Before the first write: the browser asks its quota manager only now and then.
    await devtools.send('Storage.overrideQuotaForOrigin', { origin, quotaSize: 1_000_000 })
    const fill = async () => {
      const { Thing, settled } = window.kit
      const db = window.dataflowEdge.dataflow('full', { models: { things: Thing } })
      await db.things.upsert({ text: 'kept' }, { on: 'text' })
      const bytes = crypto.getRandomValues(new Uint8Array(60_000))
      const rows = Array.from({ length: 40 }, (_, i) => ({ text: `${i}`, bytes }))
      const end = await settled(db.things.bulkCreate(rows))
      const kept = await db.things.count()
      await db.close()
      return { code: 'ok' in end ? 'ok' : end.failed.code, kept }
    }
    const full = await app.evaluate(fill)
    await devtools.send('Storage.overrideQuotaForOrigin', { origin })
    await app.reload()
    const roomy = await app.evaluate(fill)
    expect(full).toEqual({ code: 'STORAGE_FULL', kept: 1 })
    expect(roomy).toEqual({ code: 'ok', kept: 41 })
  })

  test('a table made in the same message is unmade with it, and made again by the next operation', async ({ app }) => {
    const result = await app.evaluate(async () => {
      const { codeOf, openFaulty } = window.kit
      const { db, worker } = await openFaulty('failed-table')
      await db.ready
      const flush = await worker.hold()
      const first = codeOf(db.notes.create({ title: 'a' }))
      await flush.begun
      await worker.tell('abort')
      const code = await first
      const status = await db.tableStatus('notes')
      const second = await codeOf(db.notes.create({ title: 'b' }))
      return { code, status, second, count: await db.notes.count(), history: (await db.migrations.history()).length }
    })
    expect(result).toEqual({ code: 'STORAGE', status: 'needs_creation', second: 'ok', count: 1, history: 1 })
  })

  test('ten in a row, with writes in between: memory and saved state never part', async ({ app }) => {
    const result = await app.evaluate(async () => {
      const { codeOf, openFaulty, openNotes } = window.kit
      const { db, worker } = await openFaulty('failed-often')
      await db.ensure()
      const expected: string[] = []
      for (let i = 0; i < 10; i++) {
        const flush = await worker.hold()
        const lost = codeOf(db.notes.bulkCreate(Array.from({ length: 50 }, (_, j) => ({ title: `lost ${i} ${j}` }))))
        await flush.begun
        const alsoLost = codeOf(db.notes.bulkUpdate({ all: true, set: { title: 'lost' } }))
        await db.metrics()
        await worker.tell('abort')
        if ((await lost) !== 'STORAGE' || (await alsoLost) !== 'STORAGE') throw new Error('not lost')
        await db.notes.create({ title: `kept ${i}` })
        expected.push(`kept ${i}`)
        const memory = (await db.notes.list()).map(({ title }) => title)
        if (memory.join() !== expected.join()) throw new Error(`round ${i}: ${memory.join()}`)
      }
      const [check] = await db.sql`pragma integrity_check`
      await db.close()
      const saved = (await openNotes('failed-often').notes.list()).map(({ title }) => title)
      return { check, saved, expected }
    })
    expect(result.check).toEqual({ integrity_check: 'ok' })
    expect(result.saved).toEqual(result.expected)
  })
})

test('30: saving is called flush: events and metrics', async ({ app }) => {
  const result = await app.evaluate(async () => {
    const { openNotes } = window.kit
    const db = openNotes('flush-names')
    const flushes: { ms: number; bytes: number }[] = []
    const off = db.on('flush', flush => flushes.push(flush))
    await db.notes.create({ title: 'a' })
    await db.notes.create({ title: 'b' })
    const { flush } = await db.metrics()
    const heard = flushes.length
    off()
    await db.notes.create({ title: 'c' })
    await db.metrics()
    let refused = ''
    try {
      db.on('persist' as 'flush', () => {})
    } catch (error) {
      refused = window.kit.failureOf(error).code
    }
    return { flushes, heard, after: flushes.length, flush, refused }
  })
  expect(result.heard).toBe(result.flush.flushes)
  expect(result.after).toBe(result.heard)
  expect(result.flushes.reduce((sum, { bytes }) => sum + bytes, 0)).toBe(result.flush.bytes)
  expect(result.flush).toMatchObject({ pending: 0, lost: 0, checkpoints: 0 })
  expect(result.flush.logRecords).toBeGreaterThan(0)
  expect(result.refused).toBe('BAD_OPTION')
})
