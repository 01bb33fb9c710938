// Checked options of operations, and the sentences for those that do not fit.
import type { RunOptions } from '../connect.js'
import { describe, isObject } from '../shared/codec.js'
import { didYouMean } from '../shared/nearest.js'
import { DataFlowError, type ErrorDetails } from '../shared/errors.js'
import type { Durability, WireOperation, WireResult } from '../shared/operation.js'
import type { UnitResult } from '../shared/protocol.js'
import type { WireWorkflow } from '../shared/workflow.js'

/** What crosses, and how its answer becomes the app's result. */
export interface PreparedOperation {
  readonly wire: WireOperation
  decode(result: WireResult): unknown
}
export interface Prepared {
  readonly wire: WireOperation | WireWorkflow
  decode(result: UnitResult): unknown
}

/** Runs `work`, whose errors say no operation, and a model only if it is another: one that a relation leads to. */
export function named<T>(details: { model?: string | undefined; op?: string | undefined }, work: () => T): T {
  try {
    return work()
  } catch (error) {
    if (!DataFlowError.is(error)) throw error
    throw error.with({ ...details, ...(error.model === undefined ? {} : { model: error.model }) } as ErrorDetails)
  }
}

/** Options, every name known. */
export function readOptions<K extends string>(value: unknown, known: readonly K[]): { [P in K]?: unknown } {
  if (value === undefined) return {}
  if (!isObject(value)) {
    throw badOption(`The options must be an object, not ${describe(value)}.`, 'pass { option: value }.')
  }
  for (const name of Object.keys(value)) {
    if (!(known as readonly string[]).includes(name)) {
      const hint = known.length > 0 ? didYouMean(name, known) : 'signal and durability are for the call that runs it.'
      throw badOption(`There is no option "${name.replaceAll('\0', '\\0')}".`, hint)
    }
  }
  return value as { [P in K]?: unknown }
}

export function badOption(text: string, hint: string): DataFlowError {
  return new DataFlowError('BAD_OPTION', text, { hint })
}

/** The options of a run, checked; every other is unknown. Throws `BAD_OPTION`. */
export function checkRunOptions(options: unknown, model?: string, op?: string): RunOptions {
  return named({ model, op }, () => {
    const { signal, durability } = readOptions(options, ['signal', 'durability'])
    if (signal !== undefined && !(signal instanceof AbortSignal)) {
      throw badOption('signal is not an AbortSignal.', 'pass controller.signal.')
    }
    if (durability !== undefined && !['relaxed', 'strict', 'deferred'].includes(durability as string)) {
      throw badOption('durability knows no such level.', "use 'relaxed', 'strict' or 'deferred'.")
    }
    return { ...(signal ? { signal } : {}), ...(durability ? { durability: durability as Durability } : {}) }
  })
}
