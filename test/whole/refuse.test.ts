// Which files are refused, and with which words. The database is as before, byte by byte.
import { describe, expect, test } from 'vitest'
import { dataflow, model, t, type DatabaseOptions } from '../../src/index.js'
import { bytesOf, failureOf, foreignFile, models, User, useOrigin } from './support.js'

useOrigin()

const USERS = `
  CREATE TABLE "users" ("id" TEXT NOT NULL PRIMARY KEY, "name" TEXT NOT NULL, "balance" INTEGER NOT NULL DEFAULT 0) STRICT;
  INSERT INTO users VALUES ('x', 'Xenia', 3), ('y', 'Yves', 4);`

type Options = Omit<DatabaseOptions<typeof models>, 'models'>

/** Imports it into a database with one row, and tells what came of it. */
async function importInto(file: Uint8Array<ArrayBuffer> | Blob, options: Options = { storage: 'memory' }) {
  const db = dataflow('app', { ...options, models })
  await db.users.create({ id: 'a', name: 'Ada' })
  const before = await bytesOf(await db.export())
  const changed: unknown[] = []
  db.on('change', change => changed.push(change))
  db.on('migrate', report => changed.push(report))
  const error = await failureOf(db.import(file))
  expect((await bytesOf(await db.export())).equals(before)).toBe(true)
  expect(await db.users.update('a', { balance: 9 })).toMatchObject({ balance: 9 })
  // An event of its own: what was told before it has arrived.
  await db.sql`SELECT 1`
  expect(changed.filter(event => (event as { ids?: unknown }).ids === 'all')).toEqual([])
  expect(error.code).toBe('IMPORT')
  return error
}

const valid = () => foreignFile(db => db.run(USERS))
async function damaged(change: (file: Uint8Array<ArrayBuffer>, view: DataView) => void) {
  const file = await valid()
  change(file, new DataView(file.buffer))
  return file
}

describe('by its header', () => {
  test('empty', async () => {
    expect((await importInto(new Uint8Array(0))).message).toBe(
      '[IMPORT] The file is empty. Hint: pass a file that db.export() or SQLite itself wrote.',
    )
  })

  test.each([
    ['garbage', new Uint8Array(8192).fill(42)],
    ['a short text', new TextEncoder().encode('hello')],
    ['the magic alone', new TextEncoder().encode('SQLite format 3\0')],
  ])('%s', async (_, file) => {
    expect((await importInto(file)).text).toBe('The file is not a SQLite database.')
  })

  test('a page size that does not exist', async () => {
    const file = await damaged((_, view) => view.setUint16(16, 1000))
    expect((await importInto(file)).text).toBe("The file is damaged: 1000 is no page size of SQLite's.")
  })

  test('cut off, within a page and between two', async () => {
    const file = await valid()
    expect((await importInto(file.slice(0, -1))).text).toBe(
      `The file is cut off: it has ${file.length - 1} bytes, and should have ${file.length}.`,
    )
    expect((await importInto(file.slice(0, -4096))).text).toBe(
      `The file is cut off: it has ${file.length - 4096} bytes, and should have ${file.length}.`,
    )
  })

  test.each(['UTF-16le', 'UTF-16be'])('%s', async encoding => {
    const file = await foreignFile(db => db.run(`PRAGMA encoding = '${encoding}'; ${USERS}`))
    expect((await importInto(file)).text).toBe('The file keeps its texts as UTF-16.')
  })

  test('a file format newer than SQLite', async () => {
    const error = await importInto(await damaged(file => file.fill(9, 18, 20)))
    expect(error.text).toMatch(/^SQLite cannot read the file: /)
    expect(error.cause).toMatchObject({ name: 'DataFlowError' })
  })
})

describe('by its content', () => {
  test('a damaged table', async () => {
    const file = await foreignFile(db => {
      db.run(USERS)
      for (let i = 0; i < 500; i++) db.run('INSERT INTO users VALUES (?, ?, 0)', [`${i}`, 'x'.repeat(200)])
    })
    file.fill(0xff, 5 * 4096, 6 * 4096)
    expect((await importInto(file)).text).toMatch(/^(The file is damaged|SQLite cannot read the file): /)
  })

  test('an index that lacks a row', async () => {
    const file = await foreignFile(db => {
      db.run(`${USERS} CREATE INDEX byName ON users (name);`)
      const root = db.exec("SELECT rootpage FROM sqlite_schema WHERE name = 'byName'")[0]!.values[0]![0] as number
      // The table of rows gets one more than the index: as if a program had died in between.
      db.run('PRAGMA writable_schema = 1')
      db.run("DELETE FROM sqlite_schema WHERE name = 'byName'")
      db.run(`PRAGMA writable_schema = RESET; INSERT INTO users VALUES ('z', 'Zoe', 1); PRAGMA writable_schema = 1;`)
      db.run(
        `INSERT INTO sqlite_schema VALUES ('index', 'byName', 'users', ${root}, 'CREATE INDEX byName ON users (name)')`,
      )
    })
    const error = await importInto(file)
    expect(error.text).toMatch(/^The file is damaged: .*missing from index byName/)
    expect(error.issues!.length).toBeGreaterThan(0)
  })

  test('rows that refer to rows that do not exist: counted by table, without their values', async () => {
    const file = await foreignFile(db =>
      db.run(`${USERS}
        CREATE TABLE pets (id INTEGER PRIMARY KEY, owner TEXT REFERENCES users (id));
        INSERT INTO pets (owner) VALUES ('x'), ('secret'), ('secret 2');`),
    )
    const error = await importInto(file)
    expect(error.text).toBe('Rows of the file refer to rows that do not exist: pets -> users (2 rows).')
    expect(error.issues).toEqual([{ path: [], message: 'pets -> users (2 rows)' }])
    expect(error.message).not.toContain('secret')
  })

  test('a schema that SQLite cannot parse', async () => {
    const file = await foreignFile(db =>
      db.run(`${USERS} PRAGMA writable_schema = 1; UPDATE sqlite_schema SET sql = 'CREATE TABLE oh dear';`),
    )
    expect((await importInto(file)).text).toMatch(/^SQLite cannot read the file: /)
  })
})

describe('by the models', () => {
  test('tables that differ: every difference is listed, and the cause is the mismatch', async () => {
    const file = await foreignFile(db =>
      db.run('CREATE TABLE users (id TEXT PRIMARY KEY NOT NULL, name INTEGER NOT NULL) STRICT'),
    )
    const error = await importInto(file)
    expect(error.text).toMatch(/^The models do not fit the file: The database has another schema: User\.name /)
    expect(error.issues!.length).toBeGreaterThan(0)
    expect(error.cause).toMatchObject({ code: 'SCHEMA_MISMATCH', issues: error.issues })
  })

  test('a newer build of the app', async () => {
    const Newer = model('User', { ...User.$fields, nick: t.text().nullable() })
    const newer = dataflow('newer', { models: { users: Newer, posts: models.posts }, storage: 'memory', version: 7 })
    await newer.ensure()
    const error = await importInto(await newer.export(), { storage: 'memory', version: 6 })
    expect(error.cause).toMatchObject({ code: 'SCHEMA_NEWER' })
  })

  test('rows of a model that is no longer declared, if nothing may be given up or kept', async () => {
    const Tag = model('Tag', { id: t.id() })
    const other = dataflow('other', { models: { users: User, tags: Tag }, storage: 'memory' })
    await other.tags.create({})
    const error = await importInto(await other.export(), { migrations: { onDestructive: 'error' } })
    expect(error.cause).toMatchObject({ code: 'MIGRATION_DESTRUCTIVE' })
    expect(error.text).toContain('Tag')
  })

  test('a migration that fails on its rows', async () => {
    const file = await foreignFile(db =>
      db.run(`CREATE TABLE people (id TEXT NOT NULL PRIMARY KEY, mail TEXT NOT NULL) STRICT;
        INSERT INTO people VALUES ('1', 'same'), ('2', 'same');`),
    )
    const Person = model('Person', { id: t.id(), mail: t.text().unique() })
    const db = dataflow('people', { models: { people: Person }, storage: 'memory' })
    const error = await failureOf(db.import(file))
    expect(error.code).toBe('IMPORT')
    expect(error.cause).toMatchObject({ code: 'MIGRATION_FAILED' })
    expect(await db.people.count()).toBe(0)
  })

  test('autoMigrate: false makes nothing in the file either', async () => {
    const file = await valid()
    const db = dataflow('app', { models, storage: 'memory', autoMigrate: false })
    const error = await failureOf(db.import(file))
    expect(error.code).toBe('IMPORT')
    expect(error.cause).toMatchObject({ code: 'SCHEMA_MISMATCH' })
    const source = dataflow('source', { models, storage: 'memory' })
    await source.ensure()
    await source.users.create({ name: 'Ada' })
    await db.import(await source.export())
    expect(await db.users.count()).toBe(1)
  })

  test('existingSchema: what others made is verified, and nothing of ours is written', async () => {
    const Thing = model('Thing', { id: t.id(), name: t.text() })
    const db = dataflow('theirs', { models: { things: Thing }, storage: 'memory', existingSchema: true })
    expect((await failureOf(db.import(await valid()))).cause).toMatchObject({ code: 'SCHEMA_MISMATCH' })
    await db.import(
      await foreignFile(f => f.run('CREATE TABLE things (id TEXT NOT NULL PRIMARY KEY, name TEXT NOT NULL)')),
    )
    await db.things.create({ name: 'One' })
    expect(await db.sql`SELECT name FROM sqlite_schema WHERE name LIKE 'dataflow%'`).toEqual([])
  })
})

test('a file that can no longer be read', async () => {
  const file = new Blob([await valid()])
  const piece = new Blob()
  piece.arrayBuffer = () => Promise.reject(new DOMException('gone', 'NotReadableError'))
  const { localDatabase, unwrap } = await import('../support/local.js')
  const db = localDatabase(models)
  const source = { size: file.size, slice: () => piece }
  const error = await failureOf(unwrap(db.engine.whole.importFile({ id: 9, progress: false }, source)))
  expect(error.message).toBe(
    '[IMPORT] The file could not be read. Hint: it was moved or changed since it was chosen: choose it again.',
  )
  await db.close()
})

test.each(['indexeddb', 'memory'] as const)('refused with %s: what is saved is as before, too', async storage => {
  await importInto(new Uint8Array(4096).fill(1), { storage })
})
