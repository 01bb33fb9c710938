// What the size of a database costs: databases that outlive a page, their log, and what lies under them.
import { dataflow, model, t } from 'dataflow-edge'
import { models } from './contestants/dataflow-edge.js'
import { makeDocuments } from './rows.js'
import { median, medianOfAwaited, time } from './timing.js'

const BATCH = 5000
const MIB = 2 ** 20
/** Chunks are read as the library does: so many at once, the next ones on their way. */
const CHUNKS_AT_ONCE = 16

export interface Options {
  /** Encrypted with a key that is there already. */
  readonly encrypted?: boolean
}

async function open(database: string, { encrypted = false }: Options = {}) {
  const raw = new Uint8Array(32).fill(7)
  const key = () => crypto.subtle.importKey('raw', raw, 'AES-GCM', false, ['encrypt', 'decrypt'])
  const encryption = encrypted ? { encryption: await key() } : {}
  return dataflow(database, { models: { documents: models.documents }, ...encryption })
}

/** Fills `database` until its base has about `megabytes`, and closes it; a key among its rows. */
export async function fillTo(database: string, megabytes: number, options: Options = {}) {
  const db = await open(database, options)
  const count = megabytes * 450
  let [id = ''] = ['']
  for (let done = 0; done < Math.max(count, 1); done += BATCH) {
    const rows = makeDocuments(Math.min(BATCH, Math.max(count - done, 1)))
    id = rows[0]!.id
    await db.documents.bulkCreate(rows)
  }
  await db.compact()
  await db.close()
  return { id }
}

/** Awaited creates of 2 KB: the median. */
export async function insertInto(database: string, awaited: number, options: Options = {}) {
  const db = await open(database, options)
  const rows = makeDocuments(30 + awaited)
  const create = () => db.documents.create(rows.pop()!)
  await medianOfAwaited(30, create)
  const ms = await medianOfAwaited(awaited, create)
  const { flush } = await db.metrics()
  await db.close()
  return { insert: ms, megabytes: flush.baseBytes / MIB, logMegabytes: flush.logBytes / MIB }
}

/** From declaring it until its first row is read. */
export async function openUntilRead(database: string, id: string, options: Options = {}) {
  let db
  const ms = await time(async () => {
    db = await open(database, options)
    if (!(await db.documents.read(id))) throw new Error('The row is not there')
  })
  const { flush } = await db!.metrics()
  await db!.close()
  return { open: ms, megabytes: flush.baseBytes / MIB, logMegabytes: flush.logBytes / MIB }
}

/** The same values by themselves, in a worker, without anybody who looks at them. */
export function readRaw(database: string): Promise<{ raw: number }> {
  const body = async (database: string, atOnce: number): Promise<number> => {
    const settled = <T>(request: IDBRequest<T>) =>
      new Promise<T>((resolve, reject) => {
        request.onsuccess = () => resolve(request.result)
        request.onerror = () => reject(request.error)
      })
    const start = performance.now()
    const db = await settled(indexedDB.open(`dataflow:${database}`))
    const store = () => db.transaction('data').objectStore('data')
    const keys = (await settled(store().getAllKeys())).filter(key => (key as string[])[0] === 'base')
    const batch = (from: number) => {
      const objects = store()
      return Promise.all(keys.slice(from, from + atOnce).map(key => settled(objects.get(key))))
    }
    const kept: unknown[] = []
    let next = batch(0)
    for (let from = 0; from < keys.length; from += atOnce) {
      const current = next
      next = batch(from + atOnce)
      kept.push(...(await current))
    }
    await settled(store().getAll(IDBKeyRange.bound(['log'], ['log', []])))
    db.close()
    return performance.now() - start
  }
  const text = `onmessage = ({ data }) => (${body})(data, ${CHUNKS_AT_ONCE}).then(ms => postMessage(ms))`
  const worker = new Worker(URL.createObjectURL(new Blob([text], { type: 'text/javascript' })))
  return new Promise<{ raw: number }>((resolve, reject) => {
    worker.onmessage = ({ data }) => resolve({ raw: data as number })
    worker.onerror = event => reject(new Error(event.message))
    worker.postMessage(database)
  }).finally(() => worker.terminate())
}

/** Writes until the log is nearly as long as it may be. The page is then gone without having closed anything. */
export async function fillLog(database: string, mebibytes: number) {
  const db = await open(database)
  const log = async () => (await db.metrics()).flush.logBytes / MIB
  while ((await log()) < mebibytes) {
    for (const row of makeDocuments(20)) await db.documents.create(row)
  }
  return { logMegabytes: await log() }
}

const Entry = model(
  'Entry',
  { id: t.id(), title: t.text(), author: t.text(), done: t.boolean(), at: t.date() },
  { indexes: [['author'], ['at']] },
)

/** Bytes handed to IndexedDB for each awaited create of a small row, checkpoints and idle moments included. */
export async function bytesPerInsert(before: number, inserts: number) {
  const db = dataflow(`bench-bytes-${before}`, { models: { entries: Entry } })
  let made = 0
  const entry = () => ({
    // A key that hits every page, unlike one that grows with the time.
    id: crypto.randomUUID(),
    title: `Entry ${made}`,
    author: `author ${(made * 7919) % 1000}`,
    done: made % 3 === 0,
    at: new Date(1.7e12 + made++ * 1000),
  })
  for (let done = 0; done < before; done += 20_000) {
    await db.entries.bulkCreate(Array.from({ length: Math.min(20_000, before - done) }, entry))
  }
  await db.entries.count()
  await settledCheckpoint(db)
  const start = (await db.metrics()).flush.bytes
  for (let i = 0; i < inserts; i++) await db.entries.create(entry())
  await settledCheckpoint(db)
  const bytes = (await db.metrics()).flush.bytes - start
  await db.close()
  await dataflow.delete(`bench-bytes-${before}`)
  return { bytes: bytes / inserts }
}

interface Flushing {
  metrics(): Promise<{ flush: { bytes: number } }>
}

/** Until idle moments write nothing more. */
async function settledCheckpoint(db: Flushing): Promise<void> {
  const written = async () => (await db.metrics()).flush.bytes
  for (let last = -1, now = await written(); now !== last;) {
    last = now
    await new Promise(resolve => setTimeout(resolve, 300))
    now = await written()
  }
}

/** Awaited creates of 16 KB until a checkpoint has begun and ended: the longest in it, and the longest outside of it. */
export async function stallIn(database: string) {
  const db = await open(database)
  let carried = 0
  db.on('flush', ({ bytes }) => void (carried = Math.max(carried, bytes)))
  const data = crypto.getRandomValues(new Uint8Array(16_000))
  const create = () => db.documents.create({ title: 'Large', body: 'Large', data })
  for (let i = 0; i < 50; i++) await create()
  const before = (await db.metrics()).flush.checkpoints
  const during: number[] = []
  const outside: number[] = []
  for (let i = 1; ; i++) {
    carried = 0
    const ms = await time(create)
    // A flush that carries a chunk of 256 KiB.
    if (carried > 200_000) during.push(ms)
    else outside.push(ms)
    if (i % 100 === 0 && during.length > 0 && (await db.metrics()).flush.checkpoints > before) break
    if (i === 60_000) throw new Error('There was no checkpoint')
  }
  const { flush } = await db.metrics()
  await db.close()
  return {
    during: Math.max(...during),
    outside: Math.max(...outside),
    medianDuring: median(during),
    medianOutside: median(outside),
    steps: during.length,
    megabytes: flush.baseBytes / MIB,
  }
}

/** What it takes to make a key out of a passphrase, alone. */
export async function derive() {
  const base = await crypto.subtle.importKey('raw', new TextEncoder().encode('a passphrase'), 'PBKDF2', false, [
    'deriveKey',
  ])
  const how = { name: 'PBKDF2', hash: 'SHA-256', salt: new Uint8Array(16), iterations: 600_000 }
  const ms = await time(() => crypto.subtle.deriveKey(how, base, { name: 'AES-GCM', length: 256 }, false, ['encrypt']))
  return { derive: ms }
}

/** Opens it and keeps it open, so that somebody outside can look at this process. */
export async function holdOpen(database: string, id: string) {
  const db = await open(database)
  await db.documents.read(id)
  return (await db.metrics()).flush.baseBytes / MIB
}
