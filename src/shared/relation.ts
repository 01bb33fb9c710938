// How rows of one model belong to those of another, and what is read along with a row: plain data, as it crosses.
import type { Condition } from './filter.js'
import type { OrderTerm } from './operation.js'

/** Rows of `model` whose `to` is what `from` is in the row they belong to. */
export interface Relation {
  readonly model: string
  /** A field of the model that has the relation. */
  readonly from: string
  /** A field of `model`. */
  readonly to: string
  /** A list, in place of one row or null. */
  readonly many: boolean
  /** Rows of this model lie between: their `from` is the row's, their `to` is that of the rows it leads to. */
  readonly through?: { readonly model: string; readonly from: string; readonly to: string }
}

/** A relation that is read along. */
export interface Include {
  readonly relation: Relation
  /** Holds the relation's `to`, and the `from` of what is included below. */
  readonly select: readonly string[]
  readonly where: Condition | null
  /** Ends with the key: total. Looked at only where the relation gives lists. */
  readonly order: readonly OrderTerm[]
  /** For each row that they belong to. */
  readonly limit: number | null
  readonly withDeleted?: boolean
  readonly include?: readonly Include[]
}

/** Levels of `include` in each other. */
export const MAX_INCLUDE_DEPTH = 8
/** In one operation: SQLite joins 64 tables. */
export const MAX_INCLUDES = 60
