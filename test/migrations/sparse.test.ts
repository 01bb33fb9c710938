// Large tables are copied in pieces, or record by record: tried with few rows whose numbers are far from each other.
import { expect, test } from 'vitest'
import { model, t } from '../../src/index.js'
import { app, ready } from '../ensure/support.js'

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
