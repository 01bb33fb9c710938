// Which rows of a model an operation may see and touch: none of another scope, none that was deleted softly. Every
// statement over a model's table goes through here.
import type { ModelDefinition, StoredValue } from '../../src/shared/definition.js'
import type { Condition } from '../../src/shared/filter.js'
import type { Scope } from '../../src/shared/protocol.js'
import { columnNamed, toParam, type Clause, type CompiledModel } from './model.js'

export interface Access {
  /** null: the database itself, all rows. */
  readonly scope: Scope | null
  /** Rows that were deleted softly are seen too, or they alone. */
  readonly withDeleted: boolean | 'only'
}

export const EVERYTHING: Access = { scope: null, withDeleted: true }

/** What a row must be, or null where all rows can be seen. */
export function visible(definition: ModelDefinition, access: Access): Condition | null {
  if (isUnseen(definition, access)) return { type: 'always', value: false }
  const of = [...scopeOf(definition, access)].map(([field, value]): Condition => {
    // Without statistics SQLite takes any index for as good as any other: a whole scope for the rows of one author.
    return { type: 'compare', field, op: '=', value, common: true }
  })
  const deletedAt = fieldThatHides(definition, access)
  if (deletedAt !== undefined) of.push({ type: 'null', field: deletedAt, is: access.withDeleted !== 'only' })
  return of.length < 2 ? (of[0] ?? null) : { type: 'and', of }
}

/** `where`, of the rows that can be seen. */
export function narrow(where: Condition | null, definition: ModelDefinition, access: Access): Condition | null {
  const seen = visible(definition, access)
  if (!where || !seen) return where ?? seen
  return { type: 'and', of: [seen, where] }
}

export const NOTHING_HIDDEN: Clause = { shape: '', sql: () => '', params: [] }

/** What stands behind the key's condition, beginning with AND. */
export function visibleClause(model: CompiledModel, access: Access): Clause {
  const { definition } = model
  if (isUnseen(definition, access)) return { shape: 'unseen', sql: () => ' AND FALSE', params: [] }
  const scope = scopeOf(definition, access)
  const deletedAt = fieldThatHides(definition, access)
  const only = access.withDeleted === 'only'
  if (scope.length === 0 && deletedAt === undefined) return NOTHING_HIDDEN
  return {
    shape: `${scope.map(([field]) => field).join()} ${deletedAt ?? ''} ${only}`,
    sql: () => {
      // Qualified: inside another statement a column that is missing would be looked for there.
      const columns = scope.map(([field]) => columnNamed(model, field))
      const terms = columns.map(({ quoted, placeholder }) => `${model.table}.${quoted} = ${placeholder}`)
      const hides = deletedAt === undefined ? undefined : columnNamed(model, deletedAt).quoted
      if (hides !== undefined) terms.push(`${model.table}.${hides} IS ${only ? 'NOT ' : ''}NULL`)
      return ` AND ${terms.join(' AND ')}`
    },
    params: scope.map(([, value]) => toParam(value)),
  }
}

/** The fields that a scope binds in this model, with their values. */
export function scopeOf(definition: ModelDefinition, { scope }: Access): [string, Exclude<StoredValue, null>][] {
  if (!scope || !definition.scope) return []
  return definition.scope.map(field => [field, scope[field]!])
}

/** Of a model that says nothing of scopes a scope sees nothing, by whatever way it is reached. */
function isUnseen({ scope, shared }: ModelDefinition, access: Access): boolean {
  return access.scope !== null && !scope && !shared
}

function fieldThatHides({ softDelete }: ModelDefinition, { withDeleted }: Access): string | undefined {
  return withDeleted === true ? undefined : softDelete
}
