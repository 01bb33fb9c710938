// Schemas as others write them, and how a refusal is looked at.
import type { StandardSchemaV1 } from '@standard-schema/spec'
import { expect } from 'vitest'
import { DataFlowError } from '../../src/index.js'
import type { Issue } from '../../src/shared/errors.js'

/** A Standard Schema written by hand: what `check` returns is the output; what it throws as text is the issue. */
export function schemaOf<I, O = I>(
  check: (value: I) => O | Promise<O>,
  path?: readonly (PropertyKey | { key: PropertyKey })[],
): StandardSchemaV1<I, O> {
  return {
    '~standard': {
      version: 1,
      vendor: 'hand',
      validate(value) {
        try {
          const output = check(value as I)
          return output instanceof Promise ? output.then(value => ({ value })) : { value: output }
        } catch (message) {
          if (typeof message !== 'string') throw message
          return { issues: [path ? { message, path } : { message }] }
        }
      },
    },
  }
}

/** The VALIDATION error of a call. */
export async function refused(call: Promise<unknown>): Promise<DataFlowError & { issues: readonly Issue[] }> {
  const error = await call.then(
    () => expect.fail('it was not refused'),
    (error: unknown) => error,
  )
  if (!DataFlowError.is(error, 'VALIDATION')) throw error
  return error as never
}
