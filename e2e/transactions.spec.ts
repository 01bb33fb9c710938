// transaction(fn): a lease of the one connection, from the page's side.
import { expect, test } from './shared-browser.js'

test('19: everything else waits for its end, reads included', async ({ app }) => {
  const order = await app.evaluate(async () => {
    const db = window.kit.openNotes('waits')
    const order: string[] = []
    const note = (what: string) => (value: unknown) => void order.push(`${what} ${JSON.stringify(value)}`)
    let others: Promise<unknown>[] = []
    await db
      .transaction(async tx => {
        others = [
          db.notes.count().then(note('count')),
          db.sql`select count(*) as n from notes`.then(note('sql')),
          db.notes.create({ title: 'outside' }).then(({ title }) => note('create')(title)),
          db.tableStatus('notes').then(note('status')),
          db.transaction(other => other.notes.count()).then(note('transaction')),
        ]
        await tx.notes.create({ title: 'inside' })
        await tx.notes.create({ title: 'inside too' })
        order.push(`inside ${await tx.notes.count()}`)
      })
      .then(note('end'))
    await Promise.all(others)
    return order
  })
  expect(order[0]).toBe('inside 2')
  expect(order.slice(1, 3).sort()).toEqual(expect.arrayContaining([]))
  expect(order).toContain('count 2')
  expect(order).toContain('sql [{"n":2}]')
  expect(order).toContain('create "outside"')
  expect(order).toContain('status "exists"')
  expect(order).toContain('transaction 3')
})

test('19: committed when it resolves, with what it resolves to; read back by everybody', async ({ app }) => {
  const result = await app.evaluate(async () => {
    const db = window.kit.openNotes('commits')
    const made = await db.transaction(async tx => {
      const a = await tx.notes.create({ title: 'a', stars: 1 })
      await tx.notes.update(a.id, { stars: { $inc: 1 } })
      const [, rows] = await tx.batch([window.kit.Note.create({ title: 'b' }), window.kit.Note.list()])
      return { a: await tx.notes.read(a.id), rows: rows.length }
    })
    const { tx } = await db.metrics()
    return { made, count: await db.notes.count(), tx }
  })
  expect(result.made).toMatchObject({ a: { title: 'a', stars: 2 }, rows: 2 })
  expect(result.count).toBe(2)
})

test('19: rolled back when it throws, with its error as it was', async ({ app }) => {
  const result = await app.evaluate(async () => {
    const db = window.kit.openNotes('throws')
    await db.notes.create({ title: 'before' })
    class Own extends Error {}
    const error = await db
      .transaction(async tx => {
        await tx.notes.create({ title: 'inside' })
        await tx.sql`create table made_inside (x)`
        throw new Own('mine')
      })
      .catch((e: unknown) => e)
    const tables = await db.sql`select name from sqlite_schema where name = 'made_inside'`
    return { own: error instanceof Own, titles: await db.notes.list({ select: ['title'] }), tables }
  })
  expect(result).toEqual({ own: true, titles: [{ title: 'before' }], tables: [] })
})

test('19: a failing operation may be caught inside; what went before it stays', async ({ app }) => {
  const result = await app.evaluate(async () => {
    const { codeOf, openNotes } = window.kit
    const db = openNotes('caught')
    const code = await db.transaction(async tx => {
      const { id } = await tx.notes.create({ title: 'a' })
      const code = await codeOf(tx.notes.create({ id, title: 'twice' }))
      await codeOf(tx.batch([window.kit.Note.create({ title: 'half' }), window.kit.Note.create({ id, title: 'x' })]))
      await tx.notes.create({ title: 'b' })
      return code
    })
    return { code, titles: (await db.notes.list({ orderBy: { title: 'asc' } })).map(({ title }) => title) }
  })
  expect(result).toEqual({ code: 'UNIQUE', titles: ['a', 'b'] })
})

test('19: the timeout counts from BEGIN, breaks it with TX_TIMEOUT and frees the others', async ({ app }) => {
  const result = await app.evaluate(async () => {
    const { codeOf, openNotes, settled } = window.kit
    const db = openNotes('timeout')
    await db.notes.create({ title: 'before' })
    let late: string | undefined
    // The first holds the connection for longer than the second's timeout: waiting does not count.
    const first = db.transaction(async () => new Promise(resolve => setTimeout(resolve, 400)))
    const second = codeOf(db.transaction(async tx => tx.notes.count(), { timeout: 200 }))
    await first
    const start = performance.now()
    const third = await settled(
      db.transaction(
        async tx => {
          await tx.notes.create({ title: 'inside' })
          // Waits, as everything else, until the timeout ends the transaction that it is in.
          await db.notes.count()
          late = await codeOf(tx.notes.count())
        },
        { timeout: 300 },
      ),
    )
    const ms = performance.now() - start
    return { second: await second, third, late, ms, count: await db.notes.count(), tx: (await db.metrics()).tx }
  })
  expect(result.second).toBe('ok')
  expect(result.third).toMatchObject({ failed: { code: 'TX_TIMEOUT', message: expect.stringContaining('300 ms') } })
  expect(result.late).toBe('TX_TIMEOUT')
  expect(result.ms).toBeGreaterThan(290)
  expect(result.count).toBe(1)
  expect(result.tx.timedOut).toBe(1)
})

test('19: maxWait ends the wait for another one with TX_TIMEOUT, retryable', async ({ app }) => {
  const result = await app.evaluate(async () => {
    const { openNotes, settled } = window.kit
    const db = openNotes('max-wait')
    await db.ready
    let ran = false
    const waiting = await db.transaction(async tx => {
      const waiting = settled(db.transaction(async () => void (ran = true), { maxWait: 50 }))
      const end = await waiting
      await tx.notes.create({ title: 'still mine' })
      return { end }
    })
    return { end: waiting.end, ran, count: await db.notes.count() }
  })
  expect(result.end).toMatchObject({ failed: { code: 'TX_TIMEOUT', retryable: true } })
  expect(result).toMatchObject({ ran: false, count: 1 })
})

test('19: db.* awaited inside warns once, after 250 ms, on the console', async ({ app }) => {
  const warnings: string[] = []
  app.on('console', message => {
    if (message.type() === 'warning') warnings.push(message.text())
  })
  const code = await app.evaluate(async () => {
    const { codeOf, openNotes } = window.kit
    const db = openNotes('warns')
    await db.ready
    return codeOf(
      db.transaction(
        async tx => {
          await tx.notes.create({ title: 'a' })
          await Promise.all([db.notes.count(), db.notes.count(), db.sql`select 1`])
        },
        { timeout: 600 },
      ),
    )
  })
  expect(code).toBe('TX_TIMEOUT')
  expect(warnings).toEqual([expect.stringContaining('use only tx.*')])
})

test('19: calls of the database beside a short transaction do not warn', async ({ app }) => {
  const warnings: string[] = []
  app.on('console', message => warnings.push(message.text()))
  await app.evaluate(async () => {
    const db = window.kit.openNotes('does-not-warn')
    await Promise.all([db.transaction(async tx => tx.notes.create({ title: 'a' })), db.notes.count()])
    await new Promise(resolve => setTimeout(resolve, 300))
  })
  expect(warnings).toEqual([])
})

test('19: afterwards tx.* is TX_CLOSED, whichever way it ended', async ({ app }) => {
  const codes = await app.evaluate(async () => {
    const { codeOf, openNotes } = window.kit
    const db = openNotes('closed')
    const kept: Parameters<Parameters<typeof db.transaction>[0]>[0][] = []
    await db.transaction(async tx => void kept.push(tx))
    await db
      .transaction(async tx => {
        kept.push(tx)
        throw new Error('no')
      })
      .catch(() => {})
    const codes = []
    for (const tx of kept) {
      codes.push(
        await codeOf(tx.notes.count()),
        await codeOf(tx.notes.create({ title: 'late' })),
        await codeOf(tx.sql`select 1`),
      )
    }
    return [...codes, await db.notes.count()]
  })
  expect(codes).toEqual([...Array(6).fill('TX_CLOSED'), 0])
})

test('19: an operation that is not awaited inside is part of it', async ({ app }) => {
  const result = await app.evaluate(async () => {
    const { codeOf, openNotes } = window.kit
    const db = openNotes('not-awaited')
    let forgotten: Promise<string> | undefined
    const end = await codeOf(
      db.transaction(async tx => {
        await tx.notes.create({ title: 'a' })
        forgotten = codeOf(tx.notes.create({ title: 'forgotten' }))
      }),
    )
    const code = await forgotten!
    return { end, code, count: await db.notes.count() }
  })
  expect(result).toEqual({ end: 'ok', code: 'ok', count: 2 })
})

test('19: aborted before, while waiting and inside: ABORTED and nothing done', async ({ app }) => {
  const result = await app.evaluate(async () => {
    const { codeOf, openNotes } = window.kit
    const db = openNotes('aborted')
    let ran = 0
    const before = await codeOf(db.transaction(async () => void ran++, { signal: AbortSignal.abort() }))
    const waiting = new AbortController()
    const inside = new AbortController()
    let waitingCode: Promise<string> | undefined
    const insideCode = await codeOf(
      db.transaction(
        async tx => {
          await tx.notes.create({ title: 'inside' })
          waitingCode = codeOf(db.transaction(async () => void ran++, { signal: waiting.signal }))
          waiting.abort()
          await waitingCode
          inside.abort()
          // Whatever it still does comes too late.
          await tx.notes.create({ title: 'after the abort' })
        },
        { signal: inside.signal },
      ),
    )
    return { codes: [before, await waitingCode, insideCode], ran, count: await db.notes.count() }
  })
  expect(result).toEqual({ codes: ['ABORTED', 'ABORTED', 'ABORTED'], ran: 0, count: 0 })
})

test('18: aborted while its commit is being saved: resolves', async ({ app }) => {
  const result = await app.evaluate(async () => {
    const { codeOf, openFaulty } = window.kit
    const { db, worker } = await openFaulty('aborted-late')
    await db.ensure()
    const controller = new AbortController()
    const flush = await worker.hold()
    const end = codeOf(db.transaction(async tx => tx.notes.create({ title: 'a' }), { signal: controller.signal }))
    await flush.begun
    controller.abort()
    await db.metrics()
    await worker.tell('release')
    return { end: await end, count: await db.notes.count() }
  })
  expect(result).toEqual({ end: 'ok', count: 1 })
})

test('afterCommit is called once the transaction is saved, never when it is rolled back', async ({ app }) => {
  const result = await app.evaluate(async () => {
    const { codeOf, openFaulty } = window.kit
    const { db, worker } = await openFaulty('after-commit')
    await db.ensure()
    const called: string[] = []
    const flush = await worker.hold()
    const end = db.transaction(async tx => {
      tx.afterCommit(() => called.push('first'))
      await tx.notes.create({ title: 'a' })
      tx.afterCommit(() => called.push('second'))
    })
    await flush.begun
    await db.metrics()
    const whileSaving = [...called]
    await worker.tell('release')
    await end
    const saved = [...called]
    await codeOf(
      db.transaction(async tx => {
        tx.afterCommit(() => called.push('never'))
        await tx.notes.create({ title: 'b' })
        throw new Error('no')
      }),
    )
    return { whileSaving, saved, called }
  })
  expect(result).toEqual({ whileSaving: [], saved: ['first', 'second'], called: ['first', 'second'] })
})

test('a callback of afterCommit that throws does not make the saved transaction fail', async ({ app }) => {
  const errors: string[] = []
  app.on('pageerror', error => errors.push(error.message))
  const result = await app.evaluate(async () => {
    const { codeOf, openNotes } = window.kit
    const db = openNotes('after-commit-throws')
    let second = false
    const code = await codeOf(
      db.transaction(async tx => {
        tx.afterCommit(() => {
          throw new Error('of the callback')
        })
        tx.afterCommit(() => (second = true))
        await tx.notes.create({ title: 'a' })
      }),
    )
    return { code, second, count: await db.notes.count() }
  })
  expect(result).toEqual({ code: 'ok', second: true, count: 1 })
  expect(errors).toEqual(['of the callback'])
})

test('15: another tick cannot get in between: interleaved transactions and writes never mix', async ({ app }) => {
  const result = await app.evaluate(async () => {
    const db = window.kit.openNotes('interleaved')
    const { id } = await db.notes.create({ title: 'counter', stars: 0 })
    const raise = (yields: number) =>
      db.transaction(
        async tx => {
          const { stars } = await tx.notes.readOrThrow(id)
          for (let i = 0; i < yields; i++) await new Promise(resolve => setTimeout(resolve))
          await tx.notes.update(id, { stars: stars! + 1 })
        },
        { maxWait: 20_000 },
      )
    const singles = Array.from({ length: 20 }, () => db.notes.update(id, { stars: { $inc: 1 } }))
    await Promise.all([...Array.from({ length: 20 }, (_, i) => raise(i % 3)), ...singles])
    return (await db.notes.readOrThrow(id)).stars
  })
  expect(result).toBe(40)
})

test('15: what waited for a transaction is not caught in the next one', async ({ app }) => {
  const result = await app.evaluate(async () => {
    const { codeOf, openNotes } = window.kit
    const db = openNotes('caught-in-the-next')
    await db.ensure()
    const waiting = await db.transaction(async () => {
      const failing = db.transaction(async tx => {
        await tx.notes.create({ title: 'inside' })
        await new Promise(resolve => setTimeout(resolve, 50))
        throw new Error('rolled back')
      })
      const calls = [codeOf(failing), codeOf(db.notes.create({ title: 'outside' })), codeOf(db.sql`select 1`)]
      // The worker has them all once it has answered this.
      await db.metrics()
      return { calls }
    })
    const codes = await Promise.all(waiting.calls)
    return { codes, titles: (await db.notes.list()).map(({ title }) => title) }
  })
  expect(result).toEqual({ codes: ['not ours', 'ok', 'ok'], titles: ['outside'] })
})

test('the tables of all models are there before BEGIN, the first time too', async ({ app }) => {
  const result = await app.evaluate(async () => {
    const db = window.kit.openNotes('first-use')
    const count = await db.transaction(async tx => {
      await tx.sql`insert into notes (id, title) values ('x', 'raw')`
      return tx.notes.count()
    })
    return { count, history: (await db.migrations.history()).length }
  })
  expect(result).toEqual({ count: 1, history: 1 })
})

test('raw BEGIN, COMMIT and their like are refused inside as outside', async ({ app }) => {
  const codes = await app.evaluate(async () => {
    const { codeOf, openNotes } = window.kit
    const db = openNotes('raw')
    const { sql } = window.dataflowEdge
    const codes: string[] = []
    const texts = [
      sql`commit`,
      sql`ROLLBACK`,
      sql`-- x
      end`,
      sql`/* a */ savepoint s`,
      sql`release s`,
      sql`vacuum`,
      sql`pragma journal_mode = off`,
    ]
    await db.transaction(async tx => {
      for (const text of texts) codes.push(await codeOf(tx.run(text)))
      await tx.notes.create({ title: 'a' })
    })
    return [...codes, await db.notes.count()]
  })
  expect(codes).toEqual([...Array(7).fill('SQL'), 1])
})
