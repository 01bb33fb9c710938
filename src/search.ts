// The types of text search: what it takes, and what it gives for it.
import type { Fields, RowOf, Simplify } from './shared/schema.js'
import type { Where } from './where.js'

/** Fields that hold a text. */
export type TextKey<F extends Fields> = {
  [K in keyof F]: NonNullable<RowOf<F>[K]> extends string ? K : never
}[keyof F] &
  string

/** The fields that a model with the options `O` searches. */
export type SearchedIn<F extends Fields, O> = O extends { readonly search: readonly (infer S)[] } ? S & keyof F : never
export type NotSearched = "This model has no text search: declare it with the option search: ['field']"

/** A part of a text. Put into a page as text it cannot be taken for markup. */
export interface Piece {
  text: string
  /** Whether it is a word that was looked for. */
  match: boolean
}

/** What stands before and behind each match, where one text is wanted. It is not escaped: neither are the texts. */
type Markers = readonly [before: string, behind: string]

/** What `search` takes beside the words. `S`: the fields that are searched. */
export interface SearchArgs<F extends Fields, S extends keyof F, Rs = {}> {
  /** A filter for the matches. */
  where?: Where<F, Rs>
  limit?: number
  offset?: number
  select?: readonly (keyof F)[]
  /**
   * Best matches first, rows of one rank in key order. `true`: `$rank` too; what a match in a field counts more or less
   * than 1; `false`: all in key order.
   */
  rank?: boolean | { readonly [K in S]?: number }
  /** `$highlight`: the texts of these fields, all that are searched if none is named, cut into pieces or with markers. */
  highlight?: boolean | { readonly fields?: readonly S[]; readonly markers?: Markers }
  /** `$snippet`: the part of the texts that says most, of 15 words unless said. */
  snippet?: boolean | { readonly field?: S; readonly words?: number; readonly markers?: Markers }
}

type SelectedKey<F, A> = A extends { readonly select: readonly (infer K)[] } ? K & keyof F : keyof F
/** A text with markers where they are given, else pieces. */
type Marked<O> = O extends { readonly markers: Markers } ? string : Piece[]
type HighlightedKey<F, S, O> = (O extends { readonly fields: readonly (infer K)[] } ? K : S) & keyof F

type Highlight<F extends Fields, S, A> = A extends { readonly highlight: infer O }
  ? O extends true | object
    ? { $highlight: { [K in HighlightedKey<F, S, O>]: Marked<O> | Extract<RowOf<F>[K], null> } }
    : unknown
  : unknown
type Snippet<A> = A extends { readonly snippet: infer O }
  ? O extends true | object
    ? { $snippet: Marked<O> }
    : unknown
  : unknown
type Rank<A> = A extends { readonly rank: infer O } ? (O extends true | object ? { $rank: number } : unknown) : unknown

/** A row that was found. What was asked for beside its fields has names that no field can have. */
export type Found<F extends Fields, S, A> = Simplify<
  Pick<RowOf<F>, SelectedKey<F, A>> & Rank<A> & Highlight<F, S, A> & Snippet<A>
>
