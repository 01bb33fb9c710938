// Checked options of operations, and the sentences for those that do not fit.
import { didYouMean } from '../shared/nearest.js'
import { DataFlowError } from '../shared/errors.js'
import type { WireOperation, WireResult } from '../shared/operation.js'
import { assertObject, type Context } from './row.js'

/** What crosses, and how its answer becomes the app's result. */
export interface Prepared {
  readonly wire: WireOperation
  decode(result: WireResult): unknown
}

/** Options of an operation, every name known. */
export function readOptions<K extends string>(
  value: unknown,
  known: readonly K[],
  context: Context,
): { [P in K]?: unknown } {
  if (value === undefined) return {}
  assertObject(value, 'The options', context)
  for (const name of Object.keys(value)) {
    if (!(known as readonly string[]).includes(name)) {
      throw badOption(`There is no option "${name.replaceAll('\0', '\\0')}".`, didYouMean(name, known), context)
    }
  }
  return value as { [P in K]?: unknown }
}

export function badOption(text: string, hint: string, { model, op }: Context): DataFlowError {
  return new DataFlowError('BAD_OPTION', text, { model: model.definition.name, op, hint })
}
