// Built workflows from anywhere, and steps that no page would send: refused as what they are, without effect.
import { expect, test } from 'vitest'
import { model, t, WorkflowBuilder } from '../../src/index.js'
import type { WireStep } from '../../src/shared/workflow.js'
import { localDatabase, unwrap } from '../support/local.js'

const User = model('User', {
  id: t.id(),
  email: t.text().unique(),
  name: t.text(),
  age: t.integer().nullable(),
  at: t.date().nullable(),
})
const open = () => localDatabase({ users: User })
type Json = Record<string, unknown>
const list = (id: string, params: Json = {}) => ({ type: 'UserListNode', id, params })
const run = (nodes: Json[], connections: Json[] = [], more: Json = {}, options?: unknown) =>
  open().execute({ dataflow: 1, nodes, connections, ...more } as never, options as never)
const bad = (node?: string) => expect.objectContaining({ code: 'BAD_WORKFLOW', ...(node ? { node } : {}) })

test.each(['filter.__proto__.polluted', 'filter.constructor.prototype.polluted', '__proto__.polluted'])(
  'A connection into %s does not reach the prototype of objects',
  async input => {
    const run1 = run([list('a'), list('b', { filter: {} })], [{ from: 'a', output: 'count', to: 'b', input }])
    await expect(run1).rejects.toMatchObject({ node: 'b' })
    expect(({} as Json).polluted).toBeUndefined()
  },
)

test.each([
  [{ filter: 'x' }, 'filter.age.y'],
  [{ filter: null }, 'filter.age'],
  [{ orderBy: [] }, 'orderBy.x'],
  [{ orderBy: [] }, 'orderBy.length'],
  [{ orderBy: [] }, 'orderBy.4294967294.age'],
])('An input that leads nowhere is refused: %j, %s', async (params, input) => {
  const wrong = run([list('a'), list('b', params)], [{ from: 'a', output: 'count', to: 'b', input }])
  await expect(wrong).rejects.toEqual(bad('b'))
})

test('A path into a list makes the list, in any order of the connections', async () => {
  const { results } = await run(
    [list('a'), { type: 'SQLNode', id: 's', params: { sql: 'select ? as x, ? as y' } }],
    [
      { from: 'a', output: 'records.0.age', to: 's', input: 'params.1' },
      { from: 'a', output: 'count', to: 's', input: 'params.0' },
    ],
  )
  expect(results.s.records).toEqual([{ x: 0, y: null }])
})

test('Nothing is dropped from an output: what leads beyond a number is refused', async () => {
  for (const [type, output] of [
    ['UserCountNode', 'count.x'],
    ['UserListNode', 'count.x'],
    ['UserBulkDeleteNode', 'deleted.0'],
  ] as const) {
    const params = type === 'UserBulkDeleteNode' ? { filter: { age: 1 } } : {}
    const wrong = run([{ type, id: 'a', params }, list('b')], [{ from: 'a', output, to: 'b', input: 'filter.age' }])
    await expect(wrong).rejects.toEqual(bad('b'))
  }
})

test('What a workflow does not have is refused, not passed over', async () => {
  await expect(run([], [], { extra: 1 })).rejects.toEqual(bad())
  await expect(run([{ ...list('a'), when: 'never' }])).rejects.toEqual(bad())
  await expect(run([list('a')], [{ from: 'a', output: 'count', to: 'a', input: 'after', params: {} }])).rejects.toEqual(
    bad(),
  )
})

test.each([null, 7, 'ab', [], { a: 7 }, { a: null }, { a: 'xy' }, { a: [1] }])(
  'parameters that are none are BAD_OPTION: %j',
  async parameters => {
    await expect(run([list('a')], [], {}, { parameters })).rejects.toMatchObject({ code: 'BAD_OPTION' })
  },
)

test('Parameters nested too deep, dates that are no days, and lists with nothing in a place', async () => {
  let deep: Json = {}
  for (let i = 0; i < 20_000; i++) deep = { $not: deep }
  await expect(run([list('a', { filter: deep })])).rejects.toEqual(bad('a'))
  for (const $date of ['2021-02-30', '7', 'yesterday', 7]) {
    await expect(run([list('a', { filter: { at: { $gt: { $date } } } })])).rejects.toEqual(bad('a'))
  }
  expect(() => new WorkflowBuilder().addNode('SQLNode', 's', { sql: 'select ?', params: [undefined] })).toThrow(bad())
})

const count = { op: 'count', model: 'User', where: null } as const
const step = (run: unknown, more: Json = {}): Json => ({ node: 'n', slot: 0, kept: true, skip: false, run, ...more })
const inside = (times: number): Json[] =>
  times === 0 ? [step(count)] : [step({ steps: inside(times - 1) }, { slot: times })]

test.each([
  ['no steps', undefined],
  ['a text', 'steps'],
  ['null', [null]],
  ['a step that runs nothing', [step(undefined)]],
  ['an unknown operation', [step({ op: 'drop', model: 'User' })]],
  ['a name of every object', [step({ op: '__proto__', model: 'User' })]],
  ['an operation without a model', [step({ op: 'count' })]],
  ['sql without params', [step({ op: 'sql', sql: 'select 1' })]],
  ['a reference without a path', [step(count), step({ op: 'read', model: 'User', id: { slot: 0 } }, { slot: 1 })]],
  ['a reference forward', [step({ op: 'read', model: 'User', id: { slot: 1, path: [] }, select: null })]],
  ['a condition that is none', [step(count, { when: 7 })]],
  ['a condition without params', [step(count, { when: { sql: '1' } })]],
  ['each of nothing', [step(count, { each: 7 })]],
  ['each of no list', [step(count), step(count, { slot: 1, each: { of: { slot: 0, path: [] }, item: 2 } })]],
  ['an unknown mark', [step({ control: 'begin', name: 'x' })]],
  ['5000 in each other', inside(5000)],
  [
    '5000 savepoints',
    Array.from({ length: 5000 }, (_, i) => step({ control: 'savepoint', name: `${i}` }, { slot: i })),
  ],
])('The worker refuses steps that are none: %s', async (_, steps) => {
  const db = open()
  const ops = [{ op: 'workflow' as const, name: 'x', steps: steps as unknown as WireStep[] }]
  const [outcome] = await unwrap(db.engine.run([{ id: 1_000_000, ops, durability: null }]))
  expect(outcome).toMatchObject({ error: { code: 'BAD_WORKFLOW' } })
  expect(await db.tables.users.count()).toBe(0)
})
