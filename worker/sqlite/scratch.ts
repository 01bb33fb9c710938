// Room in WASM's memory for statements and bound values. A stack: a statement that runs inside another one's visitor
// puts its values above, and everything is gone when the statement that put it there is done. So SQLite need not copy
// what it is given (SQLITE_STATIC), and binding allocates nothing.
import { readFailure, ResultCode } from './errors.js'
import { encodeText, type Heap } from './heap.js'
import type { Native } from './native.js'

const CAPACITY = 64 * 1024

/** Where the stack stood. */
export interface Mark {
  readonly top: number
  readonly large: number
}

export class Scratch {
  readonly #native: Pick<Native, 'malloc' | 'free'>
  readonly #heap: Heap
  readonly #base: number
  #top = 0
  /** Allocated one by one, because they do not fit. */
  readonly #large: number[] = []
  /** Length in bytes of what was put last. */
  length = 0

  constructor(native: Pick<Native, 'malloc' | 'free'>, heap: Heap) {
    this.#native = native
    this.#heap = heap
    this.#base = this.#malloc(CAPACITY)
  }

  get top(): number {
    return this.#top
  }

  get large(): number {
    return this.#large.length
  }

  release(mark: Mark): void {
    this.#top = mark.top
    while (this.#large.length > mark.large) this.#native.free(this.#large.pop()!)
  }

  /** Puts `text` with a NUL behind it; returns its address, its length without the NUL is in `length`. */
  putText(text: string): number {
    // In UTF-8 a UTF-16 unit takes three bytes at most.
    if (this.#top + text.length * 3 + 1 > CAPACITY) return this.putBytes(encodeText(text))
    const at = this.#base + this.#top
    const length = this.#heap.setText(at, text)
    this.#heap.bytes[at + length] = 0
    this.#top += length + 1
    this.length = length
    return at
  }

  /** Puts `bytes` with a NUL behind them, so that the address is never null. */
  putBytes(bytes: Uint8Array): number {
    const at = this.#reserve(bytes.length + 1)
    const memory = this.#heap.bytes
    memory.set(bytes, at)
    memory[at + bytes.length] = 0
    this.length = bytes.length
    return at
  }

  #reserve(length: number): number {
    if (this.#top + length <= CAPACITY) {
      const at = this.#base + this.#top
      this.#top += length
      return at
    }
    const at = this.#malloc(length)
    this.#large.push(at)
    return at
  }

  #malloc(length: number): number {
    const at = this.#native.malloc(length)
    if (at === 0) throw readFailure('out of memory', ResultCode.NOMEM)
    return at >>> 0
  }
}
