// softDelete: the field, and the rows that count for a unique index.
import { fieldOf, type ModelDefinition } from './definition.js'
import { quoteIdentifier } from './sql.js'

/** When a row was deleted; NULL while it was not. */
export const DELETED_AT = 'deletedAt'

/** The rows that were not deleted, in SQL: a unique index and the ON CONFLICT that means it must say the same. */
export const liveRows = (column: string) => `${quoteIdentifier(column)} IS NULL`

/** What every unique index of the model holds for; undefined: for all rows. */
export function whereLive(model: ModelDefinition): string | undefined {
  return model.softDelete === undefined ? undefined : liveRows(fieldOf(model, model.softDelete)!.column)
}
