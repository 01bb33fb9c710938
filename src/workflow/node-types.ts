// The node types of a database, named as DataFlow names them: what each takes, and its flat result.
import { operationOf, type Operation } from '../model.js'
import type { PageField, PageModel } from '../resolve.js'
import { isObject } from '../shared/codec.js'
import { DataFlowError } from '../shared/errors.js'
import { sql } from '../shared/sql.js'
import { shown } from './connect.js'
import { MARKS } from './marks.js'
import type { Body } from './plan.js'
import { partsOf } from './sql-text.js'

export type Params = Record<string, unknown>
type Path = readonly (string | number)[]

export interface NodeType {
  readonly name: string
  /** Names of its parameters, which are its inputs. null: the fields of its model, when that is not known yet. */
  readonly inputs: readonly string[] | null
  /** One of each of these must be there, as a parameter or as a connection. */
  readonly required: readonly (readonly string[])[]
  /** Its outputs. */
  readonly outputs: readonly string[] | null
  body(params: Params, frames: Frames): Body
  /** From a path of its flat result to the path in what the operation gives. */
  outputPath(path: Path): Path
  /** The flat result. */
  result(value: unknown, params: Params): unknown
}

/** The scopes and savepoints that are open, innermost last. */
export interface Frames {
  readonly node: string
  readonly open: { name: string; scope: boolean }[]
}

interface OperationType {
  readonly inputs: readonly string[] | null
  readonly required?: readonly (readonly string[])[]
  readonly outputs: readonly string[] | null
  readonly tell?: true
  operation(model: string, params: Params): Operation<unknown>
  outputPath?(path: Path): Path
  result(value: any, params: Params): unknown
}

const TARGET = [['filter', 'all']]
const target = ({ filter, all }: Params) => ({
  ...(filter === undefined ? {} : { where: filter }),
  ...(all === undefined ? {} : { all }),
})
const pick = (params: Params, ...names: string[]): Params =>
  Object.fromEntries(names.filter(name => params[name] !== undefined).map(name => [name, params[name]]))

const bulk = (done: string, value: { count: number; errors: readonly unknown[] }, processed: number) => ({
  processed,
  [done]: value.count,
  success: value.errors.length === 0,
})

/** An input of models with softDelete. */
const SEEN = 'withDeleted'

const OPERATIONS: Record<string, OperationType> = {
  Create: {
    inputs: null,
    outputs: null,
    operation: (model, params) => operationOf(model, 'create', [params]),
    result: row => row,
  },
  Read: {
    inputs: ['id', 'select', SEEN],
    required: [['id']],
    outputs: null,
    operation: (model, { id, ...params }) => operationOf(model, 'read', [id, pick(params, 'select', SEEN)]),
    result: row => (row === null ? { found: false } : { ...row, found: true }),
  },
  Update: {
    inputs: ['id', 'fields', 'version'],
    required: [['id'], ['fields']],
    outputs: null,
    operation: (model, { id, fields, version }) =>
      operationOf(model, 'update', [id, fields, version === undefined ? undefined : { version }]),
    result: row => ({ ...row, rows_affected: 1, updated: true }),
  },
  Delete: {
    inputs: ['id', 'version'],
    required: [['id']],
    outputs: ['deleted'],
    operation: (model, { id, ...params }) => operationOf(model, 'delete', [id, pick(params, 'version')]),
    outputPath: ([, ...path]) => path,
    result: (deleted, { id }) => ({ id, deleted }),
  },
  List: {
    inputs: ['filter', 'orderBy', 'limit', 'offset', 'select', SEEN],
    outputs: ['records', 'count'],
    operation: (model, { filter, ...params }) =>
      operationOf(model, 'list', [
        {
          ...(filter === undefined ? {} : { where: filter }),
          ...pick(params, 'orderBy', 'limit', 'offset', 'select', SEEN),
        },
      ]),
    outputPath: ([name, ...path]) => (name === 'count' ? ['length', ...path] : path),
    result: (records, { limit = null }) => ({ records, count: records.length, limit }),
  },
  Count: {
    inputs: ['filter', SEEN],
    outputs: ['count'],
    operation: (model, { filter, ...params }) => operationOf(model, 'count', [filter, pick(params, SEEN)]),
    outputPath: ([, ...path]) => path,
    result: count => ({ count }),
  },
  Upsert: {
    inputs: ['where', 'create', 'update'],
    required: [['where'], ['create']],
    outputs: ['record'],
    tell: true,
    operation: (model, { where, create, update }) =>
      operationOf(model, 'upsert', [
        { ...(where as object), ...(create as object) },
        { on: Object.keys(where as object), ...(update === undefined ? {} : { update }) },
      ]),
    outputPath: ([, ...path]) => path,
    result: ({ record, created }) => ({ created, action: created ? 'created' : 'updated', record }),
  },
  BulkCreate: {
    inputs: ['data', 'onConflict', 'onError'],
    required: [['data']],
    outputs: ['inserted', 'ids'],
    operation: (model, { data, ...options }) =>
      operationOf(model, 'bulkCreate', [data, pick(options, 'onConflict', 'onError')]),
    outputPath: ([name, ...path]) => [name === 'inserted' ? 'count' : name!, ...path],
    result: (value, { data }) => ({
      ...bulk('inserted', value, (data as unknown[]).length),
      ids: value.ids,
      errors: value.errors,
    }),
  },
  BulkUpdate: {
    inputs: ['filter', 'all', 'fields'],
    required: [...TARGET, ['fields']],
    outputs: ['updated'],
    operation: (model, { fields, ...params }) => operationOf(model, 'bulkUpdate', [{ ...target(params), set: fields }]),
    outputPath: ([, ...path]) => ['count', ...path],
    result: value => bulk('updated', value, value.count),
  },
  BulkDelete: {
    inputs: ['filter', 'all'],
    required: TARGET,
    outputs: ['deleted'],
    operation: (model, params) => operationOf(model, 'bulkDelete', [target(params)]),
    outputPath: ([, ...path]) => ['count', ...path],
    result: value => bulk('deleted', value, value.count),
  },
  BulkUpsert: {
    inputs: ['data', 'on'],
    required: [['data']],
    outputs: ['upserted', 'ids'],
    operation: (model, { data, on }) => operationOf(model, 'bulkUpsert', [data, on === undefined ? undefined : { on }]),
    outputPath: ([name, ...path]) => [name === 'upserted' ? 'count' : name!, ...path],
    result: (value, { data }) => ({ ...bulk('upserted', value, (data as unknown[]).length), ids: value.ids }),
  },
}

const SQL_NODE: NodeType = {
  name: 'SQLNode',
  inputs: ['sql', 'params'],
  required: [['sql']],
  outputs: ['records', 'count'],
  body({ sql: text, params = [] }) {
    if (typeof text !== 'string' || !Array.isArray(params))
      throw bad('sql is a text and params a list.', "{ sql: 'select ?', params: [1] }.")
    const parts = partsOf(text)
    if (params.length !== parts.length - 1) {
      throw bad(
        `The text has ${parts.length - 1} places and there are ${params.length} params.`,
        'one value for each ?.',
      )
    }
    return { query: sql(Object.assign(parts, { raw: parts }), ...params) }
  },
  outputPath: ([name, ...path]) => (name === 'count' ? ['length', ...path] : path),
  result: records => ({ records, count: (records as unknown[]).length }),
}

/** The name of a node type without its model: to tell a wrong one before the models are known. */
export const OPERATION_NAMES = Object.keys(OPERATIONS)

/** The node types that every database has. */
export const COMMON_TYPES: ReadonlyMap<string, NodeType> = new Map([SQL_NODE, ...MARKS].map(type => [type.name, type]))

/** The node types of one model. Without the model, what is known without its fields. */
export function modelTypes(name: string, model: PageModel | null): NodeType[] {
  return Object.entries(OPERATIONS).map(([operation, type]) => nodeType(name, operation, type, model))
}

function nodeType(name: string, operation: string, type: OperationType, model: PageModel | null): NodeType {
  const fields = model && [...model.fieldNamed.keys()]
  const creates = operation === 'Create'
  const hasSoftDelete = model?.definition.softDelete !== undefined
  return {
    name: `${name}${operation}Node`,
    inputs: creates ? fields : (type.inputs?.filter(input => input !== SEEN || !model || hasSoftDelete) ?? null),
    required:
      creates && model
        ? model.fields.filter(isRequired).map(({ definition }) => [definition.name])
        : (type.required ?? []),
    outputs: type.outputs ?? fields,
    body: params => {
      if (operation === 'Upsert' && !(isObject(params.where) && isObject(params.create))) {
        throw bad('where and create are objects of fields.', '{ where: { email }, create: { name } }.')
      }
      if (operation === 'Upsert') assertApart(params.where as Params, params.create as Params)
      return { query: type.operation(name, params), ...(type.tell ? { tell: true } : {}) }
    },
    outputPath: type.outputPath ?? (path => path),
    result: type.result,
  }
}

/** `create` would win, and another row be looked at than `where` says. */
function assertApart(where: Params, create: Params): void {
  const both = Object.keys(where).find(name => create[name] !== undefined && create[name] !== where[name])
  if (both === undefined) return
  throw bad(`where and create give ${shown(both)} different values.`, 'leave it out of create.')
}

/** A create cannot leave it out. */
function isRequired({ definition, generate }: PageField): boolean {
  const { kind, nullable, defaultValue, defaultSql, readonly } = definition
  const made = ['id', 'autoId', 'version', 'createdAt', 'updatedAt'].includes(kind)
  return !nullable && !made && !readonly && !generate && defaultValue === undefined && defaultSql === undefined
}

function bad(text: string, hint: string): DataFlowError {
  return new DataFlowError('BAD_WORKFLOW', text, { op: 'workflow', hint })
}
