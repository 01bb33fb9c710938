// db.scope() on the page: what it takes, what it gives and what it refuses.
import { describe, expect, test } from 'vitest'
import { dataflow, sql } from '../../src/index.js'
import { RESERVED_ACCESSORS } from '../../src/resolve.js'
import { useOrigin } from '../whole/support.js'
import { failure, models, User } from './support.js'

useOrigin()
const open = () => dataflow('app', { models, storage: 'memory' })
const refusal = (work: () => unknown) => failure((async () => work())())

test('is synchronous, and starts nothing', () => {
  const own = open().scope({ tenantId: 'a' })
  expect(own.users).toBeDefined()
  expect(Object.keys(own).sort()).toEqual([...Object.keys(models), 'batch', 'execute', 'run', 'transaction'].sort())
})

test.each<[string, unknown, string]>([
  ['nothing', undefined, 'BAD_OPTION'],
  ['null', null, 'BAD_OPTION'],
  ['a text', 'a', 'BAD_OPTION'],
  ['a key that no model is scoped by', { tenantId: 'a', tenant: 'b' }, 'BAD_OPTION'],
  ['no key', {}, 'VALIDATION'],
  ['undefined', { tenantId: undefined }, 'VALIDATION'],
  ['a value of null', { tenantId: null }, 'VALIDATION'],
  ['a value of another type', { tenantId: 7 }, 'VALIDATION'],
  ['a value that one of the models does not take', { tenantId: 'longer than ten' }, 'VALIDATION'],
])('refuses %s at once', async (_, values, code) => {
  const db = open()
  expect(await refusal(() => db.scope(values as never))).toMatchObject({ code })
})

test('what is not there says why, by its name', async () => {
  const db = open()
  const own: any = db.scope({ tenantId: 'a' })
  const names = RESERVED_ACCESSORS.filter(name => !['run', 'batch', 'execute', 'transaction', 'then'].includes(name))
  for (const name of names) {
    expect(await refusal(() => own[name]), name).toMatchObject({
      code: 'READONLY',
      message: expect.stringContaining(`A scope has no ${name}`),
    })
  }
  expect((await refusal(() => own.sql`select 1`)).code).toBe('READONLY')
  expect((await refusal(() => own.run(sql`select 1`))).code).toBe('READONLY')
  expect((await refusal(() => own.batch([User.count(), sql`select 1`]))).code).toBe('READONLY')
  expect((await refusal(() => own.migrations.apply())).code).toBe('READONLY')
  // A handle can be awaited, printed and spread.
  expect(await own).toBe(own)
  expect({ ...own }.users).toBe(own.users)
})

describe('transactions', () => {
  test('of a scope are bound to it', async () => {
    const db = open()
    const [a, b] = [db.scope({ tenantId: 'a' }), db.scope({ tenantId: 'b' })]
    await b.users.create({ id: 'b1', email: 'b@x' })
    let saved = false
    await a.transaction(async tx => {
      await tx.users.create({ id: 'a1', email: 'a@x' })
      expect(await tx.users.list({ select: ['id', 'tenantId'] })).toEqual([{ id: 'a1', tenantId: 'a' }])
      expect(await tx.batch([User.count(), User.delete('b1')])).toEqual([1, false])
      expect((await refusal(() => (tx as any).sql)).code).toBe('READONLY')
      expect((await refusal(() => tx.run(sql`select 1` as never))).code).toBe('READONLY')
      expect((await refusal(() => (tx as any).scope({ tenantId: 'b' }))).code).toBe('READONLY')
      tx.afterCommit(() => (saved = true))
    })
    expect(saved).toBe(true)
    expect(await db.users.count()).toBe(2)
    await expect(
      a.transaction(async tx => {
        await tx.users.delete('a1')
        throw new Error('no')
      }),
    ).rejects.toThrow('no')
    expect(await a.users.count()).toBe(1)
  })

  test('of the database can be bound in part', async () => {
    const db = open()
    await db.transaction(async tx => {
      const own = tx.scope({ tenantId: 'a' })
      await own.users.create({ id: 'a1', email: 'a@x' })
      await tx.users.create({ id: 'b1', email: 'a@x', tenantId: 'b' })
      expect(await own.users.count()).toBe(1)
      expect(await tx.users.count()).toBe(2)
      expect((await refusal(() => (own as any).scope)).code).toBe('READONLY')
      const undone = own.savepoint(async inner => {
        await inner.users.create({ id: 'a2', email: 'b@x' })
        throw new Error('no')
      })
      await expect(undone).rejects.toThrow('no')
    })
    expect(await db.users.count()).toBe(2)
  })
})

test('iterate, aborting and durability go through', async () => {
  const own = open().scope({ tenantId: 'a' })
  const rows = Array.from({ length: 5 }, (_, i) => ({ email: `${i}@x` }))
  expect((await own.users.bulkCreate(rows, { durability: 'deferred' })).count).toBe(5)
  let count = 0
  for await (const row of own.users.iterate({ chunk: 2, select: ['tenantId'] })) {
    expect(row).toEqual({ tenantId: 'a' })
    count++
  }
  expect(count).toBe(5)
  expect((await refusal(() => own.users.count({}, { signal: AbortSignal.abort() }))).code).toBe('ABORTED')
})
