// Releases of an app in real tabs: who migrates, who waits, and what a reload finds.
import type { openNextRelease } from './app/kit.js'
import { expect, test } from './fixtures.js'

declare global {
  interface Window {
    next?: ReturnType<typeof openNextRelease>['db']
  }
}

test('two tabs that start a new release at once: one migrates, the other waits for it and finds it done', async ({
  openApp,
}) => {
  const [first, second] = [await openApp(), await openApp()]
  await first.evaluate(async () => {
    const db = window.kit.openNotes('releases')
    await db.notes.create({ id: 'a', title: 'first', stars: 3 })
    await db.close()
  })
  const start = async () => {
    const { db, steps } = window.kit.openNextRelease('releases', { maxWaitForOwner: 20_000 })
    const { applied } = await db.ready
    const rows = await db.notes.list({ select: ['id', 'heading', 'stars'] })
    const history = await db.migrations.history()
    await db.close()
    return { applied: applied.length, steps: steps(), rows, history: history.map(({ status }) => status) }
  }
  const ends = await Promise.all([first.evaluate(start), second.evaluate(start)])
  for (const { rows, history } of ends) {
    expect(rows).toEqual([{ id: 'a', heading: 'FIRST', stars: '3' }])
    expect(history).toEqual(['applied', 'applied'])
  }
  // Once, by whoever came first.
  expect(ends.map(({ steps }) => steps).sort()).toEqual([0, 1])
  expect(ends.map(({ applied }) => applied > 0).sort()).toEqual([false, true])
})

test('a tab that does not wait so long gets LOCKED, and nothing is migrated twice', async ({ openApp }) => {
  const [first, second] = [await openApp(), await openApp()]
  await first.evaluate(async () => {
    const old = window.kit.openNotes('locked')
    await old.notes.create({ title: 'first' })
    await old.close()
    const next = (window.next = window.kit.openNextRelease('locked').db)
    await next.notes.count()
  })
  const code = await second.evaluate(() =>
    window.kit.codeOf(window.kit.openNextRelease('locked', { maxWaitForOwner: 300 }).db.notes.count()),
  )
  expect(code).toBe('LOCKED')
  const history = await first.evaluate(async () => (await window.next!.migrations.history()).length)
  expect(history).toBe(2)
})

test('a migration of hooks and data steps survives a reload; an unchanged release then runs one statement', async ({
  openApp,
}) => {
  const page = await openApp()
  await page.evaluate(async () => {
    const old = window.kit.openNotes('reload')
    await old.notes.create({ id: 'a', title: 'first' })
    await old.close()
    await window.kit.openNextRelease('reload').db.ready
  })
  await page.reload()
  await page.waitForFunction(() => 'kit' in window)
  const seen = await page.evaluate(async () => {
    const { db, steps } = window.kit.openNextRelease('reload')
    const { applied } = await db.ready
    const { statements } = await db.metrics()
    return {
      applied,
      executed: statements.executed,
      steps: steps(),
      rows: await db.notes.list({ select: ['heading'] }),
    }
  })
  expect(seen).toEqual({ applied: [], executed: 1, steps: 0, rows: [{ heading: 'FIRST' }] })
})

test('introspect: models printed from a file, by the chunk that is loaded for it', async ({ app }) => {
  const printed = await app.evaluate(async () => {
    const db = window.kit.openNotes('printed')
    await db.notes.create({ title: 'first', stars: 1 })
    const file = await db.export()
    await db.close()
    const { code, problems } = await window.dataflowEdge.dataflow.introspect(file)
    return { code, problems: problems.filter(({ table }) => table === 'notes') }
  })
  expect(printed.problems).toEqual([])
  expect(printed.code).toMatch(/export const \w+ = model\('\w+', \{\n {2}id: /)
  expect(printed.code).toContain('title: t.text()')
  expect(printed.code).toContain('stars: t.integer().nullable()')
})
