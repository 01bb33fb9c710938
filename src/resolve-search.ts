// The option `search` of a model: which fields can be searched.
import type { PageField } from './resolve.js'
import type { FieldKind } from './shared/definition.js'
import { DataFlowError } from './shared/errors.js'
import { didYouMean } from './shared/nearest.js'

const TEXTS: readonly FieldKind[] = ['id', 'text', 'enum']
/** FTS4 reads `name=value` as an option of its own, and has columns of these names already. */
const UNSEARCHABLE = /=|^(?:docid|__langid)$/i

/** Throws `BAD_MODEL`. */
export function resolveSearch(
  model: string,
  search: readonly string[] | undefined,
  fields: readonly PageField[],
): { search?: readonly string[] } {
  if (search === undefined) return {}
  const definitions = fields.map(field => field.definition)
  const bad = (text: string, hint: string, field: string): never => {
    throw new DataFlowError('BAD_MODEL', text, { model, hint, fields: [field] })
  }
  for (const name of search) {
    const field = definitions.find(other => other.name === name)
    if (!field) {
      const names = definitions.map(other => other.name)
      return bad(`search names "${name}", which is no field.`, didYouMean(String(name), names), String(name))
    }
    if (!TEXTS.includes(field.kind)) {
      bad('Only texts can be searched.', 'search: fields of t.text(), t.enum() and t.id().', name)
    }
    if (UNSEARCHABLE.test(field.column)) {
      bad('A column of that name cannot be searched.', "give it another one: .column('...').", name)
    }
  }
  // The index knows rows by their rowid.
  const hidden = definitions.find(field => field.column.toLowerCase() === 'rowid')
  if (hidden) bad('A table with a column "rowid" cannot be searched.', 'give it another name.', hidden.name)
  return { search: [...new Set(search)] }
}
