// Group commit: which commits are in the flush under way, and who waits for it. One flush at a time; whoever is waiting
// when it starts is in it. A failed flush takes back everything that is not saved, before anybody hears of it.
import { DataFlowError } from '../src/shared/errors.js'
import type { Clock, DatabaseFile, FileChanges, SaveLevel, Storage } from './seams.js'

/** A deferred commit is saved after this, if no other flush comes first. */
const DEFERRED_MS = 30
/** Between the last flush or checkpoint step and the next step, while nothing else happens. */
const IDLE_MS = 20
/** Each failure doubles that pause, up to this. */
const MAX_IDLE_MS = 30_000
const RECENT = 256

/** What saving needs of it. */
export type FlushStorage = Pick<Storage, 'flush' | 'checkpointDue' | 'checkpointStep' | 'report' | 'close'>

export interface SaverParts {
  readonly file: DatabaseFile
  readonly storage: FlushStorage
  readonly clock: Clock
  /** A flush failed and memory is about to be put back: open leases have to be rolled back now. */
  onFailing?(error: DataFlowError): void
  /** Memory is the last saved state again, nobody has been told yet: the connection has to be reopened now. */
  onFailed(error: DataFlowError, lost: { deferred: number }): void
  onFlushed(report: { ms: number; bytes: number; commits: number }): void
}

export interface SaverMetrics {
  readonly flushes: number
  /** Handed to the storage, idle checkpoint steps included. */
  readonly bytes: number
  readonly lastMs: number
  /** Commits that are not saved yet. */
  readonly pending: number
  /** Deferred commits that were taken back because their flush failed. */
  readonly lost: number
  /** From a commit until it was saved, in ms, over the last commits. */
  readonly lagP50: number
  readonly lagP95: number
  readonly checkpoints: number
  /** Checkpoint steps that failed; nothing is lost by it, the next flush goes on. */
  readonly failedSteps: number
}

interface Waiter {
  /** `none`: waits for what was committed before, and is no commit itself. */
  readonly level: SaveLevel | 'deferred' | 'none'
  readonly since: number
  resolve(): void
  reject(error: DataFlowError): void
}

export class Saver {
  readonly #parts: SaverParts
  /** In no flush yet. */
  #waiting: Waiter[] = []
  /** In the flush under way. */
  #inFlush: Waiter[] = []
  /** The work that the storage is doing. */
  #busy: Promise<void> | null = null
  #cancelTimer: (() => void) | null = null
  /** Nothing more can be saved: closed, or memory could not be put back. */
  #end: DataFlowError | null = null
  #idleMs = IDLE_MS
  #closing: Promise<void> | null = null
  readonly #lags: number[] = []
  readonly #counts = { flushes: 0, bytes: 0, lastMs: 0, lost: 0, failedSteps: 0 }

  constructor(parts: SaverParts) {
    this.#parts = parts
  }

  /**
   * To be called right after a COMMIT that wrote, before anything else runs. Resolves when the commit is saved (at once
   * for `deferred`); rejects with the storage's error when it has been taken back.
   */
  committed(level: SaveLevel | 'deferred'): Promise<void> {
    if (level !== 'deferred') return this.#wait(level)
    if (this.#end) return Promise.reject(this.#end)
    this.#waiting.push({ level, since: this.#parts.clock.monotonic(), resolve() {}, reject() {} })
    if (!this.#busy && this.#waiting.length === 1) this.#startLater()
    return Promise.resolve()
  }

  /** Resolves when everything committed so far is saved. */
  flush(): Promise<void> {
    return this.#wait('none')
  }

  /**
   * Saves what is committed, then does `work`, which has the storage to itself: no flush and no checkpoint step until it
   * settles. The caller sees to it that nothing is committed meanwhile. Rejects with the storage's error when what was
   * committed could not be saved; then `work` was not begun.
   */
  async alone<T>(work: () => Promise<T>): Promise<T> {
    await this.flush()
    while (this.#busy) await this.#busy
    if (this.#end) throw this.#end
    this.#stopTimer()
    const working = work()
    this.#run(
      working.then(
        () => {},
        () => {}, // who asked for it is told
      ),
    )
    return working
  }

  /** Saves what is left, then closes the storage, even if saving failed. */
  close(): Promise<void> {
    return (this.#closing ??= this.#close())
  }

  /** What is in memory can no longer be trusted: nothing of it is saved any more, and whoever waits is told. */
  abandon(error: DataFlowError): void {
    this.#end ??= error
    this.#stopTimer()
    const waiters = this.#waiting
    this.#waiting = []
    this.#counts.lost += waiters.filter(({ level }) => level === 'deferred').length
    for (const waiter of waiters) waiter.reject(error)
  }

  get metrics(): SaverMetrics {
    const sorted = [...this.#lags].sort((a, b) => a - b)
    const quantile = (q: number): number => sorted[Math.ceil(q * sorted.length) - 1] ?? 0
    return {
      ...this.#counts,
      pending: commitsOf(this.#inFlush).length + commitsOf(this.#waiting).length,
      lagP50: quantile(0.5),
      lagP95: quantile(0.95),
      checkpoints: this.#parts.storage.report().checkpoints,
    }
  }

  async #close(): Promise<void> {
    try {
      const saved = this.#end ? null : this.flush()
      this.#end ??= new DataFlowError('CLOSED', 'The database is closed.')
      await saved
    } finally {
      this.#stopTimer()
      await this.#parts.storage.close()
    }
  }

  #wait(level: SaveLevel | 'none'): Promise<void> {
    if (this.#end) return Promise.reject(this.#end)
    return new Promise((resolve, reject) => {
      this.#waiting.push({ level, since: this.#parts.clock.monotonic(), resolve, reject })
      if (!this.#busy) this.#start()
    })
  }

  /** Synchronous up to the storage's own copies: a commit is in this flush or in the next, never in half of each. */
  #start(): void {
    this.#stopTimer()
    const waiters = this.#waiting
    this.#waiting = []
    const changes = this.#takeChanges(waiters)
    if (changes === 'failed') return
    // No flush is running, so what these commits found in the file is saved.
    if (changes) this.#run(this.#save(waiters, changes))
    else {
      this.#settle(waiters)
      this.#rest()
    }
  }

  /** The copies need memory. If there is none, the commits are taken back as if the flush had failed. */
  #takeChanges(waiters: Waiter[]): FileChanges | null | 'failed' {
    try {
      return this.#parts.file.takeChanges()
    } catch (e) {
      this.#inFlush = waiters
      this.#takeBack(null, toError(e))
      this.#rest()
      return 'failed'
    }
  }

  /** `work` reports its failure itself. */
  #run(work: Promise<void>): void {
    this.#busy = work.finally(() => {
      this.#busy = null
      if (this.#waiting.some(({ level }) => level !== 'deferred')) this.#start()
      else this.#rest()
    })
  }

  async #save(waiters: Waiter[], changes: FileChanges): Promise<void> {
    const { file, storage, clock, onFlushed } = this.#parts
    this.#inFlush = waiters
    const level = waiters.some(waiter => waiter.level === 'strict') ? 'strict' : 'relaxed'
    const started = clock.monotonic()
    let bytes: number
    try {
      bytes = (await storage.flush(changes, file, level)).bytes
    } catch (e) {
      this.#takeBack(changes, toError(e))
      return
    }
    this.#inFlush = []
    this.#idleMs = IDLE_MS
    const ms = clock.monotonic() - started
    this.#counts.flushes++
    this.#counts.bytes += bytes
    this.#counts.lastMs = ms
    this.#settle(waiters)
    onFlushed({ ms, bytes, commits: commitsOf(waiters).length })
  }

  /** Commits made after the flush began have read what it carried: they go with it. */
  #takeBack(changes: FileChanges | null, error: DataFlowError): void {
    const { file, onFailing, onFailed } = this.#parts
    try {
      onFailing?.(error)
      file.undoUntaken()
      if (changes) file.undo(changes)
    } catch (e) {
      this.#end = unrepaired(e)
    }
    this.#pauseLonger()
    const waiters = [...this.#inFlush, ...this.#waiting]
    this.#inFlush = this.#waiting = []
    const deferred = waiters.filter(({ level }) => level === 'deferred').length
    this.#counts.lost += deferred
    try {
      onFailed(error, { deferred })
    } catch (e) {
      this.#end = unrepaired(e)
    }
    for (const waiter of waiters) waiter.reject(error)
  }

  #settle(waiters: readonly Waiter[]): void {
    const now = this.#parts.clock.monotonic()
    for (const { since } of commitsOf(waiters)) this.#lags.push(now - since)
    this.#lags.splice(0, this.#lags.length - RECENT)
    for (const waiter of waiters) waiter.resolve()
  }

  /** Nobody waits: deferred commits have time, and if there are none, the checkpoint goes on. */
  #rest(): void {
    if (this.#waiting.length > 0) this.#startLater()
    else if (this.#parts.storage.checkpointDue && !this.#end) this.#later(this.#idleMs, () => this.#step())
  }

  #startLater(): void {
    this.#later(DEFERRED_MS, () => this.#start())
  }

  #step(): void {
    const { file, storage } = this.#parts
    const changes = this.#takeChanges([])
    if (changes === 'failed') return
    // The step copies chunks as they are: nothing unsaved may be in them.
    if (changes) return this.#run(this.#save([], changes))
    const done = storage.checkpointStep(file).then(
      ({ bytes }) => {
        this.#idleMs = IDLE_MS
        this.#counts.bytes += bytes
      },
      () => {
        this.#counts.failedSteps++
        this.#pauseLonger()
      },
    )
    this.#run(done)
  }

  #pauseLonger(): void {
    this.#idleMs = Math.min(this.#idleMs * 2, MAX_IDLE_MS)
  }

  #later(ms: number, callback: () => void): void {
    this.#stopTimer()
    this.#cancelTimer = this.#parts.clock.after(ms, () => {
      this.#cancelTimer = null
      callback()
    })
  }

  #stopTimer(): void {
    this.#cancelTimer?.()
    this.#cancelTimer = null
  }
}

function commitsOf(waiters: readonly Waiter[]): Waiter[] {
  return waiters.filter(({ level }) => level !== 'none')
}

function toError(e: unknown): DataFlowError {
  if (e instanceof RangeError) {
    const hint = 'what was saved is safe; write less at once, or close other tabs.'
    return new DataFlowError('STORAGE', 'There is no memory left to save with.', { hint, retryable: true }, e)
  }
  return DataFlowError.is(e) ? e : new DataFlowError('STORAGE', 'Saving failed.', { retryable: true }, e)
}

function unrepaired(cause: unknown): DataFlowError {
  const hint = 'reload: what was saved is still there.'
  return new DataFlowError('STORAGE', 'After a failed save, memory could not be put back.', { hint }, cause)
}
