// The real module on the real WASM file, and a way to ask sql.js itself what the database looks like.
import { readFileSync } from 'node:fs'
import { createRequire } from 'node:module'
import initSqlJs from 'sql.js'
import { bootSqlite } from '../../worker/sqlite/boot.js'
import { BLOCK_SIZE, type ChunkedFile } from '../../worker/sqlite/file.js'
import { SqliteError, type FileChanges, type Sqlite, type SqlCell, type SqlParam } from '../../worker/seams.js'

export function wasmBytes(): Uint8Array<ArrayBuffer> {
  const path = createRequire(import.meta.url).resolve('sql.js/dist/sql-wasm.wasm')
  return new Uint8Array(readFileSync(path))
}

export const boot = () => bootSqlite({ wasm: wasmBytes })

/** An open database, its file, and sql.js's own export() of it. */
export interface Opened {
  readonly db: Sqlite
  readonly file: ChunkedFile
  exported(): Uint8Array
}

interface Exporting {
  export(): Uint8Array
}

/** sql.js's own object of the connection opened last. */
let latest: Exporting | undefined

async function recordDatabases(): Promise<void> {
  // sql.js starts once: this is the module that runs already.
  const sqlJs = (await initSqlJs()) as unknown as { Database: new () => Exporting }
  if (latest) return
  sqlJs.Database = class extends sqlJs.Database {
    constructor() {
      super()
      latest = this
    }
  }
}

export async function openDatabase(): Promise<Opened> {
  const module = await boot()
  await recordDatabases()
  const file = module.createFile()
  const db = module.open(file)
  let current = latest!
  const reopen = db.reopen.bind(db)
  db.reopen = () => {
    reopen()
    current = latest!
  }
  return { db, file, exported: () => current.export() }
}

/** Tables of which a row can end the whole transaction: at once, or at its commit. */
export const LOSABLE = `
  CREATE TABLE t(id INTEGER PRIMARY KEY, x TEXT UNIQUE) STRICT;
  CREATE TABLE parent(id INTEGER PRIMARY KEY);
  CREATE TABLE child(p INTEGER REFERENCES parent(id) DEFERRABLE INITIALLY DEFERRED);
  CREATE TRIGGER bomb BEFORE INSERT ON t WHEN new.x = 'bomb' BEGIN SELECT RAISE(ROLLBACK, 'boom'); END;`

export function rowsOf(db: Sqlite, sql: string, params: SqlParam[] = []): SqlCell[][] {
  const rows: SqlCell[][] = []
  db.each(sql, params, row => rows.push(row.columns.map((_, i) => row.value(i))))
  return rows
}

export function valueOf(db: Sqlite, sql: string, params: SqlParam[] = []): SqlCell | undefined {
  return rowsOf(db, sql, params)[0]?.[0]
}

export function imageOf(file: ChunkedFile): Uint8Array {
  const image = new Uint8Array(file.size)
  if (file.read(0, image, 0, image.length) !== file.size) throw new Error('Short read')
  return image
}

/** Lays `changes` over `image`, as opening a saved log does. */
export function replay(image: Uint8Array, changes: FileChanges): Uint8Array {
  const next = new Uint8Array(Math.max(image.length, changes.size) + BLOCK_SIZE)
  next.set(image)
  for (const [i, block] of changes.blocks.entries()) {
    next.set(changes.bytes.subarray(i * BLOCK_SIZE, (i + 1) * BLOCK_SIZE), block * BLOCK_SIZE)
  }
  return next.slice(0, changes.size)
}

/** The image without what export() writes differently: change counters, who wrote last, and freed pages. */
export function comparable(image: Uint8Array): Uint8Array {
  const copy = image.slice()
  for (const [from, to] of [
    [24, 28],
    [40, 44],
    [92, 100],
  ] as const)
    copy.fill(0, from, to)
  const view = new DataView(copy.buffer)
  const pageSize = copy.length ? view.getUint16(16) : 0
  const clear = (page: number, from = 0): unknown => copy.fill(0, (page - 1) * pageSize + from, page * pageSize)
  for (let trunk = copy.length ? view.getUint32(32) : 0; trunk !== 0;) {
    const at = (trunk - 1) * pageSize
    const next = view.getUint32(at)
    const leaves = view.getUint32(at + 4)
    for (let i = 0; i < leaves; i++) clear(view.getUint32(at + 8 + i * 4))
    clear(trunk, 8 + leaves * 4)
    trunk = next
  }
  return copy
}

/** The SqliteError that `body` throws. */
export function failureOf(body: () => unknown): SqliteError {
  try {
    body()
  } catch (e) {
    if (e instanceof SqliteError) return e
    throw e
  }
  throw new Error('Nothing was thrown')
}
