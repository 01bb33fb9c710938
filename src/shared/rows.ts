// Rows as they cross -> rows as an app sees them. The hottest loop on the page.
import { decodeValue, isPlain } from './codec.js'
import type { FieldDefinition } from './definition.js'
import type { WireColumns, WireRows } from './operation.js'

export type AppRow = Record<string, unknown>

export type RowDecoder = (rows: WireRows | WireColumns) => AppRow[]

/** Decodes rows that hold these fields in this order. */
export function rowsDecoder(fields: readonly FieldDefinition[]): RowDecoder {
  const byRows = decoderByRows(fields)
  return rows => ('columns' in rows ? decodeColumns(fields, rows) : byRows(rows))
}

function decoderByRows(fields: readonly FieldDefinition[]): (rows: WireRows) => AppRow[] {
  const names = fields.map(field => field.name)
  const blobFields = indexesOf(fields, field => field.kind === 'blob')
  const codedFields = indexesOf(fields, field => !isPlain(field.kind))
  return ({ json, blobs }) => {
    const rows = JSON.parse(json) as unknown[][]
    const width = names.length
    const decoded = new Array<AppRow>(rows.length)
    for (let r = 0; r < rows.length; r++) {
      const values = rows[r]!
      for (const i of codedFields) values[i] = decodeValue(fields[i]!, values[i], true)
      if (blobs) for (let b = 0; b < blobFields.length; b++) values[blobFields[b]!] = blobs[r]![b]
      const row: AppRow = {}
      for (let i = 0; i < width; i++) row[names[i]!] = values[i]
      decoded[r] = row
    }
    return decoded
  }
}

function decodeColumns(fields: readonly FieldDefinition[], { columns }: WireColumns): AppRow[] {
  const values = columns.map((json, i) => decodeColumn(fields[i]!, json))
  const names = fields.map(field => field.name)
  const width = names.length
  const decoded = new Array<AppRow>(values[0]!.length)
  for (let r = 0; r < decoded.length; r++) {
    const row: AppRow = {}
    for (let i = 0; i < width; i++) row[names[i]!] = values[i]![r]
    decoded[r] = row
  }
  return decoded
}

/** All values of a field, which cross as one JSON array. */
export function decodeColumn(definition: FieldDefinition, json: string): unknown[] {
  const values = definition.kind === 'bigint' ? splitNumbers(json) : (JSON.parse(json) as unknown[])
  if (definition.kind === 'blob') return values.map(hex => (hex === null ? null : fromHex(hex as string)))
  if (isPlain(definition.kind)) return values
  for (let r = 0; r < values.length; r++) values[r] = decodeValue(definition, values[r], true)
  return values
}

export function fromHex(hex: string): Uint8Array {
  const bytes = new Uint8Array(hex.length / 2)
  for (let i = 0; i < bytes.length; i++) bytes[i] = parseInt(hex.slice(2 * i, 2 * i + 2), 16)
  return bytes
}

/** Numbers as they are written: JSON.parse would round those beyond 2^53. */
export function splitNumbers(json: string): (string | null)[] {
  const texts: (string | null)[] = json === '[]' ? [] : json.slice(1, -1).split(',')
  for (let r = 0; r < texts.length; r++) if (texts[r] === 'null') texts[r] = null
  return texts
}

function indexesOf(fields: readonly FieldDefinition[], matches: (field: FieldDefinition) => boolean): number[] {
  return fields.flatMap((field, i) => (matches(field) ? [i] : []))
}
