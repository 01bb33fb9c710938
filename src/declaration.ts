// What model() refuses: declarations that make no table, or names that mean something else.
import { isWellFormed } from './shared/codec.js'
import type { ReferenceAction } from './shared/definition.js'
import { DataFlowError } from './shared/errors.js'
import type { AnyField, FieldSpec } from './shared/schema.js'
import { DELETED_AT } from './shared/soft-delete.js'
import { isSqlExpr } from './shared/sql.js'

const IDENTIFIER = /^[A-Za-z][A-Za-z0-9_]*$/
/** As many as SQLite's json_array takes. */
const MAX_FIELDS = 1000
// Names that a promise, an object or SQLite already gives a meaning.
export const RESERVED_FIELDS = new Set(
  'then constructor prototype toString valueOf toJSON hasOwnProperty rowid oid _rowid_'.split(' '),
)
const OPTIONS = [
  'table',
  'renamedFrom',
  'indexes',
  'unique',
  'checks',
  'softDelete',
  'appendOnly',
  'scope',
  'shared',
  'search',
]
/** Whose values are equal if and only if they are stored alike. */
const SCOPING_KINDS = ['text', 'enum', 'integer', 'bigint', 'boolean', 'date', 'ref']
const REFERENCE_ACTIONS: readonly (ReferenceAction | undefined)[] = ['cascade', 'set null', 'restrict', undefined]

/** Throws `BAD_MODEL` or `BAD_OPTION` for a declaration that makes no table. */
export function checkDeclaration(name: string, fields: Record<string, AnyField>, options: object): void {
  const bad = (text: string, hint: string, field?: string): never => {
    throw new DataFlowError('BAD_MODEL', text, {
      ...(typeof name === 'string' && IDENTIFIER.test(name) ? { model: name } : {}),
      ...(field === undefined ? {} : { fields: [field] }),
      hint,
    })
  }
  if (typeof name !== 'string' || !IDENTIFIER.test(name)) {
    bad('A model name must be an identifier.', 'letters, digits and _, beginning with a letter.')
  }
  if (typeof fields !== 'object' || fields === null) bad('A model needs fields.', "model('User', { id: t.id() }).")
  if (typeof options !== 'object' || options === null) bad('The options of a model are an object.', '{ indexes: [] }.')
  for (const option of Object.keys(options)) {
    if (!OPTIONS.includes(option)) {
      throw new DataFlowError('BAD_OPTION', `model() has no option "${option}".`, {
        model: name,
        hint: `it takes ${OPTIONS.slice(0, -1).join(', ')} and ${OPTIONS.at(-1)}.`,
      })
    }
  }
  const { table, renamedFrom = [], indexes, unique, search } = options as Record<string, unknown>
  if (table !== undefined && typeof table !== 'string') bad('The name of a table is a text.', "{ table: 'users' }.")
  if (![renamedFrom].flat().every(old => typeof old === 'string' && old !== name)) {
    bad('renamedFrom is the name of a model, or several.', "{ renamedFrom: 'Person' }.")
  }
  for (const lists of [indexes, unique]) {
    if (lists === undefined || (Array.isArray(lists) && lists.every(isIndex))) continue
    bad('indexes and unique are lists of lists of fields.', "{ indexes: [['a', 'b'], { on: [{ a: 'desc' }] }] }.")
  }
  if (search !== undefined && !(Array.isArray(search) && search.length > 0)) {
    bad('search is a list of fields.', "{ search: ['title', 'body'] }.")
  }
  const entries = Object.entries(fields)
  if (entries.length > MAX_FIELDS) bad(`A model has at most ${MAX_FIELDS} fields.`, 'put some into a t.json().')
  const keys = entries.filter(([, field]) => field?.spec?.primaryKey)
  if (keys.length === 0) bad('A model needs a primary key.', 'add `id: t.id()`.')
  if (keys.length > 1) bad('A model has one key: composite keys are not supported yet.', 'use t.id() and `unique`.')
  const seen = new Map<string, string>()
  for (const [field, declared] of entries as [string, { spec?: FieldSpec } | null | undefined][]) {
    const spec = declared?.spec
    if (!IDENTIFIER.test(field))
      bad(`"${field}" is not a field name.`, 'letters, digits and _, beginning with a letter.')
    if (RESERVED_FIELDS.has(field) || RESERVED_FIELDS.has(field.toLowerCase())) {
      bad(`"${field}" is a reserved name.`, "give the field another name; .column('...') keeps the column's.", field)
    }
    if (!spec) return bad(`"${field}" is not a field.`, 'use one of the kinds of t, such as t.text().', field)
    const column = spec.column ?? field
    if (typeof column !== 'string' || column === '' || column.includes('\0'))
      bad('That is not a column name.', 'it must be a text, not empty and without NUL.', field)
    const before = seen.get(column.toLowerCase())
    if (before !== undefined) {
      bad(`"${before}" and "${field}" are one column to SQLite.`, 'names of columns differ by more than case.', field)
    }
    seen.set(column.toLowerCase(), field)
    checkField(spec, (text, hint) => bad(text, hint, field))
    for (const old of spec.renamedFrom ?? []) {
      if (Object.hasOwn(fields, old))
        bad(`"${old}" is declared, and "${field}" is renamed from it.`, 'remove one.', field)
    }
  }
  checkKind(fields, options, bad)
  checkScope(fields, options, bad)
}

const SCOPE_HINT =
  "{ scope: 'tenantId' }: a field of text, numbers, dates or a reference, neither the key nor nullable."

function checkScope(
  fields: Record<string, AnyField>,
  { scope, shared }: { readonly scope?: unknown; readonly shared?: unknown },
  bad: (text: string, hint: string, field?: string) => never,
): void {
  if (shared !== undefined && shared !== true) bad('shared is true, or left out.', '{ shared: true }.')
  if (scope === undefined) return
  if (shared) bad('A model is scoped or shared, not both.', 'leave one of them out.')
  const bound = [scope].flat()
  if (bound.length === 0 || new Set(bound).size < bound.length) {
    bad('A scope names at least one field, and each once.', "{ scope: 'tenantId' }.")
  }
  for (const name of bound.map(String)) {
    const spec = Object.hasOwn(fields, name) ? fields[name]!.spec : undefined
    const wrong = spec ? wrongScopeField(spec) : 'A scope binds a field of the model.'
    if (wrong) bad(wrong, SCOPE_HINT, name)
  }
}

function wrongScopeField({ kind, primaryKey, nullable }: FieldSpec): string | false {
  if (primaryKey) return 'A scope cannot be bound to the key.'
  if (nullable) return 'A field that can be null belongs to no scope.'
  return !SCOPING_KINDS.includes(kind) && 'A scope cannot be bound to a field of that kind.'
}

function checkKind(
  fields: Record<string, AnyField>,
  options: { readonly softDelete?: unknown; readonly appendOnly?: unknown },
  bad: (text: string, hint: string, field?: string) => never,
): void {
  const { softDelete = false, appendOnly = false } = options
  for (const [name, value] of Object.entries({ softDelete, appendOnly })) {
    if (typeof value !== 'boolean') bad(`${name} is true or false.`, `{ ${name}: true }.`)
  }
  if (softDelete) {
    if (appendOnly)
      bad('softDelete and appendOnly exclude each other.', 'a row that is never changed is never deleted.')
    const { kind, nullable, constant, defaultSql, generate } = fields[DELETED_AT]?.spec ?? {}
    const isFilled = constant !== undefined || defaultSql !== undefined || generate !== undefined
    if (kind !== 'date' || !nullable || isFilled) {
      bad(
        `softDelete needs a field ${DELETED_AT}.`,
        `${DELETED_AT}: t.date().nullable(), without a default.`,
        DELETED_AT,
      )
    }
  }
  if (!appendOnly) return
  for (const [name, { spec }] of Object.entries(fields)) {
    const changing = [spec.ref?.onDelete, spec.ref?.onUpdate].find(action => action && action !== 'restrict')
    if (changing)
      bad(`appendOnly rows are never changed, by '${changing}' neither.`, "use 'restrict', or no action.", name)
  }
}

function isIndex(index: unknown): boolean {
  if (Array.isArray(index)) return true
  const { on, where, ...others } = (index ?? {}) as { on?: unknown; where?: unknown }
  return Array.isArray(on) && Object.keys(others).length === 0 && (where === undefined || isSqlExpr(where))
}

/** A text that can stand in DDL. */
const isSchemaText = (value: unknown) => typeof value === 'string' && !value.includes('\0') && isWellFormed(value)

function checkField(spec: FieldSpec, bad: (text: string, hint: string) => never): void {
  const hasDefault = spec.constant !== undefined || spec.defaultSql !== undefined || spec.generate !== undefined
  const made = ['createdAt', 'updatedAt', 'version'].includes(spec.kind)
  if (spec.kind === 'enum' && (!spec.values?.length || !spec.values.every(isSchemaText))) {
    bad('An enum needs texts to choose from, without NUL and halves of pairs.', "t.enum(['a', 'b']).")
  }
  if (spec.max !== undefined && !(Number.isSafeInteger(spec.max) && spec.max >= 0)) {
    bad('max must be a whole number.', 't.text({ max: 320 }).')
  }
  if (spec.primaryKey) {
    if (spec.nullable) bad('A key is never null.', 'remove .nullable().')
    if (!['id', 'autoId', 'text', 'integer', 'bigint'].includes(spec.kind)) {
      bad('A field of that kind is no key.', 'use t.id(), t.autoId(), t.text(), t.integer() or t.bigint().')
    }
  }
  if (spec.readonly && !made && !hasDefault && !spec.nullable) {
    bad('A read-only field needs a default: nothing else can fill it.', 'add .default(...).')
  }
  if (made && (hasDefault || spec.nullable)) bad('The library fills this field.', 'remove .default() and .nullable().')
  if (spec.ref && !REFERENCE_ACTIONS.includes(spec.ref.onDelete)) {
    bad('onDelete knows no such action.', "use 'cascade', 'set null' or 'restrict'.")
  }
  if (spec.ref && !REFERENCE_ACTIONS.includes(spec.ref.onUpdate)) {
    bad('onUpdate knows no such action.', "use 'cascade', 'set null' or 'restrict'.")
  }
  if ([spec.ref?.onDelete, spec.ref?.onUpdate].includes('set null') && !spec.nullable) {
    bad('A field that is not nullable cannot be set to null.', 'add .nullable() or use another action.')
  }
}
