// Damage, done to what was saved, and what comes back: real SQLite on both sides.
import fc from 'fast-check'
import { serialize } from 'node:v8'
import { expect, test } from 'vitest'
import { DataFlowError } from '../../src/shared/errors.js'
import type { RecoveryReport } from '../../src/shared/protocol.js'
import { recover } from '../../worker/recover.js'
import type { Sqlite } from '../../worker/seams.js'
import { ChunkedFile } from '../../worker/sqlite/file.js'
import { openRescue } from '../../worker/storage/rescue.js'
import { parts } from '../support/local.js'
import { contentOf, createDisk, diskWith, openOn, type Content, type Disk } from './fake.js'

const sqlite = await parts.bootSqlite()

interface Saved {
  readonly content: Content
  /** What the table held after each flush. */
  readonly states: readonly string[]
}

/** Notes in several flushes, each a little other than the one before. `limits` decide how much of it is base. */
async function saved(limits: object, flushes = 12, key: CryptoKey | null = null): Promise<Saved> {
  const disk = createDisk()
  const { storage, file, flush } = await openOn(disk, { limits, key })
  const db = sqlite.open(file as ChunkedFile)
  db.exec(`CREATE TABLE notes (id INTEGER PRIMARY KEY, body TEXT NOT NULL) STRICT;
    CREATE TABLE tags (name TEXT PRIMARY KEY, big INTEGER, raw BLOB) STRICT, WITHOUT ROWID;
    CREATE INDEX notes_by_body ON notes (body);
    CREATE VIEW long AS SELECT * FROM notes WHERE length(body) > 10`)
  const states: string[] = [stateOf(db)]
  await flush()
  for (let n = 0; n < flushes; n++) {
    db.atomically(() => {
      for (let i = 0; i < 300; i++) db.run('INSERT INTO notes (body) VALUES (?)', [`${n} ${i} ${'x'.repeat(600)}`])
      db.run('INSERT INTO tags VALUES (?, CAST(? AS INTEGER), ?)', [
        `tag ${n}`,
        '9007199254740993',
        new Uint8Array([0, n]),
      ])
    })
    states.push(stateOf(db))
    await flush()
  }
  await storage.close()
  return { content: await contentOf(disk), states }
}

function stateOf(db: Sqlite): string {
  let state = ''
  db.each('SELECT count(*), total(id), max(body) FROM notes', [], row => {
    state = `${row.text(0)} ${row.text(1)} ${row.text(2)?.slice(0, 8) ?? ''}`
  })
  db.each('SELECT count(*) FROM tags', [], row => void (state += ` ${row.text(0)}`))
  return state
}

async function recoverOn(disk: Disk, key: CryptoKey | null = null): Promise<RecoveryReport> {
  const rescue = openRescue('test', key, disk.factory)
  try {
    return await recover(rescue, sqlite)
  } finally {
    await rescue.close()
  }
}

async function stateOn(disk: Disk, key: CryptoKey | null = null): Promise<string> {
  const { storage, file } = await openOn(disk, { key })
  const db = sqlite.open(file)
  const state = stateOf(db)
  db.close()
  await storage.close()
  return state
}

const codeOfOpening = (disk: Disk): Promise<string> =>
  openOn(disk).then(
    () => 'opened',
    (e: DataFlowError) => e.code,
  )

const keysOf = (content: Content, kind: string): string[] =>
  [...content.keys()].filter(key => key.startsWith(`["${kind}"`))

/** As `toEqual`, which takes seconds for megabytes. */
const same = (a: unknown, b: unknown): boolean => serialize(a).equals(serialize(b))

/** A log only, and a base with a log behind it. */
const logOnly = await saved({ logBytes: 1e9 })
const withBase = await saved({ logBytes: 600_000 }, 20)

function damage(content: Content, key: string, how: 'missing' | 'flipped' | 'short'): Content {
  const copy: Content = new Map(content)
  if (how === 'missing') {
    copy.delete(key)
    return copy
  }
  const value = structuredClone(content.get(key)) as Uint8Array | { bytes?: Uint8Array; sum?: number }
  const bytes = value instanceof Uint8Array ? value : value.bytes
  if (!bytes) {
    const fields = value as { sum: number }
    fields.sum ^= how === 'short' ? 0xff : 1
    copy.set(key, fields)
  } else if (how === 'flipped') {
    bytes[bytes.length >> 1]! ^= 0x10
    copy.set(key, value)
  } else {
    const cut = bytes.slice(0, bytes.length - 40)
    copy.set(key, value instanceof Uint8Array ? cut : { ...value, bytes: cut })
  }
  return copy
}

test('the error of opening says which record, and what could be saved', async () => {
  const last = keysOf(logOnly.content, 'log').at(-1)!
  const disk = await diskWith(damage(logOnly.content, last, 'missing'))
  const error = (await openOn(disk).catch((e: unknown) => e)) as DataFlowError
  expect(error.text).toBe(`The saved record ${last} cannot be used: it is missing.`)
  expect(error.hint).toMatch(
    /dataflow\.recover\(\) brings back .*: everything up to its last good flush is there, \d+ of/,
  )
})

test('what is sound stays untouched', async () => {
  const disk = await diskWith(withBase.content)
  expect(await recoverOn(disk)).toMatchObject({
    how: 'intact',
    damaged: [],
    lostRecords: 0,
    keptAside: 0,
    integrity: ['ok'],
  })
  expect(same(await contentOf(disk), withBase.content)).toBe(true)
})

for (const how of ['missing', 'flipped', 'short'] as const) {
  test(`the last record ${how}: the flush before it comes back`, async () => {
    const last = keysOf(logOnly.content, 'log').at(-1)!
    const disk = await diskWith(damage(logOnly.content, last, how))
    expect(await codeOfOpening(disk)).toBe('STORAGE_CORRUPT')
    const report = await recoverOn(disk)
    expect(report).toMatchObject({ how: 'prefix', integrity: ['ok'], lostChunks: 0 })
    expect(report.damaged).toEqual([{ record: last, what: expect.stringContaining(last) }])
    expect(report.lostRecords).toBeGreaterThan(0)
    expect(await stateOn(disk)).toBe(logOnly.states.at(-2))
  })

  test(`a record in the middle ${how}: a state of before comes back whole, the rest is kept aside`, async () => {
    const records = keysOf(logOnly.content, 'log')
    const middle = records[records.length >> 1]!
    const damaged = damage(logOnly.content, middle, how)
    const disk = await diskWith(damaged)
    const report = await recoverOn(disk)
    const state = await stateOn(disk)
    expect(logOnly.states.slice(1, -1)).toContain(state)
    expect(report).toMatchObject({ how: 'prefix', records: records.length })
    const after = await contentOf(disk)
    const aside = keysOf(after, 'aside')
    expect(aside).toHaveLength(report.keptAside)
    expect(report.keptAside).toBe(report.lostRecords - (how === 'missing' ? 1 : 0))
    for (const key of aside) {
      const original = JSON.stringify((JSON.parse(key) as unknown[]).slice(2))
      expect(same(after.get(key), damaged.get(original))).toBe(true)
    }
  })

  test(`the tail ${how}: nothing is lost`, async () => {
    const disk = await diskWith(damage(withBase.content, '["tail"]', how))
    expect(await codeOfOpening(disk)).toBe('STORAGE_CORRUPT')
    expect(await recoverOn(disk)).toMatchObject({ how: 'prefix', lostRecords: 0, lostChunks: 0 })
    expect(await stateOn(disk)).toBe(withBase.states.at(-1))
  })

  test(`the head ${how}: nothing is lost`, async () => {
    const disk = await diskWith(damage(withBase.content, '["head"]', how))
    expect(await codeOfOpening(disk)).toBe('STORAGE_CORRUPT')
    expect(await recoverOn(disk)).toMatchObject({ how: 'prefix', lostRecords: 0, lostChunks: 0, integrity: ['ok'] })
    expect(await stateOn(disk)).toBe(withBase.states.at(-1))
  })

  test(`a chunk of the base ${how}: the rows outside of it come back`, async () => {
    const chunks = keysOf(withBase.content, 'base')
    const disk = await diskWith(damage(withBase.content, chunks[3]!, how))
    const report = await recoverOn(disk)
    expect(report).toMatchObject({ lostChunks: 1, integrity: ['ok'] })
    expect(['patched', 'rows']).toContain(report.how)
    if (report.how === 'rows') {
      expect(report.tables.map(({ table }) => table).sort()).toEqual(['notes', 'tags'])
      const notes = report.tables.find(({ table }) => table === 'notes')!
      expect(notes.rows).toBeGreaterThan(1000)
      expect(report.missing).toEqual([])
    }
    expect(await stateOn(disk)).toMatch(/ 20$/)
  })
}

test('the first chunk, which holds the schema: an empty database, and everything kept aside', async () => {
  const [first] = keysOf(withBase.content, 'base')
  const withoutLog = new Map(withBase.content)
  const disk = await diskWith(damage(withoutLog, first!, 'missing'))
  const report = await recoverOn(disk)
  expect(report.lostChunks).toBe(1)
  expect(await codeOfOpening(disk)).toBe('opened')
})

test('whatever single value is damaged, recovering ends with a database that opens and that SQLite finds sound', async () => {
  const keys = [...withBase.content.keys()]
  const hows = fc.constantFrom('missing' as const, 'flipped' as const, 'short' as const)
  await fc.assert(
    fc.asyncProperty(fc.constantFrom(...keys), hows, async (key, how) => {
      const disk = await diskWith(damage(withBase.content, key, how))
      const opening = await codeOfOpening(disk)
      const report = await recoverOn(disk)
      // A chunk that the head does not count yet is needed by nobody.
      expect(report.damaged.length > 0).toBe(opening === 'STORAGE_CORRUPT')
      expect(report.integrity).toEqual(['ok'])
      expect(await codeOfOpening(disk)).toBe('opened')
      expect(await recoverOn(disk)).toMatchObject({ how: 'intact' })
      if (report.how === 'prefix') expect(withBase.states).toContain(await stateOn(disk))
    }),
    { numRuns: 40 },
  )
})

test('an encrypted database is recovered with its key, stays encrypted, and without it is left alone', async () => {
  const key = await crypto.subtle.generateKey({ name: 'AES-GCM', length: 256 }, false, ['encrypt', 'decrypt'])
  const { content, states } = await saved({ logBytes: 1e9 }, 6, key)
  const damaged = damage(content, keysOf(content, 'log').at(-1)!, 'flipped')
  const disk = await diskWith(damaged)
  await expect(recoverOn(disk)).rejects.toMatchObject({ code: 'STORAGE_KEY' })
  expect(same(await contentOf(disk), damaged)).toBe(true)
  expect(await recoverOn(disk, key)).toMatchObject({ integrity: ['ok'] })
  expect(states).toContain(await stateOn(disk, key))
  await expect(stateOn(disk)).rejects.toMatchObject({ code: 'STORAGE_KEY' })
})
