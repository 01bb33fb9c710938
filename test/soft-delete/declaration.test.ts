// softDelete: what model() refuses, and what the declaration becomes.
import { expect, test } from 'vitest'
import { model, t } from '../../src/index.js'
import { resolveModels } from '../../src/resolve.js'

const id = t.id()
const soft = { softDelete: true } as never

test.each([
  ['none', { id }],
  ['one that is not nullable', { id, deletedAt: t.date() }],
  ['a text', { id, deletedAt: t.text().nullable() }],
  ['a stamp', { id, deletedAt: t.createdAt() }],
  ['a constant', { id, deletedAt: t.date().nullable().default(0) }],
  [
    'a function',
    {
      id,
      deletedAt: t
        .date()
        .nullable()
        .default(() => new Date()),
    },
  ],
])('without its field: %s', (_, fields) => {
  const bad = {
    code: 'BAD_MODEL',
    model: 'Note',
    fields: ['deletedAt'],
    hint: expect.stringContaining('t.date().nullable()'),
  }
  expect(() => model('Note', fields, soft)).toThrow(expect.objectContaining(bad))
})

test('any form of date, under any column; false is as if it were left out', () => {
  for (const as of ['ms', 'seconds', 'text'] as const) {
    const Note = model('Note', { id, deletedAt: t.date({ as }).nullable().column('gone') }, { softDelete: true })
    const { definition } = resolveModels({ notes: Note }).get('Note')!
    expect(definition.softDelete).toBe('deletedAt')
    expect(definition.fields[1]).toMatchObject({ column: 'gone', date: as, readonly: true })
  }
  const Off = model('Note', { id, deletedAt: t.date().nullable() }, { softDelete: false })
  expect(resolveModels({ notes: Off }).get('Note')!.definition).toEqual(
    resolveModels({ notes: model('Note', { id, deletedAt: t.date().nullable() }) }).get('Note')!.definition,
  )
})

test('the option is true or false', () => {
  const bad = expect.objectContaining({ code: 'BAD_MODEL', hint: expect.stringContaining('softDelete: true') })
  for (const softDelete of ['deletedAt', 1, null] as never[]) {
    expect(() => model('Note', { id, deletedAt: t.date().nullable() }, { softDelete })).toThrow(bad)
  }
})

test('every unique index is over the rows that are there; plain ones are over all', () => {
  const Note = model(
    'Note',
    { id, code: t.text().unique(), a: t.text(), ownerId: t.ref('Note').unique(), deletedAt: t.date().nullable() },
    { softDelete: true, unique: [['a', 'code']], indexes: [['code'], ['a']] },
  )
  const { indexes } = resolveModels({ notes: Note }).get('Note')!.definition
  const live = '"deletedAt" IS NULL'
  expect(indexes.map(({ fields, unique, where }) => [fields.join(), unique, where])).toEqual([
    ['code', true, live],
    ['ownerId', true, live],
    ['a,code', true, live],
    // A foreign key looks at all rows: what is unique among some does not serve it.
    ['ownerId', false, undefined],
    ['code', false, undefined],
    ['a', false, undefined],
  ])
})
