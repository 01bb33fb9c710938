// A release that has to be refused, and how it was.
import { DataFlowError } from '../../../src/shared/errors.js'
import type { Verdict } from './oracle.js'
import type { Issue } from './world.js'

/** The error of a promise that may reject with one of ours. */
export const failureOf = (promise: Promise<unknown>): Promise<DataFlowError | null> =>
  promise.then(
    () => null,
    (error: unknown) => {
      if (DataFlowError.is(error)) return error
      throw error
    },
  )

/** What is wrong with the error of a migration that had to be refused. */
export function wrongRefusal(error: DataFlowError, { issues, possible, broken }: Verdict): string[] {
  if (broken.length > 0) return []
  if (error.code !== 'MIGRATION_DESTRUCTIVE') return [`it was refused as ${error.message}`]
  const told = (error.issues ?? []).map(({ path }) => path.map(String))
  const fits = ({ model, fields }: Issue, [name, field]: readonly string[]) =>
    name === model && (field === undefined ? fields.length !== 1 : fields.length === 0 || fields.includes(field))
  return [
    ...issues
      .filter(issue => !told.some(path => fits(issue, path)))
      .map(({ model, fields, why }) => `the error does not name ${model}.${fields.join()} (${why}): ${error.message}`),
    ...told
      .filter(path => ![...issues, ...possible].some(issue => fits(issue, path)))
      .map(path => `the error names ${path.join('.')}, which is sound: ${error.message}`),
  ]
}

export const explain = ({ issues, broken }: Verdict): string[] => [
  ...issues.map(({ model, fields, why }) => `(to be refused: ${model}.${fields.join()}: ${why})`),
  ...broken.map(text => `(to be refused: ${text})`),
]
