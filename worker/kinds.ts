// What softDelete and appendOnly make of an operation. Asked here, whoever sent it: an operation may come from anywhere.
import { storeDate } from '../src/shared/codec.js'
import { fieldOf, type ModelDefinition } from '../src/shared/definition.js'
import { DataFlowError } from '../src/shared/errors.js'
import { isWrite, nameOf, type Assignment, type WireOperation } from '../src/shared/operation.js'

type ModelOperation = Exclude<WireOperation, { op: 'sql' }>

/** Throws for an operation that the model does not have: `READONLY`, `BAD_OPTION`. */
export function assertPermitted({ name, accessor, softDelete, appendOnly }: ModelDefinition, op: ModelOperation): void {
  if (appendOnly && isWrite(op.op) && !onlyAdds(op)) {
    throw new DataFlowError('READONLY', `${name} is appendOnly: its rows are never changed.`, {
      hint:
        op.op === 'upsert'
          ? `db.${accessor}.upsert(data, { update: [] }) gives back the row that is there.`
          : 'add a row that says what is different.',
    })
  }
  if (softDelete === undefined && OF_SOFT_DELETE.has(op.op)) {
    throw new DataFlowError('BAD_OPTION', `${name} has no softDelete: ${nameOf(op)} has no meaning.`, {
      hint: `declare it with softDelete: true, or use db.${accessor}.delete(id).`,
    })
  }
}

const OF_SOFT_DELETE: ReadonlySet<WireOperation['op']> = new Set(['restore', 'purge', 'bulkRestore', 'bulkPurge'])

function onlyAdds(op: ModelOperation): boolean {
  switch (op.op) {
    case 'create':
      return true
    case 'insertMany':
      return op.conflict.policy !== 'update'
    case 'upsert':
      return ('fields' in op.update ? op.update.fields : op.update.set).length === 0
    default:
      return false
  }
}

/** What deleting a row softly sets; null where rows are really deleted. */
export function softDeletion(definition: ModelDefinition, stamp: number): Assignment[] | null {
  const { softDelete } = definition
  return softDelete === undefined
    ? null
    : [{ field: softDelete, value: storeDate(fieldOf(definition, softDelete)!, stamp) }]
}

export function restoration({ softDelete }: ModelDefinition): Assignment[] {
  return [{ field: softDelete!, value: null }]
}

/** A row that was deleted softly has what must be unique. */
export function deletedInTheWay(
  { name, accessor, key }: ModelDefinition,
  op: WireOperation,
  on: readonly string[] | null,
): DataFlowError {
  const fields = on ?? [key]
  return new DataFlowError('UNIQUE', `a row that was deleted has the same ${fields.join(' and ')}.`, {
    model: name,
    op: nameOf(op),
    fields,
    hint: `use db.${accessor}.restore(id) or db.${accessor}.purge(id) first.`,
  })
}

/** In a scope: a row of it that was deleted softly has what must be unique, or one of another scope the key. Both are one. */
export function hiddenInTheWay(
  { accessor, key, softDelete }: ModelDefinition,
  on: readonly string[] | null,
): DataFlowError {
  const fields = on ?? [key]
  const hint = 'keys are unique in the whole database, whatever the scope: give another one'
  return new DataFlowError('UNIQUE', `another row already has this ${fields.join(' and ')}.`, {
    fields,
    hint: softDelete === undefined ? `${hint}.` : `${hint}, or use db.${accessor}.restore(id) if it was deleted.`,
  })
}

export function noSuchRow({ accessor, key, softDelete }: ModelDefinition, { op }: WireOperation): DataFlowError {
  const hint =
    op === 'restore'
      ? `db.${accessor}.read(id) tells whether it is there, not deleted.`
      : softDelete === undefined
        ? `use db.${accessor}.upsert(data) if the row may be missing.`
        : `use db.${accessor}.restore(id) if it was deleted, db.${accessor}.upsert(data) if it may be missing.`
  const text = `there is no ${op === 'restore' ? 'deleted ' : ''}row with this key.`
  return new DataFlowError('NOT_FOUND', text, { fields: [key], hint })
}
