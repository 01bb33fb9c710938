// Rows from where the app has them: any iterable, pulled one by one, told when no more is wanted.
import { describe } from '../shared/codec.js'
import { DataFlowError } from '../shared/errors.js'

export type RowSource<T> = AsyncIterable<T> | (Iterable<T> & { readonly length?: never })

export function isIterable(value: unknown): value is AsyncIterable<unknown> | Iterable<unknown> {
  return (
    typeof value === 'object' &&
    value !== null &&
    (typeof (value as AsyncIterable<unknown>)[Symbol.asyncIterator] === 'function' ||
      typeof (value as Iterable<unknown>)[Symbol.iterator] === 'function')
  )
}

export class Source {
  readonly #iterator: AsyncIterator<unknown> | Iterator<unknown>
  #pulling = false
  #ended = false

  readonly #toError: (cause: unknown) => DataFlowError

  /** Throws `VALIDATION` for what cannot be iterated. `toError` makes an error of what the iterator throws. */
  constructor(rows: unknown, toError: (cause: unknown) => DataFlowError = failed) {
    this.#toError = toError
    if (!isIterable(rows)) {
      throw new DataFlowError('VALIDATION', `The rows must be an array or an iterable, not ${describe(rows)}.`, {
        hint: 'pass an array of rows, or a generator of them.',
      })
    }
    try {
      this.#iterator = Symbol.asyncIterator in rows ? rows[Symbol.asyncIterator]() : rows[Symbol.iterator]()
    } catch (error) {
      throw toError(error)
    }
  }

  /** The next row; a promise only where the iterator gives one. It is to be told to `got`, or its error to `fail`. */
  pull(): IteratorResult<unknown> | Promise<IteratorResult<unknown>> {
    this.#pulling = true
    return this.#iterator.next()
  }

  got(next: IteratorResult<unknown>): IteratorResult<unknown> {
    this.#pulling = false
    if (next.done) this.#ended = true
    return next
  }

  /** What the iterator has thrown, as the cause of an error. It is at its end. */
  fail(cause: unknown): DataFlowError {
    this.#pulling = false
    this.#ended = true
    return this.#toError(cause)
  }

  /** Tells the iterator that no more is wanted. What it says to that is lost: an earlier error is the one that tells. */
  async close(): Promise<void> {
    if (this.#ended) return
    this.#ended = true
    try {
      const closing = this.#iterator.return?.()
      // A generator that still waits for something closes when that has come, which may be never.
      if (!this.#pulling) await closing
      else Promise.resolve(closing).catch(() => {})
    } catch {
      // As above.
    }
  }
}

function failed(cause: unknown): DataFlowError {
  return new DataFlowError('VALIDATION', 'The source of the rows failed.', { hint: 'see the cause.' }, cause)
}
