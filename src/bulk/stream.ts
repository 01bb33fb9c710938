// Rows of an iterable, written chunk by chunk: while the worker writes one, the next is encoded, and the source waits.
import type { RunOptions } from '../connect.js'
import { atIndex, withPath, RowEncoder, type BulkFailure, type RowRules } from '../encode/bulk.js'
import { badOption } from '../encode/options.js'
import type { Context } from '../encode/row.js'
import type { BulkProgress, BulkStreamed } from '../model.js'
import { tell } from '../events.js'
import { DataFlowError } from '../shared/errors.js'
import type { WireOperation, WireWritten } from '../shared/operation.js'
import type { ListedRow } from '../shared/packed.js'
import { Packer, sizeOf } from './packer.js'
import { Slices } from './slices.js'
import type { Source } from './source.js'

/** A chunk is a message, a transaction and a flush: about so many bytes, or rows, whichever comes first (semantics 25). */
export const CHUNK = { rows: 10_000, bytes: 16 * 1024 * 1024 }
const ATOMIC = { rows: Infinity, bytes: 64 * 1024 * 1024 }
/** Of more that fail only the number is told. */
export const MAX_ERRORS = 1000

export interface StreamOptions extends RunOptions {
  readonly atomic: boolean
  /** Part of a transaction: chunks are kept only with it. */
  readonly leased: boolean
  onProgress?(progress: BulkProgress): void
  /** What else is known of how far it is. */
  extent?(): Omit<BulkProgress, 'rows'>
}

export interface StreamParts {
  readonly context: Context
  readonly rules: RowRules
  readonly options: StreamOptions
  send(wire: WireOperation, options: RunOptions): Promise<WireWritten>
  /** The row in what the source gave; null for none. Its error is thrown, or collected. */
  rowOf?(given: unknown, index: number): unknown
  /** The line of a text that it came from. */
  lineOf?(given: unknown): number
}

/** Writes all rows of `source`. Whatever ends it early, the source is closed and the error says what is `kept`. */
export async function writeStream(source: Source, parts: StreamParts): Promise<BulkStreamed> {
  const { leased, atomic } = parts.options
  if (leased && atomic) {
    const { model, op } = parts.context
    const error = badOption('A transaction is all or nothing by itself.', 'leave atomic out.')
    throw error.with({ model: model.definition.name, op })
  }
  return new Stream(source, parts).run()
}

class Stream {
  readonly #source: Source
  readonly #parts: StreamParts
  readonly #packer: Packer
  readonly #limit: typeof CHUNK
  readonly #errors: BulkFailure[] = []
  #encoder: RowEncoder
  /** The rows of the chunk that is being made: where each stands in the source. */
  #places: Place[] = []
  #index = 0
  #count = 0
  #failed = 0
  /** The chunk that the worker has. */
  #writing: Promise<void> = Promise.resolve()
  #stopped = false
  #stop: (reason: unknown) => void = () => {}
  #ended = false

  constructor(source: Source, parts: StreamParts) {
    const { context, rules, options } = parts
    this.#source = source
    this.#parts = parts
    this.#limit = options.atomic ? ATOMIC : CHUNK
    this.#packer = new Packer(context.model.fields.findIndex(field => field.definition.primaryKey))
    this.#encoder = new RowEncoder(rules, context)
  }

  async run(): Promise<BulkStreamed> {
    const { signal } = this.#parts.options
    // Once the source has ended only the worker can tell whether the last chunk is done.
    const onAbort = (): void => {
      if (!this.#ended) this.#stop(signal!.reason)
    }
    try {
      await new Promise<void>((resolve, reject) => {
        this.#stop = reason => {
          this.#stopped = true
          reject(reason)
        }
        if (signal?.aborted) return this.#stop(signal.reason)
        signal?.addEventListener('abort', onAbort)
        this.#pump().then(resolve, this.#stop)
      })
    } catch (error) {
      await this.#source.close()
      // What the worker still does is kept, or has failed as well.
      await this.#writing.catch(() => {})
      throw this.#explain(error)
    } finally {
      signal?.removeEventListener('abort', onAbort)
    }
    const errors = this.#errors.sort((a, b) => a.index - b.index)
    return { count: this.#count, failed: this.#failed, errors }
  }

  async #pump(): Promise<void> {
    const slices = new Slices()
    while (!this.#stopped) {
      let next: IteratorResult<unknown>
      try {
        const pulled = this.#source.pull()
        // Not every promise is one of this realm.
        next = this.#source.got('then' in pulled ? await pulled : pulled)
      } catch (error) {
        throw this.#source.fail(error)
      }
      if (this.#stopped) return
      if (next.done) break
      const listed = this.#encode(next.value, this.#index++)
      if (listed) {
        const bytes = sizeOf(listed.row[0])
        if (!this.#hasRoomFor(bytes)) await this.#send()
        this.#packer.add(...listed.row, bytes)
        this.#places.push(listed.place)
      }
      if (this.#packer.rows === this.#limit.rows) await this.#send()
      if (slices.over) await slices.pause()
    }
    this.#ended = !this.#stopped
    if (this.#ended && this.#packer.rows > 0) await this.#send()
    await this.#writing
    this.#tell(this.#index)
  }

  #encode(given: unknown, index: number): { row: ListedRow; place: Place } | null {
    const { rowOf, lineOf, rules } = this.#parts
    const place = { index, line: lineOf?.(given) }
    try {
      const data = rowOf ? this.#rowOf(rowOf, given, index) : given
      if (rowOf && data === null) return null
      return { row: this.#encoder.encode(data, index), place }
    } catch (error) {
      if (!DataFlowError.is(error)) throw error
      if (!rules.collect) throw atPlace(error, place)
      this.#collect(error, place)
      return null
    }
  }

  #rowOf(rowOf: NonNullable<StreamParts['rowOf']>, given: unknown, index: number): unknown {
    try {
      return rowOf(given, index)
    } catch (error) {
      if (!DataFlowError.is(error)) throw error
      throw this.#parts.rules.collect ? withPath(error, index) : atIndex(error, index)
    }
  }

  #hasRoomFor(bytes: number): boolean {
    if (this.#packer.rows === 0 || this.#packer.bytes + bytes <= this.#limit.bytes) return true
    if (!this.#parts.options.atomic) return false
    const hint = 'leave atomic out: then every chunk is saved by itself; or use fewer rows.'
    throw badOption('atomic takes up to 64 MiB of rows.', hint)
  }

  /** Hands the chunk over when the one before is written. */
  async #send(): Promise<void> {
    const { context, rules, options, send } = this.#parts
    const places = this.#places
    this.#places = []
    const wire: WireOperation = {
      op: 'insertMany',
      method: context.op,
      model: context.model.definition.name,
      rows: [],
      packed: this.#packer.take(),
      conflict: this.#encoder.conflict,
      collect: rules.collect,
    }
    this.#encoder = new RowEncoder(rules, context)
    await this.#writing
    if (this.#stopped) return
    const { signal, durability } = options
    const sent = send(wire, { ...(signal ? { signal } : {}), ...(durability ? { durability } : {}) })
    this.#writing = sent.then(
      written => this.#note(written, places),
      (error: unknown) => {
        throw relocate(error, places)
      },
    )
    this.#writing.catch(error => this.#stop(error))
  }

  #note({ count, failed = [] }: WireWritten, places: readonly Place[]): void {
    this.#count += count
    for (const { index, error } of failed) {
      const place = places[index]!
      this.#collect(withPath(DataFlowError.fromWire(error), place.index), place)
    }
    this.#tell(places.at(-1)!.index + 1)
  }

  #collect(error: DataFlowError, place: Place): void {
    this.#failed++
    if (this.#errors.length < MAX_ERRORS) this.#errors.push({ index: place.index, error: atPlace(error, place) })
  }

  #tell(rows: number): void {
    const { onProgress, extent } = this.#parts.options
    tell(onProgress, { rows, ...extent?.() })
  }

  #explain(error: unknown): unknown {
    const { signal, leased } = this.#parts.options
    const { model, op } = this.#parts.context
    const kept = this.#count
    const rows = kept === 1 ? '1 row' : `${kept} rows`
    const where = leased ? `${rows} before it are part of the transaction` : `${rows} before it are saved`
    if (signal?.aborted && (error === signal.reason || DataFlowError.is(error, 'ABORTED'))) {
      const text = `It was aborted; ${kept === 0 ? 'nothing was written' : `${where}, all others were not written`}.`
      const details = { model: model.definition.name, op, kept, hint: 'go on behind them if it is still wanted.' }
      return new DataFlowError('ABORTED', text, details, signal.reason)
    }
    if (!DataFlowError.is(error)) return error
    return error.with({
      model: error.model ?? model.definition.name,
      op,
      kept,
      hint: hintWith(error.hint, kept > 0 ? `${where}.` : ''),
    })
  }
}

function hintWith(hint = '', kept: string): string {
  if (kept === '') return hint
  return `${hint.replace('; nothing was written', '')} ${kept}`.trim()
}

/** Where a row stands in the source. */
interface Place {
  readonly index: number
  readonly line: number | undefined
}

function atPlace(error: DataFlowError, { line }: Place): DataFlowError {
  if (line === undefined) return error
  return error.with({ line, hint: `line ${line}${error.hint ? `; ${error.hint}` : '.'}` })
}

/** The worker knows the place of a row in its chunk. */
function relocate(error: unknown, places: readonly Place[]): unknown {
  const row = DataFlowError.is(error) ? error.issues?.[0]?.path[0] : undefined
  if (!DataFlowError.is(error) || typeof row !== 'number') return error
  const place = places[row]!
  const issues = error.issues!.map(({ path, message }) => ({ path: [place.index, ...path.slice(1)], message }))
  const hint = error.hint?.replace(`row ${row};`, `row ${place.index};`)
  return atPlace(error.with({ issues, ...(hint === undefined ? {} : { hint }) }), place)
}
