// The one place that reads SQLite's messages. This build has no extended error codes, so what went wrong exactly, and
// where, is only in the text; everybody else looks at SqliteError's fields.
import type { ErrorCode } from '../../src/shared/errors.js'
import { SqliteError } from '../seams.js'

type Details = ConstructorParameters<typeof SqliteError>[1]

/** SQLite's result codes, as far as this folder uses them. */
export const ResultCode = {
  OK: 0,
  ERROR: 1,
  NOMEM: 7,
  READONLY: 8,
  CORRUPT: 11,
  FULL: 13,
  TOOBIG: 18,
  CONSTRAINT: 19,
  MISMATCH: 20,
  RANGE: 25,
  NOTADB: 26,
  ROW: 100,
  DONE: 101,
} as const

/** What a result code says by itself. */
const BY_RESULT: Record<number, Details> = {
  [ResultCode.NOMEM]: { code: 'WORKER_CRASHED', fatal: true },
  [ResultCode.READONLY]: { code: 'READONLY' },
  [ResultCode.CORRUPT]: { code: 'STORAGE_CORRUPT' },
  [ResultCode.FULL]: { code: 'STORAGE_FULL' },
  [ResultCode.TOOBIG]: { code: 'VALIDATION' },
  [ResultCode.MISMATCH]: { code: 'VALIDATION' },
  [ResultCode.NOTADB]: { code: 'STORAGE_CORRUPT' },
}

/** The same by text, for the failures that reach us without a result code. */
const BY_TEXT: readonly [RegExp, number][] = [
  [/^out of memory$/, ResultCode.NOMEM],
  [/^attempt to write a readonly database$/, ResultCode.READONLY],
  [/^database disk image is malformed$|^malformed database schema/, ResultCode.CORRUPT],
  [/^database or disk is full$/, ResultCode.FULL],
  [/^string or blob too big$/, ResultCode.TOOBIG],
  [/^datatype mismatch$/, ResultCode.MISMATCH],
  [/^file is not a database$/, ResultCode.NOTADB],
]

/** What only the text says: a pattern, and what to make of its groups. */
const RULES: readonly [RegExp, (...groups: string[]) => Details][] = [
  [/^UNIQUE constraint failed: index '(.*)'$/s, constraint => ({ code: 'UNIQUE', constraint })],
  [/^UNIQUE constraint failed: (.*)$/s, names => ({ code: 'UNIQUE', ...placeOf(names) })],
  [/^NOT NULL constraint failed: (.*)$/s, names => ({ code: 'NOT_NULL', ...placeOf(names) })],
  [/^CHECK constraint failed: (.*)$/s, constraint => ({ code: 'CHECK', constraint })],
  [/^FOREIGN KEY constraint failed$/, () => ({ code: 'FOREIGN_KEY' })],
  [/^cannot store \w+ value in \w+ column (.*)$/s, names => ({ code: 'VALIDATION', ...placeOf(names) })],
  [/^integer overflow$/, () => ({ code: 'SQL', overflow: true })],
  [/^no such table: (?:main\.|temp\.)?(.*)$/s, table => ({ code: 'SQL', missing: 'table', table })],
  [
    /^no such column: "(.*)" - should this be a string literal in single-quotes\?$/s,
    column => ({ code: 'SQL', missing: 'column', columns: [column] }),
  ],
  [/^no such column: (.*)$/s, name => ({ code: 'SQL', missing: 'column', ...qualified(name) })],
  [
    /^table (.*) has no column named (.*)$/s,
    (table, column) => ({ code: 'SQL', missing: 'column', table, columns: [column] }),
  ],
]

/** What a statement of ours says through a function that it makes fail (compile/write.ts). */
const OURS = /^bad JSON path: 'dataflow: (.*)'$/

/** SQLite's failure: its result code, if there is one, and its message. */
export function readFailure(message: string, resultCode?: number, details: Partial<Details> = {}): SqliteError {
  const ours = OURS.exec(message)?.[1]
  if (ours !== undefined) return new SqliteError(ours, { code: 'VALIDATION', ...details })
  const known = resultCode ?? BY_TEXT.find(([pattern]) => pattern.test(message))?.[1] ?? ResultCode.ERROR
  return new SqliteError(message, { ...(BY_RESULT[known] ?? readText(message)), ...details })
}

/** Whatever was thrown while SQLite was at work: sql.js throws bare strings, WASM throws RuntimeErrors. */
export function toSqliteError(thrown: unknown): SqliteError {
  if (thrown instanceof SqliteError) return thrown
  if (isModuleFailure(thrown)) {
    const message = `SQLite's module failed: ${(thrown as Error).message}`
    return new SqliteError(message, { code: 'WORKER_CRASHED', fatal: true, cause: thrown })
  }
  const message = thrown instanceof Error ? thrown.message : String(thrown)
  return readFailure(message, undefined, { cause: thrown })
}

/** A call that could not succeed whatever the database holds: a mistake of the caller. */
export function misuse(message: string, code: ErrorCode = 'SQL'): SqliteError {
  return new SqliteError(message, { code })
}

/** An abort inside WASM, or JavaScript out of memory or stack while WASM was running: its state cannot be trusted. */
function isModuleFailure(thrown: unknown): boolean {
  return thrown instanceof WebAssembly.RuntimeError || thrown instanceof RangeError
}

function readText(message: string): Details {
  for (const [pattern, detailsOf] of RULES) {
    const match = pattern.exec(message)
    if (match) return detailsOf(...match.slice(1))
  }
  return { code: 'SQL' }
}

/** `users.email, users.name`. The table ends at the first dot; its name again tells where each further column starts. */
function placeOf(names: string): Pick<Details, 'table' | 'columns'> {
  const dot = names.indexOf('.')
  if (dot < 0) return { columns: [names] }
  const table = names.slice(0, dot)
  return { table, columns: names.slice(dot + 1).split(`, ${table}.`) }
}

/** `column`, `table.column` or `schema.table.column`, as the statement wrote it. */
function qualified(name: string): Pick<Details, 'table' | 'columns'> {
  const parts = name.split('.')
  const column = parts.pop()!
  const table = parts.pop()
  return table === undefined ? { columns: [column] } : { table, columns: [column] }
}
