// What is refused is refused with one DataFlowError that helps, and leaves the database as it was.
import fc from 'fast-check'
import { beforeAll, describe, expect, test } from 'vitest'
import { dataflow, DataFlowError, model, sql, t } from '../src/index.js'
import type { ErrorCode } from '../src/shared/errors.js'
import { localDatabase, unwrap, type LocalDatabase } from './support/local.js'
import { dump, watchedFile, type Dump } from './support/snapshot.js'

const User = model(
  'User',
  {
    id: t.id(),
    email: t.text({ max: 30 }).unique(),
    name: t.text().default('none'),
    age: t
      .integer()
      .nullable()
      .check(sql`age >= 0`),
    role: t.enum(['admin', 'member']).default('member'),
    active: t.boolean().default(true),
    big: t.bigint().default(0n),
    score: t.real().default(0),
    born: t.date().nullable(),
    data: t.json<unknown>().default(null),
    photo: t.blob().nullable(),
    fixed: t.text().readonly().default('f'),
    createdAt: t.createdAt(),
    version: t.version(),
  },
  { unique: [['name', 'age']] },
)
const Post = model('Post', { id: t.autoId(), userId: t.ref('User'), title: t.text() })
const models = { users: User, posts: Post }

let db: LocalDatabase<typeof models>
let users: any
let posts: any
let before: { dump: Dump; bytes: Buffer; flushes: number }
const file = watchedFile()
const flushes = async () => (await unwrap(db.engine.metrics())).flush.flushes

/** The whole file is as it was, byte for byte, and nothing was saved. Rows are compared where bytes would not tell what. */
async function unchanged(): Promise<void> {
  if (!file.bytes().equals(before.bytes)) {
    expect(await dump(db)).toEqual(before.dump)
    expect.fail('the rows are as before, the bytes of the file are not')
  }
  expect(await flushes()).toBe(before.flushes)
}

beforeAll(async () => {
  db = localDatabase(models, { parts: file.parts, storage: 'indexeddb' })
  ;({ users, posts } = db.tables as any)
  await users.bulkCreate([
    { id: 'a', email: 'a@x', name: 'A', age: 1, data: [1], photo: new Uint8Array([1]) },
    { id: 'b', email: 'b@x', name: 'B', age: 2 },
  ])
  await posts.create({ userId: 'a', title: 'first' })
  before = { dump: await dump(db), bytes: file.bytes(), flushes: await flushes() }
})

type Expected = { model?: string; op?: string; fields?: string[]; hint?: RegExp; text?: RegExp }

/** Refused once, helpfully, without a trace. */
async function refused(call: () => unknown, code: ErrorCode, expected: Expected = {}): Promise<DataFlowError> {
  const error = await (async () => call())().then(
    value => expect.fail(`resolved with ${JSON.stringify(value) ?? 'undefined'}`),
    (e: unknown) => e as DataFlowError,
  )
  expect(error).toBeInstanceOf(DataFlowError)
  expect(error).toMatchObject({
    code,
    retryable: false,
    hint: expect.stringMatching(expected.hint ?? /./),
    message: expect.stringMatching(/^\[[A-Z_]+\] .*\. Hint: .+\.?$/s),
    ...(expected.model ? { model: expected.model } : {}),
    ...(expected.op ? { op: expected.op } : {}),
  })
  if (expected.text) expect(error.text).toMatch(expected.text)
  if ('fields' in expected) expect(error.fields).toEqual(expected.fields)
  await unchanged()
  return error
}

/** One line per case: what is called, and what it is refused with. */
type Case = [name: string, call: () => unknown, code: ErrorCode, expected: Expected]

const NAMES: Case[] = [
  ['model', () => dataflow('x', { models }).run(model('Tag', { id: t.id() }).list()), 'UNKNOWN_MODEL', {}],
  ...(
    [
      ['create', () => users.create({ emial: 'x' }), 'emial', /"email"/],
      ['update', () => users.update('a', { nmae: 'x' }), 'nmae', /"name"/],
      ['upsert', () => users.upsert({ emal: 'x' }), 'emal', /"email"/],
      ['bulkCreate', () => users.bulkCreate([{ email: 'c' }, { emal: 'x' }]), 'emal', /row 1/],
      ['bulkUpdate', () => users.bulkUpdate({ all: true, set: { agee: 1 } }), 'agee', /"age"/],
      ['bulkDelete', () => users.bulkDelete({ where: { emial: 'a@x' } }), 'emial', /"email"/],
      ['list', () => users.list({ where: { $or: [{ $not: { emial: 1 } }] } }), 'emial', /"email"/],
      ['list', () => users.list({ orderBy: { agee: 'asc' } }), 'agee', /"age"/],
      ['list', () => users.list({ select: ['naem'] }), 'naem', /"name"/],
      ['read', () => users.read('a', { select: ['naem'] }), 'naem', /"name"/],
      ['page', () => users.page({ limit: 1, orderBy: { __proto__: null, agee: 'asc' } }), 'agee', /"age"/],
      ['count', () => users.count({ toString: 'x' }), 'toString', /./],
      ['count', () => users.count({ constructor: 'x' }), 'constructor', /./],
      ['create', () => users.create(JSON.parse('{"__proto__":1,"email":"c"}')), '__proto__', /./],
      ['list', () => users.list({ where: { 'a\0b': 1 } }), 'a\\0b', /./],
      ['create', () => users.create({ 'email\0': 'x' }), 'email\\0', /./],
      ['list', () => users.list({ select: ['id\0'] }), 'id\\0', /./],
      ['list', () => users.list({ orderBy: { '"': 'asc' } }), '"', /./],
    ] as const
  ).map(([op, call, field, hint]): Case => [
    `field in ${op}`,
    call,
    'UNKNOWN_FIELD',
    { model: 'User', op, fields: [field], hint },
  ]),
  ['operator', () => users.list({ where: { age: { $gtt: 1 } } }), 'BAD_FILTER', { fields: ['age'], hint: /"\$gte?"/ }],
  ['group operator', () => users.count({ $nor: [] }), 'BAD_FILTER', { hint: /\$(or|not)/ }],
  ['misfit operator', () => users.count({ age: { $like: 'x' } }), 'BAD_FILTER', { fields: ['age'], hint: /\$gt/ }],
  ['$regex', () => users.count({ name: { $regex: 'x' } }), 'BAD_FILTER', { fields: ['name'], hint: /\$like/ }],
  ['option of list', () => users.list({ limt: 1 }), 'BAD_OPTION', { op: 'list', hint: /"limit"/ }],
  ['option of read', () => users.read('a', { fields: [] }), 'BAD_OPTION', { op: 'read', hint: /"?select"?/ }],
  ['option of create', () => users.create({ email: 'c' }, { durabilty: 'strict' }), 'BAD_OPTION', { op: 'create' }],
  ['option of update', () => users.update('a', {}, { versoin: 1 }), 'BAD_OPTION', { hint: /"version"/ }],
  ['option of bulkCreate', () => users.bulkCreate([], { onConflct: 'skip' }), 'BAD_OPTION', { hint: /"onConflict"/ }],
  ['option with NUL', () => users.list({ 'limit\0': 1 }), 'BAD_OPTION', { hint: /./ }],
  ['policy', () => users.bulkCreate([], { onConflict: 'replace' }), 'BAD_OPTION', { hint: /'skip'/ }],
  ['policy of errors', () => users.bulkCreate([], { onError: 'ignore' }), 'BAD_OPTION', { hint: /'collect'/ }],
  ['level', () => users.create({ email: 'c' }, { durability: 'none' }), 'BAD_OPTION', { hint: /'strict'/ }],
  ['direction', () => users.list({ orderBy: { age: 'up' } }), 'BAD_OPTION', { hint: /'asc'/ }],
  ['limit', () => users.list({ limit: -1 }), 'BAD_OPTION', { hint: /limit/ }],
  ['limit null', () => users.list({ limit: null }), 'BAD_OPTION', { hint: /limit/ }],
  ['offset', () => users.list({ offset: 0.5 }), 'BAD_OPTION', { hint: /offset/ }],
  ['empty select', () => users.list({ select: [] }), 'BAD_OPTION', { hint: /./ }],
  ['version', () => users.update('a', {}, { version: '1' }), 'BAD_OPTION', { hint: /row\.version/ }],
  ['no version', () => posts.update(1, {}, { version: 1 }), 'BAD_OPTION', { model: 'Post', hint: /t\.version/ }],
]

const FILTERS: Case[] = [
  ...[
    { name: undefined },
    { name: { $eq: undefined } },
    { age: { $gt: undefined } },
    { age: { $in: [1, undefined] } },
    { age: { $between: [1, undefined] } },
    { name: { $like: undefined } },
    { $and: [{ name: undefined }] },
    { $or: [{ $not: { name: undefined } }] },
    { data: undefined },
  ].map((where, i): Case => [`undefined ${i}`, () => users.bulkDelete({ where }), 'BAD_FILTER', { op: 'bulkDelete' }]),
  ...[{}, { $and: [] }, { $and: [false, null, 0, '', undefined] }, { $or: [{}] }, { $or: [{ id: 'a' }, {}] }]
    .concat([{ $and: [{}, { $and: [{}] }] }, { $not: { $or: [] } }, { id: { $nin: [] } }, undefined, null] as never[])
    .flatMap((where): Case[] => {
      const shown = JSON.stringify(where) ?? 'undefined'
      return [
        [`delete ${shown}`, () => users.bulkDelete({ where }), 'BAD_FILTER', { model: 'User', op: 'bulkDelete' }],
        [`update ${shown}`, () => users.bulkUpdate({ where, set: { name: 'x' } }), 'BAD_FILTER', { op: 'bulkUpdate' }],
      ]
    }),
  ['no filter', () => users.bulkDelete({}), 'BAD_FILTER', { hint: /all: true/ }],
  ['all: false', () => users.bulkDelete({ all: false }), 'BAD_FILTER', {}],
  ['all and where', () => users.bulkDelete({ all: true, where: { id: 'a' } }), 'BAD_FILTER', {}],
  ['a text for a filter', () => users.count('a'), 'BAD_FILTER', {}],
  ['no operator', () => users.count({ age: {} }), 'BAD_FILTER', { fields: ['age'] }],
  ['sql as JSON', () => users.count({ $sql: { kind: 'sql', parts: ['1'], params: [], text: '1' } }), 'BAD_FILTER', {}],
]

const bad = (fields: string[], op: string): Expected => ({ model: 'User', op, fields })
const VALUES: Case[] = [
  ['missing field', () => users.create({}), 'VALIDATION', bad(['email'], 'create')],
  ['null', () => users.create({ email: null }), 'VALIDATION', bad(['email'], 'create')],
  ['wrong type', () => users.update('a', { age: '1' }), 'VALIDATION', bad(['age'], 'update')],
  ['several', () => users.create({ email: 1, age: 'x', big: 1 }), 'VALIDATION', bad(['email', 'age', 'big'], 'create')],
  ['NaN', () => users.update('a', { score: NaN }), 'VALIDATION', bad(['score'], 'update')],
  ['2^53', () => users.update('a', { age: 2 ** 53 }), 'VALIDATION', bad(['age'], 'update')],
  ['2^63', () => users.update('a', { big: 2n ** 63n }), 'VALIDATION', bad(['big'], 'update')],
  ['surrogate', () => users.update('a', { name: '\ud800' }), 'VALIDATION', bad(['name'], 'update')],
  ['too long', () => users.update('a', { email: 'x'.repeat(31) }), 'VALIDATION', bad(['email'], 'update')],
  ['enum', () => users.update('a', { role: 'root' }), 'VALIDATION', bad(['role'], 'update')],
  ['1 for true', () => users.update('a', { active: 1 }), 'VALIDATION', bad(['active'], 'update')],
  ['key undefined', () => users.read(undefined), 'VALIDATION', bad(['id'], 'read')],
  ['key null', () => users.delete(null), 'VALIDATION', bad(['id'], 'delete')],
  ['key of another type', () => users.update(1, {}), 'VALIDATION', bad(['id'], 'update')],
  ['an array for a row', () => users.create([]), 'VALIDATION', { model: 'User', op: 'create' }],
  ['nothing for a patch', () => users.update('a'), 'VALIDATION', { model: 'User', op: 'update' }],
  ['an object for rows', () => users.bulkCreate({}), 'VALIDATION', { model: 'User', op: 'bulkCreate' }],
  ['a row of many', () => users.bulkCreate([{ email: 'c' }, { email: 1 }]), 'VALIDATION', { hint: /row 1/ }],
  ['a value of a filter', () => users.count({ age: '1' }), 'VALIDATION', bad(['age'], 'count')],
  ['a list as a value', () => users.count({ name: ['a'] }), 'VALIDATION', { fields: ['name'], hint: /\$in/ }],
]

const RULES: Case[] = [
  ['taken', () => users.create({ email: 'a@x' }), 'UNIQUE', bad(['email'], 'create')],
  ['taken key', () => users.create({ id: 'a', email: 'c' }), 'UNIQUE', bad(['id'], 'create')],
  ['taken together', () => users.create({ email: 'c', name: 'A', age: 1 }), 'UNIQUE', bad(['name', 'age'], 'create')],
  ['check', () => users.update('a', { age: -1 }), 'CHECK', bad(['age'], 'update')],
  ['no parent', () => posts.create({ userId: 'z', title: 't' }), 'FOREIGN_KEY', { model: 'Post', op: 'create' }],
  ['children', () => users.delete('a'), 'FOREIGN_KEY', { model: 'User', op: 'delete' }],
  ['bulk with one', () => users.bulkCreate([{ email: 'c' }, { email: 'a@x' }]), 'UNIQUE', { hint: /row 1/ }],
  ['not there', () => users.update('z', { age: 1 }), 'NOT_FOUND', bad(['id'], 'update')],
  ['readOrThrow', () => users.readOrThrow('z'), 'NOT_FOUND', bad(['id'], 'readOrThrow')],
]

const READONLY: Case[] = [
  ...(['fixed', 'createdAt', 'version'] as const).flatMap((field): Case[] => {
    const value = { fixed: 'x', createdAt: new Date(), version: 2 }[field]
    return [
      ['create', () => users.create({ email: 'c', [field]: value }), 'READONLY', bad([field], 'create')],
      ['update', () => users.update('a', { [field]: value }), 'READONLY', bad([field], 'update')],
      ['upsert', () => users.upsert({ email: 'c' }, { update: [field] }), 'READONLY', bad([field], 'upsert')],
      ['bulk', () => users.bulkUpdate({ all: true, set: { [field]: value } }), 'READONLY', bad([field], 'bulkUpdate')],
    ]
  }),
  ['key', () => users.update('a', { id: 'z' }), 'READONLY', bad(['id'], 'update')],
  ['key in bulk', () => users.bulkUpdate({ all: true, set: { id: 'z' } }), 'READONLY', bad(['id'], 'bulkUpdate')],
  ...[
    'delete from dataflow_migrations',
    'delete from "dataflow_model_registry"',
    'update main.[DATAFLOW_MIGRATIONS] set status = 1',
    'insert into `dataflow_migration_locks` default values',
    'replace into dataflow_migrations default values',
    'with x as (select 1) delete from dataflow_migrations',
    'drop table dataflow_migrations',
    'alter table dataflow_model_registry add column x',
    'create index i on dataflow_migrations (version)',
    'create trigger tr after insert on users begin delete from dataflow_migrations; end',
    'create trigger tr after insert on dataflow_migrations begin select 1; end',
    'alter table posts rename to dataflow_migration_locks_x -- dataflow_migrations',
    'create temp table dataflow_model_registry (x)',
    'create temp view dataflow_migrations as select 1',
    'create temp trigger tr after insert on users begin delete from dataflow_migrations; end',
  ].map((text): Case => [text, () => db.run(sql`${sql.raw(text)}`), 'READONLY', { op: 'sql' }]),
]

const FORBIDDEN = [
  'BEGIN',
  'begin immediate',
  'COMMIT',
  'END',
  'rollback',
  'SAVEPOINT x',
  'RELEASE x',
  "ATTACH ':memory:' AS x",
  'DETACH main',
  'VACUUM',
  "vacuum into 'x'",
  '-- comment\n begin',
  '/* a */ /* b */ BEGIN',
  ';;begin',
  '\ufeffbegin',
  'PRAGMA foreign_keys = off',
  'PRAGMA foreign_keys(0)',
  'pragma main.foreign_keys (off)',
  'PRAGMA/**/foreign_keys=0',
  'PRAGMA user_version = 5',
  'PRAGMA user_version(5)',
  'PRAGMA journal_mode',
  'PRAGMA journal_mode = wal',
  'PRAGMA writable_schema = on',
  'PRAGMA writable_schema(1)',
  'PRAGMA "foreign_keys" = off',
  'PRAGMA page_size(512)',
  'PRAGMA cache_size = 1',
  'PRAGMA optimize',
  'PRAGMA wal_checkpoint',
  'PRAGMA incremental_vacuum',
  'PRAGMA schema_version = 1',
  'PRAGMA defer_foreign_keys = on',
  'PRAGMA ignore_check_constraints = on',
  'PRAGMA recursive_triggers = on',
]
const SQL: Case[] = [
  ...FORBIDDEN.map((text): Case => [text, () => db.run(sql`${sql.raw(text)}`), 'SQL', { op: 'sql' }]),
  ['syntax', () => db.sql`selec 1`, 'SQL', {}],
  ['two statements', () => db.sql`select 1; select 2`, 'SQL', {}],
  ['two writes', () => db.sql`delete from posts; delete from users`, 'SQL', {}],
  [
    'a write behind a comment',
    () => db.sql`select 1; -- x
    delete from posts`,
    'SQL',
    {},
  ],
  ['nothing', () => db.sql``, 'SQL', {}],
  ['a comment alone', () => db.sql`-- nothing`, 'SQL', {}],
  ['NUL in the text', () => db.run(sql`${sql.raw('select 1 \0; delete from posts')}`), 'SQL', {}],
  ['no table', () => db.sql`select * from nowhere`, 'SQL', { hint: /names/ }],
  ['no column', () => db.sql`update users set missing = 1`, 'SQL', { hint: /names/ }],
  ['too few values', () => db.run(sql`${sql.raw('select ?')}`), 'SQL', {}],
  ['wrong type', () => db.sql`update users set age = 'x' where id = 'a'`, 'VALIDATION', { fields: ['age'] }],
  ['not null', () => db.sql`update users set email = null`, 'NOT_NULL', { model: 'User', fields: ['email'] }],
  ['enum', () => db.sql`update users set role = 'root'`, 'CHECK', { model: 'User', fields: ['role'] }],
  ['JSON', () => db.sql`update users set data = '{'`, 'CHECK', { model: 'User', fields: ['data'] }],
]

const page = () => dataflow('x', { models }) as any
const isText = /an object, not a (string|number|boolean)/
const OPTIONS: Case[] = [
  ...(
    [
      ['create', () => users.create({ email: 'c' }, 5)],
      ['read', () => users.read('a', 'x')],
      ['readOrThrow', () => users.readOrThrow('a', true)],
      ['update', () => users.update('a', {}, 'y')],
      ['delete', () => users.delete('a', 5)],
      ['list', () => users.list('x')],
      ['first', () => users.first(5)],
      ['page', () => users.page('x')],
      ['count', () => users.count({}, 'x')],
      ['upsert', () => users.upsert({ email: 'a@x' }, 5)],
      ['bulkCreate', () => users.bulkCreate([], 'skip')],
      ['bulkUpsert', () => users.bulkUpsert([], 'email')],
      ['bulkUpdate', () => users.bulkUpdate({ all: true, set: { name: 'x' } }, 5)],
      ['bulkDelete', () => users.bulkDelete({ all: true }, 'x')],
      ['bulkDelete', () => users.bulkDelete('all')],
      ['iterate', () => users.iterate('x').next()],
      ['create', () => db.run((User as any).create({ email: 'c' }, 5))],
      ['transaction', () => page().transaction(async () => {}, 5)],
    ] as const
  ).map(([op, call]): Case => [`no object for ${op}`, call, 'BAD_OPTION', { op, text: isText }]),
  ['null for create', () => users.create({ email: 'c' }, null), 'BAD_OPTION', { op: 'create', text: /null/ }],
  ['null for list', () => users.list(null), 'BAD_OPTION', { op: 'list', text: /null/ }],
  ['null for iterate', () => users.iterate(null).next(), 'BAD_OPTION', { op: 'iterate', text: /null/ }],
  ['null for transaction', () => page().transaction(async () => {}, null), 'BAD_OPTION', { text: /null/ }],
  ['an array for update', () => users.update('a', {}, []), 'BAD_OPTION', { op: 'update', text: /an array/ }],
  ['a number for run', () => page().run(User.count(), 5), 'BAD_OPTION', { text: isText }],
  ['null for run', () => page().run(User.count(), null), 'BAD_OPTION', { text: /null/ }],
  ['a text for batch', () => page().batch([User.count()], 'x'), 'BAD_OPTION', { text: isText }],
  [
    "a run's option in an operation",
    () => db.run((User as any).create({ email: 'c' }, { durability: 'strict' })),
    'BAD_OPTION',
    { op: 'create', hint: /the call that runs it/ },
  ],
  ['a text to join', () => sql.join('ab' as never), 'BAD_OPTION', { op: 'sql', text: /takes an array/ }],
  ['a set to join', () => sql.join(new Set([1]) as never), 'BAD_OPTION', { op: 'sql' }],
  ['nothing to join', () => sql.join(undefined as never), 'BAD_OPTION', { op: 'sql' }],
  ['a text between', () => sql.join([1, 2], ', ' as never), 'BAD_OPTION', { op: 'sql', text: /separator/ }],
]

const hole = <T>(...items: T[]) => Object.assign(Array<T>(1), [...Array<T>(1), ...items])
const sparse = (row: object) => {
  const rows = [row]
  rows[2] = { email: 'd' }
  return rows
}
const HOLES: Case[] = [
  ['bulkCreate', () => users.bulkCreate(sparse({ email: 'c' })), 'VALIDATION', { op: 'bulkCreate', hint: /row 1/ }],
  ['bulkUpsert', () => users.bulkUpsert(sparse({ email: 'c' })), 'VALIDATION', { op: 'bulkUpsert', hint: /row 1/ }],
  ['only a hole', () => users.bulkCreate(Array(1)), 'VALIDATION', { op: 'bulkCreate', hint: /row 0/ }],
  ['undefined', () => users.bulkCreate([{ email: 'c' }, undefined]), 'VALIDATION', { hint: /row 1/ }],
  ['select', () => users.list({ select: hole('id') }), 'UNKNOWN_FIELD', { op: 'list' }],
  ['batch', () => page().batch(hole(User.count())), 'BAD_OPTION', { op: 'run' }],
  ['join', () => sql.join(hole(1)), 'VALIDATION', { op: 'sql' }],
]

describe.each([
  ['options that are none', OPTIONS],
  ['holes', HOLES],
  ['unknown names', NAMES],
  ['filters', FILTERS],
  ['values', VALUES],
  ['rules', RULES],
  ['what is not written', READONLY],
  ['SQL', SQL],
])('%s', (_, cases) => {
  test.each(cases)('%s', async (_name, call, code, expected) => void (await refused(call, code, expected)))
})

describe('declarations', () => {
  const anyModel = model as any
  const many = (n: number) => Object.fromEntries(Array.from({ length: n }, (_, i) => [`f${i}`, t.integer().default(i)]))
  const of = (given: object) => () => dataflow('x', { models: given as any })
  const cases: [string, () => unknown, Expected][] = [
    ['no key', () => anyModel('A', { x: t.text() }), { model: 'A' }],
    ['two keys', () => anyModel('A', { id: t.id(), x: t.text().primaryKey() }), { model: 'A' }],
    ['no fields', () => anyModel('A'), {}],
    ['a reserved field', () => anyModel('A', { id: t.id(), toJSON: t.text() }), { model: 'A', fields: ['toJSON'] }],
    ['rowid', () => anyModel('A', { id: t.id(), RowId: t.text() }), { model: 'A', fields: ['RowId'] }],
    ['$ in a field', () => anyModel('A', { id: t.id(), $x: t.text() }), { model: 'A' }],
    ['NUL in a field', () => anyModel('A', { id: t.id(), 'a\0': t.text() }), { model: 'A' }],
    ['NUL in a column', () => anyModel('A', { id: t.id(), a: t.text().column('a\0') }), { fields: ['a'] }],
    ['NUL in a model', () => anyModel('A\0', { id: t.id() }), {}],
    ['a nullable key', () => anyModel('A', { id: t.text().primaryKey().nullable() }), { fields: ['id'] }],
    ['one column twice', () => anyModel('A', { id: t.id(), a: t.text(), A: t.text() }), { model: 'A' }],
    ['no field', () => anyModel('A', { id: t.id(), a: 'text' }), { fields: ['a'] }],
    ['NUL in a table', of({ a: model('A', { id: t.id() }, { table: 'a\0' }) }), { model: 'A' }],
    ['a table of ours', of({ a: model('A', { id: t.id() }, { table: 'DataFlow_x' }) }), { model: 'A' }],
    ['a table of SQLite', of({ a: model('A', { id: t.id() }, { table: 'sqlite_x' }) }), { model: 'A' }],
    ['one name twice', of({ a: model('A', { id: t.id() }), b: model('A', { id: t.id() }) }), { model: 'A' }],
    ['one table twice', of({ a: model('A', { id: t.id() }), A: model('B', { id: t.id() }) }), { model: 'B' }],
    ['a reserved accessor', of({ sql: model('A', { id: t.id() }) }), { model: 'A' }],
    ['NUL in an accessor', of({ 'a\0': model('A', { id: t.id() }) }), { model: 'A' }],
    ['no model', of({ a: {} }), {}],
    ['dangling', of({ a: model('A', { id: t.id(), b: t.ref('B') }) }), { model: 'A', fields: ['b'] }],
    ['bad default', of({ a: model('A', { id: t.id(), n: t.integer().default(0.5) }) }), { model: 'A', fields: ['n'] }],
    ['NUL in a default', of({ a: model('A', { id: t.id(), n: t.text().default('a\0') }) }), { fields: ['n'] }],
    ['NUL in an enum', () => anyModel('A', { id: t.id(), e: t.enum(['a\0']) }), { model: 'A', fields: ['e'] }],
    ['half of a pair in an enum', () => anyModel('A', { id: t.id(), e: t.enum(['\ud800']) }), { fields: ['e'] }],
    ['an enum of nothing', () => anyModel('A', { id: t.id(), e: (t.enum as any)() }), { fields: ['e'] }],
    ['NUL in a check', () => t.text().check(sql`x <> ${'\0'}`), {}],
    ['a check as text', () => t.text().check('x > 0' as never), {}],
    ['checks as texts', of({ a: anyModel('A', { id: t.id() }, { checks: ['id > 0'] }) }), {}],
    ['a column as number', () => anyModel('A', { id: t.id(), a: t.text().column(5 as never) }), { fields: ['a'] }],
    ['a table as number', () => anyModel('A', { id: t.id() }, { table: 5 }), { model: 'A' }],
    ['indexes as text', () => anyModel('A', { id: t.id() }, { indexes: 'id' }), { model: 'A' }],
    ['an index as text', () => anyModel('A', { id: t.id() }, { unique: ['id'] }), { model: 'A' }],
    ['no schema', () => t.json({} as never), {}],
    ['1001 fields', () => anyModel('A', { id: t.id(), ...many(1000) }), { model: 'A' }],
    [
      'two indexes of one name to SQLite',
      of({ a: model('A', { id: t.id(), x: t.text().unique().column('p'), X: t.text().unique().column('q') }) }),
      { model: 'A', fields: ['X'] },
    ],
    ['bad index', of({ a: anyModel('A', { id: t.id() }, { indexes: [['x']] }) }), { model: 'A', fields: ['x'] }],
  ]
  test.each(cases)('%s', async (_, call, expected) => void (await refused(call, 'BAD_MODEL', expected)))

  test('as many fields as a model can have', async () => {
    const wide = localDatabase({ wides: anyModel('Wide', { id: t.autoId(), ...many(999) }) })
    const { wides } = wide.tables as any
    const row = await wides.create({})
    expect(row.f998).toBe(998)
    expect(await wides.list()).toEqual([row])
    await wide.close()
  })

  test('the eleventh check of a model is a check of no field', async () => {
    const checks = Array.from({ length: 11 }, (_, i) => sql<boolean>`n <> ${i}`)
    const checked = localDatabase({ checked: model('Checked', { id: t.autoId(), n: t.integer() }, { checks }) })
    for (const n of [0, 9, 10]) {
      const error = await checked.tables.checked.create({ n }).catch((e: unknown) => e as DataFlowError)
      expect(error).toMatchObject({ code: 'CHECK', model: 'Checked', message: expect.stringMatching(`:${n + 1}`) })
      expect((error as DataFlowError).fields).toBeUndefined()
    }
    await checked.close()
  })
})

describe("what the app's own functions throw", () => {
  const thrown = new RangeError('of the app')
  const fail = (): never => {
    throw thrown
  }
  const schema = (validate: () => unknown) => ({ '~standard': { version: 1, vendor: 'test', validate } }) as never
  const fields = {
    generated: { value: t.text().default(fail) },
    schema: { value: t.json(schema(fail)) },
    rejected: { value: t.json(schema(async () => fail())) },
  }
  const given = { generated: {}, schema: { value: 1 }, rejected: { value: 1 } }
  const texts = {
    generated: /value has a default that failed/,
    schema: /value has a schema that failed/,
    rejected: /synchronous schema.*promise/,
  }

  test.each(Object.keys(fields) as (keyof typeof fields)[])('%s', async kind => {
    const failing = localDatabase({ things: model('Thing', { id: t.autoId(), ...fields[kind] }) })
    const things = failing.tables.things as any
    const calls: [string, () => Promise<unknown>][] = [
      ['create', () => things.create(given[kind])],
      ['upsert', () => things.upsert(given[kind])],
      ['bulkCreate', () => things.bulkCreate([given[kind]])],
      ...(kind === 'generated' ? [] : [['update', () => things.update(1, given[kind])] as never]),
    ]
    for (const [op, call] of calls) {
      const error = await refused(call, 'VALIDATION', { model: 'Thing', op, fields: ['value'], text: texts[kind] })
      expect(error.cause).toBe(kind === 'rejected' ? undefined : thrown)
    }
    const { errors } = await things.bulkCreate([given[kind]], { onError: 'collect' })
    expect(errors).toMatchObject([
      { index: 0, error: { code: 'VALIDATION', model: 'Thing', op: 'bulkCreate', fields: ['value'] } },
    ])
    expect(await things.count()).toBe(0)
    await failing.close()
  })

  test('an id', async () => {
    const failing = localDatabase({ things: model('Thing', { id: t.id(fail) }) })
    const error = await refused(() => failing.tables.things.create({}), 'VALIDATION', { op: 'create', fields: ['id'] })
    expect(error.cause).toBe(thrown)
    await failing.close()
  })

  test('the schema of a raw query, and of a declared default', async () => {
    const error = await refused(() => db.run(sql`select 1`.as(schema(fail))), 'VALIDATION', {
      op: 'sql',
      text: /^Row 0/,
    })
    expect(error.cause).toBe(thrown)
    const declare = () =>
      dataflow('x', { models: { a: model('A', { id: t.id(), n: t.json(schema(fail)).default(1 as never) }) } })
    await refused(declare, 'BAD_MODEL', { model: 'A', fields: ['n'], text: /schema that failed/ })
  })
})

test('100 000 keys in $in work', async () => {
  const ids = Array.from({ length: 100_000 }, (_, i) => `k${i}`)
  expect(await users.count({ id: { $in: [...ids, 'a'] } })).toBe(1)
  expect(await users.list({ where: { id: { $nin: ids } }, select: ['id'] })).toEqual([{ id: 'a' }, { id: 'b' }])
  expect(await posts.count({ id: { $in: Array.from({ length: 100_000 }, (_, i) => i) } })).toBe(1)
  expect((await users.bulkUpdate({ where: { id: { $in: ids } }, set: { name: 'x' } })).count).toBe(0)
  await unchanged()
})

describe('values never appear in an error', () => {
  const shown = (e: DataFlowError) =>
    [e.message, e.stack, e.sql, e.hint, JSON.stringify(e.issues), JSON.stringify(e.fields), e.cause].join('\n')
  const calls: ((mark: string) => unknown)[] = [
    mark => users.create({ email: mark.repeat(9), name: mark }),
    mark => users.create({ email: 'c', age: mark }),
    mark => users.create({ email: 'a@x', name: mark }),
    mark => users.create({ email: 'c', name: mark, age: -1 }),
    mark => users.create({ email: { constructor: { name: mark } } }),
    mark => users.create({ email: Object.assign(Object.create({ constructor: { name: 1 } }), { mark }) }),
    mark => users.create({ email: mark, data: { a: [mark, NaN] } }),
    mark => users.create({ email: mark, data: new Map([[mark, mark]]) }),
    mark => users.create({ email: mark, id: `${mark}\ud800` }),
    mark => users.create({ email: 'c', role: mark, active: mark, big: mark, score: mark, born: mark, photo: mark }),
    mark => users.create({ email: 'c', born: new Date(mark) }),
    mark => users.create(mark),
    mark => users.create([mark]),
    mark => users.update(mark, { name: mark }),
    mark => users.update('a', { age: { $inc: mark } }),
    mark => users.update('a', { name: { $inc: mark } }),
    mark => users.update('a', { name: mark }, { version: 99 }),
    mark => users.update('a', { name: mark }, { version: mark }),
    mark => users.update('a', { fixed: mark }),
    mark => users.update('a', { id: mark }),
    mark => users.upsert({ email: 'a@x', name: mark }),
    mark => users.upsert({ email: mark }, { update: mark }),
    mark => users.readOrThrow(mark),
    mark => users.delete({ mark }),
    mark => users.count({ age: mark }),
    mark => users.count({ age: { $in: [mark] } }),
    mark => users.count({ name: { $like: `${mark}\\` } }),
    mark => users.count({ data: { $eq: [mark, undefined] } }),
    mark => users.count(mark),
    mark => users.list({ where: { born: { $between: [mark, mark] } } }),
    mark => users.page({ limit: 1, after: mark }),
    mark => users.page({ limit: 1, after: btoa(JSON.stringify(['+id', [mark]])) }),
    mark => users.list({ limit: mark }),
    mark =>
      users.bulkCreate([
        { email: 'c', name: mark },
        { email: 'a@x', name: mark },
      ]),
    mark => users.bulkCreate([{ email: 'c', age: mark }]),
    mark => users.bulkCreate(mark),
    mark => users.bulkUpdate({ all: true, set: { email: mark } }),
    mark => users.bulkUpdate({ where: { name: mark }, set: { age: mark } }),
    mark => users.bulkDelete({ where: { age: mark } }),
    mark => posts.create({ userId: mark, title: mark }),
    mark => db.sql`insert into users (id, email) values (${mark}, 'a@x')`,
    mark => db.sql`update users set age = ${mark}`,
    mark => db.sql`update users set data = ${mark}`,
    mark => db.sql`update users set role = ${mark}`,
    mark => db.sql`select json(${mark})`,
    mark => db.sql`select json_extract('{}', ${mark})`,
    mark => db.sql`select '[]' -> ${`$${mark}`}`,
    mark => db.sql`select strftime(${mark}, ${mark}), abs(-9223372036854775807 - 1 + (0 * length(${mark})))`,
    mark => db.sql`insert into posts (id, userId, title) values (${mark}, ${mark}, ${mark})`,
    mark => db.batch([User.update('a', { name: mark }), User.create({ email: 'b@x', name: mark })]),
    mark => sql`select ${[mark]}`,
    mark => sql`select ${{ constructor: { name: mark } }}`,
  ]
  test.each(calls.map(call => [String(call).replace(/\s+/g, ' ').slice(8), call] as const))('%s', async (_, call) => {
    const marks = fc.string({ unit: fc.constantFrom(...'QZXJKVW'), minLength: 8, maxLength: 12 })
    await fc.assert(
      fc.asyncProperty(marks, async mark => {
        const error = await (async () => call(mark))().then(
          () => expect.fail('not refused'),
          (e: unknown) => e as DataFlowError,
        )
        expect(error).toBeInstanceOf(DataFlowError)
        expect(shown(error)).not.toContain(mark)
      }),
      { numRuns: 4 },
    )
    await unchanged()
  })
})

test('what all of this was compared with: one changed value is seen, and so is its saving', async () => {
  await users.update('a', { score: 1 })
  expect(file.bytes().equals(before.bytes)).toBe(false)
  expect(await flushes()).toBe(before.flushes + 1)
})
