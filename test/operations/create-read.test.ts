// create, read and readOrThrow: what is generated, what comes back, what is stored.
import { describe, expect, test } from 'vitest'
import { model, sql, t } from '../../src/index.js'
import { freshName, localDatabase, STORAGES } from '../support/local.js'

const User = model('User', {
  id: t.id(),
  name: t.text(),
  email: t.text({ max: 20 }).nullable().unique(),
  role: t.enum(['admin', 'member']).default('member'),
  createdAt: t.createdAt(),
  updatedAt: t.updatedAt(),
  version: t.version(),
})
const Log = model('Log', { id: t.autoId(), text: t.text().default(''), userId: t.ref('User').nullable() })
const Files = model('Files', {
  id: t.id(),
  thumb: t.blob().nullable(),
  name: t.text(),
  body: t.blob(),
  size: t.bigint().default(0n),
})
const models = { users: User, logs: Log, files: Files }
const UUID_V7 = /^[0-9a-f]{8}-[0-9a-f]{4}-7[0-9a-f]{3}-[89ab][0-9a-f]{3}-[0-9a-f]{12}$/

describe.each(STORAGES)('create and read in %s', storage => {
  const open = () => localDatabase(models, { storage })

  test('the row that comes back is the one that is stored', async () => {
    const { tables } = open()
    const before = Date.now()
    const row = await tables.users.create({ name: 'Ada' })
    expect(row).toEqual({
      id: expect.stringMatching(UUID_V7),
      name: 'Ada',
      email: null,
      role: 'member',
      createdAt: expect.any(Date),
      updatedAt: row.createdAt,
      version: 1,
    })
    expect(row.createdAt.getTime()).toBeGreaterThanOrEqual(before)
    expect(row.createdAt.getTime()).toBeLessThanOrEqual(Date.now())
    expect(await tables.users.read(row.id)).toEqual(row)
    expect(await tables.users.readOrThrow(row.id)).toEqual(row)
    expect(Object.keys((await tables.users.read(row.id))!)).toEqual(Object.keys(row))
  })

  test('an id of ones own is kept, also an empty one', async () => {
    const { tables } = open()
    for (const id of ['own', '', '🦫', 'nul \0 inside', 'quote \' " ;--']) {
      await tables.users.create({ id, name: 'x' })
      expect((await tables.users.read(id))?.id).toBe(id)
    }
    expect(await tables.users.count()).toBe(5)
  })
})

test('rows survive a reopening', async () => {
  const name = freshName()
  const first = localDatabase(models, { name, storage: 'indexeddb' })
  const row = await first.tables.files.create({ name: 'a', body: new Uint8Array([1, 2, 3]), size: 2n ** 62n })
  await first.close()
  const second = localDatabase(models, { name, storage: 'indexeddb' })
  expect(await second.tables.files.read(row.id)).toEqual(row)
  await second.close()
})

describe('read', () => {
  test('null for a key that no row has; readOrThrow is NOT_FOUND', async () => {
    const { tables } = localDatabase(models)
    expect(await tables.users.read('nobody')).toBeNull()
    await expect(tables.users.readOrThrow('nobody')).rejects.toMatchObject({
      code: 'NOT_FOUND',
      model: 'User',
      op: 'readOrThrow',
      fields: ['id'],
      hint: expect.stringContaining('db.users.read(id)'),
      retryable: false,
    })
  })

  test('select gives these fields, in this order, once', async () => {
    const { tables } = localDatabase(models)
    const { id } = await tables.users.create({ name: 'Ada' })
    const row = await tables.users.read(id, { select: ['role', 'id', 'role'] })
    expect(Object.entries(row!)).toEqual([
      ['role', 'member'],
      ['id', id],
    ])
    expect(await tables.users.readOrThrow(id, { select: ['version'] })).toEqual({ version: 1 })
  })

  test('two blobs in a row, selected in any order, beside other fields', async () => {
    const { tables } = localDatabase(models)
    const body = new Uint8Array([0, 255, 7])
    const thumb = new Uint8Array([])
    const file = await tables.files.create({ name: 'a', body, thumb, size: -(2n ** 63n) })
    const none = await tables.files.create({ name: 'b', body })
    expect(file).toEqual({ id: file.id, thumb, name: 'a', body, size: -(2n ** 63n) })
    expect(none.thumb).toBeNull()
    expect(await tables.files.read(file.id)).toEqual(file)
    expect(await tables.files.read(none.id)).toEqual(none)
    expect(await tables.files.read(file.id, { select: ['body', 'size', 'thumb'] })).toEqual({
      body,
      size: -(2n ** 63n),
      thumb,
    })
    expect(await tables.files.read(none.id, { select: ['thumb'] })).toEqual({ thumb: null })
    expect(await tables.files.read('nobody')).toBeNull()
  })

  test('a blob is copied, in and out', async () => {
    const { tables } = localDatabase(models)
    const body = new Uint8Array([1, 2, 3, 4]).subarray(1, 3)
    const pending = tables.files.create({ name: 'a', body })
    const file = await pending
    body[0] = 99
    expect(file.body).toEqual(new Uint8Array([2, 3]))
    file.body[0] = 77
    expect((await tables.files.read(file.id))?.body).toEqual(new Uint8Array([2, 3]))
    const buffer = await tables.files.create({ name: 'b', body: new Uint8Array([5, 6]).buffer as never })
    expect(buffer.body).toEqual(new Uint8Array([5, 6]))
  })
})

describe('what is made', () => {
  test('autoId counts, is kept when given, and is not used again after a delete', async () => {
    const { tables, sql: raw } = localDatabase(models)
    expect(await tables.logs.create({})).toEqual({ id: 1, text: '', userId: null })
    expect((await tables.logs.create({ id: 10 })).id).toBe(10)
    expect((await tables.logs.create({ text: 'next' })).id).toBe(11)
    expect((await tables.logs.create({ id: -5 })).id).toBe(-5)
    expect(await tables.logs.read(-5)).toEqual({ id: -5, text: '', userId: null })
    expect((await tables.logs.create({ id: 2 ** 40 })).id).toBe(2 ** 40)
    expect((await tables.logs.create({})).id).toBe(2 ** 40 + 1)
    expect(await tables.logs.read(2 ** 40 + 1)).not.toBeNull()
    expect(await raw`select typeof(id) as type from logs group by 1`).toEqual([{ type: 'integer' }])
  })

  test('createdAt and updatedAt are equal within one transaction, an update moves only updatedAt', async () => {
    let now = 1_000
    const db = localDatabase(models, {
      parts: { clock: { now: () => now++, monotonic: () => 0, after: () => () => undefined } },
    })
    const rows = await db.batch([
      User.create({ name: 'a' }),
      User.create({ name: 'b' }),
      User.bulkCreate([{ name: 'c' }, { name: 'd' }]),
      User.list(),
    ])
    const stamps = (rows[3] as { createdAt: Date; updatedAt: Date }[]).flatMap(row => [row.createdAt, row.updatedAt])
    expect(new Set(stamps.map(Number)).size).toBe(1)
    expect(rows[0].createdAt).toEqual(stamps[0])
    const changed = await db.tables.users.update(rows[0].id, { name: 'z' })
    expect(changed.createdAt).toEqual(rows[0].createdAt)
    expect(changed.updatedAt.getTime()).toBeGreaterThan(rows[0].updatedAt.getTime())
  })

  test('an operation value run twice makes two rows', async () => {
    const db = localDatabase(models)
    const operation = User.create({ name: 'twice' })
    const [one, two] = await db.batch([operation, operation])
    expect(one.id).not.toBe(two.id)
    expect((await db.run(operation)).id).not.toBe(one.id)
    expect(await db.tables.users.count()).toBe(3)
  })

  test('defaults: a constant, a function per row, an expression; undefined is left out, null is null', async () => {
    let made = 0
    const Item = model('Item', {
      id: t.id(() => `item-${++made}`),
      constant: t.integer().default(7),
      nothing: t.text().nullable(),
      maybe: t.text().nullable().default('there'),
      code: t.text().default(() => `code-${made}`),
      expression: t.integer().default(sql`(40 + 2)`),
      fixed: t.text().readonly().default('fixed'),
      list: t.json<number[]>().default([1, 2]),
      bytes: t.blob().default(new Uint8Array([1, 0])),
      big: t.bigint().default(2n ** 63n - 1n),
      at: t.date().default(new Date(5)),
    })
    const { tables } = localDatabase({ items: Item })
    const expected = {
      constant: 7,
      nothing: null,
      maybe: 'there',
      expression: 42,
      fixed: 'fixed',
      list: [1, 2],
      bytes: new Uint8Array([1, 0]),
      big: 2n ** 63n - 1n,
      at: new Date(5),
    }
    const first = await tables.items.create({})
    expect(first).toEqual({ id: 'item-1', code: 'code-1', ...expected })
    const second = await tables.items.create({ maybe: null, nothing: undefined, constant: undefined } as never)
    expect(second).toEqual({ ...expected, id: 'item-2', code: 'code-2', maybe: null })
    expect(await tables.items.list()).toEqual([first, second])
    const { ids } = await tables.items.bulkCreate([{}, { expression: 1 }, {}])
    expect(ids).toEqual(['item-3', 'item-4', 'item-5'])
    expect(await tables.items.list({ where: { id: { $in: ids } }, select: ['expression', 'code'] })).toEqual([
      { expression: 42, code: 'code-3' },
      { expression: 1, code: 'code-4' },
      { expression: 42, code: 'code-5' },
    ])
  })
})

describe('keys and references', () => {
  test('refs to id, autoId and bigint keys hold what the key holds', async () => {
    const Big = model('Big', { id: t.bigint().primaryKey(), name: t.text().default('') })
    const Child = model('Child', {
      id: t.autoId(),
      user: t.ref('User'),
      log: t.ref('Log').$type<number>(),
      big: t.ref('Big').$type<bigint>(),
    })
    const db = localDatabase({ users: User, logs: Log, bigs: Big, children: Child })
    const { tables } = db
    const user = await tables.users.create({ name: 'Ada' })
    const log = await tables.logs.create({ userId: user.id })
    const big = await tables.bigs.create({ id: 2n ** 63n - 1n })
    const child = await tables.children.create({ user: user.id, log: log.id, big: big.id })
    expect(child).toEqual({ id: 1, user: user.id, log: 1, big: 2n ** 63n - 1n })
    expect(await tables.children.read(1)).toEqual(child)
    expect(await tables.children.list({ where: { big: 2n ** 63n - 1n, log: 1 } })).toEqual([child])
    expect(await tables.bigs.read(2n ** 63n - 1n)).toEqual({ id: 2n ** 63n - 1n, name: '' })
    expect(await tables.bigs.read(2n ** 63n - 2n)).toBeNull()
    for (const wrong of [{ user: 'nobody' }, { log: 2 }, { big: 2n ** 63n - 2n }]) {
      await expect(tables.children.create({ user: user.id, log: log.id, big: big.id, ...wrong })).rejects.toMatchObject(
        { code: 'FOREIGN_KEY', model: 'Child', op: 'create' },
      )
    }
    expect(await tables.children.count()).toBe(1)
    await expect(tables.bigs.delete(big.id)).rejects.toMatchObject({ code: 'FOREIGN_KEY', model: 'Big', op: 'delete' })
  })

  test('tables and columns with odd names', async () => {
    const Odd = model(
      'Odd',
      {
        id: t.integer().primaryKey().column('Order ID'),
        city: t.text().column('Ship "City"'),
        select: t.json<unknown>().column('select'),
        blob: t.blob().nullable().column('a.b; drop'),
        up: t.bigint().default(1n).column("it's"),
      },
      { table: 'Order Details', unique: [['city']], indexes: [['up', 'city']] },
    )
    const db = localDatabase({ odd: Odd })
    const { tables } = db
    const row = await tables.odd.create({ id: 1, city: 'Lille', select: { a: 1 }, blob: new Uint8Array([1]) })
    expect(row).toEqual({ id: 1, city: 'Lille', select: { a: 1 }, blob: new Uint8Array([1]), up: 1n })
    expect(await tables.odd.list({ where: { city: 'Lille', up: { $lt: 2n } }, orderBy: { up: 'desc' } })).toEqual([row])
    expect(await tables.odd.update(1, { up: { $inc: 2n } })).toEqual({ ...row, up: 3n })
    await expect(tables.odd.create({ id: 2, city: 'Lille', select: 1 })).rejects.toMatchObject({
      code: 'UNIQUE',
      fields: ['city'],
      model: 'Odd',
    })
    expect(await tables.odd.upsert({ id: 3, city: 'Lille', select: 2 }, { on: 'city' })).toMatchObject({
      id: 1,
      select: 2,
    })
    expect(await db.sql`select "Ship ""City""" as city from "Order Details"`).toEqual([{ city: 'Lille' }])
    expect(await tables.odd.page({ limit: 1, orderBy: { up: 'desc' }, select: ['city'] })).toMatchObject({
      items: [{ city: 'Lille' }],
      next: null,
    })
    expect(await tables.odd.bulkDelete({ where: { city: 'Lille' } })).toEqual({ count: 1, ids: [1], errors: [] })
  })
})
