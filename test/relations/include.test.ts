// include by example: what comes back, how many statements it takes, and what is refused.
import { afterAll, beforeAll, describe, expect, test } from 'vitest'
import { model, sql, t } from '../../src/index.js'
import type { WireOperation } from '../../src/shared/operation.js'
import type { Include } from '../../src/shared/relation.js'
import { failureOf } from '../ensure/support.js'
import { localDatabase, unwrap } from '../support/local.js'
import { Author, models, openBlog, Post, Tag, type Blog } from './support.js'
import { openWorld, Person, Post as WorldPost } from './world.js'

let db: Blog
let untyped: any
beforeAll(async () => {
  db = await openBlog()
  untyped = db.tables
  // Ensured before anything is counted.
  await db.tables.authors.list({ include: { posts: { include: { tags: true } } } })
})
afterAll(() => db.close())

describe('what comes back', () => {
  test('every kind of field, at every level', async () => {
    const { result, executed } = await db.count(() =>
      db.tables.authors.list({
        where: { id: { $in: ['ada', 'cyd'] } },
        select: ['name', 'born'],
        include: {
          posts: { include: { editor: { select: ['name'] }, tags: { select: ['word'], orderBy: { word: 'asc' } } } },
        },
      }),
    )
    expect(executed).toBe(1)
    const post = { kind: 'note', editorId: null, authorId: 'ada', at: null, extra: null, photo: null, editor: null }
    expect(result).toEqual([
      {
        name: 'Ada',
        born: new Date('1815-12-10'),
        posts: [
          {
            ...post,
            ...{ id: 'p1', title: 'Engines', views: 2n ** 62n, live: true, editorId: 'bob', at: new Date(1000) },
            ...{ extra: { a: [1] }, editor: { name: 'Bob' }, tags: [{ word: 'craft' }, { word: 'math' }] },
          },
          {
            ...post,
            ...{
              id: 'p2',
              title: 'Notes',
              views: 5n,
              live: false,
              kind: 'essay',
              photo: new Uint8Array([0, 255]),
              tags: [],
            },
          },
          { ...post, id: 'p4', title: 'Looms', views: 7n, live: true, tags: [{ word: 'craft' }] },
        ],
      },
      { name: 'Cyd', born: null, posts: [] },
    ])
  })

  test('where, orderBy and limit are of each row', async () => {
    const { result, executed } = await db.count(() =>
      db.tables.authors.list({
        select: ['name'],
        include: {
          posts: { select: ['title'], where: { live: true }, orderBy: { views: 'desc' }, limit: 1 },
          edited: { select: ['id'], limit: 0 },
        },
      }),
    )
    expect(executed).toBe(1)
    expect(result).toEqual([
      { name: 'Ada', posts: [{ title: 'Engines' }], edited: [] },
      { name: 'Bob', posts: [{ title: 'Bridges' }], edited: [] },
      { name: 'Cyd', posts: [], edited: [] },
    ])
  })

  test('of many to many too; what is said of the rows between is included through their own model', async () => {
    const { result } = await db.count(() =>
      db.tables.posts.list({
        where: { id: { $in: ['p1', 'p4'] } },
        select: ['id'],
        include: {
          tags: { select: ['word'], orderBy: { word: 'desc' }, limit: 1 },
          postTags: { select: ['weight'], include: { tag: { select: ['word'] } }, orderBy: { weight: 'desc' } },
        },
      }),
    )
    expect(result).toEqual([
      {
        id: 'p1',
        tags: [{ word: 'math' }],
        postTags: [
          { weight: 5, tag: { word: 'craft' } },
          { weight: 1, tag: { word: 'math' } },
        ],
      },
      { id: 'p4', tags: [{ word: 'craft' }], postTags: [{ weight: 1, tag: { word: 'craft' } }] },
    ])
  })

  test('a model that refers to itself, both ways, down to the eighth level and no further', async () => {
    const [tree] = await db.tables.tags.list({
      where: { parent: null },
      select: ['word'],
      include: { children: { select: ['word'], include: { parent: { select: ['no'] } } } },
    })
    expect(tree).toEqual({
      word: 'all',
      children: [
        { word: 'math', parent: { no: 1 } },
        { word: 'craft', parent: { no: 1 } },
      ],
    })
    const nested = (levels: number): object => ({ children: levels === 1 ? true : { include: nested(levels - 1) } })
    expect(await db.count(() => untyped.tags.list({ include: nested(8) }))).toMatchObject({ executed: 1 })
    expect(await failureOf(untyped.tags.list({ include: nested(9) }))).toMatchObject({
      code: 'BAD_OPTION',
      text: 'include is more than 8 levels deep.',
    })
  })

  test('read, readOrThrow, first, page and iterate take it', async () => {
    const include = { author: { select: ['name'] } } as const
    const ada = { author: { name: 'Ada' } }
    const counted = async (work: () => Promise<unknown>, expected: unknown, statements = 1) => {
      const { executed, result } = await db.count(work)
      expect({ executed, result }).toEqual({ executed: statements, result: expected })
    }
    const { posts } = db.tables
    await counted(() => posts.read('p1', { select: ['id'], include }), { id: 'p1', ...ada })
    await counted(() => posts.read('none', { include }), null)
    await counted(() => posts.readOrThrow('p2', { select: ['title'], include }), { title: 'Notes', ...ada })
    expect(await failureOf(posts.readOrThrow('none', { include }))).toMatchObject({ code: 'NOT_FOUND' })
    await counted(() => posts.first({ select: ['id'], orderBy: { title: 'desc' }, include }), { id: 'p2', ...ada })
    const page = await posts.page({ limit: 2, select: ['title'], orderBy: { views: 'desc' }, include })
    expect(page.items).toEqual([
      { title: 'Engines', ...ada },
      { title: 'Looms', ...ada },
    ])
    const next = await posts.page({
      limit: 2,
      select: ['title'],
      orderBy: { views: 'desc' },
      include,
      after: page.next!,
    })
    expect(next.items).toEqual([
      { title: 'Notes', ...ada },
      { title: 'Bridges', author: { name: 'Bob' } },
    ])
    const all = async () => {
      const rows = []
      for await (const row of posts.iterate({ select: ['id'], chunk: 3, include }))
        rows.push(`${row.id} ${row.author.name}`)
      return rows
    }
    await counted(all, ['p1 Ada', 'p2 Ada', 'p3 Bob', 'p4 Ada'], 2)
  })

  test('operations as values, alone, in a batch and beside others of one tick', async () => {
    const op = Author.list({ select: ['id'], include: { posts: { select: ['id'], where: { live: true } } } })
    const expected = [
      { id: 'ada', posts: [{ id: 'p1' }, { id: 'p4' }] },
      { id: 'bob', posts: [{ id: 'p3' }] },
      { id: 'cyd', posts: [] },
    ]
    const run: { id: string; posts: { id: string }[] }[] = await db.run(op)
    expect(run).toEqual(expected)
    expect(await db.batch([op, Post.count({ author: { name: 'Ada' } })])).toEqual([expected, 3])
    const [first, second] = await db.tick([op, [Tag.count(), op]])
    expect(first).toMatchObject({ value: expected })
    expect(second).toMatchObject({ value: [3, expected] })
  })

  test('an empty include is none; no rows are no rows at every level', async () => {
    expect(await db.tables.tags.list({ select: ['no'], include: {} })).toEqual([{ no: 1 }, { no: 2 }, { no: 3 }])
    expect(
      await db.tables.authors.list({ where: { id: 'x' }, include: { posts: { include: { tags: true } } } }),
    ).toEqual([])
    expect(await untyped.tags.list({ select: ['no'], limit: 1, include: { posts: undefined } })).toEqual([{ no: 1 }])
  })

  test("the app's own SQL in a nested filter knows the table by its name, with a limit too", async () => {
    const where = { $sql: sql<boolean>`posts.views > ${5}` }
    for (const limit of [undefined, 1]) {
      const [ada] = await db.tables.authors.list({
        select: ['id'],
        include: { posts: { select: ['id'], where, ...(limit ? { limit } : {}) } },
      })
      expect(ada!.posts).toEqual(limit ? [{ id: 'p1' }] : [{ id: 'p1' }, { id: 'p4' }])
    }
  })
})

describe('costs', () => {
  test('the tables that relations lead to are made first, once', async () => {
    for (const first of [
      Tag.list({ include: { posts: { include: { author: true } } } }),
      Tag.list({ where: { posts: { $some: { author: { name: 'x' } } } } }),
      Tag.bulkDelete({ where: { posts: { $some: { author: { name: 'x' } } } } }),
    ]) {
      const fresh = localDatabase(models)
      await fresh.run(first)
      const { ensure } = await unwrap(fresh.engine.metrics())
      expect(ensure.checks).toBe(4)
      expect(await fresh.count(() => fresh.run(first))).toMatchObject({ executed: 1 })
      expect((await unwrap(fresh.engine.metrics())).ensure.checks).toBe(4)
      await fresh.close()
    }
  })

  test('one statement for a thousand rows', async () => {
    const many = localDatabase(models)
    await many.tables.authors.bulkCreate(Array.from({ length: 1000 }, (_, i) => ({ id: `a${i}`, name: `n${i}` })))
    await many.tables.posts.bulkCreate(
      Array.from({ length: 3000 }, (_, i) => ({ authorId: `a${i % 1000}`, title: `t${i}` })),
    )
    const { executed, result } = await many.count(() =>
      many.tables.authors.list({ include: { posts: { include: { author: true } } } }),
    )
    expect(executed).toBe(1)
    expect(result.every(({ posts, id }) => posts.length === 3 && posts.every(post => post.author.id === id))).toBe(true)
    await many.close()
  })

  test('children are searched by the index of their reference', async () => {
    const world = await openWorld()
    const access = { scope: null, withDeleted: false }
    const uses = (index: string) => expect(world.plan().join('\n')).toContain(`USING INDEX ${index}`)
    const byAuthor = 'ix:posts:authorId'
    for (const posts of [true, { limit: 2 }] as const) {
      world.run(Person.list({ include: { posts } }), access)
      uses(`${byAuthor} (the author=?)`)
    }
    world.run(WorldPost.list({ include: { tags: true } }), access)
    uses('ix:postTags:postId (postId=?)')
    world.run(Person.count({ posts: { $some: { title: 'a' } } }), access)
    uses(`${byAuthor} (the author=?)`)
    world.run(Person.count({ posts: { $every: { title: 'a' } } }), access)
    uses(`${byAuthor} (the author=?)`)
  })
})

describe('refused on the page', () => {
  const author = (include: unknown) => untyped.authors.list({ include })
  test.for<[string, unknown, string, RegExp]>([
    ['a misspelt relation', { post: true }, 'UNKNOWN_FIELD', /Author has no relation "post".*did you mean "posts"/],
    ['a field', { name: true }, 'UNKNOWN_FIELD', /no relation "name"/],
    ['__proto__', JSON.parse('{"__proto__": true}'), 'UNKNOWN_FIELD', /./],
    ['one deep inside', { posts: { include: { tag: true } } }, 'UNKNOWN_FIELD', /Post has no relation "tag".*"tags"/],
    ['false', { posts: false }, 'BAD_OPTION', /include.posts must be true or an object/],
    ['null', { posts: null }, 'BAD_OPTION', /include.posts must be true or an object/],
    ['a list', ['posts'], 'BAD_OPTION', /include must be an object/],
    ['an option of a list', { posts: { offset: 1 } }, 'BAD_OPTION', /no option "offset"/],
    ['a limit of one row', { posts: { include: { author: { limit: 1 } } } }, 'BAD_OPTION', /no option "limit"/],
    ['a filter of one row', { posts: { include: { author: { where: {} } } } }, 'BAD_OPTION', /no option "where"/],
    ['withDeleted where nothing is', { posts: { withDeleted: true } }, 'BAD_OPTION', /no option "withDeleted"/],
    ['a limit', { posts: { limit: -1 } }, 'BAD_OPTION', /limit must be/],
    ['a field to select', { posts: { select: ['name'] } }, 'UNKNOWN_FIELD', /Post has no field "name"/],
    ['no field to select', { posts: { select: [] } }, 'BAD_OPTION', /select names no field/],
    ['a field to order by', { posts: { orderBy: { name: 'asc' } } }, 'UNKNOWN_FIELD', /Post has no field "name"/],
    ['a field of the filter', { posts: { where: { nope: 1 } } }, 'UNKNOWN_FIELD', /Post has no field "nope"/],
    ['a value of the filter', { posts: { where: { live: 1 } } }, 'VALIDATION', /live/],
  ])('%s', async ([, include, code, message]) => {
    const failure = await failureOf(author(include))
    expect(failure).toMatchObject({ code, op: 'list' })
    expect(failure.message).toMatch(message)
  })

  test('writes, counts and aggregates include nothing', async () => {
    const options = { include: { posts: true } }
    for (const call of [
      untyped.authors.create({ name: 'x' }, options),
      untyped.authors.update('ada', { name: 'x' }, options),
      untyped.authors.count({}, options),
      untyped.authors.aggregate({ count: true, ...options }),
      untyped.authors.bulkDelete({ where: { id: 'x' }, ...options }),
    ])
      expect(await failureOf(call)).toMatchObject({ code: 'BAD_OPTION' })
  })

  test('more than sixty relations', async () => {
    const wide = (levels: number, of: 'author' | 'post'): object | undefined => {
      if (levels === 0) return undefined
      const names = of === 'author' ? ['posts', 'edited'] : ['author', 'editor']
      const include = wide(levels - 1, of === 'author' ? 'post' : 'author')
      return Object.fromEntries(names.map(name => [name, include ? { include } : true]))
    }
    expect(await untyped.authors.list({ where: { id: 'x' }, include: wide(4, 'author') })).toEqual([])
    expect(await failureOf(untyped.authors.list({ include: wide(6, 'author') }))).toMatchObject({
      code: 'BAD_OPTION',
      text: 'More than 60 relations are included.',
    })
  })
})

describe('refused in the worker: an operation may come from anywhere', () => {
  const base: Include = {
    relation: { model: 'Post', from: 'id', to: 'authorId', many: true },
    select: ['id', 'authorId'],
    where: null,
    order: [{ field: 'id', descending: false }],
    limit: null,
  }
  const list = (include: readonly Include[]): WireOperation => ({
    ...{ op: 'list', model: 'Author', where: null, order: [{ field: 'id', descending: false }], limit: null },
    ...{ offset: 0, select: ['id'], after: null, include },
  })
  const run = async (op: WireOperation) => {
    const [outcome] = await unwrap(db.engine.run([{ id: 1_000_000, ops: [op], durability: null }]))
    return 'error' in outcome! ? outcome.error : null
  }
  const deep = (levels: number): Include => ({
    ...{ ...base, relation: { model: 'Tag', from: 'parentNo', to: 'no', many: false }, select: ['no', 'parentNo'] },
    ...{ order: [{ field: 'no', descending: false }], ...(levels > 1 ? { include: [deep(levels - 1)] } : {}) },
  })
  test('what is right is not', async () => expect(await run(list([base]))).toBeNull())
  test.for<[string, WireOperation, string]>([
    ['a model', list([{ ...base, relation: { ...base.relation, model: 'Nope' } }]), 'UNKNOWN_MODEL'],
    [
      'the model between',
      list([{ ...base, relation: { ...base.relation, through: { model: 'x', from: 'a', to: 'b' } } }]),
      'UNKNOWN_MODEL',
    ],
    ['a field above', list([{ ...base, relation: { ...base.relation, from: 'nope' } }]), 'UNKNOWN_FIELD'],
    ['a field below', list([{ ...base, relation: { ...base.relation, to: 'nope' } }]), 'UNKNOWN_FIELD'],
    ['a selected field', list([{ ...base, select: ['nope', 'authorId'] }]), 'UNKNOWN_FIELD'],
    ['an order', list([{ ...base, order: [{ field: 'x" --', descending: false }] }]), 'UNKNOWN_FIELD'],
    ['a filter', list([{ ...base, where: { type: 'null', field: 'nope', is: true } }]), 'UNKNOWN_FIELD'],
    ['what is not selected above', list([{ ...base, relation: { ...base.relation, from: 'name' } }]), 'BAD_OPTION'],
    ['what is not selected', list([{ ...base, select: ['id'] }]), 'BAD_OPTION'],
    ['too many', list(Array.from({ length: 61 }, () => base)), 'BAD_OPTION'],
    [
      'too deep',
      {
        ...(list([deep(9)]) as Extract<WireOperation, { op: 'list' }>),
        model: 'Tag',
        select: ['no', 'parentNo'],
        order: [{ field: 'no', descending: false }],
      },
      'BAD_OPTION',
    ],
    [
      'a filter across no relation',
      {
        op: 'count',
        model: 'Author',
        where: { type: 'related', relation: { ...base.relation, to: 'nope' }, where: { type: 'always', value: true } },
      },
      'UNKNOWN_FIELD',
    ],
  ])('%s', async ([, op, code]) => expect(await run(op)).toMatchObject({ code }))
})

describe('names', () => {
  const bad = (models: any) => {
    try {
      localDatabase(models)
    } catch (error) {
      return error
    }
    return null
  }
  const User = model('User', { id: t.id(), name: t.text() })
  test.for<[string, () => any, RegExp]>([
    [
      'of a field, forward',
      () => ({ users: User, ps: model('P', { id: t.id(), owner: t.text(), ownerId: t.ref('User') }) }),
      /"owner" has the name of a field.*as: /,
    ],
    [
      'of a field, backward',
      () => ({ users: User, ps: model('P', { id: t.id(), userId: t.ref('User', { inverse: 'name' }) }) }),
      /"name" has the name of a field.*inverse: /,
    ],
    [
      'of another',
      () => ({
        users: User,
        ps: model('P', { id: t.id(), aId: t.ref('User'), bId: t.ref('User', { inverse: 'ps' }) }),
      }),
      /Two relations are called "ps"/,
    ],
    [
      'that no property has',
      () => ({ users: User, ps: model('P', { id: t.id(), constructorId: t.ref('User') }) }),
      /cannot be the name of a relation/,
    ],
    [
      'through nothing',
      () => ({
        users: model('User', { id: t.id() }, { relations: { tags: { through: 'UserTg' } } }),
        userTags: model('UserTag', { id: t.id() }),
      }),
      /no model of this database.*UserTag/,
    ],
    [
      'through what does not refer here',
      () => ({
        users: model('User', { id: t.id() }, { relations: { tags: { through: 'Join' } } }),
        joins: model('Join', { id: t.id() }),
      }),
      /no single reference in Join for `from`/,
    ],
  ])('%s', ([, make, message]) => {
    expect(bad(make())).toMatchObject({ code: 'BAD_MODEL', message: expect.stringMatching(message) })
  })

  test('of a declaration alone', () => {
    expect(() => model('P', { id: t.id(), a: t.ref('User', { as: 'a b' }) })).toThrow(/no name of a relation/)
    expect(() => model('P', { id: t.id() }, { relations: { tags: 'PostTag' } as any })).toThrow(/relations says/)
    expect(() => (t.ref as any)('User', { like: 'x' })).toThrow(/no option "like"/)
  })

  test('two references to one model: those with a name have it, none has the accessor unless it is alone', async () => {
    const Pair = model('Pair', { id: t.id(), leftId: t.ref('User'), rightId: t.ref('User') })
    const pairs = localDatabase({ users: User, pairs: Pair })
    expect(await failureOf((pairs.tables.users as any).list({ include: { pairs: true } }))).toMatchObject({
      code: 'UNKNOWN_FIELD',
      hint: 'relations are made by t.ref().',
    })
    await pairs.close()
  })

  test('many to many of a model with itself says which way', async () => {
    const Node = model(
      'Node',
      { id: t.id() },
      {
        relations: {
          follows: { through: 'Edge', from: 'a', to: 'b' },
          followers: { through: 'Edge', from: 'b', to: 'a' },
        },
      },
    )
    const Edge = model('Edge', {
      id: t.id(),
      a: t.ref('Node', { inverse: 'outs' }),
      b: t.ref('Node', { inverse: 'ins' }),
    })
    const graph = localDatabase({ nodes: Node, edges: Edge })
    await graph.tables.nodes.bulkCreate([{ id: 'x' }, { id: 'y' }, { id: 'z' }])
    await graph.tables.edges.bulkCreate([
      { a: 'x', b: 'y' },
      { a: 'x', b: 'z' },
      { a: 'y', b: 'x' },
    ])
    const rows = await graph.tables.nodes.list({
      where: { followers: { $some: { id: 'x' } } },
      include: { follows: true, followers: true },
    })
    expect(rows).toEqual([
      { id: 'y', follows: [{ id: 'x' }], followers: [{ id: 'x' }] },
      { id: 'z', follows: [], followers: [{ id: 'x' }] },
    ])
    await graph.close()
  })
})
