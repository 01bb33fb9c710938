// Two scopes over one database, each with an oracle of its own: whatever one does, it sees exactly its own rows, and
// leaves those of the other as they are, byte for byte.
import fc from 'fast-check'
import { expect, test } from 'vitest'
import { encodeCursor } from '../../src/encode/cursor.js'
import { METHODS } from '../../src/model.js'
import { resolveModels } from '../../src/resolve.js'
import { model, t, workflow } from '../../src/index.js'
import { localDatabase, type LocalView } from '../support/local.js'
import { answer, OPERATIONS, SEED, steps, withoutMoments, type Kind, type Step } from './operations.js'
import { Ambiguous, Oracle, Refused, TAGS } from './oracle.js'

const Person = model(
  'Person',
  {
    id: t.id(),
    tenantId: t.text(),
    email: t.text().unique(),
    n: t.integer().default(0),
    friendId: t.ref('Person', { onDelete: 'set null' }).nullable(),
    tagId: t.ref('Tag').nullable(),
    version: t.version(),
    deletedAt: t.date().nullable(),
  },
  { scope: 'tenantId', softDelete: true, search: ['email'] },
)
const Note = model(
  'Note',
  { id: t.autoId(), tenantId: t.text(), personId: t.ref('Person', { onDelete: 'cascade' }), title: t.text() },
  { scope: 'tenantId', unique: [['personId', 'title']], search: ['title'] },
)
const Tag = model('Tag', { id: t.id() }, { shared: true })
const models = { people: Person, notes: Note, tags: Tag }
const pageModels = resolveModels(models)
const declared = { Person, Note }
const accessors = { Person: 'people', Note: 'notes' } as const

test('there is a generator for each method', () => {
  expect(Object.keys(OPERATIONS).sort()).toEqual(Object.keys(METHODS).sort())
})

/** How an operation reaches the database. */
const WAYS = ['call', 'batch', 'workflow'] as const
type Way = (typeof WAYS)[number]

/** Which methods did what they are for, over all runs: a generator that only ever fails proves nothing. */
const succeeded = new Set<string>()
const refused = new Set<string>()

async function start() {
  const db = localDatabase(models)
  for (const id of TAGS) await db.tables.tags.create({ id })
  const [a, b] = [new Oracle('a'), new Oracle('b')]
  a.taken = (kind, id) => b.tables[kind].has(id)
  b.taken = (kind, id) => a.tables[kind].has(id)
  const scopes = {
    a: { oracle: a, other: b, view: db.scope({ tenantId: 'a' }) as LocalView<any> },
    b: { oracle: b, other: a, view: db.scope({ tenantId: 'b' }) as LocalView<any> },
  }
  const dump = (tenant: string) => db.sql`
    select rowid, json_array(id, tenantId, email, n, friendId, tagId, version, deletedAt) as row from people where tenantId = ${tenant}
    union all
    select rowid, json_array(id, tenantId, personId, title) from notes where tenantId = ${tenant}`
  /** A row of anybody's: pages go on behind it. */
  const anyRow = (kind: Kind, at: number) => [...a.rows(kind, 'all'), ...b.rows(kind, 'all')][at]

  /** False where the oracle does not know what SQLite does: then nothing of what follows is known. */
  const run = async (who: 'a' | 'b', way: Way, step: Step): Promise<boolean> => {
    const { oracle, other, view } = scopes[who]
    const { method, kind } = step
    const untouched = await dump(other.tenant)
    const from = step.cursor === undefined ? undefined : anyRow(kind, step.cursor)
    const args = [...step.args] as any[]
    if (from) args[0] = { ...args[0], after: cursorOf(kind, args[0].orderBy, from) }
    const operation = (declared[kind] as any)[method](...args)
    const calls: Record<Way, () => Promise<any>> = {
      call: () => view.tables[accessors[kind]][method](...args),
      batch: async () => (await view.batch([operation]))[0],
      workflow: async () => (await view.execute(workflow('w').node('only', () => operation))).only,
    }
    const [result, code] = await calls[way]().then(
      (value: unknown) => [value, null],
      (error: any) => [undefined, error.code ?? error],
    )
    let expected: unknown
    try {
      expected = structuredClone(step.expected(oracle, method === 'page' ? { from } : result))
    } catch (error) {
      if (error instanceof Ambiguous) return false
      if (!(error instanceof Refused)) throw error
      expected = error.code
    }
    const actual = code ?? answer(method, result)
    expect({ method, kind, args, answer: actual }).toEqual({ method, kind, args, answer: expected })
    if (code === null) succeeded.add(method)
    else refused.add(`${method} ${code}`)
    expect(await dump(other.tenant)).toEqual(untouched)
    expect(withoutMoments(await view.tables.people.list({ withDeleted: true }))).toEqual(oracle.rows('Person', 'all'))
    expect(await view.tables.notes.list()).toEqual(oracle.rows('Note'))
    return true
  }
  return { db, run }
}

function cursorOf(kind: Kind, orderBy: Record<string, string>, row: Record<string, unknown>): string {
  const order = Object.entries(orderBy).map(([field, way]) => ({ field, descending: way === 'desc' }))
  if (order.every(({ field }) => field !== 'id')) order.push({ field: 'id', descending: false })
  return encodeCursor(row, order, pageModels.get(kind)!)
}

test('a scope answers as if there were no other, and never touches it', async () => {
  await fc.assert(
    fc.asyncProperty(
      fc.array(fc.tuple(fc.constantFrom('a' as const, 'b' as const), fc.constantFrom(...WAYS), steps), {
        minLength: 30,
        maxLength: 40,
        size: 'max',
      }),
      async history => {
        const { db, run } = await start()
        for (const [who, step] of SEED) await run(who, 'call', step)
        for (const [who, way, step] of history) if (!(await run(who, way, step))) break
        await db.close()
      },
    ),
    { numRuns: 60 },
  )
  expect([...succeeded].sort()).toEqual(Object.keys(METHODS).sort())
  expect([...refused]).toEqual(
    expect.arrayContaining([
      'create UNIQUE',
      'create FOREIGN_KEY',
      'create READONLY',
      'update NOT_FOUND',
      'update FOREIGN_KEY',
      'update READONLY',
      'upsert UNIQUE',
      'upsert FOREIGN_KEY',
      'bulkCreate FOREIGN_KEY',
      'bulkUpdate FOREIGN_KEY',
      'bulkUpsert UNIQUE',
    ]),
  )
}, 120_000)
