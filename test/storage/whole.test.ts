// What concerns the saved form as a whole: another generation in its place, backups beside it, encryption over all of it.
import { describe, expect, test } from 'vitest'
import { DataFlowError } from '../../src/shared/errors.js'
import { ChunkedFile } from '../../worker/sqlite/file.js'
import { encodeChunk } from '../../worker/storage/format.js'
import { bytesOf, contentOf, createDisk, diskWith, noise, openOn, type Content, type Disk } from './fake.js'

const KiB = 1024
const CHUNK = 256 * KiB

function fileOf(length: number, seed: number): ChunkedFile {
  const file = new ChunkedFile()
  file.write(0, noise(length, seed), 0, length)
  return file
}

/** A database with base chunks and a log. */
async function usedDisk(options = {}): Promise<Disk> {
  const disk = createDisk()
  const { storage, file, flush } = await openOn(disk, { limits: { logRecords: 5 }, ...options })
  file.write(0, noise(3 * CHUNK - 900, 1), 0, 3 * CHUNK - 900)
  await flush()
  for (let i = 1; storage.report().baseBytes === 0 || storage.report().logRecords < 2; i++) {
    file.write(i * 5000, noise(3000, 2 * i + 1), 0, 3000)
    await flush()
  }
  await storage.close()
  return disk
}

async function failure(promise: Promise<unknown>): Promise<DataFlowError> {
  const e = await promise.then(
    () => expect.fail('it should have failed'),
    (e: unknown) => e,
  )
  if (!DataFlowError.is(e)) throw e
  return e
}

const passphrase = (text: string): Promise<CryptoKey> =>
  crypto.subtle.importKey('raw', new TextEncoder().encode(text), 'PBKDF2', false, ['deriveKey'])

const aesKey = (): Promise<CryptoKey> =>
  crypto.subtle.generateKey({ name: 'AES-GCM', length: 256 }, false, ['encrypt', 'decrypt'])

const generationsIn = (content: Content): number[] => [
  ...new Set([...content.keys()].filter(key => /^\["(base|log)"/.test(key)).map(key => JSON.parse(key)[1] as number)),
]

async function bytesOn(disk: Disk, options = {}): Promise<Buffer> {
  const { storage, file } = await openOn(disk, options)
  await storage.close()
  return bytesOf(file)
}

/** The bytes in a record or chunk as it is stored; none in other values. */
function savedBytes(value: unknown): Buffer {
  const bytes = value instanceof Uint8Array ? value : (value as { bytes?: unknown }).bytes
  return bytes instanceof Uint8Array ? Buffer.from(bytes) : Buffer.alloc(0)
}

describe('replace', () => {
  test('what is saved is the other file, and flushes go on from there', async () => {
    const disk = await usedDisk()
    const { storage } = await openOn(disk)
    const other = fileOf(3 * CHUNK + 5000, 77)
    other.takeChanges()
    const progress: number[][] = []
    await storage.replace(other, { onProgress: (done, total) => progress.push([done, total]) })
    expect(progress.at(-1)).toEqual([other.size, other.size])
    expect(generationsIn(await contentOf(disk))).toEqual([1])
    other.write(10, noise(2000, 5), 0, 2000)
    await storage.flush(other.takeChanges()!, other, 'relaxed')
    expect(storage.report()).toMatchObject({ logRecords: 1, baseBytes: 4 * CHUNK })
    expect((await bytesOn(disk)).equals(bytesOf(other))).toBe(true)
  })

  test('whenever it ends in the middle, the next opening finds the old file and nothing else', async () => {
    const before = await contentOf(await usedDisk())
    const expected = await bytesOn(await diskWith(before))
    const other = fileOf(9 * CHUNK, 78)
    for (let transactions = 0; transactions < 4; transactions++) {
      const disk = await diskWith(before)
      const { storage } = await openOn(disk)
      const abort = new AbortController()
      let slices = 0
      const onProgress = () => {
        if (++slices === transactions) abort.abort()
      }
      if (transactions === 0) abort.abort()
      const error = await failure(storage.replace(other, { onProgress, signal: abort.signal }))
      expect(error.code).toBe('ABORTED')
      expect(generationsIn(await contentOf(disk))).toEqual([0])
      expect((await bytesOn(disk)).equals(expected)).toBe(true)
    }
  })

  test('a full disk leaves everything as it was, and flushes go on', async () => {
    const disk = await usedDisk()
    const { storage, file, flush } = await openOn(disk)
    disk.errorName = 'QuotaExceededError'
    const onProgress = () => void (disk.fault = 'abort')
    const error = await failure(storage.replace(fileOf(9 * CHUNK, 79), { onProgress }))
    disk.fault = 'none'
    expect(error).toMatchObject({ code: 'STORAGE_FULL', retryable: true })
    file.write(0, noise(100, 3), 0, 100)
    await flush()
    expect((await bytesOn(disk)).equals(bytesOf(file))).toBe(true)
  })

  test('a switch that took place though it was said to have failed is a switch', async () => {
    const disk = await usedDisk()
    const { storage } = await openOn(disk)
    const other = fileOf(CHUNK, 80)
    await storage.replace(other, { onProgress: () => void (disk.fault = 'landed') })
    disk.fault = 'none'
    expect((await bytesOn(disk)).equals(bytesOf(other))).toBe(true)
  })

  test('the switch is a strict transaction', async () => {
    const disk = await usedDisk()
    const { storage } = await openOn(disk)
    await storage.replace(fileOf(CHUNK, 80))
    expect(disk.transactions.filter(({ durability }) => durability === 'strict')).toHaveLength(1)
  })

  test('an empty file can take the place of any', async () => {
    const disk = await usedDisk()
    const { storage } = await openOn(disk)
    await storage.replace(new ChunkedFile())
    expect(await bytesOn(disk)).toHaveLength(0)
  })
})

describe('backups', () => {
  test('are listed, the newest first, and read as they were', async () => {
    const disk = await usedDisk()
    const { storage, file, flush } = await openOn(disk)
    const old = bytesOf(file)
    const first = await storage.backup(file, { createdAt: 1000, note: null })
    file.write(500, noise(70 * KiB, 9), 0, 70 * KiB)
    await flush()
    const second = await storage.backup(file, { createdAt: 2000, note: 'before the trip' })
    expect(storage.backups()).toEqual([second, first])
    expect(second).toMatchObject({ createdAt: 2000, size: file.size, bytes: file.size, note: 'before the trip' })
    await storage.close()

    const again = await openOn(disk)
    expect(again.storage.backups()).toEqual([second, first])
    expect(again.storage.report().backupBytes).toBe(first.bytes + second.bytes)
    expect(bytesOf(new ChunkedFile(await again.storage.readBackup(first.id))).equals(old)).toBe(true)
    await again.storage.deleteBackup(first.id)
    expect(again.storage.backups()).toEqual([second])
    expect(await failure(again.storage.readBackup(first.id))).toMatchObject({ code: 'NOT_FOUND' })
    expect([...(await contentOf(disk)).keys()].filter(key => key.startsWith('["backup"'))).toHaveLength(3)
  })

  test('flushes go on while one is written', async () => {
    const disk = await usedDisk()
    const { storage, file, flush } = await openOn(disk)
    const copy = new ChunkedFile()
    copy.write(0, bytesOf(file), 0, file.size)
    let flushed: Promise<unknown> | undefined
    const onProgress = () => {
      file.write(0, noise(100, 4), 0, 100)
      flushed = flush()
    }
    const { id } = await storage.backup(copy, { createdAt: 1, note: null }, { onProgress })
    await flushed
    expect((await bytesOn(disk)).equals(bytesOf(file))).toBe(true)
    const kept = new ChunkedFile(await (await openOn(disk)).storage.readBackup(id))
    expect(bytesOf(kept).equals(bytesOf(copy))).toBe(true)
  })

  test('one that was interrupted leaves nothing behind', async () => {
    const disk = await usedDisk()
    const { storage, file } = await openOn(disk)
    const abort = new AbortController()
    const work = { onProgress: () => abort.abort(), signal: abort.signal }
    const error = await failure(storage.backup(file, { createdAt: 1, note: null }, work))
    expect(error.code).toBe('ABORTED')
    expect([...(await contentOf(disk)).keys()].filter(key => key.startsWith('["backup'))).toEqual([])
    expect(storage.backups()).toEqual([])

    const killed = await contentOf(disk)
    killed.set('["backup","somewhere",0]', new Uint8Array(5)).set('["backup","somewhere",7]', new Uint8Array(5))
    const next = await diskWith(killed)
    await openOn(next)
    expect([...(await contentOf(next)).keys()].filter(key => key.startsWith('["backup'))).toEqual([])
  })

  test('damage to one is told to who reads it, and the database opens', async () => {
    const disk = await usedDisk()
    const { storage, file } = await openOn(disk)
    const { id } = await storage.backup(file, { createdAt: 1, note: null })
    const content = await contentOf(disk)
    const [chunkKey] = [...content.keys()].filter(key => key.startsWith('["backup"'))
    const { bytes } = content.get(chunkKey!) as { bytes: Uint8Array }
    bytes[77]! ^= 4
    const hurt = await openOn(await diskWith(content))
    expect(await failure(hurt.storage.readBackup(id))).toMatchObject({ code: 'STORAGE_CORRUPT' })
    content.set(`["backups","${id}"]`, { id })
    const blind = await openOn(await diskWith(content))
    expect(() => blind.storage.backups()).toThrow(/\["backups"/)
    expect(bytesOf(blind.file).equals(bytesOf(file))).toBe(true)
  })
})

describe('encryption', () => {
  const secrets = { 'a passphrase': () => passphrase('correct horse'), 'a CryptoKey': aesKey }

  for (const [name, make] of Object.entries(secrets)) {
    test(`everything comes back with ${name}, and nothing without it`, async () => {
      const key = await make()
      const disk = await usedDisk({ key })
      const { storage, file, flush } = await openOn(disk, { key, limits: { logBytes: 0 } })
      file.write(CHUNK + 7, noise(3000, 55), 0, 3000)
      await flush()
      await storage.backup(file, { createdAt: 1, note: null })
      await storage.close()
      expect((await bytesOn(disk, { key })).equals(bytesOf(file))).toBe(true)
      const before = await contentOf(disk)
      for (const wrong of [null, await passphrase('wrong horse'), await aesKey()]) {
        expect(await failure(openOn(disk, { key: wrong }))).toMatchObject({ code: 'STORAGE_KEY' })
      }
      expect(await contentOf(disk)).toEqual(before)
    })
  }

  test('no saved byte is plain', async () => {
    const key = await aesKey()
    const disk = createDisk()
    const { storage, file, flush } = await openOn(disk, { key, limits: { logBytes: CHUNK } })
    const secret = new TextEncoder().encode('the secret that nobody may read '.repeat(20_000))
    file.write(0, secret, 0, secret.length)
    await flush()
    file.write(9000, secret, 0, 500)
    await flush()
    await storage.backup(file, { createdAt: 1, note: null })
    const kinds = new Set([...(await contentOf(disk)).keys()].map(text => (JSON.parse(text) as string[])[0]))
    expect([...kinds].sort()).toEqual(['backup', 'backups', 'base', 'head', 'log', 'tail'])
    for (const value of (await contentOf(disk)).values()) expect(savedBytes(value).includes('secret')).toBe(false)
  })

  test('a record in the place of another is refused, though its checksum is made to fit', async () => {
    const key = await aesKey()
    const content = await contentOf(await usedDisk({ key }))
    const chunks = [...content.keys()].filter(text => text.startsWith('["base"'))
    const from = content.get(chunks[1]!) as { bytes: Uint8Array<ArrayBuffer>; at: number }
    content.set(chunks[0]!, encodeChunk(JSON.parse(chunks[0]!), from))
    const error = await failure(openOn(await diskWith(content), { key }))
    expect(error).toMatchObject({ code: 'STORAGE_CORRUPT', message: expect.stringContaining('cannot be decrypted') })
  })

  test('each record has a nonce of its own', async () => {
    const key = await aesKey()
    const disk = createDisk()
    const { file, flush } = await openOn(disk, { key })
    for (let i = 0; i < 20; i++) {
      file.write(0, noise(200, 2 * i + 1), 0, 200)
      await flush()
    }
    const records = [...(await contentOf(disk))].filter(([text]) => text.startsWith('["log"'))
    const nonces = records.map(([, value]) => Buffer.from((value as Uint8Array).subarray(4, 16)).toString('hex'))
    expect(new Set(nonces).size).toBe(20)
  })

  test('rekey wraps the data key anew and writes no data', async () => {
    const [old, young] = [await passphrase('old'), await passphrase('young')]
    const disk = await usedDisk({ key: old })
    const expected = await bytesOn(disk, { key: old })
    const before = await contentOf(disk)
    const { storage, file, flush } = await openOn(disk, { key: old })
    await storage.rekey(young, file)
    const after = await contentOf(disk)
    expect(
      [...after.keys()].filter(text => JSON.stringify(after.get(text)) !== JSON.stringify(before.get(text))),
    ).toEqual(['["head"]'])
    file.write(0, noise(300, 8), 0, 300)
    await flush()
    await storage.close()
    expect(await failure(openOn(disk, { key: old }))).toMatchObject({ code: 'STORAGE_KEY' })
    expect((await bytesOn(disk, { key: young })).subarray(300).equals(expected.subarray(300))).toBe(true)
  })

  test('a database that has none is encrypted, backups too, and back', async () => {
    const disk = await usedDisk()
    const key = await passphrase('later')
    const { storage, file, flush } = await openOn(disk)
    const old = bytesOf(file)
    const { id } = await storage.backup(file, { createdAt: 1, note: 'plain' })
    await storage.rekey(key, file)
    const isPlain = (content: Content) =>
      [...content.values()].some(value => savedBytes(value).includes(old.subarray(100, 200)))
    expect(isPlain(await contentOf(disk))).toBe(false)
    file.write(0, noise(300, 8), 0, 300)
    await flush()
    await storage.close()
    expect(await failure(openOn(disk))).toMatchObject({ code: 'STORAGE_KEY' })

    const encrypted = await openOn(disk, { key })
    expect(bytesOf(encrypted.file).equals(bytesOf(file))).toBe(true)
    expect(bytesOf(new ChunkedFile(await encrypted.storage.readBackup(id))).equals(old)).toBe(true)
    expect(encrypted.storage.backups()).toMatchObject([{ id, note: 'plain' }])
    await encrypted.storage.rekey(null, encrypted.file)
    await encrypted.storage.close()
    expect(isPlain(await contentOf(disk))).toBe(true)
    const plain = await openOn(disk)
    expect(bytesOf(plain.file).equals(bytesOf(file))).toBe(true)
    expect(bytesOf(new ChunkedFile(await plain.storage.readBackup(id))).equals(old)).toBe(true)
    expect(await failure(openOn(disk, { key }))).toMatchObject({
      code: 'STORAGE_KEY',
      message: expect.stringContaining('it is not encrypted'),
    })
  })

  test('encrypting that ends in the middle can be asked for again', async () => {
    const disk = await usedDisk()
    const key = await aesKey()
    const { storage, file } = await openOn(disk)
    await storage.backup(file, { createdAt: 1, note: null })
    // The generation is written and switched to; the backup is not.
    let progress = 0
    const abort = new AbortController()
    const work = {
      signal: abort.signal,
      onProgress: (done: number, total: number) => {
        progress++
        if (done === total) queueMicrotask(() => queueMicrotask(() => abort.abort()))
      },
    }
    const first = await storage.rekey(key, file, work).then(
      () => 'done',
      (e: DataFlowError) => e.code,
    )
    expect(progress).toBeGreaterThan(0)
    expect(['done', 'ABORTED']).toContain(first)
    const opened = await openOn(disk).then(
      opened => opened,
      () => openOn(disk, { key }),
    )
    await opened.storage.rekey(key, opened.file)
    const abouts = [...(await contentOf(disk))].filter(([text]) => text.startsWith('["backups"'))
    expect(abouts.map(([, about]) => (about as { encrypted: boolean }).encrypted)).toEqual([true])
    expect((await bytesOn(disk, { key })).equals(bytesOf(file))).toBe(true)
  })
})
