// What the trail holds of a row is the row, exactly: whatever fits its fields.
import fc from 'fast-check'
import { describe, expect, test } from 'vitest'
import { model, sql, t } from '../../src/index.js'
import { localDatabase } from '../support/local.js'

const fields = {
  id: t.id(),
  text: t.text(),
  choice: t.enum(['a', 'b']),
  whole: t.integer(),
  big: t.bigint(),
  real: t.real(),
  yes: t.boolean(),
  ms: t.date(),
  seconds: t.date({ as: 'seconds' }),
  iso: t.date({ as: 'text' }),
  json: t.json<unknown>(),
  maybeJson: t.json<unknown>().nullable(),
  blob: t.blob(),
  maybe: t.text().nullable(),
  named: t.blob().nullable().column('a column\'s "name"'),
  version: t.version(),
  createdAt: t.createdAt(),
  updatedAt: t.updatedAt(),
}
const Wide = model('Wide', fields, { audit: true })

const text = fc.string({ unit: 'grapheme', maxLength: 12 }).filter(value => value.isWellFormed())
const json = fc
  .jsonValue({ maxDepth: 3 })
  .map(value => JSON.parse(JSON.stringify(value).replaceAll('"__proto__"', '"proto"')) as unknown)
const moment = fc.integer({ min: -62_000_000_000, max: 253_000_000_000 }).map(s => new Date(s * 1000))
const blob = fc.uint8Array({ maxLength: 40 }).map(bytes => new Uint8Array(bytes))
const row = fc.record({
  text: fc.oneof(text, fc.constant('NUL \0 "quoted" \'twice\' 🦫')),
  choice: fc.constantFrom('a' as const, 'b' as const),
  whole: fc.maxSafeInteger(),
  big: fc.bigInt({ min: -(2n ** 63n), max: 2n ** 63n - 1n }),
  real: fc.oneof(fc.double({ noNaN: true }), fc.constantFrom(Infinity, -Infinity, 5e-324, 1.7976931348623157e308, 0.1)),
  yes: fc.boolean(),
  ms: fc.date({ noInvalidDate: true }),
  seconds: moment,
  iso: moment,
  json,
  maybeJson: fc.option(json),
  blob,
  maybe: fc.option(text),
  named: fc.option(blob),
})

test('before and after are the rows that were read, for any rows', async () => {
  const db = localDatabase({ wides: Wide })
  await fc.assert(
    fc.asyncProperty(row, row, async (first, second) => {
      const { id } = await db.tables.wides.create(first)
      const created = await db.tables.wides.readOrThrow(id)
      await db.tables.wides.update(id, second)
      const updated = await db.tables.wides.readOrThrow(id)
      await db.tables.wides.delete(id)
      const entries = await db.audit.list({ model: 'Wide', key: id })
      expect(entries.map(({ before, after }) => [before, after])).toEqual([
        [updated, null],
        [created, updated],
        [null, created],
      ])
    }),
    { numRuns: 150 },
  )
  await db.close()
})

test.each([
  ['text', t.text().primaryKey(), ['1', '', 'ä🦫', 'x\0y']],
  ['integer', t.integer().primaryKey(), [1, -1, 0, 2 ** 31, Number.MAX_SAFE_INTEGER, Number.MIN_SAFE_INTEGER]],
  ['bigint', t.bigint().primaryKey(), [1n, -1n, 2n ** 63n - 1n, -(2n ** 63n), 9_007_199_254_740_993n]],
  ['autoId', t.autoId(), [1, 7, Number.MAX_SAFE_INTEGER - 1]],
] as const)('a key of %s is found, and comes back', async (_, key, keys) => {
  const Keyed = model('Keyed', { key: key as any, n: t.integer().default(0) } as any, { audit: true })
  const db = localDatabase({ keyeds: Keyed as any })
  const keyeds = db.tables.keyeds as any
  for (const value of keys) await keyeds.create({ key: value })
  for (const value of keys) {
    const entries = await db.audit.list({ model: 'Keyed', key: value } as never)
    expect(entries).toMatchObject([{ key: value, after: { key: value } }])
  }
  expect((await db.audit.list()).map(({ key }: any) => key)).toEqual([...keys].reverse())
  await db.close()
})

describe('what raw SQL wrote', () => {
  test('is kept as it is where no row could be read', async () => {
    const Odd = model(
      'Odd',
      { id: t.id(), n: t.integer(), at: t.date({ as: 'text' }), big: t.bigint() },
      { audit: true },
    )
    const db = localDatabase({ odds: Odd })
    await db.sql`insert into odds values ('a', 9007199254740993, 'no date', -9223372036854775807 - 1)`
    const [entry] = await db.audit.list()
    expect(entry!.after).toEqual({ id: 'a', n: '9007199254740993', at: 'no date', big: -(2n ** 63n) })
    await expect(db.tables.odds.read('a')).rejects.toMatchObject({ code: 'VALIDATION' })
    await db.close()
  })

  test('is JSON that SQL can read', async () => {
    const db = localDatabase({ wides: Wide })
    await db.sql`insert into wides (id, text, choice, whole, big, real, yes, ms, seconds, iso, json, blob, createdAt, updatedAt)
      values ('a', 'x', 'a', 1, 2, 0.5, 1, 3, 4, '1970', '{"b":[1]}', x'00ff', 5, 6)`
    expect(
      await db.sql`select model, key, action, after ->> 'text' as text, after ->> '$.json.b[0]' as one,
        after ->> 'blob' as blob, after ->> 'seconds' as seconds, after ->> 'big' as big from dataflow_audit`,
    ).toEqual([
      { model: 'Wide', key: 'a', action: 'create', text: 'x', one: 1, blob: "X'00FF'", seconds: 4000, big: '2' },
    ])
    await db.close()
  })
})

test('500 fields', async () => {
  const many = Object.fromEntries(Array.from({ length: 499 }, (_, i) => [`f${i}`, t.integer().default(i)]))
  const Many = model('Many', { id: t.id(), ...many } as any, { audit: true })
  const db = localDatabase({ manies: Many as any })
  const manies = db.tables.manies as any
  const created = await manies.create({ id: 'a' })
  await manies.update('a', { f498: 0 })
  const [entry] = await db.audit.list()
  expect(entry).toMatchObject({ before: created, after: { ...created, f498: 0 } })
  await db.sql`select ${1}`
  await db.close()
})

test('a condition of the sql tag is not taken for a table of the trail', async () => {
  const db = localDatabase({ wides: Wide })
  expect(await db.tables.wides.count({ $sql: sql<boolean>`text <> 'dataflow_audit'` })).toBe(0)
  await db.close()
})
