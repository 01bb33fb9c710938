// Workflows of many nodes: what is looked at grows as they do, and no faster. Counted, not timed.
import { expect, test } from 'vitest'
import { model, t, workflow, type BuiltWorkflow } from '../../src/index.js'
import { localDatabase } from '../support/local.js'

const User = model('User', { id: t.id(), age: t.integer().nullable() })

/** How many Proxies `work` makes: references are such. */
function proxiesMade(work: () => void): number {
  const Real = globalThis.Proxy
  let made = 0
  const construct = (target: typeof Real, args: unknown[]): object => {
    made++
    return Reflect.construct(target, args)
  }
  globalThis.Proxy = new Real(Real, { construct })
  try {
    work()
  } finally {
    globalThis.Proxy = Real
  }
  return made
}

test('A recorded node makes the references that its function asks for, not one for every node before it', () => {
  const record = (n: number) => () => {
    let long: any = workflow('long').node('n0', () => User.count())
    for (let i = 1; i < n; i++) long = long.node(`n${i}`, (nodes: any) => User.count({ age: nodes[`n${i - 1}`] }))
  }
  expect(proxiesMade(record(400))).toBeLessThan(2.5 * proxiesMade(record(200)))
})

test('What a function is given can be looked through', () => {
  let names: string[] = []
  workflow<{ age: number }>('names')
    .node('a', () => User.count())
    .node('b', ({ input, ...others }) => {
      names = Object.keys({ input, ...others })
      return User.count({ age: others.a })
    })
  expect(names).toEqual(['input', 'a'])
})

test('A built workflow: connections are looked at as often as there are, in whatever order they lead', async () => {
  const db = localDatabase({ users: User })
  const looks = async (n: number): Promise<number> => {
    let count = 0
    const connections = Array.from({ length: n - 1 }, (_, i) => ({
      from: `n${i + 1}`,
      output: 'count',
      input: 'filter.age',
      get to() {
        count++
        return `n${i}`
      },
    }))
    const nodes = Array.from({ length: n }, (_, i) => ({ type: 'UserCountNode', id: `n${i}`, params: {} }))
    const { results } = await db.execute({ dataflow: 1, nodes, connections } satisfies BuiltWorkflow)
    expect(Object.keys(results)).toHaveLength(n)
    return count
  }
  expect(await looks(400)).toBeLessThan(2.5 * (await looks(200)))
})
