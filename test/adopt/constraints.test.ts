// Indexes, defaults and what only the text of CREATE TABLE tells.
import { describe, expect, test } from 'vitest'
import { readTableText } from '../../src/adopt/table-text.js'
import { failureOf, useOrigin } from '../whole/support.js'
import { adopted, printed } from './support.js'

useOrigin()

test('indexes and uniques, by themselves and over several columns', async () => {
  const found = await printed(`
    CREATE TABLE things (id INTEGER PRIMARY KEY, a TEXT UNIQUE, b INT, c INT, "d e" INT, UNIQUE (b, "d e"), UNIQUE (id));
    CREATE INDEX by_b ON things (b); CREATE INDEX by_a ON things (a); CREATE INDEX again ON things (b);
    CREATE INDEX two ON things (c, b); CREATE UNIQUE INDEX one ON things (c); CREATE INDEX covered ON things (b, "d e")`)
  expect(found.said).toEqual([])
  expect(['a', 'b', 'c', 'd e'].map(name => found.field(`things.${name}`))).toEqual([
    't.text().nullable().unique()',
    't.integer().nullable().index()',
    't.integer().nullable().unique()',
    "t.integer().nullable().column('d e')",
  ])
  expect(found.code).toContain("  { indexes: [['c', 'b']], unique: [['b', 'dE']] },\n")
  const db = await adopted(found)
  await db.things.create({ a: 'x', b: 1, c: 1, dE: 1 })
  expect(await db.things.upsert({ a: 'x', c: 7 }, { on: 'a' })).toMatchObject({ id: 1, c: 7 })
  expect(await db.things.upsert({ b: 1, dE: 1, c: 8 }, { on: ['b', 'dE'] })).toMatchObject({ id: 1, c: 8 })
  expect(await failureOf(db.things.create({ a: 'x' }))).toMatchObject({ code: 'UNIQUE', fields: ['a'] })
  expect(await failureOf(db.things.create({ b: 1, dE: 1 }))).toMatchObject({ code: 'UNIQUE', fields: ['b', 'dE'] })
})

test('descending and partial ones', async () => {
  const found = await printed(`
    CREATE TABLE things (id INTEGER PRIMARY KEY, a TEXT, b INT, "c d" INT);
    CREATE INDEX down ON things (a, "c d" DESC); CREATE INDEX "up" ON things (b DESC);
    CREATE UNIQUE INDEX part ON things (a) WHERE b > 1 AND "c d" <> 'where';
    CREATE UNIQUE INDEX "where" ON things (b DESC, a) -- WHERE
      WHERE a IS NOT NULL;
    CREATE INDEX same ON things (b) WHERE a = 1; CREATE INDEX same2 ON things (b) WHERE A = 1`)
  expect(found.said).toEqual([])
  expect(found.code).toContain(
    "    indexes: [{ on: ['a', { cD: 'desc' }] }, { on: [{ b: 'desc' }] }, { on: ['b'], where: sql`a = 1` }],\n",
  )
  expect(found.code).toContain(
    "unique: [{ on: ['a'], where: sql`b > 1 AND \"c d\" <> 'where'` }, { on: [{ b: 'desc' }, 'a'], where: sql`a IS NOT NULL` }],",
  )
  const db = await adopted(found)
  await db.things.create({ a: 'x', b: 2, cD: 1 })
  expect(await failureOf(db.things.create({ a: 'x', b: 3, cD: 1 }))).toMatchObject({ code: 'UNIQUE', fields: ['a'] })
  expect(await failureOf(db.things.upsert({ a: 'x', b: 3 }, { on: 'a' }))).toMatchObject({ code: 'BAD_OPTION' })
})

test('indexes that no model declares', async () => {
  const found = await printed(`
    CREATE TABLE things (id INTEGER PRIMARY KEY, a TEXT, b INT, c INT AS (b + 1), d TEXT COLLATE NOCASE UNIQUE);
    CREATE UNIQUE INDEX expr ON things (lower(a)); CREATE INDEX made ON things (c);
    CREATE UNIQUE INDEX nocase ON things (a COLLATE NOCASE)`)
  expect(found.said).toEqual([
    'things.c: is made by SQLite (GENERATED)',
    'things: d: unique as NOCASE compares, by the index sqlite_autoindex_things_1',
    'things: the unique index expr is over an expression: it is kept by SQLite, not declared',
    'things: the index made is over c, which has no field: it is kept by SQLite, not declared',
    'things: a: unique as NOCASE compares, by the index nocase',
    'things.d: is compared by NOCASE: filters and orders follow it',
  ])
  expect(found.field('things.a')).toBe('t.text().nullable().unique()')
  const db = await adopted(found)
  await db.things.create({ a: 'x', d: 'X' })
  expect(await db.things.upsert({ a: 'X', b: 2 }, { on: 'a' })).toMatchObject({ id: 1, a: 'x', b: 2 })
  expect(await db.things.count({ d: 'x' })).toBe(1)
  expect(await db.things.upsert({ d: 'x', b: 3 }, { on: 'd' })).toMatchObject({ id: 1, b: 3 })
})

describe('defaults', () => {
  test.each([
    ['TEXT', "'it''s'", `t.text().nullable().default("it's")`, "it's"],
    ['TEXT', '"double"', "t.text().nullable().default('double')", 'double'],
    ['TEXT', 'bare', 't.text().nullable().default(sql`bare`)', 'bare'],
    ['TEXT', "''", "t.text().nullable().default('')", ''],
    ['TEXT', '5', 't.text().nullable().default(sql`5`)', '5'],
    ['TEXT', "('a' || 'b')", "t.text().nullable().default(sql`'a' || 'b'`)", 'ab'],
    ['TEXT', "('`' || '${x}' || '\\')", "t.text().nullable().default(sql`'\\`' || '\\${x}' || '\\\\'`)", '`${x}\\'],
    ['TEXT', 'NULL', 't.text().nullable()', null],
    ['VARCHAR(2)', "'long'", "t.text().nullable().default('long')", 'long'],
    ['INTEGER', '-5', 't.integer().nullable().default(-5)', -5],
    ['INTEGER', '+5', 't.integer().nullable().default(5)', 5],
    ['INTEGER', "'7'", "t.integer().nullable().default(sql`'7'`)", 7],
    ['INTEGER', '0x10', 't.integer().nullable().default(sql`0x10`)', 16],
    ['INTEGER', '(1 + 1)', 't.integer().nullable().default(sql`1 + 1`)', 2],
    ['INTEGER', 'TRUE', 't.integer().nullable().default(sql`TRUE`)', 1],
    ['REAL', '.5', 't.real().nullable().default(0.5)', 0.5],
    ['DECIMAL', '1e2', 't.real().nullable().default(100)', 100],
    ['BOOLEAN', 'TRUE', 't.boolean().nullable().default(true)', true],
    ['BOOLEAN', '0', 't.boolean().nullable().default(false)', false],
    ['BOOLEAN', "'1'", "t.boolean().nullable().default(sql`'1'`)", true],
    ['JSON', `'{"a": [1]}'`, `t.json().nullable().default(sql\`'{"a": [1]}'\`)`, { a: [1] }],
    ['BLOB', "x'0102'", "t.blob().nullable().default(sql`x'0102'`)", new Uint8Array([1, 2])],
  ])('%s DEFAULT %s', async (type, text, code, value) => {
    const found = await printed(`CREATE TABLE things (id INTEGER PRIMARY KEY, c ${type} DEFAULT ${text})`)
    expect(found.field('things.c')).toBe(code)
    const db = await adopted(found)
    expect(await db.things.create({})).toEqual({ id: 1, c: value })
    expect(await db.things.read(1)).toEqual({ id: 1, c: value })
  })

  test('of a key, longer than its limit', async () => {
    const found = await printed(`CREATE TABLE things (id VARCHAR(2) PRIMARY KEY DEFAULT 'long' COLLATE NOCASE)`)
    expect(found.field('things.id')).toBe("t.text().primaryKey().default('long')")
    expect(found.said).toEqual(['things.id: is compared by NOCASE: filters and orders follow it'])
    const db = await adopted(found)
    expect(await db.things.create({})).toEqual({ id: 'long' })
    expect(await db.things.read('LONG')).toEqual({ id: 'long' })
  })

  test('of bigints', async () => {
    const found = await printed(`
      CREATE TABLE things (id INTEGER PRIMARY KEY, a INT DEFAULT 7, b INT DEFAULT 9223372036854775807);
      INSERT INTO things VALUES (1, 9007199254740993, 9007199254740993)`)
    expect(found.field('things.a')).toBe('t.bigint().nullable().default(7n)')
    expect(found.field('things.b')).toBe('t.bigint().nullable().default(sql`9223372036854775807`)')
    expect(await (await adopted(found)).things.create({})).toEqual({ id: 2, a: 7n, b: 9223372036854775807n })
  })
})

describe('the text of CREATE TABLE', () => {
  test('checks, collations and what a conflict does', async () => {
    const found = await printed(`CREATE TABLE things (
      id INTEGER PRIMARY KEY, -- CHECK (in a comment)
      a TEXT NOT NULL ON CONFLICT IGNORE CHECK (a <> ')' /* ) */ AND length(a) > 1),
      "CHECK (b)" TEXT COLLATE RTRIM, d TEXT DEFAULT 'CHECK (x)' UNIQUE ON CONFLICT REPLACE,
      CONSTRAINT both CHECK (a IS NOT d), UNIQUE (a COLLATE NOCASE, d))`)
    expect(found.said).toEqual([
      'things: a, d: unique as NOCASE compares, by the index sqlite_autoindex_things_2',
      "things: CHECK (a <> ')' /* ) */ AND length(a) > 1) is kept by SQLite, not declared",
      'things: CHECK (a IS NOT d) is kept by SQLite, not declared',
      'things.CHECK (b): is compared by RTRIM: filters and orders follow it',
      'things: a constraint has ON CONFLICT IGNORE: what breaks it is no error, SQLite acts by itself',
      'things: a constraint has ON CONFLICT REPLACE: what breaks it is no error, SQLite acts by itself',
    ])
    const db = await adopted(found)
    expect((await failureOf(db.things.create({ a: 'x', d: 'y' }))).code).toBe('CHECK')
    expect(await db.things.create({ a: 'xx', CHECKB: 'z', d: 'y' })).toMatchObject({ id: 1 })
    expect(await db.things.count({ CHECKB: 'z  ' })).toBe(1)
  })

  test('names and texts in every kind of quotes', () => {
    const text =
      'CREATE TABLE [a(b] ("x,y" TEXT COLLATE NoCase, `z)` INT, [w] TEXT COLLATE "rtrim" CHECK(w != \'(\'), v COLLATE BINARY)'
    const { checks, collations, onConflict } = readTableText(text)
    expect([checks, [...collations], onConflict]).toEqual([
      ["w != '('"],
      [
        ['x,y', 'NOCASE'],
        ['w', 'RTRIM'],
      ],
      [],
    ])
    expect(readTableText('CREATE TABLE a(b, c)')).toEqual({ checks: [], collations: new Map(), onConflict: [] })
  })

  test('a long condition is shortened', async () => {
    const { said } = await printed(
      `CREATE TABLE a (id INTEGER PRIMARY KEY, b TEXT CHECK (b NOT IN ('${'x'.repeat(300)}')))`,
    )
    expect(said).toEqual([`a: CHECK (b NOT IN ('${'x'.repeat(108)}…) is kept by SQLite, not declared`])
  })
})
