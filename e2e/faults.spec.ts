// What a browser can do to an open database from outside: close its connection, delete what is saved.
import { expect, test } from './shared-browser.js'

for (const how of ['disconnect', 'disconnectSilently'] as const) {
  test(`the connection to IndexedDB is closed (${how}): the next write opens another one, nothing is lost`, async ({
    app,
  }) => {
    const result = await app.evaluate(async how => {
      const { openFaulty, openNotes, settled } = window.kit
      const { db, worker } = await openFaulty('closed')
      await db.notes.create({ title: 'before' })
      await worker.tell(how)
      const during = await Promise.all(['a', 'b'].map(title => settled(db.notes.create({ title }))))
      const after = await settled(db.notes.create({ title: 'after' }))
      const [check] = await db.sql<{ integrity_check: string }>`PRAGMA integrity_check`
      await db.close()
      const again = openNotes('closed')
      const titles = (await again.notes.list({ orderBy: { title: 'asc' } })).map(note => note.title)
      await again.close()
      return { during, after, check: check!.integrity_check, titles }
    }, how)
    expect(result.after).toMatchObject({ ok: { title: 'after' } })
    expect(result.check).toBe('ok')
    // A write that was rejected is not there, one that resolved is.
    const resolved = result.during.flatMap(end => ('ok' in end ? [end.ok.title] : []))
    expect(result.titles).toEqual([...resolved, 'after', 'before'].sort())
  })
}

test('the connection is closed while a flush is under way that the browser then aborts: rejected, taken back, and on it goes', async ({
  app,
}) => {
  const result = await app.evaluate(async () => {
    const { openFaulty, settled } = window.kit
    const { db, worker } = await openFaulty('closed-in-flush')
    await db.notes.create({ title: 'before' })
    const flush = await worker.hold()
    const late = settled(db.notes.create({ title: 'late' }))
    await flush.begun
    await worker.tell('abort')
    await worker.tell('disconnect')
    const end = await late
    const memory = (await db.notes.list()).map(note => note.title)
    const after = await settled(db.notes.create({ title: 'after' }))
    return { end, memory, after }
  })
  expect(result.end).toMatchObject({ failed: { code: 'STORAGE', retryable: true } })
  expect(result.memory).toEqual(['before'])
  expect(result.after).toMatchObject({ ok: { title: 'after' } })
})

test('the site data is cleared while it is open: STORAGE for what is pending and for every later call; then a new, empty one', async ({
  app,
  sharedBrowser,
}) => {
  const holding = await app.evaluateHandle(async () => {
    const { openFaulty, settled } = window.kit
    const { db, worker } = await openFaulty('cleared')
    await db.notes.create({ title: 'gone' })
    const errors: string[] = []
    db.on('error', error => errors.push(error.code))
    const flush = await worker.hold()
    const pending = settled(db.notes.create({ title: 'pending' }))
    await flush.begun
    return { db, pending, errors, settled }
  })
  const { origin } = new URL(app.url())
  await sharedBrowser.devtools.send('Storage.clearDataForOrigin', { origin, storageTypes: 'indexeddb' })
  const result = await holding.evaluate(async ({ db, pending, errors, settled }) => {
    const first = await pending
    const write = await settled(db.notes.create({ title: 'later' }))
    const read = await settled(db.notes.count())
    // Another one: the lock is free again.
    const again = window.kit.openNotes('cleared')
    const count = await again.notes.count()
    const created = await settled(again.notes.create({ title: 'new' }))
    await again.close()
    return { first, write, read, count, created, errors }
  })
  for (const end of [result.first, result.write, result.read])
    expect(end).toMatchObject({ failed: { code: 'STORAGE' } })
  expect(result.errors).toEqual(['STORAGE'])
  expect(result.count).toBe(0)
  expect(result.created).toMatchObject({ ok: { title: 'new' } })
})

test('the site data is cleared while nothing is under way: reads do not go on as if it were there', async ({
  app,
  sharedBrowser,
}) => {
  const opened = await app.evaluateHandle(async () => {
    const db = window.kit.openNotes('cleared-idle')
    await db.notes.create({ title: 'gone' })
    const told = new Promise<string>(resolve => db.on('error', error => resolve(error.code)))
    await db.notes.count()
    return { db, told }
  })
  const { origin } = new URL(app.url())
  await sharedBrowser.devtools.send('Storage.clearDataForOrigin', { origin, storageTypes: 'indexeddb' })
  const result = await opened.evaluate(async ({ db, told }) => ({
    told: await told,
    read: await window.kit.settled(db.notes.count()),
  }))
  expect(result).toMatchObject({ told: 'STORAGE', read: { failed: { code: 'STORAGE' } } })
})
