// What a field of each kind is to SQLite: its type, values it may hold, defaults, conditions. Each piece of SQL stands
// beside what it means in JavaScript.
import {
  fieldNamed,
  keyOf,
  modelNamed,
  quoted,
  type ColumnType,
  type Conversion,
  type DateForm,
  type Default,
  type FieldSpec,
  type Kind,
  type ModelCheck,
  type ModelSpec,
  type Release,
  type Stored,
} from './spec.js'

interface KindFacts {
  readonly type: ColumnType
  readonly form: DateForm | null
  /** Values that meet those of other kinds. */
  readonly pool: readonly Stored[]
  /** SQL and what it gives. */
  readonly expressions: readonly (readonly [string, Stored])[]
}

const bytes = (...values: number[]) => Uint8Array.from(values)

const text: KindFacts = {
  type: 'TEXT',
  form: null,
  pool: ['7', 'a', 'b', '0', '-12', 'Ünï', '3.5', '', '007', '1e3', 'a\0b', '9007199254740993', '9223372036854775808'],
  expressions: [
    ["lower('B')", 'b'],
    ["'1' || '2'", '12'],
  ],
}
const integer: KindFacts = {
  type: 'INTEGER',
  form: null,
  pool: [1, 0, 7, -12, 2 ** 31, Number.MAX_SAFE_INTEGER],
  expressions: [
    ['abs(-7)', 7],
    ['2 + 3', 5],
  ],
}
const dateMs: KindFacts = {
  type: 'INTEGER',
  form: 'ms',
  // The last one is in the year 10000: beyond the text form.
  pool: [86_400_000, 0, 1_700_000_000_000, 1_700_000_000_500, -1000, 253_402_300_800_000],
  expressions: [['60 * 1000', 60_000]],
}

const KINDS: Record<Exclude<Kind, 'ref'>, KindFacts> = {
  id: text,
  text,
  integer,
  autoId: integer,
  version: { ...integer, pool: [1] },
  bigint: {
    ...integer,
    pool: [1, 0, 7, -5, 2n ** 53n + 1n, 2n ** 63n - 1n, -(2n ** 63n)],
  },
  real: {
    type: 'REAL',
    form: null,
    pool: [1, 0, 2.5, -3, 2 ** 53, 1e18, 0.30000000000000004, 1e300, Infinity],
    expressions: [['1.5 + 1', 2.5]],
  },
  boolean: { type: 'INTEGER', form: null, pool: [1, 0], expressions: [['1 = 1', 1]] },
  enum: { ...text, pool: ['a', 'b', 'c', '7'], expressions: [["lower('A')", 'a']] },
  json: {
    type: 'TEXT',
    form: null,
    pool: ['7', '{"a":1}', '"x"', '[]', 'true'],
    expressions: [
      ['json_array(1, 2)', '[1,2]'],
      ["json_object('a', 1)", '{"a":1}'],
    ],
  },
  blob: {
    type: 'BLOB',
    form: null,
    pool: [bytes(97), bytes(), bytes(0xc3, 0xa9), bytes(55), bytes(0xff), bytes(0, 1)],
    expressions: [["CAST('z' AS BLOB)", bytes(122)]],
  },
  dateMs,
  createdAt: dateMs,
  updatedAt: dateMs,
  dateSeconds: {
    type: 'INTEGER',
    form: 'seconds',
    pool: [86_400, 0, 1_700_000_000, -1],
    expressions: [['60 * 60', 3600]],
  },
  dateText: {
    type: 'TEXT',
    form: 'text',
    pool: [
      '1970-01-02T00:00:00.000Z',
      '2023-11-14T22:13:20.000Z',
      '2023-11-14T22:13:20.500Z',
      '0001-01-01T00:00:00.000Z',
    ],
    expressions: [["'1970-01-01T00:00:' || '01.000Z'", '1970-01-01T00:00:01.000Z']],
  },
}

export const FREE_KINDS = [
  'text',
  'integer',
  'real',
  'boolean',
  'enum',
  'dateMs',
  'bigint',
  'blob',
  'dateText',
  'json',
  'dateSeconds',
] as const satisfies readonly Kind[]
export const KEY_KINDS = ['id', 'autoId', 'text', 'integer', 'bigint'] as const satisfies readonly Kind[]
export const STAMPS = ['createdAt', 'updatedAt', 'version'] as const satisfies readonly Kind[]

/** The kind whose values the field holds: for a reference the kind of the key that it names. */
export function heldKind(field: FieldSpec, release: Release): Exclude<Kind, 'ref'> {
  const { kind } = field.ref ? keyOf(modelNamed(release, field.ref.model)!) : field
  return kind as Exclude<Kind, 'ref'>
}

export const factsOfKind = (field: FieldSpec, release: Release): KindFacts => KINDS[heldKind(field, release)]

export const poolOf = (field: FieldSpec, release: Release): readonly Stored[] =>
  field.kind === 'enum' ? field.values : factsOfKind(field, release).pool

/** What a default gives. */
export function defaultValue(field: FieldSpec, { how, pick }: Default): Stored {
  const kind = field.kind as Exclude<Kind, 'ref'>
  if (how === 'sql') return defaultSql(field, { how, pick })[1]
  // In DDL a text cannot hold NUL.
  const pool = (kind === 'enum' ? field.values : KINDS[kind].pool).filter(value => !String(value).includes('\0'))
  return pool[pick % pool.length]!
}

export function defaultSql(field: FieldSpec, { pick }: Default): readonly [string, Stored] {
  const { expressions } = KINDS[field.kind as Exclude<Kind, 'ref'>]
  return expressions[pick % expressions.length]!
}

/** A condition: NULL passes. */
export interface Condition {
  readonly sql: string
  fits(value: Exclude<Stored, null>): boolean
}

/** As SQLite's length() counts. */
const lengthOf = (value: Exclude<Stored, null>) =>
  value instanceof Uint8Array ? value.length : [...String(value).split('\0')[0]!].length

/** The check that the field declares. */
export function fieldCheck(field: FieldSpec): Condition | null {
  const { check, kind } = field
  if (check === null || field.ref || (STAMPS as readonly Kind[]).includes(kind)) return null
  const column = quoted(field.column)
  const { type, form } = KINDS[kind as Exclude<Kind, 'ref'>]
  if (type === 'INTEGER' || type === 'REAL') {
    const least = [-100, 0, -1_000_000][check % 3]!
    return { sql: `${column} >= ${least}`, fits: value => Number(value) >= least }
  }
  if (type === 'BLOB' || form === 'text' || kind === 'json' || check % 2 === 0) {
    const most = { BLOB: 1, TEXT: form === 'text' || kind === 'json' ? 24 : 3 }[type] + (check % 3)
    return { sql: `length(${column}) <= ${most}`, fits: value => lengthOf(value) <= most }
  }
  return { sql: `${column} <> 'b'`, fits: value => value !== 'b' }
}

/** The checks that the kind brings. */
export function kindCheck(field: FieldSpec): (Condition & { readonly name: string }) | null {
  const column = quoted(field.column)
  switch (field.kind) {
    case 'enum': {
      const list = field.values.map(value => `'${value}'`).join(', ')
      return { name: 'enum', sql: `${column} IN (${list})`, fits: value => field.values.includes(value as string) }
    }
    case 'boolean':
      return { name: 'boolean', sql: `${column} IN (0, 1)`, fits: value => value === 0 || value === 1 }
    case 'json':
      return { name: 'json', sql: `json_valid(${column})`, fits: isJson }
    default:
      return null
  }
}

function isJson(value: Exclude<Stored, null>): boolean {
  try {
    JSON.parse(value as string)
    return true
  } catch {
    return false
  }
}

export const modelCheckSql = (model: ModelSpec, { how, fields }: ModelCheck): string => {
  const [a, b] = fields.map(name => quoted(fieldNamed(model, name).column))
  return how === 'either' ? `${a} IS NOT NULL OR ${b} IS NOT NULL` : `${a} IS NULL OR ${b} IS NULL`
}

/** SQL of a convertFrom, and what it gives for a value of the column that it looks at. */
export interface ConversionFacts {
  readonly sql: string
  /** `type` is the looked-at column's. */
  of(value: Stored, type: ColumnType): Stored
}

export function conversionOf(field: FieldSpec, { how, of }: Conversion, release: Release): ConversionFacts {
  const column = quoted(of)
  if (how === 'null') return { sql: `CASE WHEN ${column} IS NULL THEN NULL END`, of: () => null }
  if (how === 'copy') return { sql: column, of: value => value }
  const kind = heldKind(field, release)
  const { type, form } = KINDS[kind]
  const pair = ((): readonly [string, Stored, string, Stored] => {
    switch (kind) {
      case 'blob':
        return ["x'00'", bytes(0), "x'01ff'", bytes(1, 255)]
      case 'real':
        return ['0.5', 0.5, '1.5', 1.5]
      case 'enum':
        return ["'a'", 'a', "'b'", 'b']
      case 'json':
        return ["'[]'", '[]', "'[1]'", '[1]']
      case 'dateText':
        return [
          "'1970-01-01T00:00:00.000Z'",
          '1970-01-01T00:00:00.000Z',
          "'1980-01-01T00:00:00.000Z'",
          '1980-01-01T00:00:00.000Z',
        ]
      default:
        if (type === 'INTEGER') return ['0', 0, form === 'ms' ? '1000' : '1', form === 'ms' ? 1000 : 1]
        return ["'none'", 'none', `typeof(${column})`, 'typeof']
    }
  })()
  const [emptySql, empty, otherSql, other] = pair
  const ofOther = (columnType: ColumnType): Stored => (other === 'typeof' ? columnType.toLowerCase() : other)
  const orNull = how === 'probe or null'
  return {
    sql: `CASE WHEN ${column} IS NULL THEN ${orNull ? 'NULL' : emptySql} ELSE ${otherSql} END`,
    of: (value, columnType) => (value === null ? (orNull ? null : empty) : ofOther(columnType)),
  }
}

/** A stored value as the app gives it. */
export function appValue(kind: Exclude<Kind, 'ref'>, value: Stored): unknown {
  if (value === null) return null
  switch (kind) {
    case 'boolean':
      return value === 1
    case 'bigint':
      return BigInt(value as number | bigint)
    case 'dateMs':
    case 'dateText':
      return new Date(value as number | string)
    case 'dateSeconds':
      return new Date((value as number) * 1000)
    case 'json':
      return JSON.parse(value as string)
    default:
      return value
  }
}
