// All that a database holds, read by raw SQL: what a refused operation must leave as it was.
import { sql } from '../../src/index.js'
import type { LocalDatabase } from './local.js'

export interface Dump {
  readonly schema: readonly Record<string, unknown>[]
  readonly tables: Readonly<Record<string, readonly Record<string, unknown>[]>>
}

/** Every table with its rows, and sqlite_schema. */
export async function dump(db: LocalDatabase<any>): Promise<Dump> {
  const schema = await db.sql`select type, name, tbl_name, sql from sqlite_schema order by type, name`
  const tables: Record<string, Record<string, unknown>[]> = {}
  for (const { type, name } of schema) {
    if (type === 'table') tables[name] = await db.run(sql`select rowid, * from ${sql.id(name)} order by rowid`)
  }
  return { schema, tables }
}
