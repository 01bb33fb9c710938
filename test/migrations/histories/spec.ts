// Releases of an app as plain data: what the generator changes, the declarations are made of and the oracle reads.

/** A value as SQLite keeps it. Whole numbers within +-2^53 are numbers, others bigints. */
export type Stored = string | number | bigint | Uint8Array | null

export type ColumnType = 'TEXT' | 'INTEGER' | 'REAL' | 'BLOB'
export type DateForm = 'ms' | 'seconds' | 'text'

export type Kind =
  | 'id'
  | 'autoId'
  | 'text'
  | 'integer'
  | 'bigint'
  | 'real'
  | 'boolean'
  | 'enum'
  | 'json'
  | 'blob'
  | 'dateMs'
  | 'dateSeconds'
  | 'dateText'
  | 'ref'
  | 'createdAt'
  | 'updatedAt'
  | 'version'

export interface Default {
  readonly how: 'value' | 'sql' | 'function'
  readonly pick: number
}

/** An expression over the old row: all look at one of its columns. */
export interface Conversion {
  readonly how: 'probe' | 'probe or null' | 'copy' | 'null'
  readonly of: string
}

export interface Reference {
  readonly model: string
  readonly onDelete: 'cascade' | 'set null' | 'restrict' | null
  readonly onUpdate: 'cascade' | 'set null' | 'restrict' | null
}

export interface FieldSpec {
  readonly name: string
  readonly column: string
  readonly kind: Kind
  readonly key: boolean
  readonly nullable: boolean
  /** Of an enum. */
  readonly values: readonly string[]
  readonly ref: Reference | null
  readonly fallback: Default | null
  readonly unique: boolean
  readonly index: boolean
  /** Which condition, or none. */
  readonly check: number | null
  readonly renamedFrom: readonly string[]
  readonly convertFrom: Conversion | null
}

export interface IndexSpec {
  readonly on: readonly { readonly field: string; readonly desc: boolean }[]
  readonly unique: boolean
  readonly where: { readonly field: string; readonly is: 'null' | 'not null' } | null
}

/** A condition over two fields. */
export interface ModelCheck {
  readonly how: 'either' | 'not both'
  readonly fields: readonly [string, string]
}

export interface ModelSpec {
  readonly name: string
  readonly table: string
  readonly renamedFrom: readonly string[]
  readonly fields: readonly FieldSpec[]
  readonly indexes: readonly IndexSpec[]
  readonly checks: readonly ModelCheck[]
}

export type Release = readonly ModelSpec[]

/** SQLite's names ignore case. */
export const sameName = (a: string, b: string): boolean => a.toLowerCase() === b.toLowerCase()

export const modelNamed = (release: Release, name: string): ModelSpec | undefined =>
  release.find(model => model.name === name)

export const fieldNamed = (model: ModelSpec, name: string): FieldSpec =>
  model.fields.find(field => field.name === name)!

export const keyOf = (model: ModelSpec): FieldSpec => model.fields.find(field => field.key)!

export const accessorOf = (model: Pick<ModelSpec, 'name'>): string => `${model.name.toLowerCase()}s`

export const quoted = (name: string): string => `"${name.replaceAll('"', '""')}"`

/** A whole number as `Stored` has it. */
export function whole(value: bigint): number | bigint {
  return value >= BigInt(Number.MIN_SAFE_INTEGER) && value <= BigInt(Number.MAX_SAFE_INTEGER) ? Number(value) : value
}

/** A value as text that tells all values apart; as it would be written in TypeScript. */
export function show(value: unknown): string {
  if (typeof value === 'bigint') return `${value}n`
  if (value instanceof Uint8Array) return `new Uint8Array([${[...value].join(', ')}])`
  if (value instanceof Date) return `new Date('${value.toISOString()}')`
  if (typeof value === 'function') return String(value)
  if (Array.isArray(value)) return `[${value.map(show).join(', ')}]`
  if (typeof value === 'string')
    return `'${JSON.stringify(value).slice(1, -1).replaceAll('\\"', '"').replaceAll("'", "\\'")}'`
  if (typeof value !== 'object' || value === null) return String(value)
  // A piece of SQL.
  if ('kind' in value && value.kind === 'sql' && 'text' in value) return `sql\`${String(value.text)}\``
  const entries = Object.entries(value).map(
    ([name, item]) => `${/^\w+$/.test(name) ? name : show(name)}: ${show(item)}`,
  )
  return entries.length === 0 ? '{}' : `{ ${entries.join(', ')} }`
}
