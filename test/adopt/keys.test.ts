// Which keys a model can have, and which tables have none.
import { describe, expect, test } from 'vitest'
import { failureOf, useOrigin } from '../whole/support.js'
import { adopted, printed } from './support.js'

useOrigin()

describe('one column', () => {
  test.each([
    ['id INTEGER PRIMARY KEY', 't.autoId()'],
    ['id INTEGER PRIMARY KEY AUTOINCREMENT', 't.autoId()'],
    ['id integer, PRIMARY KEY (id)', 't.autoId()'],
    ['id INTEGER NOT NULL PRIMARY KEY ASC', 't.autoId()'],
    // SQLite's own exceptions: these are no rowids, and count nothing.
    ['id INTEGER PRIMARY KEY DESC', 't.integer().primaryKey()'],
    ['id INT PRIMARY KEY', 't.integer().primaryKey()'],
    ['id BIGINT PRIMARY KEY', 't.integer().primaryKey()'],
    ['id DECIMAL(10, 0) PRIMARY KEY', 't.integer().primaryKey()'],
    ['id TEXT PRIMARY KEY', 't.text().primaryKey()'],
    ['id CHAR(2) NOT NULL PRIMARY KEY', 't.text({ max: 2 }).primaryKey()'],
  ])('%s', async (key, code) => {
    const found = await printed(`CREATE TABLE things (${key}); CREATE TABLE other (n)`)
    expect(found.field('things.id')).toBe(code)
    const db = await adopted(found)
    const id = code.startsWith('t.text') ? 'ab' : 5
    expect(await db.things.create({ id })).toEqual({ id })
    expect(await db.things.read(id)).toEqual({ id })
    if (code === 't.autoId()') expect(await db.things.create({})).toEqual({ id: 6 })
    else expect((await failureOf(db.things.create({}))).code).toBe('VALIDATION')
  })

  test('WITHOUT ROWID counts nothing, and no model declares it', async () => {
    const found = await printed(`CREATE TABLE things (id INTEGER PRIMARY KEY, n TEXT) WITHOUT ROWID`)
    expect(found.field('things.id')).toBe('t.integer().primaryKey()')
    expect(found.problems).toEqual([
      { table: 'things', message: 'is WITHOUT ROWID, which no model declares', leftOut: false },
    ])
    const db = await adopted(found)
    await db.things.create({ id: 3, n: 'a' })
    expect(await db.things.update(3, { n: 'b' })).toEqual({ id: 3, n: 'b' })
    expect(await db.things.upsert({ id: 3, n: 'c' })).toEqual({ id: 3, n: 'c' })
    expect(await db.things.bulkDelete({ where: { n: 'c' } })).toMatchObject({ count: 1 })
  })

  test('beyond 2^53', async () => {
    const found = await printed(`
      CREATE TABLE things (id INTEGER PRIMARY KEY AUTOINCREMENT); INSERT INTO things VALUES (9007199254740993);
      CREATE TABLE parts (id INTEGER PRIMARY KEY, thing INTEGER NOT NULL REFERENCES things);
      INSERT INTO parts VALUES (1, 9007199254740993)`)
    expect(found.field('things.id')).toBe('t.bigint().primaryKey()')
    expect(found.field('parts.thing')).toBe("t.ref('Things').$type<bigint>()")
    const db = await adopted(found)
    expect(await db.things.read(9007199254740993n)).toEqual({ id: 9007199254740993n })
    await db.things.create({ id: 5n })
    expect(await db.parts.create({ thing: 5n })).toEqual({ id: 2, thing: 5n })
  })

  test('made by its default', async () => {
    const found = await printed(
      `CREATE TABLE things (id TEXT PRIMARY KEY DEFAULT (lower(hex(randomblob(16)))), n INT UNIQUE)`,
    )
    expect(found.field('things.id')).toBe('t.text().primaryKey().default(sql`lower(hex(randomblob(16)))`)')
    const db = await adopted(found)
    const { id } = await db.things.create({ n: 1 })
    expect(id).toMatch(/^[0-9a-f]{32}$/)
    expect((await db.things.bulkCreate([{ n: 2 }, { id: 'own', n: 3 }])).ids[1]).toBe('own')
    expect(await db.things.upsert({ n: 1 }, { on: 'n' })).toEqual({ id, n: 1 })
  })

  test('NULL keys, which SQLite allows by mistake', async () => {
    const found = await printed(
      `CREATE TABLE things (id TEXT PRIMARY KEY); INSERT INTO things VALUES (NULL), ('a'), (NULL)`,
    )
    expect(found.said).toEqual(['things.id: is NULL in 2 rows: a key never is'])
    expect(await (await adopted(found)).things.create({ id: 'b' })).toEqual({ id: 'b' })
  })
})

describe('tables that are left out', () => {
  test.each([
    ['a INT, b TEXT, PRIMARY KEY (b, a)', 'its primary key is over several columns: b, a'],
    ['a INT, b TEXT', 'it has no primary key'],
    ['a REAL PRIMARY KEY', 'its key a is REAL: a key is text, or a whole number'],
    ['a BLOB PRIMARY KEY', 'its key a is BLOB: a key is text, or a whole number'],
    ['a PRIMARY KEY', 'its key a has no declared type: a key is text, or a whole number'],
    ['"" INTEGER PRIMARY KEY', 'its key has an empty name'],
    [
      `a INTEGER PRIMARY KEY, ${Array.from({ length: 1000 }, (_, i) => `c${i}`).join(', ')}`,
      'it has more than 1000 columns',
    ],
  ])('%#: %.60s', async (columns, reason) => {
    const found = await printed(`CREATE TABLE things (${columns}); CREATE TABLE kept (id INTEGER PRIMARY KEY)`)
    expect(found.problems).toEqual([{ table: 'things', message: `left out: ${reason}`, leftOut: true }])
    expect(found.tables[0]).toMatchObject({ table: 'things', model: null, accessor: null })
    expect(found.tables[0]!.columns[0]).toMatchObject({ field: null, declaration: null })
    expect(found.code).toContain(`// things: left out: ${reason}\n`)
    expect(await (await adopted(found)).kept.create({})).toEqual({ id: 1 })
  })

  test('keys by what they hold', async () => {
    const found = await printed(`
      CREATE TABLE a (k PRIMARY KEY); INSERT INTO a VALUES (1), ('x');
      CREATE TABLE b (k PRIMARY KEY); INSERT INTO b VALUES (1), (2);
      CREATE TABLE c (k UUID PRIMARY KEY); INSERT INTO c VALUES ('0190c2f0-0000-7000-8000-000000000000');
      CREATE TABLE d (k INT PRIMARY KEY); INSERT INTO d VALUES (1.5);
      CREATE TABLE e (k DATE PRIMARY KEY); INSERT INTO e VALUES ('2026-01-31');`)
    expect(found.said).toEqual([
      'a: left out: its key k has no declared type and holds 1 text, 1 number: a key is text, or a whole number',
      'c: left out: its key k is UUID and holds 1 text: a key is text, or a whole number',
      'd: left out: its key k is INT and holds 1 number: a key is text, or a whole number',
    ])
    expect([found.field('b.k'), found.field('e.k')]).toEqual(['t.integer().primaryKey()', 't.text().primaryKey()'])
    const db = await adopted(found)
    expect(await db.b.list()).toEqual([{ k: 1 }, { k: 2 }])
    expect(await db.e.read('2026-01-31')).toEqual({ k: '2026-01-31' })
  })

  test("views, virtual tables and the library's own", async () => {
    const found = await printed(db => {
      db.run(`CREATE TABLE notes (id INTEGER PRIMARY KEY, body TEXT); CREATE VIEW recent AS SELECT * FROM notes;
        CREATE TRIGGER touch AFTER UPDATE ON notes BEGIN SELECT 1; END;
        CREATE TRIGGER into_view INSTEAD OF INSERT ON recent BEGIN SELECT 1; END;
        CREATE VIRTUAL TABLE found USING fts3(body); CREATE TABLE dataflow_stray (id INTEGER PRIMARY KEY);
        CREATE TABLE "" (id INTEGER PRIMARY KEY)`)
    })
    expect(found.said).toEqual([
      'dataflow_stray: left out: its name is reserved for the library',
      ': left out: it has an empty name',
      'recent: left out: it is a view; db.sql reads it',
      'found: left out: it is a virtual table (fts3)',
      'notes: the trigger touch is kept by SQLite, not declared',
      'recent: the trigger into_view is kept by SQLite, not declared',
    ])
    expect(found.problems.map(({ leftOut }) => leftOut)).toEqual([true, true, true, true, false, false])
    expect(found.tables.map(({ table }) => table)).toEqual(['notes', 'dataflow_stray', ''])
    expect(await (await adopted(found)).notes.create({ body: 'a' })).toEqual({ id: 1, body: 'a' })
  })

  test('an empty database', async () => {
    const { code, tables, problems } = await printed('PRAGMA user_version = 1')
    expect([code, tables, problems]).toEqual(['export const models = {}\n', [], []])
  })
})

test("a column that SQLite makes is left out, and is in nobody's way", async () => {
  const found = await printed(`
    CREATE TABLE things (id INTEGER PRIMARY KEY, a INT NOT NULL, b INT NOT NULL AS (a + 1) STORED, c INT AS (a * 2))`)
  expect(found.said).toEqual(['things.b: is made by SQLite (GENERATED)', 'things.c: is made by SQLite (GENERATED)'])
  const db = await adopted(found)
  expect(await db.things.create({ a: 4 })).toEqual({ id: 1, a: 4 })
  expect(await db.sql`select b, c from things`).toEqual([{ b: 5, c: 8 }])
})
