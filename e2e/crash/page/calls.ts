// Calls as the harness describes them, made through the public API.
import type { Operation } from 'dataflow-edge'
import type { Call, Lane, NewRow, Step } from '../protocol.js'
import type { CrashDatabase } from './main.js'
import { contentOf, modelsWith } from './models.js'

const { owners: Owner, items: Item, notes: Note } = modelsWith(0)

/** On a busy machine many transactions in a row may wait long for their turn. */
const TX_MS = 20_000

type Settle = (i: number, promise: Promise<unknown>) => Promise<void>

/** What a rollback throws. */
export class OnPurpose extends Error {}

/** Begins no more calls once `signal` is aborted: what was asked of one worker is not mixed with what the next is asked. */
export async function run(
  db: CrashDatabase,
  { mode, calls }: Lane,
  settle: Settle,
  signal: AbortSignal,
): Promise<void> {
  const ends: Promise<void>[] = []
  for (const call of calls) {
    if (signal.aborted) break
    const ended = settle(call.i, make(db, call))
    if (mode === 'awaited') await ended
    else ends.push(ended)
    if (mode === 'tasks') await nextTask()
  }
  await Promise.all(ends)
}

async function make(db: CrashDatabase, { i, how, steps, durability }: Call): Promise<unknown> {
  const options = durability ? { durability } : {}
  switch (how) {
    case 'single':
      return db.run(operation(steps[0]!, i), options)
    case 'batch':
      return db.batch(
        steps.map(step => operation(step, i)),
        options,
      )
    case 'transaction':
    case 'rollback':
      return db.transaction(
        async tx => {
          for (const step of steps) await tx.run(operation(step, i))
          if (how === 'rollback') throw new OnPurpose()
        },
        { ...options, maxWait: TX_MS, timeout: TX_MS },
      )
    case 'flush':
      return db.flush()
  }
}

function operation(step: Step, i: number): Operation<unknown> {
  switch (step.kind) {
    case 'create':
      return models[step.row.table].create(rowOf(step.row, i))
    case 'update': {
      const { n: _, ...content } = contentOf(step.n, i, step.size)
      return models[step.table].update(step.id, content)
    }
    case 'delete':
      return models[step.table].delete(step.id)
    case 'bulkCreate':
      return models[step.rows[0]!.table].bulkCreate(step.rows.map(row => rowOf(row, i)))
    case 'bulkDelete':
      // What a filter may say differs from model to model; all of them have an id.
      return (models[step.table] as typeof Note).bulkDelete({ where: { id: { $in: step.ids } } })
  }
}

const models = { owners: Owner, items: Item, notes: Note }

function rowOf({ n, size, id, owner }: NewRow, i: number) {
  return { ...contentOf(n, i, size), ...(id === undefined ? {} : { id }), ...(owner === undefined ? {} : { owner }) }
}

/** No timer: those wait longer in a tab that is not in front. */
function nextTask(): Promise<void> {
  return new Promise(resolve => {
    const { port1, port2 } = new MessageChannel()
    port1.onmessage = () => {
      port1.close()
      resolve()
    }
    port2.postMessage(null)
  })
}
