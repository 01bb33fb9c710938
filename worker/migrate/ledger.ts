// dataflow_migrations: every migration with its steps, in the transaction that ran them.
import type { MigrationOperation, MigrationRecord } from '../../src/shared/protocol.js'
import { SqliteError, type Sqlite, type SqlParam } from '../seams.js'
import { contentChecksum } from './shape.js'
import type { PlannedStep } from './step.js'
import { TABLES } from './tables.js'

/** What the newest build that wrote here was. */
export interface BuildHistory {
  readonly appVersion: number | null
  readonly schemaChecksum: string | null
  /** Schema checksums of builds before the current one. */
  readonly earlier: ReadonlySet<string>
}

export const NO_HISTORY: BuildHistory = { appVersion: null, schemaChecksum: null, earlier: new Set() }

export function readBuildHistory(db: Sqlite): BuildHistory {
  const checksums: string[] = []
  let appVersion: number | null = null
  db.each(
    `SELECT schema_checksum, app_version FROM dataflow_migrations WHERE status = 'applied' ORDER BY version`,
    [],
    row => {
      checksums.push(row.text(0)!)
      const version = row.value(1) as number | null
      if (version !== null) appVersion = Math.max(version, appVersion ?? version)
    },
  )
  const current = checksums.at(-1) ?? null
  return { appVersion, schemaChecksum: current, earlier: new Set(checksums.filter(checksum => checksum !== current)) }
}

/** Oldest first; none when there is no ledger. */
export function readHistory(db: Sqlite): MigrationRecord[] {
  const records: MigrationRecord[] = []
  try {
    db.each(
      `SELECT version, name, checksum, status, operations, app_version, error, applied_at, created_at
       FROM dataflow_migrations ORDER BY version`,
      [],
      row =>
        records.push({
          version: row.text(0)!,
          name: row.text(1)!,
          checksum: row.text(2)!,
          status: row.text(3) as MigrationRecord['status'],
          operations: JSON.parse(row.text(4)!) as MigrationOperation[],
          appVersion: row.value(5) as number | null,
          error: row.text(6),
          appliedAt: row.value(7) as number | null,
          createdAt: row.value(8) as number,
        }),
    )
  } catch (error) {
    if (!(error instanceof SqliteError) || error.missing !== 'table') throw error
  }
  return records
}

/** Of what was done, whenever and however long. */
export function operationsChecksum(operations: readonly MigrationOperation[]): string {
  return contentChecksum(operations.map(({ rows: _rows, ms: _ms, ...content }) => content))
}

/** Rows whose content is not what their checksum says: somebody has written to the ledger. */
export function alteredRecords(db: Sqlite): string[] {
  return readHistory(db)
    .filter(({ operations, checksum }) => operationsChecksum(operations) !== checksum)
    .map(({ version, name }) => `${version} (${name})`)
}

export interface LedgerEntry {
  readonly operations: readonly MigrationOperation[]
  readonly name: string
  readonly schemaChecksum: string
  readonly appVersion: number | null
  readonly now: number
}

export function writeLedger(db: Sqlite, entry: LedgerEntry, status: 'applied' | 'failed', error: string | null): void {
  // The key is a sequence: two equal migrations are two rows.
  let last = 0
  db.each(
    'SELECT max(CAST(version AS INTEGER)) FROM dataflow_migrations',
    [],
    row => (last = Number(row.value(0) ?? 0)),
  )
  const params: SqlParam[] = [
    String(last + 1).padStart(6, '0'),
    entry.name,
    operationsChecksum(entry.operations),
    status,
    JSON.stringify(entry.operations),
    status === 'applied' ? entry.now : null,
    entry.now,
    entry.schemaChecksum,
    entry.appVersion,
    error,
  ]
  db.run(
    `INSERT INTO dataflow_migrations
       (version, name, checksum, status, operations, applied_at, created_at, schema_checksum, app_version, error)
     VALUES (${params.map(() => '?').join(', ')})`,
    params,
  )
}

/** `create_table`, `rebuild_table`, ...: the names that DataFlow's ledger uses. */
const operationType = (kind: string) => kind.replace(/[A-Z]/g, letter => `_${letter.toLowerCase()}`)

export function operationOf(step: PlannedStep, rows: number | null, ms: number): MigrationOperation {
  return {
    operation_type: operationType(step.kind),
    table_name: step.table,
    description: step.description,
    sql_up: step.sql,
    sql_down: step.down,
    rows,
    ms,
  }
}

export function nameOf(steps: readonly PlannedStep[]): string {
  const tables = steps.map(step => {
    if (step.kind === 'data') return step.description
    const verb = { createTable: 'create', dropTable: 'drop', renameTable: 'rename' }[step.kind as string] ?? 'alter'
    return `${verb} ${step.table}`
  })
  // Indexes of a new table are part of creating it.
  return [...new Set(tables)]
    .filter(name => !name.startsWith('alter ') || !tables.includes(name.replace('alter', 'create')))
    .join(', ')
}

const LOCK_MS = 60_000

/** Only engines without Web Locks write lock rows (semantics 7): committed before the migration begins. */
export function takeLockRow(db: Sqlite, holder: string, now: number): void {
  db.atomically(() => {
    db.exec(TABLES)
    const taken = db.run(
      `INSERT INTO dataflow_migration_locks VALUES ('main', ?1, ?2, ?3)
       ON CONFLICT (schema_name) DO UPDATE SET holder_process_id = ?1, acquired_at = ?2, expires_at = ?3
       WHERE holder_process_id = ?1 OR expires_at <= ?2`,
      [holder, now, now + LOCK_MS],
    )
    if (taken === 0) {
      throw new SqliteError('Another process is migrating this database', { code: 'LOCKED' })
    }
  })
}

export function deleteLockRow(db: Sqlite, holder: string): void {
  db.run('DELETE FROM dataflow_migration_locks WHERE holder_process_id = ?', [holder])
}
