// What an app's own SQL may be (semantics 20): everything but what would take the transaction, the file or the
// connection out of our hands.
import { DataFlowError } from '../src/shared/errors.js'
import type { CompiledModel } from './compile/model.js'
import type { Sqlite } from './seams.js'

const REFUSED: Record<string, string> = {
  BEGIN: 'use db.transaction() or db.batch().',
  COMMIT: 'use db.transaction() or db.batch().',
  END: 'use db.transaction() or db.batch().',
  ROLLBACK: 'use db.transaction() or db.batch().',
  SAVEPOINT: 'use db.transaction() or db.batch().',
  RELEASE: 'use db.transaction() or db.batch().',
  ATTACH: 'open the other database with dataflow().',
  DETACH: 'open the other database with dataflow().',
  VACUUM: 'use db.compact().',
}

const LEADING_BLANK = /^(?:[\s;\uFEFF]+|--[^\n]*|\/\*(?:[^*]|\*(?!\/))*\*\/)+/
/** Those whose argument is a name or a number of errors: it sets nothing. */
const PRAGMA_WITH_NAME =
  /^PRAGMA\s+(?:\w+\.)?(?:table_info|table_xinfo|table_list|index_list|index_info|index_xinfo|foreign_key_list|foreign_key_check|integrity_check|quick_check)\b[^=]*$/i
/** Those that only answer; with an argument most of them would set. */
const PRAGMA_ALONE =
  /^PRAGMA\s+(?:\w+\.)?(?:collation_list|compile_options|database_list|function_list|module_list|pragma_list|page_count|page_size|freelist_count|data_version|schema_version|user_version|application_id|encoding|foreign_keys)\s*;?\s*$/i
/** The library's own tables, by any spelling of an identifier. */
const OWN_TABLE = /\bdataflow_(?:(?:migrations|model_registry|migration_locks)\b|search\()/i
/** Its triggers: such a name has to be quoted. */
const OWN_TRIGGER = /["'`[]tr:/i
/** A full-text index. EXPLAIN does not say which virtual table is written, so all of them are named. */
const SEARCH_TABLE = /^dataflow_search\(.*\)$/is

/** Up to the SELECT of a view, or of a table made from one: what such a SELECT names is only read. */
const MADE_FROM_SELECT =
  /^CREATE\s+(?:TEMP(?:ORARY)?\s+)?(?:VIEW|TABLE)\s+(?:IF\s+NOT\s+EXISTS\s+)?(?:\w+\.)?(?:\w+|"[^"]+")\s*(?:\([\w\s,"]*\)\s*)?AS\b/i

/**
 * Throws READONLY for a statement that writes the library's own tables, or changes the schema naming one of them: what a
 * trigger does later is not seen by EXPLAIN of its CREATE.
 */
export function assertNotOurs(sql: string, writes: readonly string[]): void {
  const own = writes.find(table => OWN_TABLE.test(SEARCH_TABLE.test(table) ? sql : table))
  const text = sql.replace(LEADING_BLANK, '')
  const named = MADE_FROM_SELECT.exec(text)?.[0] ?? text
  const isOwn = OWN_TABLE.test(named) || OWN_TRIGGER.test(named)
  if (own === undefined && !(writes.includes('sqlite_schema') && isOwn)) return
  throw new DataFlowError('READONLY', `${own ?? 'dataflow_*'} belongs to the library.`, {
    op: 'sql',
    sql,
    hint: 'read it, but do not write it.',
  })
}

/** Throws SQL when the temp schema holds something of a model's: it would hide the table, or change it unseen. */
export function assertNothingHidden(db: Sqlite, models: Iterable<CompiledModel>): void {
  const tables = new Set(Array.from(models, ({ definition }) => definition.table.toLowerCase()))
  db.each('SELECT tbl_name FROM temp.sqlite_schema', [], row => {
    const name = row.text(0)!
    if (!tables.has(name.toLowerCase())) return
    throw new DataFlowError('SQL', `Nothing temporary may stand before "${name}", the table of a model.`, {
      op: 'sql',
      hint: 'give it another name; a trigger on the table is made without TEMP.',
    })
  })
}

/** Whether a row may be removed in favour of another one: no trigger is told of that, unless triggers are recursive. */
export function mayReplace(sql: string): boolean {
  const text = sql.replaceAll(/--[^\n]*|\/\*(?:[^*]|\*(?!\/))*\*\//g, ' ')
  return /\b(?:OR\s+REPLACE|REPLACE\s+INTO)\b/i.test(text)
}

/** Throws SQL, with a hint, for a statement that may not be run by hand. */
export function assertAllowed(sql: string): void {
  const text = sql.replace(LEADING_BLANK, '')
  const word = /^[A-Za-z]+/.exec(text)?.[0].toUpperCase() ?? ''
  const hint = REFUSED[word]
  if (hint !== undefined) throw new DataFlowError('SQL', `${word} is not run by hand.`, { op: 'sql', sql, hint })
  if (word !== 'PRAGMA') return
  if (PRAGMA_WITH_NAME.test(text) || PRAGMA_ALONE.test(text)) return
  throw new DataFlowError('SQL', 'This PRAGMA is not run by hand.', {
    op: 'sql',
    sql,
    hint: 'PRAGMAs that read the schema are allowed; settings belong to the library.',
  })
}
