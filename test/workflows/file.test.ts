// A workflow that is a JSON file is run as it is.
import { readFileSync } from 'node:fs'
import { expect, test } from 'vitest'
import { model, t } from '../../src/index.js'
import { localDatabase } from '../support/local.js'

const User = model('User', {
  id: t.id(),
  email: t.text().unique(),
  name: t.text(),
  posts: t.integer().default(0),
})
const Post = model('Post', {
  id: t.id(),
  authorId: t.ref('User', { inverse: 'written' }),
  title: t.text(),
  at: t.date(),
  size: t.bigint(),
})

test('A workflow from a file', async () => {
  const db = localDatabase({ users: User, posts: Post })
  const file = JSON.parse(readFileSync(new URL('./signup.json', import.meta.url), 'utf8'))
  const { results } = await db.execute(file, { parameters: { read: { id: 'nobody' } } })
  expect(results.author).toMatchObject({ created: true, action: 'created', record: { name: 'Ada', posts: 0 } })
  expect(results.post).toMatchObject({ at: new Date('2026-01-02T03:04:05.678Z'), size: 2n ** 53n + 1n })
  expect(results.posts).toEqual({ records: [results.post], count: 1, limit: 3 })
  expect(results.counted).toMatchObject({ name: 'Ada L.', posts: 1, rows_affected: 1, updated: true })
  expect(results.check).toEqual({ records: [{ n: 1 }], count: 1 })
  expect(results.read).toEqual({ found: false })
  const again = await db.execute(file, { parameters: { read: { id: results.counted.id } } })
  expect(again.results).toMatchObject({ author: { created: false }, posts: { count: 2 }, read: { found: true } })
  expect(again.runId).not.toBe((await db.execute(file, { parameters: { read: { id: 'x' } } })).runId)
})
