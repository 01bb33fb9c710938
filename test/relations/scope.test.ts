// Relations of a scope: its rows only, at every level, and no models that it does not see.
import { expect, test } from 'vitest'
import { model, t } from '../../src/index.js'
import { failureOf } from '../ensure/support.js'
import { localDatabase } from '../support/local.js'

const User = model('User', { id: t.id(), team: t.text() }, { scope: 'team' })
const Post = model(
  'Post',
  { id: t.id(), team: t.text(), userId: t.ref('User'), kindId: t.ref('Kind'), secretId: t.ref('Secret').nullable() },
  { scope: 'team' },
)
const Kind = model('Kind', { id: t.id() }, { shared: true })
const Secret = model('Secret', { id: t.id() })
const models = { users: User, posts: Post, kinds: Kind, secrets: Secret }

test('rows of the scope only, in both directions and through shared rows; other models are not seen', async () => {
  const db = localDatabase(models)
  await db.tables.kinds.create({ id: 'k' })
  for (const team of ['a', 'b']) {
    await db.tables.users.create({ id: `u${team}`, team })
    await db.tables.posts.create({ id: `p${team}`, team, userId: `u${team}`, kindId: 'k' })
  }
  // What raw SQL or an older build may have left: a reference into another scope.
  await db.tables.posts.create({ id: 'x', team: 'a', userId: 'ub', kindId: 'k' })
  const a: any = db.scope({ team: 'a' }).tables
  expect(await a.kinds.list({ include: { posts: { include: { user: { select: ['id'] } } } } })).toMatchObject([
    {
      id: 'k',
      posts: [
        { id: 'pa', user: { id: 'ua' } },
        { id: 'x', user: null },
      ],
    },
  ])
  expect(await a.kinds.count({ posts: { $some: { user: { id: 'ub' } } } })).toBe(0)
  expect(await a.posts.count({ user: null })).toBe(1)
  for (const call of [
    a.posts.list({ include: { secret: true } }),
    a.posts.count({ secret: null }),
    a.kinds.list({ include: { posts: { where: { secret: {} } } } }),
    a.posts.bulkDelete({ where: { secret: { id: 's' } } }),
  ]) {
    expect(await failureOf(call)).toMatchObject({ code: 'UNKNOWN_MODEL' })
  }
  await db.close()
})
