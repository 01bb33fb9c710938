// $like, $startsWith, $endsWith, $contains -> exact SQL: SQLite's LIKE ignores case, its GLOB has more wildcards.
import type { Condition } from '../../src/shared/filter.js'
import type { SqlParam } from '../seams.js'

type Match = Extract<Condition, { type: 'match' }>

/** What SQLite's lower() does: ASCII letters only. */
export function foldCase(text: string): string {
  return text.replace(/[A-Z]+/g, letters => letters.toLowerCase())
}

/** `column` is already lower(...) when the match ignores case. */
export function compileMatch(column: string, { op, value, ci }: Match, params: SqlParam[]): string {
  const text = ci ? foldCase(value) : value
  if (op === 'like') return compileLike(column, text, params)
  return MATCHES[op](column, text, params)
}

type Build = (column: string, text: string, params: SqlParam[]) => string

const MATCHES: Record<Exclude<Match['op'], 'like'>, Build> = {
  /** A range, because an index answers it. */
  startsWith(column, text, params) {
    const end = successorOf(text)
    params.push(text)
    if (end === null) return `${column} >= ?`
    params.push(end)
    return `(${column} >= ? AND ${column} < ?)`
  },
  /** As bytes: length() and substr() of a text stop at a NUL. */
  endsWith(column, text, params) {
    if (text === '') return `${column} IS NOT NULL`
    const bytes = new TextEncoder().encode(text)
    params.push(-bytes.length, bytes)
    return `substr(CAST(${column} AS BLOB), ?) = ?`
  },
  contains(column, text, params) {
    params.push(text)
    return `instr(${column}, ?) > 0`
  },
}

/** The first text, by code point, behind all that start with `prefix`; null when there is none. */
function successorOf(prefix: string): string | null {
  const kept = prefix.replace(/\u{10FFFF}+$/u, '')
  const last = /.$/su.exec(kept)?.[0]
  if (last === undefined) return null
  const point = last.codePointAt(0)!
  // Surrogates are no code points of UTF-8.
  return kept.slice(0, -last.length) + String.fromCodePoint(point === 0xd7ff ? 0xe000 : point + 1)
}

const TOKENS = /\\.|[%_]|[^\\%_]+/gsu

function compileLike(column: string, pattern: string, params: SqlParam[]): string {
  const tokens = pattern.match(TOKENS) ?? []
  const literals = tokens.filter(token => !isWildcard(token)).map(unescape)
  const shape = tokens
    .map(token => (isWildcard(token) ? token : 'x'))
    .join('')
    .replace(/x+/g, 'x')
    .replace(/%+/g, '%')
  const text = literals.join('')
  switch (shape) {
    case '':
    case 'x':
      params.push(text)
      return `${column} = ?`
    case '%':
    case 'x%':
      return MATCHES.startsWith(column, text, params)
    case '%x':
      return MATCHES.endsWith(column, text, params)
    case '%x%':
      return MATCHES.contains(column, text, params)
    default:
      // GLOB sees no further than a NUL: such a text is not matched at all rather than by half.
      if (text.includes('\0')) return 'FALSE'
      params.push(tokens.map(toGlob).join(''))
      return `(${column} GLOB ? AND instr(${column}, char(0)) = 0)`
  }
}

const isWildcard = (token: string) => token === '%' || token === '_'
const unescape = (token: string) => (token[0] === '\\' ? token.slice(1) : token)

function toGlob(token: string): string {
  if (isWildcard(token)) return token === '%' ? '*' : '?'
  return unescape(token).replace(/[*?[]/g, '[$&]')
}
