// create, update, upsert: what crosses, and the row back.
import { describe } from '../shared/codec.js'
import { DataFlowError } from '../shared/errors.js'
import type { WireOperation, WireRows, WireWritten } from '../shared/operation.js'
import { whereLive } from '../shared/soft-delete.js'
import { rowDecoder, storedRow } from './decode.js'
import { badOption, type PreparedOperation } from './options.js'
import { encodeAssignments, encodeKey, encodeNewRow, encodeRow, knownField, type Context, type NewRow } from './row.js'

export function prepareCreate(data: unknown, context: Context): PreparedOperation {
  const { model } = context
  const row = encodeRow(data, context)
  return {
    wire: { op: 'create', model: model.definition.name, row },
    decode: result =>
      'json' in (result as object)
        ? rowDecoder(model, null)(result as WireRows)[0]
        : storedRow(model, (result as WireWritten).row ?? row, (result as WireWritten).stamp),
  }
}

export function prepareUpdate(
  id: unknown,
  patch: unknown,
  options: { version?: unknown },
  context: Context,
): PreparedOperation {
  const { name } = context.model.definition
  const version = parseVersion(options, context)
  const set = encodeAssignments(patch, context)
  return answeredRow({ op: 'update', model: name, id: encodeKey(id, context), set, version }, context)
}

/** The version that the row must still have; null for any. */
export function parseVersion({ version = null }: { version?: unknown }, { model }: Context): number | null {
  if (version !== null && !Number.isSafeInteger(version)) {
    throw badOption(`version must be a whole number, not ${describe(version)}.`, 'pass the row.version that was read.')
  }
  if (version !== null && !model.fields.some(field => field.definition.kind === 'version')) {
    throw badOption(`${model.definition.name} has no version field.`, 'add one with t.version().')
  }
  return version as number | null
}

/** An operation that answers with the row as it is stored. */
export function answeredRow(wire: WireOperation, { model }: Context): PreparedOperation {
  return { wire, decode: result => rowDecoder(model, null)(result as WireRows)[0] }
}

/**
 * The fields of `on`: they must be the key or one of the unique lists, or SQLite could not look them up. The fields of a
 * scope are part of every list.
 */
export function conflictFields(on: unknown, context: Context): string[] {
  const { definition } = context.model
  if (on === undefined) return [definition.key]
  const fields = (Array.isArray(on) ? on : [on]).map(name => knownField(String(name), context).definition.name)
  if (fields.length === 1 && fields[0] === definition.key) return fields
  const list = [...(definition.scope ?? []).filter(name => !fields.includes(name)), ...fields]
  const same = (other: readonly string[]) => other.length === list.length && other.every(name => list.includes(name))
  const live = whereLive(definition)
  if (definition.indexes.some(index => index.unique && index.where === live && same(index.fields))) return list
  throw badOption('`on` names fields that are not unique together.', 'use the key, or declare them unique.')
}

/**
 * Fields that an existing row takes: those of `data` that were given, and those that the model's schema added, without the
 * key and what decides.
 */
export function givenFields(data: unknown, { added }: NewRow, on: readonly string[], { model }: Context): string[] {
  const given = Object.entries(data as object).filter(([, value]) => value !== undefined)
  const names = [...given.map(([name]) => name), ...added]
  return names.filter(name => name !== model.definition.key && !on.includes(name))
}

export function prepareUpsert(
  data: unknown,
  options: { on?: unknown; update?: unknown },
  context: Context,
): PreparedOperation {
  const { model } = context
  const on = conflictFields(options.on, context)
  const encoded = encodeNewRow(data, context)
  const { update } = options
  const changes =
    update === undefined
      ? { fields: givenFields(data, encoded, on, context) }
      : Array.isArray(update)
        ? { fields: update.map(name => writableField(String(name), context)) }
        : { set: encodeAssignments(update, context) }
  return answeredRow({ op: 'upsert', model: model.definition.name, row: encoded.row, on, update: changes }, context)
}

function writableField(name: string, context: Context): string {
  const { definition } = knownField(name, context)
  if (!definition.readonly && !definition.primaryKey) return definition.name
  throw new DataFlowError('READONLY', `${name} cannot be updated.`, {
    fields: [name],
    hint: `leave ${name} out of update.`,
  })
}
