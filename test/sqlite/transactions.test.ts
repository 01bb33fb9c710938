import { afterEach, beforeEach, describe, expect, test } from 'vitest'
import type { Sqlite } from '../../worker/seams.js'
import { failureOf, imageOf, LOSABLE, openDatabase, rowsOf, valueOf, type Opened } from './support.js'

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

/** No transaction is open, and the connection works. */
function expectClean(): void {
  expect(db.inTransaction).toBe(false)
  add(`clean ${Math.random()}`)
  db.begin().rollback()
}

describe('atomically', () => {
  test('commits and gives what the body gives', () => {
    expect(db.atomically(() => (expect(db.inTransaction).toBe(true), add('a'), 'result'))).toBe('result')
    expect(texts()).toEqual(['a'])
    expect(db.inTransaction).toBe(false)
  })

  test('takes back and throws what the body throws, SqliteError or not', () => {
    const mine = new Error('mine')
    expect(() =>
      db.atomically(() => {
        add('a')
        throw mine
      }),
    ).toThrow(mine)
    const error = failureOf(() => db.atomically(() => (add('a'), add('a'))))
    expect([error.code, error.transactionLost]).toEqual(['UNIQUE', false])
    expect(texts()).toEqual([])
    expectClean()
  })

  test('nested levels are taken back alone', () => {
    db.atomically(() => {
      add('1')
      db.atomically(() => add('2'))
      failureOf(() =>
        db.atomically(() => {
          add('3')
          db.atomically(() => add('4'))
          add('1')
        }),
      )
      db.atomically(() => {
        add('5')
        failureOf(() => db.atomically(() => (add('6'), add('1'))))
        add('7')
      })
    })
    expect(texts()).toEqual(['1', '2', '5', '7'])
    expectClean()
  })

  test('can be opened while rows are being read', () => {
    db.atomically(() => ['a', 'b', 'c'].forEach(add))
    db.each('SELECT id, x FROM t ORDER BY id', [], row => {
      const id = row.value(0) as number
      if (id === 2) failureOf(() => db.atomically(() => (add('lost'), add('a!'))))
      else db.atomically(() => db.run('UPDATE t SET x = x || ? WHERE id = ?', ['!', id]))
    })
    expect(texts()).toEqual(['a!', 'b', 'c!'])
    expectClean()
  })

  test('DDL is taken back too', () => {
    expect(() =>
      db.atomically(() => {
        db.exec('CREATE TABLE u(a); CREATE TABLE w(a); DROP TABLE t')
        throw new Error('no')
      }),
    ).toThrow('no')
    expect(texts()).toEqual([])
    expect(failureOf(() => db.run('SELECT * FROM u')).missing).toBe('table')
  })

  test('what a visitor throws ends the statement and comes through', () => {
    ;['a', 'b', 'c'].forEach(add)
    const mine = new RangeError('mine')
    const read = (): number =>
      db.each('SELECT x FROM t', [], () => {
        throw mine
      })
    expect(read).toThrow(mine)
    expect(() => db.atomically(read)).toThrow(mine)
    expectClean()
  })
})

describe('a lost transaction', () => {
  test('RAISE(ROLLBACK) outside of one is an ordinary error', () => {
    const error = failureOf(() => add('bomb'))
    expect([error.message, error.transactionLost]).toEqual(['boom', false])
    expectClean()
  })

  test.each([1, 2, 4])('RAISE(ROLLBACK) at depth %d', depth => {
    const nest = (level: number): unknown =>
      db.atomically(() => (add(`level ${level}`), level === depth ? add('bomb') : nest(level + 1)))
    const error = failureOf(() => nest(1))
    expect([error.message, error.transactionLost, error.code]).toEqual(['boom', true, 'SQL'])
    expect(texts()).toEqual([])
    expectClean()
  })

  test('after a swallowed loss nothing runs until the outermost level is left', () => {
    const error = failureOf(() =>
      db.atomically(() => {
        add('before')
        failureOf(() => db.atomically(() => add('bomb')))
        for (const next of [
          () => add('after'),
          () => rowsOf(db, 'SELECT 1'),
          () => db.exec('CREATE TABLE u(a)'),
          () => db.atomically(() => 1),
          () => db.tablesOf('SELECT 1'),
        ]) {
          const refused = failureOf(next)
          expect([refused.transactionLost, refused.message]).toEqual([
            true,
            'The transaction was rolled back by an earlier statement: boom',
          ])
        }
      }),
    )
    expect([error.message, error.transactionLost]).toEqual(['boom', true])
    expect(texts()).toEqual([])
    expectClean()
  })

  test('a deferred foreign key broken at COMMIT', () => {
    const error = failureOf(() =>
      db.atomically(() => {
        add('a')
        db.atomically(() => db.run('INSERT INTO child VALUES (7)'))
      }),
    )
    expect([error.code, error.transactionLost]).toEqual(['FOREIGN_KEY', true])
    expect(texts()).toEqual([])
    expect(valueOf(db, 'SELECT count(*) FROM child')).toBe(0)
    expectClean()
  })

  test('ON CONFLICT ROLLBACK while rows are being read', () => {
    ;['a', 'b'].forEach(add)
    const error = failureOf(() =>
      db.atomically(() => db.each('SELECT x FROM t', [], () => db.run("INSERT OR ROLLBACK INTO t(x) VALUES ('a')"))),
    )
    expect([error.code, error.transactionLost]).toEqual(['UNIQUE', true])
    expectClean()
  })
})

describe('begin', () => {
  const large = (count: number): void => {
    for (let i = 0; i < count; i++) add(`${i} ${'x'.repeat(2000)}`)
  }

  test('nothing reaches the file before commit, however much is written', () => {
    db.run('PRAGMA cache_size = 10')
    opened.file.takeChanges()
    const before = imageOf(opened.file)
    const transaction = db.begin()
    expect(db.inTransaction).toBe(true)
    large(3000)
    db.atomically(() => large(0))
    expect(failureOf(() => db.atomically(() => add('0 ' + 'x'.repeat(2000)))).code).toBe('UNIQUE')
    db.run('UPDATE t SET x = x || 1')
    expect(opened.file.takeChanges()).toBeNull()
    expect(Buffer.compare(imageOf(opened.file), before)).toBe(0)
    transaction.commit()
    expect(opened.file.takeChanges()!.bytes.length).toBeGreaterThan(5_000_000)
    expect(valueOf(db, 'SELECT count(*) FROM t')).toBe(3000)
    expect(valueOf(db, 'PRAGMA integrity_check')).toBe('ok')
    expectClean()
  })

  test('rollback leaves the file alone, and what was spilt before can be spilt again', () => {
    db.run('PRAGMA cache_size = 10')
    opened.file.takeChanges()
    const transaction = db.begin()
    large(2000)
    transaction.rollback()
    transaction.rollback()
    expect(opened.file.takeChanges()).toBeNull()
    expect(texts()).toEqual([])
    let spilt = 0
    db.atomically(() => {
      large(2000)
      spilt = opened.file.size
    })
    expect(spilt).toBeGreaterThan(1_000_000)
    expectClean()
  })

  test('is refused while a transaction is open; a closed one cannot commit', () => {
    const transaction = db.begin()
    expect(failureOf(() => db.begin()).code).toBe('SQL')
    add('a')
    transaction.commit()
    expect(failureOf(() => transaction.commit()).message).toBe('The transaction is closed')
    transaction.rollback()
    db.atomically(() => failureOf(() => db.begin()))
    const other = db.begin()
    expect(failureOf(() => transaction.commit()).code).toBe('SQL')
    db.atomically(() => failureOf(() => other.commit()))
    transaction.rollback()
    expect(db.inTransaction).toBe(true)
    other.rollback()
    expect(texts()).toEqual(['a'])
    expectClean()
  })

  test('a loss inside is told at once and at commit; rollback cleans up in silence', () => {
    const first = db.begin()
    add('a')
    expect(failureOf(() => add('bomb')).transactionLost).toBe(true)
    expect(failureOf(() => add('b')).transactionLost).toBe(true)
    expect(failureOf(() => first.commit()).transactionLost).toBe(true)
    expectClean()
    const second = db.begin()
    failureOf(() => db.atomically(() => add('bomb')))
    second.rollback()
    expectClean()
    const third = db.begin()
    db.run('INSERT INTO child VALUES (9)')
    const error = failureOf(() => third.commit())
    expect([error.code, error.transactionLost]).toEqual(['FOREIGN_KEY', true])
    expectClean()
  })

  test('reopening or closing rolls it back', () => {
    const transaction = db.begin()
    add('a')
    db.reopen()
    expect(db.inTransaction).toBe(false)
    expect(failureOf(() => transaction.commit()).code).toBe('SQL')
    expect(texts()).toEqual([])
    const second = db.begin()
    failureOf(() => add('bomb'))
    db.reopen()
    second.rollback()
    expectClean()
  })
})
