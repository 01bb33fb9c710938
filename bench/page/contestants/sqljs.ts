// sql.js as it comes, in a worker behind plain Comlink: rows cross as arrays and become objects on the page. In memory;
// only for the list.
import { wrap, type Remote } from 'comlink'
import type { Item } from '../rows.js'
import type { Contestant, MakeContestant } from './contestant.js'
import type { ItemsWorker } from './sqljs-worker.js'

type StoredItem = [string, string, number | null, number, number, number, string, string]

export const openSqlJs = ((_, name) => {
  if (name !== 'items') throw new Error('sql.js only lists items')
  const worker = new Worker(new URL('./sqljs-worker.ts', import.meta.url), { type: 'module' })
  const items: Remote<ItemsWorker> = wrap(worker)
  const refuse = () => Promise.reject(new Error('not compared'))
  const contestant: Contestant<'items'> = {
    ready: () => items.open(),
    add: refuse,
    get: refuse,
    addAll: rows =>
      items.insert(
        rows.map(row => [
          row.id,
          row.title,
          row.count,
          Number(row.done),
          row.due.getTime(),
          row.price,
          JSON.stringify(row.meta),
          String(row.views),
        ]),
      ),
    async list() {
      const rows = (await items.list()) as StoredItem[]
      return rows.map(([id, title, count, done, due, price, meta, views]): Item => ({
        id,
        title,
        count,
        done: done === 1,
        due: new Date(due),
        price,
        meta: JSON.parse(meta),
        views: BigInt(views),
      }))
    },
    close: async () => worker.terminate(),
  }
  return contestant
}) as MakeContestant
