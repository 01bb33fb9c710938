// Whatever wrote it: after a reload it is there, value by value and type by type.
import type { Page } from '@playwright/test'
import { expect, test } from './shared-browser.js'

/** Runs `write` in the page, then compares everything with what another load of the page finds. */
async function survivesReload(app: Page, write: () => Promise<string>): Promise<void> {
  const before = await app.evaluate(write)
  await app.reload()
  const after = await app.evaluate(async () => {
    const db = window.dataflowEdge.dataflow('reload', { models: { things: window.kit.Thing } })
    return window.kit.exact(await db.things.list())
  })
  expect(after).toBe(before)
}

const writes: Record<string, () => Promise<string>> = {
  create: async () => {
    const db = window.dataflowEdge.dataflow('reload', { models: { things: window.kit.Thing } })
    const things = [
      await db.things.create({ text: '' }),
      await db.things.create({
        text: 'emoji \u{1F468}\u200D\u{1F469}\u200D\u{1F466}, NUL \0, "quotes", \u2028',
        choice: 'two',
        whole: Number.MIN_SAFE_INTEGER,
        big: 2n ** 63n - 1n,
        real: 0.1 + 0.2,
        yes: false,
        when: new Date(-1),
        text_when: new Date('2026-02-28T23:59:59.999Z'),
        json: { b: [1, null, { deep: true }], a: 'text', 1: -0.5 },
        bytes: new Uint8Array([0, 255, 128]),
      }),
      await db.things.create({
        text: 'x'.repeat(1 << 20),
        whole: 2 ** 31,
        big: -(2n ** 63n),
        real: Infinity,
        json: [],
        bytes: Uint8Array.from({ length: 300_000 }, (_, i) => i % 251),
      }),
    ]
    return window.kit.exact(things)
  },
  update: async () => {
    const db = window.dataflowEdge.dataflow('reload', { models: { things: window.kit.Thing } })
    const { id } = await db.things.create({ text: 'a', whole: 1, bytes: new Uint8Array(3) })
    const patch = { whole: { $inc: 41 }, big: 2n ** 53n + 1n, bytes: null, when: new Date(0), json: 'text' } as const
    const row = await db.things.update(id, patch)
    if (row.whole !== 42 || row.version !== 2) throw new Error('not updated')
    return window.kit.exact([row])
  },
  delete: async () => {
    const db = window.dataflowEdge.dataflow('reload', { models: { things: window.kit.Thing } })
    const { id } = await db.things.create({ text: 'goes' })
    const stays = await db.things.create({ text: 'stays' })
    if (!(await db.things.delete(id))) throw new Error('not deleted')
    return window.kit.exact([stays])
  },
  upsert: async () => {
    const db = window.dataflowEdge.dataflow('reload', { models: { things: window.kit.Thing } })
    const made = await db.things.upsert({ text: 'a', whole: 1 }, { on: 'text' })
    const changed = await db.things.upsert({ text: 'a', whole: 2 }, { on: 'text' })
    if (made.id !== changed.id) throw new Error('not the same row')
    return window.kit.exact([changed])
  },
  bulkCreate: async () => {
    const db = window.dataflowEdge.dataflow('reload', { models: { things: window.kit.Thing } })
    const rows = Array.from({ length: 2000 }, (_, i) => ({ text: `${i}`, big: BigInt(i) ** 5n, when: new Date(i) }))
    const { count } = await db.things.bulkCreate(rows)
    if (count !== 2000) throw new Error('not all')
    return window.kit.exact(await db.things.list())
  },
  bulkUpdate: async () => {
    const db = window.dataflowEdge.dataflow('reload', { models: { things: window.kit.Thing } })
    await db.things.bulkCreate(Array.from({ length: 100 }, (_, i) => ({ text: `${i}`, whole: i })))
    const { count } = await db.things.bulkUpdate({ where: { whole: { $lt: 50 } }, set: { yes: false } })
    if (count !== 50) throw new Error('not half')
    return window.kit.exact(await db.things.list())
  },
  bulkUpsert: async () => {
    const db = window.dataflowEdge.dataflow('reload', { models: { things: window.kit.Thing } })
    await db.things.create({ text: '7', whole: -7 })
    const rows = Array.from({ length: 10 }, (_, i) => ({ text: `${i}`, whole: i }))
    await db.things.bulkUpsert(rows, { on: 'text' })
    return window.kit.exact(await db.things.list())
  },
  bulkDelete: async () => {
    const db = window.dataflowEdge.dataflow('reload', { models: { things: window.kit.Thing } })
    await db.things.bulkCreate(Array.from({ length: 100 }, (_, i) => ({ text: `${i}`, whole: i })))
    const { count } = await db.things.bulkDelete({ where: { whole: { $gte: 3 } } })
    if (count !== 97) throw new Error('not 97')
    return window.kit.exact(await db.things.list())
  },
  'bulkDelete of all': async () => {
    const db = window.dataflowEdge.dataflow('reload', { models: { things: window.kit.Thing } })
    await db.things.bulkCreate(Array.from({ length: 100 }, (_, i) => ({ text: `${i}` })))
    await db.things.bulkDelete({ all: true })
    return window.kit.exact([])
  },
  'raw SQL': async () => {
    const db = window.dataflowEdge.dataflow('reload', { models: { things: window.kit.Thing } })
    const { id } = await db.things.create({ text: 'a' })
    await db.sql`update things set big = ${2n ** 62n}, bytes = ${new Uint8Array([7])}, "when" = ${new Date(5)} where id = ${id}`
    await db.sql`insert into things (id, text, createdAt, updatedAt, version) select 'raw', 'b', 1, 2, 3`
    return window.kit.exact(await db.things.list())
  },
  batch: async () => {
    const { kit, dataflowEdge } = window
    const db = dataflowEdge.dataflow('reload', { models: { things: kit.Thing } })
    const { sql } = dataflowEdge
    await db.batch([
      kit.Thing.create({ text: 'a' }),
      sql`update things set whole = 9`,
      kit.Thing.create({ text: 'b', json: null }),
    ])
    return kit.exact(await db.things.list())
  },
  transaction: async () => {
    const db = window.dataflowEdge.dataflow('reload', { models: { things: window.kit.Thing } })
    await db.transaction(async tx => {
      const { id } = await tx.things.create({ text: 'a' })
      await tx.things.update(id, { whole: 5 })
      await tx.sql`update things set real = 1.5`
    })
    return window.kit.exact(await db.things.list())
  },
  'many at once': async () => {
    const db = window.dataflowEdge.dataflow('reload', { models: { things: window.kit.Thing } })
    await Promise.all(Array.from({ length: 300 }, (_, i) => db.things.create({ text: `${i}` })))
    return window.kit.exact(await db.things.list())
  },
}

for (const [name, write] of Object.entries(writes)) {
  test(`reload after ${name}`, ({ app }) => survivesReload(app, write))
}

test('reload after many checkpoints: base chunks and log together are the database', async ({ app }) => {
  const write = async () => {
    const db = window.dataflowEdge.dataflow('reload', { models: { things: window.kit.Thing } })
    const bytes = Uint8Array.from({ length: 100_000 }, (_, i) => (i * 7) % 253)
    for (let round = 0; round < 60; round++) {
      const rows = Array.from({ length: 4 }, (_, i) => ({ text: `${round}-${i}`, bytes }))
      await db.things.bulkCreate(rows)
      await db.things.bulkDelete({ where: { text: { $endsWith: '-0' } } })
    }
    const { checkpoints } = (await db.metrics()).flush
    if (checkpoints === 0) throw new Error('no checkpoint was made')
    return window.kit.exact(await db.things.list())
  }
  await survivesReload(app, write)
})
