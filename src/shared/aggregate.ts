// What an aggregate answers, described as a model of its own: its `having`, its order and its rows are then checked,
// compiled and decoded as those of a table.
import { fieldOf, type FieldDefinition, type FieldKind, type ModelDefinition } from './definition.js'

export const AGGREGATES = ['count', 'countDistinct', 'sum', 'avg', 'min', 'max'] as const
export type AggregateName = (typeof AGGREGATES)[number]

/** One aggregate. `field` is null where rows are counted. */
export interface AggregateTerm {
  readonly fn: AggregateName
  readonly field: string | null
}

/** What filters and orders of the answer call it: never a field's own name, which has no dot. */
export function nameOfTerm({ fn, field }: AggregateTerm): string {
  return field === null ? fn : `${fn}.${field}`
}

export const isNumber = (kind: FieldKind) => ['integer', 'bigint', 'real', 'autoId', 'version'].includes(kind)

/** A bigint's sum may be beyond 64 bits: it is added up in two halves. */
export const isWide = ({ fn, field }: AggregateTerm, model: ModelDefinition) =>
  fn === 'sum' && fieldOf(model, field!)!.kind === 'bigint'

/** The rows of the answer: the fields of `group`, then the terms. Columns are c0, c1 ... of the subquery `table`. */
export function answerModel(
  model: ModelDefinition,
  group: readonly string[],
  terms: readonly AggregateTerm[],
): ModelDefinition {
  const fields = [
    ...group.map(name => fieldOf(model, name)!),
    ...terms.map((term): FieldDefinition => fieldOfTerm(model, term)),
  ]
  return {
    ...model,
    table: 'dataflow_answer',
    fields: fields.map((field, i) => ({ ...field, column: `c${i}` })),
  }
}

/** The aggregate as a field: min and max are what the field is, the others are numbers. */
export function fieldOfTerm(model: ModelDefinition, term: AggregateTerm): FieldDefinition {
  const { fn } = term
  const of = fieldOf(model, term.field ?? model.key)!
  const field = { ...of, name: nameOfTerm(term), nullable: true, primaryKey: false }
  if (fn === 'min' || fn === 'max') return field
  if (fn === 'avg' || (fn === 'sum' && of.kind === 'real')) return { ...field, kind: 'real', type: 'REAL' }
  return { ...field, kind: fn === 'sum' && of.kind === 'bigint' ? 'bigint' : 'integer', type: 'INTEGER' }
}
