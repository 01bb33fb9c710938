// Which stored column becomes which declared one.
import type { FieldDefinition, ModelDefinition } from '../../src/shared/definition.js'
import type { ColumnShape, TableShape } from './shape.js'

export interface Match {
  readonly field: FieldDefinition
  readonly column: ColumnShape
  /** Where its values come from; null for a new field. */
  readonly from: ColumnShape | null
}

export interface Matching {
  readonly matches: readonly Match[]
  /** Stored columns that nothing declares any more; orphans of earlier migrations among them. */
  readonly left: readonly ColumnShape[]
}

/** Whether ALTER TABLE can give a column this name: SQLite takes names that differ by case for one. */
export const isAlterable = (from: string, to: string): boolean =>
  fold(from) !== fold(to) && !isRowidName(from) && !isRowidName(to)

/** Names of the rowid, which a column can have all the same; but ALTER TABLE neither gives nor takes them. */
export const isRowidName = (name: string): boolean => ['rowid', '_rowid_', 'oid'].includes(fold(name))

export const fold = (name: string): string => name.toLowerCase()

/**
 * A column of the same name comes first, then one that the field is renamed from; a column that is still declared before
 * an orphan. Each stored column is the source of at most one.
 */
export function matchColumns(stored: TableShape, { fields }: ModelDefinition, declared: TableShape): Matching {
  const unused = new Map(stored.columns.map(column => [fold(column.name), column]))
  const found = new Map<ColumnShape, ColumnShape>()
  for (const orphan of [false, true]) {
    for (const names of [sameName, formerNames]) {
      declared.columns.forEach((column, i) => {
        if (found.has(column)) return
        for (const name of names(column, fields[i]!)) {
          const candidate = unused.get(fold(name))
          if (!candidate || (candidate.orphan ?? false) !== orphan) continue
          found.set(column, candidate)
          unused.delete(fold(name))
          return
        }
      })
    }
  }
  const matches = declared.columns.map((column, i) => ({ field: fields[i]!, column, from: found.get(column) ?? null }))
  return { matches, left: [...unused.values()] }
}

const sameName = (column: ColumnShape): readonly string[] => [column.name]
const formerNames = (_: ColumnShape, field: FieldDefinition): readonly string[] => field.renamedFrom
