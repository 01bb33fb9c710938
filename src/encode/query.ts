// What chooses rows: filters, selections, orders, numbers of rows.
import { describe } from '../shared/codec.js'
import type { FieldDefinition } from '../shared/definition.js'
import { isEmptyCondition, parseWhere, type Condition } from '../shared/filter.js'
import type { OrderTerm } from '../shared/operation.js'
import { badOption } from './options.js'
import { assertObject, knownField, type Context } from './row.js'

/** A filter that must hold something: null when it is left out or empty. */
export function parseFilter(where: unknown, { model, op, references }: Context): Condition | null {
  if (where === undefined) return null
  const reference =
    references &&
    ((value: unknown, definition: FieldDefinition, operator: string) => {
      const own = model.fieldNamed.get(definition.name)
      // Of another model, which a relation leads to: a filter does not ask a schema.
      return references.toWire(value, own?.definition === definition ? own : { definition }, operator)
    })
  const condition = parseWhere(model.definition, where, {
    op,
    relations: model.relations,
    ...(reference ? { reference } : {}),
  })
  return isEmptyCondition(condition) ? null : condition
}

export function parseSelect(select: unknown, context: Context): string[] | null {
  if (select === undefined) return null
  if (!Array.isArray(select)) throw badOption('select must be a list of fields.', "select: ['id', 'name'].")
  if (select.length === 0) throw badOption('select names no field.', 'leave it out for all fields.')
  return [...new Set(Array.from(select, name => knownField(String(name), context).definition.name))]
}

export function parseOrder(orderBy: unknown, context: Context): OrderTerm[] {
  const { model } = context
  const objects = orderBy === undefined ? [] : Array.isArray(orderBy) ? orderBy : [orderBy]
  const terms = objects.flatMap(object => {
    assertObject(object, 'orderBy', context)
    return Object.entries(object).map(([name, direction]): OrderTerm => {
      knownField(name, context)
      if (direction === 'asc' || direction === 'desc') return { field: name, descending: direction === 'desc' }
      throw badOption(`orderBy.${name} is neither 'asc' nor 'desc'.`, "orderBy: { name: 'asc' }.")
    })
  })
  const seen = new Set<string>()
  const distinct = terms.filter(term => !seen.has(term.field) && seen.add(term.field))
  // Every order ends with the key, so it is total; what comes behind the key cannot matter.
  const key = distinct.findIndex(term => term.field === model.definition.key)
  return key === -1 ? [...distinct, { field: model.definition.key, descending: false }] : distinct.slice(0, key + 1)
}

export function parseCount(value: unknown, name: string): number | null {
  if (value === undefined) return null
  if (Number.isSafeInteger(value) && (value as number) >= 0) return value as number
  throw badOption(`${name} must be a whole number of 0 or more, not ${describe(value)}.`, `${name}: 20.`)
}
