// The file is proven against sql.js's own export(), and against its own log of changes.
import { expect, test } from 'vitest'
import { CHUNK_SIZE } from '../../worker/sqlite/file.js'
import type { FileChanges } from '../../worker/seams.js'
import { boot, comparable, failureOf, imageOf, openDatabase, replay, rowsOf, valueOf, type Opened } from './support.js'

const insert = 'INSERT INTO t(a, b) VALUES (?, ?)'

function fill(db: Opened['db'], from: number, count: number): void {
  db.atomically(() => {
    for (let i = from; i < from + count; i++) db.run(insert, [`key ${(i * 7919) % 100_003}`, 'x'.repeat(i % 900)])
  })
}

const STEPS: readonly [string, (db: Opened['db']) => void][] = [
  ['create', db => db.exec('CREATE TABLE t(id INTEGER PRIMARY KEY, a TEXT UNIQUE, b TEXT) STRICT')],
  ['one row', db => db.run(insert, ['one', 'row'])],
  ['5000 rows, more than the cache holds', db => (db.run('PRAGMA cache_size = 20'), fill(db, 1, 5000))],
  [
    '5000 rows rolled back',
    db => {
      const stop = new Error('stop')
      expect(() => db.atomically(() => (fill(db, 10_000, 5000), fail(stop)))).toThrow(stop)
      expect(valueOf(db, 'SELECT count(*) FROM t')).toBe(5001)
    },
  ],
  [
    'savepoints',
    db =>
      db.atomically(() => {
        fill(db, 20_000, 200)
        expect(() => db.atomically(() => (fill(db, 21_000, 500), fail(new Error('inner'))))).toThrow('inner')
        fill(db, 22_000, 200)
      }),
  ],
  ['a constraint failure', db => expect(failureOf(() => db.run(insert, ['one', ''])).code).toBe('UNIQUE')],
  ['deletes', db => db.run('DELETE FROM t WHERE id % 3 = 0')],
  ['updates', db => db.run("UPDATE t SET b = b || 'more' WHERE id % 5 = 0")],
  [
    'more DDL',
    db => db.exec('CREATE INDEX i ON t(b); ALTER TABLE t ADD COLUMN c INTEGER; CREATE TABLE u(x); DROP INDEX i'),
  ],
  ['VACUUM', db => db.run('VACUUM')],
  ['delete everything', db => db.run('DELETE FROM t')],
  ['VACUUM to almost nothing', db => db.run('VACUUM')],
  ['grow again', db => fill(db, 0, 3000)],
]

function fail(error: Error): never {
  throw error
}

test('after every step the file is what export() says, and what the log of changes makes of an empty image', async () => {
  const { db, file, exported } = await openDatabase()
  const log: FileChanges[] = []
  const images: Uint8Array[] = [imageOf(file)]
  let replayed: Uint8Array = new Uint8Array(0)
  for (const [name, step] of STEPS) {
    step(db)
    const image = imageOf(file)
    expect(Buffer.compare(comparable(image), comparable(exported())), name).toBe(0)
    const changes = file.takeChanges()
    if (changes) {
      replayed = replay(replayed, changes)
      log.push(changes)
      images.push(image)
    }
    expect(Buffer.compare(replayed, image), name).toBe(0)
    expect(valueOf(db, 'PRAGMA integrity_check'), name).toBe('ok')
  }
  expect(images[3]!.length).toBeGreaterThan(CHUNK_SIZE * 4)

  // And all the way back.
  for (let i = log.length - 1; i >= 0; i--) {
    file.undo(log[i]!)
    expect(Buffer.compare(imageOf(file), images[i]!)).toBe(0)
    db.reopen()
    expect(valueOf(db, 'PRAGMA integrity_check')).toBe('ok')
  }
  expect(file.size).toBe(0)
  db.close()
})

test('a rolled back transaction and a failed statement leave nothing to save', async () => {
  const { db, file } = await openDatabase()
  STEPS[0]![1](db)
  fill(db, 0, 100)
  file.takeChanges()
  expect(() => db.atomically(() => (fill(db, 1000, 3000), fail(new Error('no'))))).toThrow('no')
  failureOf(() => db.run("INSERT INTO t(a) VALUES ('key 0')"))
  valueOf(db, 'SELECT count(*) FROM t')
  expect(file.takeChanges()).toBeNull()
  db.close()
})

test('a small commit changes few blocks', async () => {
  const { db, file } = await openDatabase()
  db.exec('CREATE TABLE t(id INTEGER PRIMARY KEY, a TEXT)')
  file.takeChanges()
  db.run("INSERT INTO t(a) VALUES ('hello')")
  expect(file.takeChanges()!.blocks.length).toBeLessThanOrEqual(3)
  db.run("UPDATE t SET a = 'hellO'")
  db.run("UPDATE t SET a = 'hello'")
  // The change counter is not written with locking_mode = EXCLUSIVE: what is equal again is not a change.
  expect(file.takeChanges()).toBeNull()
  db.close()
})

test('undoing what was taken and what was not, then reopening, gives the earlier rows', async () => {
  const { db, file } = await openDatabase()
  STEPS[0]![1](db)
  fill(db, 0, 500)
  file.takeChanges()
  const rows = rowsOf(db, 'SELECT * FROM t')
  fill(db, 1000, 2000)
  const second = file.takeChanges()!
  db.run('DELETE FROM t WHERE id < 300')
  const third = file.takeChanges()!
  db.exec('CREATE TABLE later(x)')
  file.undoUntaken()
  file.undo(third)
  file.undo(second)
  db.reopen()
  expect(rowsOf(db, 'SELECT * FROM t')).toEqual(rows)
  expect(valueOf(db, 'PRAGMA integrity_check')).toBe('ok')
  expect(failureOf(() => db.run('SELECT * FROM later')).missing).toBe('table')
  fill(db, 5000, 100)
  expect(valueOf(db, 'SELECT count(*) FROM t')).toBe(600)
  db.close()
})

test('a saved file opens again from its chunks, without a copy', async () => {
  const { db, file } = await openDatabase()
  STEPS[0]![1](db)
  fill(db, 0, 3000)
  const rows = rowsOf(db, 'SELECT * FROM t')
  db.close()
  const module = await boot()
  const chunks = Array.from({ length: file.chunkCount }, (_, i) => file.chunk(i).slice())
  const again = module.createFile({ chunks, size: file.size })
  const reopened = module.open(again)
  expect(again.chunk(1)).toBe(chunks[1])
  expect(rowsOf(reopened, 'SELECT * FROM t')).toEqual(rows)
  expect(again.takeChanges()).toBeNull()
  reopened.close()
})

test('a database in WAL mode, or with other pages, comes over', async () => {
  const { db, file } = await openDatabase()
  db.run('PRAGMA page_size = 1024')
  db.exec("CREATE TABLE t(a TEXT); INSERT INTO t VALUES ('x')")
  expect(valueOf(db, 'PRAGMA page_size')).toBe(1024)
  db.close()
  const wal = imageOf(file)
  wal[18] = wal[19] = 2
  const module = await boot()
  const chunk = new Uint8Array(CHUNK_SIZE)
  chunk.set(wal)
  const other = module.open(module.createFile({ chunks: [chunk], size: wal.length }))
  expect(valueOf(other, 'SELECT a FROM t')).toBe('x')
  other.run("INSERT INTO t VALUES ('y')")
  expect(valueOf(other, 'PRAGMA journal_mode')).toBe('memory')
  other.close()
})

test('two files in one module do not mix', async () => {
  const one = await openDatabase()
  const two = await openDatabase()
  STEPS[0]![1](one.db)
  STEPS[0]![1](two.db)
  one.db.atomically(() => {
    fill(one.db, 0, 1000)
    two.db.atomically(() => fill(two.db, 500, 2000))
  })
  for (const { db, file, exported } of [one, two]) {
    expect(Buffer.compare(comparable(imageOf(file)), comparable(exported()))).toBe(0)
    expect(valueOf(db, 'PRAGMA integrity_check')).toBe('ok')
  }
  expect(valueOf(one.db, 'SELECT count(*) FROM t')).toBe(1000)
  expect(valueOf(two.db, 'SELECT count(*) FROM t')).toBe(2000)
  const module = await boot()
  expect(failureOf(() => module.open(one.file)).message).toBe('The file is open already')
  one.db.close()
  expect(valueOf(two.db, 'SELECT count(*) FROM t')).toBe(2000)
  two.db.close()
})

test('what is not a database is STORAGE_CORRUPT when it is opened', async () => {
  const module = await boot()
  const noise = new Uint8Array(CHUNK_SIZE).map((_, i) => (i * 31) % 256)
  const file = module.createFile({ chunks: [noise], size: 8192 })
  expect(failureOf(() => module.open(file)).code).toBe('STORAGE_CORRUPT')
  // The descriptor is free again.
  expect(failureOf(() => module.open(file)).code).toBe('STORAGE_CORRUPT')
})
