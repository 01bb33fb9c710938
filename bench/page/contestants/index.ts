import type { MakeContestant } from './contestant.js'
import { openDataflowEdge } from './dataflow-edge.js'
import { openDexie } from './dexie.js'
import { openIndexedDb } from './indexeddb.js'
import { openSqlJs } from './sqljs.js'

export const contestants = {
  'dataflow-edge': openDataflowEdge,
  Dexie: openDexie,
  IndexedDB: openIndexedDb,
  'sql.js + Comlink': openSqlJs,
} satisfies Record<string, MakeContestant>

export type ContestantName = keyof typeof contestants
