// The database as a whole: exported, imported, kept as backups, encrypted anew.
import type { Connection, RemoteEngine } from './connect.js'
import { keyOf, type Encryption } from './encryption.js'
import { tell } from './events.js'
import { DataFlowError } from './shared/errors.js'
import {
  MIGRATION_NOTE,
  type BackupRecord,
  type EncryptionKey,
  type EngineEvent,
  type FileSource,
  type ImportReport,
  type Outcome,
  type WorkCall,
} from './shared/protocol.js'

export interface WorkOptions {
  /** Called now and then, in bytes. */
  onProgress?(progress: { readonly done: number; readonly total: number }): void
  /** `ABORTED` means that nothing was done. */
  signal?: AbortSignal
}

export interface BackupOptions extends WorkOptions {
  /** Shown by `backups()`. */
  note?: string
  /** Deletes all but the newest ones, this many, when the new one is there. */
  keep?: number
}

export interface RestoreOptions extends WorkOptions {
  /** false: what is there now is not kept as a backup. */
  keepCurrent?: boolean
}

/** A copy that the browser keeps beside the database. */
export interface Backup {
  readonly id: string
  readonly createdAt: Date
  /** Bytes of the SQLite file, and what they take in the browser's storage. */
  readonly size: number
  readonly bytes: number
  readonly note: string | null
}

export interface RestoreReport extends ImportReport {
  /** What was there before. */
  readonly kept: Backup | null
}

/** Bytes. */
export interface StorageReport {
  /** The saved file, its log of changes, all backups. */
  readonly base: number
  readonly log: number
  readonly backups: number
  /** What the browser says of the whole origin; null where it does not. */
  readonly usage: number | null
  readonly quota: number | null
  /** Whether the browser has promised not to clear it; null where it does not say. */
  readonly persisted: boolean | null
}

export type ImportSource = Blob | ArrayBuffer | Uint8Array | ReadableStream<Uint8Array>

const TYPE = 'application/vnd.sqlite3'

type Send<T> = (engine: RemoteEngine, call: WorkCall) => Promise<Outcome<T>>
type Progress = NonNullable<WorkOptions['onProgress']>

export interface WholeParts {
  readonly connection: Connection
  /** Warns of a call that waits for a transaction of its own page. */
  watch<T>(call: Promise<T>): Promise<T>
  /** What the next worker is told. */
  useKey(key: EncryptionKey | null): void
}

export class Whole {
  readonly #parts: WholeParts
  /** Who wants to know how far a call is. */
  readonly #progress = new Map<number, Progress>()

  constructor(parts: WholeParts) {
    this.#parts = parts
  }

  onProgress({ id, done, total }: Extract<EngineEvent, { type: 'progress' }>['detail']): void {
    tell(this.#progress.get(id), { done, total })
  }

  export = async (options: WorkOptions = {}): Promise<Blob> => {
    const { onProgress, signal } = checked('export', options)
    const { connection } = this.#parts
    const assertWorker = connection.watchWorker()
    let id = 0
    try {
      const begin: Send<{ size: number }> = (engine, call) => engine.beginExport({ ...call, id: (id = call.id) })
      const { size } = await this.#work({ signal }, begin)
      const parts: Blob[] = []
      for (let done = 0; done < size; tell(onProgress, { done, total: size })) {
        if (signal?.aborted) throw stopped(signal)
        assertWorker()
        const from = done
        const piece = await connection.call(engine => engine.readExport(id, from))
        // The browser keeps a Blob where it likes; arrays would all be in the page's memory.
        parts.push(new Blob([piece]))
        done += piece.length
      }
      return new Blob(parts, { type: TYPE })
    } finally {
      // A worker that is no more holds nothing.
      await connection.callIfStarted(engine => engine.endExport(id)).catch(() => {})
    }
  }

  import = (source: ImportSource, options: WorkOptions = {}): Promise<ImportReport> =>
    this.read('import', source, options)

  /** `op`, and its `own` options, are for errors. */
  async read(op: string, source: ImportSource, options: WorkOptions, own?: readonly string[]): Promise<ImportReport> {
    const { signal } = checked(op, options, own)
    if (signal?.aborted) throw stopped(signal)
    const file = await toBlob(op, source, signal)
    return this.#work(options, (engine, call) => engine.importFile(call, file as FileSource))
  }

  backup = async (options: BackupOptions = {}): Promise<Backup> => {
    const { note = null, keep = null } = checked('backup', options, ['note', 'keep'])
    if (note !== null && typeof note !== 'string')
      throw badOption('backup', 'note must be a text.', "note: 'before 2.0'.")
    if (keep !== null && !(Number.isSafeInteger(keep) && keep > 0)) {
      throw badOption('backup', 'keep must be a whole number of 1 or more.', 'keep: 7.')
    }
    return toBackup(await this.#work(options, (engine, call) => engine.backup(call, { note, keep })))
  }

  backups = async (): Promise<Backup[]> => {
    return (await this.#parts.connection.call(engine => engine.backups())).map(toBackup)
  }

  /** The newest backup that a migration has kept. */
  restoreMigrated = async (options?: RestoreOptions): Promise<RestoreReport> => {
    const kept = (await this.backups()).find(({ note }) => note === MIGRATION_NOTE)
    if (kept) return this.restore(kept.id, options)
    const hint = "one is kept before a migration that gives something up (onDestructive: 'apply')."
    throw new DataFlowError('NOT_FOUND', 'There is no backup of a migration.', { op: 'migrations.restore', hint })
  }

  restore = async (backup: string, options: RestoreOptions = {}): Promise<RestoreReport> => {
    const { keepCurrent = true } = checked('restore', options, ['keepCurrent'])
    if (typeof backup !== 'string') throw badOption('restore', 'A backup is named by its id.', 'db.restore(backup.id).')
    if (typeof keepCurrent !== 'boolean')
      throw badOption('restore', 'keepCurrent is true or false.', 'keepCurrent: false.')
    const { kept, ...report } = await this.#work(options, (engine, call) =>
      engine.restore(call, { backup, keepCurrent }),
    )
    return { ...report, kept: kept && toBackup(kept) }
  }

  rekey = async (encryption: Encryption | null): Promise<void> => {
    const key = encryption === null ? null : await keyOf(encryption, 'rekey')()
    await this.#work({}, (engine, call) => engine.rekey(call, key))
    this.#parts.useKey(key)
  }

  storage = async (): Promise<StorageReport> => {
    const saved = await this.#parts.connection.call(engine => engine.savedBytes())
    // Not there outside a secure context, and not in every browser.
    const manager = globalThis.navigator?.storage as Partial<StorageManager> | undefined
    const [estimate, persisted] = await Promise.all([manager?.estimate?.(), manager?.persisted?.()])
    return {
      ...saved,
      usage: estimate?.usage ?? null,
      quota: estimate?.quota ?? null,
      persisted: persisted ?? null,
    }
  }

  #work<T>({ onProgress, signal }: WorkOptions, send: Send<T>): Promise<T> {
    if (signal?.aborted) return Promise.reject(stopped(signal))
    const { connection, watch } = this.#parts
    const id = connection.nextId()
    if (onProgress) this.#progress.set(id, onProgress)
    const onAbort = (): void => connection.cancel(id, () => {})
    signal?.addEventListener('abort', onAbort)
    const running = connection.call(engine => send(engine, { id, progress: onProgress !== undefined }))
    return watch(running)
      .catch((error: unknown) => {
        throw signal?.aborted && DataFlowError.is(error, 'ABORTED') ? stopped(signal) : error
      })
      .finally(() => {
        signal?.removeEventListener('abort', onAbort)
        this.#progress.delete(id)
      })
  }
}

/** Whatever it comes as, a Blob is what a worker can read piece by piece. */
async function toBlob(op: string, source: ImportSource, signal: AbortSignal | undefined): Promise<Blob> {
  if (source instanceof Blob) return source
  if (source instanceof ArrayBuffer) return new Blob([source])
  // A Blob takes no memory that is shared with other threads.
  if (source instanceof Uint8Array)
    return new Blob([source.buffer instanceof ArrayBuffer ? (source as Uint8Array<ArrayBuffer>) : source.slice()])
  if (!(source instanceof ReadableStream)) {
    const text = `${op}() takes a Blob, an ArrayBuffer, a Uint8Array or a ReadableStream.`
    throw badOption(op, text, `${op}(input.files[0]).`)
  }
  try {
    return await new Response(source.pipeThrough(new TransformStream(), signal ? { signal } : {})).blob()
  } catch (cause) {
    if (signal?.aborted) throw stopped(signal)
    const hint = 'see the cause; nothing was changed.'
    throw new DataFlowError('IMPORT', 'The stream could not be read.', { op, hint }, cause)
  }
}

/** Other than a call that waits, it may have begun: what matters is that nothing came of it. */
function stopped(signal: AbortSignal): DataFlowError {
  const hint = 'run it again if it is still wanted.'
  return new DataFlowError('ABORTED', 'The call was aborted; nothing was changed.', { hint }, signal.reason)
}

function toBackup({ createdAt, ...backup }: BackupRecord): Backup {
  return { ...backup, createdAt: new Date(createdAt) }
}

/** The options, every name known. Throws `BAD_OPTION`. */
function checked<O extends WorkOptions>(op: string, options: O, own: readonly string[] = []): O {
  const known = [...own, 'onProgress', 'signal']
  if (typeof options !== 'object' || options === null) {
    throw badOption(op, 'The options must be an object.', `it takes ${known.join(', ')}.`)
  }
  const unknown = Object.keys(options).find(name => !known.includes(name))
  if (unknown !== undefined) throw badOption(op, `${op}() has no option "${unknown}".`, `it takes ${known.join(', ')}.`)
  const { onProgress, signal } = options
  if (onProgress !== undefined && typeof onProgress !== 'function') {
    throw badOption(op, 'onProgress is not a function.', 'onProgress: ({ done, total }) => { ... }.')
  }
  if (signal !== undefined && !(signal instanceof AbortSignal)) {
    throw badOption(op, 'signal is not an AbortSignal.', 'pass controller.signal.')
  }
  return options
}

function badOption(op: string, text: string, hint: string): DataFlowError {
  return new DataFlowError('BAD_OPTION', text, { op, hint })
}
