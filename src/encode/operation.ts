// An operation value -> what crosses, and how its answer becomes the app's result.
import { METHODS, type MethodName, type Operation } from '../model.js'
import type { PageModel } from '../resolve.js'
import { isObject } from '../shared/codec.js'
import type { WireOperation } from '../shared/operation.js'
import { AGGREGATE_OPTIONS, prepareAggregate, prepareDistinct } from './aggregate.js'
import { bulkResult, prepareRows, readRowRules, ROWS_OPTIONS, target } from './bulk.js'
import { badOption, named, readOptions, type PreparedOperation } from './options.js'
import { parseFilter } from './query.js'
import { prepareList, preparePage, prepareRead } from './read.js'
import { encodeAssignments, encodeKey, type Context } from './row.js'
import { prepareSearch, SEARCH_OPTIONS } from './search.js'
import { answeredRow, parseVersion, prepareCreate, prepareUpdate, prepareUpsert } from './write.js'

/** Checks and encodes an operation on the calling thread. Throws a DataFlowError; nothing was sent. */
export function prepare(
  model: PageModel,
  operation: Operation<unknown>,
  within: Pick<Context, 'references' | 'scope'> = {},
): PreparedOperation {
  const { op } = operation
  const details = { model: model.definition.name, op }
  const { wire, decode } = named(details, () => prepareSeen(operation, { model, op, ...within }))
  return { wire: { ...wire, method: op }, decode: result => named(details, () => decode(result)) }
}

/** Takes the option out that every reading operation of a model with softDelete has. */
function prepareSeen(operation: Operation<unknown>, context: Context): PreparedOperation {
  const { op, args } = operation
  const { write, optionsAt } = METHODS[op]
  const given = args[optionsAt]
  if (write || !isObject(given) || given.withDeleted === undefined) return prepareAs(op, args, context)
  const { name, softDelete } = context.model.definition
  const { withDeleted, ...rest } = given
  if (softDelete === undefined) {
    throw badOption(`${name} has no softDelete: withDeleted has no meaning.`, 'leave it out.')
  }
  if (typeof withDeleted !== 'boolean') throw badOption('withDeleted is true or false.', '{ withDeleted: true }.')
  const prepared = prepareAs(
    op,
    args.map((arg, i) => (i === optionsAt ? rest : arg)),
    context,
  )
  return { ...prepared, wire: { ...prepared.wire, withDeleted } }
}

function prepareAs(op: MethodName, args: readonly unknown[], context: Context): PreparedOperation {
  const { model } = context
  const { optionsAt, own } = METHODS[op]
  if (!own) readOptions(args[optionsAt], [])
  switch (op) {
    case 'create':
      return prepareCreate(args[0], context)
    case 'read':
    case 'readOrThrow':
      return prepareRead(args[0], readOptions(args[1], ['select', 'include']), context)
    case 'update':
      return prepareUpdate(args[0], args[1], readOptions(args[2], ['version']), context)
    case 'delete': {
      const version = parseVersion(readOptions(args[1], ['version']), context)
      return answered({ op, model: model.definition.name, id: encodeKey(args[0], context), version })
    }
    case 'restore': {
      const version = parseVersion(readOptions(args[1], ['version']), context)
      return answeredRow({ op, model: model.definition.name, id: encodeKey(args[0], context), version }, context)
    }
    case 'purge':
      return answered({ op, model: model.definition.name, id: encodeKey(args[0], context) })
    case 'list':
    case 'first':
      return prepareList(readOptions(args[0], ['where', 'orderBy', 'limit', 'offset', 'select', 'include']), context)
    case 'page':
      return preparePage(
        readOptions(args[0], ['where', 'orderBy', 'limit', 'after', 'before', 'select', 'include']),
        context,
      )
    case 'count':
      return answered({ op, model: model.definition.name, where: parseFilter(args[0], context) })
    case 'aggregate':
      return prepareAggregate(readOptions(args[0], AGGREGATE_OPTIONS), context)
    case 'distinct':
      return prepareDistinct(args[0], readOptions(args[1], ['where', 'limit']), context)
    case 'search':
      return prepareSearch(args[0], readOptions(args[1], SEARCH_OPTIONS), context)
    case 'upsert':
      return prepareUpsert(args[0], readOptions(args[1], ['on', 'update']), context)
    case 'bulkCreate':
    case 'bulkUpsert':
      return prepareRows(args[0], readRowRules(readOptions(args[1], ROWS_OPTIONS[op]), context), context)
    case 'bulkUpdate': {
      const options = readOptions(args[0], ['where', 'all', 'set'])
      const set = encodeAssignments(options.set, context)
      return bulkResult({ op: 'bulkUpdate', model: model.definition.name, where: target(options, context), set })
    }
    case 'bulkDelete':
    case 'bulkRestore':
    case 'bulkPurge': {
      const options = readOptions(args[0], ['where', 'all'])
      return bulkResult({ op, model: model.definition.name, where: target(options, context) })
    }
  }
}

/** What is answered is the result. */
const answered = (wire: WireOperation): PreparedOperation => ({ wire, decode: result => result })
