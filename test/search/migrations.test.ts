// Whatever an app's builds declare one after the other, the index is what the last one says, over the rows that are there.
import fc from 'fast-check'
import { expect, test } from 'vitest'
import { model, sql, t } from '../../src/index.js'
import type { AnyModel } from '../../src/model.js'
import { app, ready } from '../ensure/support.js'
import type { LocalDatabase } from '../support/local.js'
import { findsLiterally, text } from './oracle.js'
import { expectInStep, opened } from './support.js'

const NAMES = { title: ['title', 'name', 'head line'], body: ['body', 'text'] } as const

interface Build {
  readonly table: string
  readonly modelName: string
  readonly title: string
  readonly body: string
  readonly search: readonly ('title' | 'body')[]
  /** Another one makes the table anew. */
  readonly least: number
  readonly extra: boolean
  readonly hasIndex: boolean
}

const build: fc.Arbitrary<Build> = fc.record({
  table: fc.constantFrom('posts', 'notes', 'it"s odd'),
  modelName: fc.constantFrom('Post', 'Note'),
  title: fc.constantFrom(...NAMES.title),
  body: fc.constantFrom(...NAMES.body),
  search: fc.subarray(['title', 'body'] as const),
  least: fc.integer({ min: -2, max: 0 }),
  extra: fc.boolean(),
  hasIndex: fc.boolean(),
})

const others = (names: readonly string[], name: string) => names.filter(other => other !== name)

function declared({ table, modelName, title, body, search, least, extra, hasIndex }: Build): AnyModel {
  return model(
    modelName,
    {
      id: t.id(),
      title1: t
        .text()
        .column(title)
        .renamedFrom(...others(NAMES.title, title)),
      body1: t
        .text()
        .nullable()
        .column(body)
        .renamedFrom(...others(NAMES.body, body)),
      views: t
        .integer()
        .default(0)
        .check(sql`views >= ${sql.raw(String(least))}`),
      ...(extra ? { extra: t.text().nullable() } : {}),
    } as never,
    {
      table,
      renamedFrom: modelName === 'Post' ? 'Note' : 'Post',
      ...(search.length > 0 ? { search: search.map(name => `${name}1`) } : {}),
      ...(hasIndex ? { indexes: [['views']] } : {}),
    } as never,
  ) as never
}

test('random histories', async () => {
  await fc.assert(
    fc.asyncProperty(
      fc.array(fc.tuple(build, fc.array(fc.record({ title: text, body: fc.option(text) }), { maxLength: 4 })), {
        minLength: 2,
        maxLength: 6,
      }),
      async builds => {
        const { start } = app()
        const all = new Map<string, { id: string; title: string; body: string | null }>()
        let db: LocalDatabase<any> | null = null
        for (const [version, [of, rows]] of builds.entries()) {
          const other = opened()
          db = await start({ posts: declared(of) }, { version: version + 1, parts: other.parts })
          await ready(db)
          const posts = db.tables.posts as any
          for (const [i, row] of rows.entries()) {
            const id = `${version}-${i}`
            await posts.create({ id, title1: row.title, body1: row.body })
            all.set(id, { id, ...row })
          }
          const [first] = all.keys()
          if (first !== undefined) {
            await posts.update(first, { title1: `changed ${version}` })
            all.get(first)!.title = `changed ${version}`
          }
          await posts.count()
          if (of.search.length === 0) {
            expect(
              await db.sql`select name from sqlite_schema where name glob 'tr:*' or name glob 'dataflow_search*'`,
            ).toEqual([])
            continue
          }
          for (const words of ['changed', 'tea', 'cafe', `changed ${version}`]) {
            const found = (await posts.search(words, { rank: false })).map(({ id }: { id: string }) => id)
            const is = (row: { title: string; body: string | null; id: string }) =>
              findsLiterally(words, {
                id: row.id,
                title: of.search.includes('title') ? row.title : '',
                body: of.search.includes('body') ? row.body : null,
              })
            expect(found).toEqual(
              [...all.values()]
                .filter(is)
                .map(({ id }) => id)
                .sort(),
            )
          }
          expectInStep(other.sqlite, `dataflow_search(${of.table})`)
        }
        await db!.close()
      },
    ),
    { numRuns: 15 },
  )
})
