// softDelete: every reading operation hides deleted rows, and shows them when asked.
import { describe, expect, test } from 'vitest'
import { model, t } from '../../src/index.js'
import { localDatabase } from '../support/local.js'

const Note = model(
  'Note',
  { id: t.autoId(), kind: t.text(), size: t.integer(), deletedAt: t.date().nullable() },
  { softDelete: true },
)
const Plain = model('Plain', { id: t.id(), kind: t.text() })
const models = { notes: Note, plains: Plain }

async function some() {
  const db = localDatabase(models)
  await db.tables.notes.bulkCreate(['a', 'b', 'a', 'c', 'b'].map((kind, i) => ({ kind, size: 10 ** i })))
  await db.tables.notes.bulkDelete({ where: { size: { $in: [10, 1000] } } })
  return db
}
type Notes = Awaited<ReturnType<typeof some>>['tables']['notes']

const ids = (rows: readonly { id: number }[]) => rows.map(row => row.id)

const cases: [
  what: string,
  read: (notes: Notes, seen: { withDeleted?: boolean }) => Promise<unknown>,
  unknown,
  unknown,
][] = [
  ['list', async (notes, seen) => ids(await notes.list(seen)), [1, 3, 5], [1, 2, 3, 4, 5]],
  ['list of a condition', async (notes, seen) => ids(await notes.list({ where: { kind: 'b' }, ...seen })), [5], [2, 5]],
  [
    'list of either',
    async (notes, seen) => ids(await notes.list({ where: { $or: [{ kind: 'c' }, { size: 1 }] }, ...seen })),
    [1],
    [1, 4],
  ],
  [
    'list with offset',
    async (notes, seen) => ids(await notes.list({ orderBy: { size: 'desc' }, limit: 2, offset: 1, ...seen })),
    [3, 1],
    [4, 3],
  ],
  ['first', async (notes, seen) => (await notes.first({ where: { kind: 'c' }, ...seen }))?.id, undefined, 4],
  ['read', async (notes, seen) => (await notes.read(2, seen))?.id, undefined, 2],
  ['read with select', async (notes, seen) => notes.read(2, { select: ['kind'], ...seen }), null, { kind: 'b' }],
  [
    'readOrThrow',
    (notes, seen) => notes.readOrThrow(4, { select: ['kind'], ...seen }).catch(error => error.code),
    'NOT_FOUND',
    { kind: 'c' },
  ],
  ['count', (notes, seen) => notes.count(undefined, seen), 3, 5],
  ['count of a condition', (notes, seen) => notes.count({ kind: 'b' }, seen), 1, 2],
  [
    'aggregate',
    (notes, seen) => notes.aggregate({ count: true, sum: ['size'], ...seen }),
    { count: 3, sum: { size: 10101 } },
    { count: 5, sum: { size: 11111 } },
  ],
  [
    'aggregate of groups',
    (notes, seen) => notes.aggregate({ groupBy: 'kind', count: true, having: { count: { $lt: 2 } }, ...seen }),
    [{ kind: 'b', count: 1 }],
    [{ kind: 'c', count: 1 }],
  ],
  ['distinct', (notes, seen) => notes.distinct('kind', seen), ['a', 'b'], ['a', 'b', 'c']],
  [
    'page',
    async (notes, seen) => {
      const first = await notes.page({ limit: 2, ...seen })
      const second = await notes.page({ limit: 2, after: first.next!, ...seen })
      return [ids(first.items), ids(second.items)]
    },
    [[1, 3], [5]],
    [
      [1, 2],
      [3, 4],
    ],
  ],
  [
    'iterate',
    async (notes, seen) => {
      const found: number[] = []
      for await (const { id } of notes.iterate({ chunk: 2, ...seen })) found.push(id)
      return found
    },
    [1, 3, 5],
    [1, 2, 3, 4, 5],
  ],
]

test.each(cases)('%s', async (_, read, live, all) => {
  const { tables } = await some()
  expect(await read(tables.notes, {})).toEqual(live)
  expect(await read(tables.notes, { withDeleted: false })).toEqual(live)
  expect(await read(tables.notes, { withDeleted: true })).toEqual(all)
})

test('deletedAt can be asked for like any field', async () => {
  const { tables } = await some()
  expect(await tables.notes.count({ deletedAt: { $null: false } }, { withDeleted: true })).toBe(2)
  expect(await tables.notes.count({ deletedAt: { $null: false } })).toBe(0)
  expect((await tables.notes.bulkPurge({ where: { deletedAt: { $lt: new Date(0) } } })).count).toBe(0)
})

test('operations differ by withDeleted', () => {
  expect(Note.list({ withDeleted: true }).key).not.toBe(Note.list().key)
  expect(Note.count({}, { withDeleted: true }).key).not.toBe(Note.count({}).key)
})

describe('withDeleted is refused', () => {
  const reads: [string, (table: any, options: object) => Promise<unknown>][] = [
    ['list', (table, options) => table.list(options)],
    ['first', (table, options) => table.first(options)],
    ['page', (table, options) => table.page({ limit: 1, ...options })],
    ['read', (table, options) => table.read('1', options)],
    ['readOrThrow', (table, options) => table.readOrThrow('1', options)],
    ['count', (table, options) => table.count({}, options)],
    ['aggregate', (table, options) => table.aggregate({ count: true, ...options })],
    ['distinct', (table, options) => table.distinct('kind', options)],
    ['page', (table, options) => table.iterate(options).next()],
  ]
  test.each(reads)('by a model without softDelete: %s', async (op, read) => {
    const { tables } = localDatabase(models)
    const error = {
      code: 'BAD_OPTION',
      model: 'Plain',
      op,
      message: expect.stringContaining('Plain has no softDelete'),
    }
    await expect(read(tables.plains, { withDeleted: true })).rejects.toMatchObject(error)
    await expect(read(tables.plains, { withDeleted: false })).rejects.toMatchObject(error)
  })

  test('as anything but true and false', async () => {
    const { tables } = localDatabase(models)
    for (const withDeleted of [1, 'yes', null, {}] as never[]) {
      await expect(tables.notes.list({ withDeleted })).rejects.toMatchObject({ code: 'BAD_OPTION', op: 'list' })
    }
  })

  test('by operations that write', async () => {
    const { tables } = localDatabase(models)
    const seen = { withDeleted: true } as never
    for (const write of [
      () => tables.notes.update(1, {}, seen),
      () => tables.notes.delete(1, seen),
      () => tables.notes.restore(1, seen),
      () => tables.notes.purge(1, seen),
      () => tables.notes.bulkDelete({ all: true }, seen),
    ]) {
      await expect(write()).rejects.toMatchObject({ code: 'BAD_OPTION', model: 'Note' })
    }
  })
})
