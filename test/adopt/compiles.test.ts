// What is printed is a module that the strictest compiler takes, with the types that an app relies on.
import { execFile } from 'node:child_process'
import { writeFileSync } from 'node:fs'
import { join } from 'node:path'
import { promisify } from 'node:util'
import { expect, test } from 'vitest'
import { root } from '../support/docs-samples.js'
import { useOrigin } from '../whole/support.js'
import { CHINOOK, NORTHWIND } from './fixtures.js'
import { adopted, folder, printed, writeModule } from './support.js'

useOrigin()

/** Everything that has a text of its own in the code. */
const ODD = `
  CREATE TABLE class (new INTEGER PRIMARY KEY, "it's ""odd"" \`$\{x}\` \\" TEXT DEFAULT 'a''b', n INT DEFAULT -1 UNIQUE,
    big INT DEFAULT 9, day DATE DEFAULT CURRENT_TIMESTAMP, sec DATETIME, ms DATETIME NOT NULL, js JSON DEFAULT '{}', bl BLOB,
    yes BOOLEAN DEFAULT TRUE, r REAL DEFAULT 1e300, m DECIMAL DEFAULT (abs(-1)), s TEXT COLLATE NOCASE, UNIQUE (big, n));
  CREATE INDEX part ON class (n DESC, m) WHERE big > 1; CREATE UNIQUE INDEX part2 ON class (r) WHERE s <> '\`';
  CREATE INDEX many ON class (n, r, m, s, big, bl, js, day, sec, ms, yes);
  INSERT INTO class (big, sec, ms, day) VALUES (9007199254740993, 1700000000, 1700000000000, '2026-01-31T12:00:00.000Z');
  CREATE TABLE "2 words" (id TEXT PRIMARY KEY, up TEXT REFERENCES "2 words" ON DELETE SET NULL, c INT NOT NULL REFERENCES class);
  CREATE TABLE Date (id INTEGER PRIMARY KEY); CREATE TABLE NaN (id BIGINT PRIMARY KEY);
  INSERT INTO NaN VALUES (9223372036854775807); CREATE TABLE nan_s (id INTEGER PRIMARY KEY, nan BIGINT REFERENCES NaN DEFAULT 5);
  CREATE TABLE pairs (a INT, b INT, PRIMARY KEY (a, b));`

const USES: Record<string, string> = {
  chinook: `
    import { dataflow, type Row } from 'dataflow-edge'
    import { Track, models } from './chinook.js'
    const db = dataflow('chinook', { models, existingSchema: true })
    export const row: Promise<Row<typeof Track> | null> = db.track.read(1)
    export const price: Promise<number> = row.then(found => found!.UnitPrice)
    export const album: Promise<number | null> = row.then(found => found!.AlbumId)
    db.track.create({ Name: 'a', MediaTypeId: 1, Milliseconds: 1, UnitPrice: 1 })
    db.track.list({ where: { Composer: { $startsWith: 'A' }, AlbumId: { $in: [1, 2] } } })
    // @ts-expect-error a key is a number
    db.track.read('1')
    // @ts-expect-error UnitPrice is needed
    db.track.create({ Name: 'a', MediaTypeId: 1, Milliseconds: 1 })`,
  northwind: `
    import { dataflow } from 'dataflow-edge'
    import { models } from './northwind.js'
    const db = dataflow('northwind', { models, existingSchema: true })
    export const day: Promise<Date | null> = db.orders.readOrThrow(1).then(order => order.OrderDate)
    export const customer: Promise<string | null> = db.orders.readOrThrow(1).then(order => order.CustomerID)
    db.customers.create({ CustomerID: 'ALFKI', CompanyName: 'Alfred' })
    // @ts-expect-error it is a boolean
    db.salesByDay.create({ column2ndShift: 1 })`,
  odd: `
    import { dataflow } from 'dataflow-edge'
    import { Class, DateRow, models } from './odd.js'
    const db = dataflow('odd', { models, existingSchema: true })
    export const big: Promise<bigint | null> = db.class.readOrThrow(1).then(row => row.big)
    export const at: Promise<Date> = db.class.readOrThrow(1).then(row => row.ms)
    export const operations = [Class.create({ ms: new Date() }), DateRow.create({}), Class.count({ big: { $gt: 1n } })]
    db.nanS.create({ nan: 5n })`,
  empty: `
    import { dataflow } from 'dataflow-edge'
    import { models } from './empty.js'
    export const db = dataflow('empty', { models, existingSchema: true })`,
}

test('the compiler takes it, and knows the types', async () => {
  const files = { chinook: CHINOOK, northwind: NORTHWIND, odd: ODD, empty: '' }
  for (const [name, ddl] of Object.entries(files)) {
    const { code } = await printed(ddl === '' ? 'PRAGMA user_version = 1' : ddl)
    writeModule(name, code)
    writeModule(`${name}-app`, USES[name]!)
  }
  const config = {
    extends: '../../tsconfig.base.json',
    compilerOptions: {
      composite: false,
      declaration: false,
      emitDeclarationOnly: false,
      noEmit: true,
      rootDir: '../..',
      lib: ['ES2023', 'ESNext.Disposable', 'DOM', 'DOM.Iterable', 'DOM.AsyncIterable'],
      paths: { 'dataflow-edge': ['../../src/index.ts'] },
    },
    include: ['./*.ts', '../../src/assets.d.ts'],
  }
  writeFileSync(join(folder, 'tsconfig.json'), JSON.stringify(config))
  const tsc = join(root, 'node_modules/typescript/bin/tsc')
  const said = await promisify(execFile)(process.execPath, [tsc, '-p', folder, '--pretty', 'false']).then(
    () => '',
    (error: { stdout: string }) => error.stdout,
  )
  expect(said).toBe('')
})

test('the odd one works as well', async () => {
  const db = await adopted(await printed(ODD))
  const [row] = await db.class.list()
  expect(row).toMatchObject({
    new: 1,
    big: 9007199254740993n,
    sec: new Date(1_700_000_000_000),
    yes: true,
    r: 1e300,
    m: 1,
  })
  expect(row.ms).toEqual(new Date(1_700_000_000_000))
  const made = await db.class.create({
    ms: new Date(1_700_000_000_001),
    n: 2,
    sec: new Date(1_700_000_000_000),
    js: [1],
  })
  expect(made).toMatchObject({ new: 2, itSOddX: "a'b", js: [1], big: 9n })
  expect(await db.class.list({ where: { day: made.day } })).toEqual([made])
  expect(await db.table2Words.create({ id: 'a', c: 2 })).toEqual({ id: 'a', up: null, c: 2 })
  expect(await db.table2Words.update('a', { up: 'a' })).toEqual({ id: 'a', up: 'a', c: 2 })
  expect(await db.nanS.create({ nan: 9223372036854775807n })).toEqual({ id: 1, nan: 9223372036854775807n })
  const page = await db.class.page({ limit: 1, orderBy: { ms: 'desc' } })
  expect((await db.class.page({ limit: 1, orderBy: { ms: 'desc' }, after: page.next })).items).toEqual([row])
})
