// An operation as it crosses: plain data, names checked, values as stored. What the worker compiles and runs.
import type { AggregateTerm } from './aggregate.js'
import type { StoredValue } from './definition.js'
import type { WireError } from './errors.js'
import type { Condition } from './filter.js'
import type { PackedRows } from './packed.js'
import type { Include } from './relation.js'

/** `deferred` resolves in memory; `relaxed` survives the death of the process; `strict` survives power loss. */
export type Durability = 'relaxed' | 'strict' | 'deferred'

/** A row in the order of the model's fields; undefined where SQLite or the worker fills the value. */
export type WireRow = readonly (StoredValue | undefined)[]

/** What an update does to one field. */
export type Assignment =
  | { readonly field: string; readonly value: StoredValue }
  | { readonly field: string; readonly increment: number | bigint }

export interface OrderTerm {
  readonly field: string
  readonly descending: boolean
}

/** Rows behind a row, in the list's order: its values of the order's fields. */
export interface Keyset {
  readonly values: readonly StoredValue[]
}

/** What happens to a row whose key or unique fields are taken (semantics 24). */
export type Conflict =
  | { readonly policy: 'fail' | 'skip' }
  | {
      readonly policy: 'update'
      /** The unique fields that are looked at; null: any. */
      readonly on: readonly string[] | null
      /**
       * Distinct lists of fields that a row overwrites (those that were given), and which list each row uses: packed rows
       * say it themselves.
       */
      readonly lists: readonly (readonly string[])[]
      readonly listOf: readonly number[]
    }

/** An operation, and what the app calls it where that is another name (`first` is a list). */
export type WireOperation = Statement & {
  readonly method?: string
  /** Rows that were deleted softly are seen too. */
  readonly withDeleted?: boolean
}

type Statement =
  | { readonly op: 'create'; readonly model: string; readonly row: WireRow }
  | {
      readonly op: 'read'
      readonly model: string
      readonly id: StoredValue
      readonly select: readonly string[] | null
      readonly include?: readonly Include[]
    }
  | {
      readonly op: 'update'
      readonly model: string
      readonly id: StoredValue
      readonly set: readonly Assignment[]
      /** The `t.version()` that the row must still have. */
      readonly version: number | null
    }
  | {
      /** Of a model with softDelete it only hides the row; `purge` deletes what is hidden. */
      readonly op: 'delete'
      readonly model: string
      readonly id: StoredValue
      /** As in an update; null if left out. */
      readonly version?: number | null
    }
  | { readonly op: 'restore'; readonly model: string; readonly id: StoredValue; readonly version: number | null }
  | { readonly op: 'purge'; readonly model: string; readonly id: StoredValue }
  | {
      readonly op: 'list'
      readonly model: string
      readonly where: Condition | null
      /** Ends with the key: total. */
      readonly order: readonly OrderTerm[]
      readonly limit: number | null
      readonly offset: number
      readonly select: readonly string[] | null
      readonly after: Keyset | null
      readonly include?: readonly Include[]
    }
  | {
      readonly op: 'search'
      readonly model: string
      /** As a user typed them. */
      readonly words: string
      readonly where: Condition | null
      /** By searched field, what a match in it counts; null: not ranked, in key order. */
      readonly weights: Readonly<Record<string, number>> | null
      readonly limit: number | null
      readonly offset: number
      readonly select: readonly string[] | null
      /** Fields that are cut into pieces at each match; none if it is not wanted. */
      readonly highlight: readonly string[]
      /** null: not wanted. `field`: null for the one that says most. */
      readonly snippet: { readonly field: string | null; readonly words: number } | null
    }
  | { readonly op: 'count'; readonly model: string; readonly where: Condition | null }
  | {
      readonly op: 'aggregate'
      readonly model: string
      /** null: one answer for all rows, also if there are none. */
      readonly group: readonly string[] | null
      readonly terms: readonly AggregateTerm[]
      /** So many terms are answered; the others are for `having` and `order`. */
      readonly answered: number
      readonly where: Condition | null
      /** These two name fields of the answer (aggregate.ts). */
      readonly having: Condition | null
      readonly order: readonly OrderTerm[]
      readonly limit: number | null
      readonly offset: number
    }
  | {
      readonly op: 'upsert'
      readonly model: string
      readonly row: WireRow
      readonly on: readonly string[]
      /** Fields that take the row's value when it exists, or assignments. */
      readonly update: { readonly fields: readonly string[] } | { readonly set: readonly Assignment[] }
      /** Also tells whether the row was there. */
      readonly tell?: boolean
    }
  | {
      readonly op: 'insertMany'
      readonly model: string
      readonly rows: readonly WireRow[]
      /** In place of `rows`, which is empty then. */
      readonly packed?: PackedRows
      readonly conflict: Conflict
      /** Go on behind a row that fails and report it, instead of failing as a whole. */
      readonly collect: boolean
    }
  | {
      readonly op: 'bulkUpdate'
      readonly model: string
      /** null: all rows, asked for by `{ all: true }`. */
      readonly where: Condition | null
      readonly set: readonly Assignment[]
    }
  | { readonly op: 'bulkDelete'; readonly model: string; readonly where: Condition | null }
  | { readonly op: 'bulkRestore'; readonly model: string; readonly where: Condition | null }
  | { readonly op: 'bulkPurge'; readonly model: string; readonly where: Condition | null }
  | { readonly op: 'sql'; readonly sql: string; readonly params: readonly StoredValue[] }

export type OperationName = WireOperation['op']

/** Rows as one JSON text: an array of arrays in the order that was selected. Blobs do not fit into JSON. */
export interface WireRows {
  readonly json: string
  /** For each row the BLOBs of its blob fields, in the order selected; absent where no blob was selected. */
  readonly blobs?: readonly (readonly (Uint8Array | null)[])[]
}

/**
 * Many rows, column by column: for each field, in the order selected, a JSON array of its values. Twice as fast to make
 * as an array for each row. What a bigint field holds is written in it as a number, which only text keeps exact.
 */
export interface WireColumns {
  readonly columns: readonly string[]
}

/** A text cut into pieces, in turn: what does not match, what does, what does not ... */
export type WirePieces = readonly string[]

/** For each row its rank, and the pieces that were asked for: of each field of `highlight`, and of the snippet. */
export interface WireFound extends WireRows {
  readonly ranks: readonly number[]
  readonly highlights: readonly (readonly (WirePieces | null)[])[]
  readonly snippets: readonly WirePieces[]
}

export interface WireTable {
  readonly columns: readonly string[]
  readonly rows: readonly (readonly (string | number | bigint | Uint8Array | null)[])[]
}

/** Answer to create and to bulk writes of rows. */
export interface WireWritten {
  /** What the worker filled in: createdAt and updatedAt, epoch ms. */
  readonly stamp: number
  /** Keys that SQLite made (`t.autoId`), or of all rows that a condition chose. */
  readonly ids?: readonly StoredValue[]
  readonly count: number
  /** Rows that a conflict policy skipped, by index. */
  readonly skipped?: readonly number[]
  readonly failed?: readonly { readonly index: number; readonly error: WireError }[]
  /** The row that was sent, where references stood in it. */
  readonly row?: WireRow
}

/** What each operation answers. */
export interface WireResults {
  /** WireRows where SQLite made a value that the page cannot know (`default(sql)`, autoId). */
  create: WireWritten | WireRows
  /** WireColumns where something is included: those of the row, then those of each that is included, depth first. */
  read: WireRows | WireColumns
  update: WireRows
  delete: boolean
  restore: WireRows
  purge: boolean
  /** WireRows where a blob is selected and nothing included; else columns, as those of `read`. */
  list: WireRows | WireColumns
  search: WireFound
  count: number
  /** A field of `group`, an answered term: a column each; a wide sum two, its high half and its low 32 bits. */
  aggregate: WireColumns
  upsert: WireRows & { readonly created?: boolean }
  insertMany: WireWritten
  bulkUpdate: WireWritten
  bulkDelete: WireWritten
  bulkRestore: WireWritten
  bulkPurge: WireWritten
  sql: WireTable
}
export type WireResult = WireResults[OperationName]

/** Of raw SQL only SQLite can tell what it does. */
const KINDS: Record<OperationName, 'reads' | 'writes'> = {
  create: 'writes',
  read: 'reads',
  update: 'writes',
  delete: 'writes',
  restore: 'writes',
  purge: 'writes',
  upsert: 'writes',
  list: 'reads',
  search: 'reads',
  count: 'reads',
  aggregate: 'reads',
  insertMany: 'writes',
  bulkUpdate: 'writes',
  bulkDelete: 'writes',
  bulkRestore: 'writes',
  bulkPurge: 'writes',
  sql: 'reads',
}

export function isOperationName(name: unknown): name is OperationName {
  return typeof name === 'string' && Object.hasOwn(KINDS, name)
}

/** Whether an operation of that name writes. */
export function isWrite(op: OperationName): boolean {
  return KINDS[op] === 'writes'
}

/** What an app calls the operation. */
export function nameOf({ method, op }: WireOperation): string {
  return method ?? op
}
