// Where the words of a search are in a text: the text cut into pieces, and the part of it that says most.
import type { WirePieces } from '../src/shared/operation.js'

/** A match: from and to, in UTF-16 units, and the number of the term that it is of. */
export interface Span {
  readonly from: number
  readonly to: number
  readonly term: number
}

/** `offsets`: FTS4's four numbers for each match: column, term, first byte, bytes. `texts`: of the columns. */
export function spansOf(offsets: string, texts: readonly (string | null)[]): Span[][] {
  const numbers = offsets === '' ? [] : offsets.split(' ').map(Number)
  const found: { first: number; bytes: number; term: number }[][] = texts.map(() => [])
  for (let i = 0; i < numbers.length; i += 4) {
    const [column, term, first, bytes] = numbers.slice(i, i + 4) as [number, number, number, number]
    found[column]!.push({ first, bytes, term })
  }
  return texts.map((text, i) => (text === null ? [] : inUnits(text, found[i]!)))
}

function inUnits(text: string, found: { first: number; bytes: number; term: number }[]): Span[] {
  if (found.length === 0) return []
  const encoded = new TextEncoder().encode(text)
  const decoder = new TextDecoder('utf-8', { ignoreBOM: true })
  const unitsOf = (first: number, last: number) => decoder.decode(encoded.subarray(first, last)).length
  let [byte, unit] = [0, 0]
  return found
    .sort((a, b) => a.first - b.first || b.bytes - a.bytes)
    .map(({ first, bytes, term }) => {
      unit += unitsOf(byte, first)
      byte = first
      return { from: unit, to: unit + unitsOf(first, first + bytes), term }
    })
}

/** What lies between and in the spans, in turn. Where two meet in one word they are one piece. */
export function piecesOf(text: string, spans: readonly Span[], start = 0, end = text.length): string[] {
  const pieces: string[] = []
  let done = start
  for (const { from, to } of spans) {
    if (from < done || from < start || to > end) continue
    pieces.push(text.slice(done, from), text.slice(from, to))
    done = to
  }
  pieces.push(text.slice(done, end))
  return pieces
}

const WORD = /[\p{L}\p{N}\p{M}\p{Co}]+/gu
const ELLIPSIS = '…'
/** A snippet is looked for around the first matches of a text. */
const MOST_SPANS = 200

interface Window {
  readonly text: string
  readonly spans: readonly Span[]
  readonly start: number
  readonly end: number
  readonly score: number
}

/** At most `words` words around the most telling matches, of the text that has them. The first words where there are none. */
export function snippetOf(
  texts: readonly (string | null)[],
  spans: readonly (readonly Span[])[],
  words: number,
): WirePieces {
  const windows = texts.flatMap((text, i) => (text === null ? [] : [bestWindow(text, spans[i]!, words)]))
  if (windows.length === 0) return ['']
  const { text, spans: inText, start, end } = windows.reduce((best, other) => (other.score > best.score ? other : best))
  const pieces = piecesOf(text, inText, start, end)
  if (start > 0) pieces[0] = ELLIPSIS + pieces[0]!
  if (end < text.length) pieces[pieces.length - 1] += ELLIPSIS
  return pieces
}

function bestWindow(text: string, spans: readonly Span[], words: number): Window {
  const found = [...text.matchAll(WORD)].map(({ index, 0: word }) => ({ from: index, to: index + word.length }))
  const wordAt = (position: number) =>
    Math.max(
      0,
      found.findIndex(({ to }) => to > position),
    )
  let best = { first: 0, score: 0, last: -1 }
  const looked = spans.slice(0, MOST_SPANS)
  looked.forEach((span, i) => {
    const first = wordAt(span.from)
    const limit = found[Math.min(found.length, first + words) - 1]?.to ?? text.length
    const inside = looked.slice(i).filter(({ to }) => to <= limit)
    // Another word counts more than the same one again.
    const score = new Set(inside.map(({ term }) => term)).size * 1000 + Math.min(inside.length, 999)
    if (score > best.score) best = { first, score, last: wordAt(inside.at(-1)?.from ?? span.from) }
  })
  // The matches in the middle.
  const spare = words - (best.last - best.first + 1)
  const first = best.last < 0 ? 0 : Math.max(0, Math.min(best.first - (spare >> 1), found.length - words))
  const last = Math.min(found.length, first + words) - 1
  const start = first === 0 ? 0 : found[first]!.from
  const end = last >= found.length - 1 ? text.length : found[last]!.to
  return { text, spans, start, end, score: best.score }
}
