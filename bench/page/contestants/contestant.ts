import type { Rows } from '../rows.js'

export type TableName = keyof Rows

/** One database with one table. Making it starts nothing that must be waited for; the first call opens it. */
export interface Contestant<T extends TableName = TableName> {
  /** Resolves when it is open. */
  ready(): Promise<unknown>
  /** Adds a row; resolves when it is saved (`relaxed`). */
  add(row: Rows[T]): Promise<unknown>
  /** Adds rows in one call and one transaction. */
  addAll(rows: Rows[T][]): Promise<unknown>
  get(id: Rows[T]['id']): Promise<Rows[T] | null | undefined>
  /** All rows, in key order. */
  list(): Promise<Rows[T][]>
  close(): Promise<void>
}

export type MakeContestant = <T extends TableName>(database: string, table: T) => Contestant<T>
