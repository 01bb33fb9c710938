// What a commit changed: the one feed that live queries, tabs (and later sync) read.
import type { ModelDefinition, StoredValue } from '../src/shared/definition.js'
import type { ChangeEvent } from '../src/shared/protocol.js'

type Id = string | number | bigint

/** The rows that one unit of work wrote, by model. */
export class Changes {
  readonly #byModel = new Map<string, Set<Id> | 'all'>()

  add(model: string, id: StoredValue): void {
    this.addMany(model, [id])
  }

  addMany(model: string, added: readonly StoredValue[]): void {
    if (added.length === 0) return
    const ids = this.#byModel.get(model)
    if (ids === 'all') return
    // A key is never NULL and never a BLOB.
    if (!ids) this.#byModel.set(model, new Set(added as readonly Id[]))
    else for (const id of added) ids.add(id as Id)
  }

  addAll(model: string): void {
    this.#byModel.set(model, 'all')
  }

  /** Takes what is in `other`, which is used no more: its sets become these. */
  merge(other: Changes): void {
    for (const [model, ids] of other.#byModel) {
      if (ids === 'all') this.addAll(model)
      else if (!this.#byModel.has(model)) this.#byModel.set(model, ids)
      else this.addMany(model, [...ids])
    }
  }

  toEvents(): ChangeEvent[] {
    return [...this.#byModel].map(([model, ids]) => ({
      model,
      ids: ids === 'all' ? ids : [...ids],
      origin: 'local',
    }))
  }
}

/** For each model the models whose rows SQLite itself changes or deletes when one of its rows is deleted. */
export function cascades(models: Iterable<ModelDefinition>): ReadonlyMap<string, readonly string[]> {
  const all = [...models]
  const children = (name: string) =>
    all.filter(model =>
      model.fields.some(
        ({ ref }) => ref?.model === name && (ref.onDelete === 'cascade' || ref.onDelete === 'set null'),
      ),
    )
  return new Map(
    all.map(({ name }) => {
      const reached = new Set<string>()
      const queue = [name]
      for (const parent of queue) {
        for (const child of children(parent)) {
          if (reached.has(child.name)) continue
          reached.add(child.name)
          queue.push(child.name)
        }
      }
      return [name, [...reached]]
    }),
  )
}
