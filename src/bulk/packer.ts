// Encoded rows -> what crosses, piece by piece, so that a large bulk is never one long task.
import type { WireRow } from '../shared/operation.js'
import { packRow, type PackedRows, type Piece } from '../shared/packed.js'

/** About so many bytes are put into JSON at a time. */
const PIECE = 128 * 1024

/** A value that is no text or BLOB. */
const SMALL = 8

export class Packer {
  readonly #keyAt: number
  #pieces: Piece[] = []
  #pending: (readonly unknown[])[] = []
  #blobs: Uint8Array[] = []
  #pendingBytes = 0
  #keyless = false
  /** Rows, and about how many bytes they take. */
  rows = 0
  bytes = 0

  /** `keyAt`: the place of the key in a row. */
  constructor(keyAt: number) {
    this.#keyAt = keyAt
  }

  /** The row is not to be used any more. `bytes`: what `sizeOf` says. */
  add(row: WireRow, list: number, bytes: number): void {
    this.rows++
    this.bytes += bytes
    this.#pendingBytes += bytes
    if (row[this.#keyAt] === undefined) this.#keyless = true
    this.#pending.push(packRow([row, list], this.#blobs))
    if (this.#pendingBytes >= PIECE) this.#packPending()
  }

  /** Everything so far; then it is empty again. */
  take(): PackedRows {
    this.#packPending()
    const packed = { count: this.rows, pieces: this.#pieces, keyless: this.#keyless }
    this.#pieces = []
    this.#keyless = false
    this.rows = this.bytes = 0
    return packed
  }

  #packPending(): void {
    if (this.#pending.length === 0) return
    const json = new TextEncoder().encode(JSON.stringify(this.#pending))
    this.#pieces.push({ json, blobs: concat(this.#blobs) })
    this.#pending = []
    this.#blobs = []
    this.#pendingBytes = 0
  }
}

export function sizeOf(row: WireRow): number {
  let bytes = 0
  for (const value of row) bytes += typeof value === 'string' || value instanceof Uint8Array ? value.length : SMALL
  return bytes
}

function concat(parts: readonly Uint8Array[]): Uint8Array<ArrayBuffer> {
  const all = new Uint8Array(parts.reduce((length, part) => length + part.length, 0))
  let at = 0
  for (const part of parts) {
    all.set(part, at)
    at += part.length
  }
  return all
}
