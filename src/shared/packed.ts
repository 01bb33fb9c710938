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

/** A row as JSON holds it; its list stands behind its values, if it is not the first. The row itself is changed; its BLOBs go into `blobs`. */
export function packRow([row, list]: ListedRow, blobs: Uint8Array[]): readonly unknown[] {
  const values = row as (StoredValue | typeof ABSENT | undefined)[]
  for (let i = 0; i < values.length; i++) {
    const value = values[i]
    if (typeof value === 'string' || value === null) continue
    if (typeof value === 'number') {
      if (!Number.isFinite(value)) values[i] = String(value)
    } else if (value === undefined) values[i] = ABSENT
    else if (typeof value === 'bigint') values[i] = String(value)
    else if (value !== ABSENT) {
      blobs.push(value)
      values[i] = value.length
    }
  }
  if (list > 0) values.push(list)
  return values
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
    const list = values.length > fields.length ? (values.pop() as number) : 0
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
