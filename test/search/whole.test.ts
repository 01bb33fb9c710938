// A database with text search as a whole: exported, imported, shrunk, written by others, recovered.
import { expect, test } from 'vitest'
import { dataflow, model, t } from '../../src/index.js'
import { salvage } from '../../worker/salvage.js'
import { vacuum } from '../../worker/search-indexes.js'
import { parts } from '../support/local.js'
import { failureOf, foreignFile, readForeign, useOrigin } from '../whole/support.js'
import { expectInStep } from './support.js'

useOrigin()

const Post = model('Post', { id: t.id(), title: t.text() }, { search: ['title'] })
const open = (name = 'app') => dataflow(name, { models: { posts: Post } })
const INDEX = 'dataflow_search(posts)'

async function filled(name?: string) {
  const db = open(name)
  await db.posts.bulkCreate(Array.from({ length: 30 }, (_, i) => ({ id: `p${i}`, title: `word${i} tea` })))
  await db.posts.bulkDelete({ where: { id: { $in: ['p1', 'p4', 'p7'] } } })
  return db
}
const idsOf = (found: readonly { id: string }[]) => found.map(({ id }) => id)

/** Writes the file with a build that knows nothing of us. */
const changed = async (file: Blob, ...statements: string[]) => {
  const bytes = new Uint8Array(await file.arrayBuffer())
  return foreignFile(db => {
    const other = new (db.constructor as any)(bytes)
    for (const sql of statements) other.run(sql)
    db.export = () => {
      const result = other.export()
      other.close()
      return result
    }
  })
}

test('an export is imported with its index', async () => {
  const db = await filled()
  const file = await db.export()
  expect(await readForeign(file, 'PRAGMA integrity_check')).toEqual([['ok']])
  const other = open('other')
  expect(await other.import(file)).toMatchObject({ applied: [], cached: true })
  expect(idsOf(await other.posts.search('word5'))).toEqual(['p5'])
  await other.posts.update('p5', { title: 'else' })
  expect(idsOf(await other.posts.search('word5 OR else'))).toEqual(['p5'])
  expect((await other.posts.search('tea')).length).toBe(26)
})

test('VACUUM keeps it in step', async () => {
  const db = await filled()
  await db.compact()
  expect(idsOf(await db.posts.search('word8'))).toEqual(['p8'])
  await db.posts.update('p8', { title: 'else' })
  expect([idsOf(await db.posts.search('word8')), idsOf(await db.posts.search('else'))]).toEqual([[], ['p8']])
  expect(await readForeign(await db.export(), 'PRAGMA integrity_check')).toEqual([['ok']])
})

test('a VACUUM that numbers rows anew makes the index anew', async () => {
  const sqlite = await parts.bootSqlite()
  const db = sqlite.open(sqlite.createFile())
  // Without an index of its own; the tables of models have one.
  db.exec(`CREATE TABLE posts (title TEXT);
    CREATE VIRTUAL TABLE "${INDEX}" USING fts4(content="posts", title);
    INSERT INTO posts (rowid, title) VALUES (5, 'five'), (9, 'nine');
    INSERT INTO "${INDEX}" ("${INDEX}") VALUES ('rebuild')`)
  vacuum(db)
  const rows: unknown[] = []
  db.each(`SELECT docid FROM "${INDEX}" WHERE title MATCH 'nine'`, [], row => rows.push(row.value(0)))
  expect(rows).toEqual([2])
  db.close()
})

test('a file whose rows somebody has numbered anew is imported, its index made anew', async () => {
  const db = await filled()
  const file = await db.export()
  const triggers = await readForeign(file, `SELECT name, sql FROM sqlite_schema WHERE type = 'trigger'`)
  const moved = await changed(
    file,
    ...triggers.map(([name]) => `DROP TRIGGER "${String(name)}"`),
    'UPDATE posts SET rowid = rowid + 1000',
    ...triggers.map(([, sql]) => String(sql)),
  )
  expect(await readForeign(moved, 'PRAGMA integrity_check')).not.toEqual([['ok']])
  await db.import(moved)
  expect(idsOf(await db.posts.search('word9'))).toEqual(['p9'])
  expect(await readForeign(await db.export(), 'PRAGMA integrity_check')).toEqual([['ok']])
})

test('what another program writes is in the index; a file without its triggers is refused', async () => {
  const db = await filled()
  const file = await db.export()
  await db.import(
    await changed(file, `INSERT INTO posts VALUES ('n', 'brand new')`, `DELETE FROM posts WHERE id = 'p3'`),
  )
  expect(idsOf(await db.posts.search('brand OR word3'))).toEqual(['n'])
  const error = await failureOf(db.import(await changed(file, `DROP TRIGGER "tr:posts:search:insert"`)))
  expect(error).toMatchObject({ code: 'IMPORT', model: 'Post' })
  expect(error.message).toContain('lacks the trigger tr:posts:search:insert')
  expect(idsOf(await db.posts.search('brand'))).toEqual(['n'])
})

test('rows that are salvaged are in the index', async () => {
  const db = await filled()
  const bytes = new Uint8Array(await (await db.export()).arrayBuffer())
  const sqlite = await parts.bootSqlite()
  const chunks: Uint8Array<ArrayBuffer>[] = []
  for (let at = 0; at < bytes.length; at += 262_144) {
    const chunk = new Uint8Array(262_144)
    chunk.set(bytes.subarray(at, at + 262_144))
    chunks.push(chunk)
  }
  const from = sqlite.open(sqlite.createFile({ chunks, size: bytes.length }))
  const to = sqlite.open(sqlite.createFile())
  const { tables, missing } = salvage(from, to)
  expect(missing).toEqual([])
  expect(tables.find(({ table }) => table === 'posts')).toMatchObject({ rows: 27, complete: true })
  expect(tables.some(({ table }) => table.startsWith('dataflow_search'))).toBe(false)
  expectInStep(to)
  to.run(`UPDATE posts SET title = 'salvaged' WHERE id = 'p9'`)
  expectInStep(to)
  from.close()
  to.close()
})

test('reading its file as somebody else’s tells of the tables of the app only', async () => {
  const db = await filled()
  const { tables, problems } = await dataflow.introspect(await db.export())
  expect(tables.map(({ table }) => table)).toContain('posts')
  expect([...tables.map(({ table }) => table), ...problems.map(({ message }) => message)].join()).not.toMatch(/search/)
})

test('a restored backup', async () => {
  const db = await filled()
  const { id } = await db.backup()
  await db.posts.bulkDelete({ all: true })
  await db.restore(id)
  expect(idsOf(await db.posts.search('word5'))).toEqual(['p5'])
})
