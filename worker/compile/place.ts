// Tables in a statement, and what its columns are qualified by: a table that stands in a statement twice has an alias.
import { fieldOf, type ModelDefinition } from '../../src/shared/definition.js'
import { unknownField } from '../../src/shared/filter-errors.js'
import type { Relation } from '../../src/shared/relation.js'
import { quoteIdentifier } from '../../src/shared/sql.js'
import { modelNamed, type CompiledModel } from './model.js'

export interface Place {
  readonly model: ModelDefinition
  /** Its table's name, or an alias; quoted. */
  readonly name: string
  /** The place around it. */
  readonly outer?: Place
}

/** The table under its own name, or under an alias if it stands around already. */
export function placeOf(model: ModelDefinition, outer?: Place): Place {
  let depth = 0
  let taken = false
  for (let place = outer; place; place = place.outer) {
    depth++
    taken ||= place.model.table === model.table
  }
  return { model, name: taken ? `dataflow_${depth}` : quoteIdentifier(model.table), ...(outer ? { outer } : {}) }
}

/** As it stands behind FROM. */
export function fromPlace({ model, name }: Place): string {
  const table = quoteIdentifier(model.table)
  return table === name ? table : `${table} AS ${name}`
}

export function columnAt({ model, name }: Place, field: string): string {
  const found = fieldOf(model, field)
  if (!found) throw unknownField({ model }, field)
  return `${name}.${quoteIdentifier(found.column)}`
}

/** The rows that a relation leads to. */
export interface Joined {
  /** Behind FROM: their table, behind that of `through`. */
  readonly from: string
  /** The column that says whose they are. */
  readonly owner: string
  /** The places whose rows must be visible: that of `through`, then their own. */
  readonly places: readonly Place[]
  readonly place: Place
  /** The place whose rows are as many. */
  readonly first: Place
}

export function joinRelation(
  models: ReadonlyMap<string, CompiledModel>,
  { model, to, through }: Relation,
  outer?: Place,
): Joined {
  const { definition } = modelNamed(models, model)
  if (!through) {
    const place = placeOf(definition, outer)
    return { from: fromPlace(place), owner: columnAt(place, to), places: [place], place, first: place }
  }
  const first = placeOf(modelNamed(models, through.model).definition, outer)
  const place = placeOf(definition, first)
  const on = `${columnAt(place, to)} = ${columnAt(first, through.to)}`
  return {
    from: `${fromPlace(first)} JOIN ${fromPlace(place)} ON ${on}`,
    owner: columnAt(first, through.from),
    places: [first, place],
    place,
    first,
  }
}
