// A file that an app brings: read piece by piece, and let in only if it is a whole, sound SQLite database that the
// declared models fit. It is examined on a connection of its own; nothing else knows of it before it has passed.
import { DataFlowError } from '../src/shared/errors.js'
import type { FileSource } from '../src/shared/protocol.js'
import { mendIndexes } from './search-indexes.js'
import { CHUNK_SIZE, SqliteError, type DatabaseFile, type SavedFile, type Sqlite, type SqliteModule } from './seams.js'
import type { Work } from './works.js'

/** Read at once. */
const PIECE = 16 * CHUNK_SIZE
const HEADER = 100
const MAGIC = 'SQLite format 3\0'
/** Problems that are listed; a damaged file may have thousands. */
const LISTED = 10

const NOT_SQLITE = 'pass a file that db.export() or SQLite itself wrote.'
const ANOTHER_COPY = 'take another copy of the file; nothing was changed.'

/** The file's bytes. Rejects with IMPORT as soon as its header tells that it cannot be used. */
export async function readSource(source: FileSource, { signal, onProgress }: Work): Promise<SavedFile> {
  const { size } = source
  const chunks: Uint8Array<ArrayBuffer>[] = []
  if (size === 0) throw refused('The file is empty.', NOT_SQLITE)
  for (let from = 0; from < size; from += PIECE) {
    signal.throwIfAborted()
    const piece = await readPiece(source, from, Math.min(from + PIECE, size))
    if (from === 0) checkHeader(piece, size)
    for (let at = 0; at < piece.length; at += CHUNK_SIZE) chunks.push(chunkAt(piece, at))
    onProgress(from + piece.length, size)
  }
  forgetWal(chunks[0]!)
  return { chunks, size }
}

async function readPiece(source: FileSource, from: number, to: number): Promise<Uint8Array<ArrayBuffer>> {
  try {
    return new Uint8Array(await source.slice(from, to).arrayBuffer())
  } catch (cause) {
    throw refused('The file could not be read.', 'it was moved or changed since it was chosen: choose it again.', cause)
  }
}

function chunkAt(piece: Uint8Array<ArrayBuffer>, at: number): Uint8Array<ArrayBuffer> {
  if (at + CHUNK_SIZE <= piece.length) return piece.subarray(at, at + CHUNK_SIZE)
  const chunk = new Uint8Array(CHUNK_SIZE)
  chunk.set(piece.subarray(at))
  return chunk
}

function checkHeader(bytes: Uint8Array<ArrayBuffer>, size: number): void {
  if (size < HEADER || MAGIC !== String.fromCharCode(...bytes.subarray(0, MAGIC.length))) {
    throw refused('The file is not a SQLite database.', NOT_SQLITE)
  }
  const header = new DataView(bytes.buffer, bytes.byteOffset, HEADER)
  const stored = header.getUint16(16)
  const pageSize = stored === 1 ? 65_536 : stored
  if (pageSize < 512 || (pageSize & (pageSize - 1)) !== 0) {
    throw refused(`The file is damaged: ${stored} is no page size of SQLite's.`, ANOTHER_COPY)
  }
  // SQLite trusts the number of pages only while both counters agree.
  const pages = header.getUint32(24) === header.getUint32(92) ? header.getUint32(28) : 0
  if (size % pageSize !== 0 || pages * pageSize > size) {
    const expected = pages > 0 ? `${pages * pageSize}` : `a multiple of ${pageSize}`
    throw refused(`The file is cut off: it has ${size} bytes, and should have ${expected}.`, ANOTHER_COPY)
  }
  if (header.getUint32(56) > 1) {
    const hint = 'texts would have another order; convert it to UTF-8 with the sqlite3 program: .dump into a new file.'
    throw refused('The file keeps its texts as UTF-16.', hint)
  }
}

/** A database in WAL mode is opened with its -wal file only. There is none here, and none will be written. */
function forgetWal(chunk: Uint8Array<ArrayBuffer>): void {
  for (const at of [18, 19]) if (chunk[at] === 2) chunk[at] = 1
}

/**
 * Opens `saved` beside the database, checks it, and has `migrate` bring it to the declared shape. The file that it gives
 * is closed and ready to be saved. Throws IMPORT.
 */
export function examine<T>(
  sqlite: SqliteModule,
  saved: SavedFile,
  migrate: (db: Sqlite) => T,
): { file: DatabaseFile; migrated: T } {
  const file = sqlite.createFile(saved)
  const db = readable(() => sqlite.open(file))
  let migrated: T
  try {
    readable(() => checkIntegrity(db))
    readable(() => checkReferences(db))
    migrated = fitting(() => migrate(db))
  } catch (e) {
    // In a module that failed closing fails as well, and would hide the reason.
    if (!isFatal(e)) db.close()
    throw e
  }
  db.close()
  // All of it will be saved: what the migration changed is no change any more.
  file.takeChanges()
  return { file, migrated }
}

function checkIntegrity(db: Sqlite): void {
  const problems: string[] = []
  db.each(`PRAGMA integrity_check(${LISTED})`, [], row => problems.push(row.text(0) ?? ''))
  if (problems.length === 1 && problems[0] === 'ok') return
  // Who wrote the file may have numbered its rows anew.
  const damage = mendIndexes(db, problems)
  if (damage.length === 0) return
  const listed = damage.map(message => ({ path: [], message }))
  throw refused(`The file is damaged: ${damage.join('; ')}.`, ANOTHER_COPY).with({ issues: listed })
}

function checkReferences(db: Sqlite): void {
  const dangling = new Map<string, number>()
  db.each('PRAGMA foreign_key_check', [], row => {
    const what = `${row.text(0)} -> ${row.text(2)}`
    dangling.set(what, (dangling.get(what) ?? 0) + 1)
  })
  if (dangling.size === 0) return
  const listed = [...dangling].map(([what, rows]) => `${what} (${rows} ${rows === 1 ? 'row' : 'rows'})`)
  const hint = 'delete these rows, or write those they refer to; PRAGMA foreign_key_check lists them.'
  const issues = listed.map(message => ({ path: [], message }))
  throw refused(`Rows of the file refer to rows that do not exist: ${listed.join(', ')}.`, hint).with({ issues })
}

/** Whether SQLite itself broke, and not the file. */
export function isFatal(e: unknown): boolean {
  const origin = DataFlowError.is(e) ? e.cause : e
  return origin instanceof SqliteError && origin.fatal
}

/** What SQLite cannot do with the file is the file's fault. */
function readable<T>(body: () => T): T {
  try {
    return body()
  } catch (e) {
    if (!(e instanceof SqliteError) || isFatal(e)) throw e
    const cause = new DataFlowError(e.code, `${e.message}.`, {}, e)
    throw refused(`SQLite cannot read the file: ${e.message}.`, ANOTHER_COPY, cause)
  }
}

/** What keeps the file from the declared shape: with its differences. */
function fitting<T>(body: () => T): T {
  try {
    return body()
  } catch (e) {
    if (!DataFlowError.is(e) || isFatal(e)) throw e
    const { model, fields, issues } = e
    const own = 'nothing was changed; import a file of this app, or declare the models as they are in the file.'
    const hint = e.code === 'SCHEMA_NEWER' && e.hint ? e.hint : own
    const details = { ...(model ? { model } : {}), ...(fields ? { fields } : {}), ...(issues ? { issues } : {}) }
    throw refused(`The models do not fit the file: ${e.text}`, hint, e).with(details)
  }
}

function refused(text: string, hint: string, cause?: unknown): DataFlowError<'IMPORT'> {
  return new DataFlowError('IMPORT', text, { hint }, cause)
}
