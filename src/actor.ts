// Who writes, for the audit trail: asked on the page, once for each call that writes.
import { describe, isWellFormed } from './shared/codec.js'
import { DataFlowError } from './shared/errors.js'
import { isWrite, type WireOperation } from './shared/operation.js'
import type { Unit } from './shared/protocol.js'
import { operationsOf } from './shared/workflow.js'

/** A name, or a function that tells it when a call is made; null for nobody. */
export type Actor = string | (() => string | null)

/** What calls the query that reads the trail: it is SQL that is known not to write. */
export const AUDIT_LIST = 'audit.list'

/** Of operations that cross together: undefined where nothing is written, or nobody is known. Throws BAD_OPTION. */
export function actorOf(actor: Actor | undefined, ops: Unit['ops']): string | undefined {
  if (actor === undefined) return undefined
  const all = ops.flatMap(op => (op.op === 'workflow' ? operationsOf(op.steps) : [op]))
  if (!all.some(mayWrite)) return undefined
  const who = typeof actor === 'function' ? asked(actor) : actor
  if (who === null) return undefined
  if (typeof who === 'string' && isWellFormed(who)) return who
  const what = typeof who === 'string' ? 'half of a surrogate pair' : describe(who)
  throw refused(`actor gave ${what}.`, 'it gives a text, or null for nobody.')
}

/** Of an app's own SQL only SQLite can tell. */
const mayWrite = ({ op, method }: WireOperation) => isWrite(op) || (op === 'sql' && method !== AUDIT_LIST)

function asked(actor: () => string | null): unknown {
  try {
    return actor()
  } catch (cause) {
    throw refused('actor failed.', 'its error is the cause.', cause)
  }
}

function refused(text: string, hint: string, cause?: unknown): DataFlowError {
  return new DataFlowError('BAD_OPTION', `${text} Nothing was written.`, { hint }, cause)
}
