// SQLite's failures as an app sees them: the model and fields by their declared names, and what to do.
import type { ModelDefinition } from '../src/shared/definition.js'
import { DataFlowError, type ErrorCode, type ErrorDetails } from '../src/shared/errors.js'
import { SqliteError } from './seams.js'

export interface FailureContext {
  readonly models: Iterable<ModelDefinition>
  readonly model?: ModelDefinition
  readonly op?: string
  readonly sql?: string
}

export function toDataFlowError(error: unknown, context: FailureContext): DataFlowError {
  if (DataFlowError.is(error)) return error
  if (!(error instanceof SqliteError)) {
    const text = error instanceof Error ? error.message : String(error)
    const details = { hint: 'this is a defect of the library; please report it.' }
    return new DataFlowError('SQL', `Unexpected failure in the worker: ${text}.`, details, error)
  }
  const model = findModel(error.table, context) ?? ownerOf(error.constraint, context) ?? context.model
  const columns = error.columns ?? columnsOfConstraint(error.constraint, model)
  const fields = columns?.map(column => model?.fields.find(field => field.column === column)?.name ?? column)
  const { text, hint } = explain(error, model, fields ?? [], context.op)
  const details: ErrorDetails = {
    ...(model ? { model: model.name } : {}),
    ...(context.op ? { op: context.op } : {}),
    ...(fields?.length ? { fields } : {}),
    ...(context.sql && error.code === 'SQL' ? { sql: context.sql } : {}),
    hint,
    ...(error.code === 'LOCKED' ? { retryable: true } : {}),
  }
  return new DataFlowError(error.code, text, details, error)
}

function findModel(table: string | undefined, { models }: FailureContext): ModelDefinition | undefined {
  if (table === undefined) return undefined
  for (const model of models) if (model.table.toLowerCase() === table.toLowerCase()) return model
  return undefined
}

/** The model whose table has this constraint: raw SQL has no model of its own, and a trigger writes another's. */
function ownerOf(constraint: string | undefined, { models }: FailureContext): ModelDefinition | undefined {
  if (constraint === undefined) return undefined
  for (const model of models) {
    if (constraint.startsWith(`ck:${model.table}:`) || model.indexes.some(({ name }) => name === constraint))
      return model
  }
  return undefined
}

/** What SQLite says, without the bound value that some of its messages end with. */
const withoutValue = (message: string) => message.replace(/^(bad JSON path|malformed MATCH expression): .*$/s, '$1')

/** Our own constraints carry their columns in their names: `ux:users:role,age`, `ck:users:role:enum`. */
function columnsOfConstraint(name: string | undefined, model: ModelDefinition | undefined): string[] | undefined {
  if (name === undefined || !model) return undefined
  const index = model.indexes.find(candidate => candidate.name === name)
  if (index) return index.fields.map(field => model.fields.find(f => f.name === field)!.column)
  const rest = name.startsWith(`ck:${model.table}:`) ? name.slice(`ck:${model.table}:`.length) : ''
  // Without a column, as `ck:users:10`, it is a check of the whole row.
  const column = rest.slice(0, Math.max(rest.lastIndexOf(':'), 0))
  return column ? [column] : undefined
}

/** Its name, and the condition as the app declared it. */
function checkNamed(name: string, model: ModelDefinition | undefined): string {
  const own = model?.checks.find(check => check.name === name)?.sql
  const of = (column: string) => `ck:${model?.table}:${column}:`
  const field = model?.fields.find(({ column }) => name.startsWith(of(column)))
  const sql = own ?? field?.checks[Number(name.slice(of(field.column).length)) - 1]
  return sql === undefined ? name : `${name} (${sql})`
}

function explain(
  error: SqliteError,
  model: ModelDefinition | undefined,
  fields: readonly string[],
  op: string | undefined,
): { text: string; hint: string } {
  const named = fields.join(' and ')
  const table = model ? `db.${model.accessor}` : 'the table'
  const texts: Partial<Record<ErrorCode, { text: string; hint: string }>> = {
    UNIQUE: {
      text: `another row already has this ${named || 'value'}.`,
      hint: /restore$/i.test(op ?? '')
        ? 'change or delete that row first.'
        : model?.softDelete !== undefined && fields.join() === model.key
          ? `read it first, or use ${table}.restore(id) if it was deleted.`
          : `use ${table}.upsert(data, { on: ${fields.length === 1 ? `'${fields[0]}'` : `[${fields.map(f => `'${f}'`).join(', ')}]`}${model?.appendOnly ? ', update: []' : ''} }) or read it first.`,
    },
    NOT_NULL: { text: `${named || 'a field'} must not be null.`, hint: `give ${named || 'it'} a value.` },
    CHECK: {
      text: `${named || 'the row'} does not pass the check ${checkNamed(error.constraint ?? '', model)}`.trim() + '.',
      hint: 'correct the value; the condition is in the model.',
    },
    FOREIGN_KEY: {
      text: 'a reference points to a row that does not exist, or rows still refer to this one.',
      hint: 'write the row that is referred to first; delete the rows that refer first, or declare onDelete.',
    },
    VALIDATION: { text: `${named || 'a value'} cannot be stored: ${error.message}.`, hint: 'correct the value.' },
    LOCKED: { text: `${error.message}.`, hint: 'try again when it has finished.' },
    STORAGE_FULL: {
      text: 'there is no memory left for the database to grow.',
      hint: 'nothing was changed; delete rows, or close other tabs.',
    },
  }
  const known = texts[error.code]
  if (known) return known
  if (error.missing) {
    return {
      text: `${withoutValue(error.message)}.`,
      hint: 'check the names; a table is made at the first operation on its model.',
    }
  }
  return {
    text: `${withoutValue(error.message)}.`,
    hint: error.fatal ? 'the worker was stopped; reload.' : 'check the statement.',
  }
}
