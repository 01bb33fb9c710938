// The types of what the options softDelete and appendOnly make of a model.
import type { Fields, RowOf, TypeError } from './shared/schema.js'

export type DeletesSoftly<O> = O extends { readonly softDelete: true } ? true : false
export type AppendsOnly<O> = O extends { readonly appendOnly: true } ? true : false

/** What every reading operation takes. */
export type Seen<O> =
  DeletesSoftly<O> extends true
    ? {
        /** Rows that were deleted softly are seen too. */
        withDeleted?: boolean
      }
    : { withDeleted?: TypeError<'withDeleted is for a model with softDelete: true'> }

/** The fields that an app writes: when a row was deleted is the library's to say. */
export type Written<F extends Fields, O> =
  DeletesSoftly<O> extends true ? { [K in Exclude<keyof F, 'deletedAt'>]: F[K] } : F

/** Turns options that do not fit the fields, or each other, into a type whose text says why. */
export type CheckKind<F extends Fields, O> =
  DeletesSoftly<O> extends true
    ? AppendsOnly<O> extends true
      ? TypeError<'softDelete and appendOnly exclude each other: a row that is never changed is never deleted'>
      : [DeletedAt<F>, Date | null] extends [Date | null, DeletedAt<F>]
        ? unknown
        : TypeError<'softDelete needs a field: deletedAt: t.date().nullable()'>
    : unknown
type DeletedAt<F extends Fields> = RowOf<F> extends { readonly deletedAt: infer D } ? D : undefined
