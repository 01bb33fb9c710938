// The engine's source in a worker of its own, with storage in memory: what a table check costs when it is cached, and
// what a read costs beside the same prepared statement by hand.
import { systemClock } from '#worker/clock.js'
import { compileModel } from '#worker/compile/model.js'
import { compileRead } from '#worker/compile/read.js'
import { Engine } from '#worker/engine.js'
import { openDatabase, type EngineParts } from '#worker/open.js'
import { bootSqlite } from '#worker/sqlite/boot.js'
import { openMemoryStorage } from '#worker/storage/memory.js'
import initSqlJs from 'sql.js'
import wasmUrl from 'sql.js/dist/sql-wasm-browser.wasm?url'
import { DDL, definition, ids, insertMany, rows, TABLE } from './users.js'

export interface EngineFigures {
  /** ns per cached check, and the statements that all of them ran. */
  ensureNs: number[]
  ensureStatements: number
  /** us per read of one row by its key. */
  engineUs: number[]
  connectionUs: number[]
  byHandUs: number[]
}

const READS = 20_000
const CHECKS = 1_000_000

const name = definition.name
const config = {
  name: 'bench',
  models: [definition],
  storage: 'memory',
  durability: 'relaxed',
  version: null,
  maxWaitForOwner: 0,
  cacheTableChecks: true,
  autoMigrate: true,
  migrations: { onDestructive: 'keep', onNewer: 'error', data: [], before: false, after: false },
  existingSchema: false,
  encryption: null,
} as const

const parts: EngineParts = {
  bootSqlite: () => bootSqlite({ wasm: () => fetch(wasmUrl) }),
  openStorage: openMemoryStorage,
  own: null,
  lockHolder: null,
  estimate: null,
  emit() {},
  clock: systemClock,
}

self.onmessage = async ({ data: rounds }: MessageEvent<number>) => {
  postMessage(await measure(rounds))
}

async function measure(rounds: number): Promise<EngineFigures> {
  const { ensure, connection } = await openParts()
  const engine = await openEngine()
  const byHand = await openByHand()
  const figures: EngineFigures = { ensureNs: [], ensureStatements: 0, engineUs: [], connectionUs: [], byHandUs: [] }
  for (let round = 0; round <= rounds; round++) {
    const checks = ensure()
    const times = { engineUs: await engine(), connectionUs: connection(), byHandUs: byHand() }
    // The first round warms everybody up alike and is not counted.
    if (round === 0) continue
    figures.ensureNs.push(checks.ns)
    figures.ensureStatements += checks.statements
    figures.engineUs.push(times.engineUs)
    figures.connectionUs.push(times.connectionUs)
    figures.byHandUs.push(times.byHandUs)
  }
  return figures
}

/** An ensured table, and the read's statement on the engine's own connection. */
async function openParts() {
  const models = new Map([[name, compileModel(definition, true)]])
  const nothing = () => {}
  const { db, ensure, runner } = await openDatabase(config, models, parts, {
    begin: nothing,
    closing: new AbortController().signal,
    emit: nothing,
    onFlushed: nothing,
    onFatal: nothing,
    onLost: nothing,
    onFailing: nothing,
    onFailed: nothing,
  })
  runner.run([{ id: 1, ops: [insertMany], durability: null }], ensure.ticket)
  const names = [name]
  return {
    ensure() {
      const { executed } = db.counters
      const { ticket } = ensure
      const start = performance.now()
      for (let i = 0; i < CHECKS; i++) ensure.ensure(names, ticket)
      const ns = ((performance.now() - start) * 1e6) / CHECKS
      return { ns, statements: db.counters.executed - executed }
    },
    connection() {
      let length = 0
      const start = performance.now()
      for (let i = 0; i < READS; i++) db.each(readSql, [keyOf(i)], row => (length += row.text(0)!.length))
      return perRead(start, length)
    },
  }
}

/** As a message with one read arrives: ensured, compiled, executed, answered. */
async function openEngine() {
  const engine = new Engine(config, parts)
  let id = 0
  await engine.run([{ id: ++id, ops: [insertMany], durability: null }])
  return async () => {
    let length = 0
    const start = performance.now()
    for (let i = 0; i < READS; i++) {
      const op = { op: 'read', model: name, id: keyOf(i), select: null } as const
      const outcome = await engine.run([{ id: ++id, ops: [op], durability: null }])
      length += (outcome as { ok: [{ ok: [{ json: string }] }] }).ok[0].ok[0].json.length
    }
    return perRead(start, length)
  }
}

/** The same statement, prepared once, with sql.js as it comes. */
async function openByHand() {
  const sqlJs = await initSqlJs({ locateFile: () => wasmUrl })
  const db = new sqlJs.Database()
  db.run(DDL)
  db.run('BEGIN')
  for (const row of rows) db.run(`INSERT INTO ${TABLE} VALUES (?, ?, ?, ?, ?, ?)`, row)
  db.run('COMMIT')
  const statement = db.prepare(readSql)
  return () => {
    let length = 0
    const start = performance.now()
    for (let i = 0; i < READS; i++) {
      statement.bind([keyOf(i)])
      statement.step()
      length += (statement.get()[0] as string).length
      statement.reset()
    }
    return perRead(start, length)
  }
}

const readSql = compileRead(compileModel(definition, true), { op: 'read', model: name, id: '', select: null }).sql

function keyOf(i: number): string {
  return ids[(i * 7919) % ids.length]!
}

function perRead(start: number, length: number): number {
  const us = ((performance.now() - start) * 1000) / READS
  if (length < READS * 50) throw new Error('Rows are missing')
  return us
}
