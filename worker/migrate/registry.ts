// dataflow_model_registry: the definition that each table was last brought to, and the data steps that have run.
import { OWN_TRIGGER, SqliteError, type Sqlite } from '../seams.js'
import type { TableShape } from './shape.js'

/** The row of the data steps: no model has such a name. */
const DATA = '(data)'
/** The row of the models that everything was last in step with. */
const DECLARED = '(declared)'

export interface RegistryRow {
  readonly model: string
  readonly checksum: string
  /** 'orphan': its model is no longer declared, its table is kept. */
  readonly status: 'active' | 'orphan'
  /** `PRAGMA schema_version` when the row was written or last verified. */
  readonly schemaVersion: number
  /** The stored definition, parsed when it is first asked for. */
  readonly shape: TableShape
}

export interface Registry {
  /** null: the database has no registry. */
  readonly rows: ReadonlyMap<string, RegistryRow> | null
  /** Ids of the data steps that have run; null when none was ever recorded. */
  readonly dataSteps: readonly string[] | null
  /** Of the models that all rows are in step with; null when that is not known. */
  readonly fingerprint: string | null
  readonly schemaVersion: number
  /** Whether an app's triggers can change more than a statement says. */
  readonly hasTriggers: boolean
}

const HAS_TRIGGERS = `EXISTS (SELECT 1 FROM sqlite_schema WHERE type = 'trigger' AND name NOT GLOB '${OWN_TRIGGER}*')`

/** One SELECT: all that an open needs to know. Definitions are read when something differs. */
export function readRegistry(db: Sqlite): Registry {
  const rows = new Map<string, RegistryRow>()
  let dataSteps: readonly string[] | null = null
  let fingerprint: string | null = null
  let schemaVersion = 0
  let hasTriggers = false
  try {
    // The outer join answers the schema's version even when no model is registered yet.
    db.each(
      `SELECT s.schema_version, ${HAS_TRIGGERS}, r.model_name,
         r.model_checksum, r.status, r.schema_version, iif(r.status IN ('data', 'declared'), r.model_definitions, NULL)
       FROM pragma_schema_version s LEFT JOIN dataflow_model_registry r ON r.status IN ('active', 'orphan', 'data', 'declared')`,
      [],
      row => {
        schemaVersion = row.value(0) as number
        hasTriggers = row.value(1) === 1
        const model = row.text(2)
        if (model === null) return
        const status = row.text(4) as 'active' | 'orphan' | 'data' | 'declared'
        if (status === 'data') dataSteps = JSON.parse(row.text(6)!) as string[]
        else if (status === 'declared') fingerprint = JSON.parse(row.text(6)!) as string
        else rows.set(model, new Stored(db, model, row.text(3)!, status, row.value(5) as number))
      },
    )
  } catch (error) {
    if (!(error instanceof SqliteError) || error.missing !== 'table') throw error
    db.each(`SELECT schema_version, ${HAS_TRIGGERS} FROM pragma_schema_version`, [], row => {
      schemaVersion = row.value(0) as number
      hasTriggers = row.value(1) === 1
    })
    return { rows: null, dataSteps: null, fingerprint: null, schemaVersion, hasTriggers }
  }
  return { rows, dataSteps, fingerprint, schemaVersion, hasTriggers }
}

class Stored implements RegistryRow {
  readonly #db: Sqlite
  #shape: TableShape | null = null
  readonly model: string
  readonly checksum: string
  readonly status: 'active' | 'orphan'
  readonly schemaVersion: number

  constructor(db: Sqlite, model: string, checksum: string, status: 'active' | 'orphan', schemaVersion: number) {
    this.#db = db
    this.model = model
    this.checksum = checksum
    this.status = status
    this.schemaVersion = schemaVersion
  }

  get shape(): TableShape {
    if (!this.#shape) {
      const sql = 'SELECT model_definitions FROM dataflow_model_registry WHERE model_name = ?'
      this.#db.each(sql, [this.model], row => (this.#shape = JSON.parse(row.text(0)!) as TableShape))
    }
    return this.#shape!
  }
}

export function schemaVersionOf(db: Sqlite): number {
  let version = 0
  db.each('SELECT schema_version FROM pragma_schema_version', [], row => (version = row.value(0) as number))
  return version
}

/** What becomes of the registry. */
export interface Registration {
  /** Tables that are now as `shape` says. */
  readonly registered: readonly {
    readonly shape: TableShape
    readonly checksum: string
    readonly status: 'active' | 'orphan'
    /** The name that its row had. */
    readonly formerly?: string
  }[]
  /** Models whose table is no more. */
  readonly removed: readonly string[]
  /** All data steps that have run now; null when there are none. */
  readonly dataSteps: readonly string[] | null
  /** Of the models that all rows are in step with now; null when nobody has said, or they are not. */
  readonly fingerprint: string | null
}

export function writeRegistry(db: Sqlite, registration: Registration, schemaVersion: number, now: number): void {
  for (const model of registration.removed) db.run('DELETE FROM dataflow_model_registry WHERE model_name = ?', [model])
  for (const { shape, formerly } of registration.registered) {
    if (formerly === undefined) continue
    db.run('DELETE FROM dataflow_model_registry WHERE model_name = ?', [shape.model])
    db.run('UPDATE dataflow_model_registry SET model_name = ? WHERE model_name = ?', [shape.model, formerly])
  }
  for (const { shape, checksum, status } of registration.registered) {
    writeRow(db, [shape.model, checksum, JSON.stringify(shape), status, now, schemaVersion])
  }
  if (registration.dataSteps) {
    writeRow(db, [DATA, '', JSON.stringify(registration.dataSteps), 'data', now, schemaVersion])
  }
  if (registration.fingerprint === null) db.run("DELETE FROM dataflow_model_registry WHERE status = 'declared'")
  else writeRow(db, [DECLARED, '', JSON.stringify(registration.fingerprint), 'declared', now, schemaVersion])
}

function writeRow(db: Sqlite, values: readonly (string | number)[]): void {
  db.run(
    `INSERT INTO dataflow_model_registry
       (model_name, model_checksum, model_definitions, status, version, registered_at, updated_at, schema_version)
     VALUES (?1, ?2, ?3, ?4, 1, ?5, ?5, ?6)
     ON CONFLICT (model_name) DO UPDATE SET
       version = version + (model_checksum <> excluded.model_checksum OR status <> excluded.status),
       updated_at = CASE WHEN model_checksum <> excluded.model_checksum OR status <> excluded.status
         THEN excluded.updated_at ELSE updated_at END,
       model_checksum = excluded.model_checksum, model_definitions = excluded.model_definitions,
       status = excluded.status, schema_version = excluded.schema_version`,
    values,
  )
}
