// SQLite in a worker of ours, for those that bring a library and not a whole product.
import { wrap, type Remote } from 'comlink'
import { COUNT, CREATE, INSERT, LIST, READ, valuesOf, type Peer } from './peer.js'

export type Cell = string | number | null
export type Vfs = 'IDBBatchAtomic' | 'IDBMirror' | 'OPFSCoopSync' | 'OPFSWriteAhead' | 'SAH pool' | 'export'

/** What the worker answers. */
export interface Sql {
  open(vfs: Vfs, database: string): Promise<void>
  run(sql: string, values?: readonly Cell[]): Promise<void>
  /** The statement for each of the rows, in one transaction. */
  runMany(sql: string, rows: readonly (readonly Cell[])[]): Promise<void>
  all(sql: string, values?: readonly Cell[]): Promise<readonly Record<string, unknown>[]>
  close(): Promise<void>
}

export async function openInWorker(worker: Worker, vfs: Vfs, database: string): Promise<Peer> {
  const sql: Remote<Sql> = wrap(worker)
  await Promise.race([
    sql.open(vfs, database),
    new Promise((_, reject) => worker.addEventListener('error', event => reject(new Error(event.message)))),
  ])
  await sql.run(CREATE)
  return {
    insert: item => sql.run(INSERT, valuesOf(item)),
    insertMany: items => sql.runMany(INSERT, items.map(valuesOf)),
    read: async id => (await sql.all(READ, [id]))[0],
    count: async () => Number((await sql.all(COUNT))[0]!.n),
    list: async () => sql.all(LIST),
    async close() {
      await sql.close()
      worker.terminate()
    },
  }
}
