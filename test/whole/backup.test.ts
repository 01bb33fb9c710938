// Backups beside the database, restored as a file is imported; another key for all of it.
import { describe, expect, test, vi } from 'vitest'
import { dataflow, type DatabaseOptions } from '../../src/index.js'
import { bytesOf, failureOf, models, useOrigin } from './support.js'

useOrigin()

const open = (options: Partial<DatabaseOptions<typeof models>> = {}) => dataflow('app', { models, ...options })

describe('backups', () => {
  test('are kept beside the database, newest first, and outlive it', async () => {
    vi.useFakeTimers({ toFake: ['Date'], now: 1_000_000 })
    try {
      const db = open()
      await db.users.create({ id: 'a', name: 'Ada' })
      const first = await db.backup()
      vi.setSystemTime(2_000_000)
      const second = await db.backup({ note: 'second' })
      expect(first).toEqual({
        id: expect.any(String),
        createdAt: new Date(1_000_000),
        size: (await db.export()).size,
        bytes: expect.any(Number),
        note: null,
      })
      expect(await db.backups()).toEqual([second, first])
      await db.close()
      expect(await open().backups()).toEqual([second, first])
    } finally {
      vi.useRealTimers()
    }
  })

  test('keep deletes the oldest beyond it, only when it is given', async () => {
    const db = open()
    await db.users.create({ name: 'Ada' })
    const made = []
    for (let i = 0; i < 4; i++) made.push(await db.backup({ note: `${i}` }))
    expect((await db.backups()).length).toBe(4)
    await db.backup({ note: 'last', keep: 2 })
    expect((await db.backups()).map(({ note }) => note)).toHaveLength(2)
    expect((await db.backups()).map(({ note }) => note)).toContain('last')
    expect((await failureOf(db.backup({ keep: 0 }))).code).toBe('BAD_OPTION')
    expect((await failureOf(db.backup({ note: 1 } as never))).code).toBe('BAD_OPTION')
    expect((await failureOf(db.backup({ keeep: 1 } as never))).code).toBe('BAD_OPTION')
  })

  test('are of one moment while writes go on', async () => {
    const db = open()
    await db.users.bulkCreate(
      Array.from({ length: 2000 }, (_, i) => ({ id: `${i}`, name: 'x'.repeat(2000), balance: 10 })),
    )
    const stop = new AbortController()
    let transfers = 0
    const writing = (async () => {
      for (let i = 0; !stop.signal.aborted; i++, transfers++) {
        await db.batch([
          models.users.update(`${i % 2000}`, { balance: { $inc: -1 } }),
          models.users.update(`${(i + 1) % 2000}`, { balance: { $inc: 1 } }),
        ])
      }
    })()
    const before = transfers
    const { id } = await db.backup()
    expect(transfers).toBeGreaterThan(before)
    stop.abort()
    await writing
    await db.restore(id, { keepCurrent: false })
    expect(await db.sql`SELECT count(*) AS count, sum(balance) AS sum FROM users`).toEqual([
      { count: 2000, sum: 20_000 },
    ])
  })

  test('aborted: none is left', async () => {
    const db = open()
    await db.users.bulkCreate(Array.from({ length: 6000 }, () => ({ name: 'x'.repeat(2000) })))
    const controller = new AbortController()
    const options = { signal: controller.signal, onProgress: () => controller.abort() }
    expect((await failureOf(db.backup(options))).code).toBe('ABORTED')
    expect(await db.backups()).toEqual([])
    expect((await db.storage()).backups).toBe(0)
  })
})

describe('restore', () => {
  test('brings the content back, and keeps what was there', async () => {
    const db = open()
    await db.users.create({ id: 'a', name: 'Ada' })
    const backup = await db.backup()
    await db.users.create({ id: 'b', name: 'Bob' })
    const { kept, size } = await db.restore(backup.id)
    expect(size).toBeGreaterThanOrEqual(backup.size)
    expect(await db.users.list({ select: ['id'] })).toEqual([{ id: 'a' }])
    expect((await db.backups()).map(({ id }) => id)).toEqual([kept!.id, backup.id])
    expect(kept!.note).toBe('before restore')
    await db.restore(kept!.id, { keepCurrent: false })
    expect(await db.users.count()).toBe(2)
    expect(await db.backups()).toHaveLength(2)
    await db.close()
    expect(await open().users.count()).toBe(2)
  })

  test('of a backup that is not there is NOT_FOUND, and nothing is kept', async () => {
    const db = open()
    await db.users.create({ name: 'Ada' })
    expect((await failureOf(db.restore('nothing'))).code).toBe('NOT_FOUND')
    expect(await db.backups()).toEqual([])
    expect((await failureOf(db.restore(1 as never))).code).toBe('BAD_OPTION')
    expect((await failureOf(db.restore('a', { keepCurrent: 1 } as never))).code).toBe('BAD_OPTION')
  })

  test('aborted while it saves: as before, and what was kept for it is deleted again', async () => {
    const db = open()
    await db.users.bulkCreate(Array.from({ length: 6000 }, () => ({ name: 'x'.repeat(2000) })))
    const { id } = await db.backup()
    await db.users.create({ name: 'Bob' })
    const before = await bytesOf(await db.export())
    const controller = new AbortController()
    const onProgress = ({ done, total }: { done: number; total: number }) => {
      if (done > total * 0.7) controller.abort()
    }
    expect((await failureOf(db.restore(id, { signal: controller.signal, onProgress }))).code).toBe('ABORTED')
    expect((await bytesOf(await db.export())).equals(before)).toBe(true)
    expect((await db.backups()).map(backup => backup.id)).toEqual([id])
  })
})

describe("storage: 'memory' saves nothing", () => {
  test('and says so', async () => {
    const db = open({ storage: 'memory' })
    await db.users.create({ name: 'Ada' })
    for (const refused of [() => db.backup(), () => db.backups(), () => db.restore('x'), () => db.rekey(null)]) {
      const error = await failureOf(refused())
      expect(error.message).toBe(
        "[STORAGE] Nothing of this database is saved (storage: 'memory'). Hint: use storage: 'indexeddb', or db.export() for a copy of your own.",
      )
    }
    expect(await db.storage()).toEqual({ base: 0, log: 0, backups: 0, usage: null, quota: null, persisted: null })
    expect(() => open({ storage: 'memory', encryption: { passphrase: 'x' } })).toThrow(
      expect.objectContaining({ code: 'BAD_OPTION' }),
    )
  })
})

describe('encryption', () => {
  const secret = { passphrase: 'correct horse' }

  test('a passphrase opens what it was made with, and nothing else does', async () => {
    const db = open({ encryption: secret })
    await db.users.create({ id: 'a', name: 'Ada' })
    await db.close()
    for (const encryption of [undefined, { passphrase: 'wrong horse' }]) {
      const wrong = open(encryption ? { encryption } : {})
      const error = await failureOf(wrong.users.count())
      expect(error.code).toBe('STORAGE_KEY')
      expect(error.message).not.toContain('horse')
      await wrong.close().catch(() => {})
    }
    expect(await open({ encryption: secret }).users.count()).toBe(1)
  })

  test('the same letters typed in another way are the same passphrase', async () => {
    const db = open({ encryption: { passphrase: 'caf\u00e9' } })
    await db.users.create({ name: 'Ada' })
    await db.close()
    expect(await open({ encryption: { passphrase: 'cafe\u0301' } }).users.count()).toBe(1)
  })

  test("a CryptoKey of the app's own", async () => {
    const key = await crypto.subtle.generateKey({ name: 'AES-GCM', length: 256 }, false, ['encrypt', 'decrypt'])
    const db = open({ encryption: key })
    await db.users.create({ name: 'Ada' })
    await db.close()
    expect(await open({ encryption: key }).users.count()).toBe(1)
  })

  test('rekey: from none to one, to another, to none; backups stay usable, an import is encrypted too', async () => {
    let db = open()
    await db.users.create({ id: 'a', name: 'Ada' })
    const { id } = await db.backup()
    const file = await db.export()
    let key: { passphrase: string } | null = null
    for (const next of [{ passphrase: 'one' }, { passphrase: 'two' }, null]) {
      await db.rekey(next)
      await db.users.create({ name: 'Bob' })
      await db.import(file)
      await db.restore(id, { keepCurrent: false })
      await db.users.create({ name: 'Cy' })
      await db.close()
      const before = open(key ? { encryption: key } : {})
      expect((await failureOf(before.users.count())).code).toBe('STORAGE_KEY')
      await before.close()
      key = next
      db = open(key ? { encryption: key } : {})
      expect(await db.users.count()).toBe(2)
    }
  })

  test('a worker that starts after rekey uses the new key', async () => {
    let worker: Worker | undefined
    const db = open({ worker: () => (worker = new Worker('worker.js')) })
    await db.users.create({ name: 'Ada' })
    await db.rekey({ passphrase: 'new' })
    worker!.terminate()
    await vi.waitFor(async () => expect(await db.users.count()).toBe(1))
  })

  test.each([
    ['an empty passphrase', { passphrase: '' }],
    ['no passphrase', {}],
    ['a number', 5],
    ['null', null],
    ['another option', { passphrase: 'x', rounds: 1 }],
  ])('%s is BAD_OPTION, without the passphrase in its text', (_, encryption) => {
    expect(() => open({ encryption: encryption as never })).toThrow(expect.objectContaining({ code: 'BAD_OPTION' }))
  })

  test('a key that cannot be used for it is BAD_OPTION', async () => {
    const signing = await crypto.subtle.generateKey({ name: 'HMAC', hash: 'SHA-256' }, false, ['sign'])
    expect(() => open({ encryption: signing as CryptoKey })).toThrow('A key of HMAC cannot be used.')
    const half = await crypto.subtle.generateKey({ name: 'AES-GCM', length: 256 }, false, ['encrypt'])
    expect(() => open({ encryption: half })).toThrow('The key may not be used to decrypt.')
    expect((await failureOf(open().rekey(half))).code).toBe('BAD_OPTION')
  })
})

test('storage() tells what the saved form takes', async () => {
  const db = open()
  await db.users.bulkCreate(Array.from({ length: 1000 }, () => ({ name: 'x'.repeat(1000) })))
  const before = await db.storage()
  expect(before.base + before.log).toBeGreaterThan(1_000_000)
  expect(before.backups).toBe(0)
  const { bytes } = await db.backup()
  expect((await db.storage()).backups).toBe(bytes)
  vi.stubGlobal('navigator', {
    ...navigator,
    storage: { estimate: async () => ({ usage: 5, quota: 10 }), persisted: async () => true },
  })
  expect(await db.storage()).toMatchObject({ usage: 5, quota: 10, persisted: true })
})
