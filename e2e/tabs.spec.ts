// One owner per database: another tab waits, is told, gives up or takes over; nothing hangs.
import type { BrowserProcess } from './browser-process.js'
import { expect, test } from './fixtures.js'

/** Opens the database in this tab and keeps it. */
const own = async () => {
  const db = window.kit.openNotes('owned')
  await db.notes.create({ title: 'of the owner' })
}

/** Opens it in another tab, where `blocked` can be waited for. */
const want = async (options: { maxWaitForOwner?: number }) => {
  const db = window.kit.openNotes('owned', options)
  const start = performance.now()
  const blocked = new Promise<{ waitedMs: number }>(resolve => db.on('blocked', resolve))
  const end = window.kit.settled(db.notes.count())
  return { db, start, blocked, end }
}

test('27: a second tab is told after 250 ms that it is blocked, and after maxWaitForOwner LOCKED', async ({
  app,
  openApp,
}) => {
  await app.evaluate(own)
  const second = await openApp()
  const wanting = await second.evaluateHandle(want, { maxWaitForOwner: 600 })
  const result = await wanting.evaluate(async ({ blocked, end, start }) => {
    const { waitedMs } = await blocked
    const blockedAfter = performance.now() - start
    return { waitedMs, blockedAfter, end: await end, lockedAfter: performance.now() - start }
  })
  expect(result.waitedMs).toBeGreaterThan(240)
  expect(result.blockedAfter).toBeGreaterThan(240)
  expect(result.lockedAfter).toBeGreaterThan(590)
  expect(result.end).toMatchObject({
    failed: { code: 'LOCKED', retryable: true, hint: expect.stringContaining('maxWaitForOwner') },
  })
  // The same database again, once the owner has gone.
  await app.close()
  expect(await wanting.evaluate(({ db }) => window.kit.settled(db.notes.count()))).toEqual({ ok: 1 })
})

test('27: without maxWaitForOwner it gives up after five seconds', async ({ app, openApp }) => {
  await app.evaluate(own)
  const second = await openApp()
  const wanting = await second.evaluateHandle(want, {})
  const { end, after } = await wanting.evaluate(async ({ end, start }) => ({
    end: await end,
    after: performance.now() - start,
  }))
  expect(end).toMatchObject({ failed: { code: 'LOCKED' } })
  expect(after).toBeGreaterThan(4990)
})

test('a second tab goes on when the first closes the database', async ({ app, openApp }) => {
  const first = await app.evaluateHandle(async () => {
    const db = window.kit.openNotes('owned')
    await db.notes.create({ title: 'of the owner' })
    return { db }
  })
  const second = await openApp()
  const wanting = await second.evaluateHandle(want, { maxWaitForOwner: 30_000 })
  await wanting.evaluate(async ({ blocked }) => void (await blocked))
  await first.evaluate(({ db }) => db.close())
  expect(await wanting.evaluate(({ end }) => end)).toEqual({ ok: 1 })
})

for (const how of ['is closed', 'navigates away', 'crashes'] as const) {
  test(`a second tab goes on when the first ${how}`, async ({ app, openApp, context }) => {
    await app.evaluate(own)
    const second = await openApp()
    const wanting = await second.evaluateHandle(want, { maxWaitForOwner: 30_000 })
    await wanting.evaluate(async ({ blocked }) => void (await blocked))
    if (how === 'is closed') await app.close()
    if (how === 'navigates away') await app.goto('about:blank')
    if (how === 'crashes') {
      const devtools = await context.newCDPSession(app)
      const crashed = app.waitForEvent('crash')
      // It has no answer: who would give it?
      devtools.send('Page.crash').catch(() => {})
      await crashed
    }
    expect(await wanting.evaluate(({ end }) => end)).toEqual({ ok: 1 })
  })
}

test('a second tab goes on when the worker of the first is terminated', async ({ app, openApp }) => {
  const first = await app.evaluateHandle(async () => {
    const { db, worker } = await window.kit.openFaulty('owned')
    await db.notes.create({ title: 'of the owner' })
    return { db, worker }
  })
  const second = await openApp()
  const wanting = await second.evaluateHandle(want, { maxWaitForOwner: 30_000 })
  await wanting.evaluate(async ({ blocked }) => void (await blocked))
  await first.evaluate(({ worker }) => worker.workers[0]!.terminate())
  expect(await wanting.evaluate(({ end }) => end)).toEqual({ ok: 1 })
  // The first one's next call starts a worker, which now waits for the second.
  const back = first.evaluate(({ db }) => window.kit.settled(db.notes.count()))
  await wanting.evaluate(({ db }) => db.close())
  expect(await back).toEqual({ ok: 1 })
})

test('19: a tab that dies inside a transaction leaves nothing of it', async ({ app, openApp }) => {
  await app.evaluate(async () => {
    const db = window.kit.openNotes('owned')
    await db.notes.create({ title: 'before' })
    await new Promise<void>(resolve => {
      void db.transaction(async tx => {
        await tx.notes.create({ title: 'inside' })
        await tx.sql`update notes set title = 'changed inside'`
        resolve()
        await new Promise(() => {})
      })
    })
  })
  const second = await openApp()
  const wanting = await second.evaluateHandle(want, { maxWaitForOwner: 30_000 })
  await wanting.evaluate(async ({ blocked }) => void (await blocked))
  await app.close()
  expect(await wanting.evaluate(({ end }) => end)).toEqual({ ok: 1 })
  expect(await wanting.evaluate(({ db }) => db.notes.list({ select: ['title'] }))).toEqual([{ title: 'before' }])
})

test('three tabs that want it take turns; nobody is left out', async ({ app, openApp }) => {
  const turn = () =>
    window.kit.settled(
      (async () => {
        const db = window.kit.openNotes('turns', { maxWaitForOwner: 30_000 })
        await db.notes.create({ title: 'a' })
        const count = await db.notes.count()
        await db.close()
        return count
      })(),
    )
  const tabs = [app, await openApp(), await openApp()]
  const ends = await Promise.all(tabs.map(tab => tab.evaluate(turn)))
  expect(ends).toHaveLength(3)
  expect(ends).toEqual(expect.arrayContaining([{ ok: 1 }, { ok: 2 }, { ok: 3 }]))
})

test("storage: 'memory' takes no lock, shares nothing and keeps nothing", async ({ app, openApp }) => {
  const count = async () => {
    const db = window.kit.openNotes('in-memory', { storage: 'memory' })
    await db.notes.create({ title: 'a' })
    const { held } = await navigator.locks.query()
    const databases = (await indexedDB.databases()).map(({ name }) => name)
    return {
      count: await db.notes.count(),
      owned: held!.some(({ name }) => name === 'dataflow:in-memory'),
      saved: databases.includes('dataflow:in-memory'),
    }
  }
  const expected = { count: 1, owned: false, saved: false }
  expect(await app.evaluate(count)).toEqual(expected)
  expect(await app.evaluate(count)).toEqual(expected)
  expect(await (await openApp()).evaluate(count)).toEqual(expected)
})

test('two databases of one page with the same model names share nothing', async ({ app }) => {
  const result = await app.evaluate(async () => {
    const { dataflow, model, t } = window.dataflowEdge
    const one = dataflow('one', { models: { notes: model('Note', { id: t.id(), title: t.text() }) } })
    const two = dataflow('two', { models: { notes: model('Note', { id: t.autoId(), body: t.json() }) } })
    await Promise.all([one.notes.create({ id: 'x', title: 'text' }), two.notes.create({ body: { a: 1 } })])
    const rows = [await one.notes.list(), await two.notes.list()]
    await one.close()
    const { held } = await navigator.locks.query()
    const owned = held!.map(({ name }) => name).filter(name => name?.startsWith('dataflow:'))
    return { rows, owned, two: await two.notes.count() }
  })
  expect(result).toEqual({
    rows: [[{ id: 'x', title: 'text' }], [{ id: 1, body: { a: 1 } }]],
    owned: ['dataflow:two'],
    two: 1,
  })
})

test('the same database twice in one page: the second waits as another tab would', async ({ app }) => {
  const result = await app.evaluate(async () => {
    const { codeOf, openNotes } = window.kit
    const one = openNotes('twice')
    await one.notes.create({ title: 'a' })
    const two = openNotes('twice', { maxWaitForOwner: 100 })
    const locked = await codeOf(two.notes.count())
    await one.close()
    return { locked, afterwards: await two.notes.count() }
  })
  expect(result).toEqual({ locked: 'LOCKED', afterwards: 1 })
})

test('a worker whose lock is stolen soon writes no more, says so, and what it said it had written is there', async ({
  app,
}) => {
  const result = await app.evaluate(async () => {
    const db = window.kit.openNotes('owned')
    await db.notes.create({ title: 'of the owner' })
    const release = await new Promise<() => void>(granted => {
      const hold = () => new Promise<void>(release => granted(release))
      void navigator.locks.request('dataflow:owned', { steal: true }, hold)
    })
    // The worker hears of it on its own thread: a call or two may come before.
    let written = 1
    let end = await window.kit.settled(db.notes.create({ title: 'late' }))
    for (; 'ok' in end; written++) end = await window.kit.settled(db.notes.create({ title: 'late' }))
    await db.close().catch(() => {})
    release()
    const again = window.kit.openNotes('owned')
    return { end, lost: written - (await again.notes.count()) }
  })
  expect(result).toMatchObject({
    end: { failed: { code: 'STORAGE', hint: expect.stringContaining('reload') } },
    lost: 0,
  })
})

/** A browser with its back/forward cache, which Playwright's own launch switches off, and pages of the test app. */
async function withCache(browserProcess: () => Promise<BrowserProcess>, url: string) {
  const { context } = await browserProcess()
  const open = async () => {
    const page = await context.newPage()
    await page.goto(url)
    await page.waitForFunction(() => 'kit' in window)
    return page
  }
  return { context, open }
}

/** 10 000 writes, 50 at a time, that are tried again at once when they are rejected. */
const writeMuch = async (name: string) => {
  localStorage.clear()
  globalThis.addEventListener('pageshow', () => localStorage.setItem('shown', 'again'))
  const db = window.kit.openNotes(name)
  await db.notes.create({ title: 'kept' })
  let rejected = 0
  const write = (): Promise<unknown> => db.notes.create({ title: 'written' }).catch(() => (rejected++, write()))
  const lane = async () => {
    for (let i = 0; i < 200; i++) await write()
  }
  void Promise.all(Array.from({ length: 50 }, lane)).then(async () => {
    localStorage.setItem('rejected', String(rejected))
    localStorage.setItem('counted', String(await db.notes.count()))
    await db.close()
  })
}

test('a page in the back/forward cache gives the database to the next tab', async ({ browserProcess, appServer }) => {
  const { open } = await withCache(browserProcess, appServer.url)
  const [first, second] = [await open(), await open()]
  // The worker is in the middle of something when the page is left.
  await first.evaluate(writeMuch, 'aside')
  await first.goto('about:blank')
  const titles = await second.evaluate(async () => {
    const db = window.kit.openNotes('aside', { maxWaitForOwner: 10_000 })
    const notes = await db.notes.list({ orderBy: { title: 'asc' } })
    await db.notes.create({ title: 'of the second' })
    await db.close()
    return notes.map(note => note.title)
  })
  expect(titles[0]).toBe('kept')
})

test('a page out of the back/forward cache goes on: what was not answered is made again', async ({
  browserProcess,
  appServer,
}) => {
  const { context, open } = await withCache(browserProcess, appServer.url)
  const second = await open()
  /** Null when the browser did not keep the page, as it may. */
  const leaveAndReturn = async (name: string) => {
    const first = await open()
    await first.evaluate(writeMuch, name)
    await first.goto('about:blank')
    // Playwright's goBack() waits for a load that a page out of that cache never has.
    const protocol = await context.newCDPSession(first)
    const { currentIndex, entries } = await protocol.send('Page.getNavigationHistory')
    const loaded = first.waitForEvent('load').then(() => 'loaded')
    loaded.catch(() => {}) // the page is closed first
    await protocol.send('Page.navigateToHistoryEntry', { entryId: entries[currentIndex - 1]!.id })
    const shown = second.waitForFunction(() => localStorage.getItem('shown')).then(() => 'shown')
    shown.catch(() => {}) // the test ends first
    if ((await Promise.race([loaded, shown])) === 'loaded') return null
    await second.waitForFunction(() => localStorage.getItem('counted') !== null)
    const read = () => ['counted', 'rejected'].map(key => Number(localStorage[key])) as [number, number]
    const [counted, rejected] = await second.evaluate(read)
    await first.close()
    return { counted, rejected }
  }
  let report = null
  for (let attempt = 1; !report && attempt <= 8; attempt++) report = await leaveAndReturn(`aside ${attempt}`)
  const { counted, rejected } = report!
  expect(counted).toBeGreaterThanOrEqual(10_001)
  expect(counted).toBeLessThanOrEqual(10_001 + rejected)
})
