// What the compiler says of scopes. Compiled by `tsc -b`; a wrong line is an error there.
import { test } from 'vitest'
import { dataflow, model, sql, t, type Scoped, type ScopeValues } from '../../src/index.js'
import { models, User } from './support.js'

type Eq<A, B> = (<T>() => T extends A ? 1 : 2) extends <T>() => T extends B ? 1 : 2 ? true : false
const ok = <T extends true>(...values: T[]) => void values
/** Compiled, never called. */
const compiled = (body: () => unknown) => void body
const db = dataflow('app', { models })
type Models = typeof models

ok<Eq<ScopeValues<Models>, { readonly tenantId: string }>>()
ok<Eq<keyof Scoped<Models>, 'users' | 'posts' | 'comments' | 'roles' | 'run' | 'batch' | 'execute' | 'transaction'>>()

compiled(async () => {
  const own = db.scope({ tenantId: 'a' })
  const row = await own.users.create({ email: 'ada@example.com' })
  ok<Eq<typeof row, NonNullable<Awaited<ReturnType<typeof db.users.read<keyof typeof row>>>>>>()
  ok<Eq<(typeof row)['tenantId'], string>>()
  await own.users.create({ email: 'ada@example.com', tenantId: 'a' })
  await own.users.upsert({ email: 'ada@example.com' }, { on: 'email', update: { name: 'Ada' } })
  await own.users.bulkCreate([{ email: 'ada@example.com' }])
  await own.users.list({ where: { tenantId: 'a' }, orderBy: { tenantId: 'asc' }, select: ['tenantId'] })
  const roles = await own.roles.list({ select: ['name'] })
  ok<Eq<typeof roles, { name: string }[]>>()
  const [count, list] = await own.batch([User.count(), User.list({ select: ['id'] })])
  ok<Eq<typeof count, number>>()
  ok<Eq<typeof list, { id: string }[]>>()
  await own.transaction(async tx => {
    await tx.users.create({ email: 'ada@example.com' })
    tx.afterCommit(() => {})
    // @ts-expect-error a transaction of a scope runs no SQL
    await tx.sql`select 1`
    // @ts-expect-error a scope sees nothing of this model
    await tx.secrets.list()
  })
  await db.transaction(async tx => {
    await tx.scope({ tenantId: 'a' }).users.create({ email: 'ada@example.com' })
    // @ts-expect-error no such key
    tx.scope({ tenant: 'a' })
  })
  // @ts-expect-error without the scope the field is needed
  await db.users.create({ email: 'ada@example.com' })
  // @ts-expect-error another field is left out
  await own.users.create({ name: 'Ada' })
  // @ts-expect-error a scope does not change its field
  await own.users.update('x', { tenantId: 'b' })
  // @ts-expect-error nor in bulk
  await own.users.bulkUpdate({ all: true, set: { tenantId: 'b' } })
  // @ts-expect-error nor where the row is there
  await own.users.upsert({ email: 'x' }, { update: { tenantId: 'b' } })
  // @ts-expect-error nothing of this model is seen
  await own.secrets.list()
  // @ts-expect-error what is shared is only read
  await own.roles.create({ name: 'Admin' })
  // @ts-expect-error in bulk too
  await own.roles.bulkDelete({ all: true })
  // @ts-expect-error no SQL
  await own.sql`select 1`
  // @ts-expect-error no SQL, whoever runs it
  await own.run(sql`select 1`)
  // @ts-expect-error no SQL in a batch
  await own.batch([sql`select 1`])
  // @ts-expect-error the whole database is not a scope's
  await own.export()
  // @ts-expect-error nor are its migrations
  await own.migrations.apply()
  // @ts-expect-error a scope has no scope
  own.scope({ tenantId: 'b' })
  // @ts-expect-error a key that no model is scoped by
  db.scope({ tenantId: 'a', userId: 'b' })
  // @ts-expect-error the key is missing
  db.scope({})
  // @ts-expect-error of another type
  db.scope({ tenantId: 1 })
  // @ts-expect-error null is no scope
  db.scope({ tenantId: null })
  const plain = dataflow('plain', { models: { roles: model('Role', { id: t.id() }) } })
  // @ts-expect-error no model is scoped
  plain.scope({ tenantId: 'a' })

  const Two = model('Two', { id: t.id(), a: t.text(), b: t.integer() }, { scope: ['a', 'b'] })
  const two = dataflow('two', { models: { twos: Two } })
  ok<Eq<Parameters<typeof two.scope>[0], { readonly a: string; readonly b: number }>>()
  await two.scope({ a: 'x', b: 1 }).twos.create({})

  // @ts-expect-error no such field
  model('Bad', { id: t.id(), a: t.text() }, { scope: 'b' })
  // @ts-expect-error the key
  model('Bad', { id: t.id(), a: t.text() }, { scope: 'id' })
  // @ts-expect-error a field that can be null
  model('Bad', { id: t.id(), a: t.text().nullable() }, { scope: 'a' })
  // @ts-expect-error both
  model('Bad', { id: t.id(), a: t.text() }, { scope: 'a', shared: true })
  // @ts-expect-error true, or left out
  model('Bad', { id: t.id() }, { shared: false })
})

test('the declarations above are compiled', () => {})
