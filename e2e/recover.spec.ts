// Saved records are damaged behind the library's back; what comes back, and that nothing is guessed, in real IndexedDB.
import type { Page } from '@playwright/test'
import type { RecoveryReport } from 'dataflow-edge'
import { expect, test } from './shared-browser.js'

/** Writes notes, one flush each, and closes. */
async function fill(app: Page, count: number): Promise<void> {
  await app.evaluate(async count => {
    const db = window.dataflowEdge.dataflow('hurt', { models: { things: window.kit.Thing } })
    for (let i = 0; i < count; i++) await db.things.create({ text: `thing ${i}`, whole: i })
    await db.close()
  }, count)
}

/** Deletes or changes the value under the last key of this kind. */
async function damage(app: Page, kind: string, how: 'delete' | 'flip'): Promise<string> {
  return app.evaluate(
    async ([kind, how]) => {
      const settled = <T>(request: IDBRequest<T>) =>
        new Promise<T>((resolve, reject) => {
          request.onsuccess = () => resolve(request.result)
          request.onerror = () => reject(request.error)
        })
      const db = await settled(indexedDB.open('dataflow:hurt'))
      const store = db.transaction('data', 'readwrite').objectStore('data')
      const keys = await settled(store.getAllKeys())
      const key = keys.filter(key => (key as string[])[0] === kind).at(-1)!
      if (how === 'delete') await settled(store.delete(key))
      else {
        const value = (await settled(store.get(key))) as Uint8Array
        value[value.length >> 1]! ^= 1
        await settled(store.put(value, key))
      }
      db.close()
      return JSON.stringify(key)
    },
    [kind, how] as const,
  )
}

const opening = (app: Page): Promise<{ code: string; message: string }> =>
  app.evaluate(async () => {
    const db = window.dataflowEdge.dataflow('hurt', { models: { things: window.kit.Thing } })
    try {
      await db.things.count()
      return { code: 'opened', message: '' }
    } catch (error) {
      const { code, message } = error as InstanceType<typeof window.dataflowEdge.DataFlowError>
      return { code, message }
    } finally {
      await db.close().catch(() => {})
    }
  })

const recover = (app: Page): Promise<RecoveryReport> => app.evaluate(() => window.dataflowEdge.dataflow.recover('hurt'))

const numbers = (app: Page): Promise<(number | null)[]> =>
  app.evaluate(async () => {
    const db = window.dataflowEdge.dataflow('hurt', { models: { things: window.kit.Thing } })
    const things = await db.things.list({ orderBy: { whole: 'asc' } })
    await db.things.create({ text: 'it goes on', whole: -1 })
    await db.close()
    return things.map(thing => thing.whole)
  })

for (const how of ['delete', 'flip'] as const) {
  test(`the last log record (${how}): opening names it and says what can be saved, recover() brings it back`, async ({
    app,
  }) => {
    await fill(app, 8)
    const key = await damage(app, 'log', how)
    const refused = await opening(app)
    expect(refused.code).toBe('STORAGE_CORRUPT')
    expect(refused.message).toContain(key)
    expect(refused.message).toContain('dataflow.recover()')
    const report = await recover(app)
    expect(report).toMatchObject({ how: 'prefix', lostRecords: 1, integrity: ['ok'], foreignKeyFailures: 0 })
    expect(report.damaged.map(({ record }) => record)).toEqual([key])
    expect(await numbers(app)).toEqual([0, 1, 2, 3, 4, 5, 6])
    expect(await recover(app)).toMatchObject({ how: 'intact' })
  })
}

for (const kind of ['head', 'tail']) {
  test(`the ${kind} is missing: recover() loses nothing`, async ({ app }) => {
    await fill(app, 4)
    await damage(app, kind, 'delete')
    expect((await opening(app)).code).toBe('STORAGE_CORRUPT')
    expect(await recover(app)).toMatchObject({ how: 'prefix', lostRecords: 0, lostChunks: 0 })
    expect(await numbers(app)).toEqual([0, 1, 2, 3])
  })
}

test('recover() waits for nobody: a database that is open is LOCKED', async ({ app }) => {
  const code = await app.evaluate(async () => {
    const db = window.dataflowEdge.dataflow('hurt', { models: { things: window.kit.Thing } })
    await db.things.count()
    try {
      await window.dataflowEdge.dataflow.recover('hurt', { maxWaitForOwner: 50 })
      return 'recovered'
    } catch (error) {
      return (error as InstanceType<typeof window.dataflowEdge.DataFlowError>).code
    } finally {
      await db.close()
    }
  })
  expect(code).toBe('LOCKED')
})
