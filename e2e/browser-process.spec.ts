import { expect, test } from './fixtures.js'

test('a browser killed with SIGKILL leaves what IndexedDB completed, and its profile opens again', async ({
  browserProcess,
  appServer,
}) => {
  const first = await browserProcess()
  const page = await first.context.newPage()
  await page.goto(`${appServer.url}files.json`)
  await page.evaluate(async () => {
    const database = await new Promise<IDBDatabase>((resolve, reject) => {
      const open = indexedDB.open('kill', 1)
      open.onupgradeneeded = () => open.result.createObjectStore('store')
      open.onsuccess = () => resolve(open.result)
      open.onerror = () => reject(open.error)
    })
    const transaction = database.transaction('store', 'readwrite')
    transaction.objectStore('store').put('there', 'key')
    await new Promise(resolve => (transaction.oncomplete = resolve))
  })
  await first.kill()

  const second = await browserProcess()
  const again = await second.context.newPage()
  await again.goto(`${appServer.url}files.json`)
  const value = await again.evaluate(async () => {
    const database = await new Promise<IDBDatabase>((resolve, reject) => {
      const open = indexedDB.open('kill', 1)
      open.onsuccess = () => resolve(open.result)
      open.onerror = () => reject(open.error)
    })
    return new Promise(resolve => {
      const get = database.transaction('store').objectStore('store').get('key')
      get.onsuccess = () => resolve(get.result)
    })
  })
  expect(value).toBe('there')
})
