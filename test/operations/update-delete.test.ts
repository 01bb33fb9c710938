// update, delete, $inc and optimistic locking.
import { describe, expect, test } from 'vitest'
import { model, sql, t } from '../../src/index.js'
import { localDatabase, STORAGES } from '../support/local.js'

const Doc = model('Doc', {
  id: t.id(),
  title: t.text().default('untitled'),
  note: t.text().nullable(),
  stars: t.integer().default(0),
  likes: t.integer().nullable(),
  big: t.bigint().default(0n),
  score: t.real().default(0),
  body: t.blob().nullable(),
  data: t.json<unknown>().nullable(),
  at: t.date({ as: 'seconds' }).nullable(),
  code: t.text().readonly().default('fixed'),
  createdAt: t.createdAt(),
  updatedAt: t.updatedAt(),
  version: t.version(),
})
const Plain = model('Plain', { id: t.integer().primaryKey(), stars: t.integer().default(0) })
const Big = model('Big', { id: t.bigint().primaryKey(), n: t.integer().default(0), version: t.version() })
const models = { docs: Doc, plains: Plain, bigs: Big }

describe.each(STORAGES)('update and delete in %s', storage => {
  test('the whole row comes back, and is what is stored', async () => {
    const { tables } = localDatabase(models, { storage })
    const doc = await tables.docs.create({ body: new Uint8Array([1]) })
    const other = await tables.docs.create({ title: 'other' })
    const updated = await tables.docs.update(doc.id, {
      title: 'new',
      data: { b: 1, a: [null] },
      at: new Date(1_999),
      body: new Uint8Array([2, 3]),
      big: -(2n ** 63n),
      stars: Number.MAX_SAFE_INTEGER,
    })
    expect(updated).toEqual({
      ...doc,
      title: 'new',
      data: { a: [null], b: 1 },
      at: new Date(1_000),
      body: new Uint8Array([2, 3]),
      big: -(2n ** 63n),
      stars: Number.MAX_SAFE_INTEGER,
      version: 2,
      updatedAt: expect.any(Date),
    })
    expect(await tables.docs.read(doc.id)).toEqual(updated)
    expect(await tables.docs.read(other.id)).toEqual(other)
    const emptied = await tables.docs.update(doc.id, { body: null, data: null, at: null, note: null })
    expect(emptied).toMatchObject({ body: null, data: null, at: null, note: null, version: 3 })
  })

  test('delete says whether there was such a row', async () => {
    const { tables } = localDatabase(models, { storage })
    const { id } = await tables.docs.create({})
    const other = await tables.docs.create({})
    expect(await tables.docs.delete(id)).toBe(true)
    expect(await tables.docs.delete(id)).toBe(false)
    expect(await tables.docs.list()).toEqual([other])
  })
})

describe('update', () => {
  test('undefined is left out; an empty patch counts the version and moves updatedAt', async () => {
    let now = 1_000
    const clock = { now: () => (now += 10), monotonic: () => 0, after: () => () => undefined }
    const { tables } = localDatabase(models, { parts: { clock } })
    const doc = await tables.docs.create({ note: 'kept' })
    const same = await tables.docs.update(doc.id, { note: undefined as never, title: undefined as never })
    expect(same).toEqual({ ...doc, version: 2, updatedAt: same.updatedAt })
    expect(same.updatedAt.getTime()).toBeGreaterThan(doc.updatedAt.getTime())
    expect(await tables.docs.update(doc.id, {})).toMatchObject({ note: 'kept', version: 3 })
    await tables.plains.create({ id: 1, stars: 5 })
    expect(await tables.plains.update(1, {})).toEqual({ id: 1, stars: 5 })
  })

  test('a key that no row has is NOT_FOUND, with and without a version', async () => {
    const { tables } = localDatabase(models)
    const error = { code: 'NOT_FOUND', model: 'Doc', op: 'update', fields: ['id'], retryable: false }
    await expect(tables.docs.update('nobody', { note: 'x' })).rejects.toMatchObject(error)
    await expect(tables.docs.update('nobody', {}, { version: 1 })).rejects.toMatchObject(error)
    expect(await tables.docs.count()).toBe(0)
  })

  test('a bigint key beyond 2^53 names one row', async () => {
    const { tables } = localDatabase(models)
    const id = 2n ** 53n
    await tables.bigs.bulkCreate([{ id }, { id: id + 1n }, { id: -(2n ** 63n) }])
    expect(await tables.bigs.update(id + 1n, { n: { $inc: 1 } }, { version: 1 })).toEqual({
      id: id + 1n,
      n: 1,
      version: 2,
    })
    expect(await tables.bigs.delete(id)).toBe(true)
    expect(await tables.bigs.list()).toEqual([
      { id: -(2n ** 63n), n: 0, version: 1 },
      { id: id + 1n, n: 1, version: 2 },
    ])
  })
})

describe('$inc', () => {
  test.each([
    ['stars', 1, 1],
    ['stars', -3, -3],
    ['stars', 2 ** 40, 2 ** 40],
    ['stars', Number.MIN_SAFE_INTEGER, Number.MIN_SAFE_INTEGER],
    ['big', 2n ** 62n, 2n ** 62n],
    ['score', 0.5, 0.5],
    ['score', Infinity, Infinity],
    ['likes', 1, null],
  ])('%s by %s', async (field, by, expected) => {
    const { tables } = localDatabase(models)
    const { id } = await tables.docs.create({})
    const row = await tables.docs.update(id, { [field]: { $inc: by } })
    expect(row[field as 'stars']).toBe(expected)
    expect(await tables.docs.read(id)).toEqual(row)
  })

  test('adds to what is stored, not to what was read', async () => {
    const db = localDatabase(models)
    const { id } = await db.tables.docs.create({ big: 2n ** 53n })
    const add = Doc.update(id, { stars: { $inc: 2 }, big: { $inc: 1n }, score: { $inc: 0.25 } })
    await db.tick([add, add, [add, add]])
    expect(await db.tables.docs.read(id)).toMatchObject({ stars: 8, big: 2n ** 53n + 4n, score: 1, version: 5 })
    expect(await db.sql`select typeof(stars) as a, typeof(big) as b, typeof(score) as c from docs`).toEqual([
      { a: 'integer', b: 'integer', c: 'real' },
    ])
  })

  test.each([
    ['big', 2n ** 63n - 1n, 1n],
    ['big', -(2n ** 63n), -1n],
    ['stars', Number.MAX_SAFE_INTEGER, 1],
    ['stars', Number.MIN_SAFE_INTEGER, -1],
  ])('beyond what %s holds is refused: %s + %s', async (field, from, by) => {
    const { tables } = localDatabase(models)
    const doc = await tables.docs.create({ [field]: from })
    await expect(tables.docs.update(doc.id, { [field]: { $inc: by } })).rejects.toMatchObject({
      code: 'VALIDATION',
      model: 'Doc',
      op: 'update',
      fields: [field],
    })
    await expect(tables.docs.bulkUpdate({ all: true, set: { [field]: { $inc: by } } })).rejects.toMatchObject({
      code: 'VALIDATION',
      op: 'bulkUpdate',
      fields: [field],
    })
    expect(await tables.docs.list()).toEqual([doc])
  })

  test('infinities that cancel are refused as NaN is', async () => {
    const { tables } = localDatabase(models)
    const doc = await tables.docs.create({ score: Infinity })
    await expect(tables.docs.update(doc.id, { score: { $inc: -Infinity } })).rejects.toMatchObject({
      code: 'VALIDATION',
      fields: ['score'],
    })
    expect(await tables.docs.read(doc.id)).toEqual(doc)
  })

  test('is no operator of other fields, and takes what the field takes', async () => {
    const { tables } = localDatabase(models)
    const doc = await tables.docs.create({})
    for (const patch of [
      { title: { $inc: 1 } },
      { stars: { $inc: 1.5 } },
      { stars: { $inc: 1n } },
      { stars: { $inc: null } },
      { stars: { $inc: undefined } },
      { stars: { $inc: 1, $dec: 1 } },
      { stars: {} },
      { likes: { $inc: null } },
      { big: { $inc: 1 } },
      { big: { $inc: 2n ** 63n } },
      { score: { $inc: NaN } },
      { at: { $inc: 1 } },
    ]) {
      await expect(
        tables.docs.update(doc.id, patch as never),
        JSON.stringify(Object.keys(patch)),
      ).rejects.toMatchObject({ code: 'VALIDATION', model: 'Doc', op: 'update', fields: Object.keys(patch) })
    }
    expect(await tables.docs.update(doc.id, { data: { $inc: 1 } as never })).toMatchObject({ data: { $inc: 1 } })
  })
})

describe('optimistic locking', () => {
  test('a version that has moved on is CONFLICT, retryable, and changes nothing', async () => {
    const { tables } = localDatabase(models)
    const doc = await tables.docs.create({})
    expect(doc.version).toBe(1)
    const saved = await tables.docs.update(doc.id, { title: 'a' }, { version: 1 })
    expect(saved.version).toBe(2)
    await expect(tables.docs.update(doc.id, { title: 'b' }, { version: 1 })).rejects.toMatchObject({
      code: 'CONFLICT',
      retryable: true,
      model: 'Doc',
      op: 'update',
      hint: expect.stringContaining('read it again'),
    })
    expect(await tables.docs.read(doc.id)).toEqual(saved)
  })

  test('of two writers in one tick one wins', async () => {
    const db = localDatabase(models)
    const doc = await db.tables.docs.create({})
    const settled = await db.tick([
      Doc.update(doc.id, { title: 'first' }, { version: 1 }),
      Doc.update(doc.id, { title: 'second' }, { version: 1 }),
    ])
    expect(settled.map(item => item.status)).toEqual(['fulfilled', 'rejected'])
    expect(await db.tables.docs.read(doc.id)).toMatchObject({ title: 'first', version: 2 })
  })

  test('every kind of update counts', async () => {
    const { tables } = localDatabase(models)
    const { id } = await tables.docs.create({})
    await tables.docs.bulkUpdate({ where: { id }, set: { title: 'b' } })
    await tables.docs.upsert({ id, title: 'c' })
    await tables.docs.bulkUpsert([{ id, title: 'd' }])
    await tables.docs.bulkCreate([{ id, title: 'e' }], { onConflict: 'update' })
    await tables.docs.bulkCreate([{ id, title: 'f' }], { onConflict: 'skip' })
    expect(await tables.docs.read(id)).toMatchObject({ title: 'e', version: 5 })
  })
})

describe('delete and references', () => {
  const Parent = model('Parent', { id: t.id(), code: t.integer().unique().nullable() })
  const Child = model('Child', {
    id: t.autoId(),
    cascade: t.ref('Parent', { onDelete: 'cascade' }).nullable(),
    setNull: t.ref('Parent', { onDelete: 'set null' }).nullable(),
    restrict: t.ref('Parent', { onDelete: 'restrict' }).nullable(),
    plain: t.ref('Parent').nullable(),
  })

  test('cascade, set null, restrict, and none', async () => {
    const { tables } = localDatabase({ parents: Parent, children: Child })
    const [a, b, c, d] = (await tables.parents.bulkCreate([{}, {}, {}, {}])).ids as [string, string, string, string]
    await tables.children.bulkCreate([{ cascade: a }, { setNull: b }, { restrict: c }, { plain: d }])
    expect(await tables.parents.delete(a)).toBe(true)
    expect(await tables.parents.delete(b)).toBe(true)
    for (const id of [c, d]) {
      await expect(tables.parents.delete(id)).rejects.toMatchObject({ code: 'FOREIGN_KEY', model: 'Parent' })
      await expect(tables.parents.bulkDelete({ where: { id } })).rejects.toMatchObject({ code: 'FOREIGN_KEY' })
    }
    expect(await tables.parents.count()).toBe(2)
    const none = { cascade: null, setNull: null, restrict: null, plain: null }
    expect(await tables.children.list()).toEqual([
      { ...none, id: 2 },
      { ...none, id: 3, restrict: c },
      { ...none, id: 4, plain: d },
    ])
  })

  test('an update that breaks a rule changes nothing', async () => {
    const db = localDatabase({ parents: Parent, children: Child })
    await db.tables.parents.bulkCreate([
      { id: 'a', code: 1 },
      { id: 'b', code: 2 },
    ])
    await db.tables.children.create({ plain: 'a' })
    await expect(db.tables.parents.update('b', { code: 1 })).rejects.toMatchObject({ code: 'UNIQUE', fields: ['code'] })
    await expect(db.tables.children.update(1, { plain: 'nobody' })).rejects.toMatchObject({ code: 'FOREIGN_KEY' })
    expect(await db.run(sql`select code from parents order by id`)).toEqual([{ code: 1 }, { code: 2 }])
    expect(await db.tables.children.read(1, { select: ['plain'] })).toEqual({ plain: 'a' })
  })
})
