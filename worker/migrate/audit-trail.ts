// The audit trail: a table that triggers on audited tables write, a row for each row that changes.
import type { FieldDefinition, ModelDefinition } from '../../src/shared/definition.js'
import { quoteIdentifier as q, quoteLiteral } from '../../src/shared/sql.js'
import type { Sqlite } from '../seams.js'
import type { Registration } from './registry.js'
import type { TriggerShape } from './shape.js'

/** Ids only grow, also when the newest entries are pruned: an entry's id is a cursor. */
export const AUDIT_TABLE = [
  `CREATE TABLE IF NOT EXISTS dataflow_audit (
  id INTEGER PRIMARY KEY AUTOINCREMENT,
  model TEXT NOT NULL,
  key ANY NOT NULL,
  action TEXT NOT NULL,
  who TEXT,
  at INTEGER,
  before TEXT,
  after TEXT
) STRICT`,
  'CREATE INDEX IF NOT EXISTS dataflow_audit_key ON dataflow_audit (model, key)',
  // What triggers have written, and nobody has put a time to: found without a look at all that has one.
  'CREATE INDEX IF NOT EXISTS dataflow_audit_open ON dataflow_audit (at) WHERE at IS NULL',
]

/** Part of the name of each of its triggers. */
const AUDIT = ':audit:'
export const isAuditTrigger = ({ name }: Pick<TriggerShape, 'name'>): boolean => name.includes(AUDIT)

/** A trigger sees every change, whatever makes it; who makes it and when, it does not know: STAMP_AUDIT says. */
export function auditTriggers(model: ModelDefinition): TriggerShape[] {
  if (!model.audit) return []
  const table = q(model.table)
  const fields = [...model.fields].sort((a, b) => (a.column < b.column ? -1 : 1))
  const key = q(fields.find(field => field.primaryKey)!.column)
  const rowJson = (row: 'old' | 'new') =>
    `json_object(${fields.map(field => `${quoteLiteral(field.column)}, ${valueSql(field, `${row}.${q(field.column)}`)}`).join(', ')})`
  const changed = fields.map(({ column }) => `old.${q(column)} IS NOT new.${q(column)}`).join(' OR ')
  const trigger = (action: string, event: string, row: 'old' | 'new', columns: string, values: string) => {
    const name = `tr:${model.table}${AUDIT}${action}`
    const insert =
      `INSERT INTO dataflow_audit (model, key, action, ${columns}) ` +
      `VALUES (${quoteLiteral(model.name)}, ${row}.${key}, '${action}', ${values})`
    return { name, sql: `CREATE TRIGGER ${q(name)} AFTER ${event} BEGIN ${insert}; END` }
  }
  return [
    trigger('create', `INSERT ON ${table}`, 'new', 'after', rowJson('new')),
    trigger(
      'update',
      `UPDATE ON ${table} WHEN ${changed}`,
      'new',
      'before, after',
      `${rowJson('old')}, ${rowJson('new')}`,
    ),
    trigger('delete', `DELETE ON ${table}`, 'old', 'before', rowJson('old')),
  ]
}

/**
 * A value as JSON that says all of it, whatever the field is declared as later: dates as milliseconds or ISO text, what a
 * JSON number does not hold as text, a blob as its SQL literal.
 */
function valueSql({ kind, date }: FieldDefinition, column: string): string {
  switch (kind) {
    case 'bigint':
      return `CAST(${column} AS TEXT)`
    case 'json':
      return `json(${column})`
    case 'blob':
      return `iif(${column} IS NULL, NULL, quote(${column}))`
    case 'integer':
    case 'autoId':
      // Raw SQL may have written more than 2^53.
      return `iif(abs(${column} / 2) < 4503599627370496, ${column}, CAST(${column} AS TEXT))`
    case 'date':
      return date === 'seconds' ? `${column} * 1000` : column
    default:
      return column
  }
}

/** Puts a name and a time to what triggers have written since it was last done. Binds who and when. */
export const STAMP_AUDIT = 'UPDATE dataflow_audit SET who = ?, at = ? WHERE at IS NULL'

export function hasAuditTable(db: Sqlite): boolean {
  let found = false
  db.each("SELECT 1 FROM sqlite_schema WHERE type = 'table' AND name = 'dataflow_audit'", [], () => (found = true))
  return found
}

/** Entries go with the model whose name has changed. All at once: names may be exchanged. */
export function renameAudited(db: Sqlite, registered: Registration['registered']): void {
  const renamed = registered.filter(({ formerly }) => formerly !== undefined)
  if (renamed.length === 0 || !hasAuditTable(db)) return
  const cases = renamed.map(() => 'WHEN ? THEN ?').join(' ')
  const names = renamed.flatMap(({ formerly, shape }) => [formerly!, shape.model])
  const former = renamed.map(({ formerly }) => formerly!)
  db.run(
    `UPDATE dataflow_audit SET model = CASE model ${cases} END WHERE model IN (${former.map(() => '?').join(', ')})`,
    [...names, ...former],
  )
}
