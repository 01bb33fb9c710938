// The database as a whole, in a real browser: files that other programs read and write, a browser that is killed in the
// middle, what is on the disk, tabs.
import { execFileSync } from 'node:child_process'
import { mkdtemp, rm, writeFile } from 'node:fs/promises'
import { createRequire } from 'node:module'
import { tmpdir } from 'node:os'
import { join } from 'node:path'
import type { Page } from '@playwright/test'
import type { Database, SqlJsStatic } from 'sql.js'
import type { NotesDatabase } from './app/kit.js'
import { expect, showApp, test } from './fixtures.js'

const startStock = createRequire(import.meta.url)('sql.js/dist/sql-wasm-inline.js') as () => Promise<SqlJsStatic>

async function foreignFile(make: (db: Database) => void): Promise<string> {
  const { Database } = await startStock()
  const db = new Database()
  make(db)
  return Buffer.from(db.export()).toString('base64')
}

const NOTES = `
  CREATE TABLE notes (id TEXT NOT NULL PRIMARY KEY, title TEXT NOT NULL, stars INTEGER) STRICT;
  INSERT INTO notes VALUES ('x', 'Foreign', 5);
  CREATE TABLE extra (a);
  INSERT INTO extra VALUES ('kept');`

/** Every row that the file has for `sql`: by the stock build of sql.js, and by the sqlite3 program where there is one. */
async function readByOthers(base64: string, sql: string): Promise<string> {
  const bytes = Buffer.from(base64, 'base64')
  const { Database } = await startStock()
  const db = new Database(bytes)
  const rows = (db.exec(sql)[0]?.values ?? []).map(row => row.join('|')).join('\n')
  db.close()
  if (!hasProgram()) return rows
  const folder = await mkdtemp(join(tmpdir(), 'dataflow-edge-'))
  try {
    await writeFile(join(folder, 'exported.db'), bytes)
    expect(execFileSync('sqlite3', [join(folder, 'exported.db'), sql], { encoding: 'utf8' }).trim()).toBe(rows)
  } finally {
    await rm(folder, { recursive: true })
  }
  return rows
}

function hasProgram(): boolean {
  try {
    execFileSync('sqlite3', ['--version'])
    return true
  } catch {
    return false
  }
}

test('an exported file is opened by other programs, and is of one moment while writes go on', async ({ app }) => {
  const files = await app.evaluate(async () => {
    const { openNotes, Note, toBase64 } = window.kit
    const db = openNotes('exported')
    await db.notes.bulkCreate(
      Array.from({ length: 3000 }, (_, i) => ({ id: `${i}`, title: 'x'.repeat(3000), stars: 1 })),
    )
    const stop = new AbortController()
    let transfers = 0
    const writing = (async () => {
      for (let i = 0; !stop.signal.aborted; i++, transfers++) {
        await db.batch([
          Note.update(`${i % 3000}`, { stars: { $inc: -1 } }),
          Note.update(`${(i * 7 + 1) % 3000 === i % 3000 ? (i + 1) % 3000 : (i * 7 + 1) % 3000}`, {
            stars: { $inc: 1 },
          }),
        ])
      }
    })()
    const files: string[] = []
    const during: number[] = []
    for (let round = 0; round < 3; round++) {
      const before = transfers
      files.push(await toBase64(await db.export()))
      during.push(transfers - before)
    }
    stop.abort()
    await writing
    return { files, during }
  })
  expect(Math.min(...files.during)).toBeGreaterThan(0)
  for (const file of files.files) {
    expect(await readByOthers(file, 'SELECT count(*), sum(stars) FROM notes')).toBe('3000|3000')
    expect(await readByOthers(file, 'PRAGMA integrity_check')).toBe('ok')
  }
})

test("another program's file is imported with its own tables, and is there after a reload", async ({ app }) => {
  const file = await foreignFile(db => db.run(NOTES))
  const imported = await app.evaluate(async file => {
    const { openNotes, fromBase64 } = window.kit
    const db = openNotes('imported')
    await db.notes.create({ title: 'gone' })
    const changes: unknown[] = []
    db.on('change', change => changes.push(change))
    await db.import(new File([fromBase64(file)], 'notes.db'))
    return { titles: (await db.notes.list()).map(({ title }) => title), extra: await db.sql`SELECT a FROM extra` }
  }, file)
  expect(imported).toEqual({ titles: ['Foreign'], extra: [{ a: 'kept' }] })
  await app.reload()
  const again = await app.evaluate(async () => {
    const db = window.kit.openNotes('imported')
    return { count: await db.notes.count(), extra: await db.sql`SELECT a FROM extra` }
  })
  expect(again).toEqual({ count: 1, extra: [{ a: 'kept' }] })
})

test('what cannot be imported is refused, and everything is as before', async ({ app }) => {
  const valid = Buffer.from(await foreignFile(db => db.run(NOTES)), 'base64')
  const files = {
    garbage: Buffer.alloc(20_000, 'garbage').toString('base64'),
    'cut off': valid.subarray(0, -100).toString('base64'),
    'UTF-16': await foreignFile(db => db.run(`PRAGMA encoding = 'UTF-16le'; ${NOTES}`)),
    references: await foreignFile(db =>
      db.run(`${NOTES} CREATE TABLE c (p TEXT REFERENCES notes (id)); INSERT INTO c VALUES ('nobody');`),
    ),
    'another schema': await foreignFile(db => db.run('CREATE TABLE notes (id INTEGER PRIMARY KEY) STRICT')),
  }
  const told = await app.evaluate(async files => {
    const { openNotes, fromBase64, toBase64, settled } = window.kit
    const db = openNotes('kept')
    await db.notes.create({ title: 'kept' })
    const before = await toBase64(await db.export())
    const told: Record<string, unknown> = {}
    for (const [name, file] of Object.entries(files)) {
      const end = await settled(db.import(fromBase64(file)))
      told[name] = 'failed' in end ? end.failed.code : 'ok'
    }
    await db.close()
    const again = openNotes('kept')
    return { told, same: (await toBase64(await again.export())) === before }
  }, files)
  expect(told).toEqual({
    told: Object.fromEntries(Object.keys(files).map(name => [name, 'IMPORT'])),
    same: true,
  })
})

const fill = (page: Page) =>
  page.evaluate(async () => {
    const db = window.kit.openNotes('whole')
    await db.notes.bulkCreate(Array.from({ length: 5000 }, () => ({ title: 'a'.repeat(2000) })))
    await db.close()
  })

for (const part of [0.6, 0.8, 0.97]) {
  test(`SIGKILL while an import saves (${part}): one content or the other, whole`, async ({
    browserProcess,
    appServer,
  }) => {
    const first = await browserProcess()
    const page = await showApp(await first.context.newPage(), appServer)
    await fill(page)
    let killed: Promise<void> | undefined
    await page.exposeFunction('now', () => (killed = first.kill()))
    await page
      .evaluate(async part => {
        const { openNotes } = window.kit
        const other = openNotes('other', { storage: 'memory' })
        await other.notes.bulkCreate(Array.from({ length: 5000 }, () => ({ title: 'b'.repeat(2000) })))
        const file = await other.export()
        await openNotes('whole').import(file, {
          onProgress: ({ done, total }) => {
            if (done / total > part) void (window as unknown as { now(): void }).now()
          },
        })
        await new Promise(() => {})
      }, part)
      .catch(() => {})
    await killed
    const second = await browserProcess()
    const found = await (
      await showApp(await second.context.newPage(), appServer)
    ).evaluate(async () => {
      const db = window.kit.openNotes('whole')
      const [check] = await db.sql`PRAGMA integrity_check`
      const rows = await db.sql`SELECT substr(title, 1, 1) AS letter, count(*) AS count FROM notes GROUP BY 1`
      await db.notes.create({ title: 'goes on' })
      return { check, rows }
    })
    expect(found.check).toEqual({ integrity_check: 'ok' })
    expect([[{ letter: 'a', count: 5000 }], [{ letter: 'b', count: 5000 }]]).toContainEqual(found.rows)
  })
}

test('100 MB: export, import and backup tell how far they are; the page takes a call meanwhile', async ({ app }) => {
  test.setTimeout(180_000)
  const result = await app.evaluate(async () => {
    const { openNotes } = window.kit
    const db = openNotes('large')
    for (let i = 0; i < 10; i++) {
      await db.notes.bulkCreate(Array.from({ length: 2500 }, () => ({ title: 'x'.repeat(2000) })))
    }
    const steps: Record<string, number> = {}
    const ms: Record<string, number> = {}
    const follow = async <T>(
      name: string,
      work: (onProgress: (p: { done: number; total: number }) => void) => Promise<T>,
    ) => {
      let last = 0
      steps[name] = 0
      const start = performance.now()
      const result = await work(({ done, total }) => {
        if (done < last || done > total) throw new Error(`${name} went from ${last} to ${done} of ${total}`)
        last = done
        steps[name]!++
      })
      ms[name] = Math.round(performance.now() - start)
      return result
    }
    const file = await follow('export', onProgress => db.export({ onProgress }))
    await follow('import', onProgress => db.import(file, { onProgress }))
    const backing = follow('backup', onProgress => db.backup({ onProgress }))
    await db.notes.create({ title: 'meanwhile' })
    const { size } = await backing
    const aborted = new AbortController()
    const stop = ({ done, total }: { done: number; total: number }) => {
      if (done / total > 0.6) aborted.abort()
    }
    const code = await window.kit.codeOf(db.import(file, { signal: aborted.signal, onProgress: stop }))
    return { bytes: file.size, size, steps, ms, code, count: await db.notes.count(), storage: await db.storage() }
  })
  test.info().annotations.push({ type: 'ms', description: JSON.stringify(result.ms) })
  expect(result.bytes).toBeGreaterThan(100_000_000)
  expect(result.steps.export).toBe(Math.ceil(result.bytes / (4 * 1024 * 1024)))
  expect(result.steps.import).toBeGreaterThan(50)
  expect(result.steps.backup).toBeGreaterThan(50)
  expect(result).toMatchObject({ code: 'ABORTED', count: 25_001 })
  expect(result.storage.backups).toBeGreaterThan(100_000_000)
  expect(result.storage.usage).toBeGreaterThan(0)
  expect(result.storage.quota).toBeGreaterThan(0)
})

test('a backup survives a reload and brings the content back', async ({ app }) => {
  await app.evaluate(async () => {
    const db = window.kit.openNotes('backed up')
    await db.notes.create({ title: 'first' })
    await db.backup({ note: 'one' })
    await db.notes.bulkDelete({ all: true })
  })
  await app.reload()
  const restored = await app.evaluate(async () => {
    const db = window.kit.openNotes('backed up')
    const [newest] = await db.backups()
    const { kept } = await db.restore(newest!.id)
    return {
      note: newest!.note,
      isDate: newest!.createdAt instanceof Date,
      count: await db.notes.count(),
      kept: kept?.note,
    }
  })
  expect(restored).toEqual({ note: 'one', isDate: true, count: 1, kept: 'before restore' })
})

test('encrypted: nothing readable is in IndexedDB, and a worker that starts anew knows the key', async ({ app }) => {
  const found = await app.evaluate(async () => {
    const { openFaulty, openNotes, codeOf } = window.kit
    const { db, worker } = await openFaulty('secret')
    await db.notes.create({ title: 'findable words' })
    await db.backup()
    const bytesWith = async (text: string) => {
      const request = indexedDB.open('dataflow:secret')
      await new Promise(resolve => (request.onsuccess = resolve))
      const all = request.result.transaction('data').objectStore('data').getAll()
      await new Promise(resolve => (all.onsuccess = resolve))
      request.result.close()
      const decoder = new TextDecoder('latin1')
      const holds = (value: unknown): boolean =>
        value instanceof Uint8Array
          ? decoder.decode(value).includes(text)
          : typeof value === 'object' && value !== null && Object.values(value).some(holds)
      return (all.result as unknown[]).filter(holds).length
    }
    const plain = await bytesWith('findable words')
    await db.rekey({ passphrase: 'a key' })
    const encrypted = await bytesWith('findable words')
    await db.notes.create({ title: 'findable words, again' })
    const later = await bytesWith('findable words')
    worker.workers.at(-1)!.terminate()
    const codes = [await codeOf(db.notes.count()), await codeOf(db.notes.count())]
    const count = await db.notes.count()
    await db.close()
    const without = await codeOf(openNotes('secret').notes.count())
    const wrong = await codeOf(openNotes('secret', { encryption: { passphrase: 'another' } }).notes.count())
    return { plain, encrypted, later, codes, count, without, wrong }
  })
  expect(found.plain).toBeGreaterThan(0)
  expect(found).toMatchObject({ encrypted: 0, later: 0, count: 2, without: 'STORAGE_KEY', wrong: 'STORAGE_KEY' })
})

test('a worker that ends in the middle leaves no call pending', async ({ app }) => {
  const codes = await app.evaluate(async () => {
    const { openFaulty, codeOf } = window.kit
    const { db, worker } = await openFaulty('crashing')
    await db.notes.bulkCreate(Array.from({ length: 6000 }, () => ({ title: 'x'.repeat(2000) })))
    const file = await db.export()
    const end = () => worker.workers.at(-1)!.terminate()
    const codes = [await codeOf(db.export({ onProgress: end }))]
    await codeOf(db.notes.count())
    codes.push(await codeOf(db.import(file, { onProgress: end })))
    await codeOf(db.notes.count())
    codes.push(await codeOf(db.backup({ onProgress: end })))
    await codeOf(db.notes.count())
    return { codes, count: await db.notes.count(), backups: await db.backups() }
  })
  expect(codes).toEqual({ codes: Array(3).fill('WORKER_CRASHED'), count: 6000, backups: [] })
})

test('a database that another tab has open is not deleted; then it is', async ({ app, openApp }) => {
  const other = await openApp()
  const write = () =>
    other.evaluate(() =>
      ((window as { notes?: NotesDatabase }).notes ??= window.kit.openNotes('doomed')).notes.create({ title: 'a' }),
    )
  await write()
  const first = await app.evaluate(async () => {
    const { dataflow } = window.dataflowEdge
    const names = (await dataflow.databases()).map(({ name }) => name)
    return { names, code: await window.kit.codeOf(dataflow.delete('doomed', { maxWaitForOwner: 50 })) }
  })
  expect(first).toEqual({ names: ['doomed'], code: 'LOCKED' })
  await write()
  const deleting = app.evaluate(() => window.dataflowEdge.dataflow.delete('doomed', { maxWaitForOwner: 30_000 }))
  await other.close()
  await deleting
  expect(await app.evaluate(() => window.dataflowEdge.dataflow.databases())).toEqual([])
})
