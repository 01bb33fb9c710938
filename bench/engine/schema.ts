// What migrations cost: the check of an unchanged schema, a plan, and the large ones beside the same SQL by hand in sql.js
// on the same million rows. A worker without a page, storage in memory.
import { systemClock } from '#worker/clock.js'
import { declare } from '#worker/migrate/declared.js'
import { changesSince, planSchema } from '#worker/migrate/planner.js'
import { readRegistry } from '#worker/migrate/registry.js'
import { schemaOf } from '#worker/open.js'
import type { SqliteModule } from '#worker/seams.js'
import { bootSqlite } from '#worker/sqlite/boot.js'
import initSqlJs, { type Database, type SqlJsStatic } from 'sql.js'
import wasmUrl from 'sql.js/dist/sql-wasm-browser.wasm?url'
import { definition } from './users.js'

export interface SchemaFigures {
  /** ms, and the statements of the check. */
  warmMs: number[]
  warmStatements: number
  /** The planner alone, from definition to definition; and `db.migrations.plan()`, which also asks the rows and checks the records. */
  plannerMs: number[]
  planMs: number[]
  /** ms by change: ours, and by hand. */
  changes: Record<ChangeName, { ours: number[]; byHand: number[]; progress: number }>
}

type Model = typeof definition
type Field = Model['fields'][number]
export type ChangeName = keyof typeof CHANGES

const MODELS = 100
const FIELDS = 20
const ROWS = 1_000_000

const config = {
  name: 'bench',
  storage: 'memory',
  durability: 'relaxed',
  version: null,
  maxWaitForOwner: 0,
  cacheTableChecks: true,
  autoMigrate: true,
  migrations: { onDestructive: 'keep', onNewer: 'error', data: [], before: false, after: false },
  existingSchema: false,
  encryption: null,
} as const

const plain = (name: string, more: Partial<Field> = {}): Field => ({
  name,
  kind: 'text',
  type: 'TEXT',
  column: name,
  nullable: true,
  primaryKey: false,
  readonly: false,
  checks: [],
  renamedFrom: [],
  ...more,
})
const key = plain('id', { kind: 'id', nullable: false, primaryKey: true })
const made = (name: string, fields: readonly Field[], indexes: Model['indexes'] = []): Model => ({
  name,
  accessor: name,
  table: name,
  key: 'id',
  fields,
  indexes,
  checks: [],
})

const many = (more: readonly Field[] = []): Model[] =>
  Array.from({ length: MODELS }, (_, i) =>
    made(`Model${i}`, [
      key,
      ...Array.from({ length: FIELDS - 1 }, (_, j) =>
        j % 3 === 0 ? plain(`field${j}`, { kind: 'integer', type: 'INTEGER', nullable: false }) : plain(`field${j}`),
      ),
      ...more,
    ]),
  )

const FIELDS_OF_ITEM = [
  key,
  plain('title', { nullable: false }),
  plain('n', { kind: 'integer', type: 'INTEGER', nullable: false }),
]
const INDEX = { name: 'ix:Item:n', fields: ['n'], unique: false }
const ITEM = made('Item', FIELDS_OF_ITEM)
const TABLE_SQL =
  'CREATE TABLE "Item" ("id" TEXT PRIMARY KEY NOT NULL, "title" TEXT NOT NULL, "n" INTEGER NOT NULL) STRICT'

/** The declared model after the change, and what does the same by hand. */
const CHANGES = {
  'add a column': {
    model: made('Item', [
      ...FIELDS_OF_ITEM,
      plain('size', { kind: 'integer', type: 'INTEGER', nullable: false, defaultValue: 0 }),
    ]),
    byHand: ['ALTER TABLE "Item" ADD COLUMN "size" INTEGER NOT NULL DEFAULT 0'],
  },
  'add an index': {
    model: made('Item', FIELDS_OF_ITEM, [INDEX]),
    byHand: ['CREATE INDEX "ix:Item:n" ON "Item" ("n")'],
  },
  rebuild: {
    model: made(
      'Item',
      FIELDS_OF_ITEM.map(field => (field.name === 'title' ? { ...field, nullable: true } : field)),
    ),
    byHand: [
      TABLE_SQL.replace('"Item"', '"new"').replace('"title" TEXT NOT NULL', '"title" TEXT'),
      'INSERT INTO "new" SELECT * FROM "Item"',
    ],
  },
}

self.onmessage = async ({ data: rounds }: MessageEvent<number>) => {
  const sqlite = await bootSqlite({ wasm: () => fetch(wasmUrl) })
  const sqlJs = await initSqlJs({ locateFile: () => wasmUrl })
  const [warm, plan] = [warmStart(sqlite), planning(sqlite)]
  const large = fill(sqlJs)
  const figures: SchemaFigures = {
    warmMs: [],
    warmStatements: 0,
    plannerMs: [],
    planMs: [],
    changes: {
      'add a column': { ours: [], byHand: [], progress: 0 },
      'add an index': { ours: [], byHand: [], progress: 0 },
      rebuild: { ours: [], byHand: [], progress: 0 },
    },
  }
  for (let round = 0; round <= rounds; round++) {
    const { ms, statements } = warm()
    const planned = plan()
    // The first round warms everybody up alike and is not counted.
    if (round > 0) figures.warmMs.push(ms)
    if (round > 0) figures.plannerMs.push(planned.plannerMs)
    if (round > 0) figures.planMs.push(planned.planMs)
    figures.warmStatements = statements
    for (const name of Object.keys(CHANGES) as ChangeName[]) {
      const { ours, byHand } = figures.changes[name]
      const turns = [
        () => {
          const { ms, progress } = migrate(sqlite, large, name)
          figures.changes[name].progress = progress
          if (round > 0) ours.push(ms)
        },
        () => {
          const ms = runByHand(sqlJs, large, name)
          if (round > 0) byHand.push(ms)
        },
      ]
      for (const turn of round % 2 === 0 ? turns : turns.reverse()) turn()
    }
  }
  postMessage(figures)
}

const parts = { clock: systemClock, lockHolder: null }

/** What an open of an unchanged schema does, from the definitions that the page has sent. */
function warmStart(sqlite: SqliteModule) {
  const models = many()
  const file = sqlite.createFile()
  const db = sqlite.open(file)
  // The page hashes the models while the worker starts.
  const fingerprint = 'of these models'
  schemaOf(db, { ...config, models, fingerprint }, parts, () => {}).ensure.ensure(models.map(({ name }) => name))
  return () => {
    const { executed } = db.counters
    const start = performance.now()
    const { applied } = schemaOf(db, { ...config, models, fingerprint }, parts, () => {}).ensure.open()
    const ms = performance.now() - start
    if (applied.length > 0) throw new Error('Something was migrated')
    return { ms, statements: db.counters.executed - executed }
  }
}

/** A change in each of them: a field renamed, one added, one of another type. */
function planning(sqlite: SqliteModule) {
  const models = many()
  const db = sqlite.open(sqlite.createFile())
  schemaOf(db, { ...config, models }, parts, () => {}).ensure.ensure(models.map(({ name }) => name))
  const next = many([plain('more')]).map(model => ({
    ...model,
    fields: model.fields.map(field => {
      if (field.name === 'field1') return { ...field, name: 'renamed', column: 'renamed', renamedFrom: ['field1'] }
      return field.name === 'field2' ? { ...field, kind: 'integer' as const, type: 'INTEGER' as const } : field
    }),
  }))
  return () => {
    const started = performance.now()
    const { migrator } = schemaOf(db, { ...config, models: next }, parts, () => {})
    const { steps } = migrator.plan()
    const planMs = performance.now() - started

    const declared = declare(next)
    const registry = readRegistry(db)
    const changes = changesSince(registry, declared)
    for (const { row, model } of changes.pairs) void [row.shape, model.shape]
    const asked = () => {
      throw new Error('The planner has asked the database')
    }
    const options = { onDestructive: 'keep', hasDataSteps: false, now: 0 } as const
    const start = performance.now()
    const plan = planSchema(changes, [], registry, asked, options)
    const plannerMs = performance.now() - start
    if (steps.length < 2 * MODELS || plan.steps.length !== steps.length)
      throw new Error('There is too little in the plan')
    return { plannerMs, planMs }
  }
}

/** The bytes of a file with a million rows. */
function fill(sqlJs: SqlJsStatic): Uint8Array<ArrayBuffer> {
  const db = new sqlJs.Database()
  db.run(TABLE_SQL)
  db.run(`INSERT INTO "Item" SELECT lower(hex(randomblob(16))), 'Item ' || value, value % 1000
          FROM (WITH RECURSIVE s(value) AS (SELECT 1 UNION ALL SELECT value + 1 FROM s WHERE value < ${ROWS}) SELECT value FROM s)`)
  const bytes = new Uint8Array(db.export())
  db.close()
  return bytes
}

/** Both have seen every page before. */
const WARM_UP = 'SELECT count(*) FROM "Item" WHERE "n" = -1'
const CHUNK = 256 * 1024

function migrate(sqlite: SqliteModule, bytes: Uint8Array<ArrayBuffer>, name: ChangeName) {
  const chunks = Array.from({ length: Math.ceil(bytes.length / CHUNK) }, (_, i) => {
    const chunk = new Uint8Array(CHUNK)
    chunk.set(bytes.subarray(i * CHUNK, (i + 1) * CHUNK))
    return chunk
  })
  const db = sqlite.open(sqlite.createFile({ chunks, size: bytes.length }))
  let progress = 0
  try {
    // The table is registered as it is: the next open finds what has changed.
    schemaOf(db, { ...config, models: [ITEM] }, parts, () => {}).ensure.ensure(['Item'])
    const { model } = CHANGES[name]
    db.each(WARM_UP, [], () => {})
    const start = performance.now()
    const { applied } = schemaOf(db, { ...config, models: [model] }, parts, ({ type }) => {
      if (type === 'migrating') progress++
    }).ensure.open()
    const ms = performance.now() - start
    if (applied.length !== 1) throw new Error(`${applied.length} steps for ${name}`)
    return { ms, progress }
  } finally {
    db.close()
  }
}

function runByHand(sqlJs: SqlJsStatic, bytes: Uint8Array, name: ChangeName): number {
  const db: Database = new sqlJs.Database(bytes)
  try {
    for (const sql of ['PRAGMA journal_mode = MEMORY', 'PRAGMA synchronous = OFF', 'PRAGMA cache_size = -16384'])
      db.run(sql)
    db.exec(WARM_UP)
    const start = performance.now()
    db.run('BEGIN')
    for (const sql of CHANGES[name].byHand) db.run(sql)
    db.run('COMMIT')
    return performance.now() - start
  } finally {
    db.close()
  }
}
