// The way from the page to its database: counts operations, so that the panel can set the statements they took beside.
import type { Operation, RunOptions } from 'dataflow-edge'
import { db } from './models.js'

let operations = 0
let running = 0
const listeners = new Set<() => void>()

export interface Activity {
  /** Operations that have been answered. */
  readonly operations: number
  /** Whether no others are under way. */
  readonly idle: boolean
}

export function activity(): Activity {
  return { operations, idle: running === 0 }
}

/** Listens for the moment in which everything has been answered. */
export function onIdle(listener: () => void): () => void {
  listeners.add(listener)
  return () => void listeners.delete(listener)
}

export async function run<T>(operation: Operation<T>, options?: RunOptions): Promise<T> {
  return counted(1, () => db.run(operation, options))
}

export const batch: (typeof db)['batch'] = (queries, options) =>
  counted(queries.length, () => db.batch(queries, options))

async function counted<T>(count: number, work: () => Promise<T>): Promise<T> {
  running++
  try {
    const result = await work()
    operations += count
    return result
  } finally {
    running--
    if (running === 0) for (const listener of listeners) listener()
  }
}
