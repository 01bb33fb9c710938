// How SQLite finds the rows of a scope: never all of them for the few that are asked for.
import { expect, test } from 'vitest'
import { sql } from '../../src/index.js'
import { tenants } from './support.js'

const { db, a } = tenants()

async function planOf(work: () => Promise<unknown>): Promise<string> {
  await work()
  const event = db.events.findLast(({ type }) => type === 'query') as { detail: { sql: string } }
  const rows = await db.run(
    sql<{ detail: string }>`${sql.raw(`explain query plan ${event.detail.sql.replaceAll('?', "'x'")}`)}`,
  )
  return rows.map(({ detail }) => detail).join('; ')
}

test.each<[string, () => Promise<unknown>, RegExp]>([
  ['in the order of keys', () => a.tables.comments.list({ limit: 5 }), /ix:comments:tenantId,id \(tenantId=\?\)/],
  [
    'a page of them',
    () => a.tables.users.list({ where: { id: { $gt: 'x' } }, limit: 5 }),
    /ix:users:tenantId,id \(tenantId=\? AND id>\?\)/,
  ],
  [
    'by a reference',
    () => a.tables.posts.list({ where: { authorId: 'x' } }),
    /\(authorId=\?\)|\(tenantId=\? AND authorId=\?\)/,
  ],
  ['by an index of its own', () => a.tables.comments.list({ where: { postId: 1 } }), /INDEX ix:comments:postId/],
  ['to count them', () => a.tables.comments.count({ postId: 1 }), /INDEX ix:comments:postId/],
  ['to write them', () => a.tables.comments.bulkDelete({ where: { postId: 1 } }), /INDEX ix:comments:postId/],
  [
    'by what is unique',
    () => a.tables.users.list({ where: { email: 'x' } }),
    /ux:users:tenantId,email \(tenantId=\? AND email=\?\)/,
  ],
  ['by the key', () => a.tables.users.read('x'), /\(id=\?\)/],
])('%s', async (what, work, plan) => {
  const found = await planOf(work)
  expect(found).toMatch(plan)
  if (!what.startsWith('by')) expect(found).not.toContain('ORDER BY')
})
