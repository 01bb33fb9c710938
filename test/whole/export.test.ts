// An export is a plain SQLite file of one moment, whatever is written meanwhile.
import { describe, expect, test } from 'vitest'
import { dataflow } from '../../src/index.js'
import { askSqlite3, bytesOf, failureOf, models, readForeign, useOrigin } from './support.js'

useOrigin()

describe.each(['memory', 'indexeddb'] as const)('export (%s)', storage => {
  const open = () => dataflow('app', { models, storage })

  test('is a SQLite file that others read', async () => {
    const db = open()
    await db.users.bulkCreate([
      { id: 'a', name: 'Ada', balance: 5 },
      { id: 'b', name: 'Bob', balance: 7 },
    ])
    const file = await db.export()
    expect(file.type).toBe('application/vnd.sqlite3')
    expect(await readForeign(file, 'SELECT id, name, balance FROM users ORDER BY id')).toEqual([
      ['a', 'Ada', 5],
      ['b', 'Bob', 7],
    ])
    expect(await readForeign(file, 'PRAGMA integrity_check')).toEqual([['ok']])
    const answer = await askSqlite3(file, 'SELECT count(*), sum(balance) FROM users; PRAGMA integrity_check')
    if (answer !== null) expect(answer).toBe('2|12\nok')
  })

  test('of a database that was never written is one as well, and can be imported', async () => {
    const db = open()
    const file = await db.export()
    expect(file.size).toBeGreaterThan(0)
    expect(await readForeign(file, 'SELECT count(*) FROM sqlite_schema')).toEqual([[0]])
    await db.users.create({ name: 'Ada' })
    await db.import(file)
    expect(await db.users.count()).toBe(0)
  })

  test('is of one moment while writes go on', async () => {
    const db = open()
    const filler = 'x'.repeat(2000)
    await db.users.bulkCreate(Array.from({ length: 4000 }, (_, i) => ({ id: `${i}`, name: filler, balance: 10 })))
    const stop = new AbortController()
    let transfers = 0
    const writing = (async () => {
      for (let i = 0; !stop.signal.aborted; i++) {
        // A transfer of one unit: the sum of all balances stays what it is.
        const [from, to] = [i % 4000, (i * 7 + 13) % 4000]
        if (from === to) continue
        await db.batch([
          models.users.update(`${from}`, { balance: { $inc: -1 } }),
          models.users.update(`${to}`, { balance: { $inc: 1 } }),
        ])
        transfers++
      }
    })()
    const sizes: number[] = []
    for (let round = 0; round < 5; round++) {
      const before = transfers
      const file = await db.export({ onProgress: ({ total }) => void sizes.push(total) })
      expect(await readForeign(file, 'SELECT count(*), sum(balance) FROM users')).toEqual([[4000, 40_000]])
      expect(await readForeign(file, 'PRAGMA integrity_check')).toEqual([['ok']])
      expect(file.size).toBe(sizes.at(-1))
      expect(transfers).toBeGreaterThan(before)
    }
    stop.abort()
    await writing
  })

  test('two at once, each of its moment', async () => {
    const db = open()
    await db.users.create({ id: 'a', name: 'Ada' })
    const first = db.export()
    await db.users.create({ id: 'b', name: 'Bob' })
    const [one, two] = await Promise.all([first, db.export()])
    expect(await readForeign(one, 'SELECT count(*) FROM users')).toEqual([[1]])
    expect(await readForeign(two, 'SELECT count(*) FROM users')).toEqual([[2]])
  })

  test('waits for an open transaction', async () => {
    const db = open()
    await db.users.create({ id: 'a', name: 'Ada' })
    let exporting: Promise<Blob> | undefined
    await db.transaction(async tx => {
      await tx.users.update('a', { balance: 1 })
      exporting = db.export()
      await tx.users.update('a', { balance: 2 })
    })
    expect(await readForeign((await exporting)!, 'SELECT balance FROM users')).toEqual([[2]])
  })

  test('tells how far it is, and can be aborted in between', async () => {
    const db = open()
    await db.users.bulkCreate(Array.from({ length: 6000 }, () => ({ name: 'x'.repeat(2000) })))
    const seen: number[] = []
    const file = await db.export({ onProgress: ({ done }) => void seen.push(done) })
    expect(seen.length).toBeGreaterThan(2)
    expect(seen).toEqual([...seen].sort((a, b) => a - b))
    expect(seen.at(-1)).toBe(file.size)

    const controller = new AbortController()
    const reason = new Error('enough')
    const aborted = db.export({ signal: controller.signal, onProgress: () => controller.abort(reason) })
    const error = await failureOf(aborted)
    expect(error.code).toBe('ABORTED')
    expect(error.cause).toBe(reason)
    expect((await failureOf(db.export({ signal: AbortSignal.abort() }))).code).toBe('ABORTED')
    expect((await bytesOf(await db.export())).equals(await bytesOf(file))).toBe(true)
  })

  test('a listener that throws disturbs nothing; wrong options are told', async () => {
    const db = open()
    await db.users.create({ name: 'Ada' })
    expect((await failureOf(db.export({ onprogress() {} } as never))).code).toBe('BAD_OPTION')
    expect((await failureOf(db.export({ signal: 1 } as never))).code).toBe('BAD_OPTION')
    expect((await failureOf(db.export({ onProgress: 1 } as never))).code).toBe('BAD_OPTION')
    expect((await failureOf(db.export(null as never))).code).toBe('BAD_OPTION')
  })

  test('of a closed database is CLOSED', async () => {
    const db = open()
    await db.users.create({ name: 'Ada' })
    await db.close()
    expect((await failureOf(db.export())).code).toBe('CLOSED')
  })
})
