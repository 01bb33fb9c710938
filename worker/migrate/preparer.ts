// Puts a migration together: the registry as it is known, the plan, what rows and records say against it, what it will
// record. Runs nothing.
import { DataFlowError } from '../../src/shared/errors.js'
import type { SchemaDifference } from '../../src/shared/protocol.js'
import type { MigratorParts } from './migrator.js'
import { schemaChecksum, type DeclaredModel } from './declared.js'
import { introspect, type Query } from './introspect.js'
import { alteredRecords, NO_HISTORY, readBuildHistory } from './ledger.js'
import { mismatch } from './mismatch.js'
import { planSchema, type Changes, type SchemaPlan } from './planner.js'
import { isBadExpression, marked, obstaclesOf, type Prepared } from './prepare.js'
import { readRegistry, type Registration, type Registry } from './registry.js'
import { checksumOf } from './shape.js'
import { dataStep, type PlannedStep } from './step.js'

/** Another number when the same model gets another shape. */
const SHAPES = 1

export class Preparer {
  readonly #parts: Omit<MigratorParts, 'onMigrated' | 'onProgress'>
  #checksumOfAll: string | null = null
  #registry: Registry | null = null
  #offered: ReadonlySet<string> = new Set()

  constructor(parts: Omit<MigratorParts, 'onMigrated' | 'onProgress'>) {
    this.#parts = parts
  }

  /** The registry as it was last read; null when something may have changed it. */
  get known(): Registry | null {
    return this.#registry
  }

  forget(): void {
    this.#registry = null
  }

  prepare(
    changes: Changes,
    wanted: readonly DeclaredModel[],
    pending: readonly PlannedStep[],
    alone: boolean,
  ): Prepared {
    const registry = this.current()
    this.#assertUnaltered(changes)
    // Without the page its data steps, and what is declared behind them, come later.
    const stop = alone ? pending.findIndex(step => step.sql.length === 0) : -1
    const dataSteps = stop === -1 ? pending : pending.slice(0, stop)
    const policy = { ...this.policy(alone), hasDataSteps: dataSteps.length > 0 }
    const plan = planSchema(changes, wanted, registry, this.query, policy)
    this.assertNoDrift(plan)
    const done = dataSteps.length > 0 ? [...(registry.dataSteps ?? []), ...dataSteps.map(step => step.data!)] : null
    return this.prepared(plan, this.isNew() ? this.allData() : done, dataSteps, this.#obstacles(plan))
  }

  prepared(
    plan: SchemaPlan,
    doneData: readonly string[] | null,
    dataSteps: readonly PlannedStep[],
    obstacles: Prepared['obstacles'],
  ): Prepared {
    const registry = this.current()
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
      schemaChecksum: this.checksum,
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
  assertNoDrift(plan: SchemaPlan): void {
    if (plan.differences.length === 0) return void (this.#offered = new Set())
    const hint = 'somebody changed it by raw SQL; the statements of `sql` take that back.'
    throw mismatch({ differences: plan.differences, steps: [] }, hint, this.#repair(plan.differences))
  }

  drift(registry: Registry): (SchemaDifference & { sql: string })[] {
    const unmoved = [...(registry.rows?.values() ?? [])].every(row => row.schemaVersion === registry.schemaVersion)
    if (unmoved) return []
    const stored = [...this.#parts.models.values()].filter(({ shape }) => registry.rows?.has(shape.model))
    const plan = planSchema({ pairs: [], gone: [] }, stored, registry, this.query, this.policy(true))
    return plan.differences.map(difference => ({ ...difference, sql: this.#repair([difference]) }))
  }

  /** The plan from what is there to what was stored. */
  #repair(differences: readonly SchemaDifference[]): string {
    const registry = this.current()
    const names = new Set(differences.map(({ model }) => model))
    const pairs = [...this.#parts.models.values()]
      .filter(({ shape }) => names.has(shape.model))
      .flatMap(model => {
        const row = registry.rows?.get(model.shape.model)
        const expected = row?.shape ?? model.shape
        const found = introspect(this.query, expected)
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
    const plan = planSchema({ pairs, gone: [] }, [], registry, this.query, {
      ...this.policy(true),
      onDestructive: 'apply',
    })
    return this.offer(plan.steps.flatMap(step => step.sql))
  }

  /** Statements as one text, for an app to run: raw SQL may be these although they name what is the library's. */
  offer(statements: readonly string[]): string {
    this.#offered = new Set([...this.#offered, ...statements])
    return statements.join(';\n')
  }

  /** Whether it was told to an app as one of the statements that mend the schema. */
  offers(sql: string): boolean {
    return this.#offered.has(sql)
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

  policy(alone: boolean) {
    const { onDestructive } = this.#parts.options.migrations
    const kept = alone && onDestructive === 'apply' ? 'keep' : onDestructive
    return { onDestructive: kept, hasDataSteps: false, now: this.#parts.clock.now() } as const
  }

  allData(): readonly string[] | null {
    const { data } = this.#parts.options.migrations
    return data.length > 0 ? data.map(({ id }) => id) : null
  }

  /** Nothing has been stored yet: there is no data that a data step could be for. */
  isNew(): boolean {
    return !this.current().rows?.size
  }

  pendingData(): PlannedStep[] {
    const done = new Set(this.current().dataSteps ?? [])
    return this.#parts.options.migrations.data.filter(({ id }) => !done.has(id)).map(({ id, sql }) => dataStep(id, sql))
  }

  history() {
    return this.current().rows === null ? NO_HISTORY : readBuildHistory(this.#parts.db)
  }

  get checksum(): string {
    return (this.#checksumOfAll ??= schemaChecksum(this.#parts.models.values()))
  }

  /** Of the models, and of the way their shapes are made. */
  get #fingerprint(): string | null {
    const { fingerprint = null } = this.#parts.options
    return fingerprint === null ? null : `${SHAPES}:${fingerprint}`
  }

  current(): Registry {
    if (this.#registry) return this.#registry
    const registry = readRegistry(this.#parts.db)
    if (registry.fingerprint !== null && registry.fingerprint === this.#fingerprint) {
      for (const { model, status, checksum } of registry.rows!.values()) {
        if (status === 'active') this.#parts.models.get(model)?.known(checksum)
      }
    }
    return (this.#registry = registry)
  }

  readonly query: Query = sql => {
    const rows: Record<string, string | number | null>[] = []
    this.#parts.db.each(sql, [], row => {
      rows.push(Object.fromEntries(row.columns.map((name, i) => [name, row.value(i) as string | number | null])))
    })
    return rows
  }
}
