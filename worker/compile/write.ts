// create, update, delete, upsert and the bulk writes -> one statement each (a bulk of rows: one per row, reused).
import type { FieldKind, StoredValue } from '../../src/shared/definition.js'
import type { Assignment, Conflict, WireOperation, WireRow } from '../../src/shared/operation.js'
import { whereLive } from '../../src/shared/soft-delete.js'
import type { SqlParam } from '../seams.js'
import { compileWhere } from './condition.js'
import {
  columnNamed,
  isStamp,
  selectionOf,
  textOfShape,
  toParam,
  type Clause,
  type Column,
  type CompiledModel,
} from './model.js'
import { NO_REFERENCES, type References } from './references.js'
import { EVERYTHING, NOTHING_HIDDEN, visibleClause, type Access } from './visible.js'

type Of<Op extends WireOperation['op']> = Extract<WireOperation, { op: Op }>

export interface Statement {
  readonly sql: string
  readonly params: readonly SqlParam[]
}

/** A row with the worker's stamps; `undefined` is left only where SQLite makes the value. */
function stamped(model: CompiledModel, row: WireRow, stamp: number): WireRow {
  return row.map((value, i) => {
    if (value !== undefined) return value
    const { kind } = model.columns[i]!.field
    return kind === 'createdAt' || kind === 'updatedAt' ? stamp : undefined
  })
}

/** What RETURNING answers: nothing, the row (its JSON and blobs), or its key. */
export type Returning = 'nothing' | 'row' | 'key'

function returningSql(model: CompiledModel, returning: Returning): string {
  if (returning === 'nothing') return ''
  return ` RETURNING ${returning === 'row' ? selectionOf(model, null).sql : model.key.quoted}`
}

/**
 * Behind RETURNING of a row whose key SQLite makes: fails, and takes the statement back, when a number cannot hold the key.
 * In SQL nothing but a function's failure does that; sqlite/errors.ts reads the text.
 */
function keyGuard({ quoted }: Column): string {
  const failure = `json_extract(${quoted}, 'dataflow: the next key is beyond 2^53')`
  return `, CASE WHEN abs(${quoted}) > ${Number.MAX_SAFE_INTEGER} THEN ${failure} END`
}

/** Whether SQLite makes a value of this row that nobody else knows. */
export function hasMadeValues(model: CompiledModel, row: WireRow): boolean {
  return row.some((value, i) => value === undefined && !isStamp(model.columns[i]!))
}

/** INSERT of one row, its text cached by which columns are given and what follows. */
export function compileInsert(
  model: CompiledModel,
  row: WireRow,
  stamp: number,
  returning: Returning,
  conflict: Clause = NO_CONFLICT_CLAUSE,
  references: References = NO_REFERENCES,
): Statement {
  const values = stamped(model, row, stamp)
  const params: SqlParam[] = []
  let absent = ''
  for (let i = 0; i < values.length; i++) {
    const value = values[i]
    if (value === undefined) absent += `,${i}`
    else params.push(toParam(value))
  }
  const sql = textOfShape(model, `insert ${absent} ${conflict.shape} ${returning} ${references.shape}`, () => {
    const given = model.columns.filter((_, i) => values[i] !== undefined)
    const list = given.map(column => column.quoted).join(', ')
    const places = given.map(column => column.placeholder).join(', ')
    // Nothing is given only where SQLite makes the key. DEFAULT VALUES takes no ON CONFLICT, a key of NULL does.
    const nothing = model.key.field.kind === 'autoId' ? `(${model.key.quoted}) VALUES (NULL)` : 'DEFAULT VALUES'
    const found = references.conditions().join(' AND ')
    const row = found ? `SELECT ${places} WHERE ${found}` : `VALUES (${places})`
    const body = given.length > 0 ? `(${list}) ${row}` : nothing
    const made = returning !== 'nothing' && !given.includes(model.key)
    const guard = made && model.key.field.kind === 'autoId' ? keyGuard(model.key) : ''
    return `INSERT INTO ${model.table} ${body}${conflict.sql()}${returningSql(model, returning)}${guard}`
  })
  params.push(...references.params, ...conflict.params)
  return { sql, params }
}

const NO_CONFLICT_CLAUSE: Clause = { shape: '', sql: () => '', params: [] }

/** The ON CONFLICT clause of a row of a bulk write; `list` is that of the fields it overwrites. */
export function conflictClause(
  model: CompiledModel,
  conflict: Conflict,
  list: number,
  stamp: number,
  access: Access = EVERYTHING,
): Clause {
  if (conflict.policy === 'update') {
    return overwriteClause(model, conflict.on, conflict.lists[list]!, stamp, access)
  }
  if (conflict.policy === 'fail') return NO_CONFLICT_CLAUSE
  return { shape: 'skip', sql: () => ' ON CONFLICT DO NOTHING', params: [] }
}

function overwriteClause(
  model: CompiledModel,
  on: readonly string[] | null,
  fields: readonly string[],
  stamp: number,
  access: Access,
): Clause {
  const kept = keptOnUpdate(model, stamp)
  return updateClause(model, on, access, {
    shape: `update ${on?.join() ?? '*'} ${fields.join()}`,
    sql: () => {
      const set = fields.map(field => columnNamed(model, field).quoted).map(name => `${name} = excluded.${name}`)
      return nonEmpty(model, [...set, ...kept.set]).join(', ')
    },
    params: kept.params,
  })
}

/** DO UPDATE of a row that can be seen; one that is in the way and cannot is left as it is, and nothing is written. */
function updateClause(model: CompiledModel, on: readonly string[] | null, access: Access, set: Clause): Clause {
  const seen = visibleClause(model, access)
  return {
    shape: `${set.shape} ${seen.shape}`,
    sql: () => {
      const where = seen === NOTHING_HIDDEN ? '' : ` WHERE TRUE${seen.sql()}`
      return `${conflictTarget(model, on)} DO UPDATE SET ${set.sql()}${where}`
    },
    params: [...set.params, ...seen.params],
  }
}

function conflictTarget(model: CompiledModel, on: readonly string[] | null): string {
  if (on === null) return ' ON CONFLICT'
  const live = whereLive(model.definition)
  // The key is unique among all rows.
  const where = live === undefined || on.join() === model.definition.key ? '' : ` WHERE ${live}`
  return ` ON CONFLICT (${on.map(field => columnNamed(model, field).quoted).join(', ')})${where}`
}

/** SET must hold something, and RETURNING must see the row, even if nothing changes. */
function nonEmpty(model: CompiledModel, set: readonly string[]): readonly string[] {
  return set.length > 0 ? set : [`${model.key.quoted} = ${model.table}.${model.key.quoted}`]
}

/** What every update does by itself: updatedAt, and the version of optimistic locking. */
function keptOnUpdate(model: CompiledModel, stamp: number): { set: string[]; params: SqlParam[] } {
  const set: string[] = []
  const params: SqlParam[] = []
  // There only an upsert gets here, whose row stays as it is.
  if (model.definition.appendOnly) return { set, params }
  for (const { field, quoted } of model.columns) {
    if (field.kind === 'updatedAt') {
      set.push(`${quoted} = ?`)
      params.push(stamp)
    } else if (field.kind === 'version') {
      set.push(`${quoted} = ${model.table}.${quoted} + 1`)
    }
  }
  return { set, params }
}

function compileSet(
  model: CompiledModel,
  assignments: readonly Assignment[],
  stamp: number,
): { sql: string; params: SqlParam[] } {
  const kept = keptOnUpdate(model, stamp)
  const params: SqlParam[] = []
  const set = assignments.map(assignment => {
    const { field, quoted, placeholder } = columnNamed(model, assignment.field)
    if ('increment' in assignment) {
      const by = toParam(assignment.increment)
      params.push(...(field.kind === 'bigint' ? [by] : [by, by]))
      return `${quoted} = ${incremented(field.kind, `${model.table}.${quoted}`)}`
    }
    params.push(toParam(assignment.value))
    return `${quoted} = ${placeholder}`
  })
  return { sql: nonEmpty(model, [...set, ...kept.set]).join(', '), params: [...params, ...kept.params] }
}

/**
 * The sum; where the field does not hold it, a value that a STRICT column of its type refuses. Beyond int64 SQLite makes
 * it a REAL by itself.
 */
function incremented(kind: FieldKind, column: string): string {
  // An integer beyond int32 is bound as REAL, which would make the sum a REAL.
  const sum = `${column} + ${kind === 'real' ? '?' : 'CAST(? AS INTEGER)'}`
  if (kind === 'bigint') return sum
  // The infinities cancel to NaN, which is NULL to SQLite.
  if (kind === 'real') return `CASE WHEN ${sum} IS NULL AND ${column} IS NOT NULL THEN 'NaN' ELSE ${sum} END`
  return `CASE WHEN abs(${sum}) > ${Number.MAX_SAFE_INTEGER} THEN 9e999 ELSE ${sum} END`
}

/** Shape of assignments: two of one shape have the same text. */
const shapeOf = (assignments: readonly Assignment[]) =>
  assignments.map(assignment => ('increment' in assignment ? `+${assignment.field}` : assignment.field)).join()

export function compileUpdate(
  model: CompiledModel,
  op: OneRow & Pick<Of<'update'>, 'set'>,
  stamp: number,
  access: Access = EVERYTHING,
  returning: Returning = 'row',
  references: References = NO_REFERENCES,
): Statement {
  const one = oneRow(model, op, access)
  const set = compileSet(model, op.set, stamp)
  const sql = textOfShape(model, `update ${shapeOf(op.set)} ${one.shape} ${returning} ${references.shape}`, () => {
    return `UPDATE ${model.table} SET ${set.sql}${one.sql()}${alsoFound(references)}${returningSql(model, returning)}`
  })
  return { sql, params: [...set.params, ...one.params, ...references.params] }
}

export function compileDelete(model: CompiledModel, op: OneRow, access: Access = EVERYTHING): Statement {
  const one = oneRow(model, op, access)
  const sql = textOfShape(model, `delete ${one.shape}`, () => `DELETE FROM ${model.table}${one.sql()}`)
  return { sql, params: one.params }
}

const alsoFound = ({ conditions }: References) =>
  conditions()
    .map(condition => ` AND ${condition}`)
    .join('')

/** The row with this key, if it still has this version. */
export interface OneRow {
  readonly id: StoredValue
  readonly version?: number | null
}

function oneRow(model: CompiledModel, { id, version = null }: OneRow, access: Access): Clause {
  const seen = visibleClause(model, access)
  const locked = version === null ? undefined : model.columns.find(column => column.field.kind === 'version')
  return {
    shape: `${locked !== undefined} ${seen.shape}`,
    sql: () => {
      const unmoved = locked ? ` AND ${locked.quoted} = ?` : ''
      return ` WHERE ${model.key.quoted} = ${model.key.placeholder}${unmoved}${seen.sql()}`
    },
    params: [toParam(id), ...(locked ? [version] : []), ...seen.params],
  }
}

export function compileUpsert(
  model: CompiledModel,
  op: Of<'upsert'>,
  stamp: number,
  access: Access = EVERYTHING,
  references: References = NO_REFERENCES,
): Statement {
  if ('fields' in op.update) {
    const clause = overwriteClause(model, op.on, op.update.fields, stamp, access)
    return compileInsert(model, op.row, stamp, 'row', clause, references)
  }
  const set = compileSet(model, op.update.set, stamp)
  const clause = { shape: `set ${op.on.join()} ${shapeOf(op.update.set)}`, sql: () => set.sql, params: set.params }
  return compileInsert(model, op.row, stamp, 'row', updateClause(model, op.on, access, clause), references)
}

export function compileBulkUpdate(
  model: CompiledModel,
  op: Pick<Of<'bulkUpdate'>, 'where' | 'set'>,
  stamp: number,
  access: Access = EVERYTHING,
  references: References = NO_REFERENCES,
): Statement {
  const set = compileSet(model, op.set, stamp)
  const params = [...set.params]
  const where = compileWhere(model, op.where, access, params)
  params.push(...references.params)
  const rows = `${where}${alsoFound(references)}`
  return { sql: `UPDATE ${model.table} SET ${set.sql}${rows}${returningSql(model, 'key')}`, params }
}

export function compileBulkDelete(
  model: CompiledModel,
  { where: chosen }: Pick<Of<'bulkDelete'>, 'where'>,
  access: Access = EVERYTHING,
): Statement {
  const params: SqlParam[] = []
  const where = compileWhere(model, chosen, access, params)
  return { sql: `DELETE FROM ${model.table}${where}${returningSql(model, 'key')}`, params }
}
