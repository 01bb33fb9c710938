// The library's own three tables: what was migrated, what each table's definition is, and who migrates.
import type { MigrationOperation, MigrationRecord } from '../../src/shared/protocol.js'
import { SqliteError, type Sqlite, type SqlParam } from '../seams.js'
import type { PlannedStep } from './plan.js'
import { contentChecksum, type TableShape } from './shape.js'

const TABLES = `
CREATE TABLE IF NOT EXISTS dataflow_migrations (
  version TEXT PRIMARY KEY NOT NULL,
  name TEXT NOT NULL,
  checksum TEXT NOT NULL,
  status TEXT NOT NULL CHECK (status IN ('pending', 'applied', 'failed', 'rolled_back')),
  operations TEXT NOT NULL CHECK (json_valid(operations)),
  applied_at INTEGER,
  created_at INTEGER NOT NULL,
  schema_checksum TEXT NOT NULL,
  app_version INTEGER,
  error TEXT
) STRICT;
CREATE TABLE IF NOT EXISTS dataflow_model_registry (
  model_name TEXT PRIMARY KEY NOT NULL,
  model_checksum TEXT NOT NULL,
  model_definitions TEXT NOT NULL CHECK (json_valid(model_definitions)),
  status TEXT NOT NULL,
  version INTEGER NOT NULL,
  registered_at INTEGER NOT NULL,
  updated_at INTEGER NOT NULL,
  schema_version INTEGER NOT NULL
) STRICT;
CREATE TABLE IF NOT EXISTS dataflow_migration_locks (
  schema_name TEXT PRIMARY KEY NOT NULL,
  holder_process_id TEXT NOT NULL,
  acquired_at INTEGER NOT NULL,
  expires_at INTEGER NOT NULL
) STRICT`

export interface RegistryRow {
  readonly model: string
  readonly checksum: string
  readonly shape: TableShape
  readonly version: number
  /** `PRAGMA schema_version` when the row was written or last verified. */
  readonly schemaVersion: number
}

export interface Registry {
  /** null: the database has no registry. */
  readonly rows: ReadonlyMap<string, RegistryRow> | null
  readonly schemaVersion: number
  /** Whether anybody's triggers can change more than a statement says. */
  readonly hasTriggers: boolean
}

/** One SELECT: all that an open needs to know. */
export function readRegistry(db: Sqlite): Registry {
  const rows = new Map<string, RegistryRow>()
  let schemaVersion = 0
  let hasTriggers = false
  try {
    // The outer join answers the schema's version even when no model is registered yet.
    db.each(
      `SELECT s.schema_version, EXISTS (SELECT 1 FROM sqlite_schema WHERE type = 'trigger'), r.model_name,
         r.model_checksum, r.model_definitions, r.version, r.schema_version
       FROM pragma_schema_version s LEFT JOIN dataflow_model_registry r ON r.status = 'active'`,
      [],
      row => {
        schemaVersion = row.value(0) as number
        hasTriggers = row.value(1) === 1
        const model = row.text(2)
        if (model === null) return
        rows.set(model, {
          model,
          checksum: row.text(3)!,
          shape: JSON.parse(row.text(4)!) as TableShape,
          version: row.value(5) as number,
          schemaVersion: row.value(6) as number,
        })
      },
    )
  } catch (error) {
    if (!(error instanceof SqliteError) || error.missing !== 'table') throw error
    db.each(
      "SELECT schema_version, EXISTS (SELECT 1 FROM sqlite_schema WHERE type = 'trigger') FROM pragma_schema_version",
      [],
      row => {
        schemaVersion = row.value(0) as number
        hasTriggers = row.value(1) === 1
      },
    )
    return { rows: null, schemaVersion, hasTriggers }
  }
  return { rows, schemaVersion, hasTriggers }
}

export function schemaVersionOf(db: Sqlite): number {
  let version = 0
  db.each('SELECT schema_version FROM pragma_schema_version', [], row => (version = row.value(0) as number))
  return version
}

/** What the newest build that wrote here was. */
export interface BuildHistory {
  readonly appVersion: number | null
  readonly schemaChecksum: string | null
  /** Schema checksums of builds before the current one. */
  readonly earlier: ReadonlySet<string>
}

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

export function readHistory(db: Sqlite): MigrationRecord[] {
  const records: MigrationRecord[] = []
  db.each(
    `SELECT version, name, checksum, status, operations, applied_at, created_at FROM dataflow_migrations ORDER BY version`,
    [],
    row =>
      records.push({
        version: row.text(0)!,
        name: row.text(1)!,
        checksum: row.text(2)!,
        status: row.text(3) as MigrationRecord['status'],
        operations: JSON.parse(row.text(4)!) as MigrationOperation[],
        appliedAt: row.value(5) as number | null,
        createdAt: row.value(6) as number,
      }),
  )
  return records
}

export interface Migration {
  readonly steps: readonly PlannedStep[]
  /** Tables whose stored definition becomes this one, with what is stored now. */
  readonly registered: readonly { readonly shape: TableShape; readonly checksum: string }[]
  readonly schemaChecksum: string
  readonly appVersion: number | null
  readonly now: number
}

/** The steps, their ledger row and the registry's rows, in one transaction. */
export function applyMigration(db: Sqlite, migration: Migration, lockHolder: string | null): void {
  if (lockHolder !== null) takeLockRow(db, lockHolder, migration.now)
  db.atomically(() => {
    db.exec(TABLES)
    const versionBefore = schemaVersionOf(db)
    for (const { sql } of migration.steps) for (const statement of sql) db.run(statement)
    if (migration.steps.length > 0) insertLedgerRow(db, migration, 'applied', null)
    const schemaVersion = schemaVersionOf(db)
    if (schemaVersion !== versionBefore) {
      // What was in step with the schema before our own DDL is in step with it after.
      db.run('UPDATE dataflow_model_registry SET schema_version = ? WHERE schema_version = ?', [
        schemaVersion,
        versionBefore,
      ])
    }
    for (const { shape, checksum } of migration.registered) {
      db.run(
        `INSERT INTO dataflow_model_registry
           (model_name, model_checksum, model_definitions, status, version, registered_at, updated_at, schema_version)
         VALUES (?1, ?2, ?3, 'active', 1, ?4, ?4, ?5)
         ON CONFLICT (model_name) DO UPDATE SET
           version = version + (model_checksum <> excluded.model_checksum),
           updated_at = CASE WHEN model_checksum <> excluded.model_checksum THEN excluded.updated_at ELSE updated_at END,
           model_checksum = excluded.model_checksum, model_definitions = excluded.model_definitions,
           status = excluded.status, schema_version = excluded.schema_version`,
        [shape.model, checksum, JSON.stringify(shape), migration.now, schemaVersion],
      )
    }
    if (lockHolder !== null) deleteLockRow(db, lockHolder)
  })
}

/** A migration that was rolled back, with its error: in a transaction of its own (semantics 3). Gives the lock back. */
export function recordFailure(db: Sqlite, migration: Migration, error: string, lockHolder: string | null): void {
  db.atomically(() => {
    db.exec(TABLES)
    insertLedgerRow(db, migration, 'failed', error)
    if (lockHolder !== null) deleteLockRow(db, lockHolder)
  })
}

function insertLedgerRow(db: Sqlite, migration: Migration, status: 'applied' | 'failed', error: string | null): void {
  const operations = migration.steps.map(operationOf)
  // The key is a sequence: two equal migrations are two rows.
  let last = 0
  db.each(
    'SELECT max(CAST(version AS INTEGER)) FROM dataflow_migrations',
    [],
    row => (last = Number(row.value(0) ?? 0)),
  )
  const params: SqlParam[] = [
    String(last + 1).padStart(6, '0'),
    nameOf(migration.steps),
    contentChecksum(operations),
    status,
    JSON.stringify(operations),
    status === 'applied' ? migration.now : null,
    migration.now,
    migration.schemaChecksum,
    migration.appVersion,
    error,
  ]
  db.run(
    `INSERT INTO dataflow_migrations
       (version, name, checksum, status, operations, applied_at, created_at, schema_checksum, app_version, error)
     VALUES (${params.map(() => '?').join(', ')})`,
    params,
  )
}

const OPERATION_TYPES = {
  createTable: 'create_table',
  addColumn: 'add_column',
  createIndex: 'create_index',
  dropIndex: 'drop_index',
} as const

function operationOf(step: PlannedStep): MigrationOperation {
  return {
    operation_type: OPERATION_TYPES[step.kind],
    table_name: step.table,
    description: step.description,
    sql_up: step.sql,
    sql_down: step.down,
  }
}

function nameOf(steps: readonly PlannedStep[]): string {
  const tables = [...new Set(steps.map(step => `${step.kind === 'createTable' ? 'create' : 'alter'} ${step.table}`))]
  // Indexes of a new table are part of creating it.
  return tables
    .filter(name => !tables.includes(name.replace('alter', 'create')) || name.startsWith('create'))
    .join(', ')
}

const LOCK_MS = 60_000

/** Only engines without Web Locks write lock rows (semantics 7): committed before the migration begins. */
function takeLockRow(db: Sqlite, holder: string, now: number): void {
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

function deleteLockRow(db: Sqlite, holder: string): void {
  db.run('DELETE FROM dataflow_migration_locks WHERE holder_process_id = ?', [holder])
}
