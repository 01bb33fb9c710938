// A model's own schema: what it makes of a new row, before any field is encoded.
import type { StandardSchemaV1 } from '@standard-schema/spec'
import { v7 as uuidv7 } from 'uuid'
import type { PageField } from '../resolve.js'
import { BadValue, callApp, describe, isObject, validate } from '../shared/codec.js'
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

/** Throws UNKNOWN_FIELD and READONLY when it gives what no write may. */
export function applySchema(
  schema: StandardSchemaV1,
  data: Readonly<Record<string, unknown>>,
  context: Context,
): AcceptedRow {
  const values: Record<string, unknown> = {}
  try {
    for (const field of context.model.fields) {
      const { name } = field.definition
      const given = Object.hasOwn(data, name) ? data[name] : undefined
      const value = given === undefined ? defaultOf(field) : given
      if (value !== undefined) values[name] = value
    }
    const output = validate(schema, { ...values })
    if (!isObject(output)) throw new BadValue(`the schema of the model gives ${describe(output)} for a row`)
    for (const name of Object.keys(output)) assertWritable(name, context)
    const made = Object.entries(output).filter(([, value]) => value !== undefined)
    return {
      values: { ...values, ...output },
      added: made
        .map(([name]) => name)
        .filter(name => !(name in values) && !fieldOf(name, context)!.definition.readonly),
    }
  } catch (error) {
    if (!(error instanceof BadValue)) throw error
    return { values, added: [], failure: error }
  }
}

function defaultOf({ definition, generate, constant }: PageField): unknown {
  if (generate) return madeBy(definition.name, generate)
  if (constant) return constant.value
  return definition.kind === 'id' ? uuidv7() : undefined
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
  if (!['createdAt', 'updatedAt', 'version'].includes(field.definition.kind)) return
  throw new DataFlowError('READONLY', `The schema of the model gives ${name}, which the library makes.`, {
    fields: [name],
    hint: `leave ${name} out of it.`,
  })
}
