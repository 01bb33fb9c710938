// The page's part in a migration: hooks and data steps, in its transaction, each once; what they may not do.
import { expect, test, vi } from 'vitest'
import { model, sql, t, type MigrationPlan, type MigrationReport } from '../../src/index.js'
import { useOrigin } from '../whole/support.js'
import { failureOf, firstRelease, release, User } from './support.js'

useOrigin()
const Wider = model('User', { ...User.$fields, nick: t.text().nullable() })

test('before gets the plan, after the report; neither is called when nothing is due, nor for a new table', async () => {
  await firstRelease()
  const calls: unknown[] = []
  const migrations = {
    before: (plan: MigrationPlan) => void calls.push(plan),
    after: (report: MigrationReport) => void calls.push(report),
  }
  const db = release({ users: Wider }, { migrations })
  const report = await db.ready
  expect(calls).toEqual([
    expect.objectContaining({ steps: report.applied, destructive: false, obstacles: [], differences: [] }),
    report,
  ])
  await db.close()
  const again = release({ users: Wider, tags: model('Tag', { id: t.id() }) }, { migrations })
  await again.ensure()
  expect(calls).toHaveLength(2)
  await again.close()
})

test('a before that throws keeps everything as it was, recorded as failed', async () => {
  await firstRelease()
  const stop = () => Promise.reject(new Error('not on this device'))
  const db = release({ users: Wider }, { migrations: { before: stop } })
  const error = await failureOf(db.users.list())
  expect(error).toMatchObject({ code: 'MIGRATION_FAILED', message: expect.stringMatching(/not on this device/) })
  expect((await db.migrations.history()).map(({ status }) => status)).toEqual(['applied', 'failed'])
  expect(await db.sql`select * from users`).toEqual([{ id: 'a', name: 'Ada' }])
  expect(await db.migrations.status()).toMatchObject({
    upToDate: false,
    failed: { version: '000002', name: 'alter users', error: expect.stringMatching(/not on this device/) },
  })
  await db.close()
  const next = release({ users: Wider })
  expect(await next.users.list()).toEqual([{ id: 'a', name: 'Ada', nick: null }])
  expect(await next.migrations.status()).toMatchObject({ upToDate: true, failed: null })
  await next.close()
})

test('an after that throws undoes nothing; it is told as an event', async () => {
  await firstRelease()
  const wrong = () => {
    throw new Error('after all')
  }
  const db = release({ users: Wider }, { migrations: { after: wrong } })
  const told: string[] = []
  db.on('error', error => told.push(error.message))
  expect(await db.users.count()).toBe(1)
  expect(told).toEqual([expect.stringMatching(/after all/)])
  await db.close()
})

test('data steps run in declared order, each once, by their ids; a later release runs only the new ones', async () => {
  await firstRelease()
  const ran: string[] = []
  const step = (id: string) => ({ id, up: async () => void ran.push(id) })
  const one = release({ users: User }, { migrations: { data: [step('b'), step('a')] } })
  await one.ready
  await one.close()
  const two = release({ users: User }, { migrations: { data: [step('b'), step('new'), step('a')] } })
  expect((await two.ready).applied.map(({ kind, description }) => [kind, description])).toEqual([
    ['data', 'data step new'],
  ])
  expect(ran).toEqual(['b', 'a', 'new'])
  const [row] = await two.sql<any>`select model_definitions from dataflow_model_registry where status = 'data'`
  expect(JSON.parse(row.model_definitions)).toEqual(['b', 'a', 'new'])
  await two.close()
  const three = release({ users: User }, { migrations: { data: [step('a')] } })
  expect(await three.ready).toMatchObject({ applied: [], cached: true })
  await three.close()
})

test('a new database needs no data step, now or later', async () => {
  const up = vi.fn(async () => {})
  const migrations = { data: [{ id: 'once', up }] }
  for (let start = 0; start < 2; start++) {
    const db = release({ users: User }, { migrations })
    await db.users.count()
    expect(await db.migrations.status()).toMatchObject({ pendingData: [], upToDate: true })
    await db.close()
  }
  expect(up).not.toHaveBeenCalled()
})

test('a data step sees new tables by tx, removed ones by SQL, and is told of its progress', async () => {
  const Address = model('Address', { id: t.id(), userId: t.ref('User'), city: t.text() })
  const first = release({ users: User, addresses: Address })
  await first.users.create({ id: 'a', name: 'Ada' })
  await first.batch([Address.create({ id: '1', userId: 'a', city: 'London' })])
  await first.close()

  // Merged: the removed model's rows are read before its table goes.
  const Merged = model('User', { ...User.$fields, city: t.text().nullable() })
  const Visit = model('Visit', { id: t.id(), userId: t.ref('User') })
  const progress: [number, number][] = []
  const db = release(
    { users: Merged, visits: Visit },
    {
      migrations: {
        onDestructive: 'apply',
        data: [
          {
            id: 'merge',
            async up(tx: any) {
              for (const { userId, city } of await tx.sql`select userId, city from addresses`) {
                await tx.users.update(userId, { city })
                await tx.visits.create({ id: 'v', userId })
              }
            },
          },
        ],
      },
    },
  )
  db.on('migrating', ({ done, total }) => progress.push([done, total]))
  const { applied } = await db.ready
  expect(applied.map(step => step.kind)).toEqual(['addColumn', 'createTable', 'createIndex', 'data', 'dropTable'])
  expect(progress).toEqual([0, 1, 2, 3, 4].map(done => [done, 5]))
  expect(await db.sql`select u.city, v.id from users u join visits v on v.userId = u.id`).toEqual([
    { city: 'London', id: 'v' },
  ])
  expect(await db.sql`select name from sqlite_schema where name = 'addresses'`).toEqual([])
  await db.close()
})

test('a step that leaves a reference to nothing is refused before the commit', async () => {
  await firstRelease()
  const Post = model('Post', { id: t.id(), userId: t.ref('User') })
  const up = (tx: any) => tx.batch([Post.create({ id: 'p', userId: 'nobody' })])
  const db = release({ users: User, posts: Post }, { migrations: { data: [{ id: 'x', up }] } })
  expect(await failureOf(db.users.count())).toMatchObject({
    code: 'MIGRATION_FAILED',
    message: expect.stringMatching(/posts that refer to no row of users \(1\)/),
  })
  expect(await db.sql`select name from sqlite_schema where name = 'posts'`).toEqual([])
  await db.close()
})

test('the database itself cannot be called in a hook: at once, or when the hook waits for it', async () => {
  await firstRelease()
  const seen: unknown[] = []
  const first: { db?: ReturnType<typeof release> } = {}
  const data = [
    {
      id: 'wrong',
      async up() {
        seen.push(await failureOf(first.db!.users.count()))
        await Promise.resolve()
        seen.push(await failureOf(first.db!.users.count()))
      },
    },
  ]
  first.db = release({ users: User }, { migrations: { data } })
  expect(await first.db.users.count()).toBe(1)
  const refused = expect.objectContaining({ code: 'BAD_OPTION', hint: expect.stringMatching(/only tx/) })
  expect(seen).toEqual([refused, refused])
  await first.db.close()
})

test('what others call meanwhile waits until it is done', async () => {
  await firstRelease()
  let began = () => {}
  const running = new Promise<void>(resolve => (began = resolve))
  const data = [
    {
      id: 'slow',
      async up(tx: any) {
        began()
        for (let i = 0; i < 20; i++) await tx.users.create({ id: `n${i}`, name: 'x' })
      },
    },
  ]
  const db = release({ users: User }, { migrations: { data } })
  const opened = db.ready
  await running
  expect(await db.users.count()).toBe(21)
  await opened
  await db.close()
})

test('a SQL step runs in the worker; its rows are counted in the ledger, its text is kept', async () => {
  await firstRelease([
    { id: 'a', name: 'Ada' },
    { id: 'b', name: 'Bob' },
  ])
  const db = release(
    { users: User },
    { migrations: { data: [{ id: 'up', up: sql`update users set name = upper(name)` }] } },
  )
  expect(await db.users.list()).toEqual([
    { id: 'a', name: 'ADA' },
    { id: 'b', name: 'BOB' },
  ])
  const entry = (await db.migrations.history()).at(-1)!
  expect(entry.operations).toEqual([
    {
      operation_type: 'data',
      table_name: '',
      description: 'data step up',
      sql_up: ['update users set name = upper(name)'],
      sql_down: null,
      rows: 2,
      ms: expect.any(Number),
    },
  ])
  await db.close()
})

test('apply runs what is due with autoMigrate: false, hooks and data steps too', async () => {
  await firstRelease()
  const ran: string[] = []
  const migrations = { before: () => void ran.push('before'), data: [{ id: 'x', up: async () => void ran.push('x') }] }
  const db = release({ users: Wider }, { autoMigrate: false, migrations })
  expect(await failureOf(db.users.count())).toMatchObject({ code: 'SCHEMA_MISMATCH' })
  expect((await db.migrations.plan()).steps.map(step => step.kind)).toEqual(['addColumn', 'data'])
  expect(ran).toEqual([])
  expect((await db.migrations.apply()).applied).toHaveLength(2)
  expect(ran).toEqual(['before', 'x'])
  expect(await db.users.count()).toBe(1)
  await db.close()
})

test.each([
  [{ onDestructive: 'never' }, /onDestructive/],
  [{ onNewer: 'never' }, /onNewer/],
  [{ befor: () => {} }, /befor/],
  [{ data: [{ id: '', up: sql`select 1` }] }, /id/],
  [{ data: [{ id: 'x', up: 'select 1' }] }, /does nothing/],
  [
    {
      data: [
        { id: 'x', up: sql`select 1` },
        { id: 'x', up: sql`select 2` },
      ],
    },
    /Two data steps/,
  ],
])('%j is BAD_OPTION', (migrations, text) => {
  expect(() => release({ users: User }, { migrations: migrations as never })).toThrow(text)
})

test('a data step that loses the transaction and goes on as if it had not: nothing of the migration is done', async () => {
  await firstRelease()
  const codes: string[] = []
  const db = release(
    { users: Wider },
    {
      migrations: {
        data: [
          {
            id: 'loses',
            async up(tx: any) {
              const lost = await failureOf(tx.sql`insert or rollback into users (id, name) values ('a', 'again')`)
              codes.push(lost.code, (await failureOf(tx.sql`update users set name = 'outside'`)).code)
            },
          },
          { id: 'after', up: sql`update users set name = 'after'` },
        ],
      },
    },
  )
  expect(await failureOf(db.users.list())).toMatchObject({
    code: 'MIGRATION_FAILED',
    message: expect.stringMatching(/rolled the whole transaction back/),
  })
  expect(codes).toEqual(['UNIQUE', 'UNIQUE'])
  expect(await db.sql`select * from users`).toEqual([{ id: 'a', name: 'Ada' }])
  expect((await db.migrations.history()).map(({ status }) => status)).toEqual(['applied', 'failed'])
  await db.close()
})
