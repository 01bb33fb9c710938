// An import that is cancelled, or fails, in each of its phases: nothing has changed, and everything goes on.
import { describe, expect, test } from 'vitest'
import { DataFlowError } from '../../src/shared/errors.js'
import type { FileSource } from '../../src/shared/protocol.js'
import type { Storage } from '../../worker/seams.js'
import { freshName, localDatabase, unwrap, type LocalDatabase } from '../support/local.js'
import { models } from './support.js'

type Local = LocalDatabase<typeof models>
let calls = 5_000_000

async function exported({ engine }: Local): Promise<Buffer> {
  const id = ++calls
  const { size } = await unwrap(engine.whole.beginExport({ id, progress: false }))
  const pieces: Uint8Array[] = []
  for (let done = 0; done < size; done += pieces.at(-1)!.length) {
    pieces.push(await unwrap(engine.whole.readExport(id, done)))
  }
  await unwrap(engine.whole.endExport(id))
  return Buffer.concat(pieces)
}

async function largeFile(): Promise<Uint8Array<ArrayBuffer>> {
  const other = localDatabase(models)
  await other.tables.users.bulkCreate(Array.from({ length: 6000 }, () => ({ name: 'x'.repeat(2000) })))
  const bytes = new Uint8Array(await exported(other))
  await other.close()
  return bytes
}

/** A file that calls `onRead` with the number of each piece, before it is given. */
function sourceOf(bytes: Uint8Array<ArrayBuffer>, onRead: (piece: number) => void = () => {}): FileSource {
  let pieces = 0
  return {
    size: bytes.length,
    slice: (from, to) => ({
      arrayBuffer: async () => {
        onRead(++pieces)
        return bytes.slice(from, to).buffer
      },
    }),
  }
}

async function fill(db: Local): Promise<void> {
  await db.tables.users.create({ id: 'a', name: 'Ada' })
  await db.tables.users.create({ id: 'b', name: 'Bob' })
}

describe.each(['memory', 'indexeddb'] as const)('an import cancelled (%s)', storage => {
  test.each([1, 2, 3])('while piece %i is read', async piece => {
    const db = localDatabase(models, { storage })
    await fill(db)
    const before = await exported(db)
    const id = ++calls
    const source = sourceOf(await largeFile(), n => {
      if (n === piece) void db.engine.cancel([id])
    })
    const importing = unwrap(db.engine.whole.importFile({ id, progress: false }, source))
    await expect(importing).rejects.toMatchObject({ code: 'ABORTED' })
    expect((await exported(db)).equals(before)).toBe(true)
    await db.tables.users.create({ name: 'Cy' })
    await db.close()
  })
})

describe('while the file is saved', () => {
  async function importInto(wrapStorage: (storage: Storage, cancel: () => void) => Storage) {
    const name = freshName()
    const id = ++calls
    let db!: Local
    const cancel = () => void db.engine.cancel([id])
    db = localDatabase(models, { name, storage: 'indexeddb', wrapStorage: storage => wrapStorage(storage, cancel) })
    await fill(db)
    const before = await exported(db)
    const file = sourceOf(await largeFile())
    const failed = await unwrap(db.engine.whole.importFile({ id, progress: false }, file)).then(
      () => null,
      (error: DataFlowError) => error.code,
    )
    const asBefore = (await exported(db)).equals(before)
    await db.tables.users.create({ name: 'Cy' })
    await db.close()
    const again = localDatabase(models, { name, storage: 'indexeddb' })
    const count = await again.tables.users.count()
    await again.close()
    return { failed, asBefore, count }
  }

  const atHalf = (storage: Storage, then: () => void): Storage => {
    const { replace } = storage
    storage.replace = (image, work) =>
      replace.call(storage, image, {
        ...work,
        onProgress(done, total) {
          work?.onProgress?.(done, total)
          if (done > total / 2) then()
        },
      })
    return storage
  }

  test('cancelled: as before, in memory and in what is saved', async () => {
    expect(await importInto(atHalf)).toEqual({ failed: 'ABORTED', asBefore: true, count: 3 })
  })

  test('the storage fails: as before, and its code is told', async () => {
    const failing = (storage: Storage) =>
      atHalf(storage, () => {
        throw new DataFlowError('STORAGE_FULL', 'no room', { retryable: true })
      })
    expect(await importInto(failing)).toEqual({ failed: 'STORAGE_FULL', asBefore: true, count: 3 })
  })

  test('cancelled when it was saved already: done', async () => {
    const afterwards = (storage: Storage, cancel: () => void): Storage => {
      const { replace } = storage
      storage.replace = async (image, work) => {
        await replace.call(storage, image, work)
        cancel()
      }
      return storage
    }
    expect(await importInto(afterwards)).toEqual({ failed: null, asBefore: false, count: 6001 })
  })

  test('closed: CLOSED, as before, and the close is not kept waiting for the rest of it', async () => {
    const name = freshName()
    let db!: Local
    let closing: Promise<unknown> | undefined
    const wrapStorage = (storage: Storage) => atHalf(storage, () => (closing ??= db.close()))
    db = localDatabase(models, { name, storage: 'indexeddb', wrapStorage })
    await fill(db)
    const importing = unwrap(db.engine.whole.importFile({ id: ++calls, progress: false }, sourceOf(await largeFile())))
    await expect(importing).rejects.toMatchObject({ code: 'CLOSED' })
    await closing
    const again = localDatabase(models, { name, storage: 'indexeddb' })
    expect(await again.tables.users.count()).toBe(2)
    await again.close()
  })

  test('a transaction waits for it no longer than its maxWait', async () => {
    let db!: Local
    let begun: Promise<unknown> | undefined
    const wrapStorage = (storage: Storage) => {
      const { replace } = storage
      storage.replace = async (image, work) => {
        begun = unwrap(db.engine.begin({ maxWait: 1, timeout: 1000, id: ++calls })).catch(error => error)
        await begun
        await replace.call(storage, image, work)
      }
      return storage
    }
    db = localDatabase(models, { storage: 'indexeddb', wrapStorage })
    await fill(db)
    await unwrap(db.engine.whole.importFile({ id: ++calls, progress: false }, sourceOf(await largeFile())))
    expect(await begun).toMatchObject({ code: 'TX_TIMEOUT', retryable: true })
    expect(await db.tables.users.count()).toBe(6000)
    await db.close()
  })

  test('everybody waits, and nothing that was acknowledged is lost', async () => {
    const name = freshName()
    const order: string[] = []
    let db!: Local
    const writes: Promise<unknown>[] = []
    const file = await largeFile()
    const wrapStorage = (storage: Storage) => {
      const { replace, flush } = storage
      storage.flush = (...args) => {
        order.push('flush')
        return flush.apply(storage, args)
      }
      storage.replace = async (image, work) => {
        order.push('replace')
        const write = (title: string) =>
          writes.push(db.tables.users.create({ name: title }).then(() => order.push(title)))
        write('written meanwhile')
        await replace.call(storage, image, work)
        write('written later')
        order.push('replaced')
      }
      return storage
    }
    db = localDatabase(models, { name, storage: 'indexeddb', wrapStorage })
    await fill(db)
    order.length = 0
    const last = db.tables.users.create({ name: 'deferred' })
    const importing = unwrap(db.engine.whole.importFile({ id: ++calls, progress: false }, sourceOf(file)))
    await Promise.all([last, importing])
    await Promise.all(writes)
    expect(order.slice(order.indexOf('replace'), order.indexOf('replaced') + 1)).toEqual(['replace', 'replaced'])
    expect(await db.tables.users.count()).toBe(6002)
    await db.close()
    const again = localDatabase(models, { name, storage: 'indexeddb' })
    expect(await again.tables.users.count()).toBe(6002)
    await again.close()
  })

  test('the flush before it fails: the import fails with its code, and so do the writes it carried', async () => {
    let failing = false
    const wrapStorage = (storage: Storage) => {
      const { flush } = storage
      storage.flush = (...args) =>
        failing
          ? Promise.reject(new DataFlowError('STORAGE_FULL', 'no room', { retryable: true }))
          : flush.apply(storage, args)
      return storage
    }
    const db = localDatabase(models, { storage: 'indexeddb', wrapStorage })
    await fill(db)
    const source = sourceOf(await largeFile(), () => {
      failing = true
      void db.run(models.users.create({ name: 'lost' }), { durability: 'deferred' })
    })
    const importing = unwrap(db.engine.whole.importFile({ id: ++calls, progress: false }, source))
    await expect(importing).rejects.toMatchObject({ code: 'STORAGE_FULL' })
    failing = false
    expect(await db.tables.users.count()).toBe(2)
    await db.close()
  })
})

test('an export whose flush fails is rejected with its error, and what it held is let go', async () => {
  let failing = false
  const wrapStorage = (storage: Storage) => {
    const { flush } = storage
    storage.flush = (...args) =>
      failing
        ? Promise.reject(new DataFlowError('STORAGE_FULL', 'no room', { retryable: true }))
        : flush.apply(storage, args)
    return storage
  }
  const db = localDatabase(models, { storage: 'indexeddb', wrapStorage })
  await fill(db)
  failing = true
  await db.run(models.users.create({ name: 'lost' }), { durability: 'deferred' })
  const id = ++calls
  const beginning = unwrap(db.engine.whole.beginExport({ id, progress: false }))
  await expect(beginning).rejects.toMatchObject({ code: 'STORAGE_FULL' })
  await expect(unwrap(db.engine.whole.readExport(id, 0))).rejects.toThrow('The export has ended')
  failing = false
  await db.close()
})
