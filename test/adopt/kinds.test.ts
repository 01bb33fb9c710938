// Which kind of field a column gets: by its declared type and by what it holds, in tables that are not STRICT.
import { describe, expect, test } from 'vitest'
import { useOrigin } from '../whole/support.js'
import { adopted, printed } from './support.js'

useOrigin()

/** One column of this type with these values, as SQL. */
async function column(type: string, ...values: string[]) {
  const rows = values.map(value => `INSERT INTO things (c) VALUES (${value});`).join('\n')
  const found = await printed(`CREATE TABLE things (id INTEGER PRIMARY KEY, c ${type}); ${rows}`)
  const notes = found.problems.map(({ message }) => message)
  return { found, code: found.field('things.c'), notes }
}

describe('by the declared type', () => {
  test.each([
    ['TEXT', 't.text()'],
    ['varchar(20)', 't.text({ max: 20 })'],
    ['NATIONAL CHARACTER VARYING (30)', 't.text({ max: 30 })'],
    ['CLOB', 't.text()'],
    ['INTEGER', 't.integer()'],
    ['BIGINT', 't.integer()'],
    ['UNSIGNED BIG INT', 't.integer()'],
    ['REAL', 't.real()'],
    ['DOUBLE PRECISION', 't.real()'],
    ['DECIMAL(10, 2)', 't.real()'],
    ['NUMERIC', 't.real()'],
    ['BOOLEAN', 't.boolean()'],
    ['BIT', 't.boolean()'],
    ['JSON', 't.json()'],
    ['BLOB', 't.blob()'],
    ['VARBINARY(16)', 't.blob()'],
    ['IMAGE', 't.blob()'],
    ['DATE', "t.date({ as: 'text' })"],
  ])('%s', async (type, code) => {
    expect((await column(type)).code).toBe(`${code}.nullable()`)
    expect((await column(`${type} NOT NULL`)).code).toBe(code)
  })

  test('STRICT tables as well', async () => {
    const found = await printed(`
      CREATE TABLE s (id INTEGER PRIMARY KEY, a TEXT NOT NULL, b INT, c REAL, d BLOB, e ANY) STRICT;
      INSERT INTO s VALUES (1, 1, 2, 3, x'04', 5)`)
    expect(['a', 'b', 'c', 'd', 'e'].map(name => found.field(`s.${name}`))).toEqual([
      't.text()',
      't.integer().nullable()',
      't.real().nullable()',
      't.blob().nullable()',
      't.integer().nullable()',
    ])
  })
})

describe('by the values', () => {
  test('a limit holds only if every row is within it', async () => {
    expect((await column('VARCHAR(3)', "'abc'", "'🦫🦫🦫'")).code).toBe('t.text({ max: 3 }).nullable()')
    const { code, notes } = await column('VARCHAR(3)', "'abcd'")
    expect([code, notes]).toEqual(['t.text().nullable()', ['holds texts of more than 3 characters (4): no `max`']])
  })

  test('integers beyond 2^53 are bigints', async () => {
    const { found, code } = await column('INTEGER', '9007199254740993', '1')
    expect(code).toBe('t.bigint().nullable()')
    const db = await adopted(found)
    expect((await db.things.list()).map((row: { c: bigint }) => row.c)).toEqual([9007199254740993n, 1n])
    expect(await db.things.count({ c: 9007199254740993n })).toBe(1)
  })

  test('fractions among integers', async () => {
    const { code, notes } = await column('INTEGER', '1', '1.5')
    expect([code, notes]).toEqual(['t.real().nullable()', ['is INTEGER, and holds 1 fraction']])
  })

  test('a type that says nothing is what it holds', async () => {
    expect((await column('YEAR', '1999', '2000')).code).toBe('t.integer().nullable()')
    expect((await column('SIZE', '1', '2.5')).code).toBe('t.real().nullable()')
    expect((await column('GEOMETRY', "x'00'")).code).toBe('t.blob().nullable()')
    expect((await column('TIME', "'12:30'")).code).toBe('t.text().nullable()')
  })

  test('no type at all', async () => {
    const held = 'has no declared type: taken for what it holds'
    const found = await Promise.all([
      column('', "'a'"),
      column('', '1', '2'),
      column('', '1', '2.5'),
      column('', "x'00'"),
      column(''),
    ])
    expect(found.map(({ code, notes }) => [code, ...notes])).toEqual([
      ['t.text().nullable()', held],
      ['t.integer().nullable()', held],
      ['t.real().nullable()', held],
      ['t.blob().nullable()', held],
      ['t.text().nullable()', 'has no declared type and no value: taken for text'],
    ])
  })

  test('booleans are 0 and 1, or no booleans', async () => {
    expect((await column('BOOLEAN', '0', '1', 'NULL', 'TRUE')).code).toBe('t.boolean().nullable()')
    const { code, notes } = await column('BOOLEAN', '0', '2')
    expect([code, notes]).toEqual(['t.integer().nullable()', ['holds values other than 0 and 1: no t.boolean()']])
    const texts = await column('BOOLEAN', "'yes'")
    expect([texts.code, texts.notes]).toEqual([
      null,
      [
        `holds values other than 0 and 1: no t.boolean(); is BOOLEAN, where SQLite makes numbers of texts such as '007'`,
      ],
    ])
  })

  test('JSON is read, written and found', async () => {
    const { found, code, notes } = await column('JSON', `'{"b":1}'`, `'[1, 2]'`, 'NULL', '5')
    expect([code, notes]).toEqual([
      't.json().nullable()',
      ['holds JSON with blanks between its parts, which $eq does not find: it compares canonical texts'],
    ])
    const db = await adopted(found)
    expect((await db.things.list()).map((row: { c: unknown }) => row.c)).toEqual([{ b: 1 }, [1, 2], null, 5])
    expect(await db.things.count({ c: { $has: 2 } })).toBe(1)
    for (const c of [{ z: [], a: '007' }, '007', 0.30000000000000004, true, -7, 1e300]) {
      const made = await db.things.create({ c })
      expect(await db.things.read(made.id)).toEqual({ id: made.id, c })
      expect(await db.things.count({ c })).toBe(1)
    }
  })

  test('texts that are no JSON', async () => {
    const asText = await column('JSON TEXT', "'{'")
    expect([asText.code, asText.notes]).toEqual(['t.text().nullable()', ['holds 1 text that is no JSON']])
    expect((await column('JSON', "'{'")).code).toBe(null)
    const blobs = await column('JSONB', `jsonb('[1]')`)
    expect([blobs.code, blobs.notes]).toEqual(['t.blob().nullable()', ['holds JSON as blobs (JSONB): no t.json()']])
  })

  test('blobs that are none', async () => {
    const texts = await column('BLOB', "'a'")
    expect([texts.code, texts.notes]).toEqual(['t.text().nullable()', ['is declared as BLOB, and holds texts']])
    const mixed = await column('BLOB', "'a'", "x'00'", '5')
    expect([mixed.code, mixed.notes]).toEqual([
      't.blob().nullable()',
      ['holds 1 text, 1 number, 1 blob; reads give the bytes of each'],
    ])
    const db = await adopted(mixed.found)
    expect((await db.things.list()).map((row: { c: unknown }) => row.c)).toEqual(
      ['a', '\0', '5'].map(text => new TextEncoder().encode(text)),
    )
  })
})

describe('what no field could read is left out', () => {
  test.each([
    ['INTEGER', ['1', "''"], 'is INTEGER and holds 1 text, 1 number, told apart by typeof("c")'],
    ['REAL', ["'n/a'"], 'is REAL and holds 1 text, told apart by typeof("c")'],
    ['TEXT', ["'a'", "x'00'"], 'is TEXT and holds 1 text, 1 blob, told apart by typeof("c")'],
    ['', ["'a'", '1'], 'has no declared type and holds 1 text, 1 number, told apart by typeof("c")'],
    ['STRING', ["'a'"], "is STRING, where SQLite makes numbers of texts such as '007'"],
  ])('%s', async (type, values, message) => {
    const { found, code } = await column(type, ...values)
    expect(code).toBe(null)
    expect(found.problems).toEqual([{ table: 'things', column: 'c', message, leftOut: true }])
    const db = await adopted(found)
    expect(await db.things.create({})).toEqual({ id: values.length + 1 })
    expect(await db.things.list({ where: { id: 1 } })).toEqual([{ id: 1 }])
  })

  test('with its table, if every row needs a value of it', async () => {
    const { found } = await column('STRING NOT NULL', "'a'")
    expect(found.problems).toEqual([
      {
        table: 'things',
        message: "left out: c needs a value, and is STRING, where SQLite makes numbers of texts such as '007'",
        leftOut: true,
      },
    ])
    expect(found.code).toBe(`// things: ${found.problems[0]!.message}\n\nexport const models = {}\n`)
  })
})
