// db.importRows(): the rows of a CSV or JSON Lines file, written as those of an iterable are.
import type { RunBulk, StreamedOptions } from './bulk/methods.js'
import { readStreamOptions } from './bulk/methods.js'
import { Source } from './bulk/source.js'
import { writeStream } from './bulk/stream.js'
import type { RunOptions } from './connect.js'
import { readRowRules } from './encode/bulk.js'
import { badOption, named, readOptions } from './encode/options.js'
import { knownField, type Context } from './encode/row.js'
import type { BulkCreateOptions, BulkStreamed } from './model.js'
import type { FileRecord } from './records/records.js'
import type { Extent, TextSource } from './records/texts.js'
import type { PageModel } from './resolve.js'
import { describe } from './shared/codec.js'
import { DataFlowError } from './shared/errors.js'
import type { Fields, InsertOf, Json } from './shared/schema.js'

/** Bytes are UTF-8. */
export type RowsFile = TextSource

export type RowsFormat = 'csv' | 'jsonl'

export interface ImportRowsOptions<F extends Fields, Format extends RowsFormat = 'csv'>
  extends BulkCreateOptions, StreamedOptions, RunOptions {
  /** CSV as RFC 4180 has it if left out; or a JSON value in each line. */
  format?: Format
  /** Names of the columns, for a CSV file whose first record is not a header. */
  columns?: Format extends 'csv' ? readonly string[] : never
  /** One character; a comma if left out. */
  delimiter?: Format extends 'csv' ? string : never
  /**
   * The row that a record becomes; null for none. Without it the names of a record are fields; texts are converted to
   * what the fields take.
   */
  map?(record: Format extends 'csv' ? Record<string, string> : Json, index: number): InsertOf<F> | null
}

const OWN = ['format', 'columns', 'delimiter', 'map', 'onConflict', 'onError'] as const
const STREAMED = ['signal', 'durability', 'onProgress', 'atomic'] as const

export async function importRows(
  model: PageModel,
  file: unknown,
  given: unknown,
  { leased, send }: RunBulk,
): Promise<BulkStreamed> {
  const context: Context = { model, op: 'importRows' }
  const name = { model: model.definition.name, op: 'importRows' }
  const options = named(name, () => readImportOptions(given, context))
  const { format, map } = options
  const { readRecords, toRow } = await import('./records/records.js').catch(notLoaded)
  const makeError = (...[code, text, details, cause]: ConstructorParameters<typeof DataFlowError>): DataFlowError =>
    new DataFlowError(code, text, { ...details, ...name }, cause)
  const extent: Extent = {}
  const checkColumns = (columns: readonly string[]): void => {
    if (!map) for (const column of columns) knownField(column, context)
  }
  const records = named(name, () => {
    if (options.columns) checkColumns(options.columns)
    return readRecords(file, extent, { ...options, checkColumns, makeError })
  })
  if (!records) {
    const hint = 'db.importRows(accessor, input.files[0]).'
    throw badOption(
      `It takes a Blob, a Response, a stream of bytes, a text or texts, not ${describe(file)}.`,
      hint,
    ).with(name)
  }
  const rowOf = (record: unknown, index: number): unknown => {
    if ('error' in (record as FileRecord)) throw (record as { error: DataFlowError }).error
    const { value } = record as { value: unknown }
    if (map) return mapped(map, value, index)
    return toRow(value, column => model.fieldNamed.get(column)?.definition, { format, makeError })
  }
  return writeStream(new Source(records, error => error as DataFlowError), {
    context,
    rules: options.rules,
    options: { ...options.stream, leased, extent: () => ({ ...extent }) },
    send,
    rowOf,
    lineOf: record => (record as FileRecord).line,
  })
}

function readImportOptions(given: unknown, context: Context) {
  const read = readOptions(given, [...OWN, ...STREAMED])
  const { format = 'csv', columns = null, delimiter = ',', map } = read
  if (format !== 'csv' && format !== 'jsonl') throw badOption('format knows no such form.', "use 'csv' or 'jsonl'.")
  if (format === 'jsonl' && (read.columns ?? read.delimiter) !== undefined) {
    throw badOption('columns and delimiter are for CSV.', 'leave them out.')
  }
  if (columns !== null && !(Array.isArray(columns) && columns.every(column => typeof column === 'string'))) {
    throw badOption('columns must be a list of names.', "columns: ['email', 'name'].")
  }
  if (typeof delimiter !== 'string' || !/^[^"\r\n]$/.test(delimiter)) {
    throw badOption('delimiter must be one character, no quote and no line break.', "delimiter: ';'.")
  }
  if (map !== undefined && typeof map !== 'function') throw badOption('map must be a function.', 'map: record => row.')
  return {
    format: format as RowsFormat,
    columns: columns as readonly string[] | null,
    delimiter,
    map: map as ((record: never, index: number) => unknown) | undefined,
    rules: readRowRules({ onConflict: read.onConflict, onError: read.onError }, context),
    stream: readStreamOptions(read),
  }
}

function mapped(map: (record: never, index: number) => unknown, value: unknown, index: number): unknown {
  let row: unknown
  try {
    row = map(value as never, index)
  } catch (cause) {
    throw new DataFlowError('VALIDATION', 'map failed.', { hint: 'see the cause.' }, cause)
  }
  if (!(row instanceof Promise)) return row
  row.catch(() => {}) // nobody waits for it
  throw new DataFlowError('VALIDATION', 'map answered with a promise.', { hint: 'map is synchronous.' })
}

function notLoaded(cause: unknown): never {
  const hint = 'serve dist/records.js of the package as you serve the rest of it.'
  const text = 'The part that reads files of rows could not be loaded.'
  throw new DataFlowError('WORKER_LOAD', text, { op: 'importRows', hint }, cause)
}
