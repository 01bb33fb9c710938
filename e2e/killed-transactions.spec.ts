// The worker, the tab or the whole browser ends in each phase of a transaction: what is there afterwards is exactly what
// was before, or, once the commit was answered or its flush had completed, exactly what it made. Never in between.
import type { Page } from '@playwright/test'
import type { Content } from './app/kit.js'
import { expect, showApp, test } from './fixtures.js'

/** What the transaction makes of the notes, where nothing happens to it. */
async function notesAfter(page: Page): Promise<string> {
  return page.evaluate(async () => {
    const { changeNotes, contentOf, fillNotes, openNotes } = window.kit
    const db = openNotes('undisturbed', { storage: 'memory' })
    await fillNotes(db)
    await changeNotes(db)
    const { notes } = await contentOf(db)
    await db.close()
    return notes
  })
}

/** Nothing but the notes may be different afterwards; before, not a byte of the file. */
function whichOf(content: Content, before: Content, after: string): 'before' | 'after' | 'neither' {
  if (content.notes === after) return content.rest === before.rest ? 'after' : 'neither'
  const same = content.notes === before.notes && content.rest === before.rest && content.file === before.file
  return same ? 'before' : 'neither'
}

/** The messages of the transaction: the first release is that of the savepoint. */
const messages = 'begin run run savepoint run savepoint run rollback run commit run commit'.split(' ')

for (const when of ['sent', 'answered'] as const) {
  test(`a worker that is terminated when a message of a transaction is ${when}: each of them`, async ({ app }) => {
    test.slow()
    const after = await notesAfter(app)
    for (const nth of messages.keys()) {
      const moment = `${nth} ${messages[nth]} ${when}`
      const { sent, end, before, next, content, started } = await app.evaluate(
        async ({ nth, when, moment }) => {
          const { changeNotes, codeOf, contentOf, fillNotes, openFaulty, openNotes } = window.kit
          const { db, worker } = await openFaulty(moment)
          await fillNotes(db)
          const before = await contentOf(db)
          const first = worker.workers[0]!
          const sent: string[] = []
          let answers = 0
          const post = first.postMessage.bind(first) as (message: unknown, transfer: Transferable[]) => void
          first.postMessage = ((message: { path?: string[] }, transfer: Transferable[]) => {
            post(message, transfer)
            if (sent.push(message.path!.join('.')) === nth + 1 && when === 'sent') first.terminate()
          }) as Worker['postMessage']
          // Its listener is the first: the library has not heard of the answer.
          worker.replies.push = () => {
            if (++answers === nth + 1 && when === 'answered') first.terminate()
            return answers
          }
          const end = await codeOf(changeNotes(db))
          // The next call starts another worker, once the page has noticed.
          const next = await contentOf(db).catch(() => contentOf(db))
          await db.close()
          const again = openNotes(moment)
          const content = await contentOf(again)
          await again.close()
          return { sent, end, before, next, content, started: worker.workers.length }
        },
        { nth, when, moment },
      )
      expect([sent.slice(0, nth + 1), started], moment).toEqual([messages.slice(0, nth + 1), 2])
      const which = whichOf(content, before, after)
      expect(whichOf(next, before, after), moment).toBe(which)
      const isCommit = nth === messages.length - 1
      if (!isCommit) expect([end, which], moment).toEqual(['WORKER_CRASHED', 'before'])
      else if (when === 'answered') expect([end, which], moment).toEqual(['ok', 'after'])
      else expect(`${end} ${which}`).toMatch(/^WORKER_CRASHED (before|after)$/)
    }
  })
}

test('a worker that is terminated while the commit is under way: before its flush, in it, and when it has completed', async ({
  app,
}) => {
  const after = await notesAfter(app)
  const kills = ['before the flush', 'in the flush', 'aborted in the flush', 'flushed'] as const
  for (const kill of kills) {
    const { end, codes, before, content } = await app.evaluate(async kill => {
      const { changeNotes, codeOf, contentOf, fillNotes, openFaulty } = window.kit
      const { db, worker } = await openFaulty(`commit ${kill}`)
      await fillNotes(db)
      const before = await contentOf(db)
      const first = worker.workers[0]!
      const codes: Promise<string>[] = []
      let end: Promise<string>
      if (kill === 'before the flush') {
        // A flush is under way: the commit is made in memory, and waits for the next one.
        const flush = await worker.hold()
        codes.push(codeOf(db.notes.update('n7', { title: 'never saved either' })))
        await flush.begun
        end = codeOf(changeNotes(db))
        while (worker.calls.filter(call => call === 'commit').length < 2) await db.metrics()
        await db.metrics()
        first.terminate()
      } else if (kill === 'flushed') {
        db.on('flush', () => first.terminate())
        await db.metrics()
        end = codeOf(changeNotes(db))
      } else {
        const flush = await worker.hold()
        end = codeOf(changeNotes(db))
        await flush.begun
        if (kill === 'aborted in the flush') await worker.tell('abort')
        first.terminate()
      }
      codes.push(codeOf(db.notes.count()))
      return { end: await end, codes: await Promise.all(codes), before, content: await contentOf(db) }
    }, kill)
    const which = whichOf(content, before, after)
    if (kill === 'flushed') {
      expect(which, kill).toBe('after')
      expect(['ok', 'WORKER_CRASHED']).toContain(end)
    } else {
      expect(which, kill).toBe('before')
      expect([end, codes[0]], kill).toEqual([
        kill === 'aborted in the flush' ? expect.stringMatching(/^(STORAGE|WORKER_CRASHED)$/) : 'WORKER_CRASHED',
        expect.any(String),
      ])
    }
  }
})

test('what is left of a transaction whose worker has ended is WORKER_CRASHED, while another one is open in the next', async ({
  app,
}) => {
  const result = await app.evaluate(async () => {
    const { codeOf, openFaulty } = window.kit
    const { db, worker } = await openFaulty('left over')
    await db.notes.create({ title: 'before' })
    const codes: string[] = []
    const end = await codeOf(
      db.transaction(async tx => {
        await tx.savepoint(async inner => {
          await inner.notes.create({ title: 'inside' })
          const flying = [codeOf(inner.notes.create({ title: 'on its way' })), codeOf(db.notes.count())]
          await Promise.resolve()
          worker.workers[0]!.terminate()
          codes.push(...(await Promise.all(flying)))
          await db.transaction(async other => {
            await other.notes.create({ title: 'other' })
            codes.push(await codeOf(inner.notes.create({ title: 'late' })), await codeOf(tx.notes.count()))
          })
        })
      }),
    )
    return { end, codes, titles: (await db.notes.list()).map(note => note.title).sort() }
  })
  expect(result).toEqual({ end: 'WORKER_CRASHED', codes: Array(4).fill('WORKER_CRASHED'), titles: ['before', 'other'] })
})

const moments = ['begun', 'between writes', 'in a savepoint', 'in a savepoint of it', 'after the savepoint'] as const

test('a tab that is closed in the middle: nothing of it is there, and the tab that waits is not blocked', async ({
  openApp,
}) => {
  for (const moment of [...moments, 'in the flush'] as const) {
    const [first, second] = [await openApp(), await openApp()]
    const before = await first.evaluate(async moment => {
      const { changeNotes, contentOf, fillNotes, openFaulty } = window.kit
      const { db, worker } = await openFaulty(`tab ${moment}`)
      await fillNotes(db)
      const before = await contentOf(db)
      const flush = moment === 'in the flush' ? await worker.hold() : null
      await new Promise<void>(resolve => {
        void changeNotes(db, reached => (reached === moment ? (resolve(), new Promise(() => {})) : null))
        void flush?.begun.then(resolve)
      })
      return before
    }, moment)
    const waiting = second.evaluate(async moment => {
      const db = window.kit.openNotes(`tab ${moment}`, { maxWaitForOwner: 30_000 })
      const blocked = new Promise<void>(resolve => db.on('blocked', () => resolve()))
      const content = window.kit.contentOf(db)
      await blocked
      document.title = 'blocked'
      return content
    }, moment)
    await second.waitForFunction(() => document.title === 'blocked')
    await first.close()
    expect(await waiting, moment).toEqual(before)
    await second.close()
  }
})

for (const moment of [...moments, 'in the flush', 'answered'] as const) {
  test(`the browser is killed with SIGKILL: ${moment}`, async ({ browserProcess, appServer }) => {
    const first = await browserProcess()
    const page = await showApp(await first.context.newPage(), appServer)
    const after = await notesAfter(page)
    const before = await page.evaluate(async moment => {
      const { changeNotes, contentOf, fillNotes, openFaulty } = window.kit
      const { db, worker } = await openFaulty('sigkill')
      await fillNotes(db)
      const before = await contentOf(db)
      const flush = moment === 'in the flush' ? await worker.hold() : null
      const stopped = new Promise<void>((resolve, reject) => {
        const end = changeNotes(db, reached => (reached === moment ? (resolve(), new Promise(() => {})) : null))
        end.then(() => resolve(), reject)
        void flush?.begun.then(resolve)
      })
      await stopped
      return before
    }, moment)
    await first.kill()
    const second = await browserProcess()
    const again = await showApp(await second.context.newPage(), appServer)
    const content = await again.evaluate(async () => window.kit.contentOf(window.kit.openNotes('sigkill')))
    expect(whichOf(content, before, after)).toBe(moment === 'answered' ? 'after' : 'before')
  })
}
