// All that a database holds, byte by byte and read by raw SQL: what a refused operation must leave as it was.
import { sql } from '../../src/index.js'
import type { EngineParts } from '../../worker/engine.js'
import type { DatabaseFile } from '../../worker/seams.js'
import { parts as real, type LocalDatabase } from './local.js'

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

/** Parts whose database file can be looked at: `bytes` copies it as it is. Look while no transaction is open. */
export function watchedFile(): { parts: Pick<EngineParts, 'bootSqlite'>; bytes(): Buffer } {
  let file: DatabaseFile | null = null
  return {
    parts: {
      async bootSqlite() {
        const sqlite = await real.bootSqlite()
        return { ...sqlite, createFile: saved => (file = sqlite.createFile(saved)) }
      },
    },
    bytes() {
      const { chunkCount, size } = file!
      const chunks = Array.from({ length: chunkCount }, (_, i) => file!.chunk(i))
      return Buffer.concat(chunks).subarray(0, size)
    },
  }
}
