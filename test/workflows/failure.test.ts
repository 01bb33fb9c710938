// A workflow that fails at any of its nodes leaves the database as it was: the bytes of its export are compared.
import { expect, test } from 'vitest'
import { model, sql, t, workflow, type Workflow } from '../../src/index.js'
import type { WireWorkflow } from '../../src/shared/workflow.js'
import { localDatabase, unwrap, type LocalDatabase } from '../support/local.js'

const User = model('User', { id: t.id(), email: t.text().unique(), name: t.text(), n: t.integer().default(0) })
const Post = model('Post', { id: t.id(), authorId: t.ref('User', { onDelete: 'cascade' }), title: t.text() })
const models = { users: User, posts: Post }

let exports = 0
async function bytesOf(db: LocalDatabase<any>): Promise<string> {
  const id = 1000 + ++exports
  const { size } = await unwrap(db.engine.whole.beginExport({ id, progress: false }))
  let text = ''
  for (let from = 0; from < size;) {
    const bytes = await unwrap(db.engine.whole.readExport(id, from))
    text += Buffer.from(bytes).toString('latin1')
    from += bytes.length
  }
  await unwrap(db.engine.whole.endExport(id))
  return text
}

/** Ten nodes of every kind; the one of that name fails. */
const kinds = ['create', 'bulk', 'update', 'upsert', 'remove', 'raw', 'each', 'child', 'many', 'last'] as const
function failing(at: string): Workflow<any, any> {
  const taken = (name: string) => (name === at ? 'taken@x' : `${name}@x`)
  const child = workflow<{ userId: string }>('child')
    .node('post', ({ input }) => Post.create({ authorId: input.userId, title: 'in' }))
    .node('user', () => User.create({ email: taken('child'), name: 'c' }))
  return workflow('all')
    .node('create', () => User.create({ email: taken('create'), name: 'a' }))
    .node('bulk', () =>
      User.bulkCreate([
        { email: 'bulk0@x', name: 'b' },
        { email: taken('bulk'), name: 'b' },
      ]),
    )
    .node('update', ({ create }) => User.update(create.id, at === 'update' ? { email: 'taken@x' } : { n: { $inc: 1 } }))
    .node('upsert', ({ create }) =>
      User.upsert(
        { email: 'kept@x', name: 'k', ...(at === 'upsert' ? { id: create.id } : {}) },
        {
          on: 'email',
          update: at === 'upsert' ? { email: 'taken@x' } : { n: 5 },
        },
      ),
    )
    .node('remove', () =>
      User.bulkDelete({
        where: at === 'remove' ? { $sql: sql`abs(-9223372036854775807 - 1) > 0` } : { email: 'gone@x' },
      }),
    )
    .node('raw', () => (at === 'raw' ? sql`insert into users select * from users` : sql`update users set n = n + 1`))
    .forEach(
      'each',
      ({ bulk }) => bulk.ids,
      ({ item }) => User.update(item, at === 'each' ? { email: 'same@x' } : { n: 9 }),
    )
    .workflow('child', child, ({ create }) => ({ userId: create.id }))
    .node('many', ({ child: c }) =>
      Post.bulkUpdate({ where: { id: c.post.id }, set: at === 'many' ? { authorId: 'nobody' } : { title: 'x' } }),
    )
    .node('last', () => (at === 'last' ? User.readOrThrow('nobody') : User.count()))
}

async function seeded() {
  const db = localDatabase(models, { storage: 'indexeddb' })
  await db.tables.users.bulkCreate(['taken@x', 'kept@x', 'gone@x'].map(email => ({ email, name: email })))
  // Both tables are there, and every statement has run once.
  await db.tables.posts.count()
  return db
}

test.each(kinds)('failing at %s', async at => {
  const db = await seeded()
  const before = await bytesOf(db)
  db.events.length = 0
  const error = await db.execute(failing(at)).catch((e: unknown) => e)
  expect(error).toMatchObject({ node: expect.stringMatching(new RegExp(`^${at}`)) })
  expect(await bytesOf(db)).toBe(before)
  expect(db.events.filter(event => event.type === 'change')).toEqual([])
  // It can be run as it should be afterwards.
  const results = await db.execute(failing('none'))
  expect(Object.keys(results)).toEqual([...kinds])
  expect(await bytesOf(db)).not.toBe(before)
})

test('A flush that fails takes the whole workflow back', async () => {
  let broken = false
  const db = localDatabase(models, {
    storage: 'indexeddb',
    wrapStorage: storage => {
      const flush = storage.flush.bind(storage)
      storage.flush = (...args) =>
        broken ? Promise.reject(Object.assign(new Error('disk'), { name: 'QuotaExceededError' })) : flush(...args)
      return storage
    },
  })
  await db.tables.users.create({ email: 'a@x', name: 'a' })
  await db.tables.posts.count()
  const before = await bytesOf(db)
  broken = true
  await expect(db.execute(failing('none'))).rejects.toBeDefined()
  broken = false
  expect(await bytesOf(db)).toBe(before)
})

test('What comes as a workflow is checked in the worker too', async () => {
  const db = await seeded()
  const step = { node: 'a', slot: 0, kept: false, skip: false }
  const read = { op: 'read' as const, model: 'User', id: { slot: 1, path: [] } as never, select: null }
  const wrong: WireWorkflow['steps'][] = [
    [{ ...step, run: read }],
    [{ ...step, run: { control: 'commit', name: 'x' } }],
    [{ ...step, run: { control: 'scope', name: 'x' } }],
    [
      { ...step, run: { steps: [] } },
      { ...step, run: { steps: [] } },
    ],
    [{ ...step, run: { op: 'count', model: 'Nobody', where: null } }],
    [
      {
        ...step,
        run: { op: 'count', model: 'User', where: { type: 'compare', field: 'nope', op: '=', value: 'nope' } },
      },
    ],
  ]
  const codes: string[] = []
  for (const steps of wrong) {
    const unit = { id: 5000 + codes.length, ops: [{ op: 'workflow' as const, name: 'x', steps }], durability: null }
    const [outcome] = await unwrap(db.engine.run([unit]))
    codes.push('error' in outcome! ? outcome.error.code : 'none')
  }
  expect(codes).toEqual([...Array<string>(4).fill('BAD_WORKFLOW'), 'UNKNOWN_MODEL', 'UNKNOWN_FIELD'])
})
