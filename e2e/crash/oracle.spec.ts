// The judge is judged: each kind of damage is seen as what it is, and what may be is not called damage.
import { expect, test } from '@playwright/test'
import { Oracle, type Effect } from './oracle.js'
import type { Look, SeenRow } from './protocol.js'

const SIZE = 20

function create(...rows: number[]): Effect[] {
  return rows.map(n => ({ n, kind: 'create', table: 'items', size: SIZE, owner: null }))
}
function update(n: number): Effect {
  return { n, kind: 'update', table: 'items', size: SIZE, owner: null }
}
function remove(n: number): Effect {
  return { n, kind: 'delete', table: 'items', size: SIZE, owner: null }
}

/** Row `n` as call `v` wrote it. */
function row(n: number, v: number, rev = 1, whole = true): SeenRow {
  return ['items', `id${n}`, n, v, rev, SIZE, null, whole]
}

function look(...rows: SeenRow[]): Look {
  const saved = { baseBytes: 0, logBytes: 0 }
  const sound = { integrity: ['ok'], foreignKeyFailures: 0, columnsFilled: true, schemaVersion: 1 }
  return { rows, ...sound, schema: [], registry: [], history: [], pending: [], saved }
}

/** Calls 1, 2, ... of one lane, each with its outcome: null resolved, a code rejected, undefined still open. */
function after(...calls: [Effect[], (string | null)?][]): Oracle {
  const oracle = new Oracle()
  calls.forEach(([effects], i) => oracle.expect(i + 1, 1, effects, false))
  calls.forEach(([, code], i) => code !== undefined && oracle.settled(i + 1, code))
  return oracle
}

function count(oracle: Oracle, ...rows: SeenRow[]): [lost: number, duplicated: number, torn: number] {
  const { lost, duplicated, torn } = oracle.judge(look(...rows)).verdict
  return [lost.length, duplicated.length, torn.length]
}

test('what was acknowledged must be there', () => {
  expect(count(after([create(1), null]), row(1, 1))).toEqual([0, 0, 0])
  expect(count(after([create(1), null]))).toEqual([1, 0, 0])
  expect(count(after([create(1), null], [[update(1)], null]), row(1, 1))).toEqual([1, 0, 0])
  expect(count(after([create(1), null], [[remove(1)], null]))).toEqual([0, 0, 0])
  expect(count(after([create(1), null], [[remove(1)], null]), row(1, 1))).toEqual([1, 0, 0])
})

test('what is open may be there or not', () => {
  for (const code of [undefined, 'WORKER_CRASHED']) {
    expect(count(after([create(1), code]), row(1, 1))).toEqual([0, 0, 0])
    expect(count(after([create(1), code]))).toEqual([0, 0, 0])
    expect(count(after([create(1), null], [[update(1)], code]), row(1, 2, 2))).toEqual([0, 0, 0])
    expect(count(after([create(1), null], [[update(1)], code]), row(1, 1))).toEqual([0, 0, 0])
    expect(count(after([create(1), null], [[remove(1)], code]))).toEqual([0, 0, 0])
  }
})

test('what was refused must not be there', () => {
  expect(count(after([create(1), 'STORAGE_FULL']))).toEqual([0, 0, 0])
  expect(count(after([create(1), 'STORAGE_FULL']), row(1, 1))).toEqual([0, 1, 0])
  expect(count(after([create(1), null], [[update(1)], 'STORAGE_FULL'], [[update(1)], null]), row(1, 3, 2))).toEqual([
    0, 0, 0,
  ])
})

test('once is not twice', () => {
  expect(count(after([create(1), null]), row(1, 1), row(1, 1))).toEqual([0, 1, 0])
  expect(count(after([create(1), null], [[update(1)], null]), row(1, 2, 3))).toEqual([0, 1, 0])
  expect(count(after([create(1), null], [[update(1)], null], [[update(1)], null]), row(1, 3, 2))).toEqual([1, 0, 0])
})

test('all rows of a call or none', () => {
  expect(count(after([create(1, 2, 3)]), row(1, 1), row(2, 1), row(3, 1))).toEqual([0, 0, 0])
  expect(count(after([create(1, 2, 3)]), row(1, 1), row(3, 1))).toEqual([0, 0, 1])
  expect(count(after([create(1), null], [[...create(2), remove(1)]]), row(1, 1), row(2, 2))).toEqual([0, 0, 1])
})

test('no call without the open ones before it', () => {
  expect(count(after([create(1)], [create(2)], [create(3)]), row(1, 1))).toEqual([0, 0, 0])
  expect(count(after([create(1)], [create(2)], [create(3)]), row(1, 1), row(3, 3))).toEqual([0, 0, 1])
})

test('nothing comes from nowhere, nothing goes by itself, content is as written', () => {
  expect(count(after(), row(7, 7))).toEqual([0, 0, 1])
  expect(count(after([create(1), null]), row(1, 1, 1, false))).toEqual([0, 0, 1])
  expect(count(after([create(1), null]), row(1, 5))).toEqual([1, 0, 1])
  const oracle = after([create(1), null])
  oracle.judge(look(row(1, 1)))
  expect(count(oracle)).toEqual([1, 0, 0])
  const cleared = after([create(1), null], [[remove(1)], null])
  cleared.judge(look())
  expect(count(cleared, row(1, 1))).toEqual([0, 0, 1])
})

test('a deferred call is acknowledged by the flush behind it', () => {
  const oracle = new Oracle()
  oracle.expect(1, 1, create(1), true)
  oracle.expect(2, 1, create(2), true)
  oracle.expect(3, 1, [], false)
  oracle.settled(1, null)
  expect(oracle.acknowledged).toBe(0)
  oracle.settled(3, null)
  oracle.settled(2, null)
  expect(oracle.acknowledged).toBe(1)
  expect(count(oracle)).toEqual([1, 0, 0])
})
