// What the store holds, and what the next transaction is to do about it: records, chunks that ride along, the head, old
// records. Knows nothing of IndexedDB. A plan changes nothing until its transaction has completed (`done`).
//
// The rule of the checkpoint: `dirty` says for each chunk the first record that its saved copy lacks. A chunk is put as
// of the flush it rides in, so it then lacks nothing. Records before the oldest of these are not needed: the head may
// move there. Chunks newer than the head do no harm, as records say what is at a place: going through the log to its
// end, the last record that names a place decides, and a place that no record names has not changed since.
import type { FileChanges } from '../seams.js'
import { BLOCK_SIZE, CHUNK_SIZE, type Head } from './format.js'
import { chunkCount, resizedChunks } from './image.js'
import { recordLength, splitIntoRecords, type Span } from './record.js'

export interface Limits {
  /** A checkpoint begins when the log has more bytes than this and than this share of the base, ... */
  readonly logBytes: number
  readonly baseShare: number
  /** ... or more records than this. */
  readonly logRecords: number
  /** A flush of at least `logBytes` goes into the base at once if it changes this share of the chunks it touches. */
  readonly denseShare: number
  /** Old records deleted by each flush, beside as many as it adds, and by each idle step. */
  readonly deletions: number
  readonly idleDeletions: number
}

export const LIMITS: Limits = {
  logBytes: 4 * 1024 * 1024,
  baseShare: 0.25,
  logRecords: 1600,
  denseShare: 0.5,
  deletions: 4,
  idleDeletions: 32,
}

/** What one transaction does. */
export interface Plan {
  /** Number of its first record. */
  readonly n: number
  readonly records: readonly (readonly Span[])[]
  readonly size: number
  /** Chunks to put (empty ones if behind the end), and the number of the last record that they contain. */
  readonly puts: readonly number[]
  readonly at: number
  /** To be put only when it moved, or when nobody knows whether the one in the store is ours. */
  readonly head: Head
  readonly writesHead: boolean
  readonly writesTail: boolean
  /** Records behind the last one and the tail, and nothing else. */
  readonly onlyAppends: boolean
  /** Numbers of records to delete: what the head has passed, and what a failed transaction may have left. */
  readonly deletions: readonly number[]
  readonly oldest: number
  /** Base chunks from this one on can go: they are behind the end of the file; null to leave them. */
  readonly cutBase: number | null
  readonly touched: readonly number[]
  readonly cleaned: readonly number[]
  readonly mark: number | null
}

/** A record as the logbook remembers it. */
export interface Entry {
  readonly bytes: number
  /** Size of the file after it. */
  readonly size: number
}

export class Logbook {
  head: Head
  checkpoints = 0
  /** The records from head.first on. */
  #entries: Entry[]
  #logBytes: number
  /** In ascending order of the record numbers: a chunk joins at the end. */
  readonly #dirty: Map<number, number>
  /** While a checkpoint runs: it is done when all records before this one are in the base. */
  #mark: number | null = null
  /** The oldest record that has not been deleted. */
  #oldest: number
  /** The head has moved, so that there may be base chunks that nothing needs any more. */
  #cutsBase = false
  /** After a transaction of which nobody knows whether it took place: what it may have left behind. */
  #unsure: { readonly chunks: ReadonlySet<number>; readonly records: number } | null = null
  readonly #limits: Limits

  constructor(
    saved: { head: Head; entries: Entry[]; dirty: Map<number, number>; oldest: number },
    limits: Limits = LIMITS,
  ) {
    this.head = saved.head
    this.#entries = saved.entries
    this.#logBytes = saved.entries.reduce((sum, entry) => sum + entry.bytes, 0)
    this.#dirty = saved.dirty
    this.#oldest = saved.oldest
    this.#limits = limits
  }

  get next(): number {
    return this.head.first + this.#entries.length
  }

  get size(): number {
    return this.#sizeBefore(this.next)
  }

  get report(): { baseBytes: number; logBytes: number; logRecords: number; checkpoints: number } {
    const { chunks } = this.head
    const { checkpoints } = this
    return { baseBytes: chunks * CHUNK_SIZE, logBytes: this.#logBytes, logRecords: this.#entries.length, checkpoints }
  }

  /** There is something for `plan(null)` to do. */
  get hasIdleWork(): boolean {
    if (this.#mark !== null || this.#unsure !== null || this.#oldest < this.head.first) return true
    return this.#logIsLong(this.#logBytes, this.#entries.length)
  }

  /** `pageSize` is the one of the file now. With `changes` null it is an idle step. */
  plan(changes: FileChanges | null, pageSize: number): Plan {
    const n = this.next
    const size = changes?.size ?? this.size
    const touched = changes ? touchedChunks(changes) : []
    const dense = changes !== null && this.#isDense(changes, touched)
    const records = changes && !dense ? splitIntoRecords(changes) : []
    const bytes = records.reduce((sum, spans) => sum + recordLength(spans), 0)
    const next = n + records.length

    const long = dense || this.#logIsLong(this.#logBytes + bytes, this.#entries.length + records.length)
    const mark = this.#mark ?? (long ? next : null)
    // One chunk, and one more for each chunk's worth of log: a checkpoint must not be outrun by large flushes.
    const most = dense ? Infinity : mark === null ? 0 : 1 + Math.floor(bytes / CHUNK_SIZE)
    const dirty = new Map(this.#dirty)
    for (const chunk of touched) if (!dirty.has(chunk)) dirty.set(chunk, n)
    const cleaned = this.#choose(dirty, most, mark ?? 0, chunkCount(size))
    for (const chunk of cleaned) dirty.delete(chunk)
    const oldestNeeded: number = dirty.values().next().value ?? next
    const ends = mark !== null && oldestNeeded >= mark
    const head = ends ? this.#headAt(oldestNeeded, next, size, pageSize) : this.head
    // Never past the head that is known to be in the store.
    const deletions = changes ? this.#limits.deletions + records.length : this.#limits.idleDeletions
    const oldest = Math.min(this.#oldest + deletions, this.head.first)

    const puts = new Set(cleaned.filter(chunk => chunk < chunkCount(size)))
    for (const chunk of this.#unsure?.chunks ?? []) puts.add(chunk)
    const plan = {
      n,
      records,
      size,
      puts: [...puts],
      at: next - 1,
      head,
      writesHead: ends || this.#unsure !== null,
      writesTail: records.length > 0 || this.#unsure !== null,
      deletions: [...numbers(this.#oldest, oldest), ...numbers(next, this.#unsure?.records ?? 0)],
      oldest,
      // Behind the end before and after, so that neither state needs them, nor the head, which has just moved.
      cutBase: this.#cutsBase ? Math.max(chunkCount(this.size), chunkCount(size)) : null,
      touched,
      cleaned,
      mark: ends ? null : mark,
    }
    const onlyAppends = plan.puts.length === 0 && plan.deletions.length === 0 && plan.cutBase === null
    return { ...plan, onlyAppends: onlyAppends && records.length > 0 && !plan.writesHead }
  }

  /** The transaction of `plan` has completed. */
  done(plan: Plan): void {
    for (const spans of plan.records) {
      const bytes = recordLength(spans)
      this.#entries.push({ bytes, size: plan.size })
      this.#logBytes += bytes
    }
    for (const chunk of plan.touched) if (!this.#dirty.has(chunk)) this.#dirty.set(chunk, plan.n)
    for (const chunk of plan.cleaned) this.#dirty.delete(chunk)
    this.#unsure = null
    this.#mark = plan.mark
    this.#oldest = plan.oldest
    this.#cutsBase = plan.head !== this.head
    if (!this.#cutsBase) return
    for (const entry of this.#entries.splice(0, plan.head.first - this.head.first)) this.#logBytes -= entry.bytes
    this.head = plan.head
    this.checkpoints++
  }

  /**
   * The transaction of `plan` failed as far as we were told. If it took place all the same, chunks and head would hold
   * what has been rejected, with no record to cover it: so the next transaction puts all of that again.
   */
  failed(plan: Plan): void {
    const records = Math.max(this.#unsure?.records ?? 0, plan.n + plan.records.length)
    this.#unsure = { chunks: new Set([...(this.#unsure?.chunks ?? []), ...plan.puts]), records }
  }

  #logIsLong(bytes: number, records: number): boolean {
    const { logBytes, logRecords, baseShare } = this.#limits
    return records > logRecords || bytes > Math.max(logBytes, this.head.chunks * CHUNK_SIZE * baseShare)
  }

  /** An import or a bulk load would write the same bytes twice, and a log as long as the file. */
  #isDense({ bytes, size }: FileChanges, touched: readonly number[]): boolean {
    if (bytes.length < this.#limits.logBytes) return false
    const inFile = [...new Set([...this.#dirty.keys(), ...touched])].filter(chunk => chunk < chunkCount(size))
    return bytes.length >= this.#limits.denseShare * inFile.length * CHUNK_SIZE
  }

  /** The chunks that lack the oldest records; those cut off since need no copy and do not count. */
  #choose(dirty: ReadonlyMap<number, number>, most: number, mark: number, chunks: number): number[] {
    const chosen: number[] = []
    let copies = 0
    for (const [chunk, lacks] of dirty) {
      if (most === 0 || (lacks >= mark && most !== Infinity)) break
      if (chunk < chunks && ++copies > most) break
      chosen.push(chunk)
    }
    return chosen
  }

  #headAt(first: number, next: number, size: number, databasePageSize: number): Head {
    // A dense flush has no record: `next` is its first number too, and it lies before.
    const before = first === next ? size : this.#sizeBefore(first)
    const sizes = this.#entries.slice(first - this.head.first).map(entry => entry.size)
    const smallest = sizes.reduce((a, b) => Math.min(a, b), Math.min(before, size))
    // A chunk that was cut off in between may have no copy, and needs none: the record that cut it is in the log.
    return { ...this.head, databasePageSize, first, size: before, chunks: chunkCount(smallest) }
  }

  #sizeBefore(n: number): number {
    return n === this.head.first ? this.head.size : this.#entries[n - this.head.first - 1]!.size
  }
}

function numbers(from: number, to: number): number[] {
  return Array.from({ length: Math.max(0, to - from) }, (_, i) => from + i)
}

/** The chunks whose saved copies a flush makes old. */
export function touchedChunks({
  blocks,
  sizeBefore,
  size,
}: Pick<FileChanges, 'blocks' | 'sizeBefore' | 'size'>): number[] {
  const touched = new Set<number>()
  let last = -1
  for (const block of blocks) {
    const chunk = Math.floor((block * BLOCK_SIZE) / CHUNK_SIZE)
    if (chunk !== last) touched.add((last = chunk))
  }
  if (size !== sizeBefore) {
    const { from, to } = resizedChunks(sizeBefore, size)
    for (let chunk = from; chunk < to; chunk++) touched.add(chunk)
  }
  return [...touched]
}
