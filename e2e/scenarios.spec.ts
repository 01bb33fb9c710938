// The four scenarios that the library is validated by, statements counted.
import { expect, test } from './shared-browser.js'

test('1: the first create makes the table, each later one runs one statement', async ({ app }) => {
  const { first, later, queries, ensure } = await app.evaluate(async () => {
    const { openNotes, statementsOf } = window.kit
    const db = openNotes('scenario-1')
    await db.ready
    const queries: string[] = []
    db.on('query', ({ sql }) => queries.push(sql.split(' ', 2).join(' ')))
    const first = await statementsOf(db, () => db.notes.create({ title: 'first' }))
    const later: { executed: number; control: number }[] = []
    for (let i = 0; i < 30; i++) later.push(await statementsOf(db, () => db.notes.create({ title: `note ${i}` })))
    return { first, later, queries, ensure: (await db.metrics()).ensure }
  })
  expect(first.executed).toBeGreaterThan(1)
  expect(later).toEqual(later.map(() => ({ executed: 1, control: 0 })))
  expect(queries).toEqual(Array(31).fill('INSERT INTO'))
  expect(ensure).toMatchObject({ hits: 30, misses: 1, checks: 1, failures: 0 })
})

test('1: read, update, delete, list and count of an ensured table run one statement each', async ({ app }) => {
  const counts = await app.evaluate(async () => {
    const { openNotes, statementsOf } = window.kit
    const db = openNotes('scenario-1-each')
    const { id } = await db.notes.create({ title: 'a' })
    const work: Record<string, () => Promise<unknown>> = {
      read: () => db.notes.read(id),
      update: () => db.notes.update(id, { title: 'b' }),
      upsert: () => db.notes.upsert({ id, title: 'c' }),
      list: () => db.notes.list({ where: { title: 'c' } }),
      first: () => db.notes.first(),
      count: () => db.notes.count(),
      delete: () => db.notes.delete(id),
    }
    const counts: Record<string, unknown> = {}
    for (const [name, run] of Object.entries(work)) counts[name] = await statementsOf(db, run)
    return counts
  })
  for (const [name, count] of Object.entries(counts)) expect(count, name).toEqual({ executed: 1, control: 0 })
})

test('1: with cacheTableChecks false every create is checked in full', async ({ app }) => {
  const { later, ensure } = await app.evaluate(async () => {
    const { openNotes, statementsOf } = window.kit
    const db = openNotes('scenario-1-uncached', { cacheTableChecks: false })
    await db.notes.create({ title: 'first' })
    const later = [
      await statementsOf(db, () => db.notes.create({ title: 'second' })),
      await statementsOf(db, () => db.notes.create({ title: 'third' })),
    ]
    return { later, ensure: (await db.metrics()).ensure }
  })
  for (const { executed } of later) expect(executed).toBeGreaterThanOrEqual(6)
  expect(ensure).toMatchObject({ hits: 0, misses: 3, checks: 3 })
})

test('2: two databases with the same model have caches, registries and tables of their own', async ({ app }) => {
  const result = await app.evaluate(async () => {
    const { openNotes } = window.kit
    const one = openNotes('scenario-2-one')
    const two = openNotes('scenario-2-two')
    await one.notes.create({ title: 'one' })
    const afterOne = { one: (await one.metrics()).ensure.misses, two: (await two.metrics()).ensure.misses }
    const statusOfTwo = await two.tableStatus('notes')
    await two.notes.create({ title: 'two' })
    await two.notes.create({ title: 'two again' })
    await one.sql`drop table notes`
    return {
      afterOne,
      statusOfTwo,
      counts: [await one.notes.count(), await two.notes.count()],
      histories: [(await one.migrations.history()).length, (await two.migrations.history()).length],
      invalidations: [(await one.metrics()).ensure.invalidations, (await two.metrics()).ensure.invalidations],
    }
  })
  expect(result).toEqual({
    afterOne: { one: 1, two: 0 },
    statusOfTwo: 'needs_creation',
    // One lost its table and made it again; two is untouched.
    counts: [0, 2],
    histories: [2, 1],
    invalidations: [1, 0],
  })
})

test('3: an unchanged model costs no DDL at the next start, a changed one is migrated with its rows', async ({
  app,
}) => {
  const ledger = () => {
    const { openNotes } = window.kit
    return openNotes('scenario-3').migrations.history()
  }
  const created = await app.evaluate(async () => {
    const db = window.kit.openNotes('scenario-3')
    const rows = [await db.notes.create({ title: 'a' }), await db.notes.create({ title: 'b', stars: 2 })]
    return { rows, history: await db.migrations.history() }
  })
  expect(created.history).toMatchObject([{ id: '000001', status: 'applied', name: 'create notes' }])

  await app.reload()
  const unchanged = await app.evaluate(async () => {
    const { openNotes, statementsOf } = window.kit
    const db = openNotes('scenario-3')
    const report = await db.ready
    const { executed: toOpen } = (await db.metrics()).statements
    const first = await statementsOf(db, () => db.notes.create({ title: 'c' }))
    return { report, toOpen, first }
  })
  expect(unchanged.report).toMatchObject({ applied: [], pending: [], cached: true })
  expect(unchanged.toOpen).toBe(1)
  expect(unchanged.first).toEqual({ executed: 1, control: 0 })

  await app.reload()
  expect(await app.evaluate(ledger)).toEqual(created.history)

  await app.reload()
  const changed = await app.evaluate(async () => {
    const { dataflow, model, t } = window.dataflowEdge
    const Note = model(
      'Note',
      { id: t.id(), title: t.text(), stars: t.integer().nullable(), mood: t.text().default('fine') },
      { indexes: [['title', 'stars']] },
    )
    const db = dataflow('scenario-3', { models: { notes: Note } })
    const status = await db.tableStatus('notes')
    const report = await db.ready
    const { history } = db.migrations
    const registry =
      await db.sql`select model_name, version, status from dataflow_model_registry where status = 'active'`
    return { status, report, rows: await db.notes.list(), history: await history(), registry }
  })
  expect(changed.status).toBe('exists')
  expect(changed.report.applied.map(({ kind }) => kind)).toEqual(['addColumn', 'createIndex'])
  expect(changed.rows).toMatchObject([
    { ...created.rows[0], mood: 'fine' },
    { ...created.rows[1], mood: 'fine' },
    { title: 'c', stars: null, mood: 'fine' },
  ])
  expect(changed.history).toMatchObject([created.history[0], { id: '000002', status: 'applied', name: 'alter notes' }])
  expect(changed.registry).toEqual([{ model_name: 'Note', version: 2, status: 'active' }])
})

test('4: raw SQL that takes the table away: the next operation makes it again', async ({ app }) => {
  const { count, ensure } = await app.evaluate(async () => {
    const db = window.kit.openNotes('scenario-4-drop')
    await db.notes.create({ title: 'a' })
    await db.sql`drop table notes`
    await db.notes.create({ title: 'b' })
    return { count: await db.notes.count(), ensure: (await db.metrics()).ensure }
  })
  expect(count).toBe(1)
  expect(ensure).toMatchObject({ invalidations: 1, checks: 2 })
})

test('4: raw SQL that adds an index: seen, checked, and everything works', async ({ app }) => {
  const { ensure, rows } = await app.evaluate(async () => {
    const db = window.kit.openNotes('scenario-4-index')
    await db.notes.create({ title: 'a' })
    await db.sql`create index by_stars on notes (stars)`
    return { rows: await db.notes.list(), ensure: (await db.metrics()).ensure }
  })
  expect(rows).toMatchObject([{ title: 'a' }])
  expect(ensure).toMatchObject({ invalidations: 1, checks: 2 })
})

test('4: raw SQL that renames a column: every operation says what is wrong, with no SQL of its own', async ({
  app,
}) => {
  const { first, second, statements, repaired } = await app.evaluate(async () => {
    const { openNotes, settled, statementsOf } = window.kit
    const db = openNotes('scenario-4-rename')
    const { id } = await db.notes.create({ title: 'a' })
    await db.sql`alter table notes rename column stars to points`
    const first = await settled(db.notes.read(id))
    let second: typeof first | undefined
    const statements = await statementsOf(db, async () => (second = await settled(db.notes.read(id))))
    await db.close()
    // No model, nothing to ensure: the way to repair by hand.
    const bare = window.dataflowEdge.dataflow('scenario-4-rename', { models: {}, existingSchema: true })
    await bare.sql`alter table notes rename column points to stars`
    await bare.close()
    return { first, second, statements, repaired: await openNotes('scenario-4-rename').notes.read(id) }
  })
  expect(first).toMatchObject({ failed: { code: 'SCHEMA_MISMATCH', message: expect.stringMatching(/Note.*stars/) } })
  expect(second).toEqual(first)
  // The circuit breaker is open.
  expect(statements).toEqual({ executed: 0, control: 0 })
  expect(repaired).toMatchObject({ title: 'a', stars: null })
})

test('4: a tab with a newer build: the older one is told, and changes nothing', async ({ app, openApp }) => {
  await app.evaluate(async () => {
    const db = window.kit.openNotes('scenario-4-builds')
    await db.notes.create({ title: 'from the old build' })
    await db.close()
  })
  const newer = await openApp()
  await newer.evaluate(async () => {
    const { dataflow, model, t } = window.dataflowEdge
    const fields = { id: t.id(), title: t.text(), stars: t.integer().nullable(), mood: t.text().nullable() }
    const db = dataflow('scenario-4-builds', { models: { notes: model('Note', fields) } })
    await db.notes.create({ title: 'from the new build', mood: 'good' })
    await db.close()
  })
  const older = await app.evaluate(async () => {
    const { openNotes, settled } = window.kit
    const db = openNotes('scenario-4-builds')
    const read = await settled(db.notes.list())
    const write = await settled(db.notes.create({ title: 'too old' }))
    await db.close()
    return { read, write }
  })
  expect(older).toMatchObject({
    read: { failed: { code: 'SCHEMA_NEWER' } },
    write: { failed: { code: 'SCHEMA_NEWER' } },
  })
  const kept = await newer.evaluate(async () => {
    const { dataflow, model, t } = window.dataflowEdge
    const fields = { id: t.id(), title: t.text(), stars: t.integer().nullable(), mood: t.text().nullable() }
    const db = dataflow('scenario-4-builds', { models: { notes: model('Note', fields) } })
    return { rows: await db.notes.list({ select: ['title', 'mood'] }), history: (await db.migrations.history()).length }
  })
  expect(kept).toEqual({
    rows: [
      { title: 'from the old build', mood: null },
      { title: 'from the new build', mood: 'good' },
    ],
    history: 2,
  })
})
