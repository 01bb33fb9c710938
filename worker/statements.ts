// Statements of operations, run: what they give as it crosses, and an event for each of them while somebody listens.
import type { StoredValue } from '../src/shared/definition.js'
import { nameOf, type WireColumns, type WireOperation, type WireRows } from '../src/shared/operation.js'
import type { QueryEvent } from '../src/shared/protocol.js'
import { asKey, type CompiledModel } from './compile/model.js'
import type { SelectRows } from './compile/read.js'
import type { Statement } from './compile/write.js'
import type { Clock, RowReader, Sqlite, SqlParam } from './seams.js'

const NO_PARAMS: readonly SqlParam[] = []

export class Statements {
  readonly #db: Sqlite
  readonly #clock: Clock
  /** Called for each statement while somebody listens. */
  trace: ((query: QueryEvent) => void) | null = null
  /** The operation that they belong to. */
  operation: WireOperation | null = null

  constructor(db: Sqlite, clock: Clock) {
    this.#db = db
    this.#clock = clock
  }

  run(sql: string, params: readonly SqlParam[] = NO_PARAMS): number {
    if (!this.trace) return this.#db.run(sql, params)
    return this.#traced(sql, () => this.#db.run(sql, params))
  }

  /** `count`: how many rows it was, where SQLite gives them as one. */
  each(sql: string, params: readonly SqlParam[], visit: (row: RowReader) => void, count?: () => number): number {
    if (!this.trace) return this.#db.each(sql, params, visit)
    return this.#traced(sql, () => this.#db.each(sql, params, visit), count)
  }

  /** Of a statement that gives one row, with a JSON array for each column. */
  columns({ sql, params }: Statement): WireColumns {
    let columns: string[] = []
    const read = (row: RowReader): void => {
      columns = row.columns.map((_, i) => row.text(i)!)
    }
    this.each(sql, params, read, () => (JSON.parse(columns[0]!) as unknown[]).length)
    return { columns }
  }

  rows({ sql, params, selection }: SelectRows): WireRows {
    const texts: string[] = []
    const blobs: (Uint8Array | null)[][] = []
    this.each(sql, params, row => {
      texts.push(row.text(0)!)
      if (selection.blobs > 0) blobs.push(Array.from({ length: selection.blobs }, (_, i) => row.blob(i + 1)))
    })
    const json = `[${texts.join(',')}]`
    return selection.blobs > 0 ? { json, blobs } : { json }
  }

  /** Of a statement that gives a key in each row. */
  keys(model: CompiledModel, sql: string, params: readonly SqlParam[]): StoredValue[] {
    const keys: StoredValue[] = []
    this.each(sql, params, row => keys.push(asKey(model, row.value(0))))
    return keys
  }

  #traced(sql: string, run: () => number, count?: () => number): number {
    const { hits } = this.#db.counters
    const start = this.#clock.monotonic()
    const rows = run()
    const ms = this.#clock.monotonic() - start
    const op = this.operation!
    const named = { ...(op.op === 'sql' ? {} : { model: op.model }), op: nameOf(op) }
    this.trace?.({ sql, ...named, rows: count?.() ?? rows, ms, cached: this.#db.counters.hits > hits })
    return rows
  }
}
