// The option `migrations`, and the page's part in a migration: hooks and data steps, run when the worker asks for them.
import type { Connection } from './connect.js'
import type { Transaction } from './database.js'
import { reportLater } from './events.js'
import { describe } from './shared/codec.js'
import { DataFlowError } from './shared/errors.js'
import { didYouMean } from './shared/nearest.js'
import type { MigrationCall, MigrationConfig, MigrationPlan, MigrationReport, Outcome } from './shared/protocol.js'
import { inlineSql, isSqlExpr, type SqlExpr, type SqlQuery } from './shared/sql.js'

/** What a data step works with: the new tables, and by `tx.sql` also what is no longer declared. */
export type MigrationTransaction<Ms> = Omit<Transaction<Ms>, 'afterCommit' | 'savepoint'>

/** Changes rows in the migration's own transaction. It is known by its id, and runs once in each database. */
export interface DataStep<Ms> {
  id: string
  up: SqlExpr | SqlQuery<any> | ((tx: MigrationTransaction<Ms>) => Promise<unknown>)
}

export interface MigrationsOptions<Ms> {
  /**
   * What becomes of removed fields and models, and of values that do not fit a new type. 'keep': fields and tables stay,
   * no longer declared; a loss of values is `MIGRATION_DESTRUCTIVE`. 'error': so is everything that would be given up.
   * 'apply': it is given up, after a backup.
   */
  onDestructive?: 'keep' | 'error' | 'apply'
  /** A newer build has changed the schema. 'error': `SCHEMA_NEWER`. 'readonly': reading goes on. 'compatible': everything goes on if the newer build has only added what this one can leave out. */
  onNewer?: 'error' | 'readonly' | 'compatible'
  /** Called before a migration at opening, or by `apply`. If it throws, nothing is done. */
  before?(plan: MigrationPlan): void | Promise<void>
  /** Called when it is saved. */
  after?(report: MigrationReport): void | Promise<void>
  /** Run in this order, those that have not run yet. A new database needs none of them. */
  data?: readonly DataStep<Ms>[]
}

const KNOWN = ['onDestructive', 'onNewer', 'before', 'after', 'data'] as const

function bad(text: string, hint: string): never {
  throw new DataFlowError('BAD_OPTION', text, { op: 'dataflow', hint })
}

/** What the worker is told of them. Throws `BAD_OPTION`. */
export function migrationConfig(options: MigrationsOptions<any> | undefined): MigrationConfig {
  if (options === undefined) options = {}
  if (typeof options !== 'object' || options === null) bad('migrations is an object.', "{ onDestructive: 'keep' }.")
  const unknown = Object.keys(options).find(key => !(KNOWN as readonly string[]).includes(key))
  if (unknown !== undefined) bad(`migrations has no option "${unknown}".`, didYouMean(unknown, KNOWN))
  const { onDestructive = 'keep', onNewer = 'error', before, after, data = [] } = options
  if (!['keep', 'error', 'apply'].includes(onDestructive)) {
    bad(`onDestructive must not be ${describe(onDestructive)}.`, "it is 'keep', 'error' or 'apply'.")
  }
  if (!['error', 'readonly', 'compatible'].includes(onNewer)) {
    bad(`onNewer must not be ${describe(onNewer)}.`, "it is 'error', 'readonly' or 'compatible'.")
  }
  for (const hook of [before, after]) {
    if (hook !== undefined && typeof hook !== 'function')
      bad('before and after are functions.', 'before: plan => { ... }.')
  }
  if (!Array.isArray(data)) bad('data is a list of steps.', "[{ id: 'lower-emails', up: sql`...` }].")
  const ids = new Set<string>()
  const steps = (data as readonly DataStep<any>[]).map(step => {
    const { id, up } = step ?? {}
    if (typeof id !== 'string' || id === '' || id.includes('\0'))
      bad('A data step needs an id.', "id: '2026-09-emails'.")
    if (ids.has(id)) bad(`Two data steps are called "${id}".`, 'ids are unique, and stay as they are.')
    ids.add(id)
    if (typeof up !== 'function' && !isSqlExpr(up)) {
      bad(`The data step "${id}" does nothing.`, 'up: sql`update ...`, or up: async tx => { ... }.')
    }
    return { id, sql: typeof up === 'function' ? null : inlineSql(up as SqlExpr) }
  })
  return { onDestructive, onNewer, data: steps, before: before !== undefined, after: after !== undefined }
}

/** A call of the database that is made inside a hook waits for the hook; when that does nothing else, it waits for the call. */
const IDLE_MS = 250

/** Runs what the worker asks for. While it does, calls of the database itself are held back. */
export class PageMigrations {
  readonly #options: MigrationsOptions<any>
  readonly #connection: () => Connection
  readonly #transaction: (lease: number) => unknown
  #running: Promise<unknown> | null = null
  /** The app's function is on the stack. */
  #inside = false

  constructor(
    options: MigrationsOptions<any>,
    parts: { connection: () => Connection; transaction: (lease: number) => unknown },
  ) {
    this.#options = options
    this.#connection = parts.connection
    this.#transaction = parts.transaction
  }

  /** null when a call of the database may go on; else it may when the promise resolves. Rejects a call from inside. */
  readonly gate = (): Promise<void> | null => {
    if (this.#inside) return Promise.reject(onlyTx())
    const running = this.#running
    return running && this.#hold(running)
  }

  async run(call: MigrationCall): Promise<void> {
    const running = this.#call(call)
    this.#running = running.then(
      () => {},
      () => {},
    )
    let outcome: Outcome<null> = { ok: null }
    try {
      await running
    } catch (error) {
      const failure = DataFlowError.is(error)
        ? error
        : new DataFlowError('MIGRATION_FAILED', textOf(error, call), {}, error)
      outcome = { error: failure.toWire() }
    }
    this.#running = null
    // A worker that has ended waits for nothing.
    await this.#connection()
      .callIfStarted(engine => engine.answer(call.call, outcome))
      .catch(reportLater)
  }

  async #call(call: MigrationCall): Promise<void> {
    const { before, after, data = [] } = this.#options
    const body = (): unknown => {
      if (call.kind === 'before') return before!(call.plan)
      if (call.kind === 'after') return after!(call.report)
      const { up } = data.find(({ id }) => id === call.id)!
      return (up as (tx: unknown) => unknown)(this.#transaction(call.lease))
    }
    this.#inside = true
    let result: unknown
    try {
      result = body()
    } finally {
      this.#inside = false
    }
    await result
  }

  /** Waits for the hook, as long as that is at work. */
  #hold(running: Promise<unknown>): Promise<void> {
    return new Promise((resolve, reject) => {
      let calls = -1
      const timer = setInterval(() => {
        const { leased } = this.#connection()
        if (leased.pending === 0 && leased.calls === calls) {
          clearInterval(timer)
          reject(onlyTx())
        }
        calls = leased.calls
      }, IDLE_MS)
      void running.then(() => {
        clearInterval(timer)
        resolve()
      })
    })
  }
}

function textOf(error: unknown, { kind }: MigrationCall): string {
  const text = error instanceof Error ? error.message : String(error)
  return `${kind === 'data' ? 'its data step' : `its ${kind}()`} has thrown: ${text}.`
}

function onlyTx(): DataFlowError {
  return new DataFlowError('BAD_OPTION', 'A migration is running: the database itself cannot be called in it.', {
    hint: 'inside before, after and up use only tx; elsewhere call again when it is done.',
    retryable: true,
  })
}
