// Which models are audited, and which operations reach them. What their changes are is written by triggers
// (migrate/audit-trail.ts); who made them and when is told behind each operation that has changed some.
import type { CompiledModel } from './compile/model.js'

export class AuditedModels {
  readonly #names: ReadonlySet<string>
  readonly #tables: ReadonlySet<string>
  readonly #reaching: ReadonlySet<string>

  /** `cascades`: for each model those that SQLite changes itself when one of its rows is deleted. */
  constructor(models: ReadonlyMap<string, CompiledModel>, cascades: ReadonlyMap<string, readonly string[]>) {
    const audited = [...models.values()].map(({ definition }) => definition).filter(({ audit }) => audit)
    this.#names = new Set(audited.map(({ name }) => name))
    this.#tables = new Set(audited.map(({ table }) => table.toLowerCase()))
    this.#reaching = new Set(
      [...cascades].flatMap(([name, children]) => ([name, ...children].some(child => this.has(child)) ? [name] : [])),
    )
  }

  get none(): boolean {
    return this.#names.size === 0
  }

  has(model: string): boolean {
    return this.#names.has(model)
  }

  /** Whether a write of the model, or what follows from it, can change an audited row. */
  isReachedFrom(model: string): boolean {
    return this.#reaching.has(model)
  }

  hasOneOf(tables: readonly string[]): boolean {
    return this.#names.size > 0 && tables.some(table => this.#tables.has(table.toLowerCase()))
  }
}
