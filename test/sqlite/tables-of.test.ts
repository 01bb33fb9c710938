import { afterEach, beforeEach, describe, expect, test } from 'vitest'
import type { Sqlite } from '../../worker/seams.js'
import { failureOf, openDatabase } from './support.js'

let db: Sqlite
beforeEach(async () => {
  db = (await openDatabase()).db
  db.exec(`
    CREATE TABLE users(id INTEGER PRIMARY KEY, name TEXT);
    CREATE INDEX by_name ON users(name);
    CREATE TABLE posts(id INTEGER PRIMARY KEY, user INTEGER REFERENCES users(id) ON DELETE CASCADE, text TEXT);
    CREATE TABLE likes(post INTEGER REFERENCES posts(id) ON DELETE SET NULL);
    CREATE INDEX likes_post ON likes(post);
    CREATE TABLE log(line TEXT);
    CREATE TABLE log_of_log(line TEXT);
    CREATE TABLE pairs(a, b, PRIMARY KEY (a, b)) WITHOUT ROWID;
    CREATE TABLE counted(id INTEGER PRIMARY KEY AUTOINCREMENT);
    CREATE VIEW authors AS SELECT users.name FROM users JOIN posts ON posts.user = users.id;
    CREATE VIEW writable AS SELECT line FROM log;
    CREATE TRIGGER into_view INSTEAD OF INSERT ON writable BEGIN INSERT INTO log VALUES (new.line); END;
    CREATE TRIGGER logged AFTER INSERT ON users BEGIN INSERT INTO log SELECT new.name FROM pairs; END;
    CREATE TRIGGER logged_twice AFTER INSERT ON log BEGIN INSERT INTO log_of_log VALUES (new.line); END;`)
})
afterEach(() => db.close())

function tables(sql: string): [string, string, boolean] {
  const { reads, writes, readonly } = db.tablesOf(sql)
  return [[...reads].sort().join(' '), [...writes].sort().join(' '), readonly]
}

describe('tablesOf', () => {
  test.each<[string, string, string, boolean]>([
    ['SELECT 1', '', '', true],
    ['SELECT * FROM users WHERE id = ?', 'users', '', true],
    ['SELECT count(*) FROM users WHERE name > ?', 'users', '', true],
    ['SELECT * FROM authors', 'posts users', '', true],
    ['SELECT (SELECT max(post) FROM likes), EXISTS (SELECT 1 FROM log)', 'likes log', '', true],
    ['WITH x AS (SELECT * FROM log) SELECT * FROM x, pairs', 'log pairs', '', true],
    [
      'WITH RECURSIVE n(i) AS (SELECT id FROM users UNION ALL SELECT post FROM likes, n WHERE i < 3) SELECT i FROM n',
      'likes users',
      '',
      true,
    ],
    ['SELECT a FROM pairs UNION SELECT line FROM log ORDER BY 1', 'log pairs', '', true],
    ['SELECT * FROM json_each(?)', '', '', true],
    ['SELECT name FROM sqlite_schema', 'sqlite_schema', '', true],
    ["INSERT INTO log VALUES ('x')", '', 'log log_of_log', false],
    ["INSERT INTO users(name) VALUES ('x')", 'pairs posts', 'log log_of_log users', false],
    ['INSERT INTO posts(user) VALUES (?)', 'users', 'posts', false],
    ['INSERT INTO log SELECT name FROM users RETURNING line', 'users', 'log log_of_log', false],
    ["INSERT INTO writable VALUES ('x')", '', 'log log_of_log', false],
    ['INSERT INTO counted DEFAULT VALUES', 'sqlite_sequence', 'counted sqlite_sequence', false],
    ['DELETE FROM likes', 'likes posts', 'likes', false],
    ['DELETE FROM pairs WHERE a = 1', '', 'pairs', false],
    ['WITH x AS (SELECT line FROM log) DELETE FROM pairs WHERE a IN (SELECT line FROM x)', 'log pairs', 'pairs', false],
    ['PRAGMA table_info(users)', 'sqlite_schema', '', true],
    ['PRAGMA user_version = 5', 'sqlite_schema', '', false],
    ['EXPLAIN QUERY PLAN SELECT * FROM users', '', '', true],
    ['VACUUM', '', '', false],
  ])('%s', (sql, reads, writes, readonly) => {
    expect(tables(sql)).toEqual([reads, writes, readonly])
  })

  test('a delete finds its cascades, of the second degree too', () => {
    const { reads, writes, readonly } = db.tablesOf('DELETE FROM users WHERE id = 1')
    expect([...writes].sort()).toEqual(['likes', 'posts', 'users'])
    expect(readonly).toBe(false)
    expect(reads).not.toContain('log')
  })

  test('DDL writes the schema', () => {
    expect(db.tablesOf('CREATE TABLE n(x)')).toMatchObject({ writes: ['sqlite_schema'], readonly: false })
    expect(db.tablesOf('DROP TABLE log').writes).toEqual(expect.arrayContaining(['log', 'sqlite_schema']))
    expect(db.tablesOf('CREATE TABLE copy AS SELECT * FROM users').reads).toContain('users')
    expect(db.tablesOf('CREATE INDEX n ON users(name)').readonly).toBe(false)
  })

  test('virtual tables are taken together', () => {
    db.exec('CREATE VIRTUAL TABLE search USING fts4(text)')
    expect(db.tablesOf("SELECT * FROM search WHERE text MATCH 'x'")).toMatchObject({
      reads: ['search'],
      readonly: true,
    })
    expect(db.tablesOf("INSERT INTO search VALUES ('x')").writes).toContain('search')
  })

  test('nothing is executed or counted, and a wrong statement is told', () => {
    const before = db.counters
    db.tablesOf('DELETE FROM users')
    db.tablesOf('DROP TABLE log')
    expect(failureOf(() => db.tablesOf('SELECT * FROM nope')).missing).toBe('table')
    expect(failureOf(() => db.tablesOf('SELECT 1; DELETE FROM users')).code).toBe('SQL')
    expect(db.counters).toEqual(before)
    expect(db.each('SELECT * FROM log', [], () => {})).toBe(0)
  })

  test('it is remembered, until the schema changes in whatever way', () => {
    const first = db.tablesOf('SELECT * FROM users')
    expect(db.tablesOf('SELECT * FROM users')).toBe(first)
    db.exec('DROP VIEW authors; CREATE VIEW authors AS SELECT line AS name FROM log')
    expect(tables('SELECT * FROM authors')).toEqual(['log', '', true])
    db.run('DROP TABLE likes')
    db.run('VACUUM')
    expect(tables('SELECT * FROM pairs')).toEqual(['pairs', '', true])
    // The same number of schema_version comes twice.
    for (const name of ['first', 'second']) {
      const transaction = db.begin()
      db.run(`CREATE TABLE ${name}(x)`)
      db.run(`CREATE VIEW v AS SELECT * FROM ${name}`)
      expect(tables('SELECT * FROM v')).toEqual([name, '', true])
      transaction.rollback()
    }
  })

  test('and after undo and reopen', async () => {
    const { db, file } = await openDatabase()
    file.takeChanges()
    db.run('CREATE TABLE one(x)')
    expect(db.tablesOf('SELECT x FROM one').reads).toEqual(['one'])
    file.undoUntaken()
    db.reopen()
    db.run('CREATE TABLE two(x)')
    expect(failureOf(() => db.tablesOf('SELECT x FROM one')).missing).toBe('table')
    expect(db.tablesOf('SELECT x FROM two').reads).toEqual(['two'])
    db.close()
  })
})
