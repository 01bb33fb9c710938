// The types of relations: what the references of a database's models make, what can be included, and what that gives.
import type { Exact } from './exact.js'
import type { FieldsOf, OptionsOf, OrderBy, Page, Row } from './model.js'
import type { DeletesSoftly, Seen } from './model-kinds.js'
import type { Fields, NamesOf, RowOf, Simplify, TargetOf, TypeError } from './shared/schema.js'
import type { FieldOperators, Where } from './where.js'

/** A relation: the accessor that it leads to, whether to a list, whether there may be no row, and what makes it. */
export interface Link<
  Ms,
  Name extends PropertyKey,
  To extends keyof Ms,
  Many extends boolean,
  Missing extends boolean,
  By,
> {
  readonly models: Ms
  readonly name: Name
  readonly to: To
  readonly many: Many
  readonly missing: Missing
  readonly by: By
}
type AnyLink = Link<any, any, any, boolean, boolean, unknown>

type AccessorOf<Ms, N> = { [K in keyof Ms]: Ms[K] extends { readonly $name: N } ? K : never }[keyof Ms]
type NameOf<M> = M extends { readonly $name: infer N } ? N : never
type IsNever<T> = [T] extends [never] ? true : false
type IsUnion<T, All = T> = T extends unknown ? ([All] extends [T] ? false : true) : never

/** The reference fields, or those that lead to the model `N`. */
type RefsOf<F, N = string> = {
  [C in keyof F]: [TargetOf<F[C]>] extends [never] ? never : TargetOf<F[C]> extends N ? C : never
}[keyof F]
type Unnamed<F, N> = { [C in RefsOf<F, N>]: NamesOf<F[C]> extends { readonly inverse: string } ? never : C }[RefsOf<
  F,
  N
>]

type ForwardName<F, C> =
  NamesOf<F> extends { readonly as: infer A extends string }
    ? A
    : C extends `${infer Name}Id`
      ? Name extends ''
        ? never
        : Name
      : never
type Forward<Ms, F extends Fields> = {
  [C in RefsOf<F>]: true extends IsNever<ForwardName<F[C], C>> | IsNever<AccessorOf<Ms, TargetOf<F[C]>>>
    ? never
    : Link<Ms, ForwardName<F[C], C>, AccessorOf<Ms, TargetOf<F[C]>>, false, null extends RowOf<F>[C] ? true : false, C>
}[RefsOf<F>]

type BackwardFrom<Ms, K extends keyof Ms, F, N> = {
  [C in RefsOf<F, N>]: NamesOf<F[C]> extends { readonly inverse: infer I extends string }
    ? Link<Ms, I, K, true, false, [K, C]>
    : IsUnion<Unnamed<F, N>> extends true
      ? never
      : Link<Ms, K, K, true, false, [K, C]>
}[RefsOf<F, N>]
type Backward<Ms, N> = { [K in keyof Ms]: BackwardFrom<Ms, K, FieldsOf<Ms[K]>, N> }[keyof Ms]

type ThroughTarget<JF, N, R> = R extends { readonly to: infer C extends keyof JF }
  ? TargetOf<JF[C]>
  : TargetOf<JF[Exclude<RefsOf<JF>, R extends { readonly from: infer C } ? C : RefsOf<JF, N>>]>
type Through<Ms, M> =
  OptionsOf<M> extends { readonly relations: infer Rs }
    ? {
        [T in keyof Rs]: Rs[T] extends { readonly through: infer J }
          ? Link<
              Ms,
              T,
              AccessorOf<Ms, ThroughTarget<FieldsOf<Ms[AccessorOf<Ms, J>]>, NameOf<M>, Rs[T]>>,
              true,
              false,
              Rs[T]
            >
          : never
      }[keyof Rs]
    : never

/** What the references of a database's models make of one of them: relations, by name. */
export type RelationsOf<Ms, M> = 0 extends 1 & FieldsOf<M> ? any : { [L in LinksOf<Ms, M> as L['name']]: L }
type LinksOf<Ms, M> = Forward<Ms, FieldsOf<M>> | Backward<Ms, NameOf<M>> | Through<Ms, M>

/** Turns relations that have the name of another, or of a field, or lead nowhere, into a type whose text says so. */
export type CheckRelations<Ms> = { [K in keyof Ms]: ClashIn<Ms[K], LinksOf<Ms, Ms[K]>> }[keyof Ms] extends infer Wrong
  ? [Wrong] extends [never]
    ? unknown
    : TypeError<Wrong & string>
  : never
type ClashIn<M, L extends { readonly name: unknown; readonly to: unknown }, All = L> = L extends unknown
  ? [L['to']] extends [never]
    ? `The relation "${L['name'] & string}" of ${NameOf<M> & string} leads through no model passed to dataflow`
    : L['name'] extends keyof FieldsOf<M>
      ? `The relation "${L['name'] & string}" of ${NameOf<M> & string} has the name of a field: say \`as\` or \`inverse\``
      : IsUnion<Extract<All, { readonly name: L['name'] }>> extends true
        ? `Two relations of ${NameOf<M> & string} are called "${L['name'] & string}": say \`as\` or \`inverse\``
        : never
  : never

type TargetModel<L> = L extends AnyLink ? L['models'][L['to']] : never
type TargetRelations<L> = L extends AnyLink ? RelationsOf<L['models'], TargetModel<L>> : never
type IsMany<L> = L extends { readonly many: true } ? true : false

/** A filter over rows that have relations. */
export type WhereRelated<L> = Where<FieldsOf<TargetModel<L>>, TargetRelations<L>>

/** Filters by relations: of one row its fields, or null; of a list `$some`, `$every`, `$none`. */
export type RelatedFilters<Rs> = string extends keyof Rs
  ? { readonly [name: string]: unknown }
  : { [R in keyof Rs]?: IsMany<Rs[R]> extends true ? Quantified<WhereRelated<Rs[R]>> : WhereRelated<Rs[R]> | null }
export interface Quantified<W> {
  /** At least one row passes. */
  $some?: W
  /** No row fails: holds where there is none. */
  $every?: W
  /** No row passes. */
  $none?: W
}

/** What can be included: `true`, or what is wanted of it. */
export type Include<Rs> = { [R in keyof Rs]?: true | IncludeArgs<Rs[R]> }
type IncludeArgs<L> = {
  select?: readonly (keyof FieldsOf<TargetModel<L>>)[]
  include?: Include<TargetRelations<L>>
} & Seen<OptionsOf<TargetModel<L>>> &
  (IsMany<L> extends true ? IncludeListArgs<L> : unknown)
interface IncludeListArgs<L> {
  where?: WhereRelated<L>
  /** Ends with the key. */
  orderBy?: OrderBy<FieldsOf<TargetModel<L>>>
  /** For each row that they belong to. */
  limit?: number
}

/** `I`, where every name that is none of a relation, a field or an option is an error that says so. */
export type CheckInclude<Rs, I> = {
  [R in keyof I]: R extends keyof Rs
    ? I[R] extends true | undefined
      ? I[R]
      : CheckIncludeArgs<Rs[R], I[R]>
    : TypeError<`there is no relation ${R & string} here`>
}
type CheckIncludeArgs<L, A> = {
  [K in keyof A]: K extends keyof IncludeArgs<L>
    ? K extends 'include'
      ? CheckInclude<TargetRelations<L>, A[K]>
      : K extends 'where'
        ? CheckWhere<FieldsOf<TargetModel<L>>, TargetRelations<L>, A[K]>
        : K extends 'orderBy'
          ? Exact<A[K], OrderBy<FieldsOf<TargetModel<L>>>>
          : A[K]
    : TypeError<`there is no option ${K & string} here`>
}

/** `W`, where every name that is none of a field, a relation or an operator is an error that says so. */
export type CheckWhere<F extends Fields, Rs, W> = {
  [K in keyof W]: K extends keyof F
    ? Exact<W[K], RowOf<F>[K] | FieldOperators<RowOf<F>[K]>>
    : K extends '$and' | '$or'
      ? CheckWheres<F, Rs, W[K]>
      : K extends '$not'
        ? CheckWhere<F, Rs, W[K]>
        : K extends '$sql'
          ? W[K]
          : K extends keyof Rs
            ? string extends keyof Rs
              ? CheckLater<K, W[K]>
              : CheckRelated<Rs[K], W[K]>
            : TypeError<`there is no ${K & string} here`>
}
/** The filter of a relation is an object, or null; anything else is of a field, and there is none of that name. */
type CheckLater<K, W> = [W] extends [object | null] ? W : TypeError<`there is no ${K & string} here`>
type CheckWheres<F extends Fields, Rs, Ws> = { [I in keyof Ws]: CheckWhere<F, Rs, Ws[I]> }
type CheckRelated<L, W> =
  IsMany<L> extends true
    ? {
        [Q in keyof W]: Q extends keyof Quantified<unknown>
          ? CheckWhere<FieldsOf<TargetModel<L>>, TargetRelations<L>, W[Q]>
          : TypeError<`a list takes $some, $every and $none, not ${Q & string}`>
      }
    : CheckWhere<FieldsOf<TargetModel<L>>, TargetRelations<L>, W>

/** `A`, exactly what `Shape` has, and a filter of these relations. */
export type CheckArgs<F extends Fields, Rs, A, Shape> = {
  [K in keyof A]: K extends keyof Shape
    ? K extends 'where'
      ? CheckWhere<F, Rs, A[K]>
      : Exact<A[K], Shape[K]>
    : TypeError<`there is no ${K & string} here`>
}

export type IncludeOf<A> = A extends { readonly include: infer I } ? I : {}
export type SelectOf<A, F> = A extends { readonly select: readonly (infer K)[] } ? K & keyof F : keyof F

/** What `include` adds to a row. */
export type Included<Rs, I> = { [R in keyof I & keyof Rs]: IncludedAs<Rs[R], I[R]> }
type IncludedAs<L, A> =
  IsMany<L> extends true
    ? IncludedRow<L, A>[]
    : | IncludedRow<L, A>
      | (L extends { readonly missing: true } ? null : never)
      | (DeletesSoftly<OptionsOf<TargetModel<L>>> extends true
          ? A extends { readonly withDeleted: true }
            ? never
            : null
          : never)
type IncludedRow<L, A> = Simplify<
  Pick<Row<TargetModel<L>>, SelectOf<A, FieldsOf<TargetModel<L>>> & keyof Row<TargetModel<L>>> &
    Included<TargetRelations<L>, IncludeOf<A>>
>

/** A row as it is read, with what is included. */
export type ReadRow<F extends Fields, K extends keyof F, Rs, I> = Simplify<Pick<RowOf<F>, K> & Included<Rs, I>>

/** The relations of an operation that no database runs yet: any. They are checked when one does. */
export interface Later {
  readonly [name: string]: never
}

/** The model and the arguments that an operation was made with. */
export interface Asked<N, A> {
  readonly model: N
  readonly args: A
}
type ModelOf<Ms, N> = Ms[AccessorOf<Ms, N>]

/** What an operation of these models gives, with what it includes. */
export type WithIncluded<T, Ms, D> =
  D extends Asked<infer N, { readonly include: infer I }> ? AddTo<T, Included<RelationsOf<Ms, ModelOf<Ms, N>>, I>> : T
type AddTo<T, X> = T extends readonly (infer R)[]
  ? Simplify<R & X>[]
  : T extends Page<infer R>
    ? Page<Simplify<R & X>>
    : T extends null
      ? null
      : Simplify<T & X>

/** Turns an operation that does not fit the database's models into a type whose text says why. */
export type CheckAsked<Ms, D> =
  D extends Asked<infer N, infer A>
    ? [AccessorOf<Ms, N>] extends [never]
      ? unknown
      : CheckIncludes<N, RelationsOf<Ms, ModelOf<Ms, N>>, A> &
          CheckFilter<N, FieldsOf<ModelOf<Ms, N>>, RelationsOf<Ms, ModelOf<Ms, N>>, A>
    : unknown
type CheckIncludes<N, Rs, A> = A extends { readonly include: infer I }
  ? [Exclude<keyof I, keyof Rs>] extends [never]
    ? I extends Include<Rs> & CheckInclude<Rs, I>
      ? unknown
      : TypeError<`what the operation of ${N & string} includes does not fit the models of this database`>
    : TypeError<`${N & string} has no relation "${Exclude<keyof I, keyof Rs> & string}"`>
  : unknown
type CheckFilter<N, F extends Fields, Rs, A> = A extends { readonly where: infer W }
  ? [Exclude<keyof W, keyof Where<F, Rs>>] extends [never]
    ? W extends Where<F, Rs> & CheckWhere<F, Rs, W>
      ? unknown
      : TypeError<`the filter of the operation of ${N & string} does not fit the models of this database`>
    : TypeError<`${N & string} has no field and no relation "${Exclude<keyof W, keyof Where<F, Rs>> & string}"`>
  : unknown
