// 12: what "resolved" promises. The browser is a real one, killed with everything it has.
import type { Page } from '@playwright/test'
import type { BrowserProcess } from './browser-process.js'
import { expect, showApp, test } from './fixtures.js'
import type { Server } from './server.js'

/** Runs `write` in a browser, kills it in the moment that resolves, and counts what another browser finds. */
async function countAfterKill(
  browserProcess: () => Promise<BrowserProcess>,
  appServer: Server,
  write: () => Promise<unknown>,
): Promise<number> {
  const first = await browserProcess()
  const page = await showApp(await first.context.newPage(), appServer)
  await page.evaluate(write)
  await first.kill()
  const second = await browserProcess()
  return countNotes(await showApp(await second.context.newPage(), appServer))
}

const countNotes = (page: Page) => page.evaluate(() => window.kit.openNotes('durable').notes.count())

test('12: SIGKILL right after an awaited write: it is there', async ({ browserProcess, appServer }) => {
  const write = () => window.kit.openNotes('durable').notes.create({ title: 'a' })
  expect(await countAfterKill(browserProcess, appServer, write)).toBe(1)
})

test('12: SIGKILL right after 1000 writes at once: all are there', async ({ browserProcess, appServer }) => {
  const write = async () => {
    const db = window.kit.openNotes('durable')
    await Promise.all(Array.from({ length: 1000 }, (_, i) => db.notes.create({ title: `${i}` })))
  }
  expect(await countAfterKill(browserProcess, appServer, write)).toBe(1000)
})

test('12: SIGKILL right after a strict write: it is there', async ({ browserProcess, appServer }) => {
  const write = () => window.kit.openNotes('durable', { durability: 'strict' }).notes.create({ title: 'a' })
  expect(await countAfterKill(browserProcess, appServer, write)).toBe(1)
})

test('12: SIGKILL right after a transaction: it is there as a whole', async ({ browserProcess, appServer }) => {
  const write = () =>
    window.kit.openNotes('durable').transaction(async tx => {
      for (let i = 0; i < 5; i++) await tx.notes.create({ title: `${i}` })
    })
  expect(await countAfterKill(browserProcess, appServer, write)).toBe(5)
})

test('12: SIGKILL after deferred writes and flush(): they are there', async ({ browserProcess, appServer }) => {
  const write = async () => {
    const db = window.kit.openNotes('durable', { durability: 'deferred' })
    for (let i = 0; i < 50; i++) await db.notes.create({ title: `${i}` })
    await db.flush()
  }
  expect(await countAfterKill(browserProcess, appServer, write)).toBe(50)
})

test('12: SIGKILL after close(): what was deferred is there', async ({ browserProcess, appServer }) => {
  const write = async () => {
    const db = window.kit.openNotes('durable', { durability: 'deferred' })
    await db.notes.create({ title: 'a' })
    await db.close()
  }
  expect(await countAfterKill(browserProcess, appServer, write)).toBe(1)
})

test('12: SIGKILL in the middle of many writes: exactly whole messages, at least every answered one', async ({
  browserProcess,
  appServer,
}) => {
  const first = await browserProcess()
  const page = await showApp(await first.context.newPage(), appServer)
  let answered = 0
  let killed: Promise<void> | undefined
  await page.exposeFunction('answered', (count: number) => {
    answered = count
    if (count === 20) killed = first.kill()
  })
  // Ends when the browser does.
  const writing = page
    .evaluate(async () => {
      const { answered } = window as unknown as { answered: (count: number) => Promise<void> }
      const db = window.kit.openNotes('durable')
      for (let count = 1; ; count++) {
        await db.batch([
          window.kit.Note.create({ title: `${count} a` }),
          window.kit.Note.create({ title: `${count} b` }),
        ])
        void answered(count)
      }
    })
    .catch(() => {})
  await writing
  await killed
  const second = await browserProcess()
  const count = await countNotes(await showApp(await second.context.newPage(), appServer))
  expect(answered).toBeGreaterThanOrEqual(20)
  expect(count).toBeGreaterThanOrEqual(2 * answered)
  expect(count % 2).toBe(0)
})

/** Ten deferred writes that nothing but leaving the page saves. */
const deferAndLeaveSlowly = async () => {
  const { db, worker } = await window.kit.openFaulty('durable', { durability: 'deferred' })
  await db.ensure()
  await worker.tell('stopTimers')
  for (let i = 0; i < 10; i++) await db.notes.create({ title: `${i}` })
  // The worker dies with its page, at some moment after this event. Here it has the time that an app's own work gives.
  addEventListener('pagehide', () => {
    const end = performance.now() + 300
    while (performance.now() < end);
  })
  return (await db.metrics()).flush.pending
}

test('12: deferred writes are saved when the tab is closed', async ({ app, openApp }) => {
  expect(await app.evaluate(deferAndLeaveSlowly)).toBe(10)
  await app.close()
  expect(await countNotes(await openApp())).toBe(10)
})

test('12: deferred writes are saved when the page is reloaded', async ({ app }) => {
  expect(await app.evaluate(deferAndLeaveSlowly)).toBe(10)
  await app.reload()
  expect(await countNotes(app)).toBe(10)
})

test('12: deferred writes are saved when the page is left for another one', async ({ app, openApp }) => {
  expect(await app.evaluate(deferAndLeaveSlowly)).toBe(10)
  await app.goto('about:blank')
  expect(await countNotes(await openApp())).toBe(10)
})

test('12: the durability that was asked for reaches IndexedDB; a flush takes the strictest', async ({ app }) => {
  const result = await app.evaluate(async () => {
    const { openFaulty } = window.kit
    const { db, worker } = await openFaulty('levels')
    const { Note } = window.kit
    await db.notes.create({ title: 'table' })
    const levelsOf = async (work: () => Promise<unknown>): Promise<string[]> => {
      await db.flush()
      // An answer over the same channel: everything told before it has arrived.
      await worker.tell('release')
      worker.durabilities.length = 0
      await work()
      await db.flush()
      await worker.tell('release')
      return [...worker.durabilities]
    }
    return {
      relaxed: await levelsOf(() => db.notes.create({ title: 'a' })),
      strict: await levelsOf(() => db.notes.create({ title: 'a' }, { durability: 'strict' })),
      strictBatch: await levelsOf(() => db.batch([Note.create({ title: 'a' })], { durability: 'strict' })),
      strictTransaction: await levelsOf(() =>
        db.transaction(tx => tx.notes.create({ title: 'a' }), { durability: 'strict' }),
      ),
      deferred: await levelsOf(() => db.notes.create({ title: 'a' }, { durability: 'deferred' })),
      together: await levelsOf(() =>
        Promise.all([
          db.notes.create({ title: 'a' }, { durability: 'deferred' }),
          db.notes.create({ title: 'b' }),
          db.notes.create({ title: 'c' }, { durability: 'strict' }),
        ]),
      ),
    }
  })
  expect(result).toEqual({
    relaxed: ['relaxed'],
    strict: ['strict'],
    strictBatch: ['strict'],
    strictTransaction: ['strict'],
    deferred: ['relaxed'],
    together: ['strict'],
  })
})

test("12: a database that is 'strict' is made and migrated strictly", async ({ app }) => {
  const levels = await app.evaluate(async () => {
    const { db, worker } = await window.kit.openFaulty('strict', { durability: 'strict' })
    await db.notes.create({ title: 'a' })
    await worker.tell('release')
    return worker.durabilities
  })
  // Taking the database over stands before anything that is promised.
  expect(levels.slice(1).length).toBeGreaterThan(0)
  expect(new Set(levels.slice(1))).toEqual(new Set(['strict']))
})
