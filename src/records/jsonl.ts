// JSON Lines, text by text as it comes: a value in each line.
import { MAX_RECORD, type Fail } from './malformed.js'

export interface JsonLine {
  readonly text: string
  readonly line: number
}

export class LineParser {
  readonly #fail: Fail
  #rest = ''
  #line = 1

  constructor(fail: Fail) {
    this.#fail = fail
  }

  /** The lines that end in `text`; those that hold nothing are left out. */
  *push(text: string): Generator<JsonLine> {
    let from = 0
    for (let at = text.indexOf('\n'); at !== -1; at = text.indexOf('\n', from)) {
      const line = this.#take(this.#rest + text.slice(from, at))
      this.#rest = ''
      from = at + 1
      if (line) yield line
    }
    this.#rest += text.slice(from)
    if (this.#rest.length > MAX_RECORD) this.#fail('A line is larger than 16 MiB.', this.#line)
  }

  end(): JsonLine | null {
    return this.#take(this.#rest)
  }

  #take(text: string): JsonLine | null {
    const line = this.#line++
    return text.trim() === '' ? null : { text, line }
  }
}
