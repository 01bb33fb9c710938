// What a scope does to an operation before it is compiled: an operation may come from anywhere, so all that it says is
// held against the scope here. Which rows it sees is said in visible.ts, what it may refer to in references.ts.
import { fieldOf, type FieldDefinition, type ModelDefinition, type StoredValue } from '../../src/shared/definition.js'
import { DataFlowError } from '../../src/shared/errors.js'
import {
  isWrite,
  type Assignment,
  type Conflict,
  type WireOperation,
  type WireRow,
} from '../../src/shared/operation.js'
import type { Scope } from '../../src/shared/protocol.js'

type Models = ReadonlyMap<string, { readonly definition: ModelDefinition }>
type Value = Exclude<StoredValue, null>

/** The scope of a unit, if all scoped models can be bound by it. Throws `BAD_OPTION` or `VALIDATION`. */
export function checkScope(scope: Scope, models: Models): Scope {
  const bound = new Map<string, FieldDefinition>()
  for (const { definition } of models.values()) {
    for (const field of definition.scope ?? []) bound.set(field, fieldOf(definition, field)!)
  }
  for (const name of Object.keys(scope)) {
    if (bound.has(name)) continue
    throw new DataFlowError('BAD_OPTION', `No model is scoped by "${name.replaceAll('\0', '\\0')}".`, {
      hint:
        bound.size > 0 ? `there are ${[...bound.keys()].join(', ')}.` : "declare a model with { scope: 'tenantId' }.",
    })
  }
  for (const [name, field] of bound) {
    if (Object.hasOwn(scope, name) && isStored(scope[name], field)) continue
    throw new DataFlowError('VALIDATION', `The scope's ${name} is missing, or is no value of the field.`, {
      fields: [name],
      hint: `db.scope({ ${[...bound.keys()].join(', ')} }).`,
    })
  }
  return scope
}

function isStored(value: unknown, { kind, type }: FieldDefinition): value is Value {
  if (kind === 'bigint') return typeof value === 'bigint'
  return type === 'TEXT' ? typeof value === 'string' : Number.isSafeInteger(value)
}

/**
 * The operation as the scope may run it: its values filled in. Throws `READONLY` for what a scope may not do,
 * `UNKNOWN_MODEL` for a model that no scope sees.
 */
export function bindToScope(op: WireOperation, models: Models, scope: Scope): WireOperation {
  if (op.op === 'sql') throw readonlyScope('raw SQL', 'use the operations of its models, or the database itself.')
  const model = models.get(op.model)?.definition
  // What the database does not know is told as on the database itself.
  if (!model) return op
  assertSeen(model, isWrite(op.op))
  const { row: _row, rows: _rows, ...rest } = op as WireOperation & { row?: unknown; rows?: unknown }
  assertInside(rest, models)
  switch (op.op) {
    case 'create':
      return { ...op, row: bindRow(op.row, model, scope) }
    case 'upsert':
      return {
        ...op,
        row: bindRow(op.row, model, scope),
        on: bindTarget(op.on, model),
        update:
          'fields' in op.update
            ? { fields: withoutScope(op.update.fields, model) }
            : { set: bindAssignments(op.update.set, model, scope) },
      }
    case 'insertMany':
      return { ...op, conflict: bindConflict(op.conflict, model) }
    case 'update':
    case 'bulkUpdate':
      return { ...op, set: bindAssignments(op.set, model, scope) }
    case 'read':
    case 'list':
    case 'search':
    case 'count':
    case 'aggregate':
    case 'delete':
    case 'bulkDelete':
    case 'restore':
    case 'bulkRestore':
    case 'purge':
    case 'bulkPurge':
      return op
  }
}

/** A new row with the scope's values. Throws `READONLY` where it has others. */
export function bindRow(row: WireRow, model: ModelDefinition, scope: Scope): WireRow {
  const values = [...row]
  for (const field of model.scope ?? []) {
    const at = model.fields.findIndex(({ name }) => name === field)
    if (values[at] === undefined) values[at] = scope[field]
    else if (values[at] !== scope[field]) throw otherScope(field)
  }
  return values
}

function bindAssignments(set: readonly Assignment[], model: ModelDefinition, scope: Scope): Assignment[] {
  return set.filter(assignment => {
    const { field } = assignment
    if (!model.scope?.includes(field)) {
      // Which row it would refer to then, nobody knows before.
      if ('increment' in assignment && fieldOf(model, field)?.ref) {
        const hint = `read the row, and set ${field} to a value.`
        throw new DataFlowError('READONLY', `${field} is a reference: in a scope it has no $inc.`, {
          fields: [field],
          hint,
        })
      }
      return true
    }
    if (!('value' in assignment) || assignment.value !== scope[field]) throw otherScope(field)
    return false
  })
}

/** Unique lists of a scoped model hold the scope's fields. */
function bindTarget(on: readonly string[], { key, scope = [] }: ModelDefinition): readonly string[] {
  if (on.length === 1 && on[0] === key) return on
  return [...scope, ...on.filter(field => !scope.includes(field))]
}

function bindConflict(conflict: Conflict, model: ModelDefinition): Conflict {
  if (conflict.policy !== 'update') return conflict
  const { on, lists } = conflict
  return { ...conflict, on: on && bindTarget(on, model), lists: lists.map(fields => withoutScope(fields, model)) }
}

/** They are the same in the row that is there: one of another scope is left alone. */
function withoutScope(fields: readonly string[], { scope = [] }: ModelDefinition): readonly string[] {
  return fields.filter(field => !scope.includes(field))
}

function assertSeen(model: ModelDefinition, write: boolean): void {
  if (model.scope) return
  if (!model.shared) {
    throw new DataFlowError('UNKNOWN_MODEL', `A scope does not see ${model.name}.`, {
      hint: `declare it with { scope: 'field' } or { shared: true }, or use db.${model.accessor}.`,
    })
  }
  if (write) throw readonlyScope(`a write to ${model.name}, which all scopes share,`, `use db.${model.accessor}.`)
}

/** Conditions hold conditions, and may name models: SQL, and a model that is not seen, are found wherever they are. */
function assertInside(value: unknown, models: Models): void {
  const left: unknown[] = [value]
  for (let item = left.pop(); item !== undefined; item = left.pop()) {
    if (typeof item !== 'object' || item === null || item instanceof Uint8Array) continue
    const { type, model } = item as { readonly type?: unknown; readonly model?: unknown }
    if (type === 'sql') throw readonlyScope('$sql', 'say it with the other operators.')
    const named = typeof model === 'string' ? models.get(model) : undefined
    if (named) assertSeen(named.definition, false)
    for (const inner of Object.values(item)) if (inner !== undefined) left.push(inner)
  }
}

function otherScope(field: string): DataFlowError {
  const hint = `leave ${field} out: the scope fills it in.`
  return new DataFlowError('READONLY', `${field} is not the scope's, and a scope does not change it.`, {
    fields: [field],
    hint,
  })
}

function readonlyScope(what: string, hint: string): DataFlowError {
  return new DataFlowError('READONLY', `A scope refuses ${what}: it could reach rows of others.`, { hint })
}
