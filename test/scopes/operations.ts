// Random operations of a scope, each with what the oracle does for it. The list is that of the methods a model has: one
// more there does not compile, and fails the test, until it is one more here.
import fc from 'fast-check'
import type { MethodName } from '../../src/model.js'
import { compare } from '../filter/oracle.js'
import { DELETED, TAGS, type Oracle } from './oracle.js'

type Row = Record<string, unknown>
export type Kind = 'Person' | 'Note'

export interface Step {
  readonly method: MethodName
  readonly kind: Kind
  readonly args: readonly unknown[]
  /** The position in the whole table behind which a page begins; its cursor is made when the step runs. */
  readonly cursor?: number
  /** What the oracle answers, in the form of `answer`. Throws `Refused`. `result`: for keys that SQLite made. */
  expected(oracle: Oracle, result: any): unknown
}

// Few values, shared by both scopes: what one has is what the other asks for.
const KEYS: Record<Kind, fc.Arbitrary<any>> = {
  Person: fc.constantFrom('p1', 'p2', 'p3', 'p4', 'p5'),
  Note: fc.integer({ min: 1, max: 8 }),
}
const email = fc.constantFrom('e1', 'e2', 'e3')
const tenant = fc.constantFrom('a', 'b')
const maybe = <T>(value: fc.Arbitrary<T>) => fc.option(value, { nil: undefined, freq: 2 })
/** Only what is there: an undefined field is left out of what is sent, and of the oracle's. */
const compact = (row: Row): Row => Object.fromEntries(Object.entries(row).filter(([, value]) => value !== undefined))

const rare = <T>(value: fc.Arbitrary<T>) =>
  fc.oneof({ weight: 9, arbitrary: fc.constant(undefined) }, { weight: 1, arbitrary: value })
const DATA: Record<Kind, fc.Arbitrary<Row>> = {
  Person: fc
    .record({
      id: KEYS.Person,
      email,
      n: maybe(fc.integer({ min: 0, max: 3 })),
      friendId: maybe(fc.option(KEYS.Person)),
      tagId: maybe(fc.constantFrom(...TAGS, 'none')),
      tenantId: rare(tenant),
    })
    .map(compact),
  Note: fc
    .record({
      id: maybe(KEYS.Note),
      personId: KEYS.Person,
      title: fc.constantFrom('x', 'y'),
      tenantId: rare(tenant),
    })
    .map(compact),
}
/** All with a key or all without: which keys SQLite makes in a call that fails, nobody hears. */
const manyRows = (kind: Kind) =>
  fc
    .array(DATA[kind], { maxLength: 4 })
    .map(rows => (rows.every(({ id }) => id !== undefined) ? rows : rows.map(({ id: _id, ...row }) => row)))
const PATCH: Record<Kind, fc.Arbitrary<Row>> = {
  Person: fc
    .record({
      email: maybe(email),
      n: maybe(fc.oneof(fc.integer({ min: 0, max: 3 }), fc.constant({ $inc: 1 }))),
      friendId: maybe(fc.option(KEYS.Person)),
      tagId: maybe(fc.constantFrom(...TAGS, 'none', null)),
      tenantId: rare(tenant),
    })
    .map(compact),
  Note: fc
    .record({
      personId: maybe(KEYS.Person),
      title: maybe(fc.constantFrom('x', 'y')),
      tenantId: rare(tenant),
    })
    .map(compact),
}
const FIELDS: Record<Kind, readonly string[]> = {
  Person: ['id', 'tenantId', 'email', 'n', 'friendId', 'tagId', 'version'],
  Note: ['id', 'tenantId', 'personId', 'title'],
}

const leaf = (kind: Kind): fc.Arbitrary<Row> =>
  fc.oneof(
    KEYS[kind].map(id => ({ id })),
    fc.array(KEYS[kind], { minLength: 1, maxLength: 4 }).map(ids => ({ id: { $in: ids } })),
    KEYS[kind].map(id => ({ id: { $gte: id } })),
    tenant.map(tenantId => ({ tenantId })),
    tenant.map(tenantId => ({ tenantId: { $ne: tenantId } })),
    ...(kind === 'Person'
      ? [
          KEYS.Person.map(friendId => ({ friendId })),
          fc.constant({ friendId: null }),
          fc.integer({ min: 0, max: 3 }).map(n => ({ n: { $lt: n } })),
        ]
      : [KEYS.Person.map(personId => ({ personId: { $ne: personId } }))]),
  )
const WHERE: Record<Kind, fc.Arbitrary<Row>> = { Person: where('Person'), Note: where('Note') }
function where(kind: Kind): fc.Arbitrary<Row> {
  return fc.oneof(
    { weight: 3, arbitrary: leaf(kind) },
    { weight: 1, arbitrary: leaf(kind).map($not => ({ $not })) },
    { weight: 1, arbitrary: fc.tuple(leaf(kind), leaf(kind)).map(([a, b]) => ({ $or: [a, { $not: b }] })) },
    { weight: 1, arbitrary: fc.tuple(leaf(kind), leaf(kind)).map(([a, b]) => ({ $and: [a, false, b] })) },
  )
}
const optionalWhere = (kind: Kind) => fc.option(WHERE[kind], { nil: undefined })
const kinds = fc.constantFrom<Kind>('Person', 'Note')
const target = (kind: Kind) =>
  fc.oneof(
    { weight: 5, arbitrary: WHERE[kind].map(chosen => ({ where: chosen })) },
    { weight: 1, arbitrary: fc.constant({ all: true as const }) },
  )
const orders = (kind: Kind) =>
  fc.tuple(fc.constantFrom(...FIELDS[kind]), fc.constantFrom('asc', 'desc')).map(([field, way]) => ({ [field]: way }))

function sorted(rows: readonly Row[], orderBy: Row | undefined): Row[] {
  const [field, way] = Object.entries(orderBy ?? {})[0] ?? ['id', 'asc']
  return [...rows].sort((a, b) => compareIn(a, b, field, way === 'desc') || compare(a.id, b.id))
}
/** NULL is first. */
function compareIn(a: Row, b: Row, field: string, descending: boolean): number {
  const [x, y] = [a[field], b[field]]
  const order = x === null || y === null ? Number(y === null) - Number(x === null) : compare(x, y)
  return descending ? -order : order
}
const behind = (row: Row, from: Row, orderBy: Row): boolean =>
  sorted([from, row], orderBy)[1] === row && row.id !== from.id

/** Keys that SQLite makes are taken from the answer: one that was made is not one that was asked for. */
const madeKey = (kind: Kind, data: Row, result: any) =>
  kind === 'Note' && data.id === undefined ? result?.id : undefined
const keysOf = (ids: readonly unknown[]) => [...ids].sort(compare)
const bulkAnswer = (ids: readonly unknown[]) => ({ count: ids.length, ids: keysOf(ids), errors: [] })

type Make = (kind: Kind) => fc.Arbitrary<Omit<Step, 'method' | 'kind'>>
const withKey =
  (answer: (row: Row | undefined) => unknown): Make =>
  kind =>
    KEYS[kind].map(id => ({ args: [id], expected: oracle => answer(oracle.read(kind, id)) }))

export const OPERATIONS: Record<MethodName, Make> = {
  create: kind =>
    DATA[kind].map(data => ({
      args: [data],
      expected: (oracle, result) => oracle.create(kind, data, madeKey(kind, data, result)),
    })),
  read: withKey(row => row ?? null),
  readOrThrow: withKey(row => row ?? 'NOT_FOUND'),
  update: kind =>
    fc
      .tuple(KEYS[kind], PATCH[kind], fc.option(fc.integer({ min: 1, max: 3 }), { nil: undefined, freq: 2 }))
      .map(([id, patch, given]) => {
        const version = kind === 'Person' ? given : undefined
        return {
          args: [id, patch, ...(version === undefined ? [] : [{ version }])],
          expected: oracle => oracle.update(kind, id, patch, version),
        }
      }),
  delete: kind => KEYS[kind].map(id => ({ args: [id], expected: oracle => oracle.delete(kind, id) })),
  upsert: kind =>
    fc
      .tuple(
        DATA[kind],
        fc.constantFrom('key', 'unique'),
        fc.option(
          fc.oneof(
            PATCH[kind],
            fc.subarray(kind === 'Person' ? ['n', 'friendId', 'email'] : ['title'], { minLength: 1 }),
          ),
          { nil: undefined },
        ),
      )
      .map(([data, on, update]) => ({
        args: [
          data,
          { ...(on === 'unique' ? { on: kind === 'Person' ? 'email' : ['personId', 'title'] } : {}), update },
        ],
        expected: (oracle, result) =>
          oracle.atomically(() => oracle.upsert(kind, data, on as 'key', update, madeKey(kind, data, result))),
      })),
  list: kind =>
    fc
      .tuple(optionalWhere(kind), orders(kind), fc.option(fc.integer({ min: 0, max: 3 }), { nil: undefined }))
      .map(([chosen, orderBy, limit]) => ({
        args: [{ where: chosen, orderBy, limit }],
        expected: oracle => sorted(oracle.select(kind, chosen), orderBy).slice(0, limit),
      })),
  first: kind =>
    fc.tuple(optionalWhere(kind), orders(kind)).map(([chosen, orderBy]) => ({
      args: [{ where: chosen, orderBy }],
      expected: oracle => sorted(oracle.select(kind, chosen), orderBy)[0] ?? null,
    })),
  page: kind =>
    fc.tuple(optionalWhere(kind), orders(kind), fc.nat({ max: 9 })).map(([chosen, orderBy, cursor]) => ({
      args: [{ where: chosen, orderBy, limit: 2 }],
      cursor,
      expected: (oracle, result) => {
        const rows = sorted(oracle.select(kind, chosen), orderBy)
        return rows.filter(row => !result?.from || behind(row, result.from, orderBy)).slice(0, 2)
      },
    })),
  count: kind =>
    optionalWhere(kind).map(chosen => ({ args: [chosen], expected: oracle => oracle.select(kind, chosen).length })),
  aggregate: kind =>
    optionalWhere(kind).map(chosen => ({
      args: [{ where: chosen, groupBy: 'tenantId', count: true, min: ['id'] }],
      expected: oracle => {
        const rows = oracle.select(kind, chosen)
        return rows.length === 0 ? [] : [{ tenantId: oracle.tenant, count: rows.length, min: { id: rows[0]!.id } }]
      },
    })),
  distinct: kind =>
    fc.tuple(fc.constantFrom(...FIELDS[kind]), optionalWhere(kind)).map(([field, chosen]) => ({
      args: [field, { where: chosen }],
      expected: oracle => [...new Set(sorted(oracle.select(kind, chosen), { [field]: 'asc' }).map(row => row[field]))],
    })),
  search: kind =>
    fc
      .tuple(fc.constantFrom('e1', 'e2', 'e*', 'e1 OR e3', 'x', 'x OR y', 'nothing'), optionalWhere(kind), fc.boolean())
      .map(([words, chosen, withRank]) => ({
        args: [
          words,
          { where: chosen, ...(withRank ? { highlight: true, snippet: true, select: ['id'] } : { rank: false }) },
        ],
        expected: oracle => {
          const wanted = words === 'e*' ? ['e1', 'e2', 'e3'] : words.split(' OR ')
          const text = kind === 'Person' ? 'email' : 'title'
          const rows = oracle.select(kind, chosen).filter(row => wanted.includes(row[text] as string))
          return withRank ? keysOf(rows.map(({ id }) => id)) : rows
        },
      })),
  bulkCreate: kind =>
    fc
      .tuple(manyRows(kind), fc.constantFrom('fail', 'skip', 'update'), fc.constantFrom('abort', 'collect'))
      .map(([rows, onConflict, onError]) => ({
        args: [rows, { onConflict, onError }],
        expected: (oracle, result) => {
          const made = (i: number) => result?.ids[i] ?? 1000 + i
          return oracle.insertMany(kind, rows, onConflict as 'fail', 'any', onError === 'collect', made)
        },
      })),
  bulkUpsert: kind =>
    fc.tuple(manyRows(kind), fc.constantFrom('key', 'unique')).map(([rows, on]) => ({
      args: [rows, on === 'unique' ? { on: kind === 'Person' ? 'email' : ['title', 'personId'] } : {}],
      expected: (oracle, result) =>
        oracle.insertMany(kind, rows, 'update', on as 'key', false, (i: number) => result?.ids[i] ?? 1000 + i),
    })),
  bulkUpdate: kind =>
    fc.tuple(target(kind), PATCH[kind]).map(([chosen, set]) => ({
      args: [{ ...chosen, set }],
      expected: oracle => bulkAnswer(oracle.bulkUpdate(kind, 'where' in chosen ? chosen.where : undefined, set)),
    })),
  bulkDelete: kind =>
    target(kind).map(chosen => ({
      args: [chosen],
      expected: oracle => bulkAnswer(oracle.bulkDelete(kind, 'where' in chosen ? chosen.where : undefined)),
    })),
  restore: kind => KEYS[kind].map(id => ({ args: [id], expected: oracle => oracle.restore(id) })),
  purge: kind => KEYS[kind].map(id => ({ args: [id], expected: oracle => oracle.purge(id) })),
  bulkRestore: kind =>
    target(kind).map(chosen => ({
      args: [chosen],
      expected: oracle => bulkAnswer(oracle.bulkRestore('where' in chosen ? chosen.where : undefined)),
    })),
  bulkPurge: kind =>
    target(kind).map(chosen => ({
      args: [chosen],
      expected: oracle => bulkAnswer(oracle.bulkPurge('where' in chosen ? chosen.where : undefined)),
    })),
}

/** An answer as the oracle gives it. */
export function answer(method: MethodName, given: any): unknown {
  const result = withoutMoments(given)
  if (method === 'page') return result.items
  if (method === 'search' && result[0]?.$snippet) return keysOf(result.map(({ id }: Row) => id))
  if (['bulkUpdate', 'bulkDelete', 'bulkRestore', 'bulkPurge'].includes(method))
    return { ...result, ids: keysOf(result.ids) }
  if (method !== 'bulkCreate' && method !== 'bulkUpsert') return result
  return {
    ...result,
    errors: result.errors.map(({ index, error }: any) => ({ index, code: error.code })),
  }
}

/** When a row was deleted, nobody knows before. */
export function withoutMoments(value: any): any {
  if (value instanceof Date) return DELETED
  if (Array.isArray(value)) return value.map(withoutMoments)
  if (typeof value !== 'object' || value === null || value instanceof Error) return value
  return Object.fromEntries(Object.entries(value).map(([key, inner]) => [key, withoutMoments(inner)]))
}

const OF_PERSONS: readonly MethodName[] = ['restore', 'purge', 'bulkRestore', 'bulkPurge']
const METHODS_USED = Object.keys(OPERATIONS) as MethodName[]
/** More often: without rows there is nothing to tell apart. */
const WRITES: readonly MethodName[] = ['create', 'update', 'upsert', 'bulkCreate', 'bulkUpsert', 'bulkUpdate']
const methods = fc.constantFrom(...METHODS_USED, ...WRITES, ...WRITES)

const create = (kind: Kind, data: Row): Step => {
  const expected: Step['expected'] = (oracle, result) => oracle.create(kind, data, madeKey(kind, data, result))
  return { method: 'create', kind, args: [data], expected }
}
const [removal, comeback]: Step[] = [
  { method: 'delete', kind: 'Person', args: ['p5'], expected: oracle => oracle.delete('Person', 'p5') },
  { method: 'restore', kind: 'Person', args: ['p5'], expected: oracle => oracle.restore('p5') },
]
/** What is there at first. */
export const SEED: readonly (readonly ['a' | 'b', Step])[] = [
  ['a', create('Person', { id: 'p1', email: 'e1', n: 1 })],
  ['b', create('Person', { id: 'p2', email: 'e1', n: 2 })],
  ['a', create('Person', { id: 'p3', email: 'e2', friendId: 'p1', tagId: TAGS[0] })],
  ['b', create('Person', { id: 'p4', email: 'e3', friendId: 'p4' })],
  ['a', create('Note', { id: 1, personId: 'p1', title: 'x' })],
  ['b', create('Note', { id: 2, personId: 'p2', title: 'x' })],
  ['b', create('Note', { id: 3, personId: 'p4', title: 'y' })],
  // Random keys rarely name what has been deleted before.
  ['a', create('Person', { id: 'p5', email: 'e3' })],
  ['a', removal!],
  ['a', comeback!],
]

export const steps: fc.Arbitrary<Step> = fc
  .tuple(methods, kinds)
  .map(([method, kind]): [MethodName, Kind] => [method, OF_PERSONS.includes(method) ? 'Person' : kind])
  .chain(([method, kind]) => OPERATIONS[method](kind).map(step => ({ method, kind, ...step })))
