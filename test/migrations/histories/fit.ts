// Makes a valid declaration of what a change left behind: what model() and dataflow() would refuse is taken away.
import { STAMPS } from './kinds.js'
import {
  modelNamed,
  sameName,
  show,
  type FieldSpec,
  type IndexSpec,
  type Kind,
  type ModelSpec,
  type Release,
} from './spec.js'

export function fit(release: Release): Release {
  const models = release.map(model => fitModel(model, release))
  // A model is not renamed from one that is declared; two are not renamed from one.
  const taken = new Set<string>()
  return models.map(model => {
    const renamedFrom = model.renamedFrom.filter(name => !modelNamed(release, name) && !taken.has(name))
    for (const name of renamedFrom) taken.add(name)
    return { ...model, renamedFrom, table: tableFor(model, models) }
  })
}

/** The first model of a table keeps it. */
function tableFor(model: ModelSpec, models: Release): string {
  const first = models.find(other => sameName(other.table, model.table))
  return first === model ? model.table : `${model.name} 2`
}

function fitModel(model: ModelSpec, release: Release): ModelSpec {
  const fields = model.fields.map(field => fitField(field, model, release))
  const names = new Set(fields.map(field => field.name))
  const seen = new Set<string>()
  const indexes = model.indexes.filter(index => {
    const known = index.on.every(({ field }) => names.has(field)) && (!index.where || names.has(index.where.field))
    const key = show([index.on, index.where])
    if (!known || seen.has(key) || isDeclaredByField(index, fields)) return false
    seen.add(key)
    return true
  })
  const checks = model.checks.filter(check => check.fields.every(name => names.has(name)))
  return { ...model, fields, indexes, checks }
}

/** Two indexes over the same fields would be one: by name. */
function isDeclaredByField({ on, where }: IndexSpec, fields: readonly FieldSpec[]): boolean {
  const field =
    on.length === 1 && !on[0]!.desc && !where ? fields.find(other => other.name === on[0]!.field) : undefined
  return field !== undefined && (field.unique || field.index || field.ref !== null)
}

function fitField(field: FieldSpec, model: ModelSpec, release: Release): FieldSpec {
  const isGone = field.ref && !modelNamed(release, field.ref.model)
  const ref = isGone ? null : field.ref
  const kind: Kind = isGone ? 'text' : field.kind
  const isMade = (STAMPS as readonly Kind[]).includes(kind)
  const nullable = field.nullable && !field.key && !isMade
  const others = model.fields.flatMap(({ name, column }) => [name, column])
  return {
    ...field,
    kind,
    nullable,
    ref: ref && !nullable ? { ...ref, onDelete: notNull(ref.onDelete), onUpdate: notNull(ref.onUpdate) } : ref,
    fallback: ref || field.key || isMade ? null : fitDefault(field),
    unique: field.unique && !field.key,
    index: field.index && !field.key,
    renamedFrom: field.renamedFrom.filter(old => !others.some(name => sameName(name, old))),
    convertFrom: field.convertFrom && isMade ? null : field.convertFrom,
  }
}

/** What is not nullable cannot be set to null. */
const notNull = <A extends string>(action: A | null) => (action === 'set null' ? null : action)

const fitDefault = ({ kind, values, fallback }: FieldSpec) =>
  kind === 'enum' && fallback?.how === 'sql' && !values.includes('a') ? null : fallback
