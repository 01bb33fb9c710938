import { expect, test } from 'vitest'
import { model, sql, t } from '../../src/index.js'
import { localDatabase } from '../support/local.js'
import { handClock } from './support.js'

let made = 0
const Row = model('Row', {
  id: t.id(),
  n: t.integer().default(() => ++made),
  name: t.text().default('x'),
  createdAt: t.createdAt(),
  updatedAt: t.updatedAt(),
})

test('17: an operation holds no generated value; the same one run twice makes two rows', async () => {
  const db = localDatabase({ rows: Row })
  const op = Row.create({})
  expect(op.args).toEqual([{}])
  const before = made
  const [first, second] = [await db.run(op), await db.run(op)]
  expect(first.id).not.toBe(second.id)
  expect([first.n, second.n]).toEqual([before + 1, before + 2])
  expect(await db.tables.rows.count()).toBe(2)
  await db.close()
})

test('17: generated values are stable when an operation is run again after a lost transaction', async () => {
  const db = localDatabase({ rows: Row })
  await db.sql`create trigger guard before insert on rows when new.name = 'guilty'
    begin select raise(rollback, 'no'); end`
  const before = made
  const [kept] = await db.tick([Row.create({}), Row.create({ name: 'guilty' })])
  expect(kept).toMatchObject({ status: 'fulfilled', value: { n: before + 1 } })
  expect(made).toBe(before + 2)
  expect(await db.tables.rows.list()).toEqual([(kept as any).value])
  await db.close()
})

test("17: createdAt and updatedAt are the worker's, one moment for all of a transaction", async () => {
  const { clock, pass } = handClock(5000)
  let now = 5000
  const db = localDatabase({ rows: Row }, { parts: { clock: { ...clock, now: () => now++ } } })
  const rows = await db.batch([Row.create({ id: 'a' }), Row.create({ id: 'b' })])
  expect(new Set(rows.flatMap((row: any) => [+row.createdAt, +row.updatedAt])).size).toBe(1)
  const updated = await db.tables.rows.update('a', { name: 'y' })
  expect(updated.createdAt).toEqual(rows[0].createdAt)
  expect(+updated.updatedAt).toBeGreaterThan(+rows[0].updatedAt)
  pass(0)
  await db.close()
})

test('21: numbers, bigints, dates and booleans are bound as what they are', async () => {
  const db = localDatabase({ rows: Row })
  const [row] =
    await db.sql`select ${2 ** 40} as n, typeof(${2 ** 40}) as tn, ${2n ** 62n} as big, typeof(${2n ** 62n}) as tb,
    ${new Date(7)} as at, ${true} as yes, ${false} as no, ${2 ** 53} as edge, ${new Uint8Array([1])} as bytes, ${1.5} as real`
  expect(row).toEqual({
    n: 2 ** 40,
    tn: 'integer',
    big: 2n ** 62n,
    tb: 'integer',
    at: 7,
    yes: 1,
    no: 0,
    edge: 2 ** 53,
    bytes: new Uint8Array([1]),
    real: 1.5,
  })
  expect(() => sql`select ${{ a: 1 }}`).toThrow(/VALIDATION/)
  expect(() => sql`select ${[1]}`).toThrow(/VALIDATION/)
  await db.close()
})
