// The worker ends when it has read the file, while the part that prints is still on its way: the next worker would know of
// no table at all.
import { expect, test, vi } from 'vitest'
import { dataflow } from '../../src/index.js'
import { failureOf, foreignFile, useOrigin } from '../whole/support.js'

const origin = useOrigin()

/** A task: what has happened before it is known everywhere. */
function nextTask(): Promise<void> {
  const { port1, port2 } = new MessageChannel()
  return new Promise<void>(resolve => {
    port1.onmessage = () => resolve()
    port2.postMessage(null)
  }).finally(() => port1.close())
}

test('a worker that ends is no empty file', async () => {
  let load!: () => void
  const loaded = new Promise<void>(resolve => (load = resolve))
  vi.doMock('../../src/adopt/adopt.js', async importOriginal => {
    await loaded
    return importOriginal()
  })
  const { Worker: Real } = origin.current.globals as { Worker: new () => Worker }
  const worker = () => {
    const made = new Real()
    const post = made.postMessage.bind(made)
    made.postMessage = ((message: { id: string; path?: string[] }, transfer: Transferable[]) => {
      post(message, transfer)
      if (message.path?.[0] !== 'importFile') return
      made.addEventListener('message', async ({ data }) => {
        if (data.id !== message.id) return
        await nextTask()
        made.terminate()
        await nextTask()
        load()
      })
    }) as Worker['postMessage']
    return made
  }
  const file = await foreignFile(db => db.run('CREATE TABLE notes (id INTEGER PRIMARY KEY)'))
  const error = await failureOf(dataflow.introspect(file, { worker }))
  expect(error).toMatchObject({ code: 'WORKER_CRASHED', retryable: true })
})
