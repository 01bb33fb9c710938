// A bulk of rows: a statement each, mostly the same one. Which were written, skipped, and failed.
import { DataFlowError } from '../src/shared/errors.js'
import { nameOf, type WireOperation, type WireRow, type WireWritten } from '../src/shared/operation.js'
import type { StoredValue } from '../src/shared/definition.js'
import { unpackRows } from '../src/shared/packed.js'
import { asKey, type CompiledModel } from './compile/model.js'
import { InsertRows } from './compile/insert-rows.js'
import type { References } from './compile/references.js'
import type { Access } from './compile/visible.js'
import { SqliteError, type Sqlite } from './seams.js'

type InsertMany = Extract<WireOperation, { op: 'insertMany' }>

export interface InsertManyParts {
  readonly db: Sqlite
  readonly stamp: number
  /** Triggers may do more than a statement says: a row that fails is taken back by a savepoint, not by SQLite alone. */
  readonly triggers: boolean
  readonly access: Access
  /** The row in its scope. */
  bind(row: WireRow): WireRow
  /** The rows that it refers to, where a scope has to see them. */
  referencesOf(row: WireRow): References
  /** Nothing was written: throws if a row that cannot be seen is why. */
  assertFree(sql: string, references: References): void
  describe(error: unknown): DataFlowError
}

export interface Inserted {
  readonly written: WireWritten
  /** The keys of all rows that were written. */
  readonly keys: readonly StoredValue[]
  readonly statements: ReadonlySet<string>
}

/** Runs inside a transaction. Throws what SQLite threw, with its row where it is a row's fault. */
export function insertMany(
  model: CompiledModel,
  op: InsertMany,
  { db, stamp, access, triggers, bind, referencesOf, assertFree, describe }: InsertManyParts,
): Inserted {
  const keyAt = model.columns.indexOf(model.key)
  // Keys are sent back only where the page does not know them: an existing row keeps its own.
  const returning = op.conflict.policy === 'update' || isKeyless(op, keyAt) ? 'key' : 'nothing'
  const inserts = new InsertRows(model, op.conflict, stamp, returning, access)
  const keys: StoredValue[] = []
  const skipped: number[] = []
  const failed: NonNullable<WireWritten['failed']>[number][] = []
  const statements = new Set<string>()
  let last = ''
  const insert = (given: WireRow, index: number, list: number): void => {
    const row = bind(given)
    const references = referencesOf(row)
    const { sql, params } = inserts.compile(row, list, references)
    if (sql !== last) statements.add((last = sql))
    const before = keys.length
    if (returning === 'key') db.each(sql, params, answer => void keys.push(asKey(model, answer.value(0))))
    else if (db.run(sql, params) > 0) keys.push(row[keyAt]!)
    if (keys.length > before) return
    assertFree(sql, references)
    skipped.push(index)
  }
  const collect = (row: WireRow, index: number, list: number): void => {
    const before = keys.length
    try {
      if (triggers) db.atomically(() => insert(row, index, list))
      else insert(row, index, list)
    } catch (error) {
      if (!isOfRow(error)) throw error
      // RETURNING may have answered before the statement was taken back.
      keys.length = before
      failed.push({ index, error: describe(error).toWire() })
    }
  }
  const abort = (row: WireRow, index: number, list: number): void => {
    try {
      insert(row, index, list)
    } catch (error) {
      throw isOfRow(error) ? atRow(error, describe(error), index, op) : error
    }
  }
  eachRow(model, op, op.collect ? collect : abort)
  return {
    written: {
      stamp,
      count: keys.length,
      ...(returning === 'key' ? { ids: keys } : {}),
      ...(skipped.length > 0 ? { skipped } : {}),
      ...(failed.length > 0 ? { failed } : {}),
    },
    keys,
    statements,
  }
}

function isKeyless({ rows, packed }: InsertMany, keyAt: number): boolean {
  return packed ? packed.keyless : rows.some(row => row[keyAt] === undefined)
}

function eachRow(
  model: CompiledModel,
  { rows, packed, conflict }: InsertMany,
  visit: (row: WireRow, index: number, list: number) => void,
): void {
  if (packed) {
    const decoder = new TextDecoder('utf-8', { ignoreBOM: true })
    let index = 0
    for (const { json, blobs } of packed.pieces) {
      const unpacked = unpackRows(model.definition.fields, decoder.decode(json), blobs)
      for (const [row, list] of unpacked) visit(row, index++, list)
    }
    return
  }
  const lists = conflict.policy === 'update' ? conflict.listOf : []
  rows.forEach((row, index) => visit(row, index, lists[index] ?? 0))
}

/** Of a failure that is no row's fault none of the rows can tell. */
function isOfRow(error: unknown): boolean {
  if (!(error instanceof SqliteError)) return DataFlowError.is(error)
  return !error.transactionLost && !error.fatal && error.missing === undefined
}

function atRow(error: unknown, failure: DataFlowError, row: number, op: InsertMany): DataFlowError {
  return failure.with({
    issues: [{ path: [row, ...(failure.fields ?? [])], message: failure.text }],
    hint:
      error instanceof SqliteError && failure.code === 'UNIQUE' && nameOf(op) !== 'bulkUpsert'
        ? `row ${row}; use onConflict: 'skip' or 'update', or onError: 'collect'.`
        : `row ${row}; ${failure.hint ?? 'correct it.'}`,
  })
}
