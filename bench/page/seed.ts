// The seed's table: the same steps with the cache of table checks and without it, and the SQL that each took.
import { dataflow } from 'dataflow-edge'
import { models } from './contestants/dataflow-edge.js'
import { deleteDatabases } from './measures.js'
import { makeUsers } from './rows.js'
import { time } from './timing.js'

export interface Step {
  step: string
  operations: number
  ms: number
  /** SQL statements, and BEGIN, COMMIT and their like, per operation. */
  statements: number
  control: number
}

export async function seed(cacheTableChecks: boolean): Promise<Step[]> {
  const db = dataflow(`bench-2-${Date.now()}`, { models: { users: models.users }, cacheTableChecks })
  const steps: Step[] = []
  let before = { executed: 0, control: 0 }
  const step = async (name: string, operations: number, work: () => Promise<unknown>) => {
    const ms = await time(work)
    const { executed, control } = (await db.metrics()).statements
    const per = (count: number) => count / operations
    steps.push({
      step: name,
      operations,
      ms,
      statements: per(executed - before.executed),
      control: per(control - before.control),
    })
    before = { executed, control }
  }
  const rows = makeUsers(3000)
  const [kept] = rows
  const create = () => db.users.create(rows.pop()!)
  const oneByOne = async (count: number) => {
    for (let i = 0; i < count; i++) await create()
  }
  const atOnce = (count: number) => Promise.all(Array.from({ length: count }, create))

  await step('open', 1, () => db.ready)
  await step('first create (makes the table)', 1, create)
  await step('second create', 1, create)
  await step('third create', 1, create)
  await step('30 creates, one by one', 30, () => oneByOne(30))
  await step('1000 creates, one by one', 1000, () => oneByOne(1000))
  await step('30 creates at once', 30, () => atOnce(30))
  await step('1000 creates at once', 1000, () => atOnce(1000))
  await db.users.create(kept!)
  before = (await db.metrics()).statements
  await step('read', 1, () => db.users.read(kept!.id))
  await step('update', 1, () => db.users.update(kept!.id, { age: 36 }))
  await step('delete', 1, () => db.users.delete(kept!.id))
  await db.close()
  await deleteDatabases()
  return steps
}
