// One operation, compiled and run: the statements, what they changed, and the answer as it crosses.
import type { ModelDefinition, StoredValue } from '../src/shared/definition.js'
import { DataFlowError } from '../src/shared/errors.js'
import {
  isWrite,
  nameOf,
  type Assignment,
  type WireColumns,
  type WireOperation,
  type WireResult,
  type WireRows,
  type WireTable,
  type WireWritten,
} from '../src/shared/operation.js'
import type { Scope } from '../src/shared/protocol.js'
import { Changes } from './changes.js'
import { insertMany, type Inserted, type InsertManyParts } from './insert-many.js'
import { compileAggregate } from './compile/aggregate.js'
import { AUDIT_TRAIL, fieldsUsed, modelsUsed, SEARCH_INDEX } from './compile/fields-used.js'
import { compileIncluding } from './compile/include.js'
import { asKey, modelNamed, selectionOf, type CompiledModel } from './compile/model.js'
import { compileCount, compileList, compileRead } from './compile/read.js'
import {
  compileBulkDelete,
  compileBulkUpdate,
  compileDelete,
  compileInsert,
  compileUpdate,
  compileUpsert,
  hasMadeValues,
  type OneRow,
  type Statement,
} from './compile/write.js'
import {
  compileReferences,
  joinReferences,
  keyWritten,
  NO_REFERENCES,
  referencesOfRow,
  referencesOfSet,
  type References,
} from './compile/references.js'
import { bindRow, bindToScope } from './compile/scope.js'
import type { Access } from './compile/visible.js'
import { toDataFlowError } from './failure.js'
import { assertPermitted, deletedInTheWay, hiddenInTheWay, noSuchRow, restoration, softDeletion } from './kinds.js'
import type { Restrictions } from './restrictions.js'
import { STAMP_AUDIT } from './migrate/audit-trail.js'
import { AuditedModels } from './audited.js'
import { assertAllowed, assertNothingHidden, assertNotOurs, mayReplace } from './raw-sql.js'
import { indexLater, isMany, search } from './search.js'
import { Statements } from './statements.js'
import { SqliteError, type Clock, type Sqlite, type SqlCell, type SqlParam } from './seams.js'

export interface ExecutorParts {
  readonly db: Sqlite
  readonly models: ReadonlyMap<string, CompiledModel>
  /** Models that SQLite changes itself when a row of the key's model is deleted. */
  readonly cascades: ReadonlyMap<string, readonly string[]>
  readonly restrictions: Restrictions
  readonly clock: Clock
  /** Whether triggers may write what a statement does not say. */
  hasTriggers(): boolean
  /** Fields that the table does not have (`autoMigrate: 'warn'`). */
  lacking(model: string): ReadonlySet<string>
  /** Throws when this build may only read. */
  assertWritable(): void
  /** Whether a statement is one of those that were told to mend the schema. */
  mends(sql: string): boolean
  /** Called after raw SQL that changed the schema. */
  onSchemaChanged(): void
}

type Of<Op extends WireOperation['op']> = Extract<WireOperation, { op: Op }>

/** Milliseconds since the epoch that a transaction stamps its rows with, what it changed, and whose rows it is about. */
export interface Execution {
  readonly stamp: number
  readonly changes: Changes
  /** null: all rows. */
  readonly scope: Scope | null
  /** Who an audit trail says it was; null: nobody knows. */
  readonly actor: string | null
}

/** What stands among the fields of an operation and is none. */
const KEPT: Record<string, string> = { [SEARCH_INDEX]: 'text search index', [AUDIT_TRAIL]: 'audit trail' }

export class Executor {
  readonly #parts: ExecutorParts
  readonly #statements: Statements
  readonly #audited: AuditedModels
  /** The operation has changed rows of audited models. */
  #recorded = false

  constructor(parts: ExecutorParts) {
    this.#parts = parts
    this.#statements = new Statements(parts.db, parts.clock)
    this.#audited = new AuditedModels(parts.models, parts.cascades)
  }

  /** Calls `trace` for each statement; null for nobody. */
  set trace(trace: Statements['trace']) {
    this.#statements.trace = trace
  }

  /** Runs one operation. Throws what SQLite threw: its caller knows whether a transaction is lost. */
  execute(given: WireOperation, execution: Execution): WireResult {
    this.#statements.operation = given
    if (given.op === 'sql') assertAllowed(given.sql)
    const op = execution.scope ? bindToScope(given, this.#parts.models, execution.scope) : given
    const { db } = this.#parts
    if (!this.#mayRecord(op)) return this.#execute(op, execution)
    const recorded = (): WireResult => {
      this.#recorded = false
      const result = this.#execute(op, execution)
      if (this.#recorded) this.#statements.run(STAMP_AUDIT, [execution.actor, execution.stamp])
      return result
    }
    return db.inTransaction ? recorded() : db.atomically(recorded)
  }

  /** Whether triggers may record what it does: then it is two statements, and needs a transaction. */
  #mayRecord(op: WireOperation): boolean {
    if (this.#audited.none) return false
    if (op.op === 'sql') return this.#audited.hasOneOf(this.#parts.db.tablesOf(op.sql).writes)
    return isWrite(op.op) && (this.#audited.isReachedFrom(op.model) || this.#parts.hasTriggers())
  }

  #execute(op: WireOperation, execution: Execution): WireResult {
    if (op.op === 'sql') return this.#raw(op, execution)
    if (isWrite(op.op)) this.#parts.assertWritable()
    const model = modelNamed(this.#parts.models, op.model)
    assertPermitted(model.definition, op)
    for (const name of modelsUsed(op)) {
      if (this.#parts.lacking(name).size > 0) this.#assertComplete(modelNamed(this.#parts.models, name), op)
    }
    const access: Access = { scope: execution.scope, withDeleted: !isWrite(op.op) && (op.withDeleted ?? false) }
    switch (op.op) {
      case 'create':
        return this.#create(model, op, execution)
      case 'read':
        return op.include
          ? this.#statements.columns(compileIncluding(model, op, access))
          : this.#statements.rows(compileRead(model, op, access))
      case 'update':
        return this.#update(model, op, execution, access)
      case 'restore':
        return this.#update(model, { ...op, set: restoration(model.definition) }, execution, onlyDeleted(access))
      case 'delete':
        return this.#delete(model, op, execution, access)
      case 'purge':
        return this.#deleteRow(model, op, execution, onlyDeleted(access))
      case 'list':
        return this.#list(model, op, access)
      case 'count': {
        const { sql, params } = compileCount(model, op, access)
        let count = 0
        this.#statements.each(sql, params, row => (count = row.value(0) as number))
        return count
      }
      case 'aggregate':
        return this.#aggregate(compileAggregate(model, op, access))
      case 'search':
        return search(model, { ...op, access }, (sql, params, visit) => this.#statements.each(sql, params, visit))
      case 'upsert':
        return this.#upsert(model, op, execution, access)
      case 'insertMany':
        return this.#insertMany(model, op, execution, access)
      case 'bulkUpdate':
        return this.#bulkUpdate(model, op, execution, access)
      case 'bulkRestore': {
        const set = restoration(model.definition)
        return this.#bulkUpdate(model, { where: op.where, set }, execution, onlyDeleted(access))
      }
      case 'bulkDelete':
        return this.#bulkDelete(model, op, execution, access)
      case 'bulkPurge':
        return this.#bulkDeleteRows(model, op, execution, onlyDeleted(access))
    }
  }

  #create(model: CompiledModel, op: Of<'create'>, execution: Execution): WireWritten | WireRows {
    const { stamp, scope } = execution
    const made = hasMadeValues(model, op.row)
    const references = referencesOfRow(this.#parts.models, model, op.row, scope)
    const { sql, params } = compileInsert(model, op.row, stamp, made ? 'row' : 'nothing', undefined, references)
    if (made) {
      const rows = this.#writtenRow(model, sql, params, execution)
      if (rows.json === '[]') this.#assertSeen(references)
      return rows
    }
    if (this.#statements.run(sql, params) === 0) this.#assertSeen(references)
    const key = op.row[model.columns.indexOf(model.key)]!
    this.#changed(model, [key], sql, execution)
    return this.#afterTriggers(model, key, sql) ?? { stamp, count: 1 }
  }

  #update(
    model: CompiledModel,
    op: Of<'update' | 'restore'> & { readonly set: readonly Assignment[] },
    execution: Execution,
    access: Access,
  ): WireRows {
    const references = referencesOfSet(this.#parts.models, model, op.set, op.id, execution.scope)
    const { sql, params } = compileUpdate(model, op, execution.stamp, access, 'row', references)
    const rows = this.#statements.rows({ sql, params, selection: selectionOf(model, null) })
    if (rows.json !== '[]') {
      this.#changed(model, [op.id], sql, execution)
      return this.#afterTriggers(model, op.id, sql) ?? rows
    }
    this.#assertSeen(references)
    this.#assertUnmoved(model, op, access)
    throw noSuchRow(model.definition, op)
  }

  /** Nothing was written: if the row is there, it has moved on. */
  #assertUnmoved(model: CompiledModel, { id, version = null }: OneRow, access: Access): void {
    if (version === null) return
    const current = this.#statements.rows(
      compileRead(model, { op: 'read', model: model.definition.name, id, select: null }, access),
    )
    if (current.json === '[]') return
    throw new DataFlowError('CONFLICT', 'the row has been changed since it was read.', {
      hint: 'apply the change to error.current, or read it again, and write with its new version.',
      retryable: true,
      current,
    })
  }

  #delete(model: CompiledModel, op: Of<'delete'>, execution: Execution, access: Access): boolean {
    const set = softDeletion(model.definition, execution.stamp)
    if (!set) return this.#deleteRow(model, op, execution, access)
    const { sql, params } = compileUpdate(model, { ...op, set }, execution.stamp, access, 'nothing')
    const [id] = this.#unlessRestricted(model, () => (this.#statements.run(sql, params) > 0 ? [op.id] : []))
    if (id === undefined) this.#assertUnmoved(model, op, access)
    else this.#changed(model, [id], sql, execution)
    return id !== undefined
  }

  #deleteRow(model: CompiledModel, row: OneRow, execution: Execution, access: Access): boolean {
    const { sql, params } = compileDelete(model, row, access)
    const deleted = this.#statements.run(sql, params) > 0
    if (deleted) this.#deleted(model, [row.id], sql, execution)
    else this.#assertUnmoved(model, row, access)
    return deleted
  }

  #bulkUpdate(
    model: CompiledModel,
    op: Pick<Of<'bulkUpdate'>, 'where' | 'set'>,
    execution: Execution,
    access: Access,
  ): WireWritten {
    const references = referencesOfSet(this.#parts.models, model, op.set, undefined, execution.scope)
    const { sql, params } = compileBulkUpdate(model, op, execution.stamp, access, references)
    const ids = this.#statements.keys(model, sql, params)
    if (ids.length === 0) this.#assertSeen(references)
    this.#changed(model, ids, sql, execution)
    return { stamp: execution.stamp, count: ids.length, ids }
  }

  #bulkDelete(model: CompiledModel, op: Of<'bulkDelete'>, execution: Execution, access: Access): WireWritten {
    const set = softDeletion(model.definition, execution.stamp)
    if (!set) return this.#bulkDeleteRows(model, op, execution, access)
    const { stamp } = execution
    const { sql, params } = compileBulkUpdate(model, { where: op.where, set }, stamp, access)
    const ids = this.#unlessRestricted(model, () => this.#statements.keys(model, sql, params))
    this.#changed(model, ids, sql, execution)
    return { stamp, count: ids.length, ids }
  }

  #bulkDeleteRows(
    model: CompiledModel,
    op: Pick<Of<'bulkDelete'>, 'where'>,
    execution: Execution,
    access: Access,
  ): WireWritten {
    const { sql, params } = compileBulkDelete(model, op, access)
    const ids = this.#statements.keys(model, sql, params)
    if (ids.length > 0) this.#deleted(model, ids, sql, execution)
    return { stamp: execution.stamp, count: ids.length, ids }
  }

  #unlessRestricted(model: CompiledModel, remove: () => StoredValue[]): StoredValue[] {
    const exists = ({ sql, params }: Statement) => this.#statements.each(sql, params, () => {}) > 0
    return this.#parts.restrictions.hold(model.definition.name, remove, exists)
  }

  #upsert(model: CompiledModel, op: Of<'upsert'>, execution: Execution, access: Access): WireRows {
    const { models } = this.#parts
    const { stamp, scope } = execution
    const set = 'set' in op.update ? op.update.set : []
    const references = joinReferences(
      referencesOfRow(models, model, op.row, scope, op.on),
      referencesOfSet(models, model, set, keyWritten(model, op.row, op.on), scope),
    )
    const { sql, params } = compileUpsert(model, op, stamp, access, references)
    const rows = this.#writtenRow(model, sql, params, execution)
    if (rows.json === '[]') this.#assertNothingHid(model, sql, op.on, scope, references)
    return rows
  }

  /** Throws `FOREIGN_KEY` for a reference to a row that the scope does not see, as for one that is not there. */
  #assertSeen(references: References): void {
    if (references === NO_REFERENCES) return
    const { sql, params } = compileReferences(references)
    const fields: string[] = []
    this.#statements.each(sql, params, row => {
      fields.push(...references.fields.filter((_, i) => row.value(i) === 0))
    })
    if (fields.length === 0) return
    throw new DataFlowError('FOREIGN_KEY', `${fields.join(' and ')} points to a row that does not exist.`, {
      fields,
      hint: 'write the row that is referred to first.',
    })
  }

  /** Nothing was written: a row that cannot be seen is in the way, unless a trigger has said RAISE(IGNORE). */
  #assertNothingHid(
    model: CompiledModel,
    sql: string,
    on: readonly string[] | null,
    scope: Scope | null,
    references: References,
  ): void {
    const { db, hasTriggers } = this.#parts
    this.#assertSeen(references)
    if (scope) throw hiddenInTheWay(model.definition, on)
    if (model.definition.softDelete === undefined || (hasTriggers() && db.tablesOf(sql).triggers)) return
    throw deletedInTheWay(model.definition, this.#statements.operation!, on)
  }

  /** A bulk write runs a statement for each row: one event tells of them all. */
  #insertMany(model: CompiledModel, op: Of<'insertMany'>, execution: Execution, access: Access): WireWritten {
    const { db, clock, models, hasTriggers } = this.#parts
    const { stamp, scope, changes } = execution
    const on = op.conflict.policy === 'update' ? op.conflict.on : undefined
    const { trace } = this.#statements
    const start = clock.monotonic()
    const { prepared } = db.counters
    const context = { models: this.#definitions(), model: model.definition, op: nameOf(op) }
    const parts: InsertManyParts = {
      db,
      stamp,
      access,
      triggers: hasTriggers(),
      bind: row => (scope ? bindRow(row, model.definition, scope) : row),
      referencesOf: row => referencesOfRow(models, model, row, scope, on),
      assertFree: (sql, references) =>
        on === undefined ? this.#assertSeen(references) : this.#assertNothingHid(model, sql, on, scope, references),
      describe: error => toDataFlowError(error, context),
    }
    let inserted!: Inserted
    const insert = (): void => void (inserted = insertMany(model, op, parts))
    if (this.#indexesLater(model, op)) indexLater(model, db, insert, () => inserted.keys)
    else insert()
    const { written, keys, statements } = inserted
    changes.addMany(op.model, keys)
    if (keys.length > 0 && this.#audited.has(op.model)) this.#recorded = true
    if (keys.length > 0 && hasTriggers()) for (const sql of statements) this.#changedByTriggers(model, sql, changes)
    const [sql = ''] = statements
    const ms = clock.monotonic() - start
    trace?.({
      sql,
      model: op.model,
      op: nameOf(op),
      rows: written.count,
      ms,
      cached: db.counters.prepared === prepared,
    })
    return written
  }

  /** An app's own triggers may add rows that nobody tells of. */
  #indexesLater({ definition }: CompiledModel, { rows, packed }: Of<'insertMany'>): boolean {
    const { hasTriggers, lacking } = this.#parts
    const many = isMany(packed?.count ?? rows.length)
    return many && !!definition.search && !hasTriggers() && !lacking(definition.name).has(SEARCH_INDEX)
  }

  #raw(op: Of<'sql'>, { changes }: Execution): WireTable {
    const { db, models } = this.#parts
    const { writes, readonly, managed } = db.tablesOf(op.sql)
    if (!readonly) this.#parts.assertWritable()
    // What writes, and no table of main, may write the temp schema: a table there would hide ours.
    const temporary = !readonly && writes.length === 0
    if (!this.#parts.mends(op.sql)) assertNotOurs(op.sql, temporary ? ['sqlite_schema'] : writes)
    let columns: readonly string[] = []
    const rows: SqlCell[][] = []
    const run = (): void => {
      this.#statements.each(
        op.sql,
        op.params.map(param => (typeof param === 'bigint' ? String(param) : param)),
        row => {
          columns = row.columns
          rows.push(columns.map((_, i) => row.value(i)))
        },
      )
      if (temporary) assertNothingHidden(db, models.values())
    }
    const replaces = managed && mayReplace(op.sql)
    if (replaces) db.run('PRAGMA recursive_triggers = ON')
    try {
      if (temporary) db.atomically(run)
      else run()
    } finally {
      if (replaces) db.run('PRAGMA recursive_triggers = OFF')
    }
    // An app's own triggers may have run for the rows that were replaced.
    if (replaces) for (const name of models.keys()) changes.addAll(name)
    if (!readonly) {
      for (const { definition } of models.values()) {
        if (writes.some(table => isTable(table, definition))) changes.addAll(definition.name)
      }
      if (this.#audited.hasOneOf(writes)) this.#recorded = true
      if (writes.includes('sqlite_schema')) this.#parts.onSchemaChanged()
    }
    return { columns: [...columns], rows }
  }

  #list(model: CompiledModel, op: Of<'list'>, access: Access): WireRows | WireColumns {
    if (op.include) return this.#statements.columns(compileIncluding(model, op, access))
    const { sql, params, selection } = compileList(model, op, access)
    return selection ? this.#statements.rows({ sql, params, selection }) : this.#statements.columns({ sql, params })
  }

  #aggregate(statement: Statement): WireColumns {
    try {
      return this.#statements.columns(statement)
    } catch (error) {
      if (!(error instanceof SqliteError && error.overflow)) throw error
      throw new DataFlowError('VALIDATION', 'a sum is beyond 64 bits.', {
        hint: 'sum fewer rows, or a t.bigint(), whose sums have no limit.',
      })
    }
  }

  /** The row that a statement wrote, with its key for the change feed. */
  #writtenRow(model: CompiledModel, sql: string, params: readonly SqlParam[], execution: Execution): WireRows {
    const rows = this.#statements.rows({ sql, params, selection: selectionOf(model, null) })
    const [values] = JSON.parse(rows.json) as StoredValue[][]
    if (!values) return rows
    const key = asKey(model, values[model.columns.indexOf(model.key)]!)
    this.#changed(model, [key], sql, execution)
    return this.#afterTriggers(model, key, sql) ?? rows
  }

  /**
   * The row as it is stored, read again: RETURNING gives it as it was before AFTER triggers changed it. null where no
   * trigger ran, or where one has removed the row.
   */
  #afterTriggers(model: CompiledModel, id: StoredValue, sql: string): WireRows | null {
    const { db, hasTriggers } = this.#parts
    if (!hasTriggers() || !db.tablesOf(sql).triggers) return null
    const rows = this.#statements.rows(
      compileRead(model, { op: 'read', model: model.definition.name, id, select: null }),
    )
    return rows.json === '[]' ? null : rows
  }

  #changed(model: CompiledModel, ids: readonly StoredValue[], sql: string, { changes }: Execution): void {
    for (const id of ids) changes.add(model.definition.name, id)
    if (ids.length > 0 && this.#audited.has(model.definition.name)) this.#recorded = true
    if (this.#parts.hasTriggers()) this.#changedByTriggers(model, sql, changes)
  }

  #deleted(model: CompiledModel, ids: readonly StoredValue[], sql: string, execution: Execution): void {
    for (const child of this.#parts.cascades.get(model.definition.name)!) execution.changes.addAll(child)
    if (this.#audited.isReachedFrom(model.definition.name)) this.#recorded = true
    this.#changed(model, ids, sql, execution)
  }

  #changedByTriggers(model: CompiledModel, sql: string, changes: Changes): void {
    const { writes } = this.#parts.db.tablesOf(sql)
    if (this.#audited.hasOneOf(writes)) this.#recorded = true
    for (const { definition } of this.#parts.models.values()) {
      if (definition !== model.definition && writes.some(table => isTable(table, definition)))
        changes.addAll(definition.name)
    }
  }

  /** With `autoMigrate: 'warn'`, operations that need only what exists run (semantics 6). */
  #assertComplete({ definition }: CompiledModel, op: Exclude<WireOperation, { op: 'sql' }>): void {
    const used = fieldsUsed(op, definition)
    const missing = [...this.#parts.lacking(definition.name)].filter(field => used.has(field))
    if (missing.length === 0) return
    const names = missing.map(field => KEPT[field] ?? field)
    throw new DataFlowError('SCHEMA_MISMATCH', `the table has no ${names.join(', ')} yet.`, {
      model: definition.name,
      fields: missing.filter(field => !(field in KEPT)),
      hint: "autoMigrate is 'warn': run db.migrations.apply(), or select other fields.",
    })
  }

  #definitions() {
    return [...this.#parts.models.values()].map(model => model.definition)
  }
}

const onlyDeleted = (access: Access): Access => ({ ...access, withDeleted: 'only' })

/** SQLite's names ignore case. */
function isTable(name: string, { table }: ModelDefinition): boolean {
  return name.toLowerCase() === table.toLowerCase()
}
