// What a statement is, by its first word: SQLite knows more (sqlite3_stmt_readonly), but sql.js does not export it.

/**
 * - `query`, `change`, `with`: worth keeping compiled. A `with` may be either of the others.
 * - `control`: opens or ends a transaction; only `atomically` and `begin` may.
 * - `pragma`: many PRAGMAs act while they are compiled, so running a compiled one again would do nothing.
 * - `explain`
 * - `schema`: everything else may change the schema.
 */
export type StatementKind = 'query' | 'change' | 'with' | 'control' | 'pragma' | 'explain' | 'schema'

const KINDS: Record<string, StatementKind> = {
  SELECT: 'query',
  VALUES: 'query',
  INSERT: 'change',
  UPDATE: 'change',
  DELETE: 'change',
  REPLACE: 'change',
  WITH: 'with',
  PRAGMA: 'pragma',
  EXPLAIN: 'explain',
  BEGIN: 'control',
  COMMIT: 'control',
  END: 'control',
  ROLLBACK: 'control',
  SAVEPOINT: 'control',
  RELEASE: 'control',
}

/** What may stand before the first word: white space, `;` and comments, which may end with the text. */
const BLANK = /[\s;\uFEFF]+|--[^\n]*|\/\*(?:[^*]|\*(?!\/))*(?:\*\/|$)/y
const WORD = /[A-Za-z]+/y

export function kindOf(sql: string): StatementKind {
  return KINDS[firstWord(sql)] ?? 'schema'
}

/** True when `sql` holds no statement. */
export function isBlank(sql: string): boolean {
  return skipBlank(sql) === sql.length
}

function firstWord(sql: string): string {
  WORD.lastIndex = skipBlank(sql)
  return WORD.exec(sql)?.[0].toUpperCase() ?? ''
}

function skipBlank(sql: string): number {
  BLANK.lastIndex = 0
  let at = 0
  while (BLANK.test(sql)) at = BLANK.lastIndex
  return at
}
