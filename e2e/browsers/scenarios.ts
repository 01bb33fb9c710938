// The main scenarios, the same for every engine: what is written is there after a reload and after a SIGKILL, what fails
// fails whole, one tab has the database, and what leaves as a file comes back. Bodies of evaluate() run in the page.
import { mkdtemp, rm } from 'node:fs/promises'
import { tmpdir } from 'node:os'
import { join } from 'node:path'
import { afterAll, beforeAll, describe, expect, inject, test } from 'vitest'
import type { Browser, Engine, Tab } from './engines/engine.js'

export interface Abilities {
  /** A profile is still there when the browser is started again. */
  readonly keepsItsProfile: boolean
  /** It has `navigator.storage`. */
  readonly tellsOfStorage: boolean
}

export function scenarios(engine: Engine, { keepsItsProfile, tellsOfStorage }: Abilities): void {
  const url = inject('appUrl')
  let profile: string
  let browser: Browser
  let page: Tab

  beforeAll(async () => {
    profile = await mkdtemp(join(tmpdir(), 'dataflow-edge-engine-'))
    browser = await engine.start(profile)
    page = await browser.open(url)
    console.log(browser.version)
  })
  afterAll(async () => {
    await browser.kill()
    await rm(profile, { recursive: true, force: true, maxRetries: 10, retryDelay: 100 })
  })

  const restart = async (): Promise<void> => {
    await browser.kill()
    browser = await engine.start(profile)
    page = await browser.open(url)
  }

  describe(engine.name, () => {
    test('has what the library needs', async () => {
      const has = await page.evaluate(() => ({
        secure: isSecureContext,
        locks: 'locks' in navigator,
        channel: 'BroadcastChannel' in window,
        subtle: 'subtle' in crypto,
        databases: 'databases' in indexedDB,
        levels: 'durability' in IDBTransaction.prototype,
      }))
      expect(has).toEqual({ secure: true, locks: true, channel: true, subtle: true, databases: true, levels: true })
    })

    test(`${tellsOfStorage ? 'says' : 'does not say'} how much room there is, and the library passes that on`, async () => {
      const storage = await page.evaluate(async () => {
        const db = window.kit.openNotes('room')
        await db.notes.create({ title: 'a' })
        const storage = await db.storage()
        // Firefox asks the person, and waits for the answer.
        return navigator.storage ? storage : { ...storage, persisted: await db.persist() }
      })
      expect(storage).toMatchObject({ base: expect.any(Number), log: expect.any(Number), backups: 0 })
      expect(storage.log).toBeGreaterThan(0)
      const said = { usage: expect.any(Number), quota: expect.any(Number), persisted: expect.any(Boolean) }
      expect(storage).toMatchObject(tellsOfStorage ? said : { usage: null, quota: null, persisted: false })
    })

    test('values of every kind of field come back exactly after a reload', async () => {
      const before = await page.evaluate(async () => {
        const db = window.dataflowEdge.dataflow('kinds', { models: { things: window.kit.Thing } })
        const rows = [
          await db.things.create({ text: '' }),
          await db.things.create({
            text: 'emoji \u{1F468}\u200D\u{1F469}, NUL \0, \u2028',
            choice: 'two',
            whole: Number.MIN_SAFE_INTEGER,
            big: 2n ** 63n - 1n,
            real: 0.1 + 0.2,
            yes: false,
            when: new Date(-1),
            text_when: new Date('2026-02-28T23:59:59.999Z'),
            json: { b: [1, null, { deep: true }], a: 'text' },
            bytes: new Uint8Array([0, 255, 128]),
          }),
          await db.things.create({ text: 'x'.repeat(1 << 20), real: Infinity, bytes: new Uint8Array(300_000).fill(7) }),
        ]
        return window.kit.exact(rows.sort((a, b) => (a.id < b.id ? -1 : 1)))
      })
      await page.reload()
      const after = await page.evaluate(async () => {
        const db = window.dataflowEdge.dataflow('kinds', { models: { things: window.kit.Thing } })
        return window.kit.exact(await db.things.list())
      })
      expect(after).toBe(before)
    })

    test('the operations, alone, at once and in bulk', async () => {
      const result = await page.evaluate(async () => {
        const { openNotes, settled } = window.kit
        const db = openNotes('operations')
        const { id } = await db.notes.create({ title: 'a', stars: 1 })
        await db.notes.update(id, { stars: { $inc: 4 } })
        await Promise.all(Array.from({ length: 200 }, (_, i) => db.notes.create({ title: `n${i}`, stars: i % 5 })))
        await db.notes.bulkCreate(Array.from({ length: 1000 }, (_, i) => ({ title: `b${i}`, stars: null })))
        await db.notes.bulkUpdate({ where: { stars: { $null: true } }, set: { stars: 9 } })
        const deleted = await db.notes.bulkDelete({ where: { stars: 0 } })
        const page = await db.notes.page({ orderBy: { stars: 'desc' }, limit: 10 })
        return {
          row: await db.notes.read(id),
          count: await db.notes.count(),
          nines: await db.notes.count({ stars: 9 }),
          deleted: deleted.count,
          page: page.items.length,
          sum: (await db.sql<{ total: number }>`SELECT sum(stars) AS total FROM notes`)[0]!.total,
          none: await settled(db.notes.readOrThrow('nobody')),
        }
      })
      expect(result).toMatchObject({
        row: { title: 'a', stars: 5 },
        count: 1161,
        nines: 1000,
        deleted: 40,
        page: 10,
        sum: 9000 + 5 + 400,
        none: { failed: { code: 'NOT_FOUND' } },
      })
    })

    test('a table is checked once: after that a create is one statement', async () => {
      const counts = await page.evaluate(async () => {
        const { openNotes, statementsOf } = window.kit
        const db = openNotes('ensured')
        const first = await statementsOf(db, () => db.notes.create({ title: 'first' }))
        const second = await statementsOf(db, () => db.notes.create({ title: 'second' }))
        return { first: first.executed, second: second.executed }
      })
      expect(counts.first).toBeGreaterThan(1)
      expect(counts.second).toBe(1)
    })

    test('a transaction is there as a whole, or not at all', async () => {
      const result = await page.evaluate(async () => {
        const { openNotes, settled } = window.kit
        const db = openNotes('transactions')
        await db.transaction(async tx => {
          await tx.notes.create({ title: 'both' })
          await tx.notes.create({ title: 'of them' })
        })
        const thrown = await settled(
          db.transaction(async tx => {
            await tx.notes.create({ title: 'never' })
            throw new Error('on purpose')
          }),
        )
        return { count: await db.notes.count(), thrown: 'failed' in thrown && thrown.failed.message }
      })
      expect(result).toMatchObject({ count: 2, thrown: expect.stringContaining('on purpose') })
    })

    test('a flush that finds no room is rejected and taken back, and the next one works', async () => {
      const result = await page.evaluate(async () => {
        const { openFaulty, settled } = window.kit
        const { db, worker } = await openFaulty('full')
        await db.notes.create({ title: 'kept' })
        await worker.tell('refuse')
        const full = await settled(db.notes.create({ title: 'refused' }))
        const memory = (await db.notes.list()).map(note => note.title)
        const again = await settled(db.notes.create({ title: 'again' }))
        return { full, memory, again: 'ok' in again }
      })
      expect(result).toMatchObject({ full: { failed: { code: 'STORAGE_FULL' } }, memory: ['kept'], again: true })
    })

    test('the model gains a field and an index: the next start adds them', async () => {
      await page.evaluate(async () => {
        const { openNotes } = window.kit
        const db = openNotes('migrated')
        await db.notes.create({ title: 'old' })
        await db.close()
      })
      await page.reload()
      const result = await page.evaluate(async () => {
        const { dataflow, model, t } = window.dataflowEdge
        const fields = { id: t.id(), title: t.text(), stars: t.integer().nullable(), done: t.boolean().default(false) }
        const db = dataflow('migrated', { models: { notes: model('Note', fields, { indexes: [['done']] }) } })
        const rows = await db.notes.list()
        const { length } = await db.migrations.history()
        return { rows: rows.map(({ title, done }) => ({ title, done })), length }
      })
      expect(result).toEqual({ rows: [{ title: 'old', done: false }], length: 2 })
    })

    test('one tab has the database: another is told, gives up with LOCKED, and has it after the first is closed', async () => {
      const other = await browser.open(url)
      await other.evaluate(async () => {
        await window.kit.openNotes('owned').notes.create({ title: 'of the owner' })
      })
      const waited = await page.evaluate(async () => {
        const db = window.kit.openNotes('owned', { maxWaitForOwner: 500 })
        let blocked = false
        db.on('blocked', () => void (blocked = true))
        const code = await window.kit.codeOf(db.notes.count())
        return { blocked, code }
      })
      expect(waited).toEqual({ blocked: true, code: 'LOCKED' })
      await other.close()
      expect(await page.evaluate(() => window.kit.openNotes('owned').notes.count())).toBe(1)
    })

    test('export, import and a backup', async () => {
      const result = await page.evaluate(async () => {
        const { openNotes, settled } = window.kit
        const db = openNotes('whole')
        await db.notes.bulkCreate(Array.from({ length: 3000 }, (_, i) => ({ title: `note ${i} ${'x'.repeat(200)}` })))
        const file = await db.export()
        const backup = await db.backup({ note: 'all of them' })
        await db.notes.bulkDelete({ all: true })
        const emptied = await db.notes.count()
        await db.import(file)
        const imported = await db.notes.count()
        await db.notes.bulkDelete({ all: true })
        await db.restore(backup.id)
        const restored = await db.notes.count()
        const refused = await settled(db.import(new Blob(['not a database at all'])))
        const [check] = await db.sql<{ integrity_check: string }>`PRAGMA integrity_check`
        await db.close()
        return { emptied, imported, restored, refused, check: check!.integrity_check, size: file.size }
      })
      expect(result).toMatchObject({ emptied: 0, imported: 3000, restored: 3000, check: 'ok' })
      expect(result.refused).toMatchObject({ failed: { code: 'IMPORT' } })
      await page.reload()
      expect(await page.evaluate(() => window.kit.openNotes('whole').notes.count())).toBe(3000)
    })

    test('an encrypted database needs its key', async () => {
      const result = await page.evaluate(async () => {
        const { codeOf, openNotes } = window.kit
        const encryption = { passphrase: 'right' }
        const db = openNotes('secret', { encryption })
        await db.notes.create({ title: 'nobody reads this' })
        await db.close()
        const wrong = await codeOf(openNotes('secret', { encryption: { passphrase: 'wrong' } }).notes.count())
        const none = await codeOf(openNotes('secret').notes.count())
        const again = openNotes('secret', { encryption })
        const titles = (await again.notes.list()).map(note => note.title)
        await again.close()
        return { wrong, none, titles }
      })
      expect(result).toEqual({ wrong: 'STORAGE_KEY', none: 'STORAGE_KEY', titles: ['nobody reads this'] })
    })

    test('a damaged record is refused, and recover() brings back what was before it', async () => {
      const result = await page.evaluate(async () => {
        const { codeOf, openNotes } = window.kit
        const db = openNotes('hurt')
        for (let i = 0; i < 5; i++) await db.notes.create({ title: `${i}` })
        await db.close()
        const settled = <T>(request: IDBRequest<T>) =>
          new Promise<T>((resolve, reject) => {
            request.onsuccess = () => resolve(request.result)
            request.onerror = () => reject(request.error)
          })
        const saved = await settled(indexedDB.open('dataflow:hurt'))
        const store = saved.transaction('data', 'readwrite').objectStore('data')
        const keys = await settled(store.getAllKeys())
        const last = keys.filter(key => (key as string[])[0] === 'log').at(-1)!
        const bytes = (await settled(store.get(last))) as Uint8Array
        bytes[40]! ^= 1
        await settled(store.put(bytes, last))
        saved.close()
        const code = await codeOf(openNotes('hurt').notes.count())
        const { how, lostRecords, integrity } = await window.dataflowEdge.dataflow.recover('hurt')
        const titles = (await openNotes('hurt').notes.list({ orderBy: { title: 'asc' } })).map(note => note.title)
        return { code, how, lostRecords, integrity, titles }
      })
      const titles = ['0', '1', '2', '3']
      expect(result).toEqual({ code: 'STORAGE_CORRUPT', how: 'prefix', lostRecords: 1, integrity: ['ok'], titles })
    })

    test('databases are listed and deleted', async () => {
      const result = await page.evaluate(async () => {
        const { dataflow } = window.dataflowEdge
        const db = window.kit.openNotes('short-lived')
        await db.notes.create({ title: 'a' })
        const listed = (await dataflow.databases()).map(({ name }) => name)
        await db.close()
        await dataflow.delete('short-lived')
        const left = (await dataflow.databases()).map(({ name }) => name)
        return { was: listed.includes('short-lived'), is: left.includes('short-lived') }
      })
      expect(result).toEqual({ was: true, is: false })
    })

    for (const durability of ['relaxed', 'strict'] as const) {
      const kept = keepsItsProfile ? 'it is there' : 'it is gone with the browser, which keeps no profile'
      test(`SIGKILL right after an awaited ${durability} write: ${kept}`, async () => {
        await page.evaluate(async durability => {
          const db = window.kit.openNotes(`killed-${durability}`, { durability })
          for (let i = 0; i < 20; i++) await db.notes.create({ title: `${i}` })
        }, durability)
        await restart()
        const count = await page.evaluate(
          durability => window.kit.openNotes(`killed-${durability}`).notes.count(),
          durability,
        )
        expect(count).toBe(keepsItsProfile ? 20 : 0)
      })
    }
  })
}
