// Runs a search: matches are ranked here, by what FTS4 tells of each; the rows of the best are read with a second statement.
import type { StoredValue } from '../src/shared/definition.js'
import type { WireFound, WirePieces } from '../src/shared/operation.js'
import { resumeSql, searchTableOf, suspendSql } from '../src/shared/search.js'
import type { CompiledModel } from './compile/model.js'
import { parseSearch } from './compile/search-query.js'
import {
  columnsOf,
  compileFill,
  compileFound,
  compileMatches,
  compileOffsets,
  compileRanked,
  RANKED,
  type Search,
} from './compile/search.js'
import type { SelectFound } from './compile/search.js'
import { piecesOf, snippetOf, spansOf } from './search-pieces.js'
import { rankOf } from './search-rank.js'
import { SqliteError, type RowReader, type Sqlite, type SqlParam } from './seams.js'

/** Runs a statement and calls `visit` for each row. */
export type Each = (sql: string, params: readonly SqlParam[], visit: (row: RowReader) => void) => number

const NOTHING: WireFound = { json: '[]', ranks: [], highlights: [], snippets: [] }

/** Whatever the words are, it is no error: what is no expression is looked for word by word. */
export function search(model: CompiledModel, op: Search, each: Each): WireFound {
  const query = parseSearch(op.words, columnsOf(model))
  if (query === null) return NOTHING
  try {
    return find(model, op, query.match, each)
  } catch (error) {
    if (query.match === query.literal || !(error instanceof SqliteError) || error.fatal || error.missing) throw error
    return find(model, op, query.literal, each)
  }
}

function find(model: CompiledModel, op: Search, match: string, each: Each): WireFound {
  const matches = op.weights && rank(model, op, match, each)
  if (matches?.length === 0) return NOTHING
  const statement = matches ? compileBest(model, op, match, matches) : compileFound(model, op, match, null)
  const rows: string[] = []
  const texts: string[] = []
  const blobs: (Uint8Array | null)[][] = []
  const { selection } = statement
  each(statement.sql, statement.params, row => {
    rows.push(row.text(0)!)
    texts.push(row.text(1)!)
    if (selection.blobs > 0) blobs.push(Array.from({ length: selection.blobs }, (_, i) => row.blob(i + 2)))
  })
  const rankOfRow = new Map(matches?.map(({ row, rank }) => [row, rank]))
  return {
    json: `[${texts.join(',')}]`,
    ...(selection.blobs > 0 ? { blobs } : {}),
    ranks: rows.map(row => rankOfRow.get(row) ?? 0),
    ...pieces(model, op, match, rows, each),
  }
}

/** For fewer rows the trigger is as fast. */
const MANY = 20

export const isMany = (rows: number): boolean => rows >= MANY

/**
 * Runs `insert`, which adds rows, and puts them into the index afterwards: FTS4 writes what it has
 * gathered with each statement, which makes row by row several times as slow. Whoever calls it takes everything back
 * when it throws. Not where an app's own triggers may add rows of their own.
 */
export function indexLater(
  model: CompiledModel,
  db: Sqlite,
  insert: () => void,
  keys: () => readonly StoredValue[],
): void {
  const index = searchTableOf(model.definition.table)
  const last = model.key.field.type === 'INTEGER' ? null : lastRow(model, db)
  // Behind the greatest number there is SQLite takes any that is free.
  if (Number(last) > Number.MAX_SAFE_INTEGER) return insert()
  db.run(suspendSql(index))
  insert()
  db.run(resumeSql(index))
  const { sql, params } = compileFill(model, last === null ? { listed: `[${keys().join()}]` } : { after: last })
  db.run(sql, params)
}

function lastRow({ table }: CompiledModel, db: Sqlite): string {
  let last = '0'
  db.each(`SELECT CAST(max(rowid) AS TEXT) FROM ${table}`, [], row => (last = row.text(0) ?? '0'))
  return last
}

interface Match {
  readonly row: string
  readonly rank: number
}

/** The matches, one more than RANKED where there are more: that one is not ranked. */
function rank(model: CompiledModel, op: Search, match: string, each: Each): Match[] {
  const ofColumns = [...columnsOf(model).keys()].map(field => op.weights![field] ?? 1)
  const { sql, params } = compileMatches(model, match, op)
  const matches: Match[] = []
  each(sql, params, row => matches.push({ row: String(row.value(0)), rank: rankOf(row.blob(1)!, ofColumns) }))
  return matches
}

/** Only those that can be among the rows wanted are sorted by SQLite, which knows the order of keys. */
function compileBest(model: CompiledModel, op: Search, match: string, matches: Match[]): SelectFound {
  const overflow = matches.length > RANKED
  if (overflow) matches.pop()
  const ranks = [...new Set(matches.map(({ rank }) => rank))].sort((a, b) => b - a)
  const placeOf = new Map(ranks.map((rank, place) => [rank, place]))
  const wanted = op.limit === null ? Infinity : op.offset + op.limit
  const isAll = wanted >= matches.length
  let candidates = matches
  if (!isAll) {
    const least = Float64Array.from(matches, ({ rank }) => -rank).sort()[Math.max(0, wanted - 1)]!
    candidates = matches.filter(({ rank }) => rank >= -least)
  }
  const ranked = `[${candidates.map(({ row, rank }) => `[${row},${placeOf.get(rank)!}]`).join()}]`
  return overflow && isAll ? compileFound(model, op, match, ranked) : compileRanked(model, op, ranked)
}

/** Of each row what was asked for: its highlighted fields, its snippet. */
function pieces(
  model: CompiledModel,
  { highlight, snippet }: Search,
  match: string,
  rows: readonly string[],
  each: Each,
): Pick<WireFound, 'highlights' | 'snippets'> {
  if (rows.length === 0 || (highlight.length === 0 && snippet === null)) return { highlights: [], snippets: [] }
  const fields = [...columnsOf(model).keys()]
  const highlighted = highlight.map(field => fields.indexOf(field))
  const inSnippet = snippet?.field == null ? fields.map((_, i) => i) : [fields.indexOf(snippet.field)]
  const highlights = new Map<string, (WirePieces | null)[]>()
  const snippets = new Map<string, WirePieces>()
  const { sql, params } = compileOffsets(model, match, `[${rows.join()}]`)
  each(sql, params, row => {
    const texts = fields.map((_, i) => row.text(i + 2))
    const spans = spansOf(row.text(1)!, texts)
    highlights.set(
      row.text(0)!,
      highlighted.map(i => (texts[i] === null ? null : piecesOf(texts[i]!, spans[i]!))),
    )
    if (!snippet) return
    const chosen = inSnippet.map(i => texts[i]!)
    snippets.set(
      row.text(0)!,
      snippetOf(
        chosen,
        inSnippet.map(i => spans[i]!),
        snippet.words,
      ),
    )
  })
  return {
    highlights: highlight.length > 0 ? rows.map(row => highlights.get(row)!) : [],
    snippets: snippet ? rows.map(row => snippets.get(row)!) : [],
  }
}
