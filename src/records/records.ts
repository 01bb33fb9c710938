// A text file -> its records, one by one. Loaded only by who asks for it: nothing here is imported by, or imports, what
// every page loads, or the bundler would split that.
import { fromCell, fromJson, WrongText } from './convert.js'
import { CsvParser } from './csv.js'
import { LineParser } from './jsonl.js'
import type { Fail } from './malformed.js'
import { NotUtf8, textsOf, type Extent } from './texts.js'
import type { FieldDefinition } from '../shared/definition.js'
import type { DataFlowError, ErrorCode, ErrorDetails, Issue } from '../shared/errors.js'

/** One record of the file: a line that cannot be read has its error, and the others go on. */
export type FileRecord = { readonly line: number } & ({ readonly value: unknown } | { readonly error: DataFlowError })

export interface ReadOptions {
  readonly format: 'csv' | 'jsonl'
  readonly columns: readonly string[] | null
  readonly delimiter: string
  /** Throws when the columns of the file do not fit. */
  checkColumns(columns: readonly string[]): void
  makeError(code: ErrorCode, text: string, details: ErrorDetails, cause?: unknown): DataFlowError
}

/** null for what is no source. What the iterable throws is a DataFlowError. */
export function readRecords(source: unknown, extent: Extent, options: ReadOptions): AsyncIterable<FileRecord> | null {
  const { format, makeError } = options
  const fail: Fail = (text, line) => {
    throw malformed(text, line, makeError, `line ${line}; `)
  }
  const unreadable = (cause: unknown): DataFlowError => {
    if (cause instanceof NotUtf8)
      return makeError('IMPORT', 'The text is not UTF-8.', { hint: 'save it as UTF-8.' }, cause)
    return makeError('IMPORT', 'The source could not be read.', { hint: 'see the cause.' }, cause)
  }
  let texts: AsyncIterable<string> | null
  try {
    texts = textsOf(source, extent)
  } catch (cause) {
    throw unreadable(cause)
  }
  if (!texts) return null
  const pieces = readable(withoutMark(texts), unreadable)
  return format === 'csv' ? csvRecords(pieces, options, fail) : jsonRecords(pieces, makeError, fail)
}

/** The row that the record is without `map`. Throws `VALIDATION`. */
export function toRow(
  value: unknown,
  fieldNamed: (name: string) => FieldDefinition | undefined,
  { format, makeError }: Pick<ReadOptions, 'format' | 'makeError'>,
): unknown {
  if (typeof value !== 'object' || value === null || Array.isArray(value)) return value
  const row: Record<string, unknown> = {}
  const issues: Issue[] = []
  for (const [name, given] of Object.entries(value as Record<string, unknown>)) {
    const field = fieldNamed(name)
    try {
      row[name] = !field ? given : format === 'csv' ? fromCell(field, given as string) : fromJson(field, given)
    } catch (error) {
      if (!(error instanceof WrongText)) throw error
      issues.push({ path: [name], message: error.message })
    }
  }
  if (issues.length === 0) return row
  const text = issues.map(({ path, message }) => `${String(path[0])} ${message}`).join('; ')
  const fields = issues.map(({ path }) => String(path[0]))
  throw makeError('VALIDATION', `${text}.`, { fields, issues, hint: 'correct the file, or convert the text in map.' })
}

async function* csvRecords(texts: AsyncIterable<string>, options: ReadOptions, fail: Fail): AsyncGenerator<FileRecord> {
  const parser = new CsvParser(options.delimiter, fail)
  let columns = options.columns
  const recordOf = (cells: readonly string[], line: number): FileRecord | null => {
    if (!columns) {
      columns = header(cells, line, options, fail)
      return null
    }
    if (cells.length !== columns.length) {
      const text = `The record has ${cells.length} values, there are ${columns.length} columns.`
      return { line, error: malformed(text, line, options.makeError) }
    }
    return { line, value: Object.fromEntries(columns.map((name, i) => [name, cells[i]])) }
  }
  for await (const text of texts) {
    for (const { cells, line } of parser.push(text)) {
      const record = recordOf(cells, line)
      if (record) yield record
    }
  }
  const last = parser.end()
  const record = last && recordOf(last.cells, last.line)
  if (record) yield record
}

function header(cells: readonly string[], line: number, { checkColumns }: ReadOptions, fail: Fail): readonly string[] {
  const twice = cells.find((name, i) => cells.indexOf(name) !== i)
  if (twice !== undefined) fail('Two columns have the same name.', line)
  checkColumns(cells)
  return cells
}

async function* jsonRecords(
  texts: AsyncIterable<string>,
  makeError: ReadOptions['makeError'],
  fail: Fail,
): AsyncGenerator<FileRecord> {
  const parser = new LineParser(fail)
  const recordOf = ({ text, line }: { text: string; line: number }): FileRecord => {
    try {
      return { line, value: JSON.parse(text) }
    } catch {
      return { line, error: malformed('The line is no JSON.', line, makeError) }
    }
  }
  for await (const text of texts) for (const line of parser.push(text)) yield recordOf(line)
  const last = parser.end()
  if (last) yield recordOf(last)
}

function malformed(text: string, line: number, makeError: ReadOptions['makeError'], where = ''): DataFlowError {
  return makeError('IMPORT', text, { line, hint: `${where}correct the file.` })
}

/** A byte order mark is no part of the text. */
async function* withoutMark(texts: AsyncIterable<string>): AsyncGenerator<string> {
  let first = true
  for await (const text of texts) {
    yield first && text.startsWith('\uFEFF') ? text.slice(1) : text
    if (text !== '') first = false
  }
}

async function* readable(
  texts: AsyncIterable<string>,
  unreadable: (cause: unknown) => DataFlowError,
): AsyncGenerator<string> {
  const iterator = texts[Symbol.asyncIterator]()
  let ended = false
  try {
    for (;;) {
      const next = await iterator.next()
      if (next.done) return void (ended = true)
      yield next.value
    }
  } catch (cause) {
    ended = true
    throw unreadable(cause)
  } finally {
    if (!ended) await iterator.return?.()
  }
}
