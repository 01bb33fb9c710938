import { Dexie } from 'dexie'
import type { Contestant, MakeContestant, TableName } from './contestant.js'
import type { Rows } from '../rows.js'

export const openDexie: MakeContestant = <T extends TableName>(database: string, name: T): Contestant<T> => {
  const db = new Dexie(database, { chromeTransactionDurability: 'relaxed' })
  db.version(1).stores({ [name]: 'id' })
  const table = db.table<Rows[T], Rows[T]['id']>(name)
  return {
    ready: () => db.open(),
    add: row => table.add(row),
    addAll: rows => table.bulkAdd(rows),
    get: id => table.get(id),
    list: () => table.toArray(),
    close: async () => db.close(),
  }
}
