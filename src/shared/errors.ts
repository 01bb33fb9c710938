// One error class, one closed list of codes, one way across the thread. Nothing else is thrown at an app.

export const ERROR_CODES = [
  'UNIQUE',
  'FOREIGN_KEY',
  'NOT_NULL',
  'CHECK',
  'NOT_FOUND',
  'CONFLICT',
  'VALIDATION',
  'BAD_FILTER',
  'BAD_OPTION',
  'BAD_MODEL',
  'BAD_WORKFLOW',
  'UNKNOWN_MODEL',
  'UNKNOWN_FIELD',
  'READONLY',
  'SQL',
  'TX_TIMEOUT',
  'TX_CLOSED',
  'ABORTED',
  'MIGRATION_FAILED',
  'MIGRATION_DESTRUCTIVE',
  'SCHEMA_NEWER',
  'SCHEMA_MISMATCH',
  'STORAGE',
  'STORAGE_FULL',
  'STORAGE_CORRUPT',
  'STORAGE_NEWER',
  'STORAGE_KEY',
  'IMPORT',
  'LOCKED',
  'WORKER_LOAD',
  'WORKER_CRASHED',
  'CLOSED',
  'NO_WORKER',
] as const
export type ErrorCode = (typeof ERROR_CODES)[number]

/** One reason among several: where (model, field, path into a JSON value, index of a bulk row) and what. */
export interface Issue {
  readonly path: readonly PropertyKey[]
  readonly message: string
}

export interface ErrorDetails {
  /** Name of the model, as declared. */
  readonly model?: string
  /** Name of the operation, such as `create`. */
  readonly op?: string
  /** The node of a workflow that failed, behind those that it stands in: `orders.3.charge`. */
  readonly node?: string
  readonly fields?: readonly string[]
  /** What is wrong, and where; VALIDATION always has some. */
  readonly issues?: readonly Issue[]
  /** The statement, with placeholders: values of rows never appear in an error. */
  readonly sql?: string
  /** What to do about it. */
  readonly hint?: string
  /** Of a CONFLICT: the row as it is now. Never in the message. */
  readonly current?: unknown
  /** True when the same call can succeed later without any change. */
  readonly retryable?: boolean
  /** Of rows that are written chunk by chunk: how many were written by earlier chunks, and stay. */
  readonly kept?: number
  /** Where in a text file it is, from 1. */
  readonly line?: number
}

/** A DataFlowError as plain data: what crosses the thread. */
export interface WireError extends ErrorDetails {
  readonly code: ErrorCode
  readonly text: string
  /** What is underneath, if that is a DataFlowError too: nothing else crosses. */
  readonly cause?: WireError
}

/**
 * The one error of this library: a stable `code`, the model and fields concerned, and a hint.
 *
 * @example
 * try { await db.users.create(data) } catch (e) {
 *   if (DataFlowError.is(e, 'UNIQUE')) showTaken(e.fields)
 *   else throw e
 * }
 */
export class DataFlowError<C extends ErrorCode = ErrorCode> extends Error implements ErrorDetails {
  declare readonly code: C
  declare readonly model?: string
  declare readonly op?: string
  declare readonly node?: string
  declare readonly fields?: readonly string[]
  declare readonly issues?: readonly Issue[]
  declare readonly sql?: string
  declare readonly hint?: string
  declare readonly current?: unknown
  declare readonly retryable: boolean
  declare readonly kept?: number
  declare readonly line?: number
  /** What happened, without code, model and hint: for an app that shows them apart. */
  declare readonly text: string

  constructor(code: C, text: string, given: ErrorDetails = {}, cause?: unknown) {
    const details = code === 'VALIDATION' ? { ...given, issues: given.issues ?? issuesOf(given, text) } : given
    const where = details.model ? `${details.model}${details.op ? `.${details.op}` : ''}: ` : ''
    super(
      `[${code}] ${where}${text}${details.hint ? ` Hint: ${details.hint}` : ''}`,
      cause === undefined ? {} : { cause },
    )
    Object.assign(this, { code, text, ...details, retryable: details.retryable ?? false })
  }

  override get name(): string {
    return 'DataFlowError'
  }

  /** True for a DataFlowError, of the given code if one is given. Works across copies of the library. */
  static is<C extends ErrorCode>(e: unknown, code?: C): e is DataFlowError<C> {
    return e instanceof Error && e.name === 'DataFlowError' && 'code' in e && (code === undefined || e.code === code)
  }

  /** The same error with more details: what an outer layer knows better (the model, the operation). */
  with(details: ErrorDetails): DataFlowError<C> {
    return new DataFlowError(this.code, this.text, { ...this.#details(), ...dropUndefined(details) }, this.cause)
  }

  toWire(): WireError {
    const cause = DataFlowError.is(this.cause) ? this.cause.toWire() : undefined
    return { code: this.code, text: this.text, ...this.#details(), ...dropUndefined({ cause }) }
  }

  #details(): ErrorDetails {
    const { model, op, node, fields, issues, sql, hint, current, retryable, kept, line } = this
    return dropUndefined({ model, op, node, fields, issues, sql, hint, current, retryable, kept, line })
  }

  static fromWire(wire: WireError): DataFlowError {
    const { code, text, cause, ...details } = wire
    return new DataFlowError(code, text, details, cause && DataFlowError.fromWire(cause))
  }
}

/** Every VALIDATION error says where, if it knows no more than the fields. */
function issuesOf({ fields = [] }: ErrorDetails, message: string): readonly Issue[] {
  return fields.length > 0 ? fields.map(field => ({ path: [field], message })) : [{ path: [], message }]
}

function dropUndefined<T extends object>(value: T): { [K in keyof T]: Exclude<T[K], undefined> } {
  return Object.fromEntries(Object.entries(value).filter(([, v]) => v !== undefined)) as never
}
