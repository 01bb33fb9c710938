// What SQLite holds and a model cannot: written by raw SQL or another program, or counted by SQLite itself. Exact or an
// error, never another value.
import { describe, expect, test } from 'vitest'
import { model, sql, t } from '../src/index.js'
import { failureOf } from './ensure/support.js'
import { localDatabase } from './support/local.js'

const SAFE = Number.MAX_SAFE_INTEGER

describe('a key beyond 2^53', () => {
  const Log = model('Log', { id: t.autoId(), text: t.text().unique(), n: t.integer().nullable() })
  const models = { logs: Log }

  test('is not made: the call fails and writes nothing', async () => {
    const db = localDatabase(models)
    const { logs } = db.tables
    await logs.create({ id: SAFE - 1, text: 'last but one' })
    expect((await logs.create({ text: 'last' })).id).toBe(SAFE)
    const calls = [
      ['create', () => logs.create({ text: 'x' })],
      ['upsert', () => logs.upsert({ text: 'x' }, { on: 'text' })],
      ['bulkCreate', () => logs.bulkCreate([{ id: 1, text: 'y' }, { text: 'x' }])],
      ['bulkUpsert', () => logs.bulkUpsert([{ text: 'x' }], { on: 'text' })],
    ] as const
    for (const [op, call] of calls) {
      expect(await failureOf(call())).toMatchObject({
        code: 'VALIDATION',
        model: 'Log',
        op,
        text: 'a value cannot be stored: the next key is beyond 2^53.',
      })
    }
    expect(await logs.list({ select: ['id'] })).toEqual([{ id: SAFE - 1 }, { id: SAFE }])
    const { count, errors } = await logs.bulkCreate([{ text: 'x' }, { id: 1, text: 'y' }], { onError: 'collect' })
    expect([count, errors.map(({ index, error }) => [index, error.code])]).toEqual([1, [[0, 'VALIDATION']]])
    // Rows with keys of their own, and rows that are there, need no new one.
    expect(await logs.create({ id: 2, text: 'own' })).toMatchObject({ id: 2 })
    expect(await logs.upsert({ text: 'own', n: 1 }, { on: 'text' })).toMatchObject({ id: 2, n: 1 })
    await db.close()
  })

  test('is not read as another one', async () => {
    const db = localDatabase(models)
    const { logs } = db.tables
    await db.sql`insert into logs (id, text) values (${2n ** 53n + 1n}, 'large')`
    const calls = [
      ['list', () => logs.list()],
      ['first', () => logs.first({ select: ['id'] })],
      ['page', () => logs.page({ limit: 1 })],
    ] as const
    for (const [op, call] of calls) {
      const error = await failureOf(call())
      expect(error).toMatchObject({ code: 'VALIDATION', model: 'Log', op, fields: ['id'] })
      expect(error.message).toMatch(/a number beyond 2\^53.*raw SQL.*t\.bigint/)
    }
    expect(await logs.list({ select: ['text'] })).toEqual([{ text: 'large' }])
    expect(await db.sql`select id from logs`).toEqual([{ id: 2n ** 53n + 1n }])
    expect((await logs.bulkDelete({ all: true })).ids).toEqual([2n ** 53n + 1n])
    await db.close()
  })

  test('nor is any other integer', async () => {
    const db = localDatabase(models)
    await db.sql`insert into logs (text, n) values ('a', ${-(2n ** 53n)}), ('b', ${-SAFE})`
    const error = await failureOf(db.tables.logs.list())
    expect(error).toMatchObject({ code: 'VALIDATION', op: 'list', fields: ['n'] })
    expect(await db.tables.logs.first({ where: { text: 'b' } })).toMatchObject({ n: -SAFE })
    await db.close()
  })
})

describe('a stored text that is no date', () => {
  const Day = model('Day', { id: t.autoId(), at: t.date({ as: 'text' }).nullable(), ms: t.date().nullable() })

  test.each(['2026-02-30', '2026-13-01', '2026-04-31T12:00:00.000Z', 'soon', '', '31.12.2026', '2026-01-31 12:00:00'])(
    '%j is refused when it is read',
    async text => {
      const db = localDatabase({ days: Day })
      await db.sql`insert into days (at) values (${text})`
      for (const [op, call] of [
        ['read', () => db.tables.days.read(1)],
        ['list', () => db.tables.days.list({ select: ['at'] })],
        ['update', () => db.tables.days.update(1, { ms: 0 })],
      ] as const) {
        const error = await failureOf(call())
        expect(error).toMatchObject({ code: 'VALIDATION', model: 'Day', op, fields: ['at'] })
        expect(error.message).toBe(`[VALIDATION] Day.${op}: at holds what is no date. Hint: correct it with raw SQL.`)
      }
      expect(await db.tables.days.list({ select: ['id'] })).toEqual([{ id: 1 }])
      await db.run(sql`update days set at = '2026-02-28'`)
      expect((await db.tables.days.read(1))?.at).toEqual(new Date('2026-02-28T00:00:00Z'))
      await db.close()
    },
  )

  test('so is a number beyond all dates', async () => {
    const db = localDatabase({ days: Day })
    await db.sql`insert into days (ms) values (${8.64e15 + 1})`
    expect(await failureOf(db.tables.days.list())).toMatchObject({ code: 'VALIDATION', op: 'list', fields: ['ms'] })
    await db.close()
  })
})
