// The types of aggregates: what they take, and what they give for it.
import type { AggregateName } from './shared/aggregate.js'
import type { Fields, RowOf, Simplify, TypeError } from './shared/schema.js'
import type { FieldOperators, Where } from './where.js'

type KeysHolding<F extends Fields, T> = {
  [K in keyof F]: NonNullable<RowOf<F>[K]> extends T ? K : never
}[keyof F]
type NumberKey<F extends Fields> = KeysHolding<F, number | bigint>
type OrderedKey<F extends Fields> = KeysHolding<F, number | bigint | string | Date>
/** A field called as an aggregate can be aggregated, but not grouped by: its place in the answer is taken. */
type GroupKey<F extends Fields> = Exclude<keyof F, AggregateName>
type FilterOf<T> = T | FieldOperators<T>

type SumOf<T> = NonNullable<T> extends bigint ? bigint : number
type DirectionOf<K extends PropertyKey> = { [P in K]?: 'asc' | 'desc' }

/** A filter over the rows of the answer: groups and aggregates, whether these are asked for or not. */
export type Having<F extends Fields> = {
  [K in GroupKey<F>]?: FilterOf<RowOf<F>[K]>
} & {
  count?: FilterOf<number> | { [K in keyof F]?: FilterOf<number> }
  countDistinct?: { [K in keyof F]?: FilterOf<number> }
  sum?: { [K in NumberKey<F>]?: FilterOf<SumOf<RowOf<F>[K]> | null> }
  avg?: { [K in NumberKey<F>]?: FilterOf<number | null> }
  min?: { [K in OrderedKey<F>]?: FilterOf<RowOf<F>[K] | null> }
  max?: { [K in OrderedKey<F>]?: FilterOf<RowOf<F>[K] | null> }
  $and?: readonly (Having<F> | false | null | undefined | 0 | '')[]
  $or?: readonly Having<F>[]
  $not?: Having<F>
}

export type AggregateOrder<F extends Fields> = DirectionOf<GroupKey<F>> & {
  count?: 'asc' | 'desc' | DirectionOf<keyof F>
  countDistinct?: DirectionOf<keyof F>
  sum?: DirectionOf<NumberKey<F>>
  avg?: DirectionOf<NumberKey<F>>
  min?: DirectionOf<OrderedKey<F>>
  max?: DirectionOf<OrderedKey<F>>
}

/** What `aggregate` takes. Lists of fields; `count: true` counts rows, `count: ['age']` those whose age is not null. */
export interface AggregateArgs<F extends Fields, Rs = {}> {
  where?: Where<F, Rs>
  /** A row of the answer for each combination of values; one object for all rows if left out. */
  groupBy?: GroupKey<F> | readonly GroupKey<F>[]
  count?: true | readonly (keyof F)[]
  countDistinct?: readonly (keyof F)[]
  sum?: readonly NumberKey<F>[]
  avg?: readonly NumberKey<F>[]
  min?: readonly OrderedKey<F>[]
  max?: readonly OrderedKey<F>[]
  /** Which groups; like `orderBy`, `limit` and `offset` only with `groupBy`. */
  having?: Having<F>
  /** Ends with the fields of `groupBy`. */
  orderBy?: AggregateOrder<F> | readonly AggregateOrder<F>[]
  limit?: number
  offset?: number
}

type ListOf<A, Name extends string> = A extends { readonly [K in Name]: readonly (infer K)[] } ? K : never
type GroupsOf<A> = A extends { readonly groupBy: infer G } ? (G extends readonly (infer K)[] ? K : G) : never
/** SQL's NULL: of no rows, or of none that has a value. A group has rows. */
type NullIn<A, T> = A extends { readonly groupBy: unknown } ? Extract<T, null> : null

type Counts<A, Name extends 'count' | 'countDistinct'> =
  A extends Record<Name, true> ? { [P in Name]: number } : Named<Name, { [K in ListOf<A, Name> & string]: number }>
/** Nothing for an aggregate that was not asked for. */
type Named<Name extends string, T> = keyof T extends never ? unknown : { [P in Name]: T }

type AnswerRow<F extends Fields, A> = Simplify<
  { [K in GroupsOf<A> & keyof F]: RowOf<F>[K] } & Counts<A, 'count'> &
    Counts<A, 'countDistinct'> &
    Named<'sum', { [K in ListOf<A, 'sum'> & keyof F]: SumOf<RowOf<F>[K]> | NullIn<A, RowOf<F>[K]> }> &
    Named<'avg', { [K in ListOf<A, 'avg'> & keyof F]: number | NullIn<A, RowOf<F>[K]> }> &
    Named<'min', { [K in ListOf<A, 'min'> & keyof F]: RowOf<F>[K] | NullIn<A, RowOf<F>[K]> }> &
    Named<'max', { [K in ListOf<A, 'max'> & keyof F]: RowOf<F>[K] | NullIn<A, RowOf<F>[K]> }>
>

/** What `aggregate` gives: one object, or with `groupBy` a list of them. */
export type Aggregated<F extends Fields, A> = A extends { readonly groupBy: unknown }
  ? AnswerRow<F, A>[]
  : AnswerRow<F, A>

/** What is wrong with the arguments as a whole. */
export type CheckAggregate<A> = A extends { readonly groupBy: unknown }
  ? unknown
  : Extract<keyof A, 'having' | 'orderBy' | 'limit' | 'offset'> extends never
    ? unknown
    : TypeError<`${Extract<keyof A, 'having' | 'orderBy' | 'limit' | 'offset'>} is for groups: add groupBy`>

export interface DistinctArgs<F extends Fields, Rs = {}> {
  where?: Where<F, Rs>
  limit?: number
}
