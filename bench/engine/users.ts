// The bench's users as they cross to the engine.
import type { compileModel } from '#worker/compile/model.js'
import { makeUsers } from '../page/rows.js'

type ModelDefinition = Parameters<typeof compileModel>[0]
type FieldDefinition = ModelDefinition['fields'][number]

export const TABLE = 'users'

const field = (name: string, kind: FieldDefinition['kind'], type: FieldDefinition['type']): FieldDefinition => ({
  name,
  kind,
  type,
  column: name,
  nullable: false,
  primaryKey: name === 'id',
  readonly: false,
  checks: [],
  renamedFrom: [],
  ...(kind === 'date' ? { date: 'ms' } : {}),
})

export const definition: ModelDefinition = {
  name: 'User',
  accessor: TABLE,
  table: TABLE,
  key: 'id',
  fields: [
    field('id', 'id', 'TEXT'),
    field('email', 'text', 'TEXT'),
    field('name', 'text', 'TEXT'),
    field('age', 'integer', 'INTEGER'),
    field('active', 'boolean', 'INTEGER'),
    field('joined', 'date', 'INTEGER'),
  ],
  indexes: [],
  checks: [],
}

export const rows = makeUsers(10_000).map((user): (string | number)[] => [
  user.id,
  user.email,
  user.name,
  user.age,
  Number(user.active),
  user.joined.getTime(),
])

export const ids = rows.map(([id]) => id as string)

export const insertMany = {
  op: 'insertMany',
  method: 'bulkCreate',
  model: definition.name,
  rows,
  conflict: { policy: 'fail' },
  collect: false,
} as const

/** As the library makes it. */
export const DDL = `CREATE TABLE ${TABLE} (
  id TEXT PRIMARY KEY NOT NULL, email TEXT NOT NULL, name TEXT NOT NULL, age INTEGER NOT NULL,
  active INTEGER NOT NULL CHECK (active IN (0, 1)), joined INTEGER NOT NULL
) STRICT`
