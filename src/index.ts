// The public names: a table of contents.
export { dataflow } from './dataflow.js'
export type { DataStep, MigrationsOptions, MigrationTransaction } from './migrations.js'
export { model } from './model.js'
export { t } from './shared/schema.js'
export { sql } from './shared/sql.js'
export { DataFlowError } from './shared/errors.js'
export { WorkflowBuilder } from './workflow/builder.js'
export { workflow } from './workflow/workflow.js'

export type { Introspection, IntrospectedColumn, IntrospectedTable, IntrospectionProblem } from './adopt/adopt.js'
export type { Actor } from './actor.js'
export type { AuditArgs, AuditEntry, AuditTrail } from './audit.js'
export type { RunOptions } from './connect.js'
export type {
  Database,
  DatabaseOptions,
  ExecuteOptions,
  Executor,
  Metrics,
  MigrationEntry,
  QueryResult,
  Transaction,
  WorkflowRun,
} from './database.js'
export type { DeleteOptions } from './databases.js'
export type { Encryption } from './encryption.js'
export type { DatabaseEvents } from './events.js'
export type { ProgressOptions, StreamedOptions } from './bulk/methods.js'
export type { RowSource } from './bulk/source.js'
export type { ImportRowsOptions, RowsFile, RowsFormat } from './import-rows.js'
export type { IntrospectOptions } from './introspect.js'
export type {
  Bulk,
  BulkCreateOptions,
  BulkProgress,
  BulkStreamed,
  BulkUpsertOptions,
  Insert,
  Key,
  ListArgs,
  Model,
  IndexOptions,
  ModelOptions,
  Operation,
  OrderBy,
  Page,
  PageArgs,
  Result,
  Row,
  Through,
  Update,
  UpsertOptions,
} from './model.js'
export type { DateForm, ReferenceAction } from './shared/definition.js'
export type { ErrorCode, ErrorDetails, Issue } from './shared/errors.js'
export type { Durability } from './shared/operation.js'
export type {
  ChangeEvent,
  EnsureMetrics,
  FlushMetrics,
  ImportReport,
  MigrationObstacle,
  MigrationPlan,
  MigrationProgress,
  MigrationReport,
  MigrationStatus,
  MigrationStep,
  QueryEvent,
  QuotaEvent,
  RecoveryReport,
  SchemaDifference,
  StatementMetrics,
  TableStatus,
} from './shared/protocol.js'
export type { RecoverOptions } from './recover.js'
export type { Include, RelationsOf } from './related.js'
export type { Scoped, ScopedTransaction, ScopeValues } from './scope.js'
export type { Found, Piece, SearchArgs } from './search.js'
export type { Field, Json } from './shared/schema.js'
export type { Ref, Refs } from './shared/reference.js'
export type { SqlExpr, SqlQuery, SqlValue } from './shared/sql.js'
export type { IterateArgs, Table } from './table.js'
export type { TransactionOptions } from './transaction.js'
export type { FieldOperators, Where } from './where.js'
export type { BuiltConnection, BuiltNode, BuiltWorkflow } from './workflow/built.js'
export type { NodeContext, NodeOptions, Workflow } from './workflow/workflow.js'
export type {
  Backup,
  BackupOptions,
  ImportSource,
  RestoreOptions,
  RestoreReport,
  StorageReport,
  WorkOptions,
} from './whole.js'
