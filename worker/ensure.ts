// Each table is checked once per worker. The cache of ensured tables, its metrics and its circuit breaker.
// Everything here is synchronous: a check cannot be overtaken by another operation.
import { DataFlowError, type ErrorCode } from '../src/shared/errors.js'
import type { AutoMigrate, EnsureMetrics, MigrationPlan, MigrationReport, TableStatus } from '../src/shared/protocol.js'
import { toDataFlowError } from './failure.js'
import { introspect, type Query } from './migrate/introspect.js'
import {
  applyMigration,
  readBuildHistory,
  readRegistry,
  recordFailure,
  type Migration,
  type Registry,
} from './migrate/ledger.js'
import type { PlannedStep } from './migrate/plan.js'
import {
  changedModels,
  mismatch,
  planModels,
  refuseNewer,
  schemaChecksum,
  verifyModels,
  type DeclaredModel,
  type Plan,
} from './migrate/planner.js'
import type { Clock, Sqlite } from './seams.js'

export interface EnsureOptions {
  readonly cacheTableChecks: boolean
  readonly autoMigrate: AutoMigrate
  readonly existingSchema: boolean
  readonly version: number | null
  /** Set by engines without Web Locks: they write lock rows. */
  readonly lockHolder: string | null
}

export interface EnsureParts {
  readonly db: Sqlite
  readonly models: ReadonlyMap<string, DeclaredModel>
  readonly options: EnsureOptions
  readonly clock: Clock
  onMigrated(report: MigrationReport): void
}

/** What opens the breaker (semantics 5): not what may be over by itself, such as a full disk. */
const BREAKING: ReadonlySet<ErrorCode> = new Set([
  'SQL',
  'SCHEMA_MISMATCH',
  'SCHEMA_NEWER',
  'MIGRATION_FAILED',
  'MIGRATION_DESTRUCTIVE',
])

const NOTHING_MISSING: ReadonlySet<string> = new Set()

export class Ensure {
  readonly #parts: EnsureParts
  readonly #checksum: string
  readonly #closures = new Map<string, readonly string[]>()
  /** Ensured models, with the number of the check that ensured them. */
  readonly #ensured = new Map<string, number>()
  /** Columns that a model lacks: only with `autoMigrate: 'warn'`. */
  readonly #lacking = new Map<string, ReadonlySet<string>>()
  /** The circuit breaker: the first failure of each model. */
  readonly #failed = new Map<string, DataFlowError>()
  #registry: Registry | null = null
  #planFailure: DataFlowError | null = null
  #checkNumber = 0
  #warned = false
  readonly #metrics = {
    hits: 0,
    misses: 0,
    joins: 0,
    checks: 0,
    invalidations: 0,
    failures: 0,
    lastCheckMs: 0,
    totalCheckMs: 0,
  }

  constructor(parts: EnsureParts) {
    this.#parts = parts
    this.#checksum = schemaChecksum(parts.models.values())
  }

  get metrics(): EnsureMetrics {
    const { hits, misses, joins } = this.#metrics
    const calls = hits + misses + joins
    return { ...this.#metrics, hitRate: calls === 0 ? 0 : hits / calls }
  }

  /** The number of the last check: a call that arrived before a check and finds it done has joined it. */
  get ticket(): number {
    return this.#checkNumber
  }

  /** Tables checked so far. */
  get checks(): number {
    return this.#metrics.checks
  }

  /** Why the plan at open could not be run; null when it could. */
  get planFailure(): DataFlowError | null {
    return this.#planFailure
  }

  get hasTriggers(): boolean {
    return this.#registry?.hasTriggers ?? true
  }

  /** Fields of the model that the table does not have. */
  lacking(model: string): ReadonlySet<string> {
    return this.#lacking.get(model) ?? NOTHING_MISSING
  }

  /** Reads the registry and runs the plan of what has changed since (semantics 1). Makes no new table. */
  open(): MigrationReport {
    try {
      return this.#migrateChanged()
    } catch (error) {
      // The plan is one: when it fails no model can be used (semantics 1).
      this.#planFailure = this.#fail(error, this.#parts.models.keys())
      throw this.#planFailure
    }
  }

  #migrateChanged(): MigrationReport {
    const start = this.#parts.clock.monotonic()
    const { options, models, db } = this.#parts
    this.#registry = readRegistry(db)
    const idle: MigrationReport = { applied: [], pending: [], ms: 0, cached: true }
    if (options.existingSchema || this.#registry.rows === null) return idle
    const { changed, gone } = changedModels(this.#registry, models)
    if (changed.length === 0 && gone.length === 0) return idle
    refuseNewer(readBuildHistory(db), this.#checksum, options.version)
    if (options.autoMigrate !== true) return idle
    const plan = planModels(changed, this.#registry, this.#query, false)
    const applied = this.#apply({ ...plan, differences: [...gone, ...plan.differences] })
    return this.#report(applied, start)
  }

  /**
   * Makes sure of these models and all that their references reach. A hit runs no SQL. Throws the model's failure.
   * `ticket`: the one that was current when the call arrived.
   */
  ensure(names: Iterable<string>, ticket = this.#checkNumber): void {
    let missing: Set<string> | null = null
    for (const name of names) {
      const checkedBy = this.#parts.options.cacheTableChecks ? this.#ensured.get(name) : undefined
      if (checkedBy !== undefined) {
        if (checkedBy > ticket) this.#metrics.joins++
        else this.#metrics.hits++
        continue
      }
      this.#metrics.misses++
      for (const reached of this.#closure(name)) (missing ??= new Set()).add(reached)
    }
    if (missing) this.#check([...missing])
  }

  /** Forgets all that is known: the next operation on each model checks again. */
  invalidate(): void {
    this.#metrics.invalidations++
    this.#forget()
  }

  /** Closes the breaker: the next operation on the model tries again. */
  retry(name: string): void {
    this.#closure(name)
    this.#forget()
  }

  status(name: string): TableStatus {
    this.#closure(name)
    if (this.#ensured.has(name) && this.lacking(name).size === 0) return 'exists'
    if (this.#failed.get(name)?.code === 'SCHEMA_NEWER') return 'unknown'
    const model = this.#parts.models.get(name)!
    const found = introspect(this.#query, model.shape)
    if (!found) return 'needs_creation'
    if (this.#parts.options.existingSchema) {
      return verifyModels([model], this.#query).length === 0 ? 'exists' : 'needs_migration'
    }
    const { steps, differences } = planModels([model], this.#current(), this.#query, true)
    return steps.length + differences.length === 0 ? 'exists' : 'needs_migration'
  }

  /** What `apply` would do, with no effect. */
  plan(): MigrationPlan {
    const { steps, differences } = this.#wholePlan()
    const from = this.#registry?.rows?.size ? readBuildHistory(this.#parts.db).schemaChecksum : null
    return { from, to: this.#checksum, steps: steps.map(publicStep), differences, destructive: false }
  }

  /** Brings every model to its declared shape, whatever `autoMigrate` says. */
  apply(): MigrationReport {
    const start = this.#parts.clock.monotonic()
    this.#forget()
    const plan = this.#wholePlan()
    refuseNewer(this.#history(), this.#checksum, this.#parts.options.version)
    const applied = this.#apply(plan)
    for (const name of this.#parts.models.keys()) this.#ensured.set(name, ++this.#checkNumber)
    return this.#report(applied, start)
  }

  /** Throws READONLY with `existingSchema`: there is nothing to migrate, and no ledger. */
  assertOwnSchema(): void {
    if (!this.#parts.options.existingSchema) return
    throw new DataFlowError('READONLY', 'The schema belongs to somebody else (existingSchema).', {
      hint: 'migrations are refused; remove existingSchema to let the library own the tables.',
    })
  }

  #wholePlan(): Plan {
    this.assertOwnSchema()
    const models = [...this.#parts.models.values()]
    const plan = planModels(models, this.#current(), this.#query, true)
    return { ...plan, differences: [...changedModels(this.#current(), this.#parts.models).gone, ...plan.differences] }
  }

  #history() {
    return this.#current().rows === null
      ? { appVersion: null, schemaChecksum: null, earlier: new Set<string>() }
      : readBuildHistory(this.#parts.db)
  }

  #current(): Registry {
    return (this.#registry ??= readRegistry(this.#parts.db))
  }

  /** The model and everything its references reach: a child cannot be written while its parent's table is missing. */
  #closure(name: string): readonly string[] {
    let closure = this.#closures.get(name)
    if (closure) return closure
    const reached = new Set([name])
    for (const next of reached) {
      const model = this.#parts.models.get(next)
      if (!model) {
        throw new DataFlowError('UNKNOWN_MODEL', `This database has no model "${next}".`, {
          hint: `there are ${[...this.#parts.models.keys()].join(', ')}.`,
        })
      }
      for (const { ref } of model.definition.fields) if (ref) reached.add(ref.model)
    }
    this.#closures.set(name, (closure = [...reached]))
    return closure
  }

  #check(names: readonly string[]): void {
    for (const name of names) {
      const failure = this.#failed.get(name)
      if (failure) throw failure
    }
    const { clock, models, options } = this.#parts
    const start = clock.monotonic()
    const cached = options.cacheTableChecks
    const unchecked = names.filter(name => !cached || !this.#ensured.has(name)).map(name => models.get(name)!)
    try {
      if (!cached) this.#registry = null
      // Forgotten by an invalidation: the plan of what changed since comes first, as it does at open.
      if (this.#registry === null && cached) this.open()
      this.#ensureModels(unchecked)
    } catch (error) {
      throw error === this.#planFailure ? error : this.#fail(error, names)
    } finally {
      this.#metrics.checks += unchecked.length
      this.#metrics.lastCheckMs = clock.monotonic() - start
      this.#metrics.totalCheckMs += this.#metrics.lastCheckMs
    }
    const number = ++this.#checkNumber
    for (const { shape } of unchecked) this.#ensured.set(shape.model, number)
  }

  #ensureModels(models: readonly DeclaredModel[]): void {
    const { options, clock } = this.#parts
    const start = clock.monotonic()
    if (options.existingSchema) {
      const differences = verifyModels(models, this.#query)
      if (differences.length === 0) return
      throw mismatch({ differences, steps: [] }, 'correct the models: existingSchema never changes a table.')
    }
    const registry = this.#current()
    const doubtful = models.filter(({ shape, checksum }) => {
      const row = registry.rows?.get(shape.model)
      // The registry is trusted: an unchanged model in an unmoved schema needs no look.
      const trusted = row?.checksum === checksum && row.schemaVersion === registry.schemaVersion
      return !trusted || !options.cacheTableChecks
    })
    if (doubtful.length === 0) return
    const plan = planModels(doubtful, registry, this.#query, true)
    if (options.autoMigrate === true) {
      if (plan.steps.length > 0) refuseNewer(this.#history(), this.#checksum, options.version)
      const applied = this.#apply(plan)
      if (applied.length > 0) this.#report(applied, start)
    } else if (plan.steps.length + plan.differences.length > 0) {
      this.#leave(plan, start)
    }
  }

  /** `autoMigrate: false | 'warn'`: no DDL. With 'warn' what exists can be used. */
  #leave(plan: Plan, start: number): void {
    const { options, clock, onMigrated } = this.#parts
    const error = mismatch(plan, 'autoMigrate is off: run db.migrations.apply().')
    if (options.autoMigrate === false) throw error
    if (!this.#warned) {
      this.#warned = true
      onMigrated({ applied: [], pending: plan.steps.map(publicStep), ms: clock.monotonic() - start, cached: false })
    }
    if (plan.steps.some(step => step.kind === 'createTable')) throw error
    for (const { definition, shape } of plan.models) {
      const found = introspect(this.#query, shape)!
      const columns = new Set(found.shape.columns.map(column => column.name))
      const different = new Set(plan.differences.filter(d => d.model === shape.model).map(d => d.field))
      const lacking = definition.fields.filter(field => !columns.has(field.column) || different.has(field.column))
      this.#lacking.set(shape.model, new Set(lacking.map(field => field.name)))
    }
  }

  /** Runs the plan in one transaction. Returns the steps that it ran. */
  #apply(plan: Plan): readonly PlannedStep[] {
    const { db, clock, options, models } = this.#parts
    if (plan.differences.length > 0) {
      throw mismatch(
        plan,
        'nothing was changed; declare the models as they are stored, or give the database another name.',
      )
    }
    const registry = this.#current()
    const registered = plan.models.filter(({ shape, checksum }) => {
      const row = registry.rows?.get(shape.model)
      return row?.checksum !== checksum || row.schemaVersion !== registry.schemaVersion
    })
    if (plan.steps.length === 0 && registered.length === 0) return []
    const migration: Migration = {
      steps: plan.steps,
      registered,
      schemaChecksum: this.#checksum,
      appVersion: options.version,
      now: clock.now(),
    }
    try {
      applyMigration(db, migration, options.lockHolder)
    } catch (error) {
      const definitions = [...models.values()].map(model => model.definition)
      const cause = toDataFlowError(error, { models: definitions })
      if (cause.code === 'LOCKED') throw cause
      recordFailure(db, migration, cause.message)
      throw new DataFlowError(
        'MIGRATION_FAILED',
        `The migration failed and was rolled back: ${cause.toWire().text}`,
        {
          ...(cause.model ? { model: cause.model } : {}),
          ...(cause.fields ? { fields: cause.fields } : {}),
          hint: 'correct the rows or the model, then call db.retry(model).',
        },
        error,
      )
    }
    this.#registry = readRegistry(db)
    return plan.steps
  }

  #report(steps: readonly PlannedStep[], start: number): MigrationReport {
    const ms = this.#parts.clock.monotonic() - start
    const report = { applied: steps.map(publicStep), pending: [], ms, cached: steps.length === 0 }
    if (steps.length > 0) this.#parts.onMigrated(report)
    return report
  }

  /** Counts a failure and opens the breaker for these models, if it is one that would come again. */
  #fail(error: unknown, names: Iterable<string>): DataFlowError {
    const definitions = [...this.#parts.models.values()].map(model => model.definition)
    const failure = toDataFlowError(error, { models: definitions })
    this.#metrics.failures++
    if (BREAKING.has(failure.code)) {
      for (const name of names) if (!this.#failed.has(name)) this.#failed.set(name, failure)
    }
    return failure
  }

  #forget(): void {
    this.#ensured.clear()
    this.#lacking.clear()
    this.#failed.clear()
    this.#registry = null
    this.#planFailure = null
  }

  readonly #query: Query = sql => {
    const rows: Record<string, string | number | null>[] = []
    this.#parts.db.each(sql, [], row => {
      rows.push(Object.fromEntries(row.columns.map((name, i) => [name, row.value(i) as string | number | null])))
    })
    return rows
  }
}

function publicStep({ kind, model, description, sql, destructive }: PlannedStep) {
  return { kind, model, description, sql, destructive }
}
