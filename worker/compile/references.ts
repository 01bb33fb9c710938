// What a row that a scope writes may refer to: rows that the scope sees. Joins the statement that writes, so that there
// is nothing between the look and the write, and no statement more.
import type { StoredValue } from '../../src/shared/definition.js'
import type { Assignment, WireRow } from '../../src/shared/operation.js'
import type { Scope } from '../../src/shared/protocol.js'
import type { SqlParam } from '../seams.js'
import { toParam, type CompiledModel } from './model.js'
import { visibleClause } from './visible.js'

type Models = ReadonlyMap<string, CompiledModel>

/** What a field refers to. */
interface Reference {
  readonly field: string
  readonly value: Exclude<StoredValue, null>
}

export interface References {
  readonly fields: readonly string[]
  /** Two of one shape have the same text. */
  readonly shape: string
  /** A condition for each field, which holds if the scope sees the row that is referred to. */
  readonly conditions: () => readonly string[]
  readonly params: readonly SqlParam[]
}

export const NO_REFERENCES: References = { fields: [], shape: '', conditions: () => [], params: [] }

/** `on`: the fields that decide whether a row that is there is changed instead; null: any; undefined: none is changed. */
export function referencesOfRow(
  models: Models,
  model: CompiledModel,
  row: WireRow,
  scope: Scope | null,
  on?: readonly string[] | null,
): References {
  if (!scope) return NO_REFERENCES
  return referencesOf(models, model, keyWritten(model, row, on), scope, name => {
    return row[model.definition.fields.findIndex(field => field.name === name)]
  })
}

/** The key of the row that is written, be it new or there; undefined where it may be another's. */
export function keyWritten({ key, columns }: CompiledModel, row: WireRow, on?: readonly string[] | null) {
  const same = on === undefined || (on?.length === 1 && on[0] === key.field.name)
  return same ? row[columns.indexOf(key)] : undefined
}

/** `key`: of the row that is written; undefined where it is not known. */
export function referencesOfSet(
  models: Models,
  model: CompiledModel,
  set: readonly Assignment[],
  key: StoredValue | undefined,
  scope: Scope | null,
): References {
  if (!scope) return NO_REFERENCES
  return referencesOf(models, model, key, scope, name => {
    const assignment = set.find(({ field }) => field === name)
    return assignment && 'value' in assignment ? assignment.value : undefined
  })
}

function referencesOf(
  models: Models,
  { definition }: CompiledModel,
  key: StoredValue | undefined,
  scope: Scope,
  valueOf: (field: string) => StoredValue | undefined,
): References {
  const references: Reference[] = []
  for (const { name, ref } of definition.fields) {
    // The scope's own value is no row's choice.
    if (!ref || definition.scope?.includes(name)) continue
    const value = valueOf(name) ?? null
    // A row may refer to itself before it is there.
    if (value !== null && !(ref.model === definition.name && value === key)) references.push({ field: name, value })
  }
  if (references.length === 0) return NO_REFERENCES
  const targets = references.map(({ field }) => {
    const target = models.get(definition.fields.find(({ name }) => name === field)!.ref!.model)!
    return { target, seen: visibleClause(target, { scope, withDeleted: true }) }
  })
  return {
    fields: references.map(({ field }) => field),
    shape: `refs ${references.map(({ field }) => field).join()}`,
    conditions: () =>
      targets.map(({ target: { table, key: id }, seen }) => {
        return `EXISTS (SELECT 1 FROM ${table} WHERE ${table}.${id.quoted} = ${id.placeholder}${seen.sql()})`
      }),
    params: targets.flatMap(({ seen }, i) => [toParam(references[i]!.value), ...seen.params]),
  }
}

/** Joins two that are written by one statement. */
export function joinReferences(one: References, other: References): References {
  if (one.fields.length === 0) return other
  if (other.fields.length === 0) return one
  return {
    fields: [...one.fields, ...other.fields],
    shape: `${one.shape} ${other.shape}`,
    conditions: () => [...one.conditions(), ...other.conditions()],
    params: [...one.params, ...other.params],
  }
}

/** Which of them the scope sees: one row of 0 and 1. */
export function compileReferences({ conditions, params }: References): { sql: string; params: readonly SqlParam[] } {
  return { sql: `SELECT ${conditions().join(', ')}`, params }
}
