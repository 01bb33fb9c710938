import { afterEach, beforeEach, describe, expect, test } from 'vitest'
import type { Sqlite } from '../../worker/seams.js'
import { failureOf, openDatabase, rowsOf, valueOf } from './support.js'

let db: Sqlite
beforeEach(async () => {
  db = (await openDatabase()).db
  db.exec('CREATE TABLE t(id INTEGER PRIMARY KEY, x)')
})
afterEach(() => db.close())

describe('settings', () => {
  test.each([
    ['journal_mode', 'memory'],
    ['synchronous', 0],
    ['locking_mode', 'exclusive'],
    ['temp_store', 2],
    ['foreign_keys', 1],
    ['page_size', 4096],
    ['cache_size', -16384],
    ['recursive_triggers', 0],
    ['trusted_schema', 0],
    ['encoding', 'UTF-8'],
  ])('%s is %s, also after reopening', (name, value) => {
    expect(valueOf(db, `PRAGMA ${name}`)).toBe(value)
    db.reopen()
    expect(valueOf(db, `PRAGMA ${name}`)).toBe(value)
  })

  test('a PRAGMA acts every time it is run', () => {
    for (const value of [0, 1, 0, 1]) {
      db.run(`PRAGMA foreign_keys = ${value}`)
      expect(valueOf(db, 'PRAGMA foreign_keys')).toBe(value)
    }
  })

  test('SQLite functions are its own, and triggers may fill a search table', () => {
    expect(valueOf(db, "SELECT upper('ä') || round(2.567, 1)")).toBe('ä2.6')
    db.exec(`
      CREATE VIRTUAL TABLE search USING fts4(x);
      CREATE TRIGGER into_search AFTER INSERT ON t BEGIN INSERT INTO search VALUES (json(new.x)); END`)
    db.run('INSERT INTO t(x) VALUES (\'["words here"]\')')
    expect(valueOf(db, "SELECT count(*) FROM search WHERE x MATCH 'here'")).toBe(1)
  })
})

describe('run', () => {
  test('gives the number of rows that the statement itself changed', () => {
    expect(db.run("INSERT INTO t(x) VALUES ('a'), ('b'), ('c')")).toBe(3)
    expect(db.run("UPDATE t SET x = 'd' WHERE id > 1")).toBe(2)
    expect(db.run("WITH w AS (SELECT 1) UPDATE t SET x = 'e'")).toBe(3)
    expect(db.run("WITH w AS (SELECT 1) UPDATE t SET x = 'e' WHERE id = 1 RETURNING id")).toBe(1)
    expect(db.run('INSERT INTO t(x) SELECT x FROM t RETURNING id')).toBe(3)
    // None of these changes rows, and the last count is not theirs.
    expect(db.run('SELECT * FROM t')).toBe(0)
    expect(db.run("WITH w AS (SELECT 'returning') SELECT * FROM w")).toBe(0)
    expect(db.run('CREATE TABLE u(x)')).toBe(0)
    expect(db.run('PRAGMA user_version = 3')).toBe(0)
    expect(db.run('-- comment\n /* and */ DELETE FROM t')).toBe(6)
    expect(db.run('DELETE FROM t')).toBe(0)
    db.exec('CREATE TRIGGER twice AFTER INSERT ON t BEGIN INSERT INTO u VALUES (1), (2); END')
    expect(db.run("INSERT INTO t(x) VALUES ('a')")).toBe(1)
  })
})

describe('the statement cache', () => {
  const since = (before: Sqlite['counters']): object => {
    const now = db.counters
    return Object.fromEntries(
      Object.entries(now).map(([name, value]) => [name, value - before[name as keyof typeof now]]),
    )
  }

  test('a statement is compiled once', () => {
    const before = db.counters
    for (let i = 0; i < 10; i++) db.run('INSERT INTO t(x) VALUES (?)', [i])
    expect(since(before)).toEqual({ executed: 10, control: 0, prepared: 1, hits: 9 })
    db.atomically(() => db.atomically(() => rowsOf(db, 'SELECT * FROM t')))
    expect(since(before)).toEqual({ executed: 11, control: 4, prepared: 2, hits: 9 })
  })

  test('schema and PRAGMA statements are not kept; a script counts each of its statements', () => {
    const before = db.counters
    for (let i = 0; i < 3; i++) db.run('PRAGMA user_version')
    db.exec('CREATE TABLE a(x); ; CREATE TABLE b(x) -- end')
    expect(since(before)).toEqual({ executed: 5, control: 0, prepared: 5, hits: 0 })
  })

  test('the same statement inside its own visitor', () => {
    db.run('INSERT INTO t(x) VALUES (1), (2), (3)')
    const sql = 'SELECT id, ? FROM t ORDER BY id'
    const seen: unknown[] = []
    db.each(sql, ['outer'], outer => {
      db.each(sql, ['inner'], inner => seen.push([outer.value(0), outer.text(1), inner.value(0), inner.text(1)]))
    })
    expect(seen.length).toBe(9)
    expect(seen[5]).toEqual([2, 'outer', 3, 'inner'])
    db.run('DROP TABLE t')
    expect(failureOf(() => rowsOf(db, sql, ['x']))).toMatchObject({ missing: 'table', table: 't' })
  })

  test('the least recently used of more than 256 is compiled again', () => {
    for (let i = 0; i < 256; i++) valueOf(db, `SELECT ${i}`)
    valueOf(db, 'SELECT 0')
    const before = db.counters
    valueOf(db, 'SELECT 256')
    expect([valueOf(db, 'SELECT 0'), valueOf(db, 'SELECT 1')]).toEqual([0, 1])
    expect(since(before)).toEqual({ executed: 3, control: 0, prepared: 2, hits: 1 })
    db.each('SELECT 0', [], () => {
      for (let i = 300; i < 900; i++) expect(valueOf(db, `SELECT ${i}`)).toBe(i)
    })
    expect(valueOf(db, 'SELECT 0')).toBe(0)
  })

  test('a kept statement sees a changed schema', () => {
    db.run("INSERT INTO t(x) VALUES ('a')")
    expect(rowsOf(db, 'SELECT * FROM t')).toEqual([[1, 'a']])
    db.run("ALTER TABLE t ADD COLUMN y DEFAULT 'b'")
    expect(rowsOf(db, 'SELECT * FROM t')).toEqual([[1, 'a', 'b']])
  })
})

describe('exec', () => {
  test('stops at the first failure', () => {
    expect(failureOf(() => db.exec('CREATE TABLE a(x); CREATE TABLE a(x); CREATE TABLE b(x)')).code).toBe('SQL')
    expect(rowsOf(db, "SELECT name FROM sqlite_schema WHERE name IN ('a', 'b')")).toEqual([['a']])
    expect(failureOf(() => db.exec('CREATE TABLE b(x); COMMIT')).message).toMatch('atomically')
    expect(failureOf(() => db.exec('INSERT INTO a VALUES (?)')).message).toMatch('1 parameters')
  })
})

describe('reopen and close', () => {
  test('counters go on, prepared statements are compiled again', () => {
    valueOf(db, 'SELECT 1')
    const before = db.counters
    db.reopen()
    valueOf(db, 'SELECT 1')
    const now = db.counters
    expect([now.executed - before.executed, now.prepared - before.prepared]).toEqual([1, 1])
  })

  test('are refused while in use', () => {
    db.run('INSERT INTO t(x) VALUES (1)')
    db.each('SELECT * FROM t', [], () => {
      expect(failureOf(() => db.reopen()).code).toBe('SQL')
      expect(failureOf(() => db.close()).code).toBe('SQL')
    })
    db.atomically(() => expect(failureOf(() => db.close()).code).toBe('SQL'))
    const lease = db.begin()
    db.atomically(() => expect(failureOf(() => db.reopen()).code).toBe('SQL'))
    lease.rollback()
    expect(valueOf(db, 'SELECT x FROM t')).toBe(1)
  })

  test('a closed connection says so', () => {
    db.close()
    db.close()
    for (const call of [
      () => db.run('SELECT 1'),
      () => rowsOf(db, 'SELECT 1'),
      () => db.exec('SELECT 1'),
      () => db.atomically(() => 1),
      () => db.begin(),
      () => db.tablesOf('SELECT 1'),
      () => db.reopen(),
    ]) {
      expect(failureOf(call).code).toBe('CLOSED')
    }
  })

  test('a hundred times leaks no descriptor', async () => {
    for (let i = 0; i < 100; i++) {
      db.reopen()
      db.run('INSERT INTO t(x) VALUES (?)', [i])
    }
    expect(valueOf(db, 'SELECT count(*) FROM t')).toBe(100)
  })
})
