// Rows of an iterable, and of a large array, on a handle that is bound to a scope.
import { expect, test } from 'vitest'
import { dataflow, model, t } from '../../src/index.js'
import { freshName } from '../support/local.js'
import { caught, useOrigin } from './support.js'

useOrigin()

const Task = model('Task', { id: t.integer().primaryKey(), tenantId: t.text(), title: t.text() }, { scope: 'tenantId' })

test('they are bound to it, on the page and in the worker', async () => {
  const db = dataflow(freshName(), { models: { tasks: Task }, storage: 'memory' })
  const [a, b] = [db.scope({ tenantId: 'a' }), db.scope({ tenantId: 'b' })]
  const rows = (from: number, count: number) => Array.from({ length: count }, (_, i) => ({ id: from + i, title: 'x' }))
  expect(await a.tasks.bulkCreate(new Set(rows(0, 500)))).toMatchObject({ count: 500 })
  expect(await b.tasks.bulkCreate(rows(1000, 500))).toMatchObject({ count: 500 })
  expect(await db.tasks.count({ tenantId: 'a' })).toBe(500)
  expect(await b.tasks.count()).toBe(500)
  const foreign = new Set([{ id: 2000, title: 'x', tenantId: 'a' }])
  expect(await caught(b.tasks.bulkCreate(foreign as never))).toMatchObject({ kept: 0 })
  expect(await caught(b.tasks.bulkUpsert(new Set(rows(0, 1))))).toMatchObject({ code: 'UNIQUE', kept: 0 })
  expect(await db.tasks.count({ tenantId: 'a' })).toBe(500)
  await db.close()
})
