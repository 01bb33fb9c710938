// The worker: one message per tick, outcomes as data, and no call left pending whatever ends or hinders it.
import type { Page } from '@playwright/test'
import { expect, test } from './shared-browser.js'
import { built, showApp } from './fixtures.js'
import { serve, type Server } from './server.js'

test.describe('messages', () => {
  test('13: all operations of a tick cross in one message, those of the next in another', async ({ app }) => {
    const { calls, rpc } = await app.evaluate(async () => {
      const { db, worker } = await window.kit.openFaulty('one-message')
      await db.ready
      worker.calls.length = 0
      const { rpc: before } = await db.metrics()
      await Promise.all([
        ...Array.from({ length: 100 }, (_, i) => db.notes.create({ title: `${i}` })),
        db.notes.list(),
        db.sql`select 1`,
        db.batch([window.kit.Note.count(), window.kit.Note.create({ title: 'batched' })]),
      ])
      await db.notes.count()
      await db.notes.count()
      return { calls: worker.calls, rpc: (await db.metrics()).rpc.calls - before.calls }
    })
    expect(calls).toEqual(['metrics', 'run', 'run', 'run', 'metrics'])
    expect(rpc).toBe(3)
  })

  test('28: outcomes cross as data; Comlink carries no error', async ({ app }) => {
    const { codes, replies } = await app.evaluate(async () => {
      const { codeOf, openFaulty } = window.kit
      const { db, worker } = await openFaulty('outcomes')
      const { id } = await db.notes.create({ title: 'a' })
      const codes = [
        await codeOf(db.notes.create({ id, title: 'twice' })),
        await codeOf(db.notes.readOrThrow('nobody')),
        await codeOf(db.sql`this is not SQL`),
        await codeOf(db.sql`begin`),
        await codeOf(db.sql`delete from dataflow_migrations`),
        await codeOf(db.batch([window.kit.Note.create({ id, title: 'twice' })])),
        await codeOf(db.transaction(tx => tx.sql`nor this`)),
        await codeOf(db.notes.update('nobody', { title: 'b' })),
      ]
      return { codes, replies: worker.replies }
    })
    expect(codes).toEqual(['UNIQUE', 'NOT_FOUND', 'SQL', 'SQL', 'READONLY', 'UNIQUE', 'SQL', 'NOT_FOUND'])
    for (const reply of replies) {
      expect(reply.type).toBe('RAW')
      expect(Object.keys(reply.value as object)).toEqual([expect.stringMatching(/^(ok|error)$/)])
    }
  })
})

test.describe('an end of the worker', () => {
  const ends: Record<string, string> = {
    'worker.terminate()': 'terminate',
    'an uncaught error in the worker': 'throw',
    'the worker closing itself': 'close',
  }
  for (const [name, how] of Object.entries(ends)) {
    test(`${name} settles every call, and the next one works`, async ({ app }) => {
      const result = await app.evaluate(async how => {
        const { follow, openFaulty, settled } = window.kit
        const { db, worker } = await openFaulty('ended')
        await db.notes.create({ title: 'saved' })
        const flush = await worker.hold()
        const write = db.notes.create({ title: 'never saved' })
        await flush.begun
        const calls = follow([write, db.flush(), db.transaction(async tx => tx.notes.create({ title: 'nor this' }))])
        const more = follow([db.notes.create({ title: 'nor that' })])
        await db.metrics()
        const before = calls.now()
        if (how === 'terminate') worker.workers[0]!.terminate()
        else await worker.tell(how as 'throw' | 'close')
        return {
          before,
          after: await calls.all,
          more: await more.all,
          next: await settled(db.notes.list({ select: ['title'] })),
          started: worker.workers.length,
        }
      }, how)
      expect(result.before).toEqual(['pending', 'pending', 'pending'])
      expect(result.after).toEqual(['WORKER_CRASHED', 'WORKER_CRASHED', 'WORKER_CRASHED'])
      expect(result.more).toEqual(['WORKER_CRASHED'])
      expect(result.next).toEqual({ ok: [{ title: 'saved' }] })
      expect(result.started).toBe(2)
    })
  }

  test('the error says what happened, what to do, and that a repetition can succeed', async ({ app }) => {
    const failed = await app.evaluate(async () => {
      const { openFaulty, settled } = window.kit
      const { db, worker } = await openFaulty('crash')
      await db.ready
      const flush = await worker.hold()
      const call = settled(db.notes.create({ title: 'a' }))
      await flush.begun
      await worker.tell('throw')
      return call
    })
    expect(failed).toMatchObject({
      failed: {
        code: 'WORKER_CRASHED',
        retryable: true,
        message: expect.stringContaining('thrown in the worker'),
        hint: expect.stringContaining('the next call starts a new worker'),
      },
    })
  })

  test('a worker that is terminated while it starts', async ({ app }) => {
    const { first, next } = await app.evaluate(async () => {
      const { openFaulty, settled } = window.kit
      const { db, worker } = await openFaulty('terminated-early')
      const first = settled(db.notes.create({ title: 'a' }))
      // The call has made the worker by now, and waits for its first answer.
      await Promise.resolve()
      if (worker.workers.length !== 1) throw new Error('No worker yet')
      worker.workers[0]!.terminate()
      return { first: await first, next: await settled(db.notes.count()) }
    })
    expect(first).toMatchObject({ failed: { code: expect.stringMatching(/^WORKER_/) } })
    expect(next).toEqual({ ok: 0 })
  })

  test('events go on after a new worker has started', async ({ app }) => {
    const flushes = await app.evaluate(async () => {
      const { openFaulty, settled } = window.kit
      const { db, worker } = await openFaulty('events')
      let flushes = 0
      db.on('flush', () => flushes++)
      await db.notes.create({ title: 'a' })
      const before = flushes
      const flush = await worker.hold()
      const call = settled(db.notes.create({ title: 'b' }))
      await flush.begun
      worker.workers[0]!.terminate()
      await call
      await db.notes.create({ title: 'c' })
      await db.metrics()
      return { before, after: flushes }
    })
    expect(flushes.before).toBeGreaterThan(0)
    expect(flushes.after).toBeGreaterThan(flushes.before)
  })
})

test.describe('a worker that cannot be had', () => {
  /** A page of its own server, whose answers the test changes. */
  async function served(
    page: Page,
    options: { headers?: Record<string, string>; missing?: (path: string) => boolean },
  ): Promise<Server> {
    const server = await serve(built.app, options)
    await showApp(page, server)
    return server
  }
  const tryOnce = (page: Page) =>
    page.evaluate(async () => window.kit.settled(window.kit.openNotes('tried').notes.count()))

  test('its script and the fallback answer 404: WORKER_LOAD, and works once they are there', async ({ page }) => {
    let gone = true
    const server = await served(page, { missing: path => gone && /worker/.test(path) })
    const db = await page.evaluateHandle(() => window.kit.openNotes('missing'))
    const failed = await page.evaluate(db => window.kit.settled(db.notes.count()), db)
    expect(failed).toMatchObject({
      failed: { code: 'WORKER_LOAD', hint: expect.stringContaining('Content-Security-Policy') },
    })
    gone = false
    expect(await page.evaluate(db => window.kit.settled(db.notes.count()), db)).toEqual({ ok: 0 })
    await server.close()
  })

  test('its script alone answers 404: the inline worker takes over', async ({ page }) => {
    const server = await served(page, { missing: path => /\/worker/.test(path) })
    expect(await tryOnce(page)).toEqual({ ok: 0 })
    await server.close()
  })

  test("the app's own worker answers 404: WORKER_LOAD without a fallback, and works once it is there", async ({
    app,
  }) => {
    const { failed, next } = await app.evaluate(async () => {
      const { openNotes, settled, TestWorker } = window.kit
      const { make, wasmUrl } = await TestWorker.load()
      let url: string | null = 'nowhere.js'
      const db = openNotes('own-404', { wasmUrl, worker: () => (url ? new Worker(url, { type: 'module' }) : make()) })
      const failed = await Promise.all([
        settled(db.notes.count()),
        settled(db.ready),
        settled(db.transaction(async () => 1)),
      ])
      url = null
      return { failed, next: await settled(db.notes.count()) }
    })
    for (const end of failed) expect(end).toMatchObject({ failed: { code: 'WORKER_LOAD' } })
    expect(next).toEqual({ ok: 0 })
  })

  test("the app's own `worker` throws: WORKER_LOAD with its error as cause, and works once it does not", async ({
    app,
  }) => {
    const result = await app.evaluate(async () => {
      const { openNotes, failureOf, settled, TestWorker } = window.kit
      const { make, wasmUrl } = await TestWorker.load()
      let broken = true
      const worker = () => {
        if (broken) throw new Error('not today')
        return make()
      }
      const db = openNotes('own-throws', { wasmUrl, worker })
      const error = await db.notes.count().catch((e: Error) => e)
      const failed = { ...failureOf(error), cause: String((error as Error).cause) }
      broken = false
      return { failed, next: await settled(db.notes.count()) }
    })
    expect(result.failed).toMatchObject({ code: 'WORKER_LOAD', cause: 'Error: not today' })
    expect(result.next).toEqual({ ok: 0 })
  })

  test('sqlite.wasm answers 404: WORKER_LOAD with its address, and works once it is there', async ({ page }) => {
    let gone = true
    const server = await served(page, { missing: path => gone && path.endsWith('.wasm') })
    const db = await page.evaluateHandle(() => window.kit.openNotes('no-wasm'))
    const ends = await page.evaluate(
      async db =>
        Promise.all([
          window.kit.settled(db.notes.create({ title: 'a' })),
          window.kit.settled(db.ready),
          window.kit.settled(db.transaction(async () => 1)),
          window.kit.settled(db.metrics()),
        ]),
      db,
    )
    for (const end of ends) {
      expect(end).toMatchObject({
        failed: {
          code: 'WORKER_LOAD',
          message: expect.stringMatching(/\.wasm answered 404/),
          hint: expect.stringContaining('sqlite.wasm'),
        },
      })
    }
    gone = false
    expect(await page.evaluate(db => window.kit.settled(db.notes.count()), db)).toEqual({ ok: 0 })
    await server.close()
  })

  test('wasmUrl that is wrong: WORKER_LOAD; one that is right is used', async ({ page }) => {
    const server = await served(page, {})
    const { wrong, right } = await page.evaluate(async () => {
      const { openNotes, settled } = window.kit
      const files: string[] = await (await fetch('files.json')).json()
      const wasm = new URL(
        files.find(file => file.endsWith('.wasm'))!,
        location.href,
      )
      const wrong = await settled(openNotes('wrong', { wasmUrl: new URL('elsewhere.wasm', location.href) }).ready)
      const right = await settled(openNotes('right', { wasmUrl: wasm }).notes.count())
      return { wrong, right }
    })
    expect(wrong).toMatchObject({ failed: { code: 'WORKER_LOAD', message: expect.stringContaining('elsewhere.wasm') } })
    expect(right).toEqual({ ok: 0 })
    await server.close()
  })

  test('wasmUrl may be relative to the page', async ({ page }) => {
    const server = await served(page, {})
    const end = await page.evaluate(async () => {
      const { openNotes, settled } = window.kit
      const files: string[] = await (await fetch('files.json')).json()
      return settled(openNotes('relative', { wasmUrl: files.find(file => file.endsWith('.wasm'))! }).notes.count())
    })
    expect(end).toEqual({ ok: 0 })
    await server.close()
  })

  test("a Content-Security-Policy without 'wasm-unsafe-eval': WORKER_LOAD that names it", async ({ page }) => {
    const headers: Record<string, string> = { 'content-security-policy': "script-src 'self'" }
    const server = await served(page, { headers })
    expect(await tryOnce(page)).toMatchObject({
      failed: { code: 'WORKER_LOAD', hint: expect.stringContaining("'wasm-unsafe-eval'") },
    })
    headers['content-security-policy'] = "script-src 'self' 'wasm-unsafe-eval'"
    await showApp(page, server)
    expect(await tryOnce(page)).toEqual({ ok: 0 })
    await server.close()
  })

  test('a Content-Security-Policy that forbids workers: WORKER_LOAD that names worker-src', async ({ page }) => {
    const headers: Record<string, string> = {
      'content-security-policy': "script-src 'self' 'wasm-unsafe-eval'; worker-src 'none'",
    }
    const server = await served(page, { headers })
    expect(await tryOnce(page)).toMatchObject({
      failed: { code: 'WORKER_LOAD', hint: expect.stringContaining("worker-src 'self'") },
    })
    headers['content-security-policy'] = "script-src 'self' 'wasm-unsafe-eval'; worker-src 'self'"
    await showApp(page, server)
    expect(await tryOnce(page)).toEqual({ ok: 0 })
    await server.close()
  })

  test('a sandboxed frame without an origin: an error of ours, nothing pending', async ({ page }) => {
    const headers: Record<string, string> = { 'content-security-policy': 'sandbox allow-scripts' }
    const server = await served(page, { headers: { ...headers, 'access-control-allow-origin': '*' } })
    expect(await tryOnce(page)).toMatchObject({
      failed: { code: expect.stringMatching(/^(WORKER_LOAD|STORAGE)$/), hint: expect.any(String) },
    })
    await server.close()
  })
})

test.describe('close()', () => {
  test('settles what is pending, saves it, and refuses later calls', async ({ app }) => {
    const result = await app.evaluate(async () => {
      const { codeOf, follow, openFaulty, openNotes } = window.kit
      const { db, worker } = await openFaulty('closed')
      await db.ready
      const flush = await worker.hold()
      const pending = follow([db.notes.create({ title: 'in flight' })])
      await flush.begun
      const more = follow([db.notes.create({ title: 'behind it', stars: 1 })])
      await db.metrics()
      const closing = db.close()
      await worker.tell('release')
      await closing
      const later = await Promise.all(
        [
          db.notes.count(),
          db.notes.create({ title: 'late' }),
          db.ready,
          db.sql`select 1`,
          db.transaction(async () => 1),
          db.ensure(),
          db.metrics(),
          db.migrations.plan(),
          db.tableStatus('notes'),
          db.batch([window.kit.Note.count()]),
        ].map(codeOf),
      )
      const titles = (await openNotes('closed').notes.list({ select: ['title'] })).map(({ title }) => title)
      return { pending: pending.now(), more: more.now(), later, titles }
    })
    expect(result.pending).toEqual(['ok'])
    expect(result.more).toEqual(['ok'])
    expect(result.later).toEqual(Array(10).fill('CLOSED'))
    expect(result.titles).toEqual(['in flight', 'behind it'])
  })

  test('in the tick of a write: the write is saved or refused, and the database is let go', async ({ app }) => {
    const { end, kept } = await app.evaluate(async () => {
      const { codeOf, openNotes } = window.kit
      const db = openNotes('closed-at-once', { maxWaitForOwner: 1000 })
      const end = codeOf(db.notes.create({ title: 'a' }))
      await db.close()
      // Fails with LOCKED if a worker has been left behind.
      const other = openNotes('closed-at-once', { maxWaitForOwner: 1000 })
      return { end: await end, kept: await other.notes.count() }
    })
    expect(['ok', 'CLOSED']).toContain(end)
    expect(kept).toBe(end === 'ok' ? 1 : 0)
  })

  test('called twice, both calls wait until everything is saved', async ({ app }) => {
    const { order } = await app.evaluate(async () => {
      const { openFaulty } = window.kit
      const { db, worker } = await openFaulty('closed-twice')
      await db.ready
      const flush = await worker.hold()
      const write = db.notes.create({ title: 'a' })
      await flush.begun
      const order: string[] = []
      const first = db.close().then(() => order.push('first'))
      const second = db.close().then(() => order.push('second'))
      await new Promise(resolve => setTimeout(resolve))
      order.push('release')
      await worker.tell('release')
      await Promise.all([first, second, write])
      return { order }
    })
    expect(order[0]).toBe('release')
  })

  test('while the database waits for another tab: ends the wait', async ({ app, openApp }) => {
    await app.evaluate(async () => window.kit.openNotes('closed-waiting').ready)
    const other = await openApp()
    const { code, ms } = await other.evaluate(async () => {
      const db = window.kit.openNotes('closed-waiting', { maxWaitForOwner: 20_000 })
      const end = window.kit.codeOf(db.notes.count())
      await new Promise<void>(resolve => db.on('blocked', () => resolve()))
      const start = performance.now()
      await db.close()
      return { code: await end, ms: performance.now() - start }
    })
    expect(code).toBe('CLOSED')
    expect(ms).toBeLessThan(5000)
  })

  test('before any call, and of a database that never worked', async ({ app }) => {
    const codes = await app.evaluate(async () => {
      const { codeOf, openNotes } = window.kit
      const never = openNotes('never')
      const broken = openNotes('broken', { worker: () => new Worker('nowhere.js') })
      return [
        await codeOf(never.close()),
        await codeOf(never.notes.count()),
        await codeOf(broken.notes.count()),
        await codeOf(broken.close()),
        await codeOf(broken.notes.count()),
      ]
    })
    expect(codes).toEqual(['ok', 'CLOSED', 'WORKER_LOAD', 'ok', 'CLOSED'])
  })
})

test.describe('18: abort', () => {
  test('before the call, and in the tick before it is sent: ABORTED, no message, nothing done', async ({ app }) => {
    const result = await app.evaluate(async () => {
      const { codeOf, openFaulty } = window.kit
      const { db, worker } = await openFaulty('abort-early')
      await db.ready
      worker.calls.length = 0
      const before = await codeOf(db.notes.create({ title: 'a' }, { signal: AbortSignal.abort() }))
      const controller = new AbortController()
      const sameTick = codeOf(db.notes.create({ title: 'b' }, { signal: controller.signal }))
      controller.abort()
      const codes = [before, await sameTick]
      return { codes, calls: [...worker.calls], count: await db.notes.count() }
    })
    expect(result).toEqual({ codes: ['ABORTED', 'ABORTED'], calls: [], count: 0 })
  })

  test('while it waits for a transaction to end: ABORTED, nothing done, the others go on', async ({ app }) => {
    const result = await app.evaluate(async () => {
      const { codeOf, openNotes } = window.kit
      const db = openNotes('abort-waiting')
      const controller = new AbortController()
      const { signal } = controller
      const calls = await db.transaction(async tx => {
        await tx.notes.create({ title: 'in the transaction' })
        const calls = [
          codeOf(db.notes.create({ title: 'aborted' }, { signal })),
          codeOf(db.notes.create({ title: 'not aborted' })),
          codeOf(db.transaction(async other => other.notes.create({ title: 'aborted too' }), { signal })),
        ]
        // The worker has them all once it has answered this.
        await db.metrics()
        controller.abort()
        return { calls }
      })
      const codes = await Promise.all(calls.calls)
      return { codes, titles: (await db.notes.list()).map(({ title }) => title) }
    })
    expect(result.codes).toEqual(['ABORTED', 'ok', 'ABORTED'])
    expect(result.titles.sort()).toEqual(['in the transaction', 'not aborted'])
  })

  test('while the database is being opened: ABORTED, nothing done', async ({ app }) => {
    const result = await app.evaluate(async () => {
      const { codeOf, openNotes } = window.kit
      const db = openNotes('abort-opening')
      const controller = new AbortController()
      const call = codeOf(db.notes.create({ title: 'a' }, { signal: controller.signal }))
      await Promise.resolve()
      await Promise.resolve()
      controller.abort()
      return { code: await call, count: await db.notes.count() }
    })
    expect(result).toEqual({ code: 'ABORTED', count: 0 })
  })

  test('after the write has been committed, while it is being saved: resolves', async ({ app }) => {
    const result = await app.evaluate(async () => {
      const { codeOf, openFaulty } = window.kit
      const { db, worker } = await openFaulty('abort-late')
      await db.ready
      const controller = new AbortController()
      const flush = await worker.hold()
      const call = codeOf(db.notes.create({ title: 'a' }, { signal: controller.signal }))
      await flush.begun
      controller.abort()
      await db.metrics()
      await worker.tell('release')
      return { code: await call, count: await db.notes.count() }
    })
    expect(result).toEqual({ code: 'ok', count: 1 })
  })

  test('the reason of the signal is the cause of the error', async ({ app }) => {
    const causes = await app.evaluate(async () => {
      const db = window.kit.openNotes('abort-reason')
      const causeOf = (promise: Promise<unknown>) => promise.catch((e: Error) => String(e.cause))
      const sent = new AbortController()
      await db.ready
      const waiting = await db.transaction(async () => {
        const call = causeOf(db.notes.create({ title: 'a' }, { signal: sent.signal }))
        await db.metrics()
        sent.abort('left the page')
        return { call }
      })
      return [await causeOf(db.notes.count({}, { signal: AbortSignal.abort('left') })), await waiting.call]
    })
    expect(causes).toEqual(['left', 'left the page'])
  })

  test('many operations, half of them aborted: exactly the others are done', async ({ app }) => {
    const result = await app.evaluate(async () => {
      const { codeOf, openNotes } = window.kit
      const db = openNotes('abort-many')
      const calls = Array.from({ length: 200 }, (_, i) => {
        const controller = new AbortController()
        const code = codeOf(db.notes.create({ title: `${i}` }, { signal: controller.signal }))
        return { controller, code }
      })
      for (const [i, { controller }] of calls.entries()) {
        if (i % 2 === 0) continue
        // Some in this tick, some when the message is under way.
        if (i % 3 === 0) await Promise.resolve()
        controller.abort()
      }
      const codes = await Promise.all(calls.map(({ code }) => code))
      const titles = new Set((await db.notes.list()).map(({ title }) => title))
      return codes.filter((code, i) => (code === 'ok') !== titles.has(`${i}`))
    })
    expect(result).toEqual([])
  })
})
