// A search as one would write it without an index: every text cut into words, every word looked at.
import fc from 'fast-check'

export interface Doc {
  readonly id: string
  readonly title: string
  readonly body: string | null
}

type Field = 'title' | 'body'
type Term = { readonly text: string; readonly field?: Field; readonly quoted?: boolean }
/** An alternative: what must be there, and what must not. */
type Alternative = { readonly with: readonly Term[]; readonly without: readonly Term[] }

const fold = (text: string) => text.normalize('NFD').replaceAll(/\p{M}/gu, '').toLowerCase()
export const wordsOf = (text: string) => fold(text).match(/[\p{L}\p{N}]+/gu) ?? []

/** The words of a term, one behind the other; the last one perhaps only begun. */
function isIn(words: readonly string[], text: string): boolean {
  const wanted = wordsOf(text)
  const isPrefix = text.endsWith('*')
  return words.some((_, start) =>
    wanted.every((word, i) => {
      const is = words[start + i]
      return is !== undefined && (isPrefix && i === wanted.length - 1 ? is.startsWith(word) : is === word)
    }),
  )
}

function matches(doc: Doc, { text, field, quoted }: Term): boolean {
  const inField = (name: Field, what: string) => isIn(wordsOf(doc[name] ?? ''), what)
  if (field === undefined) return inField('title', text) || inField('body', text)
  if (!quoted && !text.includes('-')) return inField(field, text)
  // In a field, each word of a phrase has to be there.
  return text.split(/[\s-]+/).every(word => inField(field, word))
}

export const finds = (alternatives: readonly Alternative[], doc: Doc): boolean =>
  alternatives.some(
    alternative =>
      alternative.with.every(term => matches(doc, term)) && !alternative.without.some(term => matches(doc, term)),
  )

/** All words of a text, whatever else is in it. */
export const findsLiterally = (text: string, doc: Doc): boolean => {
  const terms = text.split(/[\s"]+/).filter(word => wordsOf(word).length > 0)
  return terms.length > 0 && terms.every(word => matches(doc, { text: word }))
}

const WORDS = [
  'cafe',
  'café',
  'CAFÉ',
  'tea',
  'Team',
  'te',
  'naïve',
  'green',
  'Ñandú',
  'x1',
  '2024',
  'straße',
  'été',
  '東京',
  'well',
]
export const word = fc.constantFrom(...WORDS)
const separator = fc.constantFrom(' ', ', ', '-', ' — ', '\n', ' (', '! ', ' "', " 😀 '", '*')

export const text = fc
  .array(fc.tuple(word, separator), { maxLength: 8 })
  .map(parts => parts.map(([of, behind]) => of + behind).join(''))

export const doc: fc.Arbitrary<Omit<Doc, 'id'>> = fc.record({ title: text, body: fc.option(text) })

const plain = fc.oneof(
  word,
  word.map(of => `${of.slice(0, 2)}*`),
  fc.tuple(word, word).map(parts => parts.join('-')),
)
const phrase = fc.oneof(
  fc.array(word, { minLength: 1, maxLength: 3 }).map(of => of.join(' ')),
  fc.tuple(word, word).map(([a, b]) => `${a} ${b.slice(0, 1)}*`),
)
const field = fc.option(fc.constantFrom<Field>('title', 'body'), { nil: undefined, freq: 3 })
const term: fc.Arbitrary<Term> = fc.oneof(
  fc.record({ text: plain, field }).map(of => ({ ...of, quoted: false })),
  fc.record({ text: phrase, field }).map(of => ({ ...of, quoted: true })),
) as fc.Arbitrary<Term>

const written = ({ text: of, field: name, quoted }: Term) =>
  `${name === undefined ? '' : `${name}:`}${quoted ? `"${of}"` : of}`

/** A query that is understood: as a user types it, and what it means. */
export const query = fc
  .array(
    fc.record({
      with: fc.array(term, { minLength: 1, maxLength: 3 }),
      without: fc.array(term, { maxLength: 2 }),
      and: fc.constantFrom(' ', ' AND '),
      not: fc.constantFrom(' -', ' NOT ', ' AND NOT '),
    }),
    { minLength: 1, maxLength: 3 },
  )
  .map(alternatives => ({
    alternatives,
    text: alternatives
      .map(of => of.with.map(written).join(of.and) + of.without.map(one => of.not + written(one)).join(''))
      .join(' OR '),
  }))

/** Queries whose operators make no sense. */
export const malformed = fc
  .tuple(
    fc.array(word, { minLength: 1, maxLength: 3 }),
    fc.constantFrom(
      (words: string) => `${words} OR`,
      (words: string) => `OR ${words}`,
      (words: string) => `${words} NOT`,
      (words: string) => `NOT ${words.split(' ')[0]}`,
      (words: string) => `${words} AND AND ${words}`,
      (words: string) => `${words} OR NOT ${words.split(' ')[0]}`,
      (words: string) => `${words} "tea`,
      (words: string) => `${words} te"a`,
      (words: string) => `-${words.split(' ')[0]}`,
      (words: string) => `AND ${words}`,
      (words: string) => `${words} NOT NOT tea`,
    ),
  )
  .map(([words, make]) => make(words.join(' ')))

/** Anything at all. */
export const anything = fc.oneof(
  fc.string({ unit: 'grapheme' }),
  fc.string({ unit: 'binary' }),
  fc
    .array(
      fc.constantFrom(
        ...WORDS,
        '"',
        '*',
        '^',
        '-',
        ':',
        '(',
        ')',
        'AND',
        'OR',
        'NOT',
        'NEAR',
        'NEAR/2',
        'title:',
        'body:',
        ' ',
        ' ',
        '\0',
        "'",
        '\\',
      ),
      { maxLength: 30 },
    )
    .map(parts => parts.join('')),
)
