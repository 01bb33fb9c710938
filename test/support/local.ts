// A database in this process: the page's own encoding and decoding over the real engine on real SQLite, without Worker
// and Comlink. What crosses is cloned as it would be.
import 'fake-indexeddb/auto'
import { readFileSync } from 'node:fs'
import { createRequire } from 'node:module'
import type { RunBulk } from '../../src/bulk/methods.js'
import type { DatabaseOptions, Executor, QueryResult } from '../../src/database.js'
import { decodeConflict } from '../../src/encode/conflict.js'
import { actorOf } from '../../src/actor.js'
import { auditTrail } from '../../src/audit.js'
import { prepare } from '../../src/encode/operation.js'
import type { Prepared } from '../../src/encode/options.js'
import { isOperation, type AnyModel, type Operation } from '../../src/model.js'
import { engineConfig } from '../../src/options.js'
import { resolveModels } from '../../src/resolve.js'
import { prepareSql } from '../../src/run-sql.js'
import { encodeScope } from '../../src/scope.js'
import { DataFlowError } from '../../src/shared/errors.js'
import type { Durability, WireOperation, WireWritten } from '../../src/shared/operation.js'
import type { EngineEvent, Outcome, Scope, Unit } from '../../src/shared/protocol.js'
import { isSqlExpr, sql, type SqlQuery } from '../../src/shared/sql.js'
import { makeTable, type Table } from '../../src/table.js'
import { MODELS, prepareExecute } from '../../src/workflow/execute.js'
import { systemClock } from '../../worker/clock.js'
import { Engine, type EngineParts } from '../../worker/engine.js'
import type { Storage } from '../../worker/seams.js'
import { bootSqlite } from '../../worker/sqlite/boot.js'
import { openIndexedDbStorage } from '../../worker/storage/indexeddb.js'
import { openMemoryStorage } from '../../worker/storage/memory.js'

const require = createRequire(import.meta.url)
const wasm = readFileSync(require.resolve('sql.js/dist/sql-wasm.wasm'))

export const STORAGES = ['memory', 'indexeddb'] as const

export const clock = systemClock

/** What is the same for every database of this process. */
export const parts = { bootSqlite: () => bootSqlite({ wasm: () => wasm }) }

/** The answer, or the error it carries. */
export async function unwrap<T>(outcome: Promise<Outcome<T>>): Promise<T> {
  const answered = structuredClone(await outcome)
  if ('ok' in answered) return answered.ok
  throw DataFlowError.fromWire(answered.error)
}

type Query = Operation<any> | SqlQuery<any>

/** What runs operations: all of them, or those of a scope. */
export interface LocalView<Tables, Ms = {}> {
  readonly tables: Tables
  run<Q extends Query>(query: Q, options?: { durability?: Durability }): Promise<QueryResult<Q, Ms>>
  batch(queries: readonly Query[]): Promise<any[]>
  execute: Executor['execute']
}

export interface LocalDatabase<Ms extends Record<string, AnyModel>> extends LocalView<
  { readonly [K in keyof Ms]: Table<Ms[K], Ms> },
  Ms
> {
  /** `Tables`: as `ScopedTables` of the models. */
  scope<Tables = any>(values: object): LocalView<Tables>
  /** An operation of a scope as it crosses, from wherever it may come. */
  send(op: Unit['ops'][number], scope?: Scope): Promise<any>
  readonly engine: Engine
  readonly events: EngineEvent[]
  readonly [MODELS]: unknown
  /** Several calls of one tick: one message, each with its own outcome. */
  tick(queries: readonly (Query | readonly Query[])[]): Promise<PromiseSettledResult<any>[]>
  readonly audit: { list(args?: any): Promise<any[]>; prune(args: { before: Date }): Promise<number> }
  sql<T = Record<string, any>>(strings: TemplateStringsArray, ...values: unknown[]): Promise<T[]>
  /** Statements executed by `work`, and transaction control. */
  count<T>(work: () => Promise<T>): Promise<{ executed: number; control: number; result: T }>
  close(): Promise<void>
}

let names = 0
/** A name that no other test has. */
export const freshName = () => `test-${++names}-${process.pid}`

export interface LocalOptions extends Partial<Omit<DatabaseOptions<any>, 'models' | 'worker' | 'wasmUrl'>> {
  name?: string
  parts?: Partial<EngineParts>
  wrapStorage?: (storage: Storage) => Storage
  /** What the page sends with the models. */
  fingerprint?: string | null
}

/** Opens a database of these models. `storage` is memory unless said. */
export function localDatabase<Ms extends Record<string, AnyModel>>(
  models: Ms,
  {
    name = freshName(),
    parts: otherParts = {},
    wrapStorage = storage => storage,
    fingerprint = null,
    ...options
  }: LocalOptions = {},
): LocalDatabase<Ms> {
  const pageModels = resolveModels(models)
  const config = {
    ...engineConfig(name, { storage: 'memory', ...options, models }, pageModels),
    fingerprint,
    encryption: null,
  }
  const events: EngineEvent[] = []
  const engine = new Engine(structuredClone(config), {
    ...parts,
    openStorage: () => wrapStorage(config.storage === 'memory' ? openMemoryStorage() : openIndexedDbStorage(name)),
    own: null,
    clock,
    lockHolder: null,
    estimate: null,
    emit: event => events.push(structuredClone(event)),
    ...otherParts,
  })
  void engine.listen(['query', 'change', 'flush', 'migrate', 'blocked', 'quota', 'error'])
  let units = 0
  const prepareAny = (query: Query, scope: Scope | null = null): Prepared => {
    if (isSqlExpr(query)) return prepareSql(query as SqlQuery<unknown>)
    if (!isOperation(query)) throw new Error('not an operation')
    const model = pageModels.get(query.model)
    if (!model) throw new DataFlowError('UNKNOWN_MODEL', `no model ${query.model}`)
    return prepare(model, query, { scope })
  }
  const send = async (
    groups: readonly (readonly Prepared[])[],
    durability: Durability | null = null,
    scope: Scope | null = null,
  ) => {
    const message = groups.map((group): Unit => {
      const ops = group.map(({ wire }) => wire)
      const actor = actorOf(options.actor, ops)
      return {
        id: ++units,
        ops,
        durability,
        ...(scope ? { scope } : {}),
        ...(actor === undefined ? {} : { actor }),
      }
    })
    const outcomes = await unwrap(engine.run(structuredClone(message)))
    return outcomes.map((outcome, i) => {
      if ('error' in outcome) {
        return {
          status: 'rejected' as const,
          reason: decodeConflict(DataFlowError.fromWire(outcome.error), pageModels),
        }
      }
      return { status: 'fulfilled' as const, value: groups[i]!.map((item, j) => item.decode(outcome.ok[j]! as never)) }
    })
  }
  const view = (scope: Scope | null): LocalView<any> => {
    const one = async (prepared: Prepared, durability?: Durability): Promise<any> => {
      const [settled] = await send([[prepared]], durability, scope)
      if (settled!.status === 'rejected') throw settled!.reason
      return settled!.value[0]
    }
    const run = async (query: Query, durability?: Durability) => one(prepareAny(query, scope), durability)
    const write = async (wire: WireOperation, { durability }: { durability?: Durability }) =>
      (await one({ wire, decode: result => result } as Prepared, durability)) as WireWritten
    const runBulk: RunBulk = {
      leased: false,
      scope,
      send: write,
      sendMade: async (make, options) => write(await make(), options),
    }
    const tables = [...pageModels.values()].map(model => [
      model.accessor,
      makeTable(model, (operation, { durability }) => run(operation, durability), runBulk),
    ])
    return {
      tables: Object.fromEntries(tables),
      run: (query, { durability } = {}) => run(query, durability),
      async batch(queries) {
        const [settled] = await send([queries.map(query => prepareAny(query, scope))], null, scope)
        if (settled!.status === 'rejected') throw settled!.reason
        return settled!.value
      },
      execute: async (workflow: unknown, given?: unknown, options?: unknown): Promise<any> =>
        one(prepareExecute(workflow, given, options, pageModels, scope).prepared),
    }
  }
  const all = view(null)
  return {
    ...all,
    engine,
    events,
    scope: values => view(encodeScope(values, pageModels)),
    async send(wire, scope) {
      const [settled] = await send([[{ wire, decode: result => result } as Prepared]], null, scope)
      if (settled!.status === 'rejected') throw settled!.reason
      return settled!.value[0]
    },
    [MODELS]: pageModels,
    audit: auditTrail({
      models: pageModels,
      async send(wire) {
        const [outcome] = await unwrap(engine.run([structuredClone({ id: ++units, ops: [wire], durability: null })]))
        if ('error' in outcome!) throw DataFlowError.fromWire(outcome.error)
        return outcome!.ok[0]!
      },
      prune: before => unwrap(engine.schema.pruneAudit(before)),
    }),
    async tick(queries) {
      const groups = queries.map(query => ('length' in query ? query : [query]) as readonly Query[])
      const settled = await send(groups.map(group => group.map(query => prepareAny(query))))
      return settled.map((item, i) =>
        item.status === 'fulfilled' && !('length' in queries[i]!) ? { ...item, value: item.value[0] } : item,
      )
    },
    sql: async (strings, ...values) => (await all.run(sql(strings, ...values))) as never,
    async count(work) {
      const before = (await unwrap(engine.metrics())).statements
      const result = await work()
      const after = (await unwrap(engine.metrics())).statements
      return { executed: after.executed - before.executed, control: after.control - before.control, result }
    },
    close: async () => void (await unwrap(engine.close())),
  }
}
