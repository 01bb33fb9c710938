import { expect, test } from 'vitest'
import * as z from 'zod'
import { model, sql, t } from '../src/index.js'
import { freshName, localDatabase } from './support/local.js'

const User = model('User', {
  id: t.id(),
  email: t.text().unique(),
  name: t.text(),
  role: t.enum(['admin', 'member']).default('member'),
  age: t.integer().nullable(),
  active: t.boolean().default(true),
  settings: t.json(z.object({ theme: z.enum(['dark', 'light']).default('light') })),
  avatar: t.blob().nullable(),
  balance: t.bigint().default(0n),
  score: t.real().default(0),
  born: t.date().nullable(),
  createdAt: t.createdAt(),
  updatedAt: t.updatedAt(),
  v: t.version(),
})
const Post = model('Post', { id: t.autoId(), authorId: t.ref('User', { onDelete: 'cascade' }), title: t.text() })

test('smoke', async () => {
  const name = freshName()
  const db = localDatabase({ users: User, posts: Post }, { name, storage: 'indexeddb' })
  const ada = await db.tables.users.create({
    email: 'a@b.c',
    name: 'Ada',
    settings: {},
    balance: 2n ** 60n,
    avatar: new Uint8Array([1, 2]),
  })
  expect(await db.tables.users.read(ada.id)).toEqual(ada)
  const c = await db.count(() => db.tables.users.create({ email: 'b@b.c', name: 'Bob', settings: {} }))
  expect(c).toMatchObject({ executed: 1, control: 0 })
  const upd = await db.tables.users.update(ada.id, { age: 36, score: { $inc: 1.5 }, balance: { $inc: 1n } })
  expect(upd).toMatchObject({ age: 36, score: 1.5, balance: 2n ** 60n + 1n, v: 2 })
  await expect(db.tables.users.create({ email: 'a@b.c', name: 'X', settings: {} })).rejects.toMatchObject({
    code: 'UNIQUE',
    fields: ['email'],
    model: 'User',
  })
  const p = await db.tables.posts.create({ authorId: ada.id, title: 't' })
  expect(p).toEqual({ id: 1, authorId: ada.id, title: 't' })
  expect(await db.tables.users.list({ where: { age: { $gte: 1 } } })).toEqual([upd])
  expect(await db.sql`select count(*) as n from users where id = ${ada.id}`).toEqual([{ n: 1 }])
  const r = await db.tables.users.bulkCreate(
    Array.from({ length: 1000 }, (_, i) => ({ email: `${i}@x`, name: `n${i}`, settings: {} })),
  )
  expect(r.count).toBe(1000)
  const page = await db.tables.users.page({ limit: 10, orderBy: { name: 'desc' } })
  expect(page.items.length).toBe(10)
  expect(await db.tables.users.delete(ada.id)).toBe(true)
  expect(await db.tables.posts.count()).toBe(0)
  await db.close()
  const again = localDatabase({ users: User, posts: Post }, { name, storage: 'indexeddb' })
  const first = await again.count(() => again.tables.users.count())
  expect(first).toMatchObject({ result: 1001, executed: 1 })
  console.log(
    JSON.stringify(await again.engine.metrics()),
    again.events,
    await again.sql`select * from dataflow_migrations`,
  )
  void sql
})
