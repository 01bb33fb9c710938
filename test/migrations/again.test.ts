// A migration that was kept from running runs as a whole the next time: after a retry, an import, a close, a full disk.
import { expect, test, vi } from 'vitest'
import { model, sql, t } from '../../src/index.js'
import { useOrigin } from '../whole/support.js'
import { failureOf, firstRelease, release, User } from './support.js'

useOrigin()
const Wider = model('User', { ...User.$fields, nick: t.text().nullable() })

test("retry runs the whole plan again, the page's part too", async () => {
  await firstRelease()
  let broken = true
  const up = async (tx: any) => {
    if (broken) throw new Error('not yet')
    await tx.users.update('a', { nick: 'ada' })
  }
  const db = release({ users: Wider }, { migrations: { data: [{ id: 'nick', up }] } })
  expect(await failureOf(db.users.list())).toMatchObject({ code: 'MIGRATION_FAILED' })
  expect(await failureOf(db.retry('users'))).toMatchObject({ code: 'MIGRATION_FAILED' })
  broken = false
  expect(await failureOf(db.users.list())).toMatchObject({ code: 'MIGRATION_FAILED' }) // the breaker
  await db.retry('users')
  expect(await db.users.list()).toEqual([{ id: 'a', name: 'Ada', nick: 'ada' }])
  expect((await db.migrations.history()).map(({ status }) => status)).toEqual([
    'applied',
    'failed',
    'failed',
    'applied',
  ])
  await db.close()
})

test('a file of an earlier release is migrated by its import, and its data steps run before the next call', async () => {
  await firstRelease()
  const old = release({ users: User })
  const file = await old.export()
  await old.close()
  const ran = vi.fn()
  const db = release(
    { users: Wider },
    {
      migrations: {
        onDestructive: 'apply',
        data: [
          { id: 'sql', up: sql`update users set name = upper(name)` },
          { id: 'page', up: async (tx: any) => void (ran(), await tx.users.update('a', { nick: 'x' })) },
        ],
      },
    },
  )
  expect(await db.users.list()).toEqual([{ id: 'a', name: 'ADA', nick: 'x' }])
  await db.import(file)
  expect(await db.users.list()).toEqual([{ id: 'a', name: 'ADA', nick: 'x' }])
  expect(ran).toHaveBeenCalledTimes(2)
  await db.close()
})

test('closed in the middle of a data step: nothing is recorded, the next start runs it', async () => {
  await firstRelease()
  let began = () => {}
  const running = new Promise<void>(resolve => (began = resolve))
  const forever = () => new Promise<never>(() => began())
  const db = release({ users: Wider }, { migrations: { data: [{ id: 'x', up: forever }] } })
  const opened = failureOf(db.users.list())
  await running
  await db.close()
  expect(await opened).toMatchObject({ code: 'CLOSED' })
  const next = release({ users: Wider }, { migrations: { data: [{ id: 'x', up: async () => {} }] } })
  expect((await next.ready).applied.map(step => step.kind)).toEqual(['addColumn', 'data'])
  expect((await next.migrations.history()).map(({ status }) => status)).toEqual(['applied', 'applied'])
  await next.close()
})
