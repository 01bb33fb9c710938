// CSV as RFC 4180 has it, text by text as it comes: a quoted value may hold line breaks, and a text may end anywhere.
import { MAX_RECORD, type Fail } from './malformed.js'

/** One record: its cells, and the line on which it begins. */
export interface CsvRecord {
  readonly cells: readonly string[]
  readonly line: number
}

const QUOTE = 34
const LF = 10
const CR = 13

type State = 'start' | 'plain' | 'quoted' | 'quote'

export class CsvParser {
  readonly #delimiter: number
  readonly #fail: Fail
  #state: State = 'start'
  #cells: string[] = []
  #cell = ''
  /** Characters of the record so far. */
  #length = 0
  #line = 1
  #recordLine = 1
  /** A line has ended with CR: a LF behind it belongs to it. */
  #afterCr = false

  constructor(delimiter: string, fail: Fail) {
    this.#delimiter = delimiter.charCodeAt(0)
    this.#fail = fail
  }

  /** The records that end in `text`. */
  *push(text: string): Generator<CsvRecord> {
    let i = 0
    while (i < text.length) {
      const code = text.charCodeAt(i)
      if (this.#afterCr) {
        this.#afterCr = false
        if (code === LF) {
          i++
          continue
        }
      }
      if (this.#state === 'quoted') i = this.#readQuoted(text, i)
      else if (code === this.#delimiter) {
        this.#endCell()
        i++
      } else if (code === LF || code === CR) {
        this.#afterCr = code === CR
        i++
        const record = this.#endRecord()
        this.#recordLine = ++this.#line
        if (record) yield record
      } else i = this.#readOther(text, i, code)
    }
  }

  /** The last record, if no line break ends it. */
  end(): CsvRecord | null {
    if (this.#state === 'quoted') this.#fail('A quoted value has no end.', this.#recordLine)
    return this.#endRecord()
  }

  #readQuoted(text: string, from: number): number {
    const end = text.indexOf('"', from)
    const part = text.slice(from, end === -1 ? text.length : end)
    this.#append(part)
    for (let at = part.indexOf('\n'); at !== -1; at = part.indexOf('\n', at + 1)) this.#line++
    if (end === -1) return text.length
    this.#state = 'quote'
    return end + 1
  }

  #readOther(text: string, from: number, code: number): number {
    if (code === QUOTE && this.#state !== 'plain') {
      // Twice is one of it.
      if (this.#state === 'quote') this.#append('"')
      this.#state = 'quoted'
      return from + 1
    }
    if (this.#state === 'quote') this.#fail('A quoted value has something behind its end.', this.#line)
    this.#state = 'plain'
    let to = from
    for (let c = code; to < text.length && c !== this.#delimiter && c !== LF && c !== CR; c = text.charCodeAt(++to)) {
      if (c === QUOTE) this.#fail('A value holds a quote and is not quoted.', this.#line)
    }
    this.#append(text.slice(from, to))
    return to
  }

  #append(part: string): void {
    this.#cell += part
    this.#length += part.length
    if (this.#length > MAX_RECORD) this.#fail('A record is larger than 16 MiB.', this.#recordLine)
  }

  #endCell(): void {
    this.#cells.push(this.#cell)
    this.#cell = ''
    this.#length++
    this.#state = 'start'
  }

  /** null for an empty line. */
  #endRecord(): CsvRecord | null {
    const empty = this.#cells.length === 0 && this.#state === 'start'
    if (!empty) this.#endCell()
    const record = empty ? null : { cells: this.#cells, line: this.#recordLine }
    this.#cells = []
    this.#length = 0
    return record
  }
}
