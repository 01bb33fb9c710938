// A model of every kind with names that need quoting, its table in a real SQLite, and filters run against it.
import initSqlJs, { type Database } from 'sql.js'
import { encodeValue } from '../../src/shared/codec.js'
import type { ColumnType, FieldDefinition, FieldKind, ModelDefinition } from '../../src/shared/definition.js'
import { DataFlowError } from '../../src/shared/errors.js'
import { parseWhere, type Condition } from '../../src/shared/filter.js'
import { quoteIdentifier } from '../../src/shared/sql.js'
import { compileCondition } from '../../worker/compile/condition.js'
import { placeOf } from '../../worker/compile/place.js'
import { EVERYTHING } from '../../worker/compile/visible.js'
import type { SqlParam } from '../../worker/seams.js'

function field(name: string, kind: FieldKind, type: ColumnType, more: Partial<FieldDefinition> = {}): FieldDefinition {
  return {
    name,
    kind,
    column: name,
    type,
    nullable: true,
    primaryKey: false,
    readonly: false,
    checks: [],
    renamedFrom: [],
    ...more,
  }
}

export const model: ModelDefinition = {
  name: 'Thing',
  accessor: 'things',
  table: 'Order Details',
  key: 'id',
  fields: [
    field('id', 'id', 'TEXT', { primaryKey: true, nullable: false }),
    field('name', 'text', 'TEXT', { max: 3 }),
    field('title', 'text', 'TEXT', { column: 'the "Title"' }),
    field('role', 'enum', 'TEXT', { values: ['admin', 'Admin', 'member'] }),
    field('age', 'integer', 'INTEGER'),
    field('big', 'bigint', 'INTEGER'),
    field('score', 'real', 'REAL'),
    field('active', 'boolean', 'INTEGER'),
    field('at', 'date', 'INTEGER', { date: 'ms' }),
    field('day', 'date', 'INTEGER', { date: 'seconds' }),
    field('iso', 'date', 'TEXT', { date: 'text' }),
    field('made', 'createdAt', 'INTEGER', { date: 'ms' }),
    field('data', 'json', 'TEXT'),
    // Named as what json_each gives: it must not be mistaken for it.
    field('value', 'json', 'TEXT'),
    field('raw', 'blob', 'BLOB'),
  ],
  indexes: [],
  checks: [],
}

export type Row = Record<string, unknown>

export interface Table {
  /** Replaces the table's rows. A field left out is NULL. */
  setRows(rows: readonly Row[]): void
  /** Keys of the rows that match, in primary key order or as told. */
  keys(where: unknown, orderBy?: string): string[]
  keysOf(condition: Condition, orderBy?: string): string[]
  readonly db: Database
}

export async function openTable(): Promise<Table> {
  const SQL = await initSqlJs()
  const db = new SQL.Database()
  const columns = model.fields.map(f => `${quoteIdentifier(f.column)} ${f.type}${f.primaryKey ? ' PRIMARY KEY' : ''}`)
  const table = quoteIdentifier(model.table)
  db.run(`CREATE TABLE ${table} (${columns.join(', ')}) STRICT`)
  const places = model.fields.map(f => (f.type === 'INTEGER' ? 'CAST(? AS INTEGER)' : '?'))
  const insert = db.prepare(`INSERT INTO ${table} VALUES (${places.join(', ')})`)
  const opened: Table = {
    db,
    setRows(rows) {
      db.run(`DELETE FROM ${table}`)
      for (const row of rows) {
        insert.run(
          model.fields.map(f => {
            const value = row[f.name] ?? null
            const stored = value === null ? null : encodeValue({ ...f, max: undefined }, value)
            return stored !== null && f.type === 'INTEGER' ? String(stored) : (stored as string)
          }),
        )
      }
    },
    keys(where, orderBy) {
      return opened.keysOf(parse(where), orderBy)
    },
    keysOf(condition, orderBy = 'id') {
      const { sql, params } = compile(condition)
      const statement = db.prepare(`SELECT id FROM ${table} WHERE ${sql} ORDER BY ${orderBy}`)
      statement.bind(params as SqlParam[])
      const keys: string[] = []
      while (statement.step()) keys.push(statement.get()[0] as string)
      statement.free()
      return keys
    },
  }
  return opened
}

export const parse = (where: unknown): Condition => parseWhere(model, where, { op: 'list' })

export function compile(condition: Condition): { sql: string; params: SqlParam[] } {
  const params: SqlParam[] = []
  const sql = compileCondition(placeOf(model), condition, params, { models: new Map(), access: EVERYTHING })
  return { sql, params }
}

/** Compiled text with the table's name left out, to be read. */
export function sqlOf(where: unknown): { sql: string; params: SqlParam[] } {
  const { sql, params } = compile(parse(where))
  return { sql: sql.replaceAll('"Order Details".', ''), params }
}

export function errorOf(run: () => unknown): DataFlowError {
  try {
    run()
  } catch (error) {
    if (error instanceof DataFlowError) return error
    throw error
  }
  throw new Error('nothing was thrown')
}
