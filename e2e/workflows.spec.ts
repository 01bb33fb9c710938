// Workflows in a real browser: one message, saved when they resolve, aborted and failed as a whole.
import { expect, test } from './shared-browser.js'

test('A workflow is one message; a resolved one is there after a reload', async ({ app }) => {
  const made = await app.evaluate(async () => {
    const { Note, openNotes } = window.kit
    const { workflow } = window.dataflowEdge
    const db = openNotes('workflow-reload')
    await db.ensure()
    const wf = workflow<{ titles: string[] }>('notes')
      .forEach(
        'notes',
        ({ input }) => input.titles,
        ({ item }) => Note.create({ title: item }),
      )
      .node('starred', ({ notes }) => Note.update(notes.at(1).id, { stars: notes.length }))
      .node('count', () => Note.count())
    const calls = (await db.metrics()).rpc.calls
    const results = await db.execute(wf, { titles: ['a', 'b', 'c'] })
    const messages = (await db.metrics()).rpc.calls - calls
    return { messages, results }
  })
  expect(made.messages).toBe(1)
  expect(made.results).toMatchObject({ count: 3, starred: { title: 'b', stars: 3 } })
  await app.reload()
  const there = await app.evaluate(() =>
    window.kit.openNotes('workflow-reload').notes.list({ orderBy: { title: 'asc' } }),
  )
  expect(there.map(note => note.stars)).toEqual([null, 3, null])
})

test('Built ones cross as JSON, in transactions too; an abort before it began leaves nothing', async ({ app }) => {
  const result = await app.evaluate(async () => {
    const { codeOf, openNotes } = window.kit
    const { WorkflowBuilder } = window.dataflowEdge
    const db = openNotes('workflow-built')
    const built = new WorkflowBuilder(db)
      .addNode('NoteCreateNode', 'note', { title: 'built' })
      .addNode('NoteReadNode', 'read')
      .addConnection('note', 'id', 'read', 'id')
      .build()
    const copy = JSON.parse(JSON.stringify(built)) as typeof built
    const { results } = await db.execute(copy)
    const inside = await db.transaction(async tx => (await tx.execute(copy)).results.read.found as boolean)
    const undone = await codeOf(
      db.transaction(async tx => {
        await tx.execute(copy)
        throw new Error('no')
      }),
    )
    const controller = new AbortController()
    const aborted = codeOf(db.execute(copy, { signal: controller.signal }))
    controller.abort()
    return {
      found: results.read.found as boolean,
      inside,
      undone,
      aborted: await aborted,
      count: await db.notes.count(),
    }
  })
  expect(result).toEqual({ found: true, inside: true, undone: 'not ours', aborted: 'ABORTED', count: 2 })
})

test('A flush that fails takes the whole workflow back', async ({ app }) => {
  const result = await app.evaluate(async () => {
    const { codeOf, Note, openFaulty } = window.kit
    const { workflow } = window.dataflowEdge
    const { db, worker } = await openFaulty('workflow-flush')
    await db.notes.create({ title: 'before' })
    const wf = workflow('two')
      .node('a', () => Note.create({ title: 'a' }))
      .node('b', ({ a }) => Note.create({ title: a.id }))
    await worker.tell('refuse')
    const code = await codeOf(db.execute(wf))
    return {
      code,
      titles: (await db.notes.list()).map(note => note.title),
      again: (await db.execute(wf)).b.title !== '',
    }
  })
  expect(result).toEqual({ code: 'STORAGE_FULL', titles: ['before'], again: true })
})
