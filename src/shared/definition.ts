// A model as plain data: what `t` and `model()` declare, resolved by `dataflow()`, hashed by the worker, sent once.
// No functions here: function defaults and Standard Schemas stay on the page (fields.ts).

export type FieldKind =
  | 'id'
  | 'autoId'
  | 'text'
  | 'enum'
  | 'integer'
  | 'bigint'
  | 'real'
  | 'boolean'
  | 'date'
  | 'json'
  | 'blob'
  | 'version'
  | 'createdAt'
  | 'updatedAt'

export type ColumnType = 'TEXT' | 'INTEGER' | 'REAL' | 'BLOB'
export type DateForm = 'ms' | 'seconds' | 'text'
export type ReferenceAction = 'cascade' | 'set null' | 'restrict'

/** A value as it is stored and as it crosses the thread. A boolean is 0 or 1, a date a number or text, JSON its text. */
export type StoredValue = string | number | bigint | Uint8Array | null

export interface ReferenceDefinition {
  /** Name of the model referred to. */
  readonly model: string
  /** Its table and key column. */
  readonly table: string
  readonly column: string
  readonly onDelete?: ReferenceAction
  readonly onUpdate?: ReferenceAction
}

export interface FieldDefinition {
  readonly name: string
  /** For a `t.ref` the kind of the key it refers to ('id' -> 'text', 'autoId' -> 'integer'), with `ref` set. */
  readonly kind: FieldKind
  readonly column: string
  readonly type: ColumnType
  readonly nullable: boolean
  readonly primaryKey: boolean
  /** Filled by the library or by its default; writing it is READONLY. */
  readonly readonly: boolean
  readonly date?: DateForm
  readonly max?: number
  readonly values?: readonly string[]
  readonly ref?: ReferenceDefinition
  /** Constant default, as stored. */
  readonly defaultValue?: StoredValue
  /** Default as an SQL expression. */
  readonly defaultSql?: string
  /** True when the page makes the value (uuid, function default): not part of the table's shape. */
  readonly generated?: boolean
  readonly checks: readonly string[]
  readonly renamedFrom: readonly string[]
  readonly convertFrom?: string
}

export interface IndexDefinition {
  readonly name: string
  /** Field names, in the index's order. */
  readonly fields: readonly string[]
  /** Those of them in descending order. */
  readonly desc?: readonly string[]
  readonly unique: boolean
  /** The rows that are in it: a partial index. */
  readonly where?: string
}

export interface CheckDefinition {
  readonly name: string
  readonly sql: string
}

export interface ModelDefinition {
  readonly name: string
  /** The key in `models`: what hints call it (`db.users`). Not part of the table. */
  readonly accessor: string
  readonly table: string
  /** Names that the model had in earlier builds. */
  readonly renamedFrom?: readonly string[]
  /** Name of the key field. */
  readonly key: string
  readonly fields: readonly FieldDefinition[]
  readonly indexes: readonly IndexDefinition[]
  readonly checks: readonly CheckDefinition[]
  /** The field that tells when a row was deleted softly: it is hidden from then on. */
  readonly softDelete?: string
  /** Rows are added and read, never changed. */
  readonly appendOnly?: true
  /** The fields that a scope binds. */
  readonly scope?: readonly string[]
  /** Every scope reads all its rows, and writes none. */
  readonly shared?: true
  /** Fields whose words are found by `search`; left out where none are. */
  readonly search?: readonly string[]
}

/** The field called `name`, or undefined. Models are small: no index is kept beside the array. */
export function fieldOf(model: ModelDefinition, name: string): FieldDefinition | undefined {
  return model.fields.find(field => field.name === name)
}

export function keyField(model: ModelDefinition): FieldDefinition {
  return fieldOf(model, model.key)!
}
