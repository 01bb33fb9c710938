import { readdirSync, readFileSync } from 'node:fs'
import { join } from 'node:path'
import { expect, test } from 'vitest'
import { model, t } from '../../src/index.js'
import type { EngineParts } from '../../worker/engine.js'
import type { Sqlite } from '../../worker/seams.js'
import type { ChunkedFile } from '../../worker/sqlite/file.js'
import { root } from '../support/docs-samples.js'
import { localDatabase, parts, STORAGES } from '../support/local.js'
import { begin } from './support.js'

const User = model('User', { id: t.id(), name: t.text().unique() })
const Post = model('Post', { id: t.id(), userId: t.ref('User', { onDelete: 'cascade' }) })
const models = { users: User, posts: Post }

/** Watches that nothing gets a turn while a transaction is open. */
function watched() {
  const seen = { transactions: 0, awaited: 0, leases: 0 }
  const wrap = (db: Sqlite): Sqlite =>
    new Proxy(db, {
      get(target, name) {
        const value = Reflect.get(target, name) as unknown
        if (name === 'begin') return (...args: []) => (seen.leases++, target.begin(...args))
        if (name !== 'atomically') return typeof value === 'function' ? value.bind(target) : value
        return (body: () => unknown, options: undefined) => {
          let turns = 0
          queueMicrotask(() => turns++)
          seen.transactions++
          const result = target.atomically(body, options)
          if (turns > 0 || result instanceof Promise) seen.awaited++
          return result
        }
      },
    })
  const bootSqlite: EngineParts['bootSqlite'] = async () => {
    const module = await parts.bootSqlite()
    return { ...module, open: file => wrap(module.open(file as ChunkedFile)) }
  }
  return { seen, parts: { bootSqlite } }
}

test.each(STORAGES)('15: %s: nothing is awaited between BEGIN and COMMIT, whatever is run', async storage => {
  const { seen, parts } = watched()
  const db = localDatabase(models, { storage, parts })
  await db.tick([User.create({ id: 'a', name: 'a' }), User.create({ id: 'b', name: 'a' }), User.count()])
  await db.batch([Post.create({ userId: 'a' }), Post.count()])
  await db.tables.users.bulkCreate([{ name: 'c' }, { name: 'c' }], { onError: 'collect' })
  await db.sql`create temp table made as select 1`
  expect(seen.leases).toBe(0)
  const lease = await begin(db, models)
  await lease.run(User.update('a', { name: 'z' }))
  await lease.commit()
  await db.close()
  expect(seen.transactions).toBeGreaterThan(5)
  expect(seen).toMatchObject({ awaited: 0, leases: 1 })
})

test('15: only the folder of SQLite knows the words that open, keep and take back', () => {
  const words = /\b(BEGIN (IMMEDIATE|TRANSACTION)|COMMIT|ROLLBACK( TO)?|SAVEPOINT|RELEASE)\b/
  const files = readdirSync(join(root, 'worker'), { recursive: true, encoding: 'utf8' }).filter(
    path => path.endsWith('.ts') && !path.startsWith('sqlite'),
  )
  const code = (path: string) =>
    readFileSync(join(root, 'worker', path), 'utf8').replace(/\/\*.*?\*\/|\/\/[^\n]*/gs, '')
  expect(files.filter(path => new RegExp(`['"\`]\\s*${words.source}`).test(code(path)))).toEqual([])
})
