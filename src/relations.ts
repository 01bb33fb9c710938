// The relations of a database's models: what its references and `relations` make, by name.
import { isName } from './declaration.js'
import type { AnyModel, ModelOptions, Through } from './model.js'
import { badModel, type PageField, type PageModel } from './resolve.js'
import { didYouMean } from './shared/nearest.js'
import type { Relation } from './shared/relation.js'
import type { Fields, FieldSpec } from './shared/schema.js'

export interface PageRelation {
  readonly relation: Relation
  readonly target: PageModel
  /** The field that says whose a row is, where it is one of the model between. */
  readonly owner?: PageField
}

type Resolved = PageModel & { readonly relations: Map<string, PageRelation> }

/** A field that refers to a model. */
interface Reference {
  readonly field: string
  readonly spec: NonNullable<FieldSpec['ref']>
}

/** Fills `relations` of each. Throws `BAD_MODEL` where two of them, or one and a field, have one name. */
export function resolveRelations(models: ReadonlyMap<string, Resolved>, declared: (name: string) => AnyModel): void {
  for (const model of models.values()) {
    const references = referencesOf(declared(model.definition.name))
    for (const { field, spec } of references) {
      const target = models.get(spec.model)!
      const hint = `t.ref('${spec.model}', { as: '...' }) gives the relation of ${field} another name.`
      const as = spec.as ?? /^(.+)Id$/.exec(field)?.[1]
      if (as !== undefined) {
        add(model, as, hint, target, { from: field, to: target.definition.key, many: false })
      }
      const others = references.filter(other => other.spec.model === spec.model && other.spec.inverse === undefined)
      const inverse = spec.inverse ?? (others.length === 1 ? model.accessor : undefined)
      if (inverse !== undefined) {
        const inverseHint = `give ${model.definition.name}.${field} another inverse: t.ref('${spec.model}', { inverse: '...' }).`
        add(target, inverse, inverseHint, model, { from: target.definition.key, to: field, many: true })
      }
    }
  }
  for (const model of models.values()) {
    const { relations = {} } = declared(model.definition.name).$options as ModelOptions<Fields>
    for (const [name, through] of Object.entries(relations)) addThrough(model, name, through, models, declared)
  }
}

function referencesOf(declared: AnyModel): Reference[] {
  const fields = Object.entries(declared.$fields as Fields)
  return fields.flatMap(([field, { spec }]) => (spec.ref ? [{ field, spec: spec.ref }] : []))
}

function add(
  model: Resolved,
  name: string,
  hint: string,
  target: PageModel,
  rest: Omit<Relation, 'model'>,
  owner?: PageField,
): void {
  const bad = (text: string) => badModel(model.definition.name, text, hint)
  if (!isName(name)) bad(`"${name}" cannot be the name of a relation.`)
  if (model.fieldNamed.has(name)) bad(`The relation "${name}" has the name of a field.`)
  if (model.relations.has(name)) bad(`Two relations are called "${name}".`)
  model.relations.set(name, {
    relation: { model: target.definition.name, ...rest },
    target,
    ...(owner ? { owner } : {}),
  })
}

function addThrough(
  model: Resolved,
  name: string,
  { through, from, to }: Through,
  models: ReadonlyMap<string, Resolved>,
  declared: (name: string) => AnyModel,
): void {
  const own = model.definition.name
  const between = models.get(through)
  if (!between) {
    return badModel(
      own,
      `"${name}" leads through "${through}", which is no model of this database.`,
      didYouMean(through, [...models.keys()]),
    )
  }
  const references = referencesOf(declared(through))
  const choose = (which: 'from' | 'to', given: string | undefined, fits: (reference: Reference) => boolean) => {
    const fitting = references.filter(fits)
    const [found, ...more] = given === undefined ? fitting : fitting.filter(({ field }) => field === given)
    if (found && more.length === 0) return found
    const names = fitting.map(({ field }) => field).join(', ')
    const hint = names
      ? `say which: { through: '${through}', ${which}: '...' }, one of ${names}.`
      : `t.ref('...') in ${through}.`
    return badModel(own, `"${name}" finds no single reference in ${through} for \`${which}\`.`, hint)
  }
  const source = choose('from', from, ({ spec, field }) => spec.model === own && field !== to)
  const target = choose('to', to, ({ field }) => field !== source.field)
  const reached = models.get(target.spec.model)!
  const relation = {
    from: model.definition.key,
    to: reached.definition.key,
    many: true,
    through: { model: through, from: source.field, to: target.field },
  }
  const owner = between.fieldNamed.get(source.field)!
  add(model, name, 'give it another name in `relations`.', reached, relation, owner)
}
