// The full-text index of a model: an FTS4 table without content of its own, which reads the model's table, and the
// triggers that keep it in step.
import type { ModelDefinition } from '../../src/shared/definition.js'
import { quoteIdentifier as q } from '../../src/shared/sql.js'
import { searchedFields, searchTableOf, suspendedSql } from '../../src/shared/search.js'
import type { SearchShape, TriggerShape } from './shape.js'

/** Letters with their marks taken off: `café` is found as `cafe`. */
export const TOKENIZER = ['unicode61', 'remove_diacritics=2'] as const
/** Characters of a prefix that has an index of its own: without one, `ca*` reads every word that begins with it. */
const PREFIXES = [2, 3]

export function searchOf(model: ModelDefinition): SearchShape | null {
  const columns = searchedColumns(model)
  if (columns.length === 0) return null
  const name = searchTableOf(model.table)
  const tokenizer = `tokenize=${TOKENIZER[0]} "${TOKENIZER[1]}"`
  const parts = [`content=${q(model.table)}`, ...columns.map(q), tokenizer, `prefix="${PREFIXES.join()}"`]
  return { name, sql: `CREATE VIRTUAL TABLE ${q(name)} USING fts4(${parts.join(', ')})` }
}

/** In the order of the index's columns. */
const searchedColumns = (model: ModelDefinition) => searchedFields(model).map(({ column }) => column)

/** Part of the name of each trigger that keeps an index. */
const SEARCH = ':search:'
export const isSearchTrigger = ({ name }: TriggerShape): boolean => name.includes(SEARCH)

/**
 * FTS4 takes a row out by the words that the table holds at that moment, so this is done before the row changes; and what is
 * not in the index must not be taken out of it, nor put in twice. `_docsize` says what is. With it the order in which
 * other triggers write the same row does not matter.
 */
export function searchTriggers(model: ModelDefinition): TriggerShape[] {
  const columns = searchedColumns(model)
  if (columns.length === 0) return []
  const index = searchTableOf(model.table)
  const table = q(model.table)
  const names = columns.map(q)
  const isIn = (row: string) => `EXISTS (SELECT 1 FROM ${q(`${index}_docsize`)} WHERE docid = ${row}.rowid)`
  const takeOut = `DELETE FROM ${q(index)} WHERE docid = old.rowid AND ${isIn('old')}`
  // As the row is now: another trigger may have changed it since.
  const putIn =
    `INSERT INTO ${q(index)} (docid, ${names.join(', ')}) ` +
    `SELECT rowid, ${names.join(', ')} FROM ${table} WHERE rowid = new.rowid AND NOT ${isIn('new')}`
  const changed = [...names, 'rowid'].map(name => `old.${name} IS NOT new.${name}`).join(' OR ')
  const trigger = (what: string, event: string, body: string): TriggerShape => {
    const name = `tr:${model.table}${SEARCH}${what}`
    return { name, sql: `CREATE TRIGGER ${q(name)} ${event} BEGIN ${body}; END` }
  }
  return [
    trigger('insert', `AFTER INSERT ON ${table} WHEN NOT EXISTS (${suspendedSql(index)})`, putIn),
    trigger('delete', `BEFORE DELETE ON ${table}`, takeOut),
    trigger('update out', `BEFORE UPDATE ON ${table} WHEN ${changed}`, takeOut),
    trigger('update in', `AFTER UPDATE ON ${table} WHEN ${changed}`, putIn),
  ]
}
