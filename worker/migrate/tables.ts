// The library's own three tables: what was migrated, what each table's definition is, and who migrates.
export const TABLES = `
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
