// The worker of engine/by-hand.ts, seen from the page.
import { wrap, type Remote } from 'comlink'
import type { ByHand } from '../engine/by-hand.js'
import ByHandWorker from '../engine/by-hand.ts?worker'

export async function openByHand(
  name: string,
  ddl: string,
): Promise<{ worker: Remote<ByHand>; close(): Promise<void> }> {
  const thread = new ByHandWorker()
  const worker = wrap<ByHand>(thread)
  await worker.open(name, ddl)
  return {
    worker,
    async close() {
      await worker.close()
      thread.terminate()
    },
  }
}
