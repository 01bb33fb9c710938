// A database by its engine, and a way past the guard that keeps apps from the library's own tables.
import type { AnyModel } from '../../src/model.js'
import { localDatabase, parts, type LocalDatabase } from '../support/local.js'

/** Opens what is saved under this name, and closes it when `work` is done. `raw` runs any statement. */
export async function engineOn<Ms extends Record<string, AnyModel>>(
  name: string,
  models: Ms,
  work: (db: LocalDatabase<Ms>, raw: (sql: string) => void) => Promise<unknown>,
): Promise<void> {
  let raw = (_sql: string): void => {
    throw new Error('The database is not open yet')
  }
  const bootSqlite = async () => {
    const sqlite = await parts.bootSqlite()
    return {
      version: sqlite.version,
      createFile: sqlite.createFile.bind(sqlite),
      open(file: Parameters<typeof sqlite.open>[0]) {
        const db = sqlite.open(file)
        raw = sql => void db.run(sql)
        return db
      },
    }
  }
  const db = localDatabase(models, { name, storage: 'indexeddb', parts: { bootSqlite } })
  try {
    await db.engine.ready()
    await work(db, raw)
  } finally {
    await db.close()
  }
}
