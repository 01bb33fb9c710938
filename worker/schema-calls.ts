// What the page asks of the schema: tables made sure of, migrations planned, applied and listed, the file shrunk.
import type {
  MigrationPlan,
  MigrationRecord,
  MigrationReport,
  MigrationStatus,
  Outcome,
  SchemaEngine,
  TableStatus,
} from '../src/shared/protocol.js'
import { hasAuditTable } from './migrate/audit-trail.js'
import { vacuum } from './search-indexes.js'
import { readHistory } from './migrate/ledger.js'
import type { Open } from './open.js'
import type { PageMigrations } from './page-migration.js'
import type { SaveLevel } from './seams.js'

export interface SchemaCallsParts {
  /** Runs `work` when no lease is held; outcomes cross as data. */
  exclusive<T>(work: (open: Open) => T | Promise<T>): Promise<Outcome<T>>
  /** How the library saves what it writes for itself. */
  readonly level: SaveLevel
  /** Runs `work` when no lease is held, and everybody else waits until it settles. */
  alone<T>(work: (open: Open) => Promise<T>): Promise<Outcome<T>>
  readonly pages: PageMigrations
}

export class SchemaCalls implements SchemaEngine {
  readonly #parts: SchemaCallsParts

  constructor(parts: SchemaCallsParts) {
    this.#parts = parts
  }

  ensure(models: readonly string[]): Promise<Outcome<null>> {
    return this.#saved(({ ensure }) => {
      ensure.ensure(models)
      return null
    })
  }

  tableStatus(model: string): Promise<Outcome<TableStatus>> {
    return this.#parts.exclusive(({ ensure }) => ensure.status(model))
  }

  async retry(model: string): Promise<Outcome<null>> {
    const forgotten = await this.#parts.exclusive(({ ensure }) => {
      ensure.retry(model)
      return null
    })
    // What the page has a part in runs before anything else that is asked for.
    return 'ok' in forgotten ? this.ensure([model]) : forgotten
  }

  plan(): Promise<Outcome<MigrationPlan>> {
    return this.#parts.exclusive(({ migrator }) => migrator.plan())
  }

  apply(): Promise<Outcome<MigrationReport>> {
    const { alone, pages, level } = this.#parts
    return alone(async open => {
      const report = await open.ensure.apply(prepared => pages.conduct(open, prepared))
      await open.saver.committed(level)
      return report
    })
  }

  history(): Promise<Outcome<readonly MigrationRecord[]>> {
    return this.#parts.exclusive(({ db, migrator }) => {
      migrator.assertOwnSchema()
      return readHistory(db)
    })
  }

  status(): Promise<Outcome<MigrationStatus>> {
    return this.#parts.exclusive(({ migrator }) => migrator.report())
  }

  async answer(call: number, outcome: Outcome<null>): Promise<Outcome<null>> {
    this.#parts.pages.answer(call, outcome)
    return { ok: null }
  }

  /** VACUUM: the file shrinks to what it holds. */
  compact(): Promise<Outcome<null>> {
    return this.#saved(({ db }) => {
      vacuum(db)
      return null
    })
  }

  pruneAudit(before: number): Promise<Outcome<number>> {
    return this.#saved(({ db, migrator }) => {
      migrator.assertWritable()
      return hasAuditTable(db) ? db.run('DELETE FROM dataflow_audit WHERE at < ?', [before]) : 0
    })
  }

  #saved<T>(work: (open: Open) => T): Promise<Outcome<T>> {
    const { exclusive, level } = this.#parts
    return exclusive(async open => {
      const result = work(open)
      await open.saver.committed(level)
      return result
    })
  }
}
