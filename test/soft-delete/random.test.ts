// Any sequence of operations on a model with softDelete, against what a list of rows in JavaScript says.
import fc from 'fast-check'
import { expect, test } from 'vitest'
import { DataFlowError, model, t } from '../../src/index.js'
import { localDatabase } from '../support/local.js'

const Row = model(
  'Row',
  { id: t.integer().primaryKey(), email: t.text().unique(), n: t.integer().default(0), deletedAt: t.date().nullable() },
  { softDelete: true },
)
interface Plain {
  id: number
  email: string
  n: number
  gone: boolean
}

/** What an operation answers, or its code; then nothing is changed. */
class Oracle {
  rows: Plain[] = []

  run(operation: Operation): unknown {
    const before = this.rows.map(row => ({ ...row }))
    const answer = this[operation.op](operation as never)
    if (typeof answer === 'string') this.rows = before
    return answer
  }

  #at = (id: number, gone: boolean) => this.rows.find(row => row.id === id && row.gone === gone)
  #isUnique = () =>
    new Set(this.rows.filter(row => !row.gone).map(row => row.email)).size ===
      this.rows.filter(row => !row.gone).length && new Set(this.rows.map(row => row.id)).size === this.rows.length

  create({ id, email, n }: Data) {
    this.rows.push({ id, email, n, gone: false })
    return this.#isUnique() ? id : 'UNIQUE'
  }
  update({ id, email, n }: Data) {
    const row = this.#at(id, false)
    if (!row) return 'NOT_FOUND'
    Object.assign(row, { email, n })
    return this.#isUnique() ? id : 'UNIQUE'
  }
  upsertByEmail(data: Data) {
    const row = this.rows.find(other => !other.gone && other.email === data.email)
    if (!row) return this.create(data)
    row.n = data.n
    return row.id
  }
  upsertByKey(data: Data) {
    if (this.#at(data.id, true)) return 'UNIQUE'
    return this.#at(data.id, false) ? this.update(data) : this.create(data)
  }
  delete({ id }: Data) {
    const row = this.#at(id, false)
    if (row) row.gone = true
    return row !== undefined
  }
  restore({ id }: Data) {
    const row = this.#at(id, true)
    if (!row) return 'NOT_FOUND'
    row.gone = false
    return this.#isUnique() ? id : 'UNIQUE'
  }
  purge({ id }: Data) {
    const row = this.#at(id, true)
    this.rows = this.rows.filter(other => other !== row)
    return row !== undefined
  }
  bulkDelete({ n }: Data) {
    const hit = this.rows.filter(row => !row.gone && row.n === n)
    for (const row of hit) row.gone = true
    return hit.length
  }
  bulkUpdate({ n }: Data) {
    const hit = this.rows.filter(row => !row.gone && row.n === n)
    for (const row of hit) row.n = (n + 1) % 3
    return hit.length
  }
  bulkRestore({ n }: Data) {
    const hit = this.rows.filter(row => row.gone && row.n === n)
    for (const row of hit) row.gone = false
    return this.#isUnique() ? hit.length : 'UNIQUE'
  }
  bulkPurge({ n }: Data) {
    const hit = this.rows.filter(row => row.gone && row.n === n)
    this.rows = this.rows.filter(row => !hit.includes(row))
    return hit.length
  }
  bulkUpsert({ rows }: { rows: Data[] }) {
    for (const row of rows) if (this.upsertByEmail(row) === 'UNIQUE') return 'UNIQUE'
    return rows.length
  }
}
interface Data {
  id: number
  email: string
  n: number
}
type Name = Exclude<keyof Oracle, 'rows' | 'run'>
type Operation = { op: Name; rows: Data[] } & Data

const data = fc.record({
  id: fc.integer({ min: 1, max: 4 }),
  email: fc.constantFrom('a', 'b', 'c'),
  n: fc.integer({ min: 0, max: 2 }),
})
const NAMES = Object.getOwnPropertyNames(Oracle.prototype).filter(name => name !== 'constructor' && name !== 'run')
const operation = fc
  .tuple(fc.constantFrom(...(NAMES as Name[])), data, fc.array(data, { maxLength: 3 }))
  .map(([op, one, rows]): Operation => ({ op, rows, ...one }))

const open = () => localDatabase({ rows: Row })
type Rows = ReturnType<typeof open>['tables']['rows']

async function perform(rows: Rows, { op, rows: many, id, email, n }: Operation): Promise<unknown> {
  switch (op) {
    case 'create':
      return (await rows.create({ id, email, n })).id
    case 'update':
      return (await rows.update(id, { email, n })).id
    case 'upsertByEmail':
      return (await rows.upsert({ id, email, n }, { on: 'email' })).id
    case 'upsertByKey':
      return (await rows.upsert({ id, email, n })).id
    case 'bulkUpdate':
      return (await rows.bulkUpdate({ where: { n }, set: { n: (n + 1) % 3 } })).count
    case 'bulkUpsert':
      return (await rows.bulkUpsert(many, { on: 'email' })).count
    case 'bulkDelete':
    case 'bulkRestore':
    case 'bulkPurge':
      return (await rows[op]({ where: { n } })).count
    case 'restore':
      return (await rows.restore(id)).id
    default:
      return rows[op](id)
  }
}

test('answers and rows are what the oracle says', async () => {
  await fc.assert(
    fc.asyncProperty(fc.array(operation, { minLength: 1, maxLength: 25 }), async operations => {
      const db = open()
      const oracle = new Oracle()
      for (const each of operations) {
        const answer = await perform(db.tables.rows, each).catch((error: unknown) => {
          if (DataFlowError.is(error)) return error.code
          throw error
        })
        expect(answer, each.op).toEqual(oracle.run(each))
        const stored = await db.tables.rows.list({ withDeleted: true })
        const plain = stored.map(({ deletedAt, ...row }) => ({ ...row, gone: deletedAt !== null }))
        expect(plain, each.op).toEqual([...oracle.rows].sort((a, b) => a.id - b.id))
        expect(await db.tables.rows.list()).toEqual(stored.filter(row => row.deletedAt === null))
      }
      await db.close()
    }),
    { numRuns: 60 },
  )
})
