// "Behind this row, in this order": the condition of a page.
import type { StoredValue } from '../../src/shared/definition.js'
import type { OrderTerm } from '../../src/shared/operation.js'
import type { SqlParam } from '../seams.js'
import { columnNamed, toParam, type CompiledModel } from './model.js'

export function compileKeyset(
  model: CompiledModel,
  order: readonly OrderTerm[],
  values: readonly StoredValue[],
  params: SqlParam[],
): string {
  const columns = order.map(term => columnNamed(model, term.field))
  const oneDirection = order.every(term => term.descending === order[0]!.descending)
  if (oneDirection && columns.every(column => !column.field.nullable)) {
    // A row value uses the index; the expanded form below would scan.
    params.push(...values.map(toParam))
    const places = columns.map(column => column.placeholder).join(', ')
    return `(${columns.map(column => column.quoted).join(', ')}) ${order[0]!.descending ? '<' : '>'} (${places})`
  }
  const alternatives = order.map((term, last) => {
    const equal = columns.slice(0, last).map((column, i) => {
      params.push(toParam(values[i]!))
      return `${column.quoted} IS ${column.placeholder}`
    })
    return `(${[...equal, behind(columns[last]!, term.descending, values[last]!, params)].join(' AND ')})`
  })
  return `(${alternatives.join(' OR ')})`
}

/** SQLite sorts NULL first: everything is behind it ascending, nothing descending. */
function behind(
  column: { readonly quoted: string; readonly placeholder: string; readonly field: { readonly nullable: boolean } },
  descending: boolean,
  value: StoredValue,
  params: SqlParam[],
): string {
  if (value === null) return descending ? 'FALSE' : `${column.quoted} IS NOT NULL`
  params.push(toParam(value))
  if (!descending) return `${column.quoted} > ${column.placeholder}`
  const below = `${column.quoted} < ${column.placeholder}`
  return column.field.nullable ? `(${below} OR ${column.quoted} IS NULL)` : below
}
