// The types of filters. What they mean, and the checks at run time, are in shared/filter.ts.
import type { Fields, RowOf } from './shared/schema.js'
import type { SqlExpr } from './shared/sql.js'

interface EqualityOperators<T> {
  $eq?: T
  $ne?: T
  $in?: readonly T[]
  $nin?: readonly T[]
  /** true: is NULL. */
  $null?: boolean
  /** true: is not NULL. */
  $exists?: boolean
}
interface OrderOperators<T> {
  $gt?: T
  $gte?: T
  $lt?: T
  $lte?: T
  /** Both ends included. */
  $between?: readonly [T, T]
}
interface TextOperators {
  /** `%` any characters, `_` one character, `\` takes the next one literally. Case-sensitive unless `$ci`. */
  $like?: string
  $startsWith?: string
  $endsWith?: string
  $contains?: string
  /** The text operators beside it ignore the case of ASCII letters. */
  $ci?: boolean
}

/** The operators of a field that holds `T`. */
export type FieldOperators<T> = EqualityOperators<T> &
  (NonNullable<T> extends number | bigint | Date | string ? OrderOperators<NonNullable<T>> : unknown) &
  (NonNullable<T> extends string ? TextOperators : unknown) &
  (NonNullable<T> extends readonly (infer Item)[] ? { $has?: Item } : unknown)

/** A filter over a model's rows. Several fields, and several operators of one field, must all hold. */
export type Where<F extends Fields> = { [K in keyof F]?: RowOf<F>[K] | FieldOperators<RowOf<F>[K]> } & {
  /** Falsy entries are skipped: `$and: [onlyMine && { authorId }]`. */
  $and?: readonly (Where<F> | false | null | undefined | 0 | '')[]
  $or?: readonly Where<F>[]
  $not?: Where<F>
  $sql?: SqlExpr<boolean>
}
