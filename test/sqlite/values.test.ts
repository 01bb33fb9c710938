import fc from 'fast-check'
import { afterAll, beforeAll, describe, expect, test } from 'vitest'
import type { Sqlite, SqlCell, SqlParam } from '../../worker/seams.js'
import { failureOf, openDatabase, rowsOf, valueOf } from './support.js'

let db: Sqlite
beforeAll(async () => {
  db = (await openDatabase()).db
  db.exec('CREATE TABLE v(id INTEGER PRIMARY KEY, t TEXT, i INTEGER, r REAL, b BLOB, x ANY) STRICT')
})
afterAll(() => db.close())

/** Through a column, and through an expression. */
function roundTrip(value: SqlParam, column = 'x'): SqlCell | undefined {
  db.run('DELETE FROM v')
  db.run(`INSERT INTO v(id, ${column}) VALUES (1, ?)`, [value])
  const stored = valueOf(db, `SELECT ${column} FROM v`)
  expect(valueOf(db, 'SELECT ?', [value])).toEqual(value)
  return stored
}

describe('text', () => {
  test.each([
    ['empty', ''],
    ['NUL only', '\0'],
    ['NUL inside', 'a\0b\0\0c'],
    ['a byte order mark', '\uFEFFa'],
    ['umlauts', 'ä'.repeat(60)],
    ['emoji', '👩‍👩‍👧‍👦 and 🇩🇪'],
    ['1 MB', 'x'.repeat(1_000_000)],
    ['1 MB of three-byte characters', '漢'.repeat(340_000)],
    ['longer than the scratch memory by one', 'y'.repeat(65_536)],
  ])('%s is complete', (_, text) => {
    expect(roundTrip(text)).toBe(text)
    expect(valueOf(db, 'SELECT t FROM v WHERE x = ?', [text])).toBeNull()
    expect(valueOf(db, 'SELECT length(CAST(x AS BLOB)) FROM v')).toBe(Buffer.byteLength(text))
    db.each('SELECT x FROM v', [], row => expect(row.text(0)).toBe(text))
  })

  test('every length around the thresholds, ASCII or not', () => {
    for (let length = 0; length < 200; length++) {
      const ascii = 'abcdefghij'.repeat(20).slice(0, length)
      for (const text of [ascii, `${ascii}é`, `é${ascii}`]) expect(roundTrip(text)).toBe(text)
    }
  })

  test('any string that is well formed', () => {
    fc.assert(
      fc.property(fc.string({ unit: 'binary', maxLength: 300 }), text => {
        // A lone surrogate has no UTF-8.
        fc.pre(!/\p{Surrogate}/u.test(text))
        expect(roundTrip(text)).toBe(text)
      }),
    )
  })

  test('many long values in one statement', () => {
    const texts = Array.from({ length: 40 }, (_, i) => `${i}`.repeat(3000))
    const sql = `SELECT ${texts.map(() => '?').join(', ')}`
    expect(rowsOf(db, sql, texts)).toEqual([texts])
  })
})

describe('numbers', () => {
  test.each([0, 1, -1, 2 ** 31 - 1, 2 ** 31, -(2 ** 31), -(2 ** 31) - 1, 2 ** 53 - 1, -(2 ** 53) + 1])(
    '%d is exact in an INTEGER column',
    value => expect(roundTrip(value, 'i')).toBe(value),
  )

  test.each([
    '9223372036854775807',
    '-9223372036854775808',
    '9007199254740993',
    '-9007199254740993',
    '9007199254740992',
  ])('%s is a bigint', text => {
    db.run('DELETE FROM v')
    db.run('INSERT INTO v(i) VALUES (CAST(? AS INTEGER))', [text])
    expect(valueOf(db, 'SELECT i FROM v')).toBe(BigInt(text))
    expect(valueOf(db, 'SELECT CAST(? AS INTEGER)', [text])).toBe(BigInt(text))
    db.each('SELECT i FROM v', [], row => expect(row.text(0)).toBe(text))
  })

  test('any double comes back as it was', () => {
    fc.assert(
      fc.property(fc.double({ noNaN: true }), value => {
        db.run('DELETE FROM v')
        db.run('INSERT INTO v(r) VALUES (?)', [value])
        expect(valueOf(db, 'SELECT r FROM v')).toBe(value === 0 ? 0 : value)
      }),
    )
  })
})

describe('blobs and NULL', () => {
  test.each([0, 1, 300, 100_000])('a blob of %d bytes is a copy', length => {
    const bytes = new Uint8Array(length).map((_, i) => i * 13)
    const stored = roundTrip(bytes, 'b') as Uint8Array
    expect(Buffer.compare(stored, bytes)).toBe(0)
    expect(stored.buffer.byteLength).toBe(length)
    db.each('SELECT b FROM v', [], row => expect(row.blob(0)).toEqual(bytes))
  })

  test('NULL is null however it is read, also after a run with another value', () => {
    const sql = 'SELECT ?'
    expect(valueOf(db, sql, ['text'])).toBe('text')
    db.each(sql, [null], row => expect([row.text(0), row.blob(0), row.value(0)]).toEqual([null, null, null]))
  })

  test('a part of a larger array is bound alone', () => {
    expect(valueOf(db, 'SELECT ?', [new Uint8Array([1, 2, 3, 4]).subarray(1, 3)])).toEqual(new Uint8Array([2, 3]))
  })
})

describe('parameters', () => {
  test.each([
    ['undefined', undefined],
    ['a Date', new Date()],
    ['an object', {}],
    ['an array', [1]],
    ['an ArrayBuffer', new ArrayBuffer(1)],
    ['a boolean', true],
    ['a bigint', 1n],
    ['a function', () => 1],
    ['NaN', NaN],
  ])('%s cannot be bound', (_, value) => {
    const error = failureOf(() => db.run('INSERT INTO v(x) VALUES (?)', [value as never]))
    expect(error.code).toBe('SQL')
    expect(error.message).toMatch(/^Parameter 1 is /)
    expect(valueOf(db, 'SELECT ?', ['still works'])).toBe('still works')
  })

  test('their number must be right', () => {
    for (const params of [[], [1], [1, 2, 3]]) {
      expect(failureOf(() => db.run('SELECT ?, ?', params)).message).toMatch('The statement has 2 parameters')
    }
    expect(rowsOf(db, 'SELECT ?1, ?1', [5])).toEqual([[5, 5]])
    expect(rowsOf(db, 'SELECT ?3', [1, 2, 3])).toEqual([[3]])
    expect(rowsOf(db, 'SELECT :a, @b, $c', [1, 2, 3])).toEqual([[1, 2, 3]])
    expect(rowsOf(db, "SELECT '?', ?", [1])).toEqual([['?', 1]])
    for (const count of [1, 2, 3, 31, 32, 33, 100, 256, 257, 32_766]) {
      const params = Array.from({ length: count }, (_, i) => i)
      expect(db.run(`VALUES (${params.map(() => '?').join('),(')})`.slice(0, -1) + ')', params)).toBe(0)
    }
  })
})

test('columns are those of the schema now, duplicates included', () => {
  db.exec('CREATE TABLE c(a, b); INSERT INTO c VALUES (1, 2)')
  const names = (): (readonly string[])[] => {
    const seen: (readonly string[])[] = []
    db.each('SELECT * FROM c', [], row => seen.push(row.columns))
    return seen
  }
  expect(names()).toEqual([['a', 'b']])
  db.run('ALTER TABLE c RENAME COLUMN b TO "ü, d"')
  expect(names()).toEqual([['a', 'ü, d']])
  db.run('ALTER TABLE c ADD COLUMN e')
  expect(names()).toEqual([['a', 'ü, d', 'e']])
  db.each('SELECT a, a FROM c', [], row => expect(row.columns).toEqual(['a', 'a']))
})

test('rows survive a growth of the memory while they are read', () => {
  const large = 'z'.repeat(2_000_000)
  const seen: SqlCell[] = []
  db.each('WITH n(i) AS (VALUES (1) UNION ALL SELECT i + 1 FROM n WHERE i < 60) SELECT i, ? FROM n', [large], row => {
    seen.push(row.value(0))
    expect(valueOf(db, 'SELECT length(?)', [large])).toBe(large.length)
    expect(row.text(1)!.length).toBe(large.length)
  })
  expect(seen.length).toBe(60)
})
