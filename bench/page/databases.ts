// Databases that outlive a page: a large one to insert into, and what opening costs.
import { dataflow } from 'dataflow-edge'
import { contestants, type ContestantName } from './contestants/index.js'
import { models } from './contestants/dataflow-edge.js'
import { deleteDatabases } from './measures.js'
import { makeDocuments, makeUsers } from './rows.js'
import { medianOfAwaited, time } from './timing.js'

const BATCH = 5000

/** Fills `database` with documents of 2 KB until it has about `megabytes`; their number, and a key among them. */
export async function fill(name: ContestantName, database: string, megabytes: number) {
  const db = contestants[name](database, 'documents')
  const count = megabytes * 500
  let id = ''
  for (let done = 0; done < count; done += BATCH) {
    const rows = makeDocuments(Math.min(BATCH, count - done))
    id = rows[0]!.id
    await db.addAll(rows)
  }
  await db.close()
  return { count, id }
}

/** Median of an awaited create of a document in `database`, or in a new one. */
export async function createIn(database: string | null, awaited: number) {
  const db = dataflow(database ?? `bench-0-${Date.now()}`, { models: { documents: models.documents } })
  const rows = makeDocuments(50 + awaited)
  const create = () => db.documents.create(rows.pop()!)
  await medianOfAwaited(50, create)
  const ms = await medianOfAwaited(awaited, create)
  const { flush } = await db.metrics()
  await db.close()
  if (database === null) await deleteDatabases()
  return { create: ms, megabytes: flush.baseBytes / 2 ** 20, logMegabytes: flush.logBytes / 2 ** 20 }
}

/** From declaring a new database until the first row is saved. */
export async function firstOperation(name: ContestantName) {
  const [row] = makeUsers(1)
  let db
  const ms = await time(async () => {
    db = contestants[name](`bench-1-${Date.now()}`, 'users')
    await db.add(row!)
  })
  await db!.close()
  await deleteDatabases()
  return { first: ms }
}

/** From declaring an existing database until the first row is read. */
export async function openExisting(name: ContestantName, database: string, id: string) {
  let db
  let row
  const ms = await time(async () => {
    db = contestants[name](database, 'documents')
    row = await db.get(id)
  })
  if (!row) throw new Error('The row is not there')
  await db!.close()
  return { open: ms }
}
