// Four models in a real SQLite, without the engine, so that what an operation may see can be given by hand; and what
// relations mean, written in JavaScript over rows as an app sees them.
import initSqlJs from 'sql.js'
import { model, t } from '../../src/index.js'
import { prepare } from '../../src/encode/operation.js'
import type { Operation } from '../../src/model.js'
import { resolveModels } from '../../src/resolve.js'
import { encodeValue } from '../../src/shared/codec.js'
import type { WireOperation, WireResult } from '../../src/shared/operation.js'
import { quoteIdentifier } from '../../src/shared/sql.js'
import { compileIncluding } from '../../worker/compile/include.js'
import { compileModels } from '../../worker/compile/model.js'
import { compileCount } from '../../worker/compile/read.js'
import type { Access } from '../../worker/compile/visible.js'
import { compare, matches } from '../filter/oracle.js'

export const Person = model(
  'Person',
  {
    id: t.id(),
    team: t.text(),
    deletedAt: t.date().nullable(),
    bossId: t.ref('Person', { inverse: 'reports' }).nullable(),
    name: t.text(),
    rank: t.integer().nullable(),
    big: t.bigint(),
    born: t.date({ as: 'text' }).nullable(),
  },
  { table: 'Order "Persons"', softDelete: true },
)
export const Post = model(
  'Post',
  {
    id: t.id(),
    team: t.text(),
    authorId: t.ref('Person').column('the author'),
    editorId: t.ref('Person', { inverse: 'edited' }).nullable(),
    title: t.text(),
    live: t.boolean(),
    kind: t.enum(['note', 'essay']),
    at: t.date().nullable(),
    extra: t.json().nullable(),
    photo: t.blob().nullable(),
  },
  { relations: { tags: { through: 'PostTag' } } },
)
export const Tag = model(
  'Tag',
  { no: t.autoId(), word: t.text(), score: t.real().nullable() },
  { relations: { posts: { through: 'PostTag' } } },
)
export const PostTag = model(
  'PostTag',
  {
    id: t.bigint().primaryKey(),
    team: t.text(),
    deletedAt: t.date().nullable(),
    postId: t.ref('Post'),
    tagNo: t.ref('Tag', { as: 'tag' }).$type<number>(),
    weight: t.integer(),
  },
  { softDelete: true },
)
export const models = { persons: Person, posts: Post, tags: Tag, postTags: PostTag }
export type Name = 'Person' | 'Post' | 'Tag' | 'PostTag'
export type Row = Record<string, unknown>
export type Data = Record<Name, Row[]>

const pageModels = resolveModels(models)
const definitions = [...pageModels.values()].map(({ definition }) => {
  return definition.name === 'Tag' ? { ...definition, shared: true as const } : { ...definition, scope: ['team'] }
})
const compiled = compileModels(definitions, true)

export interface World {
  fill(data: Data): void
  run(operation: Operation<any>, access: Access): any
  readonly statements: string[]
  /** How SQLite would run the last statement. */
  plan(): string[]
}

export async function openWorld(): Promise<World> {
  const SQL = await initSqlJs()
  const db = new SQL.Database()
  for (const { table, fields, key, indexes } of definitions) {
    const columns = fields.map(f => `${quoteIdentifier(f.column)} ${f.type}${f.name === key ? ' PRIMARY KEY' : ''}`)
    db.run(`CREATE TABLE ${quoteIdentifier(table)} (${columns.join(', ')}) STRICT`)
    for (const { name, fields: on } of indexes) {
      const of = on.map(field => quoteIdentifier(fields.find(f => f.name === field)!.column)).join(', ')
      db.run(`CREATE INDEX ${quoteIdentifier(name)} ON ${quoteIdentifier(table)} (${of})`)
    }
  }
  const statements: string[] = []
  const runWire = (wire: WireOperation, access: Access): WireResult => {
    if (wire.op !== 'list' && wire.op !== 'read' && wire.op !== 'count') throw new Error('reads only')
    const of = compiled.get(wire.model)!
    const { sql, params } = wire.op === 'count' ? compileCount(of, wire, access) : compileIncluding(of, wire, access)
    statements.push(sql)
    const statement = db.prepare(sql)
    statement.bind(params as (string | number | null)[])
    statement.step()
    const values = statement.get()
    statement.free()
    return wire.op === 'count' ? (values[0] as number) : { columns: values as string[] }
  }
  return {
    statements,
    plan: () => db.exec(`EXPLAIN QUERY PLAN ${statements.at(-1)!}`)[0]!.values.map(([, , , detail]) => String(detail)),
    fill(data) {
      for (const { name, table, fields } of definitions) {
        db.run(`DELETE FROM ${quoteIdentifier(table)}`)
        const places = fields.map(f => (f.type === 'INTEGER' ? 'CAST(? AS INTEGER)' : '?'))
        const insert = db.prepare(`INSERT INTO ${quoteIdentifier(table)} VALUES (${places.join(', ')})`)
        for (const row of data[name as Name]) {
          insert.run(
            fields.map(f => {
              const stored = row[f.name] === null ? null : encodeValue(f, row[f.name])
              return stored !== null && f.type === 'INTEGER' ? String(stored) : (stored as string)
            }),
          )
        }
        insert.free()
      }
    },
    run(operation, access) {
      const { wire, decode } = prepare(pageModels.get(operation.model)!, operation)
      return decode(structuredClone(runWire(structuredClone(wire), access)))
    },
  }
}

// ---- what it means ---------------------------------------------------------------------------------------------

interface Link {
  readonly to: Name
  readonly many: boolean
  /** The rows that belong to `row`, of those that are handed in. */
  find(row: Row, rows: readonly Row[], between: readonly Row[]): Row[]
}
const one = (to: Name, from: string, key: string): Link => ({
  to,
  many: false,
  find: (row, rows) => rows.filter(other => row[from] !== null && other[key] === row[from]),
})
const many = (to: Name, key: string, field: string): Link => ({
  to,
  many: true,
  find: (row, rows) => rows.filter(other => other[field] === row[key]),
})
const through = (to: Name, key: string, from: string, field: string, toKey: string): Link => ({
  to,
  many: true,
  find: (row, rows, between) =>
    between.filter(join => join[from] === row[key]).flatMap(join => rows.filter(other => other[toKey] === join[field])),
})

export const LINKS: Record<Name, Record<string, Link>> = {
  Person: {
    boss: one('Person', 'bossId', 'id'),
    reports: many('Person', 'id', 'bossId'),
    posts: many('Post', 'id', 'authorId'),
    edited: many('Post', 'id', 'editorId'),
  },
  Post: {
    author: one('Person', 'authorId', 'id'),
    editor: one('Person', 'editorId', 'id'),
    postTags: many('PostTag', 'id', 'postId'),
    tags: through('Tag', 'id', 'postId', 'tagNo', 'no'),
  },
  Tag: { postTags: many('PostTag', 'no', 'tagNo'), posts: through('Post', 'no', 'tagNo', 'postId', 'id') },
  PostTag: { post: one('Post', 'postId', 'id'), tag: one('Tag', 'tagNo', 'no') },
}
export const KEYS: Record<Name, string> = { Person: 'id', Post: 'id', Tag: 'no', PostTag: 'id' }

export class Oracle {
  readonly #data: Data
  readonly #scope: Access['scope']

  constructor(data: Data, scope: Access['scope']) {
    this.#data = data
    this.#scope = scope
  }

  #seen(name: Name, withDeleted: boolean): Row[] {
    return this.#data[name].filter(
      row =>
        (name === 'Tag' || !this.#scope || row.team === this.#scope.team) &&
        (withDeleted || !('deletedAt' in row) || row.deletedAt === null),
    )
  }

  matches(name: Name, row: Row, where: Row): boolean {
    return Object.entries(where).every(([key, value]) => {
      if (key === '$and') return (value as (Row | false)[]).every(part => !part || this.matches(name, row, part))
      if (key === '$or') return (value as Row[]).some(part => this.matches(name, row, part))
      if (key === '$not') return !this.matches(name, row, value as Row)
      const link = LINKS[name][key]
      if (!link) return matches(row, { [key]: value }, { json: ['extra'] })
      const rows = link.find(row, this.#seen(link.to, false), this.#seen('PostTag', false))
      const passes = (filter: Row) => (other: Row) => this.matches(link.to, other, filter)
      if (!link.many) return value === null ? rows.length === 0 : rows.some(passes(value as Row))
      return Object.entries(value as Record<string, Row>).every(([quantifier, filter]) => {
        if (quantifier === '$some') return rows.some(passes(filter))
        return quantifier === '$every' ? rows.every(passes(filter)) : !rows.some(passes(filter))
      })
    })
  }

  list(name: Name, args: Args, withDeleted = false): Row[] {
    return this.#finish(name, this.#seen(name, withDeleted), args)
  }

  #finish(name: Name, rows: readonly Row[], { where = {}, orderBy = [], limit, select, include = {} }: Args): Row[] {
    const order = [...orderBy.flatMap(term => Object.entries(term)), [KEYS[name], 'asc'] as const]
    const sorted = rows
      .filter(row => this.matches(name, row, where))
      .sort((a, b) => {
        for (const [field, direction] of order) {
          const difference = compare(a[field], b[field])
          if (difference !== 0) return direction === 'desc' ? -difference : difference
        }
        return 0
      })
    return sorted.slice(0, limit).map(row => {
      const shown = Object.fromEntries((select ?? Object.keys(row)).map(field => [field, row[field]]))
      for (const [relation, given] of Object.entries(include)) {
        const link = LINKS[name][relation]!
        const wanted: Args = given === true ? {} : given
        const deleted = wanted.withDeleted ?? false
        const found = link.find(row, this.#seen(link.to, deleted), this.#seen('PostTag', deleted))
        const finished = this.#finish(link.to, found, wanted)
        shown[relation] = link.many ? finished : (finished[0] ?? null)
      }
      return shown
    })
  }
}

export interface Args {
  where?: Row
  orderBy?: Record<string, 'asc' | 'desc'>[]
  limit?: number
  select?: string[]
  include?: Record<string, true | Args>
  withDeleted?: boolean
}
