// What db.execute() is given, typed or built -> what crosses, and its results.
import { v7 as uuidv7 } from 'uuid'
import { readOptions, type Prepared } from '../encode/options.js'
import { DataFlowError } from '../shared/errors.js'
import type { Scope } from '../shared/protocol.js'
import { Bound } from './bind.js'
import { compileBuilt, type Models, type Parameters } from './built.js'
import { prepareWorkflow } from './encode.js'
import { planOf } from './plan.js'

/** Where a database keeps its models, for a builder. */
export const MODELS: unique symbol = Symbol.for('dataflow-edge.models')

/** `given`: the input of a typed workflow; the options of a built one. */
export function prepareExecute(
  workflow: unknown,
  given: unknown,
  options: unknown,
  models: Models,
  scope: Scope | null = null,
): { prepared: Prepared; options: unknown } {
  const plan = planOf(workflow)
  if (plan) return { prepared: prepareWorkflow(plan, given ?? {}, models, scope), options }
  const { parameters = {}, ...runOptions } = readOptions(given, ['parameters', 'signal', 'durability'])
  const compiled = compileBuilt(workflow, models, parameters as Parameters)
  const [missing] = compiled.open
  if (missing !== undefined) {
    const hint = `db.execute(built, { parameters: { ${missing.replace('.', ': { ')}: ... } } }).`
    throw new DataFlowError('BAD_WORKFLOW', `${missing} is not given.`, { op: 'workflow', hint })
  }
  const { wire, decode } = prepareWorkflow(compiled.plan, {}, models, scope)
  const runId = uuidv7()
  return {
    prepared: { wire, decode: answer => ({ results: compiled.results(decode(answer) as never), runId }) },
    options: runOptions,
  }
}

/** Checks all that can be known before it is executed. Calls no function of the app's. */
export function checkBuilt(built: unknown, models: Models): void {
  const { plan, open } = compileBuilt(built, models)
  if (open.length === 0) prepareWorkflow(plan, {}, withoutFunctions(models), null)
}

/** Defaults that the app makes are made when it is executed: until then they are some value. */
function withoutFunctions(models: Models): Models {
  const some = new Bound(-1, [], { is: 'unknown' }, 'default', () => {})
  return new Map(
    [...models].map(([name, model]) => {
      const fields = model.fields.map(({ schema, ...field }) =>
        field.generate ? { ...field, generate: () => some } : { ...field, ...(schema ? { schema } : {}) },
      )
      return [name, { ...model, fields, fieldNamed: new Map(fields.map(field => [field.definition.name, field])) }]
    }),
  )
}
