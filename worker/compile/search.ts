// search -> the statements of its three steps: the matches with what ranks them, the rows of the best, where the words are
// in their texts.
import { searchedFields, searchTableOf } from '../../src/shared/search.js'
import type { WireOperation } from '../../src/shared/operation.js'
import { quoteIdentifier as q } from '../../src/shared/sql.js'
import type { SqlParam } from '../seams.js'
import { compileCondition } from './condition.js'
import { selectionOf, textOfShape, type CompiledModel, type Selection } from './model.js'
import { placeOf } from './place.js'
import { narrow, type Access } from './visible.js'
import type { Statement } from './write.js'

export type Search = Extract<WireOperation, { op: 'search' }> & { readonly access: Access }

/** So many matches are ranked, those that were written first; the others follow behind them. */
export const RANKED = 5_000

/** Numbers of phrases, columns and rows; average and own lengths; hits by phrase and column, here, everywhere, in how many rows. */
const MATCHINFO = 'pcnalx'

const indexOf = (model: CompiledModel): string => q(searchTableOf(model.definition.table))

/** The columns of the index by the fields' names. */
export const columnsOf = (model: CompiledModel): ReadonlyMap<string, string> =>
  new Map(searchedFields(model.definition).map(({ name, column }) => [name, column]))

/** Rowid and matchinfo of each match, one more than are ranked. */
export function compileMatches(model: CompiledModel, match: string, op: Search): Statement {
  const index = indexOf(model)
  const params: SqlParam[] = [match]
  const text = (condition: string) =>
    `SELECT docid, matchinfo(${index}, '${MATCHINFO}') FROM ${index} WHERE ${index} MATCH ?${condition} LIMIT ${RANKED + 1}`
  const condition = compileChosen(model, op, params)
  if (!condition) return { sql: textOfShape(model, 'search', () => text('')), params }
  const of = `${model.table} WHERE ${model.table}.rowid = ${index}.docid`
  return { sql: text(` AND EXISTS (SELECT 1 FROM ${of} AND ${condition})`), params }
}

/** Of the chosen rows those that can be seen; '' for all. */
function compileChosen({ definition, models }: CompiledModel, { where, access }: Search, params: SqlParam[]): string {
  const chosen = narrow(where, definition, access)
  return chosen ? compileCondition(placeOf(definition), chosen, params, { models, access }) : ''
}

export interface SelectFound extends Statement {
  /** The first column is the rowid, as text; then what was selected. */
  readonly selection: Selection
}

/** Names that no column of a model has: a selection names its columns without their table. */
const [RANKING, ROW, PLACE] = ['dataflow_ranking', 'dataflow_row', 'dataflow_place']

/** `ranked`: a JSON array of [rowid, place]. Rows of one place are in key order. */
export function compileRanked(model: CompiledModel, { select, limit, offset }: Search, ranked: string): SelectFound {
  const selection = selectionOf(model, select)
  const sql = textOfShape(
    model,
    `search ranked ${select?.join() ?? '*'}`,
    () =>
      `WITH ${rankingSql()} SELECT CAST(${ROW} AS TEXT), ${selection.sql} FROM ${RANKING} ` +
      `CROSS JOIN ${model.table} ON ${model.table}.rowid = ${ROW} ORDER BY ${PLACE}, ${model.key.quoted} LIMIT ? OFFSET ?`,
  )
  return { sql, params: [ranked, limit ?? -1, offset], selection }
}

/** All matches in key order; with `ranked`, which is not all of them, those come first. */
export function compileFound(model: CompiledModel, op: Search, match: string, ranked: string | null): SelectFound {
  const selection = selectionOf(model, op.select)
  const { table } = model
  const params: SqlParam[] = [...(ranked === null ? [] : [ranked]), match]
  const chosen = compileChosen(model, op, params)
  const condition = chosen ? ` AND ${chosen}` : ''
  const index = indexOf(model)
  const [head, join, order] =
    ranked === null
      ? ['', '', '']
      : [`WITH ${rankingSql()} `, ` LEFT JOIN ${RANKING} ON ${ROW} = ${table}.rowid`, `${PLACE} IS NULL, ${PLACE}, `]
  const sql =
    `${head}SELECT CAST(${table}.rowid AS TEXT), ${selection.sql} FROM ${table}${join} ` +
    `WHERE ${table}.rowid IN (SELECT docid FROM ${index} WHERE ${index} MATCH ?)${condition} ` +
    `ORDER BY ${order}${model.key.quoted} LIMIT ? OFFSET ?`
  return { sql, params: [...params, op.limit ?? -1, op.offset], selection }
}

const rankingSql = () =>
  `${RANKING} (${ROW}, ${PLACE}) AS MATERIALIZED (SELECT CAST(value ->> 0 AS INTEGER), value ->> 1 FROM json_each(?))`

/** Rowid as text, FTS4's offsets, and the texts of the index's columns, of those matches whose rowids `rows` lists as JSON. */
export function compileOffsets(model: CompiledModel, match: string, rows: string): Statement {
  const sql = textOfShape(model, 'search offsets', () => {
    const index = indexOf(model)
    const columns = [...columnsOf(model).values()].map(column => `${index}.${q(column)}`)
    // The + keeps SQLite from asking the index once for each row.
    const listed = 'SELECT value FROM json_each(?2)'
    return (
      `SELECT CAST(docid AS TEXT), offsets(${index}), ${columns.join(', ')} FROM ${index} WHERE ${index} MATCH ?1 ` +
      `AND docid BETWEEN (SELECT min(value) FROM json_each(?2)) AND (SELECT max(value) FROM json_each(?2)) AND +docid IN (${listed})`
    )
  })
  return { sql, params: [match, rows] }
}

/** `after`: a rowid that all rows to be put into the index are behind; else they are those that a JSON array lists. */
export function compileFill(model: CompiledModel, rows: { after: SqlParam } | { listed: string }): Statement {
  const isAfter = 'after' in rows
  const sql = textOfShape(model, `search fill ${isAfter}`, () => {
    const index = searchTableOf(model.definition.table)
    const columns = ['rowid', ...[...columnsOf(model).values()].map(q)].join(', ')
    const chosen = isAfter ? 'rowid > CAST(?1 AS INTEGER)' : 'rowid IN (SELECT value FROM json_each(?1))'
    const isIn = `SELECT 1 FROM ${q(`${index}_docsize`)} WHERE docid = ${model.table}.rowid`
    return (
      `INSERT INTO ${q(index)} (docid, ${[...columnsOf(model).values()].map(q).join(', ')}) ` +
      `SELECT ${columns} FROM ${model.table} WHERE ${chosen} AND NOT EXISTS (${isIn})`
    )
  })
  return { sql, params: [isAfter ? rows.after : rows.listed] }
}
