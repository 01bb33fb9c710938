// One migration: its steps run, counted and told, its ledger and registry rows written. Whoever runs it gives the
// transaction: all of it is kept, or nothing.
import { DataFlowError } from '../../src/shared/errors.js'
import type { MigrationOperation, MigrationProgress } from '../../src/shared/protocol.js'
import { isOwnTrigger, SqliteError, type Clock, type Sqlite } from '../seams.js'
import { nameOf, operationOf, writeLedger, type LedgerEntry } from './ledger.js'
import type { Prepared } from './prepare.js'
import type { Rebuild } from './rebuild.js'
import { schemaVersionOf, writeRegistry } from './registry.js'
import type { PlannedStep } from './step.js'
import { TABLES } from './tables.js'
import { quoteIdentifier, quoteLiteral } from '../../src/shared/sql.js'

/** Rows copied in one statement; between two the page is told. */
const ROWS_AT_ONCE = 50_000

export interface MigrationParts {
  readonly db: Sqlite
  readonly clock: Clock
  onProgress(progress: MigrationProgress): void
}

export class Migration {
  readonly prepared: Prepared
  readonly #parts: MigrationParts
  readonly #operations: MigrationOperation[] = []
  #versionBefore = 0
  #current: PlannedStep | null = null

  constructor(prepared: Prepared, parts: MigrationParts) {
    this.prepared = prepared
    this.#parts = parts
  }

  /** The step that runs, or that failed. */
  get current(): PlannedStep | null {
    return this.#current
  }

  /** The library's own tables, and the steps before the data steps. */
  begin(): void {
    const { db } = this.#parts
    db.exec(TABLES)
    this.#versionBefore = schemaVersionOf(db)
    for (const step of this.prepared.plan.steps) this.run(step)
  }

  /** Runs a step that is SQL. */
  run(step: PlannedStep): void {
    const { db } = this.#parts
    this.#tell(step)
    this.#time(step, () => {
      if (step.rebuild) return this.#rebuild(step, step.rebuild)
      let rows: number | null = null
      for (const sql of step.sql) rows = (rows ?? 0) + db.run(sql)
      return step.kind === 'data' ? rows : null
    })
  }

  /** Runs a data step of the page. */
  async runOnPage(step: PlannedStep, run: () => Promise<void>): Promise<void> {
    this.#tell(step)
    const start = this.#parts.clock.monotonic()
    await run()
    this.#operations.push(operationOf(step, null, this.#parts.clock.monotonic() - start))
  }

  /** What the data steps may still have wanted to read is given up; then everything is checked and recorded. */
  end(): void {
    const { db } = this.#parts
    const { plan, registration, now } = this.prepared
    for (const step of plan.late) this.run(step)
    if (this.prepared.foreignKeysOff) assertReferences(db)
    if (this.#operations.length > 0) writeLedger(db, this.#entry(), 'applied', null)
    const schemaVersion = schemaVersionOf(db)
    if (schemaVersion !== this.#versionBefore) {
      // What was in step with the schema before our own DDL is in step with it after.
      const sql = 'UPDATE dataflow_model_registry SET schema_version = ? WHERE schema_version = ?'
      db.run(sql, [schemaVersion, this.#versionBefore])
    }
    writeRegistry(db, registration, schemaVersion, now)
  }

  /** In a transaction of its own, after the rollback (semantics 3). */
  recordFailure(error: string): void {
    const { db } = this.#parts
    const { plan, dataSteps } = this.prepared
    const all = [...plan.steps, ...dataSteps, ...plan.late]
    const operations = all.map((step, i) => this.#operations[i] ?? operationOf(step, null, 0))
    db.exec(TABLES)
    writeLedger(db, { ...this.#entry(), operations }, 'failed', error)
  }

  #entry(): LedgerEntry {
    const { plan, dataSteps, schemaChecksum, appVersion, now } = this.prepared
    const name = nameOf([...plan.steps, ...dataSteps, ...plan.late])
    return { operations: this.#operations, name, schemaChecksum, appVersion, now }
  }

  #time(step: PlannedStep, work: () => number | null): void {
    const { clock } = this.#parts
    const start = clock.monotonic()
    const rows = work()
    this.#operations.push(operationOf(step, rows, clock.monotonic() - start))
  }

  #tell(step: PlannedStep, rows?: { done: number; total: number }): void {
    this.#current = step
    const { description } = step
    const { plan, dataSteps } = this.prepared
    const total = plan.steps.length + dataSteps.length + plan.late.length
    this.#parts.onProgress({ done: this.#operations.length, total, description, ...(rows ? { rows } : {}) })
  }

  /** Returns the number of rows that were copied. */
  #rebuild(step: PlannedStep, rebuild: Rebuild): number {
    const { db } = this.#parts
    const { table, create, replace } = rebuild
    // What the app has put on the table goes with it when it is dropped: triggers, and indexes of its own. Triggers of
    // the library are steps before and after this one.
    const own = new Set(this.prepared.ownIndexes)
    const attached: string[] = []
    db.each(
      `SELECT name, sql FROM sqlite_schema WHERE tbl_name = ${quoteLiteral(table)} COLLATE NOCASE
         AND type IN ('index', 'trigger') AND sql IS NOT NULL`,
      [],
      row => void (own.has(row.text(0)!) || isOwnTrigger(row.text(0)!) || attached.push(row.text(1)!)),
    )
    for (const sql of create) db.run(sql)
    const rows = this.#copy(step, rebuild)
    // Views and triggers name the table that is not there for a moment: SQLite is told not to look.
    db.run('PRAGMA legacy_alter_table = ON')
    try {
      for (const sql of [...replace, ...attached]) db.run(sql)
    } finally {
      db.run('PRAGMA legacy_alter_table = OFF')
    }
    return rows
  }

  #copy(step: PlannedStep, { table, copy, rowid, rowidNow, made, asItIs }: Rebuild): number {
    const { db } = this.#parts
    const ask = (what: string): number => {
      let number = 0
      db.each(`SELECT ${what} FROM ${quoteIdentifier(table)}`, [], row => (number = Number(row.value(0) ?? 0)))
      return number
    }
    const [first, last] = [ask(`min(${rowidNow})`), ask(`max(${rowidNow})`)]
    if (last - first < ROWS_AT_ONCE) return db.run(copy)
    if (asItIs !== null && haveSameOrder(db, table, made) && keepsRecords(db, asItIs)) {
      this.#tell(step, { done: 0, total: last - first + 1 })
      const done = db.run(asItIs)
      this.#tell(step, { done, total: done })
      return done
    }
    const total = ask('count(*)')
    const pieces = Math.ceil(total / ROWS_AT_ONCE)
    // Numbers beyond 2^53 cannot be counted with.
    if (![first, last, last - first].every(Number.isSafeInteger)) return db.run(copy)
    const width = Math.ceil((last - first + 1) / pieces)
    let done = 0
    this.#tell(step, { done, total })
    for (let from = first; from <= last; from += width) {
      done += db.run(`${copy} WHERE ${rowid} >= ${from} AND ${rowid} < ${from + width}`)
      this.#tell(step, { done, total })
    }
    // The old table goes next: better no migration than rows that were in no range.
    if (done !== total) throw new SqliteError(`only ${done} of ${total} rows were copied`, { code: 'SQL' })
    return done
  }
}

/** Whether the columns stand in the same order: ADD COLUMN puts them at the end, wherever they are declared. */
function haveSameOrder(db: Sqlite, ...tables: readonly string[]): boolean {
  const [a, b] = tables.map(table => {
    const names: string[] = []
    const sql = `SELECT name FROM pragma_table_info(${quoteLiteral(table)}) ORDER BY cid`
    db.each(sql, [], row => names.push(row.text(0)!.toLowerCase()))
    return names.join('\0')
  })
  return a === b
}

/**
 * Whether SQLite takes whole records, each with its rowid, and the entries of indexes in their order: several times as fast
 * as row by row, where the tables are alike enough. Only its program tells.
 */
function keepsRecords(db: Sqlite, sql: string): boolean {
  const opcodes: string[] = []
  db.each(`EXPLAIN ${sql}`, [], row => opcodes.push(row.text(1)!))
  return opcodes.some((opcode, i) => opcode === 'RowCell' && opcodes[i - 1] === 'Rowid')
}

/** Foreign keys were off: nothing may be kept that they would have refused. */
function assertReferences(db: Sqlite): void {
  const broken = new Map<string, number>()
  db.each('SELECT "table", parent FROM pragma_foreign_key_check', [], row => {
    const what = `${row.text(0)} that refer to no row of ${row.text(1)}`
    broken.set(what, (broken.get(what) ?? 0) + 1)
  })
  if (broken.size === 0) return
  const text = `The migration would leave rows of ${[...broken].map(([what, rows]) => `${what} (${rows})`).join(', ')}.`
  throw new DataFlowError('FOREIGN_KEY', text, { hint: 'correct the data step, or the rows.' })
}
