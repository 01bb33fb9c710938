// Databases of a page over a real Comlink channel in this process, foreign files made by the stock build of sql.js, and
// readers that know nothing of ours: that build, and the sqlite3 program where it is installed.
import { execFileSync } from 'node:child_process'
import { mkdtempSync, rmSync, writeFileSync } from 'node:fs'
import { createRequire } from 'node:module'
import { tmpdir } from 'node:os'
import { join } from 'node:path'
import type { Database, SqlJsStatic } from 'sql.js'
import { afterEach, beforeEach, vi } from 'vitest'
import { model, t } from '../../src/index.js'
import { DataFlowError } from '../../src/shared/errors.js'
import type { Clock } from '../../worker/seams.js'
import { makeOrigin, type Origin } from '../support/docs-shim.js'

/** A build of its own: another module than the one under test, with Emscripten's own files. */
const startStock = createRequire(import.meta.url)('sql.js/dist/sql-wasm-inline.js') as () => Promise<SqlJsStatic>
let stock: Promise<SqlJsStatic> | undefined

export const User = model('User', { id: t.id(), name: t.text(), balance: t.integer().default(0) })
export const Post = model('Post', { id: t.id(), userId: t.ref('User'), title: t.text() })
export const models = { users: User, posts: Post }

/** A new origin for each test; every worker of it is ended. */
export function useOrigin(options: { clock?: Clock } = {}): { current: Origin } {
  const box = {} as { current: Origin }
  beforeEach(() => {
    box.current = makeOrigin(options)
    for (const [name, value] of Object.entries(box.current.globals)) vi.stubGlobal(name, value)
  })
  afterEach(async () => {
    await box.current.end()
    vi.unstubAllGlobals()
  })
  return box
}

/** A SQLite file made by somebody else. */
export async function foreignFile(make: (db: Database) => void, from?: Uint8Array): Promise<Uint8Array<ArrayBuffer>> {
  const { Database } = await (stock ??= startStock())
  const db = new Database(from)
  make(db)
  const bytes = new Uint8Array(db.export())
  db.close()
  return bytes
}

/** What the stock build reads in a file. */
export async function readForeign(file: Blob | Uint8Array, sql: string): Promise<unknown[][]> {
  const bytes = file instanceof Blob ? new Uint8Array(await file.arrayBuffer()) : file
  const { Database } = await (stock ??= startStock())
  const db = new Database(bytes)
  try {
    return db.exec(sql)[0]?.values ?? []
  } finally {
    db.close()
  }
}

/** The file when somebody else has run these statements on it. */
export async function changedForeign(file: Blob, sql: string): Promise<Blob> {
  const bytes = new Uint8Array(await file.arrayBuffer())
  return new Blob([await foreignFile(db => void db.run(sql), bytes)])
}

/** What the sqlite3 program answers; null where it is not installed. */
export async function askSqlite3(file: Blob, sql: string): Promise<string | null> {
  try {
    execFileSync('sqlite3', ['--version'])
  } catch {
    return null
  }
  const folder = mkdtempSync(join(tmpdir(), 'dataflow-edge-'))
  try {
    const path = join(folder, 'exported.db')
    writeFileSync(path, new Uint8Array(await file.arrayBuffer()))
    return execFileSync('sqlite3', [path, sql], { encoding: 'utf8' }).trim()
  } finally {
    rmSync(folder, { recursive: true })
  }
}

export async function bytesOf(file: Blob): Promise<Buffer> {
  return Buffer.from(await file.arrayBuffer())
}

/** What it fails with; fails itself when it does not. */
export async function failureOf(promise: Promise<unknown>): Promise<DataFlowError> {
  const error = await promise.then(
    () => null,
    (reason: unknown) => reason,
  )
  if (!DataFlowError.is(error)) throw error ?? new Error('Nothing was thrown')
  return error
}
