// dataflow(): a database. Owns the connection, hands out tables; everything it does is an operation, a transaction or
// a question to the engine.
import { actorOf } from './actor.js'
import { auditTrail } from './audit.js'
import type { RunBulk } from './bulk/methods.js'
import { Connection, type RunOptions } from './connect.js'
import type { Database, DatabaseOptions, MigrationEntry } from './database.js'
import { deleteDatabase, listDatabases } from './databases.js'
import { keyOf } from './encryption.js'
import { Listeners } from './events.js'
import { fingerprintOf } from './fingerprint.js'
import { decodeConflict } from './encode/conflict.js'
import { prepare } from './encode/operation.js'
import { checkRunOptions, type Prepared } from './encode/options.js'
import { importRows } from './import-rows.js'
import { introspectFile } from './introspect.js'
import { isOperation, type AnyModel, type Operation } from './model.js'
import { PageMigrations } from './migrations.js'
import { engineConfig, modelsOption } from './options.js'
import { recoverDatabase } from './recover.js'
import { modelNamed, resolveModels } from './resolve.js'
import { prepareSql } from './run-sql.js'
import { encodeScope, refuseOthers } from './scope.js'
import { DataFlowError } from './shared/errors.js'
import { didYouMean } from './shared/nearest.js'
import type { WireWritten } from './shared/operation.js'
import type { EncryptionKey, EngineEvent, Scope, UnitResult } from './shared/protocol.js'
import { isSqlExpr, sql, type SqlQuery } from './shared/sql.js'
import { makeTable } from './table.js'
import { checkTransactionOptions, Transactions, type LeaseHandle, type TransactionOptions } from './transaction.js'
import { Whole, type RestoreOptions } from './whole.js'
import { MODELS, prepareExecute } from './workflow/execute.js'

/**
 * Declares a database. Synchronous; touches nothing until the first call, so it can stand in a module that a server
 * renders. Throws `BAD_MODEL` and `BAD_OPTION`.
 *
 * @example
 * const db = dataflow('app', { models: { users: User, posts: Post } })
 * await db.users.create({ email: 'ada@example.com', name: 'Ada' })
 */
export function dataflow<const Ms extends Record<string, AnyModel>>(
  name: string,
  options: DatabaseOptions<Ms>,
): Database<Ms> {
  const models = resolveModels(modelsOption(options))
  const config = engineConfig(name, options, models)
  let encryptionKey: () => Promise<EncryptionKey | null> =
    options.encryption === undefined ? async () => null : keyOf(options.encryption, 'dataflow')
  const listeners = new Listeners()
  // Made while the worker starts.
  let fingerprint: Promise<string | null> | undefined
  const migrations = new PageMigrations(options.migrations ?? {}, {
    connection: () => connection,
    transaction: id => executor({ id, assertOpen() {} }),
  })
  const connection: Connection = new Connection(
    name,
    {
      config: async () => ({
        ...config,
        fingerprint: await (fingerprint ??= fingerprintOf(config.models)),
        encryption: await encryptionKey(),
      }),
      worker: options.worker,
      wasmUrl: options.wasmUrl === undefined ? null : String(options.wasmUrl),
      wantedEvents: () => listeners.wanted,
      actor: ops => actorOf(options.actor, ops),
      onEvent(event) {
        if (event.type === 'progress') whole.onProgress(event.detail)
        else if (event.type === 'call') void migrations.run(event.detail)
        else dispatch(listeners, event)
      },
    },
    migrations.gate,
  )
  const transactions = new Transactions(connection)
  const whole = new Whole({
    connection,
    watch: call => transactions.watch(call),
    useKey: key => (encryptionKey = async () => key),
  })

  const prepareAny = (query: unknown, scope: Scope | null): Prepared => {
    if (isSqlExpr(query)) return prepareSql(query as SqlQuery<unknown>)
    if (!isOperation(query)) {
      const hint = 'pass User.list({ ... }), or a query of the sql tag.'
      throw new DataFlowError('BAD_OPTION', 'That is not an operation.', { op: 'run', hint })
    }
    return prepare(modelNamed(models, query.model, query.op), query, { scope })
  }

  const nameOf = (accessor: unknown): string => {
    for (const model of models.values()) if (model.accessor === accessor) return model.definition.name
    const text = `This database has no model "${String(accessor).replaceAll('\0', '\\0')}".`
    const accessors = [...models.values()].map(model => model.accessor)
    throw new DataFlowError('UNKNOWN_MODEL', text, { hint: didYouMean(String(accessor), accessors) })
  }

  /** Everything that runs operations: the database's, with `lease` a transaction's, with `scope` a handle's. */
  const executor = (lease?: Pick<LeaseHandle, 'id' | 'assertOpen'>, scope: Scope | null = null) => {
    const watch = <T>(running: Promise<T>) => (lease ? running : transactions.watch(running))
    const send = async (prepared: readonly Prepared[], options: RunOptions): Promise<unknown[]> => {
      lease?.assertOpen()
      const running = connection.run(
        prepared.map(({ wire }) => wire),
        options,
        lease?.id,
        scope,
      )
      const results = await watch(running).catch((error: unknown) => {
        throw decodeConflict(error, models)
      })
      return prepared.map((item, i) => item.decode(results[i]!))
    }
    const run = async (query: unknown, options: RunOptions = {}) => {
      const [result] = await send([prepareAny(query, scope)], checkRunOptions(options))
      return result
    }
    const batch = async (queries: readonly unknown[], options: RunOptions = {}) => {
      if (!Array.isArray(queries)) {
        throw new DataFlowError('BAD_OPTION', 'batch() takes a list.', {
          op: 'batch',
          hint: 'db.batch([User.count()]).',
        })
      }
      const prepared = Array.from(queries, query => prepareAny(query, scope))
      return prepared.length === 0 ? [] : send(prepared, checkRunOptions(options))
    }
    const written = async (running: () => Promise<readonly UnitResult[]>) => {
      lease?.assertOpen()
      const [result] = await watch(running())
      return result as WireWritten
    }
    const runBulk: RunBulk = {
      leased: lease !== undefined,
      scope,
      send: (wire, runOptions) => written(() => connection.run([wire], runOptions, lease?.id, scope)),
      sendMade: (make, runOptions) =>
        written(() => connection.runMade(async () => [await make()], runOptions, lease?.id, scope)),
    }
    const tables = [...models.values()].map(model => {
      const run = (operation: Operation<unknown>, runOptions: RunOptions) =>
        send([prepare(model, operation, { scope })], runOptions).then(([result]) => result)
      return [model.accessor, makeTable(model, run, runBulk)]
    })
    return {
      ...Object.fromEntries(tables),
      run,
      batch,
      async execute(workflow: unknown, given: unknown, runOptions?: unknown) {
        const { prepared, options } = prepareExecute(workflow, given, runOptions, models, scope)
        const [result] = await send([prepared], checkRunOptions(options))
        return result
      },
      importRows: async (accessor: unknown, file: unknown, importOptions?: unknown) =>
        importRows(models.get(nameOf(accessor))!, file, importOptions, runBulk),
      sql: async (strings: TemplateStringsArray, ...values: unknown[]) => run(sql(strings, ...values)),
    }
  }

  /** The database, or with `lease` a transaction: whole, or a scope's part of it. */
  const handleOf = (scope: Scope | null, lease?: LeaseHandle): object => {
    const own = lease
      ? {
          afterCommit: lease.afterCommit,
          savepoint: async (body: Body) => lease.savepoint(bodyOf('savepoint', body, scope)),
        }
      : {
          async transaction(body: Body, options: TransactionOptions = {}) {
            const checked = checkTransactionOptions(options)
            return transactions.run(bodyOf('transaction', body, scope), checked)
          },
        }
    if (!scope) {
      const narrowed = (values: unknown) => handleOf(encodeScope(values, models), lease)
      return { ...executor(lease), ...own, scope: narrowed }
    }
    const { sql: _sql, importRows: _importRows, ...handle } = executor(lease, scope)
    return refuseOthers({ ...handle, ...own })
  }
  type Body = (tx: never) => Promise<unknown>
  const bodyOf = (op: 'transaction' | 'savepoint', body: Body, scope: Scope | null) => {
    if (typeof body !== 'function') {
      const hint = `${op === 'transaction' ? 'db' : 'tx'}.${op}(async tx => { ... }).`
      throw new DataFlowError('BAD_OPTION', `${op}() takes a function.`, { op, hint })
    }
    return async (lease: LeaseHandle) => body(handleOf(scope, lease) as never)
  }

  const database = {
    ...handleOf(null),
    get ready() {
      return connection.call(engine => engine.ready())
    },
    async ensure(...accessors: string[]) {
      const names = accessors.length > 0 ? accessors.map(nameOf) : [...models.keys()]
      await connection.call(engine => engine.ensure(names))
    },
    async tableStatus(accessor: string) {
      const model = nameOf(accessor)
      return connection.call(engine => engine.tableStatus(model))
    },
    async retry(accessor: string) {
      const model = nameOf(accessor)
      await connection.call(engine => engine.retry(model))
    },
    migrations: {
      plan: () => connection.call(engine => engine.plan()),
      apply: () => connection.call(engine => engine.apply()),
      async history(): Promise<MigrationEntry[]> {
        const records = await connection.call(engine => engine.history())
        return records.map(record => ({
          ...record,
          id: record.version,
          appliedAt: record.appliedAt === null ? null : new Date(record.appliedAt),
          createdAt: new Date(record.createdAt),
        }))
      },
      status: () => connection.call(engine => engine.status()),
      restore: (options?: RestoreOptions) => whole.restoreMigrated(options),
    },
    audit: auditTrail({
      models,
      send: async (wire, runOptions) => (await transactions.watch(connection.run([wire], runOptions)))[0]!,
      prune: before => connection.call(engine => engine.pruneAudit(before)),
    }),
    async metrics() {
      return { ...(await connection.call(engine => engine.metrics())), rpc: connection.rpc }
    },
    async compact() {
      await connection.call(engine => engine.compact())
    },
    export: whole.export,
    import: whole.import,
    backup: whole.backup,
    backups: whole.backups,
    restore: whole.restore,
    rekey: whole.rekey,
    storage: whole.storage,
    async persist() {
      // Not there outside a secure context, and not in every browser.
      return (await globalThis.navigator?.storage?.persist?.()) ?? false
    },
    async flush() {
      await connection.callIfStarted(engine => engine.flush())
    },
    on(event: never, listener: never) {
      const off = listeners.add(event, listener)
      connection.listen()
      return () => {
        off()
        connection.listen()
      }
    },
    [MODELS]: models,
    close: () => connection.close(),
    // Older engines have no asyncDispose; the name is then never asked for.
    [Symbol.asyncDispose ?? Symbol.for('Symbol.asyncDispose')]: () => connection.close(),
  }
  return database as unknown as Database<Ms>
}

dataflow.delete = deleteDatabase
dataflow.databases = listDatabases
dataflow.recover = recoverDatabase
dataflow.introspect = introspectFile

function dispatch(listeners: Listeners, event: Exclude<EngineEvent, { type: 'progress' | 'call' }>): void {
  if (event.type === 'error') listeners.emit('error', DataFlowError.fromWire(event.detail))
  else listeners.emit(event.type, event.detail as never)
}
