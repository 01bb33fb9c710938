// Each table is checked once per worker. The cache of ensured tables, its metrics and its circuit breaker.
// Everything here is synchronous: a check cannot be overtaken by another operation.
import { DataFlowError, type ErrorCode } from '../src/shared/errors.js'
import type { EnsureMetrics, MigrationReport, TableStatus } from '../src/shared/protocol.js'
import { toDataFlowError } from './failure.js'
import type { Migrator } from './migrate/migrator.js'
import type { DeclaredModel } from './migrate/declared.js'
import type { Prepared } from './migrate/prepare.js'
import type { Clock } from './seams.js'

export interface EnsureParts {
  readonly migrator: Migrator
  readonly models: ReadonlyMap<string, DeclaredModel>
  /** false: the whole check before every operation. */
  readonly cacheTableChecks: boolean
  readonly clock: Clock
}

/** What opens the breaker (semantics 5): not what may be over by itself, such as a full disk. */
const BREAKING: ReadonlySet<ErrorCode> = new Set([
  'SQL',
  'SCHEMA_MISMATCH',
  'SCHEMA_NEWER',
  'MIGRATION_FAILED',
  'MIGRATION_DESTRUCTIVE',
])

const NOTHING_DONE: MigrationReport = { applied: [], pending: [], ms: 0, cached: true }

export class Ensure {
  readonly #parts: EnsureParts
  readonly #closures = new Map<string, readonly string[]>()
  /** Ensured models, with the number of the check that ensured them. */
  readonly #ensured = new Map<string, number>()
  /** The circuit breaker: the first failure of each model. */
  readonly #failed = new Map<string, DataFlowError>()
  #planFailure: DataFlowError | null = null
  #checkNumber = 0
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

  /**
   * Reads the registry and runs the plan of what has changed since (semantics 1). Makes no new table. Without the page: what
   * it has a part in is left for the next time.
   */
  open(): MigrationReport {
    try {
      const { migrator } = this.#parts
      const prepared = migrator.prepare(true)
      return prepared ? migrator.run(prepared) : NOTHING_DONE
    } catch (error) {
      throw this.#planFailed(error)
    }
  }

  /** As `open`; `conduct` runs a migration that the page has a part in. */
  async openWith(conduct: (prepared: Prepared) => Promise<MigrationReport>): Promise<MigrationReport> {
    try {
      const { migrator } = this.#parts
      const prepared = migrator.prepare(false)
      if (!prepared) return NOTHING_DONE
      return migrator.needsPage(prepared) ? await conduct(prepared) : migrator.run(prepared)
    } catch (error) {
      throw this.#planFailed(error)
    }
  }

  /** The plan is one: when it fails no model can be used (semantics 1). */
  #planFailed(error: unknown): DataFlowError {
    const failure = this.#fail(error, this.#parts.models.keys())
    // What may be over by itself: the next call tries the whole plan again.
    if (!BREAKING.has(failure.code)) this.#parts.migrator.forget()
    return (this.#planFailure = failure)
  }

  /**
   * Makes sure of these models and all that their references reach. A hit runs no SQL. Throws the model's failure.
   * `ticket`: the one that was current when the call arrived.
   */
  ensure(names: Iterable<string>, ticket = this.#checkNumber): void {
    let missing: Set<string> | null = null
    for (const name of names) {
      const checkedBy = this.#parts.cacheTableChecks ? this.#ensured.get(name) : undefined
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
    const { migrator, models } = this.#parts
    this.#closure(name)
    if (this.#ensured.has(name) && !migrator.isPending(name)) return 'exists'
    if (this.#failed.get(name)?.code === 'SCHEMA_NEWER') return 'unknown'
    return migrator.status(models.get(name)!)
  }

  /** Brings every model to its declared shape, whatever `autoMigrate` says. */
  async apply(conduct: (prepared: Prepared) => Promise<MigrationReport>): Promise<MigrationReport> {
    this.#forget()
    const { migrator } = this.#parts
    const prepared = migrator.prepareAll()
    const report = !prepared
      ? NOTHING_DONE
      : migrator.needsPage(prepared)
        ? await conduct(prepared)
        : migrator.run(prepared)
    const number = ++this.#checkNumber
    for (const name of this.#parts.models.keys()) this.#ensured.set(name, number)
    return report
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
    const { clock, models, migrator, cacheTableChecks } = this.#parts
    const start = clock.monotonic()
    const unchecked = names.filter(name => !cacheTableChecks || !this.#ensured.has(name)).map(name => models.get(name)!)
    try {
      // Forgotten by an invalidation: the plan of what changed since comes first, as it does at open.
      if (!migrator.knowsRegistry && cacheTableChecks) this.open()
      migrator.ensure(unchecked)
    } catch (error) {
      throw error === this.#planFailure ? error : this.#fail(error, guiltyOf(error, names))
    } finally {
      this.#metrics.checks += unchecked.length
      this.#metrics.lastCheckMs = clock.monotonic() - start
      this.#metrics.totalCheckMs += this.#metrics.lastCheckMs
    }
    const number = ++this.#checkNumber
    for (const { definition } of unchecked) this.#ensured.set(definition.name, number)
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
    this.#failed.clear()
    this.#parts.migrator.forget()
    this.#planFailure = null
  }
}

/** A mismatch tells which models it is about: the others of the check can still be used. */
function guiltyOf(error: unknown, names: readonly string[]): readonly string[] {
  if (!DataFlowError.is(error, 'SCHEMA_MISMATCH') || !error.issues) return names
  const guilty = new Set(error.issues.map(({ path }) => path[0]))
  return names.filter(name => guilty.has(name))
}
