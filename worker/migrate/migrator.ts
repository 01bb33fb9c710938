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
  SchemaDifference,
  TableStatus,
} from '../../src/shared/protocol.js'
import { toDataFlowError } from '../failure.js'
import { SqliteError, type Clock, type Sqlite } from '../seams.js'
import { schemaChecksum, type DeclaredModel } from './declared.js'
import { introspect, type Query } from './introspect.js'
import { alteredRecords, deleteLockRow, NO_HISTORY, readBuildHistory, readHistory, takeLockRow } from './ledger.js'
import { Migration } from './migration.js'
import { mismatch, verifyModels } from './mismatch.js'
import { isNewer, newerBuild, standing, type Standing } from './newer.js'
import { changesSince, planSchema, type Changes, type SchemaPlan } from './planner.js'
import { assertAllowed, isBadExpression, marked, obstaclesOf, publicStep, type Prepared } from './prepare.js'
import { readRegistry, type Registration, type Registry } from './registry.js'
import { checksumOf } from './shape.js'
import { dataStep, type PlannedStep } from './step.js'

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

/** Another number when the same model gets another shape. */
const SHAPES = 1

const NOTHING_MISSING: ReadonlySet<string> = new Set()

export class Migrator {
  readonly #parts: MigratorParts
  #checksumOfAll: string | null = null
  /** As last read; null when something may have changed it. */
  #registry: Registry | null = null
  /** Fields that the table of a model with a pending change lacks, maybe none: only with `autoMigrate: 'warn'`. */
  readonly #lacking = new Map<string, ReadonlySet<string>>()
  #standing: Standing | null = null
  #warned = false

  constructor(parts: MigratorParts) {
    this.#parts = parts
  }

  get hasTriggers(): boolean {
    return this.#registry?.hasTriggers ?? true
  }

  /** False when the next check has to begin with what an open does. */
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

  /** Throws READONLY when a newer build has been here and `onNewer` lets this one only read. */
  assertWritable(): void {
    if (this.#standing?.kind !== 'readonly') return
    throw new DataFlowError('READONLY', 'A newer build of the app has changed the schema: this one can only read.', {
      hint: 'load the newer build.',
    })
  }

  forget(): void {
    this.#registry = null
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
    const registry = this.#current()
    if (options.existingSchema || !registry.rows?.size) return null
    const changes = changesSince(registry, models)
    const dataSteps = this.#pendingData()
    if (changes.pairs.length + changes.gone.length + dataSteps.length === 0) return null
    if (this.#meetsNewer()) return null
    if (options.autoMigrate !== true) return null
    const prepared = this.#prepare(changes, dataSteps.length > 0 ? [...models.values()] : [], dataSteps, alone)
    const { onDestructive } = this.#policy(alone)
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
    this.#registry = null
    this.#current()
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
    if (cause.code === 'LOCKED' || (error instanceof SqliteError && error.fatal)) return cause
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
    if (!options.cacheTableChecks) this.#registry = null
    const start = clock.monotonic()
    if (options.existingSchema) {
      const differences = verifyModels(models, this.#query)
      if (differences.length === 0) return
      throw mismatch({ differences, steps: [] }, 'correct the models: existingSchema never changes a table.')
    }
    const registry = this.#current()
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
    const plan = planSchema(changes, doubtful, registry, this.#query, this.#policy(true))
    if (options.autoMigrate !== true) {
      if (plan.steps.length + plan.differences.length + changes.pairs.length > 0) this.#leave(plan, doubtful, start)
      return
    }
    if (plan.steps.length > 0 && this.#meetsNewer()) return this.#useNewer(doubtful)
    this.#assertNoDrift(plan)
    const obstacles = obstaclesOf(this.#parts.db, plan.guards)
    assertAllowed(obstacles, options.migrations.onDestructive)
    this.run(this.#prepared(plan, this.#isNew() ? this.#allData() : null, [], obstacles))
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
      const found = introspect(this.#query, shape)
      if (!found)
        throw mismatch({ differences: [], steps: plan.steps.filter(({ model }) => model === shape.model) }, hint)
      const columns = new Map(found.shape.columns.map(column => [column.name, column]))
      const lacking = definition.fields.filter((field, i) => {
        const column = columns.get(field.column)
        return !column || column.type !== shape.columns[i]!.type || (column.notNull && !shape.columns[i]!.notNull)
      })
      this.#lacking.set(shape.model, new Set(lacking.map(field => field.name)))
    }
  }

  status(model: DeclaredModel): TableStatus {
    const { shape } = model
    const found = introspect(this.#query, shape)
    if (this.#parts.options.existingSchema) {
      if (!found) return 'needs_creation'
      return verifyModels([model], this.#query).length === 0 ? 'exists' : 'needs_migration'
    }
    const registry = this.#current()
    const changes = changesSince(registry, this.#parts.models)
    if (changes.pairs.some(pair => pair.model === model)) return 'needs_migration'
    if (!found) return 'needs_creation'
    const { steps, differences } = planSchema(
      { pairs: [], gone: [] },
      [model],
      registry,
      this.#query,
      this.#policy(true),
    )
    return steps.length + differences.length === 0 ? 'exists' : 'needs_migration'
  }

  /** What `apply` would do, with no effect. */
  plan(): MigrationPlan {
    return this.publicPlan(this.#prepareAll())
  }

  publicPlan({ plan, dataSteps, obstacles, destructive }: Prepared): MigrationPlan {
    const from = this.#registry?.rows?.size ? readBuildHistory(this.#parts.db).schemaChecksum : null
    const steps = [...plan.steps, ...dataSteps, ...plan.late].map(publicStep)
    return { from, to: this.#checksum, steps, differences: plan.differences, obstacles, destructive }
  }

  /** Everything that brings every model to its declared shape, whatever `autoMigrate` says; null for nothing. */
  prepareAll(): Prepared | null {
    this.forget()
    const prepared = this.#prepareAll()
    if (this.#meetsNewer()) throw newerBuild()
    this.#assertNoDrift(prepared.plan)
    assertAllowed(prepared.obstacles, this.#parts.options.migrations.onDestructive)
    const { plan, dataSteps, registration } = prepared
    const steps = plan.steps.length + plan.late.length + dataSteps.length
    return steps + registration.registered.length + registration.removed.length === 0 ? null : prepared
  }

  /** How the database stands to the declared models. */
  report(): MigrationStatus {
    this.assertOwnSchema()
    const { db, models } = this.#parts
    const registry = this.#current()
    const changes = changesSince(registry, models)
    const history = readHistory(db)
    const last = history.at(-1)
    const pendingData = this.#pendingData().map(step => step.data!)
    const newer = isNewer(this.#history(), this.#checksum, this.#parts.options.version)
    return {
      current: this.#history().schemaChecksum,
      declared: this.#checksum,
      upToDate: !newer && changes.pairs.length + changes.gone.length + pendingData.length === 0,
      newer: newer ? (this.#standing?.kind ?? 'error') : null,
      pendingData,
      drift: this.#drift(registry),
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
    const changes = changesSince(this.#current(), this.#parts.models)
    return this.#prepare(changes, [...this.#parts.models.values()], this.#isNew() ? [] : this.#pendingData(), false)
  }

  #prepare(
    changes: Changes,
    wanted: readonly DeclaredModel[],
    pending: readonly PlannedStep[],
    alone: boolean,
  ): Prepared {
    const registry = this.#current()
    this.#assertUnaltered(changes)
    // Without the page its data steps, and what is declared behind them, come later.
    const stop = alone ? pending.findIndex(step => step.sql.length === 0) : -1
    const dataSteps = stop === -1 ? pending : pending.slice(0, stop)
    const policy = { ...this.#policy(alone), hasDataSteps: dataSteps.length > 0 }
    const plan = planSchema(changes, wanted, registry, this.#query, policy)
    this.#assertNoDrift(plan)
    const done = dataSteps.length > 0 ? [...(registry.dataSteps ?? []), ...dataSteps.map(step => step.data!)] : null
    return this.#prepared(plan, this.#isNew() ? this.#allData() : done, dataSteps, this.#obstacles(plan))
  }

  #prepared(
    plan: SchemaPlan,
    doneData: readonly string[] | null,
    dataSteps: readonly PlannedStep[],
    obstacles: Prepared['obstacles'],
  ): Prepared {
    const registry = this.#current()
    const { models, options, clock } = this.#parts
    const changed = plan.registration.registered.filter(({ shape, checksum, status, formerly }) => {
      const row = registry.rows?.get(shape.model)
      const same = row?.checksum === checksum && row.status === status && row.schemaVersion === registry.schemaVersion
      return !same || formerly !== undefined || plan.steps.some(step => step.model === shape.model)
    })
    // With autoMigrate off other models may not be in step.
    const fingerprint = options.autoMigrate === true ? this.#fingerprint : null
    const registration: Registration = { ...plan.registration, registered: changed, dataSteps: doneData, fingerprint }
    const steps = marked(plan.steps, obstacles)
    const late = marked(plan.late, obstacles)
    const all = [...steps, ...late]
    return {
      plan: { ...plan, steps, late },
      dataSteps,
      registration,
      obstacles,
      destructive: obstacles.some(({ loss }) => loss),
      foreignKeysOff: dataSteps.length > 0 || all.some(({ kind }) => kind === 'rebuildTable' || kind === 'dropTable'),
      ownIndexes: all.some(({ kind }) => kind === 'rebuildTable')
        ? [...models.values(), ...(registry.rows?.values() ?? [])].flatMap(({ shape }) =>
            shape.indexes.map(i => i.name),
          )
        : [],
      schemaChecksum: this.#checksum,
      appVersion: options.version,
      now: clock.now(),
    }
  }

  #obstacles(plan: SchemaPlan): Prepared['obstacles'] {
    try {
      return obstaclesOf(this.#parts.db, plan.guards)
    } catch (error) {
      if (!isBadExpression(error)) throw error
      const text = `An expression of the models cannot be run on the rows that are there: ${error.message}.`
      const hint = 'correct .convertFrom() or the check; it sees the columns of the stored row.'
      throw new DataFlowError('MIGRATION_FAILED', text, { hint }, error)
    }
  }

  /** What raw SQL has changed is told, with the statements that would take it back. */
  #assertNoDrift(plan: SchemaPlan): void {
    if (plan.differences.length === 0) return
    const hint = 'somebody changed it by raw SQL; the statements of `sql` take that back.'
    throw mismatch({ differences: plan.differences, steps: [] }, hint, this.#repair(plan.differences))
  }

  #drift(registry: Registry): (SchemaDifference & { sql: string })[] {
    const unmoved = [...(registry.rows?.values() ?? [])].every(row => row.schemaVersion === registry.schemaVersion)
    if (unmoved) return []
    const stored = [...this.#parts.models.values()].filter(({ shape }) => registry.rows?.has(shape.model))
    const plan = planSchema({ pairs: [], gone: [] }, stored, registry, this.#query, this.#policy(true))
    return plan.differences.map(difference => ({ ...difference, sql: this.#repair([difference]) }))
  }

  /** The plan from what is there to what was stored. */
  #repair(differences: readonly SchemaDifference[]): string {
    const registry = this.#current()
    const names = new Set(differences.map(({ model }) => model))
    const pairs = [...this.#parts.models.values()]
      .filter(({ shape }) => names.has(shape.model))
      .flatMap(model => {
        const row = registry.rows?.get(model.shape.model)
        const expected = row?.shape ?? model.shape
        const found = introspect(this.#query, expected)
        if (!found) return []
        // An orphan is as it should be: nothing is to be done about it.
        const columns = found.shape.columns.filter(column => !column.orphan)
        const actual = {
          model: expected.model,
          checksum: '',
          status: 'active' as const,
          schemaVersion: registry.schemaVersion,
        }
        return [{ row: { ...actual, shape: { ...found.shape, columns } }, model }]
      })
    const plan = planSchema({ pairs, gone: [] }, [], registry, this.#query, {
      ...this.#policy(true),
      onDestructive: 'apply',
    })
    return plan.steps.flatMap(step => step.sql).join(';\n')
  }

  /** The ledger and the stored definitions are what the plan is made from: they must be what was written. */
  #assertUnaltered(changes: Changes): void {
    const rows = [...changes.pairs.map(({ row }) => row), ...changes.gone]
    const issues = [
      ...rows.flatMap(({ model, checksum, shape, status }) => {
        const columns = shape.columns.filter(column => !column.orphan)
        if (status === 'orphan' || checksumOf({ ...shape, columns }) === checksum) return []
        return [
          { path: ['dataflow_model_registry', model], message: 'its definition is not the one that was recorded' },
        ]
      }),
      ...alteredRecords(this.#parts.db).map(record => ({
        path: ['dataflow_migrations', record],
        message: 'its operations are not those that were recorded',
      })),
    ]
    if (issues.length === 0) return
    const text = issues.map(({ path, message }) => `${path.join(' ')}: ${message}`).join('; ')
    throw new DataFlowError('SCHEMA_MISMATCH', `The records of migrations have been altered: ${text}.`, {
      issues,
      hint: 'restore a backup; nobody but the library may write to dataflow_* tables.',
    })
  }

  #meetsNewer(): boolean {
    const { options, models } = this.#parts
    if (!isNewer(this.#history(), this.#checksum, options.version)) return false
    this.#standing ??= standing(options.migrations.onNewer, this.#current(), models)
    return true
  }

  /** A newer build's tables, as far as this one can use them. */
  #useNewer(models: readonly DeclaredModel[]): void {
    for (const { definition, shape } of models) {
      const usable = this.#standing!.usable.get(shape.model)
      if (!usable) throw newerBuild(shape.model)
      const lacking = definition.fields.filter(field => !usable.has(field.column)).map(field => field.name)
      if (lacking.length > 0) this.#lacking.set(shape.model, new Set(lacking))
    }
  }

  #policy(alone: boolean) {
    const { onDestructive } = this.#parts.options.migrations
    const kept = alone && onDestructive === 'apply' ? 'keep' : onDestructive
    return { onDestructive: kept, hasDataSteps: false, now: this.#parts.clock.now() } as const
  }

  #allData(): readonly string[] | null {
    const { data } = this.#parts.options.migrations
    return data.length > 0 ? data.map(({ id }) => id) : null
  }

  /** Nothing has been stored yet: there is no data that a data step could be for. */
  #isNew(): boolean {
    return !this.#current().rows?.size
  }

  #pendingData(): PlannedStep[] {
    const done = new Set(this.#current().dataSteps ?? [])
    return this.#parts.options.migrations.data.filter(({ id }) => !done.has(id)).map(({ id, sql }) => dataStep(id, sql))
  }

  #history() {
    return this.#current().rows === null ? NO_HISTORY : readBuildHistory(this.#parts.db)
  }

  get #checksum(): string {
    return (this.#checksumOfAll ??= schemaChecksum(this.#parts.models.values()))
  }

  /** Of the models, and of the way their shapes are made. */
  get #fingerprint(): string | null {
    const { fingerprint = null } = this.#parts.options
    return fingerprint === null ? null : `${SHAPES}:${fingerprint}`
  }

  #current(): Registry {
    if (this.#registry) return this.#registry
    const registry = readRegistry(this.#parts.db)
    if (registry.fingerprint !== null && registry.fingerprint === this.#fingerprint) {
      for (const { model, status, checksum } of registry.rows!.values()) {
        if (status === 'active') this.#parts.models.get(model)?.known(checksum)
      }
    }
    return (this.#registry = registry)
  }

  readonly #query: Query = sql => {
    const rows: Record<string, string | number | null>[] = []
    this.#parts.db.each(sql, [], row => {
      rows.push(Object.fromEntries(row.columns.map((name, i) => [name, row.value(i) as string | number | null])))
    })
    return rows
  }
}
