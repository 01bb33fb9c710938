// Old content of pages, kept in slabs that are used again for the next changes: a commit allocates nothing for it.

export const PAGE_SIZE = 4096
export const ZERO_PAGE = new Int32Array(PAGE_SIZE / 4)

const WORDS_PER_PAGE = PAGE_SIZE / 4
const PAGES_PER_SLAB = 64
/** 4 MiB of slabs stay for the next time; what a bulk import needed beyond them is given back. */
const SLABS_KEPT = 16

export class PagePool {
  readonly #slabs: Int32Array[] = []
  #count = 0

  /** Copies `words` and returns the place that `page` finds it at. */
  add(words: Int32Array): number {
    const place = this.#count
    if (place === this.#slabs.length * PAGES_PER_SLAB) this.#slabs.push(new Int32Array(PAGES_PER_SLAB * WORDS_PER_PAGE))
    this.page(place).set(words)
    this.#count++
    return place
  }

  page(place: number): Int32Array {
    const at = (place % PAGES_PER_SLAB) * WORDS_PER_PAGE
    return this.#slabs[Math.floor(place / PAGES_PER_SLAB)]!.subarray(at, at + WORDS_PER_PAGE)
  }

  clear(): void {
    this.#count = 0
    if (this.#slabs.length > SLABS_KEPT) this.#slabs.length = SLABS_KEPT
  }
}
