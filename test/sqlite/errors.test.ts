import { afterAll, beforeAll, describe, expect, test } from 'vitest'
import { ChunkedFile } from '../../worker/sqlite/file.js'
import { readFailure, toSqliteError } from '../../worker/sqlite/errors.js'
import { SqliteError, type Sqlite } from '../../worker/seams.js'
import { boot, failureOf, openDatabase, valueOf } from './support.js'

let db: Sqlite
beforeAll(async () => {
  db = (await openDatabase()).db
  db.exec(`
    CREATE TABLE users(id TEXT PRIMARY KEY, email TEXT, name TEXT NOT NULL, age INTEGER CONSTRAINT adult CHECK (age > 17)) STRICT;
    CREATE UNIQUE INDEX by_email ON users(email, name);
    CREATE TABLE tags(name TEXT); CREATE UNIQUE INDEX lower_name ON tags(lower(name)); INSERT INTO tags VALUES ('ann');
    CREATE TABLE "Order Details"(id INTEGER PRIMARY KEY, "Unit Price" REAL NOT NULL, "a, b" TEXT UNIQUE) STRICT;
    CREATE TABLE child(user TEXT REFERENCES users(id)) STRICT;
    CREATE TABLE noRowid(a, b, PRIMARY KEY (a, b)) WITHOUT ROWID;
    INSERT INTO noRowid VALUES (1, 2);
    CREATE TRIGGER refuse BEFORE DELETE ON users BEGIN SELECT RAISE(ABORT, 'not today'); END;
    INSERT INTO users VALUES ('1', 'a@b', 'Ann', 20);
    INSERT INTO "Order Details" VALUES (1, 1.5, 'x')`)
})
afterAll(() => db.close())

/** The fields of an error that say something. */
function facts(error: SqliteError): object {
  const { code, missing, table, columns, constraint, fatal, transactionLost } = error
  const known = Object.entries({ code, missing, table, columns, constraint }).filter(([, v]) => v !== undefined)
  return { ...Object.fromEntries(known), ...(fatal && { fatal }), ...(transactionLost && { transactionLost }) }
}

describe('what SQLite refuses', () => {
  test.each([
    ["INSERT INTO users VALUES ('1', 'c@d', 'Bob', 20)", { code: 'UNIQUE', table: 'users', columns: ['id'] }],
    [
      "INSERT INTO users VALUES ('2', 'a@b', 'Ann', 20)",
      { code: 'UNIQUE', table: 'users', columns: ['email', 'name'] },
    ],
    ["INSERT INTO tags VALUES ('ANN')", { code: 'UNIQUE', constraint: 'lower_name' }],
    ['INSERT INTO noRowid VALUES (1, 2)', { code: 'UNIQUE', table: 'noRowid', columns: ['a', 'b'] }],
    [`INSERT INTO "Order Details" VALUES (1, 1, '')`, { code: 'UNIQUE', table: 'Order Details', columns: ['id'] }],
    [`INSERT INTO "Order Details" VALUES (2, 1, 'x')`, { code: 'UNIQUE', table: 'Order Details', columns: ['a, b'] }],
    ["INSERT INTO users(id) VALUES ('2')", { code: 'NOT_NULL', table: 'users', columns: ['name'] }],
    [
      `INSERT INTO "Order Details"(id) VALUES (2)`,
      { code: 'NOT_NULL', table: 'Order Details', columns: ['Unit Price'] },
    ],
    ["INSERT INTO users VALUES ('2', 'c@d', 'Bob', 3)", { code: 'CHECK', constraint: 'adult' }],
    ["INSERT INTO child VALUES ('nobody')", { code: 'FOREIGN_KEY' }],
    ["INSERT INTO users VALUES ('2', 'c@d', 'Bob', 'old')", { code: 'VALIDATION', table: 'users', columns: ['age'] }],
    [`INSERT INTO "Order Details" VALUES ('x', 1, 1)`, { code: 'VALIDATION' }],
    ['SELECT zeroblob(1000000001)', { code: 'VALIDATION' }],
    ["SELECT json_extract(1, 'dataflow: x')", { code: 'VALIDATION' }],
    ["SELECT json_extract(1, 'x')", { code: 'SQL' }],
    ['SELECT * FROM nope', { code: 'SQL', missing: 'table', table: 'nope' }],
    ['SELECT * FROM main.nope', { code: 'SQL', missing: 'table', table: 'nope' }],
    ['SELECT nope FROM users', { code: 'SQL', missing: 'column', columns: ['nope'] }],
    ['SELECT users.nope FROM users', { code: 'SQL', missing: 'column', table: 'users', columns: ['nope'] }],
    ['SELECT u."no pe" FROM users u', { code: 'SQL', missing: 'column', table: 'u', columns: ['no pe'] }],
    ['INSERT INTO users(nope) VALUES (1)', { code: 'SQL', missing: 'column', table: 'users', columns: ['nope'] }],
    ['UPDATE users SET nope = 1', { code: 'SQL', missing: 'column', columns: ['nope'] }],
    ['CREATE INDEX x ON users(nope)', { code: 'SQL', missing: 'column', columns: ['nope'] }],
    ['SELEC 1', { code: 'SQL' }],
    ['DELETE FROM users', { code: 'SQL' }],
    ['SELECT abs(-9223372036854775808)', { code: 'SQL' }],
    ['', { code: 'SQL' }],
    ['-- nothing', { code: 'SQL' }],
    ['SELECT 1; SELECT 2', { code: 'SQL' }],
    ['SELECT 1; PRAGMA foreign_keys = OFF', { code: 'SQL' }],
    ["SELECT 'a\0b'", { code: 'SQL' }],
    ['BEGIN', { code: 'SQL' }],
    [' /* ; */ ; commit', { code: 'SQL' }],
    ['SAVEPOINT x', { code: 'SQL' }],
  ])('%s', (sql, expected) => {
    expect(facts(failureOf(() => db.run(sql)))).toEqual(expected)
    expect(valueOf(db, 'SELECT count(*) FROM users')).toBe(1)
    expect(valueOf(db, 'PRAGMA foreign_keys')).toBe(1)
  })

  test('a read-only connection', () => {
    db.run('PRAGMA query_only = ON')
    expect(facts(failureOf(() => db.run("UPDATE users SET name = 'x'")))).toEqual({ code: 'READONLY' })
    db.run('PRAGMA query_only = OFF')
  })

  test('a full database', async () => {
    const { db } = await openDatabase()
    db.exec('CREATE TABLE t(x); PRAGMA max_page_count = 3')
    const error = failureOf(() => db.atomically(() => db.run('INSERT INTO t VALUES (zeroblob(50000))')))
    expect(facts(error)).toMatchObject({ code: 'STORAGE_FULL' })
    db.run('INSERT INTO t VALUES (1)')
    expect(valueOf(db, 'SELECT count(*) FROM t')).toBe(1)
    db.close()
  })

  test('a file that cannot grow: rolled back, and the module goes on', async () => {
    const limit = 300_000
    class Limited extends ChunkedFile {
      override write(position: number, source: Uint8Array, offset: number, length: number): void {
        if (position + length > limit) throw new RangeError('Array buffer allocation failed')
        super.write(position, source, offset, length)
      }
    }
    const module = await boot()
    const file = new Limited()
    const db = module.open(file)
    db.exec('CREATE TABLE t(x)')
    db.run('INSERT INTO t VALUES (zeroblob(200000))')
    file.takeChanges()
    const error = failureOf(() => db.atomically(() => db.run('INSERT INTO t VALUES (zeroblob(200000))')))
    expect(facts(error)).toMatchObject({ code: 'STORAGE_FULL', transactionLost: true })
    expect(failureOf(() => db.run('INSERT INTO t VALUES (zeroblob(200000))')).code).toBe('STORAGE_FULL')
    expect(db.inTransaction).toBe(false)
    expect(file.takeChanges()).toBeNull()
    db.run('INSERT INTO t VALUES (1)')
    expect(valueOf(db, 'SELECT count(*) FROM t')).toBe(2)
    expect(valueOf(db, 'PRAGMA integrity_check')).toBe('ok')
    db.close()
  })

  test('the same statement works after it failed', () => {
    const sql = 'INSERT INTO "Order Details"("Unit Price", "a, b") VALUES (?, ?)'
    expect(db.run(sql, [1, 'again'])).toBe(1)
    expect(failureOf(() => db.run(sql, [1, 'again'])).code).toBe('UNIQUE')
    expect(db.run(sql, [1, 'again 2'])).toBe(1)
  })
})

describe('what is thrown at us', () => {
  test.each<[unknown, object]>([
    [new WebAssembly.RuntimeError('unreachable'), { code: 'WORKER_CRASHED', fatal: true }],
    [new RangeError('Maximum call stack size exceeded'), { code: 'WORKER_CRASHED', fatal: true }],
    ['Wrong API use : tried to bind a value of an unknown type (undefined).', { code: 'SQL' }],
    ['Statement closed', { code: 'SQL' }],
    [new Error('out of memory'), { code: 'WORKER_CRASHED', fatal: true }],
    [new Error('database disk image is malformed'), { code: 'STORAGE_CORRUPT' }],
    [new Error('file is not a database'), { code: 'STORAGE_CORRUPT' }],
    [new Error('attempt to write a readonly database'), { code: 'READONLY' }],
    [new Error('string or blob too big'), { code: 'VALIDATION' }],
    [new Error('UNIQUE constraint failed: t.a, t.b'), { code: 'UNIQUE', table: 't', columns: ['a', 'b'] }],
    [undefined, { code: 'SQL' }],
  ])('%s', (thrown, expected) => {
    const error = toSqliteError(thrown)
    expect(facts(error)).toEqual(expected)
    expect(error.cause).toBe(thrown)
    expect(toSqliteError(error)).toBe(error)
  })

  test('a failure of WASM while a row is read is fatal', async () => {
    const { db } = await openDatabase()
    const fail = (): never => {
      throw new WebAssembly.RuntimeError('memory access out of bounds')
    }
    expect(facts(failureOf(() => db.each('SELECT 1', [], fail)))).toEqual({ code: 'WORKER_CRASHED', fatal: true })
  })

  test('the result code counts for more than the text', () => {
    expect(facts(readFailure('out of memory', 1))).toEqual({ code: 'SQL' })
    expect(facts(readFailure('whatever', 11))).toEqual({ code: 'STORAGE_CORRUPT' })
  })
})
