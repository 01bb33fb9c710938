// The row of a CONFLICT: it crosses as it is stored.
import type { PageModel } from '../resolve.js'
import { DataFlowError } from '../shared/errors.js'
import type { WireRows } from '../shared/operation.js'
import { rowDecoder } from './decode.js'

/** The error as an app sees it: `current` as rows are read. Any other goes through. */
export function decodeConflict(error: unknown, models: ReadonlyMap<string, PageModel>): unknown {
  if (!DataFlowError.is(error, 'CONFLICT') || error.current === undefined) return error
  const model = models.get(error.model!)!
  return error.with({ current: rowDecoder(model, null)(error.current as WireRows)[0] })
}
