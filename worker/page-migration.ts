// A migration in which the page has a part: its hooks, its data steps, or a copy that is kept first. The steps, and what
// the page's steps write by the lease that they are given, are one transaction, saved in one flush.
import { DataFlowError } from '../src/shared/errors.js'
import {
  MIGRATION_NOTE,
  type EngineConfig,
  type EngineEvent,
  type MigrationCall,
  type MigrationReport,
  type Outcome,
} from '../src/shared/protocol.js'
import type { Leases } from './leases.js'
import type { Prepared } from './migrate/prepare.js'
import type { Open } from './open.js'
import type { Clock, SaveLevel } from './seams.js'

export interface PageMigrationParts {
  readonly config: EngineConfig
  readonly leases: Leases
  readonly clock: Clock
  readonly level: SaveLevel
  emit(event: EngineEvent): void
}

type Call = MigrationCall extends infer C ? (C extends unknown ? Omit<C, 'call'> : never) : never

export class PageMigrations {
  readonly #parts: PageMigrationParts
  readonly #waiting = new Map<number, { resolve(): void; reject(error: DataFlowError): void }>()
  #calls = 0

  constructor(parts: PageMigrationParts) {
    this.#parts = parts
  }

  /** Whether the page may have a part in any migration of this database. */
  get possible(): boolean {
    const { before, after, data, onDestructive } = this.#parts.config.migrations
    return before || after || onDestructive === 'apply' || data.some(({ sql }) => sql === null)
  }

  /** What became of a call. */
  answer(call: number, outcome: Outcome<null>): void {
    const waiting = this.#waiting.get(call)
    this.#waiting.delete(call)
    if ('ok' in outcome) waiting?.resolve()
    else waiting?.reject(DataFlowError.fromWire(outcome.error))
  }

  /** Whoever waits for the page waits no longer. */
  end(error: DataFlowError): void {
    for (const { reject } of this.#waiting.values()) reject(error)
    this.#waiting.clear()
  }

  /** Runs it, saves it, and tells the page. Nobody else may use the connection meanwhile. */
  async conduct({ db, migrator, saver, storage, file }: Open, prepared: Prepared): Promise<MigrationReport> {
    const { config, leases, clock, level } = this.#parts
    const start = clock.monotonic()
    const migration = migrator.start(prepared)
    if (config.migrations.before) {
      try {
        await this.#ask({ kind: 'before', plan: migrator.publicPlan(prepared) })
      } catch (error) {
        throw migrator.failed(migration, error)
      }
    }
    if (prepared.destructive && config.storage !== 'memory') {
      await saver.alone(() => storage.backup(file, { createdAt: clock.now(), note: MIGRATION_NOTE }))
    }
    const lease = leases.begin(db, null, { foreignKeys: !prepared.foreignKeysOff })
    try {
      migration.begin()
      for (const step of prepared.dataSteps) {
        const { data } = step
        if (step.sql.length > 0) migration.run(step)
        else await migration.runOnPage(step, () => this.#ask({ kind: 'data', id: data!, lease: lease.id }))
        // The page may have lost it, or a flush have failed meanwhile: nothing may run outside of the transaction.
        leases.find(lease.id)
      }
      migration.end()
      leases.commit(lease)
    } catch (error) {
      leases.break(
        new DataFlowError('TX_CLOSED', 'The migration has failed and was rolled back.', { hint: 'see its error.' }),
      )
      throw migrator.failed(migration, error)
    }
    const report = migrator.succeeded(migration, start)
    await saver.committed(level)
    if (config.migrations.after) {
      // It is done, whatever the app makes of it.
      await this.#ask({ kind: 'after', report }).catch((error: DataFlowError) =>
        this.#parts.emit({ type: 'error', detail: error.toWire() }),
      )
    }
    return report
  }

  #ask(call: Call): Promise<void> {
    const number = ++this.#calls
    return new Promise((resolve, reject) => {
      this.#waiting.set(number, { resolve, reject })
      this.#parts.emit({ type: 'call', detail: { ...call, call: number } as MigrationCall })
    })
  }
}
