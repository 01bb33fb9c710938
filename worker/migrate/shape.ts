// The shape of a table: all that SQLite sees of a model (semantics 9), and nothing else. What is stored in the
// registry, hashed, and compared.
import { sha256 } from '@noble/hashes/sha2.js'
import { bytesToHex, utf8ToBytes } from '@noble/hashes/utils.js'
import { canonicalJson } from '../../src/shared/codec.js'
import type { DateForm, FieldDefinition, ModelDefinition, ReferenceAction } from '../../src/shared/definition.js'
import { quoteIdentifier, quoteLiteral } from '../../src/shared/sql.js'
import { managedOf } from './managed.js'

export interface CheckShape {
  readonly name: string
  readonly sql: string
}

export interface ReferenceShape {
  readonly table: string
  readonly column: string
  readonly onDelete: ReferenceAction | 'no action'
  /** Left out for 'no action'. */
  readonly onUpdate?: ReferenceAction
}

export interface ColumnShape {
  readonly name: string
  readonly type: string
  /** How a date is stored: the same type can hold milliseconds or seconds. */
  readonly date?: DateForm
  /** No longer declared: it keeps its values, is nullable and has no constraint. Only in what is stored. */
  readonly orphan?: true
  readonly notNull: boolean
  readonly primaryKey: boolean
  readonly autoIncrement: boolean
  /** Text of the DEFAULT as SQLite gives it back, null for none. */
  readonly default: string | null
  /** False for an expression in parentheses, which ADD COLUMN cannot take. */
  readonly constantDefault: boolean
  readonly checks: readonly CheckShape[]
  readonly references: ReferenceShape | null
}

export interface IndexShape {
  readonly name: string
  readonly columns: readonly string[]
  /** Those of them in descending order. */
  readonly desc?: readonly string[]
  readonly where?: string
  readonly unique: boolean
}

/** A trigger that the library keeps on the table (managed.ts). */
export interface TriggerShape {
  readonly name: string
  /** The text of its CREATE TRIGGER, as SQLite gives it back. */
  readonly sql: string
}

/** The full-text index over the table (search-index.ts). */
export interface SearchShape {
  readonly name: string
  readonly sql: string
}

export interface TableShape {
  readonly model: string
  readonly table: string
  readonly columns: readonly ColumnShape[]
  readonly indexes: readonly IndexShape[]
  readonly checks: readonly CheckShape[]
  /** Left out where there are none, as `search` is: a checksum says nothing of what is not there. */
  readonly triggers?: readonly TriggerShape[]
  readonly search?: SearchShape
}

export function shapeOf(model: ModelDefinition): TableShape {
  const columnOf = new Map(model.fields.map(field => [field.name, field.column]))
  return {
    model: model.name,
    table: model.table,
    columns: model.fields.map(field => columnShape(model, field)),
    indexes: model.indexes.map(({ name, fields, desc, unique, where }) => ({
      name,
      columns: fields.map(field => columnOf.get(field)!),
      ...(desc ? { desc: desc.map(field => columnOf.get(field)!) } : {}),
      unique,
      ...(where === undefined ? {} : { where }),
    })),
    checks: model.checks,
    ...managedOf(model),
  }
}

function columnShape(model: ModelDefinition, field: FieldDefinition): ColumnShape {
  const defaultText = defaultOf(field)
  return {
    name: field.column,
    type: field.type,
    ...(field.date ? { date: field.date } : {}),
    notNull: !field.nullable,
    primaryKey: field.primaryKey,
    autoIncrement: field.kind === 'autoId',
    default: defaultText,
    constantDefault: field.defaultSql === undefined,
    checks: checksOf(model, field),
    references: field.ref
      ? {
          table: field.ref.table,
          column: field.ref.column,
          onDelete: field.ref.onDelete ?? 'no action',
          ...(field.ref.onUpdate ? { onUpdate: field.ref.onUpdate } : {}),
        }
      : null,
  }
}

function defaultOf(field: FieldDefinition): string | null {
  if (field.defaultSql !== undefined) return field.defaultSql
  if (field.kind === 'version') return '1'
  return field.defaultValue === undefined || field.defaultValue === null ? null : quoteLiteral(field.defaultValue)
}

function checksOf(model: ModelDefinition, field: FieldDefinition): CheckShape[] {
  const column = quoteIdentifier(field.column)
  const check = (name: string | number, sql: string) => ({ name: `ck:${model.table}:${field.column}:${name}`, sql })
  const checks = field.checks.map((sql, i) => check(i + 1, sql))
  if (field.ref) return checks
  if (field.kind === 'enum') checks.push(check('enum', `${column} IN (${field.values!.map(quoteLiteral).join(', ')})`))
  if (field.kind === 'boolean') checks.push(check('boolean', `${column} IN (0, 1)`))
  if (field.kind === 'json') checks.push(check('json', `json_valid(${column})`))
  return checks
}

/** SHA-256 of what the shape says, whatever the order its fields were declared in. Never of time or version. */
export function checksumOf(shape: TableShape): string {
  return contentChecksum({
    ...shape,
    columns: [...shape.columns].sort(byName),
    indexes: [...shape.indexes].sort(byName),
    checks: [...shape.checks].sort(byName),
  })
}

export function contentChecksum(content: unknown): string {
  return bytesToHex(sha256(utf8ToBytes(canonicalJson(content))))
}

const byName = (a: { readonly name: string }, b: { readonly name: string }) => (a.name < b.name ? -1 : 1)
