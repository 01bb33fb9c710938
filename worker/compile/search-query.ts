// What a user types -> the expression behind MATCH. FTS4's own parser refuses what it does not understand; this one takes
// what it does not understand as words.

/** FTS4 refuses trees that are deeper than 12. What comes behind so many terms is not looked for. */
const MAX_TERMS = 32
/** Of what stands behind `field:`. */
const MAX_WORDS = 8

/** `match`: the expression. `literal`: all words of the text, no word an operator. null: there are no words. */
export interface SearchQuery {
  readonly match: string
  readonly literal: string
}

/** `columns`: of the index, by the field names that a query may use. */
export function parseSearch(text: string, columns: ReadonlyMap<string, string>): SearchQuery | null {
  // FTS4 reads up to a NUL.
  const clean = text.replaceAll('\0', ' ')
  const literal = joined(distinct(clean.split(/[\s"]+/).map(quoted), MAX_TERMS), ' AND ')
  if (literal === null) return null
  return { match: parseOperators(clean, columns) ?? literal, literal }
}

const TOKEN = /(-?)(?:([^\s":]+):)?"([^"]*)"|(\S+)/g

type Part = { readonly operator: 'AND' | 'OR' | 'NOT' } | { readonly term: string; readonly negative: boolean }

/** null when the operators make no sense, or there is nothing to find without them. */
function parseOperators(text: string, columns: ReadonlyMap<string, string>): string | null {
  const parts = partsOf(text, columns)
  if (parts === null) return null
  const alternatives: { with: string[]; without: string[] }[] = [{ with: [], without: [] }]
  // What an operator stands before must follow.
  let operator: 'AND' | 'OR' | 'NOT' | null = null
  for (const part of parts) {
    const current = alternatives.at(-1)!
    if ('operator' in part) {
      const isStart = current.with.length + current.without.length === 0
      if (part.operator === 'NOT') {
        if (operator === 'NOT') return null
      } else {
        if (operator !== null || isStart) return null
        if (part.operator === 'OR') alternatives.push({ with: [], without: [] })
      }
      operator = part.operator
      continue
    }
    if (part.negative && operator === 'NOT') return null
    const isOut = part.negative || operator === 'NOT'
    ;(isOut ? current.without : current.with).push(part.term)
    operator = null
  }
  if (operator !== null || alternatives.some(alternative => alternative.with.length === 0)) return null
  const all = alternatives.map(({ with: found, without }) => {
    const [wanted, unwanted] = [joined(found, ' AND ')!, joined(without, ' OR ')]
    return unwanted === null ? wanted : `(${wanted} NOT ${unwanted})`
  })
  return joined(all, ' OR ')
}

function partsOf(text: string, columns: ReadonlyMap<string, string>): Part[] | null {
  const parts: Part[] = []
  let terms = 0
  for (const [, dash, field, phrase, word] of text.matchAll(TOKEN)) {
    if (word === 'AND' || word === 'OR' || word === 'NOT') {
      parts.push({ operator: word })
      continue
    }
    // A quote that is not closed, or in the middle of a word.
    if (word?.includes('"')) return null
    const negative = word === undefined ? dash === '-' : /^-./.test(word)
    const term = word === undefined ? phraseOf(field, phrase!, columns) : termOf(word.replace(/^-/, ''), columns)
    if (term === null) continue
    parts.push({ term, negative })
    if (++terms === MAX_TERMS) break
  }
  return parts
}

const distinct = (terms: readonly (string | null)[], most: number): string[] =>
  [...new Set(terms.filter(term => term !== null))].slice(0, most)

/** `word`, `word*`, `field:word`. What has no letter and no digit in it is nothing that could be found: null. */
function termOf(word: string, columns: ReadonlyMap<string, string>): string | null {
  const [, name, rest] = /^([^:]+):(.+)$/s.exec(word) ?? []
  const column = name === undefined ? undefined : columns.get(name)
  if (column === undefined) return quoted(word)
  return inColumn(column, [rest!]) ?? quoted(word)
}

/** FTS4 looks for words in a column, and not for phrases: each word of it has to be there. */
function phraseOf(field: string | undefined, phrase: string, columns: ReadonlyMap<string, string>): string | null {
  if (field === undefined) return quoted(phrase)
  const column = columns.get(field)
  return (column === undefined ? null : inColumn(column, phrase.split(/\s+/))) ?? quoted(`${field} ${phrase}`)
}

const WORDS = /[\p{L}\p{N}\p{Co}][\p{L}\p{N}\p{Co}\p{M}]*\*?/gu
/** A column that FTS4's parser knows again in front of a colon. */
const PLAIN_COLUMN = /^\w+$/

function inColumn(column: string, texts: readonly string[]): string | null {
  if (!PLAIN_COLUMN.test(column)) return null
  const words = texts.flatMap(text => text.match(WORDS) ?? []).map(word => `${column}:${word}`)
  return joined(distinct(words, MAX_WORDS), ' AND ')
}

/** FTS4 cuts what stands in quotes into words by itself: several of them are a phrase. A `*` at the end makes a prefix. */
function quoted(text: string): string | null {
  const isPrefix = /[\p{L}\p{N}\p{M}\p{Co}]\*+[^\p{L}\p{N}\p{Co}*]*$/u.test(text)
  // Within a phrase ^ and * have a meaning to FTS4.
  const words = text.replaceAll(/["*^]+/g, ' ').replace(/[^\p{L}\p{N}\p{M}\p{Co}]+$/u, '')
  if (!/[\p{L}\p{N}\p{Co}]/u.test(words)) return null
  return `"${words.trim()}${isPrefix ? '*' : ''}"`
}

/** In pairs of halves, so that the tree is flat. */
function joined(terms: readonly string[], operator: string): string | null {
  if (terms.length < 2) return terms[0] ?? null
  const half = terms.length >> 1
  return `(${joined(terms.slice(0, half), operator)}${operator}${joined(terms.slice(half), operator)})`
}
