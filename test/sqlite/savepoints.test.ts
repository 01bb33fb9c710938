// Savepoints that are closed by hand, inside transactions of both kinds.
import fc from 'fast-check'
import { afterEach, beforeEach, expect, test } from 'vitest'
import type { OpenTransaction, Savepoint, Sqlite } from '../../worker/seams.js'
import { failureOf, LOSABLE, openDatabase, rowsOf, valueOf, type Opened } from './support.js'

let opened: Opened
let db: Sqlite
beforeEach(async () => {
  opened = await openDatabase()
  db = opened.db
  db.exec(LOSABLE)
})
afterEach(() => db.close())

const add = (x: string): number => db.run('INSERT INTO t(x) VALUES (?)', [x])
const texts = (): unknown[] => rowsOf(db, 'SELECT x FROM t ORDER BY id').flat()

test('needs an open transaction', () => {
  expect(failureOf(() => db.savepoint()).message).toBe('A savepoint needs an open transaction')
  expect(db.inTransaction).toBe(false)
})

test('what is released stays, what is rolled back is gone, in a lease', () => {
  const lease = db.begin()
  add('a')
  const kept = db.savepoint()
  add('b')
  kept.release()
  const back = db.savepoint()
  add('c')
  db.exec('CREATE TABLE made(x)')
  back.rollback()
  add('d')
  lease.commit()
  expect(texts()).toEqual(['a', 'b', 'd'])
  expect(failureOf(() => db.run('INSERT INTO made VALUES (1)')).missing).toBe('table')
})

test('and inside atomically, which can be inside a savepoint again', () => {
  db.atomically(() => {
    const outer = db.savepoint()
    add('a')
    db.atomically(() => {
      const inner = db.savepoint()
      add('b')
      inner.rollback()
      add('c')
    })
    outer.release()
    const second = db.savepoint()
    db.atomically(() => add('d'))
    second.rollback()
  })
  expect(texts()).toEqual(['a', 'c'])
})

test('ending one ends what was opened in it', () => {
  const lease = db.begin()
  const outer = db.savepoint()
  add('a')
  const inner = db.savepoint()
  add('b')
  outer.rollback()
  expect(failureOf(() => inner.release()).message).toBe('The savepoint is closed')
  inner.rollback()
  const again = db.savepoint()
  add('c')
  // An old handle of the same depth ends nothing.
  outer.rollback()
  inner.rollback()
  expect(failureOf(() => outer.release()).message).toBe('The savepoint is closed')
  const left = db.savepoint()
  add('d')
  again.release()
  expect(failureOf(() => left.release()).message).toBe('The savepoint is closed')
  const forgotten = db.savepoint()
  add('e')
  lease.commit()
  forgotten.rollback()
  expect(texts()).toEqual(['c', 'd', 'e'])
  db.atomically(() => {
    db.savepoint()
    add('f')
  })
  expect(() =>
    db.atomically(() => {
      db.savepoint()
      add('g')
      throw new Error('back')
    }),
  ).toThrow('back')
  expect(texts()).toEqual(['c', 'd', 'e', 'f'])
  expect(db.inTransaction).toBe(false)
})

test('cannot end while code of atomically runs in it', () => {
  const lease = db.begin()
  const savepoint = db.savepoint()
  db.atomically(() => {
    expect(failureOf(() => savepoint.release()).message).toBe('Something is running in the transaction')
    expect(failureOf(() => savepoint.rollback()).message).toBe('Something is running in the transaction')
    expect(failureOf(() => lease.rollback()).message).toBe('Something is running in the transaction')
    add('a')
  })
  savepoint.release()
  lease.commit()
  expect(texts()).toEqual(['a'])
})

test('when the whole transaction is lost inside, release and commit say why; rollback is silent', () => {
  const lease = db.begin()
  add('a')
  const outer = db.savepoint()
  const inner = db.savepoint()
  expect(failureOf(() => add('bomb')).transactionLost).toBe(true)
  expect(failureOf(() => db.savepoint()).transactionLost).toBe(true)
  expect(failureOf(() => inner.release())).toMatchObject({ message: 'boom', transactionLost: true })
  outer.rollback()
  expect(failureOf(() => lease.commit())).toMatchObject({ message: 'boom', transactionLost: true })
  const error = failureOf(() =>
    db.atomically(() => {
      const savepoint = db.savepoint()
      failureOf(() => add('bomb'))
      savepoint.rollback()
      add('never')
    }),
  )
  expect(error.transactionLost).toBe(true)
  expect(texts()).toEqual([])
  expect(db.inTransaction).toBe(false)
})

test('a deferred foreign key is looked at when the transaction commits, not when a savepoint is released', () => {
  const lease = db.begin()
  const savepoint = db.savepoint()
  db.run('INSERT INTO child VALUES (7)')
  savepoint.release()
  expect(failureOf(() => lease.commit())).toMatchObject({ code: 'FOREIGN_KEY', transactionLost: true })
  const mended = db.begin()
  const back = db.savepoint()
  db.run('INSERT INTO child VALUES (7)')
  back.rollback()
  mended.commit()
  expect(valueOf(db, 'SELECT count(*) FROM child')).toBe(0)
})

test('nothing of it reaches the file before the commit of a lease, and reopening rolls all of it back', () => {
  db.run('PRAGMA cache_size = 10')
  opened.file.takeChanges()
  const lease = db.begin()
  const savepoint = db.savepoint()
  for (let i = 0; i < 1000; i++) add(`${i} ${'x'.repeat(2000)}`)
  savepoint.release()
  db.savepoint()
  expect(opened.file.takeChanges()).toBeNull()
  db.reopen()
  expect(db.inTransaction).toBe(false)
  expect(failureOf(() => lease.commit()).message).toBe('The transaction is closed')
  expect(failureOf(() => savepoint.release()).message).toBe('The savepoint is closed')
  expect(texts()).toEqual([])
})

const step = fc.oneof(
  { weight: 4, arbitrary: fc.record({ kind: fc.constant('put' as const), id: fc.nat(9), x: fc.nat(99) }) },
  { weight: 2, arbitrary: fc.record({ kind: fc.constant('fail' as const), id: fc.nat(9) }) },
  { weight: 3, arbitrary: fc.record({ kind: fc.constant('open' as const) }) },
  // How far up from the innermost: what is above ends too.
  {
    weight: 2,
    arbitrary: fc.record({ kind: fc.constantFrom('release' as const, 'rollback' as const), up: fc.nat(2) }),
  },
  { weight: 1, arbitrary: fc.record({ kind: fc.constantFrom('commit' as const, 'abandon' as const) }) },
)

test('any sequence of savepoints leaves the rows that a stack of copies leaves', () => {
  db.exec('CREATE TABLE kv(id INTEGER PRIMARY KEY, x INTEGER)')
  fc.assert(
    fc.property(fc.array(step, { maxLength: 40 }), steps => {
      db.run('DELETE FROM kv')
      type Rows = Map<number, number>
      let lease: OpenTransaction = db.begin()
      let rows: Rows = new Map()
      let stack: { before: Rows; savepoint: Savepoint | null }[] = [{ before: new Map(), savepoint: null }]
      const put = (id: number, x: number) =>
        db.run('INSERT INTO kv VALUES (?, ?) ON CONFLICT DO UPDATE SET x = excluded.x', [id, x])
      for (const step of steps) {
        if (step.kind === 'put') {
          put(step.id, step.x)
          rows.set(step.id, step.x)
        } else if (step.kind === 'fail') {
          failureOf(() =>
            db.atomically(() => {
              put(step.id, -1)
              db.run('INSERT INTO kv VALUES (?, 0)', [step.id])
            }),
          )
        } else if (step.kind === 'open') {
          stack.push({ before: new Map(rows), savepoint: db.savepoint() })
        } else if (step.kind === 'release' || step.kind === 'rollback') {
          const at = Math.max(stack.length - 1 - step.up, 1)
          if (at >= stack.length) continue
          const { before, savepoint } = stack[at]!
          savepoint![step.kind]()
          if (step.kind === 'rollback') rows = before
          stack.length = at
        } else {
          if (step.kind === 'commit') lease.commit()
          else {
            lease.rollback()
            rows = stack[0]!.before
          }
          lease = db.begin()
          stack = [{ before: new Map(rows), savepoint: null }]
        }
        const found = rowsOf(db, 'SELECT id, x FROM kv ORDER BY id')
        expect(found).toEqual([...rows].sort(([a], [b]) => a - b))
      }
      lease.rollback()
    }),
    { numRuns: 200 },
  )
})
