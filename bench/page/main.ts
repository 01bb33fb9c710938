// What harness/ calls: window.bench.
import EngineWorker from '../engine/worker.ts?worker'
import type { EngineFigures } from '../engine/worker.js'
import { createIn, fill, firstOperation, openExisting } from './databases.js'
import { deleteDatabases, measures } from './measures.js'
import { seed } from './seed.js'
import * as storage from './storage.js'

/** The engine alone, in a worker as in an app, but with nobody between. */
function engine(rounds: number): Promise<EngineFigures> {
  const worker = new EngineWorker()
  return new Promise((resolve, reject) => {
    worker.onmessage = ({ data }: MessageEvent<EngineFigures>) => resolve(data)
    worker.onerror = event => reject(new Error(event.message))
    worker.postMessage(rounds)
  }).finally(() => worker.terminate()) as Promise<EngineFigures>
}

const bench = { ...measures, seed, fill, createIn, firstOperation, openExisting, deleteDatabases, engine, ...storage }

declare global {
  interface Window {
    bench: typeof bench
  }
}

window.bench = bench
