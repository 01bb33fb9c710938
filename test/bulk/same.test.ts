// Rows as an array of operations cross one way, those of an iterable another: what becomes of them is the same.
import fc from 'fast-check'
import { expect, test } from 'vitest'
import type { DataFlowError } from '../../src/index.js'
import { open, useOrigin } from './support.js'

useOrigin()

const few = fc.integer({ min: 0, max: 5 })
const anyRow = fc.record(
  {
    id: few.map(id => `u${id}`),
    email: few.map(n => `${n}@`),
    name: fc.string({ unit: 'grapheme', maxLength: 4 }),
    age: fc.option(fc.oneof(few, fc.constant(1.5))),
  },
  { requiredKeys: ['id', 'email'] },
)
const anyCall = fc.oneof(
  fc.record({ method: fc.constant('bulkCreate' as const), onConflict: fc.constantFrom('fail', 'skip', 'update') }),
  fc.record({ method: fc.constant('bulkUpsert' as const), on: fc.constantFrom('id', 'email') }),
)

test('the same rows are there, the same are told to have failed', async () => {
  const [one, other] = [open(), open()]
  const outcome = async (work: Promise<{ count: number; errors: { index: number; error: DataFlowError }[] }>) => {
    try {
      const { count, errors } = await work
      return { count, errors: errors.map(({ index, error }) => [index, error.code, error.fields]) }
    } catch (error) {
      const { code, fields, issues } = error as DataFlowError
      return { code, fields, issues }
    }
  }
  await fc.assert(
    fc.asyncProperty(
      fc.array(fc.tuple(anyCall, fc.constantFrom('abort', 'collect'), fc.array(anyRow, { maxLength: 8 })), {
        maxLength: 4,
      }),
      async calls => {
        for (const db of [one, other]) await db.users.bulkDelete({ all: true })
        for (const [{ method, ...own }, onError, rows] of calls) {
          const options = { ...own, onError } as never
          const write = (db: typeof one, given: unknown) =>
            outcome(db.users[method as 'bulkCreate'](given as never, options))
          const asArray = await write(one, rows)
          expect(await write(other, new Set(rows))).toEqual(asArray)
          expect(await other.users.list()).toEqual(await one.users.list())
        }
      },
    ),
    { numRuns: 60 },
  )
  await Promise.all([one.close(), other.close()])
})
