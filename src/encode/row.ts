// An app's values -> a row as it is stored. All that is wrong with a row is said in one error.
import { v7 as uuidv7 } from 'uuid'
import { hasSchema, type PageField, type PageModel } from '../resolve.js'
import { BadValue, callApp, describe, encodeValue, isObject } from '../shared/codec.js'
import type { StoredValue } from '../shared/definition.js'
import { DataFlowError, type Issue } from '../shared/errors.js'
import { didYouMean } from '../shared/nearest.js'
import type { Assignment, WireRow } from '../shared/operation.js'
import type { Scope } from '../shared/protocol.js'
import { asStored, type WireReference } from '../shared/workflow.js'
import { applySchema } from './model-schema.js'

/** What an error of this operation names. */
export interface Context {
  readonly model: PageModel
  readonly op: string
  /** In a workflow. */
  readonly references?: References | undefined
  /** What the worker will bind it to; null on the database itself. */
  readonly scope?: Scope | null
}

/** References to what earlier nodes of a workflow give. */
export interface References {
  /** What crosses in place of a reference; undefined for what is none. Throws BAD_WORKFLOW where it does not fit. */
  toWire(value: unknown, field: PageField, operator?: string): WireReference | undefined
  /** In place of what would be made here, once, for a row that is made many times. */
  made?(field: PageField): WireReference
}

/** Collects what is wrong with several values into one VALIDATION error. */
export class Issues {
  readonly #fields = new Set<string>()
  readonly #issues: Issue[] = []
  #cause: unknown

  add(field: string, { issues, cause }: BadValue): void {
    this.#fields.add(field)
    this.#cause ??= cause
    for (const issue of issues) this.#issues.push({ path: [field, ...issue.path], message: issue.message })
  }

  /** Of the model's schema. What a field says of itself stands for what the schema says of it. */
  addRow({ issues, cause }: BadValue): void {
    const known = new Set<PropertyKey>(this.#fields)
    this.#cause ??= cause
    for (const issue of issues) {
      const [field] = issue.path
      if (field !== undefined && known.has(field)) continue
      if (typeof field === 'string') this.#fields.add(field)
      this.#issues.push(issue)
    }
  }

  throwIfAny(): void {
    if (this.#issues.length === 0) return
    const text = this.#issues
      .map(({ path, message }) => [path.map(String).join('.'), message].join(' ').trim())
      .join('; ')
    const details = {
      fields: [...this.#fields],
      issues: this.#issues,
      hint: 'correct the values; nothing was written.',
    }
    throw new DataFlowError('VALIDATION', `${text}.`, details, this.#cause)
  }
}

/** An object of an app's: not an array, not null. */
export function assertObject(
  value: unknown,
  what: string,
  { model }: Context,
): asserts value is Record<string, unknown> {
  if (isObject(value)) return
  throw new DataFlowError('VALIDATION', `${what} must be an object, not ${describe(value)}.`, {
    hint: `pass an object of ${model.definition.name}'s fields.`,
  })
}

/** The field of that name, or an UNKNOWN_FIELD error with the nearest name. */
export function knownField(name: string, { model }: Context): PageField {
  const field = model.fieldNamed.get(name)
  if (field) return field
  const shown = name.replaceAll('\0', '\\0')
  throw new DataFlowError('UNKNOWN_FIELD', `${model.definition.name} has no field "${shown}".`, {
    model: model.definition.name,
    fields: [shown],
    hint: didYouMean(name, [...model.fieldNamed.keys()]),
  })
}

function refuseReadonly(field: string, what: string): never {
  throw new DataFlowError('READONLY', `${field} ${what}.`, {
    fields: [field],
    hint: `leave ${field} out.`,
  })
}

/** A new row as it is stored, and the fields that the model's schema added to what was given. */
export interface NewRow {
  readonly row: WireRow
  readonly added: readonly string[]
}

const NOTHING_ADDED: readonly string[] = []

/** Encodes a new row; generated values are filled here, once per execution (semantics 17). */
export function encodeRow(data: unknown, context: Context): WireRow {
  return encodeNewRow(data, context).row
}

export function encodeNewRow(data: unknown, context: Context): NewRow {
  assertObject(data, 'The data', context)
  const { model, scope } = context
  for (const name in data) {
    const { definition } = model.fieldNamed.get(name) ?? knownField(name, context)
    if (definition.readonly && Object.hasOwn(data, name) && data[name] !== undefined) {
      refuseReadonly(name, 'is made by the library and cannot be given')
    }
  }
  const issues = new Issues()
  const bound = scope ? model.definition.scope : undefined
  const accepted = model.schema ? applySchema(model.schema, data, context) : null
  const values = accepted?.values ?? data
  const row = model.fields.map((field): StoredValue | undefined => {
    const { name } = field.definition
    const value = Object.hasOwn(values, name) ? values[name] : undefined
    // As the worker fills it in: the answer to a create does not repeat the row. No schema changes it.
    if (bound?.includes(name) && data[name] === undefined) return scope![name]
    const made = context.references?.made
    if (made && value === undefined && (field.generate ?? field.definition.kind === 'id')) return asStored(made(field))
    return value === undefined && !field.generate
      ? absentValue(field, issues, context)
      : encodeField(field, value, issues, context)
  })
  if (accepted?.failure) issues.addRow(accepted.failure)
  issues.throwIfAny()
  return { row, added: accepted?.added ?? NOTHING_ADDED }
}

function absentValue(field: PageField, issues: Issues, context: Context): StoredValue | undefined {
  const { definition } = field
  if (definition.defaultValue !== undefined) return definition.defaultValue
  if (definition.defaultSql !== undefined) return undefined
  switch (definition.kind) {
    case 'id':
      return hasSchema(field) ? encodeField(field, uuidv7(), issues, context) : uuidv7()
    case 'autoId':
    case 'createdAt':
    case 'updatedAt':
      return undefined
    case 'version':
      return 1
  }
  if (definition.nullable) return null
  issues.add(definition.name, new BadValue('is required'))
  return undefined
}

/** Encodes a value; one that is undefined is made by the field's own function, if it has one. */
function encodeField(
  field: PageField,
  given: unknown,
  issues: Issues,
  { references }: Pick<Context, 'references'>,
): StoredValue | undefined {
  const { definition, schema, generate } = field
  try {
    const value = given === undefined && generate ? callApp('default', generate) : given
    const reference = references?.toWire(value, field)
    if (reference) return asStored(reference)
    if (value === null && definition.nullable) return null
    if (value === null && definition.kind !== 'json') throw new BadValue('must not be null')
    return encodeValue(definition, value, schema)
  } catch (error) {
    if (!(error instanceof BadValue)) throw error
    issues.add(definition.name, error)
    return undefined
  }
}

/** Encodes a key. */
export function encodeKey(id: unknown, context: Context): StoredValue {
  return encodeGiven(context.model.fieldNamed.get(context.model.definition.key)!, id, context)
}

/** Encodes a value that rows are told by. It does not go through the field's schema: what is stored has been through it. */
export function encodeGiven(
  { definition }: PageField,
  value: unknown,
  context: Pick<Context, 'references'>,
): StoredValue {
  const issues = new Issues()
  const stored =
    value === undefined
      ? issues.add(definition.name, new BadValue('is required'))
      : encodeField({ definition }, value, issues, context)
  issues.throwIfAny()
  return stored as StoredValue
}

/** Encodes what an update sets: values, and `{ $inc }` on numbers. Fields that are undefined are left out. */
export function encodeAssignments(patch: unknown, context: Context): Assignment[] {
  assertObject(patch, 'The patch', context)
  const issues = new Issues()
  const assignments: Assignment[] = []
  for (const [name, value] of Object.entries(patch)) {
    const field = knownField(name, context)
    const { definition } = field
    if (value === undefined) continue
    if (definition.readonly) refuseReadonly(name, 'is kept by the library and cannot be set')
    if (definition.primaryKey) refuseReadonly(name, 'is the key and cannot be changed')
    if (isIncrement(definition.kind, value)) {
      if (hasSchema(field)) {
        const text = 'has a schema, which never sees the sum that $inc makes in SQL: read the row and write the value'
        issues.add(name, new BadValue(text))
        continue
      }
      const by = encodeField({ definition: { ...definition, nullable: false } }, value.$inc, issues, context)
      if (by !== undefined) assignments.push({ field: name, increment: by as number | bigint })
    } else {
      const stored = encodeField(field, value, issues, context)
      if (stored !== undefined) assignments.push({ field: name, value: stored })
    }
  }
  issues.throwIfAny()
  return assignments
}

function isIncrement(kind: string, value: unknown): value is { $inc: unknown } {
  return (
    ['integer', 'bigint', 'real'].includes(kind) &&
    typeof value === 'object' &&
    value !== null &&
    Object.keys(value).join() === '$inc'
  )
}
