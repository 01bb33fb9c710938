// The schema of one open database: what the registry says, what is declared, and the way from one to the other. Knows
// when to migrate; ensure.ts knows when to ask.
import { DataFlowError } from '../../src/shared/errors.js'
import type { AutoMigrate, MigrationPlan, MigrationReport, TableStatus } from '../../src/shared/protocol.js'
import { toDataFlowError } from '../failure.js'
import type { Clock, Sqlite } from '../seams.js'
import { introspect, type Query } from './introspect.js'
import {
  applyMigration,
  readBuildHistory,
  readRegistry,
  recordFailure,
  type Migration,
  type Registry,
} from './ledger.js'
import type { PlannedStep } from './plan.js'
import {
  changedModels,
  mismatch,
  planModels,
  refuseNewer,
  schemaChecksum,
  verifyModels,
  type DeclaredModel,
  type Plan,
} from './planner.js'

export interface MigrationOptions {
  /** false: the registry is never trusted. */
  readonly cacheTableChecks: boolean
  readonly autoMigrate: AutoMigrate
  readonly existingSchema: boolean
  readonly version: number | null
  /** Set by engines without Web Locks: they write lock rows. */
  readonly lockHolder: string | null
}

export interface MigratorParts {
  readonly db: Sqlite
  readonly models: ReadonlyMap<string, DeclaredModel>
  readonly options: MigrationOptions
  readonly clock: Clock
  onMigrated(report: MigrationReport): void
}

const NOTHING_MISSING: ReadonlySet<string> = new Set()

export class Migrator {
  readonly #parts: MigratorParts
  readonly #checksum: string
  /** As last read; null when something may have changed it. */
  #registry: Registry | null = null
  /** Fields that the table of a model with a pending change lacks, maybe none: only with `autoMigrate: 'warn'`. */
  readonly #lacking = new Map<string, ReadonlySet<string>>()
  #warned = false

  constructor(parts: MigratorParts) {
    this.#parts = parts
    this.#checksum = schemaChecksum(parts.models.values())
  }

  get hasTriggers(): boolean {
    return this.#registry?.hasTriggers ?? true
  }

  /** False when the next check has to begin with `migrateChanged`. */
  get knowsRegistry(): boolean {
    return this.#registry !== null
  }

  /** Fields of the model that the table does not have. */
  lacking(model: string): ReadonlySet<string> {
    return this.#lacking.get(model) ?? NOTHING_MISSING
  }

  /** Whether the model is used although its table is not as declared. */
  isPending(model: string): boolean {
    return this.#lacking.has(model)
  }

  forget(): void {
    this.#registry = null
    this.#lacking.clear()
  }

  /** Reads the registry and runs the plan of what has changed since (semantics 1). Makes no new table. */
  migrateChanged(): MigrationReport {
    const start = this.#parts.clock.monotonic()
    const { options, models, db } = this.#parts
    this.#registry = readRegistry(db)
    const idle: MigrationReport = { applied: [], pending: [], ms: 0, cached: true }
    if (options.existingSchema || this.#registry.rows === null) return idle
    const { changed, gone } = changedModels(this.#registry, models, this.#query)
    if (changed.length === 0 && gone.length === 0) return idle
    refuseNewer(readBuildHistory(db), this.#checksum, options.version)
    if (options.autoMigrate !== true) return idle
    const plan = planModels(changed, this.#registry, this.#query, false)
    const applied = this.#apply({ ...plan, differences: [...gone, ...plan.differences] })
    return this.#report(applied, start)
  }

  /** Brings these models to their declared shape, as far as the options allow. Throws what keeps it from that. */
  ensure(models: readonly DeclaredModel[]): void {
    const { options, clock } = this.#parts
    if (!options.cacheTableChecks) this.#registry = null
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
    const hint = 'autoMigrate is off: run db.migrations.apply().'
    if (options.autoMigrate === false) throw mismatch(plan, hint)
    if (!this.#warned) {
      this.#warned = true
      onMigrated({ applied: [], pending: plan.steps.map(publicStep), ms: clock.monotonic() - start, cached: false })
    }
    const missing = new Set(plan.steps.filter(step => step.kind === 'createTable').map(step => step.model))
    if (missing.size > 0) {
      throw mismatch({ differences: [], steps: plan.steps.filter(step => missing.has(step.model)) }, hint)
    }
    const pending = new Set([...plan.steps, ...plan.differences].map(({ model }) => model))
    for (const { definition, shape } of plan.models) {
      if (!pending.has(shape.model)) continue
      const found = introspect(this.#query, shape)!
      const columns = new Set(found.shape.columns.map(column => column.name))
      const different = new Set(plan.differences.filter(d => d.model === shape.model).map(d => d.field))
      const lacking = definition.fields.filter(field => !columns.has(field.column) || different.has(field.name))
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
      recordFailure(db, migration, cause.message, options.lockHolder)
      throw new DataFlowError(
        'MIGRATION_FAILED',
        `The migration failed and was rolled back: ${cause.text}`,
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

  status(model: DeclaredModel): TableStatus {
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
    this.forget()
    const plan = this.#wholePlan()
    refuseNewer(this.#history(), this.#checksum, this.#parts.options.version)
    const applied = this.#apply(plan)
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
    const { gone } = changedModels(this.#current(), this.#parts.models, this.#query)
    return { ...plan, differences: [...gone, ...plan.differences] }
  }

  #history() {
    return this.#current().rows === null
      ? { appVersion: null, schemaChecksum: null, earlier: new Set<string>() }
      : readBuildHistory(this.#parts.db)
  }

  #current(): Registry {
    return (this.#registry ??= readRegistry(this.#parts.db))
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
