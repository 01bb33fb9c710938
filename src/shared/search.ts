// What both the compiler of searches and the shape of their index know of it.
import { quoteIdentifier } from './sql.js'
import type { FieldDefinition, ModelDefinition } from './definition.js'

/** Of a table of that name. Its shadow tables begin with it too, and end otherwise: no two are ever one. */
export const searchTableOf = (table: string): string => `dataflow_search(${table})`

/** The index of a table, or one of its shadow tables. */
export const isSearchTable = (name: string): boolean => name.startsWith('dataflow_search(')

/** Reads all rows. Also what mends an index that is out of step. */
export const fillSql = (index: string): string =>
  `INSERT INTO ${quoteIdentifier(index)} (${quoteIdentifier(index)}) VALUES ('rebuild')`

/** By the names of their columns, in which order the index has them: the order of a declaration says nothing. */
export function searchedFields({ fields, search = [] }: ModelDefinition): FieldDefinition[] {
  return fields.filter(({ name }) => search.includes(name)).sort((a, b) => (a.column < b.column ? -1 : 1))
}

/** A row of FTS4's own numbers that it does not use itself. */
const SUSPENDED = 100

/** Where many rows are added at once, they are put into the index at once: its trigger does nothing while this finds a row. */
export const suspendedSql = (index: string): string =>
  `SELECT 1 FROM ${quoteIdentifier(`${index}_stat`)} WHERE id = ${SUSPENDED}`

export const suspendSql = (index: string): string =>
  `INSERT INTO ${quoteIdentifier(`${index}_stat`)} (id) VALUES (${SUSPENDED})`

export const resumeSql = (index: string): string =>
  `DELETE FROM ${quoteIdentifier(`${index}_stat`)} WHERE id = ${SUSPENDED}`
