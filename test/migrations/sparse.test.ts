// Large tables are copied in pieces, or record by record: tried with few rows whose numbers are far from each other.
import { expect, test } from 'vitest'
import { model, t } from '../../src/index.js'
import { app, ready } from '../ensure/support.js'

test('rows are copied by their own numbers, whatever a column is called', async () => {
  const { start } = app()
  const item = (of: 'text' | 'integer') =>
    model('Item', { id: t.id(), at: t.date().column('rowid'), n: (t[of] as typeof t.text)().nullable() })
  const first = await start({ items: item('text') }, { version: 1 })
  for (const n of [1, 1_000_000]) await first.tables.items.create({ id: `i${n}`, at: n, n: String(n) })
  const second = await start({ items: item('integer') }, { version: 2 })
  expect(await second.sql`select id, "rowid" as at, n from items order by id`).toEqual([
    { id: 'i1', at: 1, n: 1 },
    { id: 'i1000000', at: 1_000_000, n: 1_000_000 },
  ])
  await second.close()
})

test('a large table is copied in pieces: every row, with its number', async () => {
  const { start } = app()
  const item = (of: 'text' | 'integer') => model('Item', { id: t.id(), n: (t[of] as typeof t.text)() })
  const first = await start({ items: item('text') }, { version: 1 })
  await first.tables.items.count()
  await first.sql`
    insert into items (rowid, id, n) select value * 3 - 200000, value, value from
    (with recursive k(value) as (select 1 union all select value + 1 from k where value < 120000) select value from k)`
  const second = await start({ items: item('integer') }, { version: 2 })
  const { applied } = await ready(second)
  expect(applied.map(step => step.kind)).toEqual(['rebuildTable'])
  expect(
    await second.sql`select count(*) as rows, sum(n) as sum, sum(rowid = n * 3 - 200000) as kept from items`,
  ).toEqual([{ rows: 120_000, sum: 7_200_060_000, kept: 120_000 }])
  await second.close()
})

test('a rebuild gives each column its own values, in whatever order the columns are stored', async () => {
  const { start } = app()
  const number = t.integer()
  const fields = { k: t.text(), b: t.text().nullable(), c: t.text() }
  const first = await start({ items: model('Item', { number: number.primaryKey(), ...fields }) }, { version: 1 })
  for (const n of [1, 100_000]) await first.tables.items.create({ number: n, k: `k${n}`, b: `b${n}`, c: `c${n}` })
  // Rowids stay as they are when the key is another field.
  const { k, b, c } = fields
  const keyed = { number, k: k.primaryKey(), b, c }
  await ready(await start({ items: model('Item', keyed) }, { version: 2 }))
  // Added behind the others, declared before them.
  const wider = { number, k: k.primaryKey(), a: t.text().nullable(), b, c }
  const third = await start({ items: model('Item', wider) }, { version: 3 })
  await third.tables.items.update('k1', { a: 'a1' })
  const fourth = await start({ items: model('Item', { ...wider, c: c.nullable() }) }, { version: 4 })
  expect((await ready(fourth)).applied.map(step => step.kind)).toEqual(['rebuildTable'])
  expect(await fourth.tables.items.list()).toEqual([
    { number: 1, k: 'k1', a: 'a1', b: 'b1', c: 'c1' },
    { number: 100_000, k: 'k100000', a: null, b: 'b100000', c: 'c100000' },
  ])
  await fourth.close()
})
