// The page's whole way to the engine, in this process: Connection, Comlink, the host, real SQLite, IndexedDB.
import { afterEach, beforeEach, vi } from 'vitest'
import { dataflow, model, t, type Insert } from '../../src/index.js'
import { makeOrigin, type Origin } from '../support/docs-shim.js'
import { freshName } from '../support/local.js'

export const User = model('User', {
  id: t.id(),
  email: t.text().unique(),
  name: t.text().default('none'),
  age: t.integer().nullable(),
})
export const Log = model('Log', { id: t.autoId(), n: t.integer().unique(), text: t.text().default('') })
export const Everything = model('Everything', {
  id: t.integer().primaryKey(),
  text: t.text().nullable(),
  big: t.bigint().nullable(),
  real: t.real().nullable(),
  flag: t.boolean().nullable(),
  at: t.date().nullable(),
  json: t.json().nullable(),
  bytes: t.blob().nullable(),
  made: t.integer().default(7),
  createdAt: t.createdAt(),
})
const models = { users: User, logs: Log, all: Everything }

export type Db = ReturnType<typeof open>
export const open = (options: { storage?: 'memory' | 'indexeddb' } = {}) =>
  dataflow(freshName(), { models, storage: 'memory', ...options })

/** A browser's origin for each test of the file. */
export function useOrigin(): void {
  let origin: Origin
  beforeEach(() => {
    origin = makeOrigin()
    for (const [name, value] of Object.entries(origin.globals)) vi.stubGlobal(name, value)
  })
  afterEach(async () => {
    await origin.end()
    vi.restoreAllMocks()
    vi.unstubAllGlobals()
  })
}

/** Rows of `logs`, and what happened to their generator. */
export function source(
  count: number,
  at: (n: number) => Insert<typeof Log> | Promise<Insert<typeof Log>> = n => ({ n }),
) {
  const seen = { pulled: 0, closed: false }
  async function* rows() {
    try {
      for (let n = 0; n < count; n++) {
        seen.pulled++
        yield await at(n)
      }
    } finally {
      seen.closed = true
    }
  }
  return { seen, rows: rows() }
}

/** Messages, flushes and transactions that `work` took. */
export async function count<T>(db: Db, work: () => Promise<T>) {
  const before = await db.metrics()
  const result = await work()
  const after = await db.metrics()
  return {
    result,
    // The first metrics() is not answered when it counts.
    messages: after.rpc.calls - before.rpc.calls,
    flushes: after.flush.flushes - before.flush.flushes,
    control: after.statements.control - before.statements.control,
    executed: after.statements.executed - before.statements.executed,
  }
}

export const caught = (work: Promise<unknown>): Promise<any> =>
  work.then(
    () => {
      throw new Error('It did not fail')
    },
    (error: unknown) => error,
  )

export const streamOf = (parts: readonly Uint8Array<ArrayBuffer>[]): ReadableStream<Uint8Array<ArrayBuffer>> => {
  const left = [...parts]
  return new ReadableStream({
    pull(controller) {
      const part = left.shift()
      if (part) controller.enqueue(part)
      else controller.close()
    },
  })
}
