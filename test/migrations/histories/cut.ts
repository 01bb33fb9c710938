// A SQLite that ends at its n-th statement: as a process does that is killed, or as a statement that fails.
import type { EngineParts } from '../../../worker/engine.js'
import { SqliteError, type Sqlite } from '../../../worker/seams.js'
import type { ChunkedFile } from '../../../worker/sqlite/file.js'
import { parts } from '../../support/local.js'

export interface Cut {
  readonly parts: Pick<EngineParts, 'bootSqlite'>
  /** Statements that were begun; the end of a transaction counts as one. */
  readonly statements: number
}

/**
 * `killed`: from the n-th statement on nothing works any more. `failed`: that one statement fails. Numbers begin with 1;
 * 0 cuts nothing.
 */
export function cutAt(n: number, how: 'killed' | 'failed' = 'killed'): Cut {
  let statements = 0
  const begin = () => {
    statements++
    if (n === 0 || statements < n || (how === 'failed' && statements > n)) return
    throw new SqliteError('cut', { code: 'SQL', fatal: how === 'killed' })
  }
  const wrap = (db: Sqlite): Sqlite => ({
    run(...args) {
      begin()
      return db.run(...args)
    },
    each(...args) {
      begin()
      return db.each(...args)
    },
    exec(...args) {
      begin()
      db.exec(...args)
    },
    atomically: body =>
      db.atomically(() => {
        const result = body()
        begin()
        return result
      }),
    begin() {
      begin()
      const transaction = db.begin()
      return {
        commit() {
          begin()
          transaction.commit()
        },
        rollback: () => transaction.rollback(),
      }
    },
    savepoint: () => db.savepoint(),
    get inTransaction() {
      return db.inTransaction
    },
    get counters() {
      return db.counters
    },
    tablesOf: text => db.tablesOf(text),
    reopen: () => db.reopen(),
    close: () => db.close(),
  })
  return {
    get statements() {
      return statements
    },
    parts: {
      async bootSqlite() {
        const module = await parts.bootSqlite()
        return { ...module, open: file => wrap(module.open(file as ChunkedFile)) }
      },
    },
  }
}
