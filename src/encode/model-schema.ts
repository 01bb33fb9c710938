// A model's own schema: what it makes of a new row, before any field is encoded.
import type { StandardSchemaV1 } from '@standard-schema/spec'
import { v7 as uuidv7 } from 'uuid'
import type { PageField } from '../resolve.js'
import { BadValue, callApp, decodeValue, describe, isObject, validate } from '../shared/codec.js'
import { DataFlowError } from '../shared/errors.js'
import { didYouMean } from '../shared/nearest.js'
import type { Context } from './row.js'

/** What the schema makes of a row. */
export interface AcceptedRow {
  /** What was given, the defaults that the page knows, and the schema's output over both. */
  readonly values: Readonly<Record<string, unknown>>
  /** Fields that were neither given nor have a default, and that the schema has made. */
  readonly added: readonly string[]
  readonly failure?: BadValue
}

/**
 * Throws UNKNOWN_FIELD and READONLY when it gives what no write may, and BAD_WORKFLOW when it looks at what only a later
 * result of a workflow will be.
 */
export function applySchema(
  schema: StandardSchemaV1,
  data: Readonly<Record<string, unknown>>,
  context: Context,
): AcceptedRow {
  const values: Record<string, unknown> = {}
  const unseen = new Map<PropertyKey, unknown>()
  try {
    for (const field of context.model.fields) {
      const { name } = field.definition
      const given = Object.hasOwn(data, name) ? data[name] : undefined
      const value = given === undefined ? defaultOf(field, context) : given
      if (value === undefined) continue
      values[name] = value
      if (context.references?.toWire(value, field)) unseen.set(name, unseenValue(name))
    }
    const output = validate(schema, { ...values, ...Object.fromEntries(unseen) })
    if (!isObject(output)) throw new BadValue(`the schema of the model gives ${describe(output)} for a row`)
    for (const name of Object.keys(output)) assertWritable(name, context)
    const made = Object.entries(output).filter(([name, value]) => value !== undefined && value !== unseen.get(name))
    return {
      values: { ...values, ...Object.fromEntries(made), ...leftOut(output) },
      added: made
        .map(([name]) => name)
        .filter(name => !(name in values) && !fieldOf(name, context)!.definition.readonly),
    }
  } catch (error) {
    if (!(error instanceof BadValue)) throw error
    if (DataFlowError.is(error.cause, 'BAD_WORKFLOW')) throw error.cause
    const [looked] = error.issues.map(({ path }) => path[0]).filter(name => name !== undefined && unseen.has(name))
    if (looked !== undefined) throw seenTooEarly(String(looked))
    return { values, added: [], failure: error }
  }
}

/** What it gives as undefined: a value that was given is taken out. */
function leftOut(output: Record<string, unknown>): Record<string, undefined> {
  const names = Object.keys(output).filter(name => output[name] === undefined)
  return Object.fromEntries(names.map(name => [name, undefined]))
}

function defaultOf({ definition, generate, constant }: PageField, { model, references, scope }: Context): unknown {
  // What the scope writes into the row; it stays so, whatever the schema gives.
  if (scope && model.definition.scope?.includes(definition.name)) {
    return decodeValue(definition, scope[definition.name], false)
  }
  // Made later, once for each item of a list.
  if (references?.made && (generate ?? definition.kind === 'id')) return undefined
  if (generate) return madeBy(definition.name, generate)
  if (constant) return constant.value
  return definition.kind === 'id' ? uuidv7() : undefined
}

/** Stands for a result that is not there yet: whoever looks into it is told. */
function unseenValue(name: string): unknown {
  const refuse = () => {
    throw seenTooEarly(name)
  }
  return new Proxy({}, { get: refuse, has: refuse, ownKeys: refuse })
}

function seenTooEarly(name: string): DataFlowError {
  return new DataFlowError('BAD_WORKFLOW', `The schema of the model looks at ${name}, which is a reference.`, {
    fields: [name],
    hint: "leave it to the field's own schema, or to `checks`; or write the row in a transaction.",
  })
}

/** What fails is said of the field, not of the row. */
function madeBy(field: string, generate: () => unknown): unknown {
  try {
    return callApp('default', generate)
  } catch (error) {
    const { message, cause } = error as BadValue
    throw new BadValue(message, [{ path: [field], message }], cause)
  }
}

const fieldOf = (name: string, { model }: Context) => model.fieldNamed.get(name)

function assertWritable(name: string, context: Context): void {
  const field = fieldOf(name, context)
  const shown = name.replaceAll('\0', '\\0')
  if (!field) {
    const hint = didYouMean(name, [...context.model.fieldNamed.keys()])
    throw new DataFlowError('UNKNOWN_FIELD', `The schema of the model gives "${shown}", which is no field.`, {
      fields: [shown],
      hint,
    })
  }
  const { softDelete } = context.model.definition
  if (name !== softDelete && !['createdAt', 'updatedAt', 'version'].includes(field.definition.kind)) return
  throw new DataFlowError('READONLY', `The schema of the model gives ${name}, which the library makes.`, {
    fields: [name],
    hint: `leave ${name} out of it.`,
  })
}
