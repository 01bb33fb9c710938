// What harness/ calls: window.bench.
import type { SchemaFigures } from '../engine/schema.js'
import SchemaWorker from '../engine/schema.ts?worker'
import type { EngineFigures } from '../engine/worker.js'
import EngineWorker from '../engine/worker.ts?worker'
import { bulkStream, idle } from './bulk.js'
import { createIn, fill, firstOperation, openExisting } from './databases.js'
import { deleteDatabases, measures } from './measures.js'
import { seed } from './seed.js'
import * as storage from './storage.js'
import { include } from './include.js'
import { search } from './search.js'
import { tenOperations } from './workflows.js'

/** The engine alone, in a worker as in an app, but with nobody between. */
const engine = (rounds: number) => inWorker<EngineFigures>(new EngineWorker(), rounds)
const schema = (rounds: number) => inWorker<SchemaFigures>(new SchemaWorker(), rounds)

function inWorker<Figures>(worker: Worker, rounds: number): Promise<Figures> {
  return new Promise<Figures>((resolve, reject) => {
    worker.onmessage = ({ data }: MessageEvent<Figures>) => resolve(data)
    worker.onerror = event => reject(new Error(event.message))
    worker.postMessage(rounds)
  }).finally(() => worker.terminate())
}

const bench = {
  ...measures,
  seed,
  fill,
  createIn,
  firstOperation,
  openExisting,
  deleteDatabases,
  engine,
  schema,
  bulkStream,
  idle,
  ...storage,
  tenOperations,
  include,
  search,
}

declare global {
  interface Window {
    bench: typeof bench
  }
}

window.bench = bench
