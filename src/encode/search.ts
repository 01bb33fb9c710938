// search: what crosses, and rows back with what was asked for beside them.
import { isObject } from '../shared/codec.js'
import { DataFlowError } from '../shared/errors.js'
import { didYouMean } from '../shared/nearest.js'
import type { WireFound, WirePieces } from '../shared/operation.js'
import type { Piece } from '../search.js'
import { rowDecoder } from './decode.js'
import { badOption, readOptions, type PreparedOperation } from './options.js'
import { parseCount, parseFilter, parseSelect } from './query.js'
import type { Context } from './row.js'

export const SEARCH_OPTIONS = ['where', 'limit', 'offset', 'select', 'rank', 'highlight', 'snippet'] as const

const WORDS = 15
const MOST_WORDS = 200

export function prepareSearch(
  words: unknown,
  options: { readonly [K in (typeof SEARCH_OPTIONS)[number]]?: unknown },
  context: Context,
): PreparedOperation {
  const { model } = context
  const { search } = model.definition
  if (!search) {
    throw badOption('The model has no text search.', "declare it: model('Post', { ... }, { search: ['title'] }).")
  }
  if (typeof words !== 'string') {
    throw new DataFlowError('VALIDATION', 'the words to look for are no text.', { hint: "search('some words')." })
  }
  const select = parseSelect(options.select, context)
  const weights = parseRank(options.rank, search)
  const highlight = parseMarked(options.highlight, 'highlight', ['fields', 'markers'])
  const snippet = parseMarked(options.snippet, 'snippet', ['field', 'words', 'markers'])
  const fields = highlight ? parseFields(highlight.fields ?? search, search) : []
  const field = snippet?.field === undefined ? null : parseFields([snippet.field], search)[0]!
  const decode = rowDecoder(model, select)
  return {
    wire: {
      op: 'search',
      model: model.definition.name,
      words,
      where: parseFilter(options.where, context),
      weights,
      limit: parseCount(options.limit, 'limit'),
      offset: parseCount(options.offset, 'offset') ?? 0,
      select,
      highlight: fields,
      snippet: snippet ? { field, words: parseWords(snippet.words) } : null,
    },
    decode(result) {
      const found = result as WireFound
      const rows = decode(found)
      const isRanked = options.rank !== undefined && options.rank !== false
      rows.forEach((row, r) => {
        if (isRanked) row.$rank = found.ranks[r]
        if (highlight) {
          const pieces = found.highlights[r]!
          row.$highlight = Object.fromEntries(fields.map((name, i) => [name, marked(pieces[i]!, highlight.markers)]))
        }
        if (snippet) row.$snippet = marked(found.snippets[r]!, snippet.markers)
      })
      return rows
    },
  }
}

function marked(pieces: WirePieces | null, markers: readonly string[] | null): string | Piece[] | null {
  if (pieces === null) return null
  if (!markers) return pieces.map((text, i) => ({ text, match: i % 2 === 1 })).filter(({ text }) => text !== '')
  return pieces.map((text, i) => (i % 2 === 1 ? `${markers[0]!}${text}${markers[1]!}` : text)).join('')
}

function parseRank(rank: unknown, search: readonly string[]): Record<string, number> | null {
  if (rank === false) return null
  if (rank === undefined || rank === true) return {}
  if (!isObject(rank)) throw badOption('rank is true, false or weights of fields.', 'rank: { title: 5 }.')
  parseFields(Object.keys(rank), search)
  for (const [field, weight] of Object.entries(rank)) {
    if (typeof weight === 'number' && weight >= 0 && weight <= 1e6) continue
    throw badOption(`The weight of ${field} is no number from 0 to 1000000.`, 'rank: { title: 5 }.')
  }
  return rank as Record<string, number>
}

interface Marked {
  readonly markers: readonly string[] | null
  readonly fields?: unknown
  readonly field?: unknown
  readonly words?: unknown
}

/** null: not wanted. */
function parseMarked<K extends string>(value: unknown, name: string, known: readonly K[]): Marked | null {
  if (value === undefined || value === false) return null
  if (value === true) return { markers: null }
  if (!isObject(value)) throw badOption(`${name} is true, false or its options.`, `${name}: true.`)
  const options = readOptions(value, known) as { readonly markers?: unknown }
  const { markers } = options
  if (markers === undefined) return { ...options, markers: null }
  if (Array.isArray(markers) && markers.length === 2 && markers.every(text => typeof text === 'string')) {
    return { ...options, markers }
  }
  throw badOption('markers are two texts.', "markers: ['<mark>', '</mark>'].")
}

function parseFields(fields: unknown, search: readonly string[]): string[] {
  if (!Array.isArray(fields)) throw badOption('fields is a list of fields.', "fields: ['title'].")
  for (const field of fields) {
    if (search.includes(field as string)) continue
    throw new DataFlowError('UNKNOWN_FIELD', `"${String(field)}" is not searched.`, {
      hint: didYouMean(String(field), search),
    })
  }
  return [...new Set(fields as string[])]
}

function parseWords(words: unknown): number {
  if (words === undefined) return WORDS
  if (Number.isSafeInteger(words) && (words as number) >= 1 && (words as number) <= MOST_WORDS) return words as number
  throw badOption(`words is a whole number from 1 to ${MOST_WORDS}.`, `words: ${WORDS}.`)
}
