// An import takes the place of everything, or of nothing.
import { describe, expect, test, vi } from 'vitest'
import { dataflow, model, t } from '../../src/index.js'
import { bytesOf, failureOf, foreignFile, models, readForeign, User, useOrigin } from './support.js'

useOrigin()

const FOREIGN_USERS = `
  CREATE TABLE "users" ("id" TEXT NOT NULL PRIMARY KEY, "name" TEXT NOT NULL, "balance" INTEGER NOT NULL DEFAULT 0) STRICT;
  INSERT INTO users VALUES ('x', 'Xenia', 3), ('y', 'Yves', 4);
  CREATE TABLE extra (a, b);
  INSERT INTO extra VALUES (1, 'one'), (2, 'two');
  CREATE VIEW both AS SELECT * FROM extra;`

describe.each(['memory', 'indexeddb'] as const)('import (%s)', storage => {
  const open = () => dataflow('app', { models, storage })

  test('brings back what an export took, for good', async () => {
    const db = open()
    await db.ensure()
    await db.users.create({ id: 'a', name: 'Ada' })
    const file = await db.export()
    await db.users.create({ id: 'b', name: 'Bob' })
    const report = await db.import(file)
    expect(report).toMatchObject({ applied: [], pending: [], cached: true, size: file.size })
    expect(await db.users.list({ select: ['id'] })).toEqual([{ id: 'a' }])
    await db.users.create({ id: 'c', name: 'Cy' })
    if (storage === 'memory') return
    await db.close()
    expect((await open().users.list({ select: ['id'], orderBy: { id: 'asc' } })).map(({ id }) => id)).toEqual([
      'a',
      'c',
    ])
  })

  test('takes every kind of source', async () => {
    const db = open()
    await db.users.create({ id: 'a', name: 'Ada' })
    const blob = await db.export()
    const bytes = new Uint8Array(await blob.arrayBuffer())
    const larger = new Uint8Array(bytes.length + 10)
    larger.set(bytes, 5)
    for (const source of [blob, bytes, bytes.buffer, larger.subarray(5, -5), blob.stream()]) {
      await db.users.bulkDelete({ all: true })
      await db.import(source)
      expect(await db.users.count()).toBe(1)
    }
    const broken = new ReadableStream<Uint8Array>({ start: controller => controller.error(new Error('gone')) })
    expect((await failureOf(db.import(broken))).message).toBe(
      '[IMPORT] The stream could not be read. Hint: see the cause; nothing was changed.',
    )
    expect((await failureOf(db.import('file' as never))).code).toBe('BAD_OPTION')
  })

  test("another program's file: its tables are kept, missing ones are made, what fits is used", async () => {
    const db = open()
    await db.users.create({ id: 'a', name: 'Ada' })
    const migrated: unknown[] = []
    db.on('migrate', report => migrated.push(report.applied.map(step => step.model)))
    const report = await db.import(await foreignFile(foreign => foreign.run(FOREIGN_USERS)))
    expect(report.applied.map(step => [step.kind, step.model])).toContainEqual(['createTable', 'Post'])
    await vi.waitFor(() => expect(migrated).toEqual([report.applied.map(step => step.model)]))
    expect(await db.users.list({ select: ['id', 'name'], orderBy: { id: 'asc' } })).toEqual([
      { id: 'x', name: 'Xenia' },
      { id: 'y', name: 'Yves' },
    ])
    await db.posts.create({ userId: 'x', title: 'Hello' })
    expect(await db.sql`SELECT * FROM both ORDER BY a`).toEqual([
      { a: 1, b: 'one' },
      { a: 2, b: 'two' },
    ])
    expect(await readForeign(await db.export(), 'SELECT count(*) FROM extra')).toEqual([[2]])
  })

  test('tells of a change in every model, and closes the breaker', async () => {
    const db = open()
    await db.transaction(async tx => {
      await tx.sql`DROP TABLE posts`
      await tx.sql`CREATE TABLE posts (id INTEGER)`
    })
    expect((await failureOf(db.posts.count())).code).toBe('SCHEMA_MISMATCH')
    const good = await foreignFile(foreign => foreign.run(FOREIGN_USERS))
    const changed: unknown[] = []
    db.on('change', change => changed.push(change))
    await db.import(good)
    expect(await db.posts.count()).toBe(0)
    const all = ['User', 'Post'].map(name => ({ model: name, ids: 'all', origin: 'local' }))
    await vi.waitFor(() => expect(changed).toEqual(all))
  })

  test('metrics go on, and a second operation is one statement', async () => {
    const db = open()
    await db.users.create({ name: 'Ada' })
    const before = await db.metrics()
    await db.import(await db.export())
    const after = await db.metrics()
    expect(after.statements.executed).toBeGreaterThanOrEqual(before.statements.executed)
    expect(after.ensure.invalidations).toBe(before.ensure.invalidations + 1)
    await db.users.count()
    const { statements } = await db.metrics()
    await db.users.count()
    expect((await db.metrics()).statements.executed).toBe(statements.executed + 1)
  })

  test('a file of an older build is migrated inside the copy', async () => {
    const older = dataflow('older', { models: { users: model('User', { id: t.id(), name: t.text() }) }, storage })
    await older.users.create({ id: 'o', name: 'Old' })
    const file = await older.export()
    const db = open()
    const report = await db.import(file)
    expect(report.applied.map(step => step.kind)).toEqual(['addColumn', 'createTable', 'createIndex'])
    expect(await db.users.read('o')).toEqual({ id: 'o', name: 'Old', balance: 0 })
    expect((await db.migrations.history()).length).toBeGreaterThan(1)
  })

  test('a file that was in WAL mode', async () => {
    const file = await foreignFile(foreign => foreign.run(FOREIGN_USERS))
    file.fill(2, 18, 20)
    const db = open()
    await db.import(file)
    expect(await db.users.count()).toBe(2)
    const exported = await bytesOf(await db.export())
    expect([exported[18], exported[19]]).toEqual([1, 1])
  })

  test.each([512, 1024, 65_536])('a file with database pages of %i bytes goes on with them', async size => {
    const db = open()
    await db.import(await foreignFile(foreign => foreign.run(`PRAGMA page_size = ${size}; VACUUM; ${FOREIGN_USERS}`)))
    await db.users.bulkCreate(Array.from({ length: 300 }, () => ({ name: 'x'.repeat(1000) })))
    const file = await db.export()
    expect(await readForeign(file, 'PRAGMA page_size')).toEqual([[size]])
    expect(await readForeign(file, 'PRAGMA integrity_check')).toEqual([['ok']])
    if (storage === 'memory') return
    await db.close()
    expect(await open().users.count()).toBe(302)
  })

  test('waits for an open transaction; what is written meanwhile is not lost but replaced, and nothing hangs', async () => {
    const db = open()
    await db.users.create({ id: 'a', name: 'Ada' })
    const file = await db.export()
    let importing: Promise<unknown> | undefined
    const later: Promise<unknown>[] = []
    await db.transaction(async tx => {
      await tx.users.create({ id: 'b', name: 'Bob' })
      importing = db.import(file)
      await tx.users.create({ id: 'c', name: 'Cy' })
    })
    for (let i = 0; i < 50; i++) later.push(db.users.create({ id: `${i}`, name: 'later' }))
    await importing
    const results = await Promise.allSettled(later)
    expect(results.every(({ status }) => status === 'fulfilled')).toBe(true)
    expect(await db.users.read('b')).toBeNull()
    expect(await db.users.read('a')).not.toBeNull()
  })

  test('whatever is awaited behind the import is there', async () => {
    const db = open()
    await db.users.create({ id: 'a', name: 'Ada' })
    const file = await db.export()
    for (let round = 0; round < 5; round++) {
      const importing = db.import(file)
      const behind = importing.then(() => db.users.create({ id: `after ${round}`, name: 'x' }))
      await Promise.all([importing, behind])
      expect((await db.users.list({ select: ['id'] })).map(({ id }) => id).sort()).toEqual(['a', `after ${round}`])
    }
  })

  test('two imports, an export and a backup at once: one after the other', async () => {
    const db = open()
    await db.users.create({ id: 'a', name: 'Ada' })
    const one = await db.export()
    await db.users.create({ id: 'b', name: 'Bob' })
    const two = await db.export()
    const all = [db.import(one), db.export(), db.import(two), ...(storage === 'memory' ? [] : [db.backup()])]
    await Promise.all(all)
    expect(await readForeign(await db.export(), 'PRAGMA integrity_check')).toEqual([['ok']])
    expect([1, 2]).toContain(await db.users.count())
  })

  test('aborted by the page: not done, or in time to be done', async () => {
    const db = open()
    await db.users.create({ id: 'a', name: 'Ada' })
    const before = await bytesOf(await db.export())
    const other = dataflow('other', { models: { users: User }, storage: 'memory' })
    await other.users.bulkCreate(Array.from({ length: 6000 }, () => ({ name: 'x'.repeat(2000) })))
    const controller = new AbortController()
    const reason = new Error('enough')
    const options = { signal: controller.signal, onProgress: () => controller.abort(reason) }
    const error = await failureOf(db.import(await other.export(), options)).catch(() => null)
    expect(await db.users.count()).toBe(error ? 1 : 6000)
    if (!error) return
    expect([error.code, error.cause]).toEqual(['ABORTED', reason])
    expect((await bytesOf(await db.export())).equals(before)).toBe(true)
  })

  test('aborted while it waits for a transaction: at once, and the transaction goes on', async () => {
    const db = open()
    await db.users.create({ id: 'a', name: 'Ada' })
    const file = await foreignFile(foreign => foreign.run(FOREIGN_USERS))
    const controller = new AbortController()
    await db.transaction(async tx => {
      let read!: () => void
      const whenRead = new Promise<void>(resolve => (read = resolve))
      const ended = failureOf(db.import(file, { signal: controller.signal, onProgress: () => read() }))
      await whenRead
      controller.abort()
      expect((await ended).code).toBe('ABORTED')
      await tx.users.create({ id: 'b', name: 'Bob' })
    })
    expect(await db.users.count()).toBe(2)
  })

  test('closed in the middle: it settles, and the saved state is one or the other', async () => {
    const db = open()
    await db.users.create({ id: 'a', name: 'Ada' })
    const file = await foreignFile(foreign => foreign.run(FOREIGN_USERS))
    const code = await db.import(file, { onProgress: () => void db.close() }).then(
      () => 'ok',
      (error: { code: string }) => error.code,
    )
    expect(['ok', 'CLOSED']).toContain(code)
    await db.close()
    if (storage === 'memory') return
    expect([1, 2]).toContain(await open().users.count())
  })

  test('progress ends at its total', async () => {
    const db = open()
    const other = dataflow('other', { models: { users: User }, storage: 'memory' })
    await other.users.bulkCreate(Array.from({ length: 6000 }, () => ({ name: 'x'.repeat(2000) })))
    const seen: { done: number; total: number }[] = []
    const { size } = await db.import(await other.export(), { onProgress: progress => void seen.push(progress) })
    expect(seen.every(({ total }) => total === seen[0]!.total)).toBe(true)
    expect(seen.map(({ done }) => done)).toEqual(seen.map(({ done }) => done).sort((a, b) => a - b))
    expect(seen.at(-1)!.done / seen[0]!.total).toBe(1)
    expect(size).toBeGreaterThan(10_000_000)
  })
})
