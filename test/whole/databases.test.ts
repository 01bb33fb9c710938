// Databases that are not open: listed, and deleted with everything in them.
import { expect, test, vi } from 'vitest'
import { dataflow } from '../../src/index.js'
import { failureOf, models, useOrigin } from './support.js'

useOrigin()

test('lists the databases of this origin by their names', async () => {
  expect(await dataflow.databases()).toEqual([])
  for (const name of ['one', 'two']) await dataflow(name, { models }).users.count()
  indexedDB.open('of somebody else')
  await dataflow('nothing saved', { models, storage: 'memory' }).users.count()
  expect(await dataflow.databases()).toEqual([{ name: 'one' }, { name: 'two' }])
})

test('deletes one with its backups; the others stay', async () => {
  const [one, two] = ['one', 'two'].map(name => dataflow(name, { models }))
  await one!.users.create({ name: 'Ada' })
  await one!.backup()
  await two!.users.create({ name: 'Bob' })
  await one!.close()
  await dataflow.delete('one')
  expect(await dataflow.databases()).toEqual([{ name: 'two' }])
  const again = dataflow('one', { models })
  expect(await again.users.count()).toBe(0)
  expect(await again.backups()).toEqual([])
  expect(await two!.users.count()).toBe(1)
  await dataflow.delete('never made')
})

test('one that is open is LOCKED, and nothing is deleted; closed in time, it is deleted', async () => {
  const db = dataflow('app', { models })
  await db.users.create({ name: 'Ada' })
  const error = await failureOf(dataflow.delete('app', { maxWaitForOwner: 10 }))
  expect(error.message).toBe(
    "[LOCKED] The database 'app' is open. Hint: close it with db.close(), here and in other tabs, or wait longer with maxWaitForOwner.",
  )
  expect(error.retryable).toBe(true)
  expect(await db.users.count()).toBe(1)
  const deleting = dataflow.delete('app')
  await db.close()
  await deleting
  expect(await dataflow.databases()).toEqual([])
})

test('wrong calls are BAD_OPTION; a browser that cannot is told so', async () => {
  for (const call of [
    () => dataflow.delete(''),
    () => dataflow.delete('a', { wait: 1 } as never),
    () => dataflow.delete('a', { maxWaitForOwner: -1 }),
  ]) {
    expect((await failureOf(call())).code).toBe('BAD_OPTION')
  }
  vi.stubGlobal('indexedDB', { open() {} })
  expect((await failureOf(dataflow.databases())).code).toBe('STORAGE')
  vi.stubGlobal('navigator', {})
  expect((await failureOf(dataflow.delete('a'))).code).toBe('WORKER_LOAD')
})
