// The app that crashes: does what the harness says, and reports every promise the moment it settles.
import { dataflow, DataFlowError, type Database } from 'dataflow-edge'
import type { Answer, Lane, OpenOptions, Page, Report, RolledBack } from '../protocol.js'
import { OnPurpose, run } from './calls.js'
import { lookAt, savedOf } from './look.js'
import { dataSteps, modelsWith } from './models.js'

declare global {
  interface Window {
    crash: Page
    /** A binding of the debugging protocol: what it was given has left this process when the next task runs. */
    tellHarness(text: string): void
  }
}

export type CrashDatabase = Database<ReturnType<typeof modelsWith>>

/** Far beyond what anything here takes on a busy machine. */
const HUNG_MS = 30_000

let db: CrashDatabase | null = null
let columns = 0
let worker: Worker | null = null
let running = new AbortController()

window.crash = {
  async open({ columns: added, ...options }: OpenOptions) {
    columns = added
    const opened = (db = dataflow('crash', {
      models: modelsWith(columns),
      migrations: { data: dataSteps(columns) },
      ...options,
      worker: () => (worker = new Worker(new URL('library/worker.js', location.href), { type: 'module' })),
    }))
    const start = performance.now()
    report({ started: true })
    return answer('open', async () => {
      await opened.ready
      // Tables are made when they are first needed; here all are.
      if (options.autoMigrate === true) await opened.ensure()
      return performance.now() - start
    })
  },
  saved: () => answer('saved', () => savedOf(opened())),
  look: () => answer('look', () => lookAt(opened(), columns)),
  async run(lanes: readonly Lane[]) {
    running = new AbortController()
    report({ started: true })
    await Promise.all(lanes.map(lane => run(opened(), lane, settle, running.signal)))
  },
  importCopy: () =>
    answer('import', async () => {
      const file = await opened().export()
      const start = performance.now()
      report({ started: true })
      await opened().import(file)
      return performance.now() - start
    }),
  backup: () =>
    answer('backup', async () => {
      report({ started: true })
      await opened().backup({ keep: 2 })
      return null
    }),
  terminate() {
    running.abort()
    worker?.terminate()
  },
  close: () =>
    answer('close', async () => {
      await opened().close()
      return null
    }),
}

function opened(): CrashDatabase {
  if (!db) throw new Error('open() comes first')
  return db
}

/** Resolves when the call has settled or is given up. */
async function settle(i: number, promise: Promise<unknown>): Promise<void> {
  const ended = promise.then(
    () => report({ settled: i, code: null }),
    (error: unknown) => report({ settled: i, code: codeOf(error), text: String(error) }),
  )
  await unlessHung(`call ${i}`, ended)
}

async function answer<T>(name: string, work: () => Promise<T>): Promise<Answer<T>> {
  try {
    return { ok: await unlessHung(name, work()) }
  } catch (error) {
    return { failed: `${name}: ${String(error)}`, code: codeOf(error) }
  }
}

async function unlessHung<T>(name: string, work: Promise<T>): Promise<T> {
  let timer: ReturnType<typeof setTimeout> | undefined
  const late = new Promise<never>((_, reject) => {
    timer = setTimeout(() => {
      report({ hung: name })
      reject(new Error(`${name} has not settled for ${HUNG_MS} ms`))
    }, HUNG_MS)
  })
  try {
    return await Promise.race([work, late])
  } finally {
    clearTimeout(timer)
  }
}

function codeOf(error: unknown): string {
  if (error instanceof OnPurpose) return 'rolled back' satisfies RolledBack
  return DataFlowError.is(error) ? error.code : `not ours: ${String(error)}`
}

function report(message: Report): void {
  window.tellHarness(JSON.stringify(message))
}
