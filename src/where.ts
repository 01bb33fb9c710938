// The types of filters. What they mean, and the checks at run time, are in shared/filter.ts.
import type { Ref } from './shared/reference.js'
import type { RelatedFilters } from './related.js'
import type { Fields, RowOf } from './shared/schema.js'
import type { SqlExpr } from './shared/sql.js'

/** In a workflow, a reference to what an earlier node gives. */
type OrRef<T> = T | Ref<T>

interface EqualityOperators<T> {
  $eq?: OrRef<T>
  $ne?: OrRef<T>
  $in?: readonly OrRef<T>[] | Ref<readonly T[]>
  $nin?: readonly OrRef<T>[] | Ref<readonly T[]>
  /** true: is NULL. */
  $null?: boolean
  /** true: is not NULL. */
  $exists?: boolean
}
interface OrderOperators<T> {
  $gt?: OrRef<T>
  $gte?: OrRef<T>
  $lt?: OrRef<T>
  $lte?: OrRef<T>
  /** Both ends included. */
  $between?: readonly [OrRef<T>, OrRef<T>]
}
interface TextOperators {
  /** `%` any characters, `_` one character, `\` takes the next one literally. Case-sensitive unless `$ci`. */
  $like?: OrRef<string>
  $startsWith?: OrRef<string>
  $endsWith?: OrRef<string>
  $contains?: OrRef<string>
  /** The text operators beside it ignore the case of ASCII letters. */
  $ci?: boolean
}

/** The operators of a field that holds `T`. */
export type FieldOperators<T> = EqualityOperators<T> &
  (NonNullable<T> extends number | bigint | Date | string ? OrderOperators<NonNullable<T>> : unknown) &
  (NonNullable<T> extends string ? TextOperators : unknown) &
  (NonNullable<T> extends readonly (infer Item)[] ? { $has?: Item } : unknown)

type FieldFilters<F extends Fields> = { [K in keyof F]?: OrRef<RowOf<F>[K]> | FieldOperators<RowOf<F>[K]> }

/**
 * A filter over a model's rows. Several fields, and several operators of one field, must all hold. `Rs`: the relations that
 * it can speak of.
 */
export type Where<F extends Fields, Rs = {}> = FieldFilters<F> &
  RelatedFilters<Rs> & {
    /** Falsy entries are skipped: `$and: [onlyMine && { authorId }]`. */
    $and?: readonly (Where<F, Rs> | false | null | undefined | 0 | '')[]
    $or?: readonly Where<F, Rs>[]
    $not?: Where<F, Rs>
    $sql?: SqlExpr<boolean>
  }
