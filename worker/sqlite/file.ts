// The database file: chunks of memory that SQLite reads and writes through our system calls (syscalls.ts), and that
// storage saves. What changes is remembered as it was, one 4 KiB page at a time, and compared in 128-byte blocks only
// when somebody asks: a page that SQLite writes a hundred times between two flushes is copied once and compared once.
import { CHUNK_SIZE, type DatabaseFile, type FileChanges, type FileImage, type SavedFile } from '../seams.js'
import { PAGE_SIZE, PagePool, ZERO_PAGE } from './page-pool.js'
import { Snapshot } from './snapshot.js'

export { CHUNK_SIZE }
export const BLOCK_SIZE = 128

const PAGES_PER_CHUNK = CHUNK_SIZE / PAGE_SIZE
const BLOCKS_PER_PAGE = PAGE_SIZE / BLOCK_SIZE
const WORDS_PER_BLOCK = BLOCK_SIZE / 4
const WORDS_PER_PAGE = PAGE_SIZE / 4

type Bytes = Uint8Array<ArrayBuffer>

/** Where a page's old content is: not remembered, known to be zeros, or in the pool at `value - 1`. */
const CLEAN = 0
const ZEROS = -1

export class ChunkedFile implements DatabaseFile {
  #size: number
  #sizeBefore: number
  readonly #chunks: Bytes[] = []
  readonly #words: Int32Array[] = []
  /** By page index: CLEAN, ZEROS or a place in the pool. Grows with the chunks, so that every page has an entry. */
  #saved = new Int32Array(PAGES_PER_CHUNK)
  /** The pages that are not CLEAN, in the order of their first change. */
  #touched: number[] = []
  readonly #pool = new PagePool()
  /** Those that still hold chunks of this file. */
  readonly #snapshots = new Set<Snapshot>()

  /** The chunks of `saved` become the file: nobody else may write to them from here on. */
  constructor(saved?: SavedFile) {
    this.#size = this.#sizeBefore = saved?.size ?? 0
    for (const chunk of saved?.chunks ?? []) {
      if (chunk.length !== CHUNK_SIZE) throw new RangeError(`A chunk has ${CHUNK_SIZE} bytes, not ${chunk.length}`)
      // Words can be read only at addresses that divide by four; IndexedDB's arrays always start at 0.
      this.#append(chunk.byteOffset % 4 === 0 ? chunk : chunk.slice())
    }
    this.#reserve(this.#size)
    this.#chunks.length = this.#words.length = this.chunkCount
    this.#clearTail()
  }

  get size(): number {
    return this.#size
  }

  get chunkCount(): number {
    return Math.ceil(this.#size / CHUNK_SIZE)
  }

  chunk(n: number): Bytes {
    if (n >= this.chunkCount) throw new RangeError(`The file has ${this.chunkCount} chunks, not ${n + 1}`)
    return this.#chunks[n]!
  }

  /** Copies up to `length` bytes at `position` to `target` and returns how many there were. */
  read(position: number, target: Uint8Array, offset: number, length: number): number {
    const count = Math.max(0, Math.min(length, this.#size - position))
    for (let done = 0; done < count;) {
      const at = (position + done) % CHUNK_SIZE
      const part = Math.min(count - done, CHUNK_SIZE - at)
      const chunk = this.#chunks[Math.floor((position + done) / CHUNK_SIZE)]!
      target.set(chunk.subarray(at, at + part), offset + done)
      done += part
    }
    return count
  }

  /** Throws RangeError when there is no memory for it; then nothing has changed. */
  write(position: number, source: Uint8Array, offset: number, length: number): void {
    if (length === 0) return
    this.#reserve(position + length)
    this.#keep(position, position + length)
    this.#remember(position, position + length)
    for (let done = 0; done < length;) {
      const at = (position + done) % CHUNK_SIZE
      const part = Math.min(length - done, CHUNK_SIZE - at)
      const chunk = this.#chunks[Math.floor((position + done) / CHUNK_SIZE)]!
      chunk.set(source.subarray(offset + done, offset + done + part), at)
      done += part
    }
    this.#size = Math.max(this.#size, position + length)
  }

  /** Makes the file `size` bytes long; what is added is zeros. */
  truncate(size: number): void {
    if (size < this.#size) {
      this.#remember(size, this.#size)
      this.#cut(size)
    } else {
      this.#reserve(size)
      this.#size = size
    }
  }

  takeChanges(): FileChanges | null {
    if (this.#touched.length === 0 && this.#size === this.#sizeBefore) return null
    const blocks: number[] = []
    this.#touched.sort((a, b) => a - b)
    for (const page of this.#touched) this.#compare(page, blocks)
    const { bytes, before } = this.#copyBlocks(blocks)
    const changed = blocks.length > 0 || this.#size !== this.#sizeBefore
    const changes = changed ? { blocks, bytes, before, sizeBefore: this.#sizeBefore, size: this.#size } : null
    this.#forget()
    return changes
  }

  undo(changes: FileChanges): void {
    this.undoUntaken()
    if (changes.size !== this.#size) throw new RangeError('Changes are undone from the newest to the oldest')
    this.#reserve(changes.sizeBefore)
    for (const block of changes.blocks) this.#keep(block * BLOCK_SIZE, (block + 1) * BLOCK_SIZE)
    for (const [i, block] of changes.blocks.entries()) {
      const at = block * BLOCK_SIZE
      const chunk = this.#chunks[Math.floor(at / CHUNK_SIZE)]!
      chunk.set(changes.before.subarray(i * BLOCK_SIZE, (i + 1) * BLOCK_SIZE), at % CHUNK_SIZE)
    }
    this.#cut(changes.sizeBefore)
    this.#sizeBefore = this.#size
  }

  undoUntaken(): void {
    this.#reserve(this.#sizeBefore)
    for (const page of this.#touched) {
      const slot = this.#saved[page]!
      if (slot <= 0) continue
      this.#keep(page * PAGE_SIZE, (page + 1) * PAGE_SIZE)
      this.#wordsOf(page).set(this.#pool.page(slot - 1))
    }
    // Touched pages that were zeros lie behind the old end.
    this.#cut(this.#sizeBefore)
    this.#forget()
  }

  snapshot(): Snapshot {
    const snapshot: Snapshot = new Snapshot(this.#chunks.slice(0, this.chunkCount), this.#size, () =>
      this.#snapshots.delete(snapshot),
    )
    this.#snapshots.add(snapshot)
    return snapshot
  }

  become(image: FileImage): void {
    // Snapshots of the content before have its chunks for themselves now.
    this.#snapshots.clear()
    this.#forget()
    this.#chunks.length = this.#words.length = 0
    for (let n = 0; n < image.chunkCount; n++) this.#append(image.chunk(n))
    this.#size = this.#sizeBefore = image.size
  }

  /** Bytes `from..to` are about to change: snapshots that share their chunks get copies of them. */
  #keep(from: number, to: number): void {
    if (this.#snapshots.size === 0) return
    for (let n = Math.floor(from / CHUNK_SIZE); n * CHUNK_SIZE < to; n++) {
      const live = this.#chunks[n]!
      let copy: Bytes | null | undefined
      for (const snapshot of this.#snapshots) {
        if (snapshot.shares(n, live)) snapshot.keep(n, copy === undefined ? (copy = copyOf(live)) : copy)
      }
    }
  }

  /** Keeps what pages `from..to` (bytes) hold before they change, if that is not kept yet. */
  #remember(from: number, to: number): void {
    const last = Math.floor((to - 1) / PAGE_SIZE)
    for (let page = Math.floor(from / PAGE_SIZE); page <= last; page++) {
      if (this.#saved[page] !== CLEAN) continue
      // What lay behind the end when changes were last taken was zeros: no need to keep them.
      const zeros = page * PAGE_SIZE >= this.#sizeBefore
      this.#saved[page] = zeros ? ZEROS : this.#pool.add(this.#wordsOf(page)) + 1
      this.#touched.push(page)
    }
  }

  /** Adds the numbers of the blocks of `page` that differ from what they were. */
  #compare(page: number, blocks: number[]): void {
    const slot = this.#saved[page]!
    const old = slot === ZEROS ? ZERO_PAGE : this.#pool.page(slot - 1)
    const now = this.#wordsOf(page)
    let block = page * BLOCKS_PER_PAGE
    for (let start = 0; start < WORDS_PER_PAGE; start += WORDS_PER_BLOCK, block++) {
      let difference = 0
      // Without a way out, and four words in a turn: a third faster than comparing word by word.
      for (let i = start; i < start + WORDS_PER_BLOCK; i += 4) {
        difference |= now[i]! ^ old[i]!
        difference |= now[i + 1]! ^ old[i + 1]!
        difference |= now[i + 2]! ^ old[i + 2]!
        difference |= now[i + 3]! ^ old[i + 3]!
      }
      if (difference !== 0) blocks.push(block)
    }
  }

  #copyBlocks(blocks: readonly number[]): { bytes: Bytes; before: Bytes } {
    const bytes = new Int32Array(blocks.length * WORDS_PER_BLOCK)
    const before = new Int32Array(blocks.length * WORDS_PER_BLOCK)
    let i = 0
    while (i < blocks.length) {
      const first = blocks[i]!
      const page = Math.floor(first / BLOCKS_PER_PAGE)
      const target = i * WORDS_PER_BLOCK
      const start = (first % BLOCKS_PER_PAGE) * WORDS_PER_BLOCK
      let length = 0
      // Neighbours within a page are copied in one go.
      do {
        length += WORDS_PER_BLOCK
        i++
      } while (start + length < WORDS_PER_PAGE && blocks[i] === first + length / WORDS_PER_BLOCK)
      const slot = this.#saved[page]!
      bytes.set(this.#wordsOf(page).subarray(start, start + length), target)
      if (slot > 0) before.set(this.#pool.page(slot - 1).subarray(start, start + length), target)
    }
    return { bytes: new Uint8Array(bytes.buffer), before: new Uint8Array(before.buffer) }
  }

  #forget(): void {
    for (const page of this.#touched) this.#saved[page] = CLEAN
    this.#touched = []
    this.#pool.clear()
    this.#sizeBefore = this.#size
  }

  /** Page `page` as words, zeros if its chunk was cut off. Chunks are words-aligned, and so are pages in them. */
  #wordsOf(page: number): Int32Array {
    const words = this.#words[Math.floor(page / PAGES_PER_CHUNK)]
    if (!words) return ZERO_PAGE
    const at = (page % PAGES_PER_CHUNK) * WORDS_PER_PAGE
    return words.subarray(at, at + WORDS_PER_PAGE)
  }

  /** Makes sure that there are chunks for the first `size` bytes. */
  #reserve(size: number): void {
    while (this.#chunks.length * CHUNK_SIZE < size) this.#append(new Uint8Array(CHUNK_SIZE))
  }

  #append(chunk: Bytes): void {
    const pages = (this.#chunks.length + 1) * PAGES_PER_CHUNK
    if (pages > this.#saved.length) {
      const larger = new Int32Array(Math.max(pages, this.#saved.length * 2))
      larger.set(this.#saved)
      this.#saved = larger
    }
    this.#words.push(new Int32Array(chunk.buffer, chunk.byteOffset, CHUNK_SIZE / 4))
    this.#chunks.push(chunk)
  }

  /** Ends the file at `size`: everything behind it is zeros, so that growing again finds zeros. */
  #cut(size: number): void {
    this.#size = size
    this.#chunks.length = this.#words.length = this.chunkCount
    this.#clearTail()
  }

  #clearTail(): void {
    const rest = this.#size % CHUNK_SIZE
    if (rest === 0) return
    this.#keep(this.#size, this.#size - rest + CHUNK_SIZE)
    this.#chunks[this.chunkCount - 1]!.fill(0, rest)
  }
}

/** null when there is no memory for it: a snapshot may fail, but not what is about to be written. */
function copyOf(chunk: Bytes): Bytes | null {
  try {
    return chunk.slice()
  } catch {
    return null
  }
}
