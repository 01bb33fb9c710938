// Everything that can be seen of the database, row by row, for the oracle to judge.
import { sql } from 'dataflow-edge'
import type { Look, Saved, SchemaObject, SeenRow, TableName } from '../protocol.js'
import type { CrashDatabase } from './main.js'
import { isWhole } from './models.js'

interface Row {
  readonly id: string
  readonly n: number
  readonly v: number
  readonly rev: number
  readonly body: string
  readonly sum: number
  readonly owner?: string | null
}

export async function lookAt(db: CrashDatabase, columns: number): Promise<Look> {
  const { steps, differences } = await db.migrations.plan()
  const lacking = steps.length + differences.length > 0
  const seen: SeenRow[] = []
  let columnsFilled = true
  const see = (table: TableName, row: Row): void => {
    const { id, n, v, rev, body, owner = null } = row
    seen.push([table, id, n, v, rev, body.length, owner, isWhole(row)])
  }
  for (const row of await db.owners.list()) see('owners', row)
  for (const row of await db.items.list()) see('items', row)
  if (lacking) {
    // The columns of a migration that is due cannot be asked for.
    const select = ['id', 'n', 'v', 'rev', 'body', 'sum'] as const
    for (const row of await db.notes.list({ select })) see('notes', row)
  } else {
    const added = Array.from({ length: columns }, (_, i) => i + 1)
    for (const row of await db.notes.list()) {
      see('notes', row)
      columnsFilled &&= added.every(i => (row as Record<string, unknown>)[`c${i}`] === i)
    }
  }
  const integrity = await db.sql<{ integrity_check: string }>`PRAGMA integrity_check`
  const foreignKeys = await db.sql`PRAGMA foreign_key_check`
  const [version] = await db.sql<{ schema_version: number }>`PRAGMA schema_version`
  const history = await db.migrations.history()
  return {
    rows: seen,
    integrity: integrity.map(row => row.integrity_check),
    foreignKeyFailures: foreignKeys.length,
    schema: await db.run(sql`SELECT type, name, tbl_name AS "table", sql FROM sqlite_schema`.as<SchemaObject>()),
    schemaVersion: version!.schema_version,
    registry: await db.run(
      sql`SELECT model_name AS model, schema_version AS schemaVersion FROM dataflow_model_registry`.as<
        Look['registry'][number]
      >(),
    ),
    history: history.map(entry => ({
      version: entry.id,
      status: entry.status,
      sql: entry.operations.flatMap(operation => operation.sql_up),
    })),
    pending: [
      ...steps.map(step => step.description),
      ...differences.map(({ model, message }) => `${model} ${message}`),
    ],
    columnsFilled,
    saved: await savedOf(db),
  }
}

export async function savedOf(db: CrashDatabase): Promise<Saved> {
  const { baseBytes, logBytes } = (await db.metrics()).flush
  return { baseBytes, logBytes }
}
