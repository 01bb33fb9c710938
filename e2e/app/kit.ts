// What the specs have in the page besides the package: two models, promises as data, counted statements.
import { dataflow, DataFlowError, model, sql, t, type Database, type DatabaseOptions } from 'dataflow-edge'
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

/** Everything that is in a database: its notes, all other tables and the schema, and the digest of its file. */
export interface Content {
  readonly notes: string
  readonly rest: string
  readonly file: string
}

export async function contentOf(db: NotesDatabase): Promise<Content> {
  const rowsOf = async (table: string) => exact(await db.run(sql`select * from ${sql.id(table)} order by 1`))
  const schema = await db.sql<{ name: string; type: string; sql: string | null }>`
    select type, name, sql from sqlite_schema order by type, name`
  const rest = [
    exact(schema),
    exact(await db.sql`PRAGMA integrity_check`),
    exact(await db.sql`PRAGMA foreign_key_check`),
  ]
  for (const { name, type } of schema) if (type === 'table' && name !== 'notes') rest.push(name, await rowsOf(name))
  const bytes = await (await db.export()).arrayBuffer()
  const digest = new Uint8Array(await crypto.subtle.digest('SHA-256', bytes))
  return { notes: await rowsOf('notes'), rest: rest.join('\n'), file: toHex(digest) }
}

const toHex = (bytes: Uint8Array) => [...bytes].map(byte => byte.toString(16).padStart(2, '0')).join('')

/** The rows that a transaction of the tests finds, and the database with them saved. */
export async function fillNotes(db: NotesDatabase): Promise<void> {
  await db.notes.bulkCreate(
    Array.from({ length: 300 }, (_, i) => ({ id: `n${i}`, title: `note ${i} ${'x'.repeat(100)}`, stars: i })),
  )
}

/** Changes most of them, in a transaction with savepoints; `reached` is called at the moments between its calls. */
export function changeNotes(db: NotesDatabase, reached: (moment: string) => unknown = () => {}): Promise<string> {
  return db.transaction(
    async tx => {
      await reached('begun')
      await tx.notes.update('n0', { title: 'changed', stars: { $inc: 1 } })
      await reached('between writes')
      await tx.notes.bulkUpdate({ where: { stars: { $gt: 100 } }, set: { stars: { $inc: 1000 } } })
      await tx.savepoint(async inner => {
        await inner.notes.bulkDelete({ where: { stars: { $lt: 50 } } })
        await reached('in a savepoint')
        await inner
          .savepoint(async innermost => {
            await innermost.notes.create({ id: 'taken back', title: 'never' })
            await reached('in a savepoint of it')
            throw new Error('back')
          })
          .catch((error: Error) => {
            if (error.message !== 'back') throw error
          })
        await inner.notes.create({ id: 'new', title: 'new' })
      })
      await reached('after the savepoint')
      await tx.notes.create({ id: 'last', title: 'last' })
      return 'done'
    },
    { timeout: 600_000 },
  )
}
