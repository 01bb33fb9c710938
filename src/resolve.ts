// From declared models to definitions: names of tables, types of references, defaults as stored. Pure and synchronous.
import type { StandardSchemaV1 } from '@standard-schema/spec'
import { resolveRelations, type PageRelation } from './relations.js'
import type { AnyModel, Index, ModelOptions } from './model.js'
import { BadValue, encodeValue } from './shared/codec.js'
import type {
  ColumnType,
  FieldDefinition,
  FieldKind,
  IndexDefinition,
  ModelDefinition,
  StoredValue,
} from './shared/definition.js'
import { DataFlowError } from './shared/errors.js'
import { resolveSearch } from './resolve-search.js'
import { didYouMean } from './shared/nearest.js'
import type { Fields, FieldSpec } from './shared/schema.js'
import type { RowDecoder } from './shared/rows.js'
import { DELETED_AT, liveRows } from './shared/soft-delete.js'
import { inlineSql } from './shared/sql.js'

/** A field with what cannot cross the thread. */
export interface PageField {
  readonly definition: FieldDefinition
  /** Makes the value of a create that leaves the field out, unencoded. */
  readonly generate?: () => unknown
  /** Its default as it was declared. */
  readonly constant?: { readonly value: unknown }
  /** What every value goes through that the page knows. */
  readonly schema?: StandardSchemaV1
}

/** Whether values of the field are checked by a schema of the app's: only a value that the page knows can be. */
export const hasSchema = (field: PageField): boolean => field.schema !== undefined

/** A model of one database, on the page. */
export interface PageModel {
  /** The key in `models`: `db[accessor]`. */
  readonly accessor: string
  readonly definition: ModelDefinition
  readonly fields: readonly PageField[]
  readonly fieldNamed: ReadonlyMap<string, PageField>
  /** What every new row goes through. */
  readonly schema?: StandardSchemaV1
  /** Decoders of rows by what is selected, made when first needed. */
  readonly decoders: Map<string, RowDecoder>
  /** By name: what can be included, and filtered by. */
  readonly relations: ReadonlyMap<string, PageRelation>
}

/** Every name that a database or a transaction has, or will have, for itself. */
export const RESERVED_ACCESSORS = (
  'run batch sql transaction execute live ready ensure tableStatus retry flush storage persist compact export import ' +
  'backup backups restore rekey scope audit importRows migrations metrics on close savepoint afterCommit then'
).split(' ')

const IDENTIFIER = /^[A-Za-z][A-Za-z0-9_]*$/

const COLUMN_TYPES: Record<FieldKind, ColumnType> = {
  id: 'TEXT',
  autoId: 'INTEGER',
  text: 'TEXT',
  enum: 'TEXT',
  integer: 'INTEGER',
  bigint: 'INTEGER',
  real: 'REAL',
  boolean: 'INTEGER',
  date: 'INTEGER',
  json: 'TEXT',
  blob: 'BLOB',
  version: 'INTEGER',
  createdAt: 'INTEGER',
  updatedAt: 'INTEGER',
}

export function badModel(model: string, text: string, hint: string, field?: string): never {
  throw new DataFlowError('BAD_MODEL', text, { model, hint, ...(field === undefined ? {} : { fields: [field] }) })
}

/** The model of that name, or UNKNOWN_MODEL with the nearest. */
export function modelNamed(models: ReadonlyMap<string, PageModel>, name: string, op?: string): PageModel {
  const found = models.get(name)
  if (found) return found
  const shown = name.replaceAll('\0', '\\0')
  throw new DataFlowError('UNKNOWN_MODEL', `This database has no model "${shown}".`, {
    model: shown,
    ...(op === undefined ? {} : { op }),
    hint: didYouMean(name, [...models.keys()]),
  })
}

/** Resolves what `dataflow({ models })` was given. Throws `BAD_MODEL`. */
export function resolveModels(declared: Record<string, AnyModel>): ReadonlyMap<string, PageModel> {
  const byName = new Map<string, { accessor: string; model: AnyModel; table: string }>()
  const tables = new Map<string, string>()
  for (const [accessor, model] of Object.entries(declared)) {
    if (typeof model?.$name !== 'string' || !model.$fields) {
      throw new DataFlowError('BAD_MODEL', `models.${accessor} is not a model.`, {
        hint: "make it with model('Name', { ... }).",
      })
    }
    const name = model.$name
    if (!IDENTIFIER.test(accessor))
      badModel(name, `"${accessor.replaceAll('\0', '')}" is not an accessor name.`, 'use letters, digits and _.')
    if (RESERVED_ACCESSORS.includes(accessor)) {
      badModel(name, `The accessor "${accessor}" is reserved.`, 'give it another key in `models`.')
    }
    if (byName.has(name)) badModel(name, 'Two models have this name.', 'names of models are unique in a database.')
    const options = model.$options as ModelOptions<Fields>
    const table = options.table ?? accessor
    if (table === '' || table.includes('\0') || /^(sqlite|dataflow)_/i.test(table)) {
      badModel(name, 'The table has a reserved or empty name.', 'tables begin neither with sqlite_ nor with dataflow_.')
    }
    const other = tables.get(table.toLowerCase())
    if (other !== undefined)
      badModel(name, `Its table is also the table of ${other}.`, 'give one of them another table.')
    tables.set(table.toLowerCase(), name)
    byName.set(name, { accessor, model, table })
  }
  const keyOf = (name: string, from: string, field: string): { spec: FieldSpec; name: string; table: string } => {
    const target = byName.get(name)
    if (!target)
      return badModel(
        from,
        `t.ref("${name}") names no model of this database.`,
        didYouMean(name, [...byName.keys()]),
        field,
      )
    const [key, { spec }] = Object.entries(target.model.$fields as Fields).find(([, f]) => f.spec.primaryKey)!
    return { spec, name: key, table: target.table }
  }
  const resolved = new Map(
    [...byName].map(([name, { accessor, model, table }]) => {
      const { renamedFrom = [], softDelete, appendOnly, schema } = model.$options as ModelOptions<Fields>
      const fields = Object.entries(model.$fields as Fields).map(([field, { spec }]) =>
        resolveField(name, field, softDelete && field === DELETED_AT ? { ...spec, readonly: true } : spec, keyOf),
      )
      const former = [renamedFrom].flat()
      const both = former.find(old => byName.has(old))
      if (both !== undefined) badModel(name, `"${both}" is declared, and this model is renamed from it.`, 'remove one.')
      const definition = {
        name,
        accessor,
        table,
        ...(former.length > 0 ? { renamedFrom: former } : {}),
        ...(softDelete ? { softDelete: DELETED_AT } : {}),
        ...(appendOnly ? { appendOnly } : {}),
        ...resolveRest(name, table, model, fields),
        ...resolveSearch(name, (model.$options as ModelOptions<Fields>).search, fields),
        ...((model.$options as ModelOptions<Fields>).audit ? { audit: true as const } : {}),
      }
      return [
        name,
        {
          accessor,
          definition,
          fields,
          fieldNamed: new Map(fields.map(f => [f.definition.name, f])),
          ...(schema ? { schema } : {}),
          decoders: new Map(),
          relations: new Map<string, PageRelation>(),
        },
      ]
    }),
  )
  resolveRelations(resolved, name => byName.get(name)!.model)
  checkScopes([...resolved.values()])
  return resolved
}

/** A scope has one value for a field, whatever the model. */
function checkScopes(models: readonly PageModel[]): void {
  const first = new Map<string, { readonly model: string; readonly field: FieldDefinition }>()
  for (const { definition, fieldNamed } of models) {
    const { name: model, scope } = definition
    if (!scope) continue
    for (const name of scope) {
      const field = fieldNamed.get(name)!.definition
      const other = first.get(name)
      if (!other) first.set(name, { model, field })
      else if (storedAs(other.field) !== storedAs(field)) {
        const text = `"${name}" is stored in another way in ${other.model}: a scope has one value for both.`
        badModel(model, text, 'declare it as the same kind of field everywhere.', name)
      }
    }
    for (const field of definition.fields) {
      const target = models.find(other => other.definition.name === field.ref?.model)?.definition
      // What SQLite makes is not known before it is written.
      if (target && !target.shared && field.defaultSql !== undefined && !scope.includes(field.name)) {
        badModel(model, 'A reference of a scoped model has no SQL default.', '.default(() => id).', field.name)
      }
    }
  }
}

const storedAs = ({ kind, type, date }: FieldDefinition) => [kind === 'bigint', type, date].join()

function resolveField(
  model: string,
  name: string,
  spec: FieldSpec,
  keyOf: (name: string, from: string, field: string) => { spec: FieldSpec; name: string; table: string },
): PageField {
  const target = spec.ref ? keyOf(spec.ref.model, model, name) : undefined
  const kind = target ? referenceKind(target.spec) : (spec.kind as FieldKind)
  const definition: FieldDefinition = {
    name,
    kind,
    column: spec.column ?? name,
    type: spec.date === 'text' ? 'TEXT' : COLUMN_TYPES[kind],
    nullable: spec.nullable ?? false,
    primaryKey: spec.primaryKey ?? false,
    readonly: spec.readonly ?? false,
    checks: spec.checks ?? [],
    renamedFrom: spec.renamedFrom ?? [],
    ...(spec.date ? { date: spec.date } : {}),
    ...(spec.max === undefined ? {} : { max: spec.max }),
    ...(spec.values ? { values: spec.values } : {}),
    ...(target
      ? {
          ref: {
            model: spec.ref!.model,
            table: target.table,
            column: target.spec.column ?? target.name,
            ...(spec.ref!.onDelete ? { onDelete: spec.ref!.onDelete } : {}),
            ...(spec.ref!.onUpdate ? { onUpdate: spec.ref!.onUpdate } : {}),
          },
        }
      : {}),
    ...(spec.defaultSql === undefined ? {} : { defaultSql: spec.defaultSql }),
    ...(spec.convertFrom === undefined ? {} : { convertFrom: spec.convertFrom }),
    ...(spec.generate || spec.kind === 'id' ? { generated: true } : {}),
  }
  return {
    definition: spec.constant ? { ...definition, defaultValue: encodeDefault(model, definition, spec) } : definition,
    ...(spec.generate ? { generate: spec.generate } : {}),
    ...(spec.constant ? { constant: spec.constant } : {}),
    ...(spec.schema ? { schema: spec.schema } : {}),
  }
}

/** A reference stores what the key stores; the key's own kinds have no meaning in it. */
function referenceKind(key: FieldSpec): FieldKind {
  if (key.kind === 'id') return 'text'
  return key.kind === 'autoId' ? 'integer' : (key.kind as FieldKind)
}

function encodeDefault(model: string, field: FieldDefinition, spec: FieldSpec): StoredValue {
  const { value } = spec.constant!
  if (value === null && field.nullable) return null
  try {
    const stored = encodeValue(field, value, spec.schema)
    if (typeof stored === 'string' && stored.includes('\0')) throw new BadValue('must not hold a NUL character')
    return stored
  } catch (error) {
    if (!(error instanceof BadValue)) throw error
    return badModel(
      model,
      `The default does not fit the field: it ${error.message}.`,
      'change the default or the field.',
      field.name,
    )
  }
}

function resolveRest(
  model: string,
  table: string,
  declared: AnyModel,
  fields: readonly PageField[],
): Pick<ModelDefinition, 'key' | 'fields' | 'indexes' | 'checks' | 'scope' | 'shared'> {
  const options = declared.$options as ModelOptions<Fields>
  const { indexes = [], unique = [], checks = [], softDelete, shared } = options
  const scope = options.scope === undefined ? [] : [options.scope].flat()
  const live = softDelete
    ? liveRows(fields.find(({ definition }) => definition.name === DELETED_AT)!.definition.column)
    : undefined
  const names = fields.map(field => field.definition.name)
  const keyName = fields.find(field => field.definition.primaryKey)!.definition.name
  const specs = Object.entries(declared.$fields as Fields).map(([name, { spec }]) => ({ name, spec }))
  const listed: Listed[] = [
    ...specs
      .filter(f => f.spec.unique)
      .map((f): Listed => ({ fields: [f.name], desc: [], unique: true }))
      .concat(unique.map(index => listedIndex(model, index, true)))
      .map(index => ({ ...index, fields: withinScope(index.fields, scope), where: bothOf(live, index.where) })),
    ...specs.filter(f => f.spec.index || f.spec.ref).map(f => ({ fields: [f.name], desc: [], unique: false })),
    ...indexes.map(index => listedIndex(model, index, false)),
    // The rows of a scope in the order of their keys: what is listed and paged.
    ...(scope.length > 0 ? [{ fields: [...scope, keyName], desc: [], unique: false }] : []),
  ]
  const byName = new Map<string, IndexDefinition>()
  for (const { fields: on, desc, unique: isUnique, where } of listed) {
    if (on.length === 0) badModel(model, 'An index needs a field.', "indexes: [['a', 'b']].")
    const unknown = on.find(field => !names.includes(field))
    if (unknown !== undefined)
      badModel(model, `An index names "${unknown}", which is no field.`, didYouMean(unknown, names), unknown)
    // A unique index serves as the plain one over the same fields.
    const key = keyOfIndex({ fields: on, desc, where })
    if (!isUnique && listed.some(other => other.unique && keyOfIndex(other) === key)) continue
    const name = `${isUnique ? 'ux' : 'ix'}:${table}:${key}`
    const same = byName.get(name.toLowerCase())
    if (same && same.name !== name) {
      badModel(model, `Two indexes are ${name} to SQLite.`, 'names of fields differ by more than case.', on[0])
    }
    byName.set(name.toLowerCase(), {
      name,
      fields: on,
      ...(desc.length > 0 ? { desc } : {}),
      unique: isUnique,
      ...(where === undefined ? {} : { where }),
    })
  }
  return {
    key: keyName,
    fields: fields.map(field => field.definition),
    indexes: [...byName.values()],
    checks: checks.map((check, i) => ({ name: `ck:${table}:${i + 1}`, sql: inlineSql(check) })),
    ...(scope.length > 0 ? { scope } : {}),
    ...(shared ? { shared } : {}),
  }
}

/** What is unique is unique within a scope: its fields come first. */
function withinScope(fields: readonly string[], scope: readonly string[]): readonly string[] {
  return fields.length === 0 ? fields : [...scope, ...fields.filter(field => !scope.includes(field))]
}

/** A condition that says both. */
function bothOf(live: string | undefined, where: string | undefined): string | undefined {
  if (live === undefined || where === undefined) return live ?? where
  // The line ends behind a comment that the text may end with.
  return `${live} AND (${where}${where.includes('--') ? '\n' : ''})`
}

interface Listed {
  readonly fields: readonly string[]
  readonly desc: readonly string[]
  readonly unique: boolean
  readonly where?: string | undefined
}

function listedIndex(model: string, index: Index<Fields>, unique: boolean): Listed {
  if (!('on' in index)) return { fields: [...index], desc: [], unique }
  const parts = index.on.flatMap((part): [string, unknown][] =>
    typeof part === 'string' ? [[part, 'asc']] : Object.entries(part ?? {}),
  )
  if (parts.some(([, direction]) => direction !== 'asc' && direction !== 'desc')) {
    badModel(model, 'An index goes up or down.', "{ on: [{ at: 'desc' }] }.")
  }
  return {
    fields: parts.map(([field]) => field),
    desc: parts.filter(([, direction]) => direction === 'desc').map(([field]) => field),
    unique,
    ...(index.where ? { where: inlineSql(index.where) } : {}),
  }
}

/** What its name says of an index: two that differ have different names. */
function keyOfIndex({ fields, desc, where }: Pick<Listed, 'fields' | 'desc' | 'where'>): string {
  const on = fields.map(field => (desc.includes(field) ? `${field} desc` : field)).join(',')
  return where === undefined ? on : `${on} where ${where}`
}
