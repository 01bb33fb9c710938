// Rows back from the worker, as an app sees them.
import type { PageModel } from '../resolve.js'
import { decodeValue } from '../shared/codec.js'
import type { WireRow } from '../shared/operation.js'
import { rowsDecoder, type AppRow, type RowDecoder } from '../shared/rows.js'

/** Decodes rows that hold the fields of `select` in this order; all fields when it is null. Made once per selection. */
export function rowDecoder(model: PageModel, select: readonly string[] | null): RowDecoder {
  const shape = select === null ? '*' : select.join()
  let decoder = model.decoders.get(shape)
  if (!decoder) {
    const fields = select === null ? model.fields : select.map(name => model.fieldNamed.get(name)!)
    decoder = rowsDecoder(fields.map(field => field.definition))
    model.decoders.set(shape, decoder)
  }
  return decoder
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
