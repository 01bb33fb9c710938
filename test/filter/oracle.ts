// What a filter means, written from semantics 21-23 over rows as an app sees them. Knows nothing of the library.
type Row = Record<string, unknown>
type Filter = Record<string, unknown>

/** Fields that hold JSON: an object is a value there. */
export interface Kinds {
  readonly json: readonly string[]
}

export function matches(row: Row, where: Filter, kinds: Kinds): boolean {
  return Object.entries(where).every(([key, value]) => {
    if (key === '$and') return (value as (Filter | false)[]).every(part => !part || matches(row, part, kinds))
    if (key === '$or') return (value as Filter[]).some(part => matches(row, part, kinds))
    if (key === '$not') return !matches(row, value as Filter, kinds)
    return fieldMatches(row[key], value, kinds.json.includes(key))
  })
}

function fieldMatches(stored: unknown, filter: unknown, json: boolean): boolean {
  if (!isOperators(filter, json)) return equals(stored, filter)
  const ci = filter.$ci === true
  const fold = (value: unknown): unknown => (ci && typeof value === 'string' ? foldAscii(value) : value)
  const value = fold(stored)
  return Object.entries(filter).every(([operator, given]) => {
    const operand = Array.isArray(given) && operator !== '$eq' && operator !== '$ne' ? given : fold(given)
    const list = () => (given as unknown[]).map(fold)
    switch (operator) {
      case '$ci':
        return true
      case '$null':
        return (stored === null) === given
      case '$exists':
        return (stored !== null) === given
      case '$eq':
        return equals(value, operand)
      case '$ne':
        return !equals(value, operand)
      case '$in':
        return list().some(item => equals(value, item))
      case '$nin':
        return !list().some(item => equals(value, item))
      case '$has':
        return Array.isArray(stored) && stored.some(item => equals(item, given))
    }
    if (value === null) return false
    switch (operator) {
      case '$gt':
        return compare(value, operand) > 0
      case '$gte':
        return compare(value, operand) >= 0
      case '$lt':
        return compare(value, operand) < 0
      case '$lte':
        return compare(value, operand) <= 0
      case '$between':
        return compare(value, list()[0]) >= 0 && compare(value, list()[1]) <= 0
      case '$startsWith':
        return (value as string).startsWith(operand as string)
      case '$endsWith':
        return (value as string).endsWith(operand as string)
      case '$contains':
        return (value as string).includes(operand as string)
      case '$like':
        return like(value as string, operand as string)
    }
    throw new Error(`the oracle does not know ${operator}`)
  })
}

function isOperators(filter: unknown, json: boolean): filter is Filter {
  if (typeof filter !== 'object' || filter === null) return false
  if (Array.isArray(filter) || filter instanceof Date || filter instanceof Uint8Array) return false
  return !json || Object.keys(filter).some(key => key.startsWith('$'))
}

const foldAscii = (text: string): string =>
  [...text].map(c => (c >= 'A' && c <= 'Z' ? String.fromCharCode(c.charCodeAt(0) + 32) : c)).join('')

function equals(a: unknown, b: unknown): boolean {
  if (a === null || b === null || typeof a !== 'object' || typeof b !== 'object') return a === b
  if (a instanceof Date && b instanceof Date) return a.getTime() === b.getTime()
  if (Array.isArray(a) !== Array.isArray(b)) return false
  const [left, right] = [a as Row, b as Row]
  const keys = Object.keys(left)
  return (
    keys.length === Object.keys(right).length &&
    keys.every(key => Object.hasOwn(right, key) && equals(left[key], right[key]))
  )
}

/** NULL first, false before true, dates by time, text by code point. */
export function compare(a: unknown, b: unknown): number {
  if (a === null || b === null) return Number(b === null) - Number(a === null) || 0
  if (typeof a === 'string') return compareText([...a], [...(b as string)])
  const [left, right] = a instanceof Date ? [a.getTime(), (b as Date).getTime()] : [a as number, b as number]
  return left < right ? -1 : left > right ? 1 : 0
}

function compareText(a: readonly string[], b: readonly string[]): number {
  for (let i = 0; i < a.length && i < b.length; i++) {
    const difference = a[i]!.codePointAt(0)! - b[i]!.codePointAt(0)!
    if (difference !== 0) return difference
  }
  return a.length - b.length
}

type Token = { literal: string } | 'any' | 'one'

function like(text: string, pattern: string): boolean {
  const tokens: Token[] = []
  const characters = [...pattern]
  for (let i = 0; i < characters.length; i++) {
    const c = characters[i]!
    tokens.push(c === '%' ? 'any' : c === '_' ? 'one' : { literal: c === '\\' ? characters[++i]! : c })
  }
  // Documented: only literals between leading and trailing % are looked for in a text that holds a NUL.
  const first = tokens.findIndex(token => token !== 'any')
  const last = tokens.findLastIndex(token => token !== 'any')
  const simple = tokens.slice(Math.max(first, 0), last + 1).every(token => typeof token === 'object')
  return (simple || !text.includes('\0')) && likeFrom([...text], 0, tokens, 0)
}

function likeFrom(text: readonly string[], at: number, tokens: readonly Token[], next: number): boolean {
  const token = tokens[next]
  if (token === undefined) return at === text.length
  if (token === 'any') {
    for (let end = at; end <= text.length; end++) if (likeFrom(text, end, tokens, next + 1)) return true
    return false
  }
  const fits = at < text.length && (token === 'one' || token.literal === text[at])
  return fits && likeFrom(text, at + 1, tokens, next + 1)
}
