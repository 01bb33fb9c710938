// An operation value -> what crosses, and how its answer becomes the app's result.
import { METHODS, type Operation } from '../model.js'
import type { PageModel } from '../resolve.js'
import { AGGREGATE_OPTIONS, prepareAggregate, prepareDistinct } from './aggregate.js'
import { bulkResult, prepareBulkCreate, prepareRows, target } from './bulk.js'
import { named, readOptions, type PreparedOperation } from './options.js'
import { parseFilter, prepareList, preparePage, prepareRead } from './read.js'
import { encodeAssignments, encodeKey, type Context, type References } from './row.js'
import { conflictFields, prepareCreate, prepareUpdate, prepareUpsert } from './write.js'

/** Checks and encodes an operation on the calling thread. Throws a DataFlowError; nothing was sent. */
export function prepare(model: PageModel, operation: Operation<unknown>, references?: References): PreparedOperation {
  const { op } = operation
  const details = { model: model.definition.name, op }
  const { wire, decode } = named(details, () => prepareAs(operation, { model, op, references }))
  return { wire: { ...wire, method: op }, decode: result => named(details, () => decode(result)) }
}

function prepareAs({ op, args }: Operation<unknown>, context: Context): PreparedOperation {
  const { model } = context
  const { optionsAt, own } = METHODS[op]
  if (!own) readOptions(args[optionsAt], [])
  switch (op) {
    case 'create':
      return prepareCreate(args[0], context)
    case 'read':
    case 'readOrThrow':
      return prepareRead(args[0], readOptions(args[1], ['select']), context)
    case 'update':
      return prepareUpdate(args[0], args[1], readOptions(args[2], ['version']), context)
    case 'delete':
      return {
        wire: { op: 'delete', model: model.definition.name, id: encodeKey(args[0], context) },
        decode: result => result,
      }
    case 'list':
    case 'first':
      return prepareList(readOptions(args[0], ['where', 'orderBy', 'limit', 'offset', 'select']), context)
    case 'page':
      return preparePage(readOptions(args[0], ['where', 'orderBy', 'limit', 'after', 'before', 'select']), context)
    case 'count':
      return {
        wire: { op: 'count', model: model.definition.name, where: parseFilter(args[0], context) },
        decode: result => result,
      }
    case 'aggregate':
      return prepareAggregate(readOptions(args[0], AGGREGATE_OPTIONS), context)
    case 'distinct':
      return prepareDistinct(args[0], readOptions(args[1], ['where', 'limit']), context)
    case 'upsert':
      return prepareUpsert(args[0], readOptions(args[1], ['on', 'update']), context)
    case 'bulkCreate':
      return prepareBulkCreate(args[0], readOptions(args[1], ['onConflict', 'onError']), context)
    case 'bulkUpsert': {
      const { on } = readOptions(args[1], ['on'])
      return prepareRows(args[0], { policy: 'update', on: conflictFields(on, context) }, false, context)
    }
    case 'bulkUpdate': {
      const options = readOptions(args[0], ['where', 'all', 'set'])
      const set = encodeAssignments(options.set, context)
      return bulkResult({ op: 'bulkUpdate', model: model.definition.name, where: target(options, context), set })
    }
    case 'bulkDelete': {
      const options = readOptions(args[0], ['where', 'all'])
      return bulkResult({ op: 'bulkDelete', model: model.definition.name, where: target(options, context) })
    }
  }
}
