// Many rows from an async iterable, saved in chunks: the library, and prepared statements by hand with the same flushes.
import { dataflow } from 'dataflow-edge'
import ByHandWorker from '../engine/bulk-by-hand.ts?worker'
import { models } from './contestants/dataflow-edge.js'
import { deleteDatabases } from './measures.js'
import { makeUsers, type User } from './rows.js'
import { time } from './timing.js'

const CHUNK = 10_000

export type BulkContestant = 'dataflow-edge' | 'by hand'

interface Writer {
  /** Writes all rows; the number of flushes. */
  write(rows: AsyncIterable<User>): Promise<number>
  close(): Promise<void>
}

async function* iterate(users: readonly User[]): AsyncGenerator<User> {
  yield* users
}

async function openOurs(database: string): Promise<Writer> {
  const db = dataflow(database, { models: { users: models.users } })
  await db.users.count()
  return {
    async write(rows) {
      const before = (await db.metrics()).flush.flushes
      await db.users.bulkCreate(rows)
      return (await db.metrics()).flush.flushes - before
    },
    close: () => db.close(),
  }
}

async function openByHand(database: string): Promise<Writer> {
  const worker = new ByHandWorker()
  const call = (message: unknown) =>
    new Promise<number>((resolve, reject) => {
      worker.onmessage = ({ data }: MessageEvent<number>) => resolve(data)
      worker.onerror = event => reject(new Error(event.message))
      worker.postMessage(message)
    })
  await call(database)
  return {
    async write(rows) {
      const first = await call([])
      // As the library does: a chunk is made while the worker writes the one before.
      let writing = Promise.resolve(first)
      let chunk: unknown[][] = []
      for await (const { id, email, name, age, active, joined } of rows) {
        if (chunk.push([id, email, name, age, Number(active), joined.getTime()]) < CHUNK) continue
        await writing
        writing = call(chunk)
        chunk = []
      }
      return (await writing) - first
    },
    async close() {
      await call(null)
      worker.terminate()
    },
  }
}

/** ms for all rows, their flushes, and the longest time that the page did not get its turn. */
export async function bulkStream(name: BulkContestant, count: number) {
  const writer = await (name === 'by hand' ? openByHand : openOurs)(`bench-${name.length}-${Date.now()}`)
  try {
    await writer.write(iterate(makeUsers(CHUNK)))
    const rows = makeUsers(count)
    const heart = new Heart()
    let flushes = 0
    const ms = await time(async () => {
      flushes = await writer.write(iterate(rows))
    })
    return { ms, flushes, longest: heart.stop() }
  } finally {
    await writer.close()
    await deleteDatabases()
  }
}

/** The same of a page that does nothing, for `ms`: what the machine itself takes. */
export async function idle(ms: number) {
  const heart = new Heart()
  await new Promise(resolve => setTimeout(resolve, ms))
  return { longest: heart.stop() }
}

/** Beats as often as timers can: what is longer between two beats was taken by somebody. */
class Heart {
  #last = performance.now()
  #longest = 0
  #timer = 0

  constructor() {
    this.#beat()
  }

  stop(): number {
    clearTimeout(this.#timer)
    return this.#longest
  }

  #beat = (): void => {
    const now = performance.now()
    this.#longest = Math.max(this.#longest, now - this.#last)
    this.#last = now
    this.#timer = window.setTimeout(this.#beat, 0)
  }
}
