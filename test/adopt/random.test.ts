// Whatever a file holds: what is printed is declared without an error, fits the file, reads every row, and writes back what
// it has read.
import fc from 'fast-check'
import { expect, test } from 'vitest'
import { useOrigin } from '../whole/support.js'
import { adopted, printed } from './support.js'

useOrigin()

const quote = (name: string) => `"${name.replaceAll('"', '""')}"`

const NAMES = [
  'id',
  'name',
  'Name 2',
  'name2',
  'name-2',
  'then',
  'rowid',
  'run',
  'on',
  'Order Details',
  'order_details',
  '2nd',
  '日本',
  'a"b',
  "it's",
  '*/',
  '`${x}`',
  '\\',
  'models',
  'constructor',
  'é',
  'x\ny',
]
const TYPES = [
  '',
  'INTEGER',
  'INT',
  'BIGINT',
  'TEXT',
  'VARCHAR(3)',
  'CHAR(40)',
  'REAL',
  'DOUBLE',
  'NUMERIC',
  'DECIMAL(10,2)',
  'BOOLEAN',
  'BIT',
  'DATE',
  'DATETIME',
  'TIMESTAMP',
  'JSON',
  'BLOB',
  'VARBINARY(9)',
  'UUID',
  'STRING',
  'TIME',
  'YEAR',
  'JSON TEXT',
]
const VALUES = [
  'NULL',
  '0',
  '1',
  '2',
  '-7',
  '1.5',
  '1e300',
  '9007199254740993',
  '1700000000',
  '1700000000000',
  "''",
  "'a'",
  "'007'",
  "'long text'",
  "'🦫'",
  "'2026-01-31'",
  "'2026-01-31T12:00:00.000Z'",
  "'2026-01-31 12:00:00'",
  "'2026-02-30'",
  `'{"a": 1}'`,
  "'[]'",
  'TRUE',
  "x'00ff'",
  "x''",
]
const DEFAULTS = [
  'NULL',
  '0',
  '-1',
  '1.5',
  "'a'",
  '"b"',
  'CURRENT_TIMESTAMP',
  'CURRENT_DATE',
  '(1 + 1)',
  'TRUE',
  "x'01'",
  "'{}'",
  "(datetime('now'))",
]
const ACTIONS = [
  '',
  ' ON DELETE CASCADE',
  ' ON DELETE SET NULL',
  ' ON DELETE RESTRICT',
  ' ON DELETE SET DEFAULT',
  ' ON UPDATE CASCADE',
]

const pick = <T>(values: readonly T[]) => fc.constantFrom(...values)
const sometimes = (arb: fc.Arbitrary<string>) =>
  fc.oneof({ weight: 3, arbitrary: fc.constant('') }, { weight: 1, arbitrary: arb })

const column = fc.record({
  name: pick(NAMES),
  type: pick(TYPES),
  rest: fc
    .tuple(
      sometimes(fc.constant(' NOT NULL')),
      sometimes(pick(DEFAULTS).map(text => ` DEFAULT ${text}`)),
      sometimes(fc.constant(' UNIQUE')),
      sometimes(fc.constant(' COLLATE NOCASE')),
      sometimes(pick(ACTIONS).chain(action => pick(['first', 'second']).map(table => ` REFERENCES ${table}${action}`))),
    )
    .map(parts => parts.join('')),
  generated: fc.boolean(),
})

const KEYS = [
  ' INTEGER PRIMARY KEY',
  ' INTEGER PRIMARY KEY AUTOINCREMENT',
  ' INT PRIMARY KEY',
  ' TEXT PRIMARY KEY NOT NULL',
  ' PRIMARY KEY',
  ' VARCHAR(20) PRIMARY KEY',
  '',
]

const table = fc.record({
  key: pick(KEYS),
  tail: sometimes(fc.constant(' WITHOUT ROWID')),
  columns: fc.uniqueArray(column, { minLength: 1, maxLength: 6, selector: ({ name }) => name.toLowerCase() }),
  index: fc.constantFrom('', 'INDEX', 'UNIQUE INDEX'),
  way: fc.constantFrom('', ' DESC', ' COLLATE NOCASE'),
  where: sometimes(fc.constant(` WHERE 'x' <> '\`$\{y}'`)),
  rows: fc.array(fc.array(pick(VALUES), { minLength: 6, maxLength: 6 }), { maxLength: 4 }),
})
type TableSpec = typeof table extends fc.Arbitrary<infer T> ? T : never

type File = readonly (readonly [name: string, spec: TableSpec])[]

/** Without references to a table that has no key: SQLite would refuse to check such a file. */
function ddlOf(file: File, [name, { key, tail, columns, index, way, where }]: File[number]): string[] {
  const keyless = file.filter(([, other]) => other.key === '').map(([other]) => ` REFERENCES ${other}`)
  const own = columns.map(({ name, type, rest }) => {
    const without = keyless.some(clause => rest.includes(clause)) ? rest.split(' REFERENCES')[0] : rest
    return `${quote(name)} ${type}${without}`
  })
  const keyColumn = key === '' ? [] : [`"the key"${key}`]
  const made = columns[0]!.generated ? ['"made" INT NOT NULL AS (1)'] : []
  const end = key === '' || key.includes('AUTOINCREMENT') ? '' : tail
  const names = columns.map(column => quote(column.name))
  return [
    `CREATE TABLE ${quote(name)} (${[...keyColumn, ...own, ...made].join(', ')})${end}`,
    ...(index
      ? [`CREATE ${index} ${quote(`${name} index`)} ON ${quote(name)} (${names.slice(0, 3).join(', ')}${way})${where}`]
      : []),
  ]
}

/** References are NULL: one to nothing would have the file refused. */
function rowsOf([name, { key, columns, rows }]: File[number]): string[] {
  const names = [...(key === '' ? [] : ['"the key"']), ...columns.map(column => quote(column.name))]
  return rows.map((values, row) => {
    const cells = columns.map(({ rest }, i) => (rest.includes('REFERENCES') ? 'NULL' : values[i]!))
    const all = [...(key === '' ? [] : [String(row + 1)]), ...cells]
    return `INSERT OR IGNORE INTO ${quote(name)} (${names.join(', ')}) VALUES (${all.join(', ')})`
  })
}

const files = fc
  .record({
    first: table,
    second: table,
    others: fc.uniqueArray(fc.tuple(pick(NAMES), table), { maxLength: 2, selector: ([name]) => name.toLowerCase() }),
  })
  .map(({ first, second, others }): File => [['first', first], ['second', second], ...others])

test('every file', { timeout: 240_000 }, async () => {
  let read = 0
  await fc.assert(
    fc.asyncProperty(files, async file => {
      const found = await printed(db => {
        for (const part of file) for (const sql of ddlOf(file, part)) db.run(sql)
        for (const part of file) for (const sql of rowsOf(part)) db.run(sql)
      })
      const db = await adopted(found)
      for (const { table, accessor, rows, columns } of found.tables) {
        if (accessor === null) continue
        const listed = await db[accessor].list()
        expect(listed).toHaveLength(rows)
        const fieldOf = (name: string) => columns.find(({ column }) => column === name)!.field!
        const key = fieldOf('the key')
        const unlike = found.problems.filter(
          problem => problem.table === table && /several forms|the bytes of each/.test(problem.message),
        )
        for (const row of listed) {
          read++
          expect(await db[accessor].read(row[key])).toEqual(row)
          const { [key]: id, ...patch } = row
          for (const { column } of unlike) delete patch[fieldOf(column!)]
          expect(await db[accessor].update(id, patch)).toEqual(row)
          for (const [field, value] of Object.entries(patch)) {
            if (typeof value === 'object') continue
            expect(await db[accessor].count({ [key]: id, [field]: value })).toBe(1)
          }
        }
      }
    }),
    { numRuns: 120 },
  )
  // The files are worth something.
  expect(read).toBeGreaterThan(50)
})
