// The database as a whole: exported, replaced by a file, kept as a backup, encrypted anew. Each of these either takes
// place or leaves everything as it was; other operations go on except in the moments that are said below.
import { DataFlowError } from '../src/shared/errors.js'
import type {
  BackupRecord,
  EncryptionKey,
  EngineConfig,
  EngineEvent,
  FileSource,
  ImportReport,
  MigrationReport,
  Outcome,
  SavedBytes,
  WholeEngine,
  WorkCall,
} from '../src/shared/protocol.js'
import { examine, isFatal, readSource } from './foreign-file.js'
import type { Leases } from './leases.js'
import { schemaOf, type EngineParts, type Open } from './open.js'
import { CHUNK_SIZE, SqliteError, type FileSnapshot, type SavedFile, type Sqlite } from './seams.js'
import { partOf, Works, type Work } from './works.js'

/** Of an exported file, for each message. */
const PIECE = 4 * 1024 * 1024

export interface WholeParts {
  readonly config: EngineConfig
  readonly engine: EngineParts
  readonly leases: Leases
  whenOpen(): Promise<Open>
  assertAlive(): void
  /** Outcomes cross as data. */
  answer<T>(work: () => T | Promise<T>): Promise<Outcome<T>>
  emit(event: EngineEvent): void
  /** The file has another content; the connection still has pages of the one before. */
  onReplaced(): void
  /** Memory and what is saved are no longer the same, or SQLite cannot be trusted. */
  onFatal(error: SqliteError): void
  /** Much was written. */
  onWritten(): void
}

interface Candidate {
  readonly saved: SavedFile
  /** Keep what is there now as a backup with this note. */
  readonly keepAs: string | null
}

export class WholeDatabase implements WholeEngine {
  readonly #parts: WholeParts
  readonly #works: Works
  readonly #exports = new Map<number, FileSnapshot>()

  constructor(parts: WholeParts) {
    this.#parts = parts
    this.#works = new Works(parts.emit)
  }

  beginExport(call: WorkCall): Promise<Outcome<{ size: number }>> {
    return this.#work(call, async (open, work) => {
      const snapshot = await this.#snapshot(open, work)
      this.#exports.set(call.id, snapshot)
      return { size: snapshot.size }
    })
  }

  readExport(id: number, from: number): Promise<Outcome<Uint8Array<ArrayBuffer>>> {
    return this.#parts.answer(() => {
      this.#parts.assertAlive()
      const snapshot = this.#exports.get(id)
      if (!snapshot) throw new Error('The export has ended')
      return pieceOf(snapshot, from)
    })
  }

  endExport(id: number): Promise<Outcome<null>> {
    return this.#parts.answer(() => {
      this.#exports.get(id)?.release()
      this.#exports.delete(id)
      return null
    })
  }

  importFile(call: WorkCall, source: FileSource): Promise<Outcome<ImportReport>> {
    return this.#work(call, async (open, work) => {
      const { size } = source
      const saved = await readSource(source, partOf(work, 0, size, 2 * size))
      const { report } = await this.#install(open, { saved, keepAs: null }, partOf(work, size, size, 2 * size))
      return report
    })
  }

  backup(call: WorkCall, { note, keep }: { note: string | null; keep: number | null }): Promise<Outcome<BackupRecord>> {
    return this.#work(call, (open, work) =>
      this.#works.inTurn(work, async () => {
        const { storage } = open
        const snapshot = await this.#snapshot(open, work)
        try {
          const about = { createdAt: this.#parts.engine.clock.now(), note }
          const made = await storage.backup(snapshot, about, work)
          const old = keep === null ? [] : storage.backups().slice(keep)
          for (const { id } of old) await storage.deleteBackup(id)
          return made
        } finally {
          snapshot.release()
          this.#parts.onWritten()
        }
      }),
    )
  }

  backups(): Promise<Outcome<readonly BackupRecord[]>> {
    return this.#parts.answer(async () => (await this.#parts.whenOpen()).storage.backups())
  }

  restore(
    call: WorkCall,
    { backup, keepCurrent }: { backup: string; keepCurrent: boolean },
  ): Promise<Outcome<ImportReport & { kept: BackupRecord | null }>> {
    return this.#work(call, async (open, work) => {
      const { storage, file } = open
      const size = storage.backups().find(({ id }) => id === backup)?.size ?? 0
      const total = 2 * size + (keepCurrent ? file.size : 0)
      const saved = await this.#works.inTurn(work, () => storage.readBackup(backup, partOf(work, 0, size, total)))
      const keepAs = keepCurrent ? 'before restore' : null
      const { report, kept } = await this.#install(open, { saved, keepAs }, partOf(work, size, total - size, total))
      return { ...report, kept }
    })
  }

  rekey(call: WorkCall, key: EncryptionKey | null): Promise<Outcome<null>> {
    return this.#work(call, async (open, work) => {
      await this.#alone(open, work, () =>
        open.storage.rekey(key as CryptoKey | null, open.file, { onProgress: work.onProgress }),
      )
      return null
    })
  }

  savedBytes(): Promise<Outcome<SavedBytes>> {
    return this.#parts.answer(async () => {
      const { baseBytes, logBytes, backupBytes } = (await this.#parts.whenOpen()).storage.report()
      return { base: baseBytes, log: logBytes, backups: backupBytes }
    })
  }

  cancel(ids: readonly number[]): void {
    const text = 'The call was aborted; nothing was changed.'
    const reason = new DataFlowError('ABORTED', text, { hint: 'run it again if it is still wanted.' })
    for (const id of ids) this.#works.cancel(id, reason)
  }

  /** Ends what is under way; resolves when the storage is no longer used by it. */
  async end(reason: DataFlowError): Promise<void> {
    await this.#works.end(reason)
    for (const snapshot of this.#exports.values()) snapshot.release()
    this.#exports.clear()
  }

  #work<T>(call: WorkCall, body: (open: Open, work: Work) => Promise<T>): Promise<Outcome<T>> {
    return this.#parts.answer(() =>
      this.#works.run(call, async work => {
        const open = await this.#parts.whenOpen()
        work.signal.throwIfAborted()
        try {
          return await body(open, work)
        } catch (error) {
          if (isFatal(error)) this.#parts.onFatal((DataFlowError.is(error) ? error.cause : error) as SqliteError)
          throw error
        }
      }),
    )
  }

  /** The file as it is between two transactions, once everything in it is saved. */
  async #snapshot({ db, file, saver }: Open, { signal }: Work): Promise<FileSnapshot> {
    const [snapshot, saved] = await this.#parts.leases.whenFree(() => {
      signal.throwIfAborted()
      this.#parts.assertAlive()
      // Nothing was ever written: of a file without any bytes nobody could tell what it is.
      if (file.size === 0) db.exec('PRAGMA user_version = 0')
      return [file.snapshot(), saver.flush()]
    })
    try {
      await saved
      signal.throwIfAborted()
      return snapshot
    } catch (error) {
      snapshot.release()
      throw error
    }
  }

  /** Waits for everybody, saves what is committed, and does `body` while everybody waits. */
  #alone<T>({ saver }: Open, work: Work, body: () => Promise<T>): Promise<T> {
    const { leases, assertAlive, onWritten } = this.#parts
    return this.#works
      .inTurn(work, () =>
        leases.alone(() => {
          assertAlive()
          return saver.alone(body)
        }, work.signal),
      )
      .finally(onWritten)
  }

  /** All or nothing: examined beside the database, saved beside it, then put in its place in one instant. */
  async #install(
    open: Open,
    { saved, keepAs }: Candidate,
    work: Work,
  ): Promise<{ report: ImportReport; kept: BackupRecord | null }> {
    const { clock } = this.#parts.engine
    const start = clock.monotonic()
    work.signal.throwIfAborted()
    const { file, migrated } = examine(open.sqlite, saved, db => this.#migrate(db))
    const { size } = file
    const kept = await this.#alone(open, work, async () => {
      const total = size + (keepAs === null ? 0 : open.file.size)
      const { storage } = open
      const about = { createdAt: clock.now(), note: keepAs }
      const kept = keepAs === null ? null : await storage.backup(open.file, about, partOf(work, 0, total - size, total))
      try {
        await storage.replace(file, partOf(work, total - size, size, total))
      } catch (error) {
        // It would be a copy of what is still there. If it cannot be deleted, the first failure is the one to tell.
        if (kept) await storage.deleteBackup(kept.id).catch(() => {})
        throw error
      }
      this.#switchTo(open, file)
      return kept
    })
    for (const report of migrated) this.#parts.emit({ type: 'migrate', detail: report })
    const applied = migrated.flatMap(report => report.applied)
    const pending = migrated.flatMap(report => report.pending)
    return { report: { applied, pending, ms: clock.monotonic() - start, cached: applied.length === 0, size }, kept }
  }

  /** From here on everybody sees the new content, which is saved already. */
  #switchTo(open: Open, file: Open['file']): void {
    try {
      open.file.become(file)
      this.#parts.onReplaced()
    } catch (cause) {
      // The next worker reads what is saved.
      const message = 'the new content could not be taken over'
      throw new SqliteError(message, { code: 'WORKER_CRASHED', fatal: true, cause })
    }
  }

  /** What opening and the first operation on each model do, and under the same options. */
  #migrate(db: Sqlite): MigrationReport[] {
    const { config, engine } = this.#parts
    const reports: MigrationReport[] = []
    const { ensure } = schemaOf(db, config, engine, event => {
      if (event.type === 'migrate') reports.push(event.detail)
    })
    ensure.open()
    ensure.ensure(config.models.map(model => model.name))
    return reports
  }
}

function pieceOf(snapshot: FileSnapshot, from: number): Uint8Array<ArrayBuffer> {
  const piece = new Uint8Array(Math.min(PIECE, snapshot.size - from))
  for (let done = 0; done < piece.length;) {
    const chunk = snapshot.chunk(Math.floor((from + done) / CHUNK_SIZE))
    const at = (from + done) % CHUNK_SIZE
    const part = chunk.subarray(at, at + piece.length - done)
    piece.set(part, done)
    done += part.length
  }
  return piece
}
