// What no PRAGMA tells of a table or an index: read in the text that made it.

export interface TableText {
  /** Texts of the conditions. */
  readonly checks: readonly string[]
  /** By name of the column in lower case; BINARY is not listed. */
  readonly collations: ReadonlyMap<string, string>
  /** Such as IGNORE and REPLACE: what a constraint does in place of an error. */
  readonly onConflict: readonly string[]
}

interface Token {
  /** A word in upper case, a quoted name or text without its quotes, or one character. */
  readonly text: string
  readonly kind: 'word' | 'quoted' | 'sign'
  readonly from: number
  readonly to: number
}

/** Blanks and comments stand for nothing; names can be quoted in four ways. */
const TOKEN =
  /\s+|--[^\n]*|\/\*(?:[^*]|\*(?!\/))*(?:\*\/|$)|'((?:[^']|'')*)'|"((?:[^"]|"")*)"|`((?:[^`]|``)*)`|\[([^\]]*)\]|([A-Za-z_\u{80}-\u{10ffff}][\w$\u{80}-\u{10ffff}]*)|\d[\w.]*|[^]/gu

export function readTableText(sql: string): TableText {
  const tokens = tokensOf(sql)
  const checks: string[] = []
  const collations = new Map<string, string>()
  const onConflict: string[] = []
  for (const part of partsOf(tokens)) {
    const [name] = part
    part.forEach(({ text, kind }, i) => {
      const next = part[i + 1]
      if (kind !== 'word' || !next) return
      if (text === 'CHECK' && next.text === '(') checks.push(groupAt(sql, part, i + 1))
      // In a constraint of the table it stands within a list of columns: that is the index's own.
      if (text === 'COLLATE' && depthAt(part, i) === 0 && next.text.toUpperCase() !== 'BINARY') {
        collations.set(name!.text.toLowerCase(), next.text.toUpperCase())
      }
      const action = part[i + 2]?.text
      if (text === 'ON' && next.text === 'CONFLICT' && action && action !== 'ABORT') onConflict.push(action)
    })
  }
  return { checks, collations, onConflict: [...new Set(onConflict)] }
}

/** What stands behind WHERE in a CREATE INDEX. */
export function conditionOf(sql: string): string {
  const tokens = tokensOf(sql)
  const where = tokens.findIndex(({ kind, text }, i) => kind === 'word' && text === 'WHERE' && depthAt(tokens, i) === 0)
  return sql.slice(tokens[where]!.to).trim()
}

function tokensOf(sql: string): Token[] {
  return Array.from(sql.matchAll(TOKEN)).flatMap((match): Token[] => {
    const [whole, literal, double, tick, bracket, word] = match
    if (/^(?:\s|--|\/\*)/.test(whole)) return []
    const place = { from: match.index, to: match.index + whole.length }
    if (word !== undefined) return [{ text: word.toUpperCase(), kind: 'word', ...place }]
    const inner =
      literal?.replaceAll("''", "'") ?? double?.replaceAll('""', '"') ?? tick?.replaceAll('``', '`') ?? bracket
    return [inner === undefined ? { text: whole, kind: 'sign', ...place } : { text: inner, kind: 'quoted', ...place }]
  })
}

/** The definitions of columns and constraints: what commas separate within the table's own parentheses. */
function partsOf(tokens: readonly Token[]): Token[][] {
  const parts: Token[][] = [[]]
  let depth = 0
  for (const token of tokens) {
    const { kind, text } = token
    if (kind === 'sign' && text === ')' && --depth === 0) break
    if (kind === 'sign' && text === ',' && depth === 1) parts.push([])
    else if (depth > 0) parts.at(-1)!.push(token)
    if (kind === 'sign' && text === '(') depth++
  }
  return parts
}

function depthAt(part: readonly Token[], end: number): number {
  const signs = part.slice(0, end).filter(({ kind }) => kind === 'sign')
  return signs.filter(({ text }) => text === '(').length - signs.filter(({ text }) => text === ')').length
}

/** What is between the parenthesis at `start` and its partner, in one line. */
function groupAt(sql: string, part: readonly Token[], start: number): string {
  let depth = 0
  for (let i = start; i < part.length; i++) {
    const { kind, text } = part[i]!
    if (kind !== 'sign') continue
    if (text === '(') depth++
    if (text === ')' && --depth === 0) return sql.slice(part[start]!.to, part[i]!.from).replaceAll(/\s+/g, ' ').trim()
  }
  return ''
}
