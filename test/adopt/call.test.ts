// dataflow.introspect() as a call: what it takes, refuses, and leaves behind.
import { expect, test, vi } from 'vitest'
import { dataflow } from '../../src/index.js'
import { failureOf, foreignFile, useOrigin } from '../whole/support.js'

const origin = useOrigin()

const file = () => foreignFile(db => db.run('CREATE TABLE notes (id INTEGER PRIMARY KEY, body TEXT NOT NULL)'))
const NOTES = `import { model, t } from 'dataflow-edge'

export const Notes = model('Notes', {
  id: t.autoId(),
  body: t.text(),
})

export const models = { notes: Notes }
`

test('takes what import takes, and gives all of it', async () => {
  const bytes = await file()
  const sources = [bytes, bytes.buffer, new Blob([bytes]), new Blob([bytes]).stream()]
  for (const source of sources) expect((await dataflow.introspect(source)).code).toBe(NOTES)
  expect(await dataflow.introspect(bytes)).toEqual({
    code: NOTES,
    problems: [],
    tables: [
      {
        table: 'notes',
        rows: 0,
        model: 'Notes',
        accessor: 'notes',
        columns: [
          { column: 'id', type: 'INTEGER', field: 'id', declaration: 't.autoId()' },
          { column: 'body', type: 'TEXT', field: 'body', declaration: 't.text()' },
        ],
      },
    ],
  })
})

test('makes no database, and takes no lock of one', async () => {
  const db = dataflow('introspect', { models: {} })
  await db.ready
  await dataflow.introspect(await file())
  expect(await dataflow.databases()).toEqual([{ name: 'introspect' }])
})

test('its worker ends, also when the file is refused', async () => {
  const { Worker: Real } = origin.current.globals as { Worker: new () => Worker }
  const ended = vi.fn()
  const worker = () => {
    const made = new Real()
    const terminate = made.terminate.bind(made)
    made.terminate = () => (ended(), terminate())
    return made
  }
  expect((await dataflow.introspect(await file(), { worker })).code).toBe(NOTES)
  expect(ended).toHaveBeenCalledTimes(1)
  expect((await failureOf(dataflow.introspect(new Uint8Array(9000), { worker }))).code).toBe('IMPORT')
  expect(ended).toHaveBeenCalledTimes(2)
})

test('refuses what import refuses', async () => {
  const broken = await foreignFile(db =>
    db.run(`CREATE TABLE a (id INTEGER PRIMARY KEY); CREATE TABLE b (id INTEGER PRIMARY KEY, a INT REFERENCES a);
      INSERT INTO b VALUES (1, 5)`),
  )
  expect(await failureOf(dataflow.introspect(broken))).toMatchObject({
    code: 'IMPORT',
    text: 'Rows of the file refer to rows that do not exist: b -> a (1 row).',
  })
  const mismatch = await foreignFile(db =>
    db.run(
      'CREATE TABLE a (id INTEGER PRIMARY KEY, n INT); CREATE TABLE b (id INTEGER PRIMARY KEY, n INT REFERENCES a (n))',
    ),
  )
  expect((await failureOf(dataflow.introspect(mismatch))).text).toMatch(
    /^SQLite cannot read the file: foreign key mismatch/,
  )
})

test('wrong input is one clear error', async () => {
  const wrong = async (source: unknown, options?: unknown) =>
    (await failureOf(dataflow.introspect(source as never, options as never))).message
  expect(await wrong('app.db')).toBe(
    '[BAD_OPTION] introspect() takes a Blob, an ArrayBuffer, a Uint8Array or a ReadableStream. Hint: introspect(input.files[0]).',
  )
  expect(await wrong(await file(), { wrker: 1 })).toBe(
    '[BAD_OPTION] introspect() has no option "wrker". Hint: it takes worker, wasmUrl, onProgress, signal.',
  )
  for (const options of [null, 5, { signal: 1 }, { onProgress: 1 }, { worker: 1 }, { wasmUrl: 1 }]) {
    expect(await wrong(await file(), options)).toMatch(/^\[BAD_OPTION\]/)
  }
})

test('progress, and its end by a signal', async () => {
  const done: number[] = []
  const bytes = await file()
  await dataflow.introspect(bytes, { onProgress: progress => done.push(progress.done / progress.total) })
  expect(done.at(-1)).toBe(1)
  const early = AbortSignal.abort('no')
  expect(await failureOf(dataflow.introspect(bytes, { signal: early }))).toMatchObject({ code: 'ABORTED', cause: 'no' })
  const controller = new AbortController()
  const running = dataflow.introspect(bytes, { signal: controller.signal, onProgress: () => controller.abort('later') })
  expect(await failureOf(running)).toMatchObject({ code: 'ABORTED', cause: 'later' })
})

test('a table of 300 columns, and one of many rows', async () => {
  const columns = Array.from({ length: 300 }, (_, i) => `c${i} ${i % 2 ? 'DATETIME' : 'VARCHAR(9)'}`)
  const wide = await foreignFile(db => {
    db.run(`CREATE TABLE wide (id INTEGER PRIMARY KEY, ${columns.join(', ')});
      INSERT INTO wide (c298, c299) VALUES ('a', 1700000000);
      CREATE TABLE long (id INTEGER PRIMARY KEY, at DATE);
      WITH RECURSIVE n (i) AS (VALUES (0) UNION ALL SELECT i + 1 FROM n WHERE i < 49999)
      INSERT INTO long SELECT i, date('2000-01-01', i || ' days') FROM n;`)
  })
  const { tables, problems } = await dataflow.introspect(wide)
  expect(tables.map(({ rows }) => rows)).toEqual([1, 50_000])
  expect(tables[0]!.columns.slice(-2).map(({ declaration }) => declaration)).toEqual([
    't.text({ max: 9 }).nullable()',
    "t.date({ as: 'seconds' }).nullable()",
  ])
  expect(tables[1]!.columns[1]!.declaration).toBe("t.date({ as: 'text' }).nullable()")
  expect(problems.filter(({ table }) => table === 'long')).toHaveLength(1)
})
