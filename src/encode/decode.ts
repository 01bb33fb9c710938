// Rows as they cross -> rows as an app sees them. The hottest loop on the page.
import type { PageField, PageModel } from '../resolve.js'
import { decodeValue, isPlain } from '../shared/codec.js'
import type { WireRow, WireRows } from '../shared/operation.js'

export type AppRow = Record<string, unknown>

export type RowDecoder = (rows: WireRows) => AppRow[]

/** Decodes rows that hold the fields of `select` in this order; all fields when it is null. Made once per selection. */
export function rowDecoder(model: PageModel, select: readonly string[] | null): RowDecoder {
  const shape = select === null ? '*' : select.join()
  let decoder = model.decoders.get(shape)
  if (!decoder) model.decoders.set(shape, (decoder = makeDecoder(model, select)))
  return decoder
}

function makeDecoder(model: PageModel, select: readonly string[] | null): RowDecoder {
  const fields = select === null ? model.fields : select.map(name => model.fieldNamed.get(name)!)
  const names = fields.map(field => field.definition.name)
  const blobFields = indexesOf(fields, field => field.definition.kind === 'blob')
  const codedFields = indexesOf(fields, field => !isPlain(field.definition.kind))
  return ({ json, blobs }) => {
    const rows = JSON.parse(json) as unknown[][]
    const width = names.length
    const decoded = new Array<AppRow>(rows.length)
    for (let r = 0; r < rows.length; r++) {
      const values = rows[r]!
      for (const i of codedFields) values[i] = decodeValue(fields[i]!.definition, values[i], true)
      if (blobs) for (let b = 0; b < blobFields.length; b++) values[blobFields[b]!] = blobs[r]![b]
      const row: AppRow = {}
      for (let i = 0; i < width; i++) row[names[i]!] = values[i]
      decoded[r] = row
    }
    return decoded
  }
}

function indexesOf(fields: readonly PageField[], matches: (field: PageField) => boolean): number[] {
  return fields.flatMap((field, i) => (matches(field) ? [i] : []))
}

/** The row that a create stored: what was sent, and the worker's stamp where it fills one in. */
export function storedRow(model: PageModel, row: WireRow, stamp: number): AppRow {
  const stored: AppRow = {}
  model.fields.forEach(({ definition }, i) => {
    const value = row[i] === undefined ? stamp : row[i]
    stored[definition.name] = decodeValue(definition, value, false)
  })
  return stored
}
