// Every VALIDATION error says where: issues with paths, whoever throws it.
import { expect, test } from 'vitest'
import { DataFlowError, model, sql, t } from '../../src/index.js'
import { localDatabase } from '../support/local.js'
import { refused } from './support.js'

const Box = model('Box', { id: t.id(), n: t.integer().default(0), any: t.json().nullable(), on: t.date().nullable() })
const db = localDatabase({ boxes: Box })
const boxes = db.tables.boxes as any

test.each([
  ['no object', () => boxes.create(5), [[]]],
  ['no patch', () => boxes.update('a', null), [[]]],
  ['no rows', () => boxes.bulkCreate('x'), [[]]],
  ['no object among the rows', () => boxes.bulkCreate([{}, 5]), [[1]]],
  ['a hole', () => boxes.bulkUpsert([{}, , {}]), [[1]]], // oxlint-disable-line no-sparse-arrays
  ['a value inside JSON', () => boxes.create({ any: { a: [1n] } }), [['any', 'a', 0]]],
  ['no key', () => boxes.read(undefined), [['id']]],
  ['a value of $inc', () => boxes.update('a', { n: { $inc: 'x' } }), [['n']]],
  ['a filter', () => boxes.count({ n: 'x' }), [['n']]],
  ['an aggregate', () => boxes.aggregate({ sum: ['any'] }), [['any']]],
  ['a value of SQL', () => Promise.resolve().then(() => sql`select ${{}}`), [[]]],
])('%s', async (_, call, paths) => {
  const error = await refused(call())
  expect(error.issues.map(issue => issue.path)).toEqual(paths)
  expect(error.issues.every(issue => issue.message.length > 0)).toBe(true)
})

test('of the worker, across the thread', async () => {
  await boxes.create({ id: 'w', n: Number.MAX_SAFE_INTEGER })
  const error = await refused(boxes.update('w', { n: { $inc: 1 } }))
  expect(error.issues).toEqual([{ path: ['n'], message: error.text }])
  expect(DataFlowError.fromWire(structuredClone(error.toWire())).issues).toEqual(error.issues)
})

test('of what is read', async () => {
  await db.sql`insert into boxes (id, "on") values ('d', 9e15)`
  expect((await refused(boxes.read('d'))).issues[0]!.path).toEqual(['on'])
})
