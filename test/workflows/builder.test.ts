// WorkflowBuilder: every node type with every parameter and its flat result by value, and everything that is refused.
import { describe, expect, test } from 'vitest'
import { model, t, WorkflowBuilder, type BuiltWorkflow } from '../../src/index.js'
import { localDatabase } from '../support/local.js'

const User = model('User', {
  id: t.id(),
  email: t.text().unique(),
  name: t.text(),
  age: t.integer().nullable(),
  active: t.boolean().default(true),
  version: t.version(),
})
const Post = model('Post', {
  id: t.id(),
  authorId: t.ref('User', { onDelete: 'cascade' }),
  title: t.text(),
  due: t.date().nullable(),
  size: t.bigint().default(0n),
  file: t.blob().nullable(),
})
const models = { users: User, posts: Post }
const open = () => localDatabase(models)
const json = (built: BuiltWorkflow): BuiltWorkflow => JSON.parse(JSON.stringify(built))

/** Runs a workflow of these nodes after it has been through JSON; the result of the last one. */
async function run(nodes: readonly [string, Record<string, unknown>?][], db = open()) {
  const builder = new WorkflowBuilder(db)
  nodes.forEach(([type, params], i) => builder.addNode(type, `n${i}`, params))
  const { results } = await db.execute(json(builder.build()))
  return results[`n${nodes.length - 1}`]
}
async function withUsers(n: number) {
  const db = open()
  await db.tables.users.bulkCreate(
    Array.from({ length: n }, (_, i) => ({ id: `u${i}`, email: `${i}@x`, name: `N${i}`, age: i })),
  )
  return db
}

describe('node types', () => {
  test('CreateNode gives the row', async () => {
    expect(await run([['UserCreateNode', { id: 'a', email: 'a@x', name: 'Ada', age: 36 }]])).toEqual({
      id: 'a',
      email: 'a@x',
      name: 'Ada',
      age: 36,
      active: true,
      version: 1,
    })
  })

  test('ReadNode gives the row and found', async () => {
    const db = await withUsers(1)
    expect(await run([['UserReadNode', { id: 'u0', select: ['id', 'name'] }]], db)).toEqual({
      id: 'u0',
      name: 'N0',
      found: true,
    })
    expect(await run([['UserReadNode', { id: 'none' }]], db)).toEqual({ found: false })
  })

  test('UpdateNode gives the row, rows_affected and updated; with version it can be CONFLICT', async () => {
    const db = await withUsers(1)
    const updated = await run([['UserUpdateNode', { id: 'u0', fields: { age: { $inc: 2 } }, version: 1 }]], db)
    expect(updated).toMatchObject({ id: 'u0', age: 2, version: 2, rows_affected: 1, updated: true })
    const again = run([['UserUpdateNode', { id: 'u0', fields: { name: 'x' }, version: 1 }]], db)
    await expect(again).rejects.toMatchObject({ code: 'CONFLICT', node: 'n0' })
    const none = run([['UserUpdateNode', { id: 'none', fields: { name: 'x' } }]], db)
    await expect(none).rejects.toMatchObject({ code: 'NOT_FOUND', node: 'n0' })
  })

  test('DeleteNode gives id and deleted', async () => {
    const db = await withUsers(1)
    expect(await run([['UserDeleteNode', { id: 'u0' }]], db)).toEqual({ id: 'u0', deleted: true })
    expect(await run([['UserDeleteNode', { id: 'u0' }]], db)).toEqual({ id: 'u0', deleted: false })
  })

  test('ListNode gives records, count and limit', async () => {
    const db = await withUsers(5)
    const params = { filter: { age: { $gte: 1 } }, orderBy: { age: 'desc' }, limit: 2, offset: 1, select: ['id'] }
    expect(await run([['UserListNode', params]], db)).toEqual({
      records: [{ id: 'u3' }, { id: 'u2' }],
      count: 2,
      limit: 2,
    })
    expect(await run([['UserListNode']], db)).toMatchObject({ count: 5, limit: null })
  })

  test('CountNode gives count', async () => {
    const db = await withUsers(5)
    expect(await run([['UserCountNode', { filter: { age: { $lt: 2 } } }]], db)).toEqual({ count: 2 })
    expect(await run([['UserCountNode']], db)).toEqual({ count: 5 })
  })

  test('UpsertNode gives created, action and record', async () => {
    const db = open()
    const params = { where: { email: 'a@x' }, create: { id: 'a', name: 'Ada' }, update: { name: 'Again' } }
    expect(await run([['UserUpsertNode', params]], db)).toMatchObject({
      created: true,
      action: 'created',
      record: { id: 'a', email: 'a@x', name: 'Ada', version: 1 },
    })
    expect(await run([['UserUpsertNode', params]], db)).toMatchObject({
      created: false,
      action: 'updated',
      record: { id: 'a', name: 'Again', version: 2 },
    })
    const short = { where: { email: 'a@x' }, create: { name: 'Third' } }
    expect(await run([['UserUpsertNode', short]], db)).toMatchObject({ action: 'updated', record: { name: 'Third' } })
  })

  test('BulkCreateNode gives processed, inserted and success', async () => {
    const db = await withUsers(1)
    const data = [
      { id: 'a', email: 'a@x', name: 'a' },
      { id: 'b', email: '0@x', name: 'b' },
    ]
    expect(await run([['UserBulkCreateNode', { data, onConflict: 'skip' }]], db)).toEqual({
      processed: 2,
      inserted: 1,
      success: true,
      ids: ['a'],
      errors: [],
    })
    expect(await run([['UserBulkCreateNode', { data: [data[1]], onError: 'collect' }]], db)).toMatchObject({
      processed: 1,
      inserted: 0,
      success: false,
      errors: [{ index: 0, error: { code: 'UNIQUE' } }],
    })
  })

  test('BulkUpdateNode and BulkDeleteNode say which rows, or all of them', async () => {
    const db = await withUsers(4)
    const some = { filter: { age: { $lt: 2 } }, fields: { active: false } }
    expect(await run([['UserBulkUpdateNode', some]], db)).toEqual({ processed: 2, updated: 2, success: true })
    const all = { all: true, fields: { active: true } }
    expect(await run([['UserBulkUpdateNode', all]], db)).toEqual({ processed: 4, updated: 4, success: true })
    const gone = { filter: { age: 0 } }
    expect(await run([['UserBulkDeleteNode', gone]], db)).toEqual({ processed: 1, deleted: 1, success: true })
    expect(await run([['UserBulkDeleteNode', { all: true }]], db)).toEqual({ processed: 3, deleted: 3, success: true })
  })

  test('BulkUpsertNode gives processed and upserted', async () => {
    const db = await withUsers(1)
    const data = [
      { id: 'z', email: '0@x', name: 'Zero' },
      { id: 'a', email: 'a@x', name: 'a' },
    ]
    expect(await run([['UserBulkUpsertNode', { data, on: ['email'] }]], db)).toEqual({
      processed: 2,
      upserted: 2,
      success: true,
      ids: ['u0', 'a'],
    })
  })

  test('SQLNode gives records and count; its places are found behind strings and comments', async () => {
    const db = await withUsers(2)
    const text = `select name, '?' as mark /* ? */ from users -- ?
      where age >= ? and "name" <> ?`
    expect(await run([['SQLNode', { sql: text, params: [0, 'N0'] }]], db)).toEqual({
      records: [{ name: 'N1', mark: '?' }],
      count: 1,
    })
    expect(await run([['SQLNode', { sql: 'select 1 as one' }]], db)).toEqual({ records: [{ one: 1 }], count: 1 })
  })

  test('Dates, bigints, bytes and infinities go through JSON', async () => {
    const db = await withUsers(1)
    const at = new Date(1_700_000_000_123)
    const params = { id: 'p', authorId: 'u0', title: 'x', due: at, size: 2n ** 62n, file: new Uint8Array([0, 255]) }
    expect(await run([['PostCreateNode', params]], db)).toEqual(params)
    expect(await run([['PostCountNode', { filter: { due: { $gte: at } } }]], db)).toEqual({ count: 1 })
    const sql = { sql: 'select ? as big, typeof(?) as kind', params: [2n ** 62n, Infinity] }
    expect(await run([['SQLNode', sql]], db)).toMatchObject({ records: [{ big: 2n ** 62n, kind: 'real' }] })
  })
})

describe('connections', () => {
  test('flat results, dotted paths, into filters, fields and params', async () => {
    const db = open()
    const built = new WorkflowBuilder(db)
      .addNode('UserCreateNode', 'ada', { email: 'a@x', name: 'Ada', age: 36 })
      .addNode('PostCreateNode', 'post', { title: 'Hello' })
      .addConnection('ada', 'id', 'post', 'authorId')
      .addNode('PostListNode', 'posts', { filter: { title: 'Hello' }, limit: 5 })
      .addConnection('ada', 'id', 'posts', 'filter.authorId')
      .addNode('UserUpdateNode', 'renamed', { fields: {} })
      .addConnection('posts', 'records.0.authorId', 'renamed', 'id')
      .addConnection('posts', 'records.0.title', 'renamed', 'fields.name')
      .addConnection('posts', 'count', 'renamed', 'fields.age')
      .addNode('SQLNode', 'sql', { sql: 'select ? as id, ? as n', params: [] })
      .addConnection('renamed', 'id', 'sql', 'params.0')
      .addConnection('posts', 'count', 'sql', 'params.1')
      .addNode('UserDeleteNode', 'gone')
      .addConnection('sql', 'records.0.id', 'gone', 'id')
      .build()
    const { results, runId } = await db.execute(json(built))
    expect(runId).toMatch(/^[0-9a-f-]{36}$/)
    expect(results.renamed).toMatchObject({ id: results.ada.id, name: 'Hello', age: 1 })
    expect(results.sql.records).toEqual([{ id: results.ada.id, n: 1 }])
    expect(results.gone).toEqual({ id: results.ada.id, deleted: true })
    expect(await db.tables.posts.count()).toBe(0)
  })

  test('Nodes run in the order that their connections want', async () => {
    const db = open()
    const built = new WorkflowBuilder(db)
      .addNode('PostCreateNode', 'post', { title: 'x' })
      .addNode('UserCountNode', 'before')
      .addNode('UserCreateNode', 'user', { email: 'a@x', name: 'a' })
      .addConnection('user', 'id', 'post', 'authorId')
      .addConnection('before', 'count', 'user', 'after')
      .build()
    const { results } = await db.execute(built)
    expect(results.before).toEqual({ count: 0 })
    expect(results.post.authorId).toBe(results.user.id)
  })

  test('Parameters come with the execution', async () => {
    const db = open()
    const built = new WorkflowBuilder(db)
      .addNode('UserCreateNode', 'user', { email: { $param: true }, name: 'Ada' })
      .build()
    const run = (email: string) => db.execute(json(built), { parameters: { user: { email } } })
    expect((await run('a@x')).results.user).toMatchObject({ email: 'a@x', name: 'Ada' })
    expect((await run('b@x')).results.user.email).toBe('b@x')
    await expect(db.execute(built)).rejects.toMatchObject({ code: 'BAD_WORKFLOW' })
    const wrong = db.execute(built, { parameters: { usr: { email: 'c@x' } } })
    await expect(wrong).rejects.toMatchObject({ code: 'BAD_WORKFLOW', hint: 'did you mean "user"?' })
  })
})

describe('transaction nodes', () => {
  const create = (builder: WorkflowBuilder, id: string) =>
    builder.addNode('UserCreateNode', id, { id, email: `${id}@x`, name: id })
  const left = async (db: ReturnType<typeof open>) => (await db.tables.users.list()).map(user => user.id)

  test('A scope that is rolled back takes back what is in it, and nothing else', async () => {
    const db = open()
    const builder = new WorkflowBuilder(db)
    create(builder, 'a').addNode('TransactionScopeNode', 'tx')
    create(builder, 'b').addNode('TransactionRollbackNode', 'back', { reason: 'no' })
    create(builder, 'c')
    const { results } = await db.execute(json(builder.build()))
    expect(results).toMatchObject({
      tx: { status: 'started' },
      b: { id: 'b' },
      back: { status: 'rolled_back', reason: 'no' },
    })
    expect(await left(db)).toEqual(['a', 'c'])
    const changes = db.events.flatMap(event => (event.type === 'change' ? [event.detail] : []))
    expect(changes).toEqual([{ model: 'User', ids: ['a', 'c'], origin: 'local' }])
  })

  test('Scopes in scopes, commits, savepoints and going back to one twice', async () => {
    const db = open()
    const builder = new WorkflowBuilder(db)
    builder.addNode('TransactionScopeNode', 'outer')
    create(builder, 'a').addNode('TransactionSavepointNode', 'save', { name: 'here' })
    create(builder, 'b').addNode('TransactionRollbackToSavepointNode', 'back1', { savepoint: 'here' })
    create(builder, 'c').addNode('TransactionRollbackToSavepointNode', 'back2', { savepoint: 'here' })
    create(builder, 'd').addNode('TransactionScopeNode', 'inner')
    create(builder, 'e').addNode('TransactionCommitNode', 'commitInner')
    builder.addNode('TransactionCommitNode', 'commitOuter')
    create(builder, 'f')
    const { results } = await db.execute(builder.build())
    expect(results).toMatchObject({
      save: { status: 'created', savepoint: 'here' },
      back2: { status: 'rolled_back', savepoint: 'here' },
      commitOuter: { status: 'committed' },
    })
    expect(await left(db)).toEqual(['a', 'd', 'e', 'f'])
  })

  test('A scope that does not end, and an end without a scope, are refused', () => {
    const refused =
      (type: string, params = {}) =>
      () =>
        new WorkflowBuilder().addNode(type, 'x', params).build()
    expect(refused('TransactionScopeNode')).toThrow(expect.objectContaining({ code: 'BAD_WORKFLOW' }))
    expect(refused('TransactionCommitNode')).toThrow(expect.objectContaining({ code: 'BAD_WORKFLOW', node: 'x' }))
    expect(refused('TransactionRollbackToSavepointNode', { savepoint: 's' })).toThrow(/no such savepoint/)
  })
})

describe('build() refuses', () => {
  const db = open()
  const valid = () =>
    new WorkflowBuilder(db)
      .addNode('UserCreateNode', 'user', { email: 'a@x', name: 'Ada' })
      .addNode('PostListNode', 'posts')
  const cases: [string, () => unknown, object][] = [
    [
      'an unknown node type',
      () => valid().addNode('SqlNode', 'x').build(),
      { code: 'BAD_WORKFLOW', hint: 'did you mean SQLNode?' },
    ],
    [
      'an unknown operation',
      () => valid().addNode('UserCraeteNode', 'x').build(),
      { code: 'BAD_WORKFLOW', hint: 'did you mean UserCreateNode?' },
    ],
    [
      'a node type of a model that is not there',
      () => valid().addNode('UsrCreateNode', 'x').build(),
      { code: 'UNKNOWN_MODEL', hint: 'did you mean "User"?' },
    ],
    [
      'a connection from an unknown id',
      () => valid().addConnection('usr', 'id', 'posts', 'filter.authorId').build(),
      { code: 'BAD_WORKFLOW', hint: 'did you mean "user"?' },
    ],
    [
      'a connection to an unknown id',
      () => valid().addConnection('user', 'id', 'post', 'limit').build(),
      { code: 'BAD_WORKFLOW' },
    ],
    ['two nodes of one id', () => valid().addNode('UserListNode', 'user').build(), { code: 'BAD_WORKFLOW' }],
    [
      'an unknown parameter',
      () => valid().addNode('PostListNode', 'x', { fliter: {} }).build(),
      { code: 'BAD_WORKFLOW', hint: 'did you mean "filter"?' },
    ],
    [
      'an unknown field',
      () => valid().addNode('UserCreateNode', 'x', { email: 'b', name: 'b', nmae: 'b' }).build(),
      { code: 'UNKNOWN_FIELD', fields: ['nmae'] },
    ],
    [
      'an unknown field in a filter',
      () =>
        valid()
          .addNode('UserListNode', 'x', { filter: { nmae: 'b' } })
          .build(),
      { code: 'UNKNOWN_FIELD', node: 'x' },
    ],
    ['a missing input', () => valid().addNode('UserReadNode', 'x').build(), { code: 'BAD_WORKFLOW', node: 'x' }],
    [
      'a missing field',
      () => valid().addNode('UserCreateNode', 'x', { email: 'b' }).build(),
      { code: 'BAD_WORKFLOW', node: 'x' },
    ],
    [
      'a cycle',
      () =>
        new WorkflowBuilder(db)
          .addNode('UserReadNode', 'a')
          .addNode('UserReadNode', 'b')
          .addConnection('a', 'id', 'b', 'id')
          .addConnection('b', 'id', 'a', 'id')
          .build(),
      { code: 'BAD_WORKFLOW' },
    ],
    [
      'a connection to an input that does not exist',
      () => valid().addConnection('user', 'id', 'posts', 'nothing').build(),
      { code: 'BAD_WORKFLOW', node: 'posts' },
    ],
    [
      'a connection from an output that does not exist',
      () => valid().addConnection('user', 'idd', 'posts', 'filter.authorId').build(),
      { code: 'BAD_WORKFLOW' },
    ],
    [
      'a value of the wrong type through a connection',
      () => valid().addConnection('user', 'name', 'posts', 'filter.due').build(),
      { code: 'BAD_WORKFLOW', node: 'posts' },
    ],
    [
      'a list where a value belongs',
      () => valid().addNode('UserReadNode', 'x').addConnection('posts', 'records', 'x', 'id').build(),
      { code: 'BAD_WORKFLOW', node: 'x' },
    ],
    [
      'a parameter of the wrong type',
      () => valid().addNode('UserReadNode', 'x', { id: 7 }).build(),
      { code: 'VALIDATION', node: 'x' },
    ],
    [
      'a parameter that is no data',
      () =>
        valid()
          .addNode('UserReadNode', 'x', { id: () => 7 })
          .build(),
      { code: 'BAD_WORKFLOW' },
    ],
    [
      'an empty filter on a bulk write',
      () => valid().addNode('UserBulkDeleteNode', 'x', { filter: {} }).build(),
      { code: 'BAD_FILTER', node: 'x' },
    ],
    [
      'places and params that do not fit',
      () => valid().addNode('SQLNode', 'x', { sql: 'select ?', params: [] }).build(),
      { code: 'BAD_WORKFLOW', node: 'x' },
    ],
    [
      'places with names',
      () =>
        valid()
          .addNode('SQLNode', 'x', { sql: 'select :a', params: [1] })
          .build(),
      { code: 'BAD_WORKFLOW', node: 'x' },
    ],
  ]
  test.each(cases)('%s', (_, build, error) => {
    expect(build).toThrow(expect.objectContaining(error))
  })

  test('the same when it comes from JSON, before anything is sent', async () => {
    const forged = { dataflow: 1, nodes: [{ type: 'UserCraeteNode', id: 'x', params: {} }], connections: [] }
    await expect(db.execute(forged as never)).rejects.toMatchObject({ code: 'BAD_WORKFLOW' })
    for (const wrong of [null, 7, [], {}, { ...forged, dataflow: 2 }, { ...forged, nodes: [{ id: 'x' }] }]) {
      await expect(db.execute(wrong as never)).rejects.toMatchObject({ code: 'BAD_WORKFLOW' })
    }
    const sql = { user: { $sql: { kind: 'sql', text: '1=1', parts: ['1=1'], params: [] } } }
    const injected = { ...forged, nodes: [{ type: 'UserListNode', id: 'x', params: { filter: sql } }] }
    await expect(db.execute(injected as never)).rejects.toMatchObject({ code: 'UNKNOWN_FIELD' })
  })

  test('Without the database, build() checks what needs no models, and execute() the rest', async () => {
    expect(() => new WorkflowBuilder().addNode('UserCraeteNode', 'x').build()).toThrow(/no node type/)
    expect(() => new WorkflowBuilder().addNode('UserReadNode', 'x').build()).toThrow(/needs id/)
    const built = new WorkflowBuilder().addNode('UserCreateNode', 'x', { nmae: 'x' }).build()
    await expect(db.execute(built)).rejects.toMatchObject({ code: 'UNKNOWN_FIELD' })
  })
})
