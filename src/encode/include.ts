// What is read along with rows: what crosses, and the rows put together again.
import type { PageField, PageModel } from '../resolve.js'
import type { PageRelation } from '../relations.js'
import { describe, isObject } from '../shared/codec.js'
import { DataFlowError } from '../shared/errors.js'
import { didYouMean } from '../shared/nearest.js'
import type { WireColumns, WireResult } from '../shared/operation.js'
import { MAX_INCLUDE_DEPTH, MAX_INCLUDES, type Include } from '../shared/relation.js'
import { decodeColumn, type AppRow } from '../shared/rows.js'
import { rowDecoder } from './decode.js'
import { badOption, readOptions } from './options.js'
import { parseCount, parseFilter, parseOrder, parseSelect } from './query.js'
import type { Context } from './row.js'

/** Rows as they are asked for, and how their answer is decoded. */
export interface Reading {
  readonly select: readonly string[] | null
  readonly include?: readonly Include[]
  decode(result: WireResult): AppRow[]
}

/** Rows of one model, with all that they are answered with. */
interface Node {
  /** The fields that cross: those that are shown, then those that only say what belongs to what. */
  readonly fields: readonly PageField[]
  readonly shown: number
  readonly branches: readonly Branch[]
}

interface Branch {
  readonly name: string
  readonly many: boolean
  /** Where the node above has `from`; where the rows have `to`, or the field of the model between that says whose they are. */
  readonly from: number
  readonly to: number | PageField
  readonly node: Node
  readonly wire: Include
}

/** What `select` and `include` ask for. */
export function readingOf(select: readonly string[] | null, include: unknown, context: Context): Reading {
  if (include === undefined) {
    const decode = rowDecoder(context.model, select)
    return { select, decode: result => decode(result as WireColumns) }
  }
  const node = nodeOf(context.model, select, include, null, { context, depth: 0, size: { includes: 0 } })
  return {
    select: namesOf(node),
    include: node.branches.map(({ wire }) => wire),
    decode: result => decodeNode(node, (result as WireColumns).columns.values()).rows,
  }
}

const namesOf = ({ fields }: Node) => fields.map(field => field.definition.name)

interface Place {
  readonly context: Context
  readonly depth: number
  readonly size: { includes: number }
}

function nodeOf(
  model: PageModel,
  select: readonly string[] | null,
  include: unknown,
  to: string | null,
  place: Place,
): Node {
  const names = select === null ? [...model.fieldNamed.keys()] : [...select]
  const shown = names.length
  const indexOf = (name: string): number => {
    const at = names.indexOf(name)
    return at === -1 ? names.push(name) - 1 : at
  }
  if (to !== null) indexOf(to)
  const entries = include === undefined ? [] : Object.entries(assertIncludes(include))
  const branches = entries.flatMap(([name, value]) => {
    if (value === undefined) return []
    const related = relationNamed(model, name)
    return [branchOf(name, related, value, indexOf(related.relation.from), { ...place, depth: place.depth + 1 })]
  })
  return { fields: names.map(name => model.fieldNamed.get(name)!), shown, branches }
}

function assertIncludes(include: unknown): Record<string, unknown> {
  if (isObject(include)) return include
  throw badOption(`include must be an object, not ${describe(include)}.`, 'include: { author: true }.')
}

function relationNamed(model: PageModel, name: string): PageRelation {
  const related = model.relations.get(name)
  if (related) return related
  const shown = name.replaceAll('\0', '\\0')
  const known = [...model.relations.keys()]
  throw new DataFlowError('UNKNOWN_FIELD', `${model.definition.name} has no relation "${shown}".`, {
    model: model.definition.name,
    fields: [shown],
    hint: known.length > 0 ? didYouMean(name, known) : 'relations are made by t.ref().',
  })
}

const OF_ONE = ['select', 'include'] as const
const OF_MANY = [...OF_ONE, 'where', 'orderBy', 'limit'] as const

function branchOf(
  name: string,
  { relation, target, owner }: PageRelation,
  value: unknown,
  from: number,
  place: Place,
): Branch {
  if (place.depth > MAX_INCLUDE_DEPTH) {
    throw badOption(`include is more than ${MAX_INCLUDE_DEPTH} levels deep.`, 'read the rest by itself.')
  }
  if (++place.size.includes > MAX_INCLUDES) {
    throw badOption(`More than ${MAX_INCLUDES} relations are included.`, 'read some of them by themselves.')
  }
  if (value !== true && !isObject(value)) {
    throw badOption(`include.${name} must be true or an object, not ${describe(value)}.`, `include: { ${name}: true }.`)
  }
  const known = [
    ...(relation.many ? OF_MANY : OF_ONE),
    ...(target.definition.softDelete ? ['withDeleted' as const] : []),
  ]
  const options: { [K in (typeof OF_MANY)[number] | 'withDeleted']?: unknown } =
    value === true ? {} : readOptions(value, known)
  const { withDeleted = false } = options
  if (typeof withDeleted !== 'boolean') throw badOption('withDeleted is true or false.', 'withDeleted: true.')
  const { to } = relation
  const context = { ...place.context, model: target }
  const node = nodeOf(target, parseSelect(options.select, context), options.include, owner ? null : to, place)
  return {
    name,
    many: relation.many,
    from,
    to: owner ?? namesOf(node).indexOf(to),
    node,
    wire: {
      relation,
      select: namesOf(node),
      where: parseFilter(options.where, context),
      order: parseOrder(options.orderBy, context),
      limit: parseCount(options.limit, 'limit'),
      ...(withDeleted ? { withDeleted } : {}),
      ...(node.branches.length > 0 ? { include: node.branches.map(({ wire }) => wire) } : {}),
    },
  }
}

/** Takes the columns of a node and of all below it. `values` are those of its fields. */
function decodeNode(node: Node, columns: Iterator<string>): { rows: AppRow[]; values: unknown[][] } {
  const { fields, shown, branches } = node
  const values = fields.map(field => decodeColumn(field.definition, columns.next().value!))
  const names = fields.map(field => field.definition.name)
  const rows = new Array<AppRow>(values[0]!.length)
  for (let r = 0; r < rows.length; r++) {
    const row: AppRow = {}
    for (let i = 0; i < shown; i++) row[names[i]!] = values[i]![r]
    rows[r] = row
  }
  for (const branch of branches) decodeBranch(branch, rows, values[branch.from]!, columns)
  return { rows, values }
}

function decodeBranch(
  branch: Branch,
  above: readonly AppRow[],
  keys: readonly unknown[],
  columns: Iterator<string>,
): void {
  const { name, many, to, node } = branch
  const between = typeof to === 'number' ? null : decodeColumn(to.definition, columns.next().value!)
  const { rows, values } = decodeNode(node, columns)
  const owners = between ?? values[to as number]!
  if (!many) {
    const found = new Map(owners.map((owner, i) => [owner, rows[i]!]))
    for (let r = 0; r < above.length; r++) above[r]![name] = found.get(keys[r]) ?? null
    return
  }
  const lists = new Map<unknown, AppRow[]>()
  // Those of one row stand beside each other.
  for (let from = 0, end = 0; from < rows.length; from = end) {
    while (end < rows.length && owners[end] === owners[from]) end++
    lists.set(owners[from], rows.slice(from, end))
  }
  for (let r = 0; r < above.length; r++) above[r]![name] = lists.get(keys[r]) ?? []
}
