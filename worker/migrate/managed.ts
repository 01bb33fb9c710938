// What the library keeps on a model's table by itself, beside its indexes: triggers, and the full-text index that some of
// them fill. Derived from the model, and part of its shape.
import type { ModelDefinition } from '../../src/shared/definition.js'
import { fillSql } from '../../src/shared/search.js'
import { AUDIT_TRAIL, SEARCH_INDEX } from '../compile/fields-used.js'
import { auditTriggers, isAuditTrigger } from './audit-trail.js'
import { isSearchTrigger, searchOf, searchTriggers } from './search-index.js'
import type { TableShape, TriggerShape } from './shape.js'
import * as steps from './step.js'
import type { PlannedStep } from './step.js'

/** The part of a shape that is managed; without keys where there is nothing, so that other checksums stay as they are. */
export type Managed = Pick<TableShape, 'triggers' | 'search'>

/** Triggers never change the row that they fire for: nothing is read again after them. Their names begin with `tr:`. */
export function managedOf(model: ModelDefinition): Managed {
  return managed([...searchTriggers(model), ...auditTriggers(model)], searchOf(model))
}

export function managed(triggers: readonly TriggerShape[], search: TableShape['search'] | null): Managed {
  return { ...(triggers.length > 0 ? { triggers } : {}), ...(search ? { search } : {}) }
}

/** A shape that nothing is kept on: of a table that is no longer declared. */
export function unmanaged({ triggers: _triggers, search: _search, ...shape }: TableShape): TableShape {
  return shape
}

export interface ManagedPlan {
  /** Before anything else of the plan: SQLite rewrites triggers, or refuses, when what they name is renamed. */
  readonly drop: readonly PlannedStep[]
  /** When the table is as it is to be. */
  readonly create: readonly PlannedStep[]
}

/** `rebuilt`: the table is made anew, which takes its triggers with it. */
export function planManaged(stored: Managed, declared: TableShape, rebuilt = false): ManagedPlan {
  const wanted = new Map((declared.triggers ?? []).map(trigger => [trigger.name, trigger]))
  const found = new Map((stored.triggers ?? []).map(trigger => [trigger.name, trigger]))
  const isSame = (name: string) => !rebuilt && wanted.get(name)?.sql === found.get(name)?.sql
  // While one of its triggers was not there, nobody kept the index in step.
  const inStep =
    sameSearch(stored, declared) &&
    [...wanted.values(), ...found.values()].filter(isSearchTrigger).every(({ name }) => isSame(name))
  const isKept = (trigger: TriggerShape) => isSame(trigger.name) && (inStep || !isSearchTrigger(trigger))
  const dropped = [...found.values()].filter(trigger => !isKept(trigger))
  const created = [...wanted.values()].filter(trigger => !isKept(trigger))
  return {
    drop: [
      ...dropped.map(trigger => steps.dropTrigger(declared, trigger)),
      ...(stored.search && !inStep ? [steps.dropSearch(declared, stored.search, fillSql(stored.search.name))] : []),
    ],
    create: [
      ...(declared.search && !inStep
        ? [steps.createSearch(declared, declared.search, fillSql(declared.search.name))]
        : []),
      ...created.map(trigger => steps.createTrigger(declared, trigger)),
    ],
  }
}

const sameSearch = (a: Managed, b: Managed) => a.search?.name === b.search?.name && a.search?.sql === b.search?.sql

/** What of it a table does not have as declared, as operations name it (fields-used.ts). */
export function lackingManaged(actual: Managed, expected: Managed): string[] {
  const searching = ({ triggers = [], search }: Managed) => managed(triggers.filter(isSearchTrigger), search)
  const auditing = ({ triggers = [] }: Managed) => managed(triggers.filter(isAuditTrigger), null)
  const differ = (part: (of: Managed) => Managed) => compareManaged(part(actual), part(expected)).length > 0
  return [...(differ(searching) ? [SEARCH_INDEX] : []), ...(differ(auditing) ? [AUDIT_TRAIL] : [])]
}

/** What is different in what is kept on a table, each as a sentence behind the model's name. */
export function compareManaged(actual: Managed, expected: Managed): string[] {
  const found = new Map((actual.triggers ?? []).map(({ name, sql }) => [name, sql]))
  const messages = (expected.triggers ?? []).flatMap(({ name, sql }) => {
    const is = found.get(name)
    found.delete(name)
    if (is === sql) return []
    return [
      is === undefined ? `lacks the trigger ${name} in the database` : `has another trigger ${name} in the database`,
    ]
  })
  messages.push(...[...found.keys()].map(name => `has the trigger ${name} in the database, not declared`))
  if (expected.search && !sameSearch(actual, expected)) {
    messages.push(
      actual.search ? 'has another text search index in the database' : 'lacks its text search index in the database',
    )
  }
  return messages
}
