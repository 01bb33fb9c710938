// Many rows as they cross: JSON in UTF-8, some rows in each piece. Pieces are handed over without a copy, so that neither
// thread stands still for them, and both sides make and read them several times as fast as arrays are cloned.
import type { FieldDefinition, StoredValue } from './definition.js'
import type { WireRow } from './operation.js'

export interface PackedRows {
  readonly count: number
  readonly pieces: readonly Piece[]
  /** Some row leaves its key to SQLite. */
  readonly keyless: boolean
}

export interface Piece {
  /** An array of rows. */
  readonly json: Uint8Array<ArrayBuffer>
  /** Their BLOBs, one behind the other: JSON has no form for them, a row holds the length. */
  readonly blobs: Uint8Array<ArrayBuffer>
}

/** A row, and which list of fields it overwrites: 0 without such lists. */
export type ListedRow = readonly [row: WireRow, list: number]

/** No stored value is `false`: in a packed row it stands for a value that SQLite or the worker makes. */
const ABSENT = false

type PackedValue = string | number | null | typeof ABSENT

/** Rows as JSON, and their BLOBs. */
export function packRows(rows: readonly ListedRow[]): { json: string; blobs: readonly Uint8Array[] } {
  const blobs: Uint8Array[] = []
  const packed = rows.map(([row, list]) => {
    const values: PackedValue[] = []
    for (const value of row) values.push(packValue(value, blobs))
    values.push(list)
    return values
  })
  return { json: JSON.stringify(packed), blobs }
}

function packValue(value: StoredValue | undefined, blobs: Uint8Array[]): PackedValue {
  if (typeof value === 'string' || value === null) return value
  if (typeof value === 'number') return Number.isFinite(value) ? value : String(value)
  if (value === undefined) return ABSENT
  if (typeof value === 'bigint') return String(value)
  blobs.push(value)
  return value.length
}

/** The rows of a piece, as they were before they were packed. The BLOBs are views of `blobs`. */
export function unpackRows(
  fields: readonly FieldDefinition[],
  json: string,
  blobs: Uint8Array<ArrayBuffer>,
): readonly ListedRow[] {
  const coded = fields.flatMap(({ kind }, i) =>
    kind === 'blob' || kind === 'bigint' || kind === 'real' ? [[i, kind] as const] : [],
  )
  const packed = JSON.parse(json) as (StoredValue | typeof ABSENT | undefined)[][]
  let from = 0
  return packed.map((values): ListedRow => {
    const list = values.pop() as number
    for (let i = 0; i < values.length; i++) if (values[i] === ABSENT) values[i] = undefined
    for (const [i, kind] of coded) {
      const value = values[i]
      if (value === null || value === undefined) continue
      if (kind === 'blob') values[i] = blobs.subarray(from, (from += value as number))
      else values[i] = kind === 'bigint' ? BigInt(value as string) : Number(value)
    }
    return [values as WireRow, list]
  })
}
