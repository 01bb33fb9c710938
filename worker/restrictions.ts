// What keeps rows from being deleted softly: rows that refer to them, where a real deletion would be FOREIGN_KEY. To SQLite
// nothing is deleted, so it is asked here.
import type { ModelDefinition, StoredValue } from '../src/shared/definition.js'
import { DataFlowError } from '../src/shared/errors.js'
import type { Condition } from '../src/shared/filter.js'
import type { CompiledModel } from './compile/model.js'
import { compileAny } from './compile/read.js'
import type { Statement } from './compile/write.js'
import type { Sqlite } from './seams.js'

/** A model that refers to one with softDelete, and by which fields. */
interface Restriction {
  readonly model: string
  readonly fields: readonly string[]
}

export interface RestrictionsParts {
  readonly db: Sqlite
  readonly models: ReadonlyMap<string, CompiledModel>
  /** Fields that the table does not have (`autoMigrate: 'warn'`). */
  lacking(model: string): ReadonlySet<string>
}

export class Restrictions {
  readonly #parts: RestrictionsParts
  readonly #of: ReadonlyMap<string, readonly Restriction[]>

  constructor(parts: RestrictionsParts) {
    this.#parts = parts
    const definitions = [...parts.models.values()].map(model => model.definition)
    const deletable = definitions.filter(({ softDelete }) => softDelete !== undefined)
    this.#of = new Map(deletable.map(({ name }) => [name, restrictionsOf(name, definitions)]))
  }

  /** The models whose rows can keep rows of this one from being deleted. */
  modelsFor(name: string): readonly string[] {
    return this.#of.get(name)?.map(({ model }) => model) ?? []
  }

  /**
   * Runs `remove`, which gives the keys of the rows it deletes, and takes it back with `FOREIGN_KEY` when rows that were
   * not deleted refer to them. A statement for each model that refers, none where nothing restricts.
   */
  hold(name: string, remove: () => StoredValue[], exists: (statement: Statement) => boolean): StoredValue[] {
    const restrictions = this.#of.get(name)!
    if (restrictions.length === 0) return remove()
    return this.#parts.db.atomically(() => {
      const keys = remove() as Exclude<StoredValue, null>[]
      const restriction = keys.length > 0 && restrictions.find(each => this.#refers(each, keys, exists))
      if (!restriction) return keys
      const { model, fields } = restriction
      throw new DataFlowError('FOREIGN_KEY', `rows of ${model} still refer to it.`, {
        hint: `delete the rows of ${model} whose ${fields.join(' or ')} refers to it first, or declare onDelete.`,
      })
    })
  }

  #refers(
    { model, fields }: Restriction,
    values: readonly Exclude<StoredValue, null>[],
    exists: (statement: Statement) => boolean,
  ): boolean {
    const referring = this.#parts.models.get(model)!
    const lacking = this.#parts.lacking(model)
    const of = fields
      .filter(field => !lacking.has(field))
      .map((field): Condition => ({ type: 'in', field, values, orNull: false, negated: false }))
    if (of.length === 0) return false
    // In every scope, as SQLite would.
    const access = { scope: null, withDeleted: lacking.has(referring.definition.softDelete ?? '') }
    return exists(compileAny(referring, { type: 'or', of }, access))
  }
}

/** References that restrict, also those that say nothing of what a deletion does. */
function restrictionsOf(name: string, definitions: readonly ModelDefinition[]): Restriction[] {
  return definitions
    .map(({ name: model, fields }) => ({
      model,
      fields: fields
        .filter(({ ref }) => ref?.model === name && (ref.onDelete ?? 'restrict') === 'restrict')
        .map(field => field.name),
    }))
    .filter(({ fields }) => fields.length > 0)
}
