// The schema of one open database: what the registry says, what is declared, and the way from one to the other. Knows
// when to migrate; ensure.ts knows when to ask.
import { DataFlowError } from '../../src/shared/errors.js'
import type {
  AutoMigrate,
  MigrationConfig,
  MigrationPlan,
  MigrationProgress,
  MigrationReport,
  MigrationStatus,
  TableStatus,
} from '../../src/shared/protocol.js'
import { toDataFlowError } from '../failure.js'
import { SqliteError, type Clock, type Sqlite } from '../seams.js'
import type { DeclaredModel } from './declared.js'
import { SEARCH_INDEX } from '../compile/fields-used.js'
import { introspect } from './introspect.js'
import { compareManaged } from './managed.js'
import { alteredRecords, deleteLockRow, readBuildHistory, readHistory, takeLockRow } from './ledger.js'
import { Migration } from './migration.js'
import { missingOf, mismatch, verifyModels } from './mismatch.js'
import { isNewer, newerBuild, standing, type Standing } from './newer.js'
import { changesSince, planSchema, type SchemaPlan } from './planner.js'
import { assertAllowed, obstaclesOf, publicStep, type Prepared } from './prepare.js'
import { Preparer } from './preparer.js'

export interface MigrationOptions {
  /** false: the registry is never trusted. */
  readonly cacheTableChecks: boolean
  readonly autoMigrate: AutoMigrate
  readonly existingSchema: boolean
  readonly version: number | null
  readonly fingerprint?: string | null
  readonly migrations: MigrationConfig
  /** Set by engines without Web Locks: they write lock rows. */
  readonly lockHolder: string | null
}

export interface MigratorParts {
  readonly db: Sqlite
  readonly models: ReadonlyMap<string, DeclaredModel>
  readonly options: MigrationOptions
  readonly clock: Clock
  onMigrated(report: MigrationReport): void
  onProgress(progress: MigrationProgress): void
}

/** Not the migration's own failure: nothing is recorded, the next call tries again. */
const PASSING: ReadonlySet<string> = new Set([
  'LOCKED',
  'CLOSED',
  'WORKER_CRASHED',
  'STORAGE',
  'STORAGE_FULL',
  'TX_CLOSED',
])

const NOTHING_MISSING: ReadonlySet<string> = new Set()

export class Migrator {
  readonly #parts: MigratorParts
  readonly #preparer: Preparer
  /** Fields that the table of a model with a pending change lacks, maybe none: only with `autoMigrate: 'warn'`. */
  readonly #lacking = new Map<string, ReadonlySet<string>>()
  #standing: Standing | null = null
  #warned = false

  constructor(parts: MigratorParts) {
    this.#parts = parts
    this.#preparer = new Preparer(parts)
  }

  get hasTriggers(): boolean {
    return this.#preparer.known?.hasTriggers ?? true
  }

  /** False when the next check has to begin with what an open does. */
  get knowsRegistry(): boolean {
    return this.#preparer.known !== null
  }

  /** Whether raw SQL is a statement that an error told an app to mend the schema with. */
  mends(sql: string): boolean {
    return this.#preparer.offers(sql)
  }

  /** Fields of the model that the table does not have. */
  lacking(model: string): ReadonlySet<string> {
    return this.#lacking.get(model) ?? NOTHING_MISSING
  }

  /** Whether the model is used although its table is not as declared. */
  isPending(model: string): boolean {
    return this.#lacking.has(model)
  }

  /** Throws READONLY when a newer build has been here and `onNewer` lets this one only read. */
  assertWritable(): void {
    if (this.#standing?.kind !== 'readonly') return
    throw new DataFlowError('READONLY', 'A newer build of the app has changed the schema: this one can only read.', {
      hint: 'load the newer build.',
    })
  }

  forget(): void {
    this.#preparer.forget()
    this.#standing = null
    this.#lacking.clear()
  }

  /**
   * What has to be done since the registry was written (semantics 1); null for nothing. Makes no new table, unless data
   * steps are to run, which may want them. `alone`: without the page, so its data steps are left for later, and nothing
   * is given up.
   */
  prepare(alone: boolean): Prepared | null {
    const { options, models } = this.#parts
    const registry = this.#preparer.current()
    if (options.existingSchema || !registry.rows?.size) return null
    const changes = changesSince(registry, models)
    const dataSteps = this.#preparer.pendingData()
    if (changes.pairs.length + changes.gone.length + dataSteps.length === 0) return null
    if (this.#meetsNewer()) return null
    if (options.autoMigrate !== true) return null
    const prepared = this.#preparer.prepare(changes, dataSteps.length > 0 ? [...models.values()] : [], dataSteps, alone)
    const { onDestructive } = this.#preparer.policy(alone)
    assertAllowed(prepared.obstacles, onDestructive)
    return prepared
  }

  /** Whether the page has a part in it, or a copy has to be kept first: then it cannot be run in one go. */
  needsPage({ dataSteps, plan, destructive }: Prepared): boolean {
    const { before, after } = this.#parts.options.migrations
    if (dataSteps.some(step => step.sql.length === 0) || destructive) return true
    return (before || after) && plan.steps.length + plan.late.length + dataSteps.length > 0
  }

  /** Runs it in one go, in one transaction. */
  run(prepared: Prepared): MigrationReport {
    const { db, clock, options } = this.#parts
    const start = clock.monotonic()
    const migration = this.start(prepared)
    try {
      if (options.lockHolder !== null) takeLockRow(db, options.lockHolder, prepared.now)
      db.atomically(
        () => {
          migration.begin()
          for (const step of prepared.dataSteps) migration.run(step)
          migration.end()
          if (options.lockHolder !== null) deleteLockRow(db, options.lockHolder)
        },
        { foreignKeys: !prepared.foreignKeysOff },
      )
    } catch (error) {
      throw this.failed(migration, error)
    }
    return this.succeeded(migration, start)
  }

  start(prepared: Prepared): Migration {
    const { db, clock, onProgress } = this.#parts
    return new Migration(prepared, { db, clock, onProgress })
  }

  /** After its commit. */
  succeeded({ prepared }: Migration, start: number): MigrationReport {
    this.#preparer.forget()
    this.#preparer.current()
    const { plan, dataSteps } = prepared
    const applied = [...plan.steps, ...dataSteps, ...plan.late].map(publicStep)
    const ms = this.#parts.clock.monotonic() - start
    const report = { applied, pending: [], ms, cached: applied.length === 0 }
    if (applied.length > 0) this.#parts.onMigrated(report)
    return report
  }

  /** After its rollback: records it, and gives the error to throw. */
  failed(migration: Migration, error: unknown): DataFlowError {
    const { db, models, options } = this.#parts
    const definitions = [...models.values()].map(model => model.definition)
    const cause = toDataFlowError(error, { models: definitions })
    if (PASSING.has(cause.code) || (error instanceof SqliteError && error.fatal)) return cause
    db.atomically(() => {
      migration.recordFailure(cause.message)
      if (options.lockHolder !== null) deleteLockRow(db, options.lockHolder)
    })
    const model = cause.model ?? (migration.current?.model || undefined)
    return new DataFlowError(
      'MIGRATION_FAILED',
      `The migration failed and was rolled back: ${cause.text}`,
      {
        ...(model === undefined ? {} : { model }),
        ...(cause.fields ? { fields: cause.fields } : {}),
        hint: 'correct the rows or the model, then call db.retry(model).',
      },
      error,
    )
  }

  /** Brings these models to their declared shape, as far as the options allow. Throws what keeps it from that. */
  ensure(models: readonly DeclaredModel[]): void {
    const { options, clock } = this.#parts
    if (!options.cacheTableChecks) this.#preparer.forget()
    const start = clock.monotonic()
    if (options.existingSchema) {
      const { query } = this.#preparer
      const differences = verifyModels(models, query)
      if (differences.length === 0) return
      const lacking = missingOf(models, query)
      const hint = 'correct the models: existingSchema never changes a table.'
      const offer = `${hint} The statements of \`sql\` make the triggers and search indexes that it lacks.`
      throw mismatch({ differences, steps: [] }, lacking.length > 0 ? offer : hint, this.#preparer.offer(lacking))
    }
    const registry = this.#preparer.current()
    const doubtful = models.filter(model => {
      const row = registry.rows?.get(model.definition.name)
      // The registry is trusted: an unchanged model in an unmoved schema needs no look.
      const trusted =
        row?.checksum === model.checksum && row.status === 'active' && row.schemaVersion === registry.schemaVersion
      return !trusted || !options.cacheTableChecks
    })
    if (doubtful.length === 0) return
    if (this.#standing) return this.#useNewer(doubtful)
    const all = changesSince(registry, this.#parts.models)
    const changes = { pairs: all.pairs.filter(({ model }) => doubtful.includes(model)), gone: [] }
    const plan = planSchema(changes, doubtful, registry, this.#preparer.query, this.#preparer.policy(true))
    if (options.autoMigrate !== true) {
      if (plan.steps.length + plan.differences.length > 0) this.#leave(plan, doubtful, start)
      return
    }
    if (plan.steps.length > 0 && this.#meetsNewer()) return this.#useNewer(doubtful)
    this.#preparer.assertNoDrift(plan)
    const obstacles = obstaclesOf(this.#parts.db, plan.guards)
    assertAllowed(obstacles, options.migrations.onDestructive)
    this.run(this.#preparer.prepared(plan, this.#preparer.isNew() ? this.#preparer.allData() : null, [], obstacles))
  }

  /** `autoMigrate: false | 'warn'`: no DDL. With 'warn' what exists can be used. */
  #leave(plan: SchemaPlan, models: readonly DeclaredModel[], start: number): void {
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
    for (const { definition, shape } of models) {
      if (!pending.has(shape.model)) continue
      const found = introspect(this.#preparer.query, shape)
      if (!found)
        throw mismatch({ differences: [], steps: plan.steps.filter(({ model }) => model === shape.model) }, hint)
      const columns = new Map(found.shape.columns.map(column => [column.name, column]))
      const lacking = definition.fields.filter((field, i) => {
        const column = columns.get(field.column)
        return !column || column.type !== shape.columns[i]!.type || (column.notNull && !shape.columns[i]!.notNull)
      })
      const names = lacking.map(field => field.name)
      if (compareManaged(found.shape, shape).length > 0) names.push(SEARCH_INDEX)
      this.#lacking.set(shape.model, new Set(names))
    }
  }

  status(model: DeclaredModel): TableStatus {
    const { shape } = model
    const found = introspect(this.#preparer.query, shape)
    if (this.#parts.options.existingSchema) {
      if (!found) return 'needs_creation'
      return verifyModels([model], this.#preparer.query).length === 0 ? 'exists' : 'needs_migration'
    }
    const registry = this.#preparer.current()
    const changes = changesSince(registry, this.#parts.models)
    if (changes.pairs.some(pair => pair.model === model)) return 'needs_migration'
    if (!found) return 'needs_creation'
    const { steps, differences } = planSchema(
      { pairs: [], gone: [] },
      [model],
      registry,
      this.#preparer.query,
      this.#preparer.policy(true),
    )
    return steps.length + differences.length === 0 ? 'exists' : 'needs_migration'
  }

  /** What `apply` would do, with no effect. */
  plan(): MigrationPlan {
    return this.publicPlan(this.#prepareAll())
  }

  publicPlan({ plan, dataSteps, obstacles, destructive }: Prepared): MigrationPlan {
    const from = this.#preparer.known?.rows?.size ? readBuildHistory(this.#parts.db).schemaChecksum : null
    const steps = [...plan.steps, ...dataSteps, ...plan.late].map(publicStep)
    return { from, to: this.#preparer.checksum, steps, differences: plan.differences, obstacles, destructive }
  }

  /** Everything that brings every model to its declared shape, whatever `autoMigrate` says; null for nothing. */
  prepareAll(): Prepared | null {
    this.forget()
    const prepared = this.#prepareAll()
    if (this.#meetsNewer()) throw newerBuild()
    this.#preparer.assertNoDrift(prepared.plan)
    assertAllowed(prepared.obstacles, this.#parts.options.migrations.onDestructive)
    const { plan, dataSteps, registration } = prepared
    const steps = plan.steps.length + plan.late.length + dataSteps.length
    return steps + registration.registered.length + registration.removed.length === 0 ? null : prepared
  }

  /** How the database stands to the declared models. */
  report(): MigrationStatus {
    this.assertOwnSchema()
    const { db, models } = this.#parts
    const registry = this.#preparer.current()
    const changes = changesSince(registry, models)
    const history = readHistory(db)
    const last = history.at(-1)
    const pendingData = this.#preparer.pendingData().map(step => step.data!)
    const newer = isNewer(this.#preparer.history(), this.#preparer.checksum, this.#parts.options.version)
    return {
      current: this.#preparer.history().schemaChecksum,
      declared: this.#preparer.checksum,
      upToDate: !newer && changes.pairs.length + changes.gone.length + pendingData.length === 0,
      newer: newer ? (this.#standing?.kind ?? 'error') : null,
      pendingData,
      drift: this.#preparer.drift(registry),
      altered: alteredRecords(db),
      failed: last?.status === 'failed' ? { version: last.version, name: last.name, error: last.error! } : null,
    }
  }

  /** Throws READONLY with `existingSchema`: there is nothing to migrate, and no ledger. */
  assertOwnSchema(): void {
    if (!this.#parts.options.existingSchema) return
    throw new DataFlowError('READONLY', 'The schema belongs to somebody else (existingSchema).', {
      hint: 'migrations are refused; remove existingSchema to let the library own the tables.',
    })
  }

  #prepareAll(): Prepared {
    this.assertOwnSchema()
    const changes = changesSince(this.#preparer.current(), this.#parts.models)
    return this.#preparer.prepare(
      changes,
      [...this.#parts.models.values()],
      this.#preparer.isNew() ? [] : this.#preparer.pendingData(),
      false,
    )
  }

  #meetsNewer(): boolean {
    const { options, models } = this.#parts
    if (!isNewer(this.#preparer.history(), this.#preparer.checksum, options.version)) return false
    this.#standing ??= standing(options.migrations.onNewer, this.#preparer.current(), models)
    return true
  }

  /** A newer build's tables, as far as this one can use them. */
  #useNewer(models: readonly DeclaredModel[]): void {
    for (const { definition, shape } of models) {
      const usable = this.#standing!.usable.get(shape.model)
      if (!usable) throw newerBuild(shape.model)
      const lacking = definition.fields.filter(field => !usable.has(field.column)).map(field => field.name)
      if (shape.search && !usable.has(SEARCH_INDEX)) lacking.push(SEARCH_INDEX)
      if (lacking.length > 0) this.#lacking.set(shape.model, new Set(lacking))
    }
  }
}
