// How one model or one field of a release is changed; what indexes, checks and references need to follow.
import type { ChangeName } from './change.js'
import { FIELD_NAMES, pick } from './fields.js'
import { STAMPS } from './kinds.js'
import { sameName, type FieldSpec, type Kind, type ModelSpec, type Release } from './spec.js'

/** Numbers choose among what there is: a model, a field, and two more things that depend on the kind of change. */
export interface Change {
  readonly what: ChangeName
  readonly m: number
  readonly f: number
  readonly a: number
  readonly b: number
  readonly yes: boolean
}

export type Edit = (release: Release, change: Change, past: readonly Release[]) => Release | null

/** Changes one model. */
export const onModel =
  (edit: (model: ModelSpec, change: Change, release: Release, past: readonly Release[]) => ModelSpec | null): Edit =>
  (release, change, past) => {
    const model = pick(release, change.m)
    const edited = model && edit(model, change, release, past)
    return edited ? release.map(other => (other === model ? edited : other)) : null
  }

/** Changes one field that is not the key, of those that `fits` says. */
export const onField = (
  edit: (field: FieldSpec, change: Change, model: ModelSpec, release: Release) => FieldSpec | null,
  fits: (field: FieldSpec) => boolean = () => true,
): Edit =>
  onModel((model, change, release) => {
    const field = pick(
      model.fields.filter(other => !other.key && fits(other)),
      change.f,
    )
    const edited = field && edit(field, change, model, release)
    return edited ? replaceField(model, field, edited) : null
  })

/** Indexes and checks go with the field's name. */
export function replaceField(model: ModelSpec, field: FieldSpec, edited: FieldSpec): ModelSpec {
  const name = (other: string) => (other === field.name ? edited.name : other)
  return {
    ...model,
    fields: model.fields.map(other => (other === field ? edited : other)),
    indexes: model.indexes.map(({ on, unique, where }) => ({
      on: on.map(item => ({ ...item, field: name(item.field) })),
      unique,
      where: where && { ...where, field: name(where.field) },
    })),
    checks: model.checks.map(({ how, fields: [a, b] }) => ({ how, fields: [name(a), name(b)] as const })),
  }
}

export const isFree = (model: ModelSpec, name: string) =>
  !model.fields.some(field => sameName(field.name, name) || sameName(field.column, name))

export const freeName = (model: ModelSpec, seed: number): string | undefined =>
  pick(
    FIELD_NAMES.filter(name => isFree(model, name)),
    seed,
  )

export const plain = (field: FieldSpec): boolean => !field.ref && !(STAMPS as readonly Kind[]).includes(field.kind)

/** The old names that a renamed thing declares: all of them, only the last, or none (which is no rename). */
export const oldNames = (before: readonly string[], last: string, { b, yes }: Change): string[] =>
  b % 8 === 7 ? [] : yes ? [last, ...before.filter(name => !sameName(name, last))] : [last]

/** References name the model as it is called now. */
export const follow = (model: ModelSpec, from: string, to: string): ModelSpec => ({
  ...model,
  fields: model.fields.map(field =>
    field.ref?.model === from ? { ...field, ref: { ...field.ref, model: to } } : field,
  ),
})

export function reference(model: string, seed: number): FieldSpec['ref'] {
  return {
    model,
    onDelete: pick(['cascade', null, 'set null', 'restrict'] as const, seed)!,
    onUpdate: pick([null, 'cascade', 'set null', 'restrict'] as const, seed >> 2)!,
  }
}

/** A conversion that looks at a column as it is called before the change; for some seeds none. */
export function conversion(field: FieldSpec, model: ModelSpec, seed: number): FieldSpec['convertFrom'] {
  if (seed % 2 === 0) return null
  const how = pick(['probe', 'probe', 'probe or null', 'copy', 'null'] as const, seed >> 1)!
  const of = seed % 3 === 0 ? pick(model.fields, seed)!.column : field.column
  return { how: field.ref && how !== 'copy' ? 'null' : how, of }
}
