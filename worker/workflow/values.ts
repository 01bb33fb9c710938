// What a step gave, as later steps refer to it: the values that an app would see.
import { decodeValue } from '../../src/shared/codec.js'
import type { FieldDefinition, StoredValue } from '../../src/shared/definition.js'
import type {
  WireColumns,
  WireOperation,
  WireResult,
  WireRows,
  WireTable,
  WireWritten,
} from '../../src/shared/operation.js'
import { rowsDecoder, type AppRow } from '../../src/shared/rows.js'
import type { CompiledModel } from '../compile/model.js'

/** The value of `op`'s result. undefined for an operation whose result nothing refers to. */
export function valueOfResult(op: WireOperation, result: WireResult, model: CompiledModel | undefined): unknown {
  if (op.op === 'sql') {
    const { columns, rows } = result as WireTable
    return rows.map(row => Object.fromEntries(columns.map((name, i) => [name, row[i]])))
  }
  const fields = model!.definition.fields
  switch (op.op) {
    case 'create':
      return 'json' in (result as object) ? decode(fields, result)[0] : createdRow(fields, op, result as WireWritten)
    case 'update':
    case 'restore':
    case 'upsert':
      return decode(fields, result)[0]
    case 'read':
    case 'search':
    case 'list': {
      const selected = op.select?.map(name => fields.find(field => field.name === name)!) ?? fields
      // What is included stands behind the columns of the row itself.
      const included = op.op !== 'search' && op.include
      const own = included ? { columns: (result as WireColumns).columns.slice(0, selected.length) } : result
      const rows = decode(selected, own)
      return op.op !== 'read' && op.method !== 'first' ? rows : (rows[0] ?? null)
    }
    case 'insertMany':
    case 'bulkUpdate':
    case 'bulkDelete':
    case 'bulkRestore':
    case 'bulkPurge':
      return { count: (result as WireWritten).count, ids: idsOf(op, result as WireWritten, model!) }
    case 'aggregate':
      return undefined
    default:
      return result
  }
}

function decode(fields: readonly FieldDefinition[], result: WireResult): AppRow[] {
  return rowsDecoder(fields)(result as WireRows | WireColumns)
}

function createdRow(
  fields: readonly FieldDefinition[],
  { row }: Extract<WireOperation, { op: 'create' }>,
  { stamp }: WireWritten,
): AppRow {
  return Object.fromEntries(
    fields.map((field, i) => [field.name, decodeValue(field, row[i] === undefined ? stamp : row[i], false)]),
  )
}

/** The keys of the rows that were written. */
export function idsOf(
  op: WireOperation,
  written: WireWritten,
  { columns, key }: CompiledModel,
): readonly StoredValue[] {
  if (written.ids || op.op !== 'insertMany') return written.ids ?? []
  const left = new Set([...(written.skipped ?? []), ...(written.failed ?? []).map(({ index }) => index)])
  const keyAt = columns.indexOf(key)
  return op.rows.filter((_, i) => !left.has(i)).map(row => row[keyAt]!)
}
