// Many rows as they cross: JSON in UTF-8, some rows in each piece. Pieces are handed over without a copy, so that neither
// thread stands still for them, and both sides make and read them several times as fast as arrays are cloned.
import type { FieldDefinition, StoredValue } from './definition.js'
import type { WireRow } from './operation.js'

export interface PackedRows {
  readonly count: number
  /** Each a JSON array of rows. */
  readonly pieces: readonly Uint8Array<ArrayBuffer>[]
  /** What JSON has no form for: a row holds the number of its BLOB. */
  readonly blobs: readonly Uint8Array[]
  /** Some row leaves its key to SQLite. */
  readonly keyless: boolean
}

/** No stored value is `false`: in a packed row it stands for a value that SQLite or the worker makes. */
const ABSENT = false

type PackedValue = StoredValue | typeof ABSENT

/** A row, and which list of fields it overwrites: 0 without such lists. */
export type ListedRow = readonly [row: WireRow, list: number]

/** The JSON of a piece. The BLOBs of its rows go into `blobs`. */
export function packRows(rows: readonly ListedRow[], blobs: Uint8Array[]): string {
  return JSON.stringify(rows.map(([row, list]) => [...row.map(value => packValue(value, blobs)), list]))
}

function packValue(value: StoredValue | undefined, blobs: Uint8Array[]): PackedValue {
  if (value === undefined) return ABSENT
  if (typeof value === 'bigint') return String(value)
  if (typeof value === 'number') return Number.isFinite(value) ? value : String(value)
  return value instanceof Uint8Array ? blobs.push(value) - 1 : value
}

/** The rows of a piece, as they were before it was packed. */
export function unpackRows(
  fields: readonly FieldDefinition[],
  piece: string,
  blobs: readonly Uint8Array[],
): readonly ListedRow[] {
  const coded = fields.flatMap(({ kind }, i) =>
    kind === 'blob' || kind === 'bigint' || kind === 'real' ? [[i, kind] as const] : [],
  )
  const packed = JSON.parse(piece) as (PackedValue | undefined)[][]
  return packed.map((values): ListedRow => {
    const list = values.pop() as number
    for (const [i, kind] of coded) values[i] = unpackValue(kind, values[i]!, blobs)
    for (let i = 0; i < values.length; i++) if (values[i] === ABSENT) values[i] = undefined
    return [values as WireRow, list]
  })
}

function unpackValue(kind: 'blob' | 'bigint' | 'real', value: PackedValue, blobs: readonly Uint8Array[]): PackedValue {
  if (value === null || value === ABSENT) return value
  if (kind === 'blob') return blobs[value as number]!
  return kind === 'bigint' ? BigInt(value as string) : Number(value)
}
