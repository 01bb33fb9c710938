// What is done with each contestant. Every measurement has a page and a database of its own, and the same warm-up.
import type { Contestant, TableName } from './contestants/contestant.js'
import { contestants, type ContestantName } from './contestants/index.js'
import { fetchPlaces, makeItems, makeUsers } from './rows.js'
import { median, medianOfAwaited, time, timeAtOnce } from './timing.js'

export interface Sizes {
  awaited: number
  atOnce: number
  bulk: number
  places: number
  chunk: number
}

let databases = 0

async function withDatabase<T extends TableName, R>(
  name: ContestantName,
  table: T,
  work: (contestant: Contestant<T>) => Promise<R>,
): Promise<R> {
  const database = `bench-${++databases}-${Date.now()}`
  const contestant = contestants[name](database, table)
  try {
    await contestant.ready()
    return await work(contestant)
  } finally {
    await contestant.close()
    await deleteDatabases()
  }
}

/** Leaves nothing behind that the next one would have to share the disk with. */
export async function deleteDatabases(keep: readonly string[] = []): Promise<void> {
  for (const { name } of await indexedDB.databases()) {
    if (!/bench-\d/.test(name!) || keep.some(kept => name!.endsWith(kept))) continue
    await new Promise<void>((resolve, reject) => {
      const request = indexedDB.deleteDatabase(name!)
      request.onsuccess = () => resolve()
      request.onerror = () => reject(request.error)
    })
  }
}

export const measures = {
  inserts: (name: ContestantName, { awaited, atOnce }: Sizes) =>
    withDatabase(name, 'users', async db => {
      const rows = makeUsers(50 + awaited + 2 * atOnce)
      const add = () => db.add(rows.pop()!)
      await medianOfAwaited(50, add)
      await timeAtOnce(atOnce, add)
      return { awaited: await medianOfAwaited(awaited, add), atOnce: await timeAtOnce(atOnce, add) }
    }),

  bulk: (name: ContestantName, { bulk }: Sizes) =>
    withDatabase(name, 'users', async db => {
      await db.addAll(makeUsers(1000))
      const rows = makeUsers(bulk)
      return { bulk: await time(() => db.addAll(rows)) }
    }),

  places: async (name: ContestantName, { places, chunk }: Sizes) => {
    const rows = await fetchPlaces(places)
    return withDatabase(name, 'places', async db => {
      await db.addAll(rows.slice(0, 1000).map(place => ({ ...place, id: -1 - place.id })))
      const ms = await time(async () => {
        for (let i = 0; i < rows.length; i += chunk) await db.addAll(rows.slice(i, i + chunk))
      })
      return { places: ms }
    })
  },

  reads: (name: ContestantName, { awaited, atOnce, bulk }: Sizes) =>
    withDatabase(name, 'users', async db => {
      const rows = makeUsers(bulk)
      await db.addAll(rows)
      let i = 0
      // A prime step: all over the table, and no row twice.
      const read = () => db.get(rows[(i++ * 7919) % rows.length]!.id)
      assertSame([await read()], [rows[0]])
      await medianOfAwaited(50, read)
      await timeAtOnce(atOnce, read)
      return { awaited: await medianOfAwaited(awaited, read), atOnce: await timeAtOnce(atOnce, read) }
    }),

  list: (name: ContestantName, { bulk }: Sizes) =>
    withDatabase(name, 'items', async db => {
      const rows = makeItems(bulk)
      await db.addAll(rows)
      const times: number[] = []
      assertSame(await db.list(), rows)
      for (let i = 0; i < 5; i++) times.push(await time(() => db.list()))
      return { list: median(times) }
    }),
}

/** Everybody gives the same objects, or there is nothing to compare. */
function assertSame(got: readonly unknown[], wanted: readonly unknown[]): void {
  if (got.length !== wanted.length) throw new Error(`${got.length} rows in place of ${wanted.length}`)
  for (let i = 0; i < got.length; i++) {
    const [a, b] = [show(got[i]), show(wanted[i])]
    if (a !== b) throw new Error(`Row ${i} is ${a} in place of ${b}`)
  }
}

function show(row: unknown): string {
  return JSON.stringify(row, function (this: Record<string, unknown>, key, value: unknown) {
    if (typeof value === 'bigint') return `${value}n`
    if (this[key] instanceof Date) return `Date ${String(value)}`
    const plain = typeof value === 'object' && value !== null && !Array.isArray(value)
    return plain ? Object.fromEntries(Object.entries(value).sort(([a], [b]) => (a < b ? -1 : 1))) : value
  })
}
