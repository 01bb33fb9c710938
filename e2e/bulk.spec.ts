// Many rows in a real browser: a file larger than what is held of it, and a page that runs meanwhile.
import { expect, test } from './shared-browser.js'

test('a file of 100 MB is read as it is written, piece by piece', async ({ app }) => {
  const result = await app.evaluate(async () => {
    const { dataflow, model, t } = window.dataflowEdge
    const Line = model('Line', { id: t.autoId(), n: t.integer(), text: t.text() })
    const db = dataflow('bulk-file', { models: { lines: Line }, storage: 'memory' })
    await db.lines.count()
    const text = 'x'.repeat(1000)
    const encoder = new TextEncoder()
    let made = 0
    let ahead = 0
    let read = 0
    const size = 100_000
    const file = new ReadableStream<Uint8Array>({
      pull(controller) {
        if (made === size) return controller.close()
        let piece = made === 0 ? 'n,text\n' : ''
        for (let i = 0; i < 100; i++, made++) piece += `${made},${text}\n`
        controller.enqueue(encoder.encode(piece))
        ahead = Math.max(ahead, made - read)
      },
    })
    let bytes = 0
    const { calls } = (await db.metrics()).rpc
    const { count } = await db.importRows('lines', file, {
      onProgress(progress) {
        read = progress.rows
        bytes = progress.bytes!
      },
    })
    const messages = (await db.metrics()).rpc.calls - calls
    const [{ total }] = (await db.sql<{ total: number }>`select sum(n) total from lines`) as [{ total: number }]
    await db.close()
    return { count, ahead, bytes, messages, total }
  })
  expect(result).toMatchObject({ count: 100_000, messages: 10, total: (100_000 * 99_999) / 2 })
  expect(result.bytes).toBeGreaterThan(100_000_000)
  // Two chunks, and what the stream itself holds.
  expect(result.ahead).toBeLessThanOrEqual(20_300)
})

test('the page gets its turn while a large array is encoded', async ({ app }) => {
  const { turns, count } = await app.evaluate(async () => {
    const { dataflow, model, t } = window.dataflowEdge
    const Line = model('Line', { id: t.autoId(), n: t.integer(), json: t.json() })
    const db = dataflow('bulk-array', { models: { lines: Line }, storage: 'memory' })
    await db.lines.count()
    const rows = Array.from({ length: 50_000 }, (_, n) => ({ n, json: { n, list: [n, n + 1, { deep: true }] } }))
    let encoding = true
    let turns = 0
    const beat = (): void => {
      if (!encoding) return
      turns++
      setTimeout(beat, 0)
    }
    setTimeout(beat, 0)
    const writing = db.lines.bulkCreate(rows, {
      onProgress: ({ rows: done, total }) => {
        if (done + 5000 > total!) encoding = false
      },
    })
    const { count } = await writing
    await db.close()
    return { turns, count }
  })
  expect(count).toBe(50_000)
  expect(turns).toBeGreaterThan(3)
})
