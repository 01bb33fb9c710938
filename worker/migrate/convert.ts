// From one type or date form to another without losing anything: the expression, and which rows would lose something.
import type { ColumnShape } from './shape.js'

export interface Conversion {
  /** The new value, of the old column `c` (already quoted). */
  readonly value: (c: string) => string
  /** True for rows whose value does not come through; null where every value does. */
  readonly loses: ((c: string) => string) | null
}

const KEEP: Conversion = { value: c => c, loses: null }
const cast = (type: string) => (c: string) => `CAST(${c} AS ${type})`
const differs = (back: (c: string) => string) => (c: string) => `${back(c)} IS NOT ${c}`

const TEXT_OF_MS = (c: string) => `strftime('%Y-%m-%dT%H:%M:%fZ', ${c} / 1000.0, 'unixepoch')`
const MS_OF_TEXT = (c: string) => `CAST(round((julianday(${c}) - 2440587.5) * 86400000) AS INTEGER)`

/** Dates by `from -> to`. */
const DATES: Readonly<Record<string, Conversion>> = {
  'ms seconds': { value: c => `${c} / 1000`, loses: c => `${c} % 1000 <> 0` },
  'seconds ms': { value: c => `${c} * 1000`, loses: null },
  'ms text': { value: TEXT_OF_MS, loses: differs(c => MS_OF_TEXT(TEXT_OF_MS(c))) },
  'seconds text': {
    value: c => TEXT_OF_MS(`(${c} * 1000)`),
    loses: differs(c => `${MS_OF_TEXT(TEXT_OF_MS(`(${c} * 1000)`))} / 1000`),
  },
  'text ms': { value: MS_OF_TEXT, loses: differs(c => TEXT_OF_MS(MS_OF_TEXT(c))) },
  'text seconds': {
    value: c => `${MS_OF_TEXT(c)} / 1000`,
    loses: differs(c => TEXT_OF_MS(`(${MS_OF_TEXT(c)} / 1000 * 1000)`)),
  },
}

/** Every digit that a REAL needs to come back as it was. */
const TEXT_OF_REAL = (c: string) =>
  `CASE WHEN CAST(CAST(${c} AS TEXT) AS REAL) IS ${c} THEN CAST(${c} AS TEXT) ELSE printf('%!.17g', ${c}) END`

/** A whole number that not every REAL beside it can be told from. */
function isBeyondReal(c: string): string {
  return `${c} NOT BETWEEN -9007199254740992 AND 9007199254740992`
}

/**
 * Bytes that are no UTF-8, or hold a NUL, at which SQLite's functions stop. SQLite itself never asks: each character is
 * decoded and encoded again. In two levels, as the rest is copied at each character.
 */
function isNoText(c: string): string {
  return `instr(${c}, x'00') > 0 OR EXISTS (
    WITH RECURSIVE piece(some, rest) AS (
      SELECT substr(CAST(${c} AS TEXT), 1, 4000), substr(CAST(${c} AS TEXT), 4001)
      UNION ALL SELECT substr(rest, 1, 4000), substr(rest, 4001) FROM piece WHERE rest <> ''),
    letter(one, rest) AS (
      SELECT substr(some, 1, 1), substr(some, 2) FROM piece
      UNION ALL SELECT substr(rest, 1, 1), substr(rest, 2) FROM letter WHERE rest <> '')
    SELECT 1 FROM letter WHERE one <> '' AND one <> char(unicode(one)))`
}

/** Types by `from -> to`. */
const TYPES: Readonly<Record<string, Conversion>> = {
  'INTEGER REAL': { value: cast('REAL'), loses: isBeyondReal },
  'INTEGER TEXT': { value: cast('TEXT'), loses: null },
  'REAL INTEGER': { value: cast('INTEGER'), loses: c => `CAST(${c} AS INTEGER) <> ${c}` },
  // CAST reads no infinity.
  'REAL TEXT': { value: TEXT_OF_REAL, loses: c => `abs(${c}) = 9e999` },
  'TEXT INTEGER': { value: cast('INTEGER'), loses: differs(c => `CAST(CAST(${c} AS INTEGER) AS TEXT)`) },
  'TEXT REAL': {
    value: cast('REAL'),
    loses: c =>
      `CASE iif(json_valid(${c}), json_type(${c}), '') WHEN 'real' THEN 0 ELSE CAST(CAST(${c} AS INTEGER) AS TEXT) IS NOT ${c} OR ${isBeyondReal(`CAST(${c} AS INTEGER)`)} END`,
  },
  'TEXT BLOB': { value: cast('BLOB'), loses: null },
  'BLOB TEXT': { value: cast('TEXT'), loses: isNoText },
}

/** How values of `from` become values of `to`, when nothing is declared about it. */
export function conversion(from: ColumnShape, to: ColumnShape): Conversion {
  if (from.date && to.date && from.date !== to.date) return DATES[`${from.date} ${to.date}`]!
  if (from.type === to.type) return KEEP
  return TYPES[`${from.type} ${to.type}`] ?? { value: cast(to.type), loses: c => `${c} IS NOT NULL` }
}
