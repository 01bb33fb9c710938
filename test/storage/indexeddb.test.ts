import { forceCloseDatabase, IDBObjectStore as FDBObjectStore } from 'fake-indexeddb'
import { serialize } from 'node:v8'
import { expect, test, vi } from 'vitest'
import { DataFlowError } from '../../src/shared/errors.js'
import { ChunkedFile } from '../../worker/sqlite/file.js'
import { xxh32 } from '../../worker/storage/checksum.js'
import { CHUNK_SIZE, encodeHead, MAX_RECORD } from '../../worker/storage/format.js'
import { openMemoryStorage } from '../../worker/storage/memory.js'
import { bytesOf, contentOf, createDisk, diskWith, done, noise, openOn, type Content, type Disk } from './fake.js'

const KiB = 1024
const MiB = 1024 * KiB

function put(file: ChunkedFile, at: number, length: number, seed = at + length): void {
  file.write(at, noise(length, seed), 0, length)
}

async function failure(promise: Promise<unknown>): Promise<DataFlowError> {
  const e = await promise.then(
    () => expect.fail('it should have failed'),
    (e: unknown) => e,
  )
  if (!DataFlowError.is(e)) throw e
  return e
}

const keysOf = (content: Content, kind: string): string[] =>
  [...content.keys()].filter(key => key.startsWith(`["${kind}"`))

test('a new database is an empty file with a head and a tail', async () => {
  const disk = createDisk()
  const { file } = await openOn(disk)
  expect(file.size).toBe(0)
  expect([...(await contentOf(disk)).keys()]).toEqual(['["head"]', '["tail"]'])
  expect((await openOn(disk)).file.size).toBe(0)
})

test('a flush is one record, no larger than what changed, in one transaction', async () => {
  const disk = createDisk()
  const { storage, file, flush } = await openOn(disk)
  put(file, 0, 8192)
  await flush()
  const before = disk.transactions.length
  put(file, 4096, 300)
  expect(await flush()).toEqual({ bytes: 16 + 8 + 3 * 128 })
  expect(disk.transactions.slice(before)).toEqual([{ mode: 'readwrite', durability: 'relaxed' }])
  expect(keysOf(await contentOf(disk), 'log')).toEqual(['["log",0,0]', '["log",0,1]'])
  expect(storage.report()).toMatchObject({ logRecords: 2, baseBytes: 0, checkpoints: 0, persistent: true })
})

test('strict is a strict transaction', async () => {
  const disk = createDisk()
  const { file, flush } = await openOn(disk)
  put(file, 0, 512)
  await flush('strict')
  expect(disk.transactions.at(-1)).toEqual({ mode: 'readwrite', durability: 'strict' })
})

test('what changes after flush was called is not in it', async () => {
  for (const dropped of [false, true]) {
    const disk = createDisk()
    const { storage, file } = await openOn(disk, { limits: { logRecords: 0 } })
    put(file, 0, 4096)
    if (dropped) forceCloseDatabase(disk.databases.at(-1) as never)
    const expected = bytesOf(file)
    const flushed = storage.flush(file.takeChanges()!, file, 'relaxed')
    put(file, 0, 4096, 99)
    await flushed
    // The chunk rode along: the log is empty, and the chunk is the one of the flush.
    expect(storage.report().logRecords).toBe(0)
    expect(bytesOf((await openOn(await diskWith(await contentOf(disk)))).file).equals(expected)).toBe(true)
  }
})

test('a flush of more than 60 KiB is several records of one transaction', async () => {
  const disk = createDisk()
  const { file, flush } = await openOn(disk)
  const count = disk.transactions.length
  put(file, 0, 300 * KiB)
  await flush()
  expect(disk.transactions.length - count).toBe(1)
  const content = await contentOf(disk)
  const records = keysOf(content, 'log').map(key => (content.get(key) as Uint8Array).length)
  expect(records.length).toBe(6)
  expect(Math.max(...records)).toBeLessThanOrEqual(MAX_RECORD)
  expect(bytesOf((await openOn(disk)).file).equals(bytesOf(file))).toBe(true)
})

test('an import goes straight into the base, and is written once', async () => {
  const disk = createDisk()
  const { storage, file, flush } = await openOn(disk)
  put(file, 0, 100)
  await flush()
  put(file, 0, 6 * MiB)
  const count = disk.transactions.length
  const { bytes } = await flush()
  expect(bytes).toBe(6 * MiB)
  expect(disk.transactions.length - count).toBe(1)
  expect(storage.report()).toMatchObject({ baseBytes: 6 * MiB, logRecords: 0, checkpoints: 1 })
  put(file, 5 * MiB, 1000)
  await flush()
  const again = await openOn(disk)
  expect(bytesOf(again.file).equals(bytesOf(file))).toBe(true)
  expect(again.storage.report().logRecords).toBe(1)
})

test('a large flush that touches much more than it changes is a log all the same', async () => {
  const disk = createDisk()
  const { storage, file, flush } = await openOn(disk, { limits: { logBytes: 512 * KiB } })
  put(file, 0, 4 * MiB)
  await flush()
  for (let at = 0; at < 4 * MiB; at += 4096) put(file, at, 1024, 7)
  await flush()
  expect(storage.report().logRecords).toBeGreaterThan(15)
  while (storage.checkpointDue) await storage.checkpointStep(file)
  expect(storage.report().logRecords).toBe(0)
  expect(bytesOf((await openOn(disk)).file).equals(bytesOf(file))).toBe(true)
})

test('the checkpoint rides along, a chunk in each flush, and old records go a few at a time', async () => {
  const disk = createDisk()
  const { storage, file, flush } = await openOn(disk, { limits: { logRecords: 20, deletions: 2 } })
  file.truncate(4 * CHUNK_SIZE)
  let most = 0
  for (let i = 0; i < 300; i++) {
    put(file, (i % 4) * CHUNK_SIZE + i * 512, 512, i)
    await flush()
    most = Math.max(most, storage.report().logRecords)
  }
  expect(storage.report().checkpoints).toBeGreaterThan(10)
  expect(most).toBeLessThan(30)
  const content = await contentOf(disk)
  expect(keysOf(content, 'log').length).toBeLessThan(60)
  expect(keysOf(content, 'base').length).toBe(4)
  expect(bytesOf((await openOn(disk)).file).equals(bytesOf(file))).toBe(true)
})

test('a new owner ends the old one, whatever that one is about to write', async () => {
  const untilTheEnd = { logRecords: 0 }
  for (const limits of [{}, untilTheEnd]) {
    const disk = createDisk()
    const old = await openOn(disk, { limits })
    put(old.file, 0, 512)
    await old.flush()
    const now = await openOn(disk)
    put(now.file, 512, 512)
    await now.flush()
    put(old.file, 0, 512, 9)
    const error = await failure(old.flush())
    expect(error).toMatchObject({ code: 'STORAGE', retryable: false })
    expect(error.hint).toMatch(/reload/i)
    expect(await failure(old.storage.replace(old.file))).toMatchObject({ code: 'STORAGE', retryable: false })
    put(now.file, 1024, 512)
    await now.flush()
    expect(bytesOf((await openOn(disk)).file).equals(bytesOf(now.file))).toBe(true)
  }
})

test('of two owners who go on from one state the first to write goes on, and the other is told', async () => {
  const disk = createDisk()
  const old = await openOn(disk)
  put(old.file, 0, 512)
  await old.flush()
  const now = await openOn(disk)
  put(old.file, 0, 512, 9)
  await old.flush()
  const expected = bytesOf(old.file)
  put(now.file, 512, 512)
  expect(await failure(now.flush())).toMatchObject({ code: 'STORAGE', retryable: false })
  expect(bytesOf((await openOn(disk)).file).equals(expected)).toBe(true)
})

test('a flush that only appends reads nothing: a record and the tail', async () => {
  const disk = createDisk()
  const { file, flush } = await openOn(disk)
  const requests: string[] = []
  const spies = (['get', 'put', 'add', 'delete'] as const).map(name => {
    const original = FDBObjectStore.prototype[name] as (...values: unknown[]) => IDBRequest
    return vi.spyOn(FDBObjectStore.prototype as IDBObjectStore, name as 'put').mockImplementation(function (
      this: IDBObjectStore,
      ...values: unknown[]
    ) {
      requests.push(name)
      return original.apply(this, values) as IDBRequest<IDBValidKey>
    })
  })
  put(file, 0, 512)
  await flush()
  for (const spy of spies) spy.mockRestore()
  expect(requests).toEqual(['add', 'put'])
})

test('no room is STORAGE_FULL, and the next flush can work', async () => {
  const disk = createDisk()
  const { file, flush } = await openOn(disk)
  put(file, 0, 512)
  Object.assign(disk, { fault: 'abort', errorName: 'QuotaExceededError' } satisfies Partial<Disk>)
  expect(await failure(flush())).toMatchObject({ code: 'STORAGE_FULL', retryable: true, hint: expect.any(String) })
  disk.fault = 'none'
  expect(file.size).toBe(0)
  put(file, 0, 512)
  await flush()
  expect((await openOn(disk)).file.size).toBe(512)
})

test.each(['AbortError', 'UnknownError', 'InvalidStateError'])('%s is STORAGE, to be tried again', async errorName => {
  const disk = createDisk()
  const { file, flush } = await openOn(disk)
  put(file, 0, 512)
  Object.assign(disk, { fault: 'abort', errorName })
  expect(await failure(flush())).toMatchObject({ code: 'STORAGE', retryable: true })
  disk.fault = 'none'
  const connections = disk.databases.length
  put(file, 0, 512)
  await flush()
  expect(disk.databases.length).toBe(connections + 1)
})

test('a request that fails in the middle ends the transaction, and its error is the one that is told', async () => {
  const disk = createDisk()
  const { file, flush } = await openOn(disk)
  put(file, 0, 512)
  const { prototype } = FDBObjectStore
  const original = prototype.put
  try {
    prototype.put = prototype.add
    const error = await failure(flush())
    expect(error).toMatchObject({ code: 'STORAGE', cause: { name: 'ConstraintError' } })
  } finally {
    prototype.put = original
  }
  expect((await openOn(disk)).file.size).toBe(0)
})

test('a connection that the browser closed is opened again', async () => {
  const disk = createDisk()
  const { file, flush } = await openOn(disk)
  put(file, 0, 512)
  await flush()
  forceCloseDatabase(disk.databases.at(-1) as never)
  put(file, 512, 512)
  await flush()
  expect((await openOn(disk)).file.size).toBe(1024)
})

test('cleared site data is an error, never a new empty database', async () => {
  const disk = createDisk()
  const { file, flush } = await openOn(disk)
  put(file, 0, 512)
  await flush()
  forceCloseDatabase(disk.databases.at(-1) as never)
  await done(disk.factory.deleteDatabase('dataflow:test'), 'success')
  put(file, 512, 512)
  expect(await failure(flush())).toMatchObject({ code: 'STORAGE', message: expect.stringMatching(/cleared|deletes/) })
  expect(await disk.factory.databases()).toEqual([])
})

test('what the browser says it has deleted is an error once, never silently a new database', async () => {
  const disk = createDisk()
  const open = disk.factory.open
  disk.factory.open = (name, version) => {
    const request = open(name, version)
    request.addEventListener('upgradeneeded', event => {
      Object.assign(event, { dataLoss: 'total', dataLossMessage: 'Corruption: missing files' })
    })
    return request
  }
  const error = await failure(openOn(disk))
  expect(error).toMatchObject({ code: 'STORAGE_CORRUPT', hint: expect.stringContaining('import') })
  expect(error.text).toContain('(Corruption: missing files)')
  expect(await disk.factory.databases()).toEqual([])
  disk.factory.open = open
  expect((await openOn(disk)).file.size).toBe(0)
})

test('versionchange closes the connection, for good', async () => {
  const disk = createDisk()
  const lost: DataFlowError[] = []
  const { file, flush } = await openOn(disk, { onLost: error => lost.push(error) })
  await done(disk.factory.open('dataflow:test', 2), 'success')
  expect(lost).toMatchObject([{ code: 'STORAGE', retryable: false }])
  put(file, 0, 512)
  expect(await failure(flush())).toMatchObject({ code: 'STORAGE', retryable: false })
  expect(await failure(openOn(disk))).toMatchObject({ code: 'STORAGE_NEWER' })
})

test('after close a flush is CLOSED', async () => {
  const { storage, file, flush } = await openOn(createDisk())
  put(file, 0, 512)
  const flushed = flush()
  await Promise.all([flushed, storage.close()])
  put(file, 0, 512, 3)
  expect(await failure(flush())).toMatchObject({ code: 'CLOSED' })
})

/** Three base chunks, and a log of a flush with one record and one with two. */
async function createSaved(): Promise<{ content: Content; log: string[] }> {
  const disk = createDisk()
  const before = await openOn(disk, { limits: { logRecords: 2 } })
  for (const at of [0, CHUNK_SIZE, 2 * CHUNK_SIZE]) {
    put(before.file, at, 4096)
    await before.flush()
  }
  while (before.storage.checkpointDue) await before.storage.checkpointStep(before.file)
  const { storage, file, flush } = await openOn(disk)
  put(file, 100, 100, 3)
  await flush()
  put(file, CHUNK_SIZE + 8192, 100 * KiB)
  await flush()
  expect(storage.report()).toMatchObject({ baseBytes: 3 * CHUNK_SIZE, logRecords: 3 })
  const content = await contentOf(disk)
  const log = keysOf(content, 'log')
  expect(log.length).toBe(3)
  return { content, log }
}

const sumOf = (content: Content): number => xxh32(serialize([...content]))

const open = async (content: Content) => openOn(await diskWith(content))

test('each missing record is named', async () => {
  const { content } = await createSaved()
  for (const key of content.keys()) {
    const rest = new Map(content)
    rest.delete(key)
    const error = await failure(open(rest))
    expect(error.code).toBe('STORAGE_CORRUPT')
    expect(error.message).toContain(key)
    expect(error.message).toContain('missing')
  }
})

test('each record with a flipped bit, a cut end or another shape is named', async () => {
  const { content } = await createSaved()
  for (const [key, value] of content) {
    const bytes = (value instanceof Uint8Array ? value : (value as { bytes?: Uint8Array }).bytes) ?? null
    const spoiled: unknown[] = [null, 5, 'text', [], {}]
    if (bytes) {
      const flipped = bytes.slice()
      flipped[bytes.length >> 1]! ^= 1
      const wrong = [flipped, bytes.slice(0, -1), bytes.slice(0, 10)]
      spoiled.push(...wrong.map(bytes => (value instanceof Uint8Array ? bytes : { ...(value as object), bytes })))
    }
    for (const other of spoiled) {
      const error = await failure(open(new Map([...content, [key, other]])))
      expect(error.code).toBe('STORAGE_CORRUPT')
      expect(error.message).toContain(key)
    }
  }
})

test('records that changed places, or come from an older flush, are noticed', async () => {
  const { content, log } = await createSaved()
  const [a, b, c] = log as [string, string, string]
  const swapped = new Map([...content, [a, content.get(b)], [b, content.get(a)]])
  expect(await failure(open(swapped))).toMatchObject({ code: 'STORAGE_CORRUPT' })

  // The last flush lost, with its tail still there; and the tail lost, with an older one in its place.
  const lost = new Map(content)
  lost.delete(c)
  expect((await failure(open(lost))).message).toContain(c)
  const disk = await diskWith(content)
  const { file, flush } = await openOn(disk)
  put(file, 0, 512)
  await flush()
  const newer = await contentOf(disk)
  const error = await failure(open(new Map([...newer, ['["tail"]', content.get('["tail"]')]])))
  expect(error).toMatchObject({ code: 'STORAGE_CORRUPT' })
})

test('a newer format is refused and left as it is', async () => {
  const { content } = await createSaved()
  const head = { ...(content.get('["head"]') as object), format: 2, somethingNew: true }
  const disk = await diskWith(new Map([...content, ['["head"]', head]]))
  const before = await contentOf(disk)
  expect(await failure(openOn(disk))).toMatchObject({ code: 'STORAGE_NEWER' })
  expect(sumOf(await contentOf(disk))).toBe(sumOf(before))
})

test('opening deletes what other generations left, once this one has been read', async () => {
  const { content } = await createSaved()
  const strays: [string, unknown][] = ['["base",1,0]', '["base",1,7]', '["log",1,0]'].map(key => [
    key,
    new Uint8Array(9),
  ])
  const disk = await diskWith(new Map([...content, ...strays]))
  await openOn(disk)
  expect([...(await contentOf(disk)).keys()]).toEqual([...content.keys()])

  const gen = { gen: 1, epoch: 4, databasePageSize: 0, first: 0, size: 0, chunks: 0, cipher: null }
  const broken = await diskWith(new Map([...content, ['["head"]', encodeHead(gen)]]))
  expect(await failure(openOn(broken))).toMatchObject({ code: 'STORAGE_CORRUPT' })
  expect([...(await contentOf(broken)).keys()]).toEqual([...content.keys()])
})

test('opening again after a failure works', async () => {
  const disk = createDisk()
  const first = await openOn(disk)
  put(first.file, 0, 512)
  await first.flush()
  Object.assign(disk, { fault: 'abort', errorName: 'UnknownError' })
  expect(await failure(openOn(disk))).toMatchObject({ code: 'STORAGE', retryable: true })
  disk.fault = 'none'
  expect((await openOn(disk)).file.size).toBe(512)
})

test('memory saves nothing and counts', async () => {
  const storage = openMemoryStorage()
  const file = new ChunkedFile(await storage.open())
  put(file, 0, 512)
  expect(await storage.flush(file.takeChanges()!, file, 'strict')).toEqual({ bytes: 512 })
  expect(storage.report().persistent).toBe(false)
})
