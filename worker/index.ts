// The worker's entry only wires: the real SQLite, IndexedDB, locks and clock are chosen here and nowhere else.
import { expose, transfer } from 'comlink'
import { systemClock } from './clock.js'
import { Host } from './host.js'
import { bootSqlite } from './sqlite/boot.js'
import { openIndexedDbStorage } from './storage/indexeddb.js'
import { openMemoryStorage } from './storage/memory.js'
import { openRescue } from './storage/rescue.js'
import { acquireOwnership } from './tabs.js'

// Set by the inline fallback, which has no URL to fetch from.
const inlined = (globalThis as { DATAFLOW_WASM?: Uint8Array<ArrayBuffer> }).DATAFLOW_WASM

expose(
  new Host({
    locks: globalThis.isSecureContext ? navigator.locks : undefined,
    bootSqlite: url => bootSqlite({ wasm: () => inlined ?? fetch(url ?? new URL('./sqlite.wasm', import.meta.url)) }),
    openIndexedDb: openIndexedDbStorage,
    openMemory: openMemoryStorage,
    openRescue,
    acquireOwnership,
    transfer,
    estimate: navigator.storage ? () => navigator.storage.estimate() : null,
    clock: systemClock,
  }),
)
