// A model prepared for compiling: quoted names, how each field is selected and bound. Built once per model.
import type { FieldDefinition, ModelDefinition, StoredValue } from '../../src/shared/definition.js'
import { DataFlowError } from '../../src/shared/errors.js'
import { quoteIdentifier } from '../../src/shared/sql.js'
import type { SqlParam } from '../seams.js'

export interface Column {
  readonly field: FieldDefinition
  readonly quoted: string
  /** How the column stands inside json_array: what JSON cannot carry is converted, a blob is left out. */
  readonly json: string
  /** All its values as one JSON array. */
  readonly array: string
  /** The place of a bound value: sql.js binds no int64, so a bigint goes as text. */
  readonly placeholder: string
}

/** What a SELECT or a RETURNING gives for each row: its JSON, then its blobs. */
export interface Selection {
  readonly sql: string
  /** Number of BLOB columns behind the JSON. */
  readonly blobs: number
  /** The columns that the expressions read, for a subquery. */
  readonly columns: string
  /** In place of the JSON of a row: for each column an aggregate, all its values as one JSON array. */
  readonly arrays: string
}

/** A part of a statement, and the values it binds. Two clauses of one shape have the same text. */
export interface Clause {
  readonly shape: string
  readonly sql: () => string
  readonly params: readonly SqlParam[]
}

export interface CompiledModel {
  readonly definition: ModelDefinition
  readonly table: string
  /** Made by this library, with its checks. */
  readonly ownTables: boolean
  /** All models of the database, this one too. */
  readonly models: ReadonlyMap<string, CompiledModel>
  readonly columns: readonly Column[]
  readonly columnOf: ReadonlyMap<string, Column>
  readonly key: Column
  /** Statement texts by shape: of operations whose text does not depend on a filter. */
  readonly texts: Map<string, string>
  readonly selections: Map<string, Selection>
}

export function compileModels(
  definitions: readonly ModelDefinition[],
  ownTables: boolean,
): ReadonlyMap<string, CompiledModel> {
  const models = new Map<string, CompiledModel>()
  for (const definition of definitions) models.set(definition.name, compileModel(definition, ownTables, models))
  return models
}

/** The model of that name; nothing reaches SQL that is not one of the database's. */
export function modelNamed(models: ReadonlyMap<string, CompiledModel>, name: string): CompiledModel {
  const model = models.get(name)
  if (model) return model
  throw new DataFlowError('UNKNOWN_MODEL', `This database has no model "${name.replaceAll('\0', '\\0')}".`, {
    hint: `there are ${[...models.keys()].join(', ')}.`,
  })
}

export function compileModel(
  definition: ModelDefinition,
  ownTables: boolean,
  models: ReadonlyMap<string, CompiledModel> = new Map(),
): CompiledModel {
  const columns = definition.fields.map((field): Column => {
    const quoted = quoteIdentifier(field.column)
    return {
      field,
      quoted,
      array: arrayOf(field, quoted, ownTables),
      json:
        field.kind === 'bigint'
          ? `CAST(${quoted} AS TEXT)`
          : field.kind === 'json'
            ? `json(${quoted})`
            : field.kind === 'blob'
              ? 'NULL'
              : quoted,
      placeholder: field.kind === 'bigint' ? 'CAST(? AS INTEGER)' : '?',
    }
  })
  const columnOf = new Map(columns.map(column => [column.field.name, column]))
  return {
    definition,
    table: quoteIdentifier(definition.table),
    ownTables,
    models,
    columns,
    columnOf,
    key: columnOf.get(definition.key)!,
    texts: new Map(),
    selections: new Map(),
  }
}

/**
 * Blobs as hexadecimal digits. Stored JSON has passed a CHECK: to parse it only to write it again would be half the time
 * of a list.
 */
export function arrayOf(field: FieldDefinition, quoted: string, ownTables: boolean): string {
  if (field.kind === 'blob') return `json_group_array(iif(${quoted} IS NULL, NULL, hex(${quoted})))`
  if (field.kind !== 'json') return `json_group_array(${quoted})`
  if (!ownTables) return `json_group_array(json(${quoted}))`
  return `'[' || coalesce(group_concat(${field.nullable ? `ifnull(${quoted}, 'null')` : quoted}, ','), '') || ']'`
}

/** The column of a field; nothing reaches SQL that is not one. */
export function columnNamed(model: CompiledModel, field: string): Column {
  const column = model.columnOf.get(field)
  if (column) return column
  throw new DataFlowError(
    'UNKNOWN_FIELD',
    `${model.definition.name} has no field "${field.replaceAll('\0', '\\0')}".`,
    {
      model: model.definition.name,
      hint: `there are ${[...model.columnOf.keys()].join(', ')}.`,
    },
  )
}

/** Remembers the statement of a shape: building its text is what a hit saves. */
export function textOfShape(model: CompiledModel, shape: string, build: () => string): string {
  let text = model.texts.get(shape)
  if (text === undefined) model.texts.set(shape, (text = build()))
  return text
}

export function selectionOf(model: CompiledModel, select: readonly string[] | null): Selection {
  const shape = select === null ? '*' : select.join()
  let selection = model.selections.get(shape)
  if (!selection) {
    const columns = select === null ? model.columns : select.map(field => columnNamed(model, field))
    const blobs = columns.filter(column => column.field.kind === 'blob')
    selection = {
      sql: [`json_array(${columns.map(column => column.json).join(', ')})`, ...blobs.map(column => column.quoted)].join(
        ', ',
      ),
      blobs: blobs.length,
      columns: columns.map(column => column.quoted).join(', '),
      arrays: columns.map(column => column.array).join(', '),
    }
    model.selections.set(shape, selection)
  }
  return selection
}

/** A stored value as it is bound to its column's placeholder. */
export function toParam(value: StoredValue): SqlParam {
  return typeof value === 'bigint' ? String(value) : value
}

/** The worker fills it in. */
export function isStamp({ field }: Column): boolean {
  return field.kind === 'createdAt' || field.kind === 'updatedAt'
}

/** A key as the model holds it: SQLite gives a bigint as a number where it fits, and JSON as text. */
export function asKey({ key }: CompiledModel, value: StoredValue): StoredValue {
  return key.field.kind === 'bigint' ? BigInt(value as string | number | bigint) : value
}
