// Searches against the oracle that has no index, over random texts and queries.
import fc from 'fast-check'
import { expect, test } from 'vitest'
import { model, t } from '../../src/index.js'
import { localDatabase } from '../support/local.js'
import { anything, doc, finds, findsLiterally, malformed, query, wordsOf, type Doc } from './oracle.js'

const Post = model('Post', { id: t.id(), title: t.text(), body: t.text().nullable() }, { search: ['title', 'body'] })

const docs = fc
  .array(doc, { minLength: 1, maxLength: 12 })
  .map(all => all.map((one, i): Doc => ({ id: String(i).padStart(2, '0'), ...one })))

async function withDocs(all: readonly Doc[], look: (search: (words: string) => Promise<string[]>) => Promise<void>) {
  const db = localDatabase({ posts: Post })
  await db.tables.posts.bulkCreate(all)
  await look(async words => {
    const ranked = (await db.tables.posts.search(words)).map(({ id }) => id).sort()
    const inKeyOrder = (await db.tables.posts.search(words, { rank: false })).map(({ id }) => id)
    expect(ranked).toEqual(inKeyOrder)
    return inKeyOrder
  })
  await db.close()
}

const idsOf = (all: readonly Doc[], is: (one: Doc) => boolean) => all.filter(is).map(({ id }) => id)

test('words, phrases, prefixes, fields, AND, OR, NOT', async () => {
  await fc.assert(
    fc.asyncProperty(docs, fc.array(query, { minLength: 1, maxLength: 20 }), (all, queries) =>
      withDocs(all, async search => {
        for (const { text, alternatives } of queries) {
          expect([text, await search(text)]).toEqual([text, idsOf(all, one => finds(alternatives, one))])
        }
      }),
    ),
    { numRuns: 60 },
  )
})

test('highlights are the texts, and snippets a part of one', async () => {
  await fc.assert(
    fc.asyncProperty(docs, query, fc.integer({ min: 1, max: 6 }), async (all, { text }, words) => {
      const db = localDatabase({ posts: Post })
      await db.tables.posts.bulkCreate(all)
      const markers = ['\u{1F449}', '\u{1F448}'] as const
      const found = await db.tables.posts.search(text, { highlight: true, snippet: { words } })
      const marked = await db.tables.posts.search(text, { highlight: { markers } })
      found.forEach((row, i) => {
        const joined = (pieces: readonly { text: string }[] | null) => pieces?.map(piece => piece.text).join('') ?? null
        expect({ title: joined(row.$highlight.title), body: joined(row.$highlight.body) }).toEqual({
          title: row.title,
          body: row.body,
        })
        const pieces = [...row.$highlight.title, ...(row.$highlight.body ?? [])]
        const matches = pieces.filter(({ match }) => match)
        expect(matches.length).toBeGreaterThan(0)
        for (const piece of matches) expect(wordsOf(piece.text)).toHaveLength(1)
        const inTitle = row.$highlight.title.map(piece =>
          piece.match ? markers[0] + piece.text + markers[1] : piece.text,
        )
        expect(marked[i]!.$highlight.title).toBe(inTitle.join(''))
        const snippet = joined(row.$snippet)!.replaceAll('…', '')
        expect([row.title, row.body].some(of => of?.includes(snippet))).toBe(true)
        expect(wordsOf(snippet).length).toBeLessThanOrEqual(words)
        expect(row.$snippet.some(({ match }) => match)).toBe(true)
      })
      await db.close()
    }),
    { numRuns: 100 },
  )
})

test('what makes no sense is looked for word by word', async () => {
  await fc.assert(
    fc.asyncProperty(docs, fc.array(malformed, { minLength: 1, maxLength: 20 }), (all, queries) =>
      withDocs(all, async search => {
        for (const text of queries) {
          expect([text, await search(text)]).toEqual([text, idsOf(all, one => findsLiterally(text, one))])
        }
      }),
    ),
    { numRuns: 40 },
  )
})

test('whatever is typed is no error', async () => {
  await fc.assert(
    fc.asyncProperty(docs, fc.array(anything, { minLength: 1, maxLength: 50 }), (all, queries) =>
      withDocs(all, async search => {
        for (const text of queries) await search(text)
      }),
    ),
    { numRuns: 60 },
  )
})

test('texts of any length and depth', async () => {
  await withDocs([{ id: '00', title: 'one two', body: null }], async search => {
    const many = Array.from({ length: 20_000 }, (_, i) => `w${i}`)
    for (const join of [' ', ' OR ', ' AND ', ' NOT ', ' -', '" "', '-', ' title:', ' OR -'])
      await search(many.join(join))
    expect(await search(`one OR ${many.join(' OR ')}`)).toEqual(['00'])
    expect(await search(`one ${many.map(word => `-title:"${word} ${word}x"`).join(' ')}`)).toEqual(['00'])
    expect(await search('('.repeat(5000))).toEqual([])
  })
})
