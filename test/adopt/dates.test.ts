// Which form of date: a declared DATETIME says nothing of it, the values do.
import { describe, expect, test } from 'vitest'
import { useOrigin } from '../whole/support.js'
import { adopted, printed, type Printed } from './support.js'

useOrigin()

async function dates(
  values: readonly string[],
  type = 'DATETIME',
): Promise<{ found: Printed; code: string | null; notes: string[] }> {
  const rows = values.map(value => `INSERT INTO things (c) VALUES (${value});`).join('\n')
  const found = await printed(`CREATE TABLE things (id INTEGER PRIMARY KEY, c ${type}); ${rows}`)
  return { found, code: found.field('things.c'), notes: found.problems.map(({ message }) => message) }
}

const texts = (...values: string[]) => dates(values.map(value => `'${value}'`))
const asText = "t.date({ as: 'text' }).nullable()"

test.each(['DATE', 'datetime', 'TIMESTAMP', 'DATETIME(6)', 'timestamp with time zone', 'SMALLDATETIME'])(
  'declared as %s',
  async type => {
    expect((await dates(["'2026-01-31T12:00:00.000Z'"], type)).code).toBe(asText)
    expect((await dates(['1700000000'], type)).code).toBe("t.date({ as: 'seconds' }).nullable()")
    expect((await dates(['1700000000000'], type)).code).toBe('t.date().nullable()')
  },
)

test('a column that is declared as something else is no date', async () => {
  expect((await dates(["'2026-01-31T12:00:00.000Z'"], 'TEXT')).code).toBe('t.text().nullable()')
  expect((await dates(['1700000000'], 'INTEGER')).code).toBe('t.integer().nullable()')
})

describe('texts', () => {
  test('in the form that t.date() writes', async () => {
    const { found, code, notes } = await texts('2026-01-31T12:00:00.000Z', '0001-02-28T23:59:59.999Z')
    expect([code, notes]).toEqual([asText, []])
    const db = await adopted(found)
    expect(await db.things.count({ c: new Date('2026-01-31T12:00:00Z') })).toBe(1)
    expect(await db.things.create({ c: new Date(0) })).toEqual({ id: 3, c: new Date(0) })
    expect(await db.things.list({ orderBy: { c: 'desc' }, limit: 1, select: ['id'] })).toEqual([{ id: 1 }])
  })

  test('in other ISO forms: read, and how to make them one form', async () => {
    const { found, code, notes } = await texts('2026-01-31', '2026-01-31T12:00:00+02:00', '2026-01-31T12:00Z')
    expect(code).toBe(asText)
    const text = 'holds dates in another form than t.date() writes; filters compare texts, so $eq does not find them.'
    const update = `UPDATE "things" SET "c" = strftime('%Y-%m-%dT%H:%M:%fZ', "c")`
    expect(notes).toEqual([`${text} As one form: ${update}`])
    const db = await adopted(found)
    const rows = [new Date('2026-01-31'), new Date('2026-01-31T10:00Z'), new Date('2026-01-31T12:00Z')]
    expect((await db.things.list()).map((row: { c: Date }) => row.c)).toEqual(rows)
    expect(await db.things.count({ c: rows[0] })).toBe(0)
    await db.sql`UPDATE "things" SET "c" = strftime('%Y-%m-%dT%H:%M:%fZ', "c")`
    expect((await db.things.list()).map((row: { c: Date }) => row.c)).toEqual(rows)
    for (const c of rows) expect(await db.things.count({ c })).toBe(1)
  })

  test('without a zone', async () => {
    const { code, notes } = await texts('2026-01-31T12:00:00')
    expect(code).toBe(asText)
    expect(notes[0]).toBe('holds times without a zone, which are read as local time')
  })

  test('with a blank in place of the T', async () => {
    const { code, notes, found } = await texts('2026-01-31 12:00:00', '2026-01-31 12:00')
    expect(code).toBe('t.text().nullable()')
    expect(notes).toEqual([
      `holds dates with a blank between day and time, which t.date() does not read. As ISO text: UPDATE "things" SET "c" = strftime('%Y-%m-%dT%H:%M:%fZ', "c")`,
    ])
    const db = await adopted(found)
    expect(await db.things.count({ c: { $startsWith: '2026-01-31' } })).toBe(2)
    expect((await texts('2026-01-31 12:00:00', '2026-01-31')).notes[0]).toMatch(/day and time in some rows, which/)
  })

  test.each([
    [['07/04/1996'], 'holds 1 text that is no date of the calendar in ISO form, such as 99/99/9999 (9 is any digit)'],
    [['2026-01-31', 'soon', 'later'], 'holds 2 texts that are no dates of the calendar in ISO form'],
    [['2026-02-28', '2026-02-30'], 'holds 1 text that is no date of the calendar in ISO form'],
    [['2026-01-31T24:00'], 'holds 1 text that is no date of the calendar in ISO form'],
    [
      ['2026-01-31T12:00:00.123456Z'],
      'holds 1 text that is no date of the calendar in ISO form, such as 9999-99-99T99:99:99.999999Z (9 is any digit)',
    ],
    [[''], 'holds 1 text that is no date of the calendar in ISO form'],
  ])('%j', async (values, note) => {
    const { code, notes, found } = await texts(...values)
    expect([code, notes]).toEqual(['t.text().nullable()', [note]])
    const db = await adopted(found)
    expect((await db.things.list()).map((row: { c: string }) => row.c)).toEqual(values)
  })

  test('of very many forms', async () => {
    const { code } = await texts(...Array.from({ length: 40 }, (_, i) => 'x'.repeat(i)))
    expect(code).toBe('t.text().nullable()')
  })
})

describe('numbers', () => {
  test('seconds', async () => {
    const { found, notes } = await dates(['1700000000', 'NULL', '100000000'])
    expect(notes).toEqual([])
    const db = await adopted(found)
    expect(await db.things.read(1)).toEqual({ id: 1, c: new Date(1_700_000_000_000) })
    const made = await db.things.create({ c: new Date(1_800_000_000_000) })
    expect(await db.sql`select c from things where id = ${made.id}`).toEqual([{ c: 1_800_000_000 }])
    expect(await db.things.count({ c: { $gte: new Date(1_700_000_000_000) } })).toBe(2)
  })

  test('milliseconds', async () => {
    const { found } = await dates(['1700000000001'])
    const db = await adopted(found)
    expect(await db.things.read(1)).toEqual({ id: 1, c: new Date(1_700_000_000_001) })
    expect(await db.things.create({ c: new Date(1_800_000_000_001) })).toEqual({
      id: 2,
      c: new Date(1_800_000_000_001),
    })
    expect(await db.things.count({ c: new Date(1_800_000_000_001) })).toBe(1)
  })

  const throughout = 'holds integers that are neither seconds nor milliseconds since 1970 throughout'
  test.each([
    [['20260131'], 't.integer()', throughout],
    [['20260131120000'], 't.integer()', throughout],
    [['1700000000', '1700000000000'], 't.integer()', throughout],
    [['1700000000000000'], 't.integer()', throughout],
    [['13350000000000000'], 't.bigint()', throughout],
    [['0', '1700000000'], 't.integer()', throughout],
    [['2460000.5'], 't.real()', 'holds numbers that are no seconds or milliseconds'],
  ])('%j', async (values, kind, note) => {
    const { code, notes, found } = await dates(values)
    expect([code, notes]).toEqual([`${kind}.nullable()`, [note]])
    expect(await (await adopted(found)).things.count()).toBe(values.length)
  })
})

test('several forms in one column', async () => {
  const { code, notes, found } = await dates(["'2026-01-31T12:00:00.000Z'", '1700000000'])
  expect([code, notes]).toEqual([
    't.text().nullable()',
    ['holds dates of several forms: 1 text, 1 number; reads give each as it is'],
  ])
  expect((await (await adopted(found)).things.list())[1]).toEqual({ id: 2, c: 1700000000 })
  const blobs = await dates(["'2026-01-31'", "x'00'"])
  expect(blobs.code).toBe(null)
})

describe('without any value', () => {
  test('nothing tells the form', async () => {
    const { code, notes } = await dates([])
    expect([code, notes]).toEqual([asText, ['has no value to tell the form of its dates: taken for ISO text']])
  })

  test.each([
    ['CURRENT_TIMESTAMP', 't.text().nullable().default(sql`CURRENT_TIMESTAMP`)'],
    ["(datetime('now'))", "t.text().nullable().default(sql`datetime('now')`)"],
    ['CURRENT_DATE', "t.date({ as: 'text' }).nullable().default(sql`CURRENT_DATE`)"],
    [
      "(strftime('%Y-%m-%dT%H:%M:%fZ'))",
      "t.date({ as: 'text' }).nullable().default(sql`strftime('%Y-%m-%dT%H:%M:%fZ')`)",
    ],
    ["(strftime('%s', 'now'))", "t.date({ as: 'seconds' }).nullable().default(sql`strftime('%s', 'now')`)"],
    ['(unixepoch() * 1000)', 't.date().nullable().default(sql`unixepoch() * 1000`)'],
  ])('DEFAULT %s does', async (text, code) => {
    const { found } = await dates([], `DATETIME DEFAULT ${text}`)
    expect(found.field('things.c')).toBe(code)
    const db = await adopted(found)
    const made = await db.things.create({})
    expect(await db.things.read(made.id)).toEqual(made)
  })
})

describe('a default of another form than the values', () => {
  test('of now: the page makes it', async () => {
    const { found, code, notes } = await dates(
      ["'2026-01-31T12:00:00.000Z'"],
      'DATETIME NOT NULL DEFAULT CURRENT_TIMESTAMP',
    )
    expect(code).toBe("t.date({ as: 'text' }).default(() => new Date())")
    expect(notes).toEqual([
      'has the default CURRENT_TIMESTAMP, which is no date in this form: the page makes one that is',
    ])
    const db = await adopted(found)
    const made = await db.things.create({})
    expect(await db.things.list({ where: { c: made.c } })).toEqual([made])
  })

  test('a constant, a function that is not there, a bare word: it is not declared', async () => {
    for (const text of ["'never'", '0', '(missing_one(1))', 'never']) {
      const { found, code, notes } = await dates(["'2026-01-31T12:00:00.000Z'"], `DATETIME DEFAULT ${text}`)
      expect(code).toBe(asText)
      expect(notes[0]).toMatch(/^has the default .*, which is no date in this form: it is not declared$/)
      expect(await (await adopted(found)).things.create({})).toEqual({ id: 2, c: null })
    }
  })
})
