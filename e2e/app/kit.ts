// What the specs have in the page besides the package: two models, promises as data, counted statements.
import { dataflow, DataFlowError, model, t, type Database, type DatabaseOptions } from 'dataflow-edge'
import { TestWorker } from './test-worker.js'

export { TestWorker }

export const Note = model('Note', { id: t.id(), title: t.text(), stars: t.integer().nullable() })

/** A field of every kind that an app writes. */
export const Thing = model('Thing', {
  id: t.id(),
  text: t.text().unique(),
  choice: t.enum(['one', 'two']).default('one'),
  whole: t.integer().nullable(),
  big: t.bigint().default(0n),
  real: t.real().default(0),
  yes: t.boolean().default(true),
  when: t.date().nullable(),
  text_when: t.date({ as: 'text' }).nullable(),
  json: t.json().nullable(),
  bytes: t.blob().nullable(),
  createdAt: t.createdAt(),
  updatedAt: t.updatedAt(),
  version: t.version(),
})

export type Notes = { notes: typeof Note }
export type NotesDatabase = Database<Notes>
type Options = Omit<DatabaseOptions<Notes>, 'models'>

/** A database of notes. */
export function openNotes(name: string, options: Options = {}): NotesDatabase {
  return dataflow(name, { ...options, models: { notes: Note } })
}

/** The next release of the app that opens notes: one kind of change of each sort, and a data step. */
export function openNextRelease(name: string, options: Options = {}) {
  const Next = model('Note', {
    id: t.id(),
    heading: t.text().renamedFrom('title'),
    stars: t.text().nullable(),
    made: t.createdAt(),
  })
  let steps = 0
  const data = [
    {
      id: 'capitals',
      async up(tx: { sql: (strings: TemplateStringsArray) => Promise<unknown[]> }) {
        steps++
        await tx.sql`update notes set heading = upper(heading)`
      },
    },
  ]
  const db = dataflow(name, { ...(options as object), models: { notes: Next }, migrations: { data } })
  return { db, steps: () => steps }
}

/** A database of notes whose worker does as it is told. */
export async function openFaulty(name: string, options: Options = {}) {
  const worker = await TestWorker.load()
  return { db: openNotes(name, { ...options, worker: worker.make, wasmUrl: worker.wasmUrl }), worker }
}

export interface Failure {
  readonly code: string
  readonly hint: string | undefined
  readonly retryable: boolean
  readonly message: string
}
export type Settled<T> = { ok: T } | { failed: Failure }

/** How a promise ends, as data that crosses to the test. */
export function settled<T>(promise: PromiseLike<T>): Promise<Settled<T>> {
  return Promise.resolve(promise).then(
    ok => ({ ok }),
    (error: unknown) => ({ failed: failureOf(error) }),
  )
}

export function failureOf(error: unknown): Failure {
  if (!DataFlowError.is(error)) return { code: 'not ours', hint: undefined, retryable: false, message: String(error) }
  const { code, hint, retryable, message } = error
  return { code, hint, retryable, message }
}

/** The code it fails with, or 'ok'. */
export async function codeOf(promise: PromiseLike<unknown>): Promise<string> {
  const end = await settled(promise)
  return 'ok' in end ? 'ok' : end.failed.code
}

/** Follows promises: the codes they have ended with so far, `pending` for the rest. */
export function follow(promises: readonly PromiseLike<unknown>[]): { now(): string[]; all: Promise<string[]> } {
  const states = promises.map(() => 'pending')
  const ends = promises.map((promise, i) => codeOf(promise).then(code => (states[i] = code)))
  return { now: () => [...states], all: Promise.all(ends) }
}

/** Statements that `work` runs, transaction control apart. */
export async function statementsOf(
  db: Database<any>,
  work: () => Promise<unknown>,
): Promise<{ executed: number; control: number }> {
  const { statements: before } = await db.metrics()
  await work()
  const { statements: after } = await db.metrics()
  return { executed: after.executed - before.executed, control: after.control - before.control }
}

/** Text that tells every value and type apart, to compare what crosses worlds. */
export function exact(value: unknown): string {
  if (typeof value === 'bigint') return `${value}n`
  if (typeof value === 'number') return Object.is(value, -0) ? '-0' : String(value)
  if (value instanceof Date) return `Date(${value.toISOString()})`
  if (value instanceof Uint8Array) return `Uint8Array(${value.join()})`
  if (Array.isArray(value)) return `[${value.map(exact).join(', ')}]`
  if (typeof value !== 'object' || value === null) return typeof value === 'string' ? JSON.stringify(value) : `${value}`
  const entries = Object.entries(value).map(([key, item]) => `${JSON.stringify(key)}: ${exact(item)}`)
  return `{ ${entries.join(', ')} }`
}

/** A file as text, which crosses to the test. */
export async function toBase64(file: Blob): Promise<string> {
  const url = await new Promise<string>(resolve => {
    const reader = new FileReader()
    reader.onload = () => resolve(reader.result as string)
    reader.readAsDataURL(file)
  })
  return url.slice(url.indexOf(',') + 1)
}

export function fromBase64(text: string): Uint8Array<ArrayBuffer> {
  return Uint8Array.from(atob(text), character => character.charCodeAt(0))
}
