// createdAt, updatedAt and deletedAt: the worker's milliseconds, one moment for all of a transaction, on every path.
import { expect, test } from 'vitest'
import { model, t, workflow } from '../../src/index.js'
import { begin, handClock } from '../semantics/support.js'
import { localDatabase } from '../support/local.js'

const Row = model(
  'Row',
  {
    id: t.id(),
    name: t.text().default('x'),
    createdAt: t.createdAt(),
    updatedAt: t.updatedAt(),
    deletedAt: t.date().nullable(),
  },
  { softDelete: true },
)
const models = { rows: Row }

/** A clock that says another millisecond each time it is asked. */
function open() {
  let now = 1_000_000
  const { clock } = handClock()
  return localDatabase(models, { parts: { clock: { ...clock, now: () => now++ } } })
}
type Stamps = { createdAt: Date; updatedAt: Date; deletedAt: Date | null }
const stampsOf = async (db: ReturnType<typeof open>) => {
  const rows: (Stamps & { id: string })[] = await db.tables.rows.list({ withDeleted: true })
  return Object.fromEntries(
    rows.map(({ id, createdAt, updatedAt, deletedAt }) => [
      id,
      { created: +createdAt, updated: +updatedAt, deleted: deletedAt && +deletedAt },
    ]),
  )
}

test('one operation, one moment: a new row has it twice', async () => {
  const db = open()
  const { createdAt, updatedAt } = await db.tables.rows.create({ id: 'a' })
  expect(updatedAt).toEqual(createdAt)
  await db.tables.rows.bulkCreate([{ id: 'b' }, { id: 'c' }])
  const upserted = await db.tables.rows.upsert({ id: 'd' })
  await db.tables.rows.bulkUpsert([{ id: 'e' }, { id: 'f' }])
  const { a, b, c, d, e, f } = await stampsOf(db)
  const at = (created: number) => ({ created, updated: created, deleted: null })
  expect([a, c, f]).toEqual([at(+createdAt), b, e])
  expect(d).toEqual(at(+upserted.createdAt))
  expect(new Set([a, b, d, e].map(stamps => stamps!.created)).size).toBe(4)
})

const changes: [what: string, change: (db: ReturnType<typeof open>) => Promise<unknown>][] = [
  ['update', db => db.tables.rows.update('a', { name: 'y' })],
  ['update of nothing', db => db.tables.rows.update('a', {})],
  ['upsert', db => db.tables.rows.upsert({ id: 'a', name: 'y' })],
  ['upsert with a patch', db => db.tables.rows.upsert({ id: 'a' }, { update: { name: 'y' } })],
  ['bulkUpdate', db => db.tables.rows.bulkUpdate({ all: true, set: { name: 'y' } })],
  ['bulkUpsert', db => db.tables.rows.bulkUpsert([{ id: 'a' }, { id: 'b' }])],
  ['bulkCreate', db => db.tables.rows.bulkCreate([{ id: 'a' }, { id: 'b' }], { onConflict: 'update' })],
  ['delete', db => db.tables.rows.delete('a')],
  ['bulkDelete', db => db.tables.rows.bulkDelete({ all: true })],
]
test.each(changes)('%s moves updatedAt of the rows it writes, and no other time', async (what, change) => {
  const db = open()
  await db.tables.rows.bulkCreate([{ id: 'a' }, { id: 'b' }])
  const before = await stampsOf(db)
  await change(db)
  const { a, b } = await stampsOf(db)
  expect(a!.created).toBe(before['a']!.created)
  expect(a!.updated).toBeGreaterThan(before['a']!.updated)
  expect(a!.deleted).toBe(what.endsWith('elete') ? a!.updated : null)
  expect(b).toEqual(what.startsWith('bulk') ? a : before['b'])
})

const all = [
  Row.create({ id: 'c' }),
  Row.bulkCreate([{ id: 'd' }, { id: 'e' }]),
  Row.update('a', { name: 'y' }),
  Row.bulkUpdate({ where: { id: 'b' }, set: { name: 'y' } }),
  Row.upsert({ id: 'f' }),
  Row.upsert({ id: 'e' }),
  Row.delete('d'),
  Row.restore('d'),
  Row.delete('d'),
]
const ways: [what: string, run: (db: ReturnType<typeof open>) => Promise<unknown>][] = [
  ['a batch', db => db.batch(all)],
  ['one tick', db => db.tick(all)],
  ['two batches and an operation of one tick', db => db.tick([all.slice(0, 4), all.slice(4, 8), all[8]!])],
  ['a workflow', db => db.execute(all.reduce((flow: any, op, i) => flow.node(`n${i}`, () => op), workflow('all')))],
  [
    'a transaction',
    async db => {
      const tx = await begin(db, models)
      for (const operation of all) await tx.run(operation)
      await tx.commit()
    },
  ],
]
test.each(ways)('%s has one moment', async (_, run) => {
  const db = open()
  await db.tables.rows.bulkCreate([{ id: 'a' }, { id: 'b' }])
  const { a: before } = await stampsOf(db)
  await run(db)
  const { a, b, c, d, e, f } = await stampsOf(db)
  const { updated } = a!
  expect(updated).toBeGreaterThan(before!.updated)
  expect([a, b]).toEqual([{ ...before, updated }, a])
  const fresh = { created: updated, updated, deleted: null }
  expect([c, d, e, f]).toEqual([fresh, { ...fresh, deleted: updated }, fresh, fresh])
})
