// db.audit: what has changed, by whom and when. Triggers write it (worker/migrate/audit-trail.ts); here it is read.
import { AUDIT_LIST } from './actor.js'
import type { RunOptions } from './connect.js'
import { decodeAudited } from './encode/audited.js'
import { checkRunOptions, badOption, named, readOptions } from './encode/options.js'
import { encodeKey } from './encode/row.js'
import type { AnyModel, Key, Row } from './model.js'
import type { PageModel } from './resolve.js'
import { prepareSql } from './run-sql.js'
import { describe } from './shared/codec.js'
import { DataFlowError } from './shared/errors.js'
import type { WireOperation, WireResult } from './shared/operation.js'
import type { UnitResult } from './shared/protocol.js'
import { didYouMean } from './shared/nearest.js'
import { sql, type SqlExpr, type SqlQuery } from './shared/sql.js'

type NamesOf<Ms> = { [K in keyof Ms]: Ms[K] extends { readonly $name: infer N } ? N : never }[keyof Ms]
type ModelNamed<Ms, N> = { [K in keyof Ms]: Ms[K] extends { readonly $name: N } ? Ms[K] : never }[keyof Ms]

interface EntryOf<Name, Id> {
  /** Grows with every entry: what `after` takes. */
  readonly id: number
  /** The model's own name. */
  readonly model: Name
  readonly key: Id
  /** What `actor` said; null for nobody. */
  readonly who: string | null
  /** When the transaction was: the same as `updatedAt` of what it wrote. */
  readonly at: Date
}

/** The change of a row: as it was before, and as it is after. Rows of earlier builds have the fields that they had. */
export type AuditEntry<M> = M extends AnyModel
  ? EntryOf<M['$name'], Key<M>> &
      (
        | { readonly action: 'create'; readonly before: null; readonly after: Row<M> }
        | { readonly action: 'update'; readonly before: Row<M>; readonly after: Row<M> }
        | { readonly action: 'delete'; readonly before: Row<M>; readonly after: null }
      )
  : never

export type AuditArgs<Ms, N> = {
  who?: string | null
  action?: 'create' | 'update' | 'delete'
  /** Not before. */
  from?: Date
  /** Before. */
  to?: Date
  limit?: number
  /** The `id` of an entry: only older ones. */
  after?: number
  signal?: AbortSignal
} & ({ model: N; key?: Key<ModelNamed<Ms, N>> } | { model?: undefined; key?: undefined })

export interface AuditTrail<Ms> {
  /**
   * What has changed, newest first.
   *
   * @example
   * const [last] = await db.audit.list({ model: 'User', key: id, limit: 1 })
   * if (last?.action === 'update') show(last.who, last.at, last.before, last.after)
   *
   * `UNKNOWN_MODEL`, `BAD_OPTION`, `VALIDATION` for a key that is none.
   */
  list<const N extends NamesOf<Ms> = NamesOf<Ms>>(args?: AuditArgs<Ms, N>): Promise<AuditEntry<ModelNamed<Ms, N>>[]>
  /**
   * Forgets what is older, and gives the number of entries that were forgotten.
   *
   * @example
   * await db.audit.prune({ before: new Date(Date.now() - 90 * 24 * 3600 * 1000) })
   */
  prune(args: { before: Date }): Promise<number>
}

export interface AuditParts {
  readonly models: ReadonlyMap<string, PageModel>
  send(wire: WireOperation, options: RunOptions): Promise<UnitResult>
  prune(before: number): Promise<number>
}

const TABLE = sql`select 1 from sqlite_schema where type = 'table' and name = 'dataflow_audit'`

export function auditTrail({ models, send, prune }: AuditParts): AuditTrail<any> {
  const run = async <T>(query: SqlQuery<T>, options: RunOptions): Promise<T[]> => {
    const { wire, decode } = prepareSql(query)
    return decode((await send({ ...wire, method: AUDIT_LIST }, options)) as WireResult) as T[]
  }
  return {
    async list(args: unknown) {
      const { condition, limit, options } = named({ op: AUDIT_LIST }, () => readArgs(args, models))
      // Where nothing was ever audited there is none.
      if ((await run(TABLE, options)).length === 0) return []
      const query = sql<StoredEntry>`select * from dataflow_audit where ${condition} order by id desc ${limit}`
      const entries = await run(query, options)
      return entries.map(entry => decodeEntry(models.get(entry.model)!, entry)) as never
    },
    async prune(args: unknown) {
      const before = named({ op: 'audit.prune' }, () => moment(readOptions(args, ['before']).before, 'before'))
      return prune(before.getTime())
    },
  }
}

interface StoredEntry {
  readonly id: number
  readonly model: string
  readonly key: string | number | bigint
  readonly action: 'create' | 'update' | 'delete'
  readonly who: string | null
  readonly at: number
  readonly before: string | null
  readonly after: string | null
}

function decodeEntry(model: PageModel, { at, before, after, key, ...entry }: StoredEntry): unknown {
  const row = (json: string | null) => (json === null ? null : decodeAudited(model, json))
  const isBig = model.fieldNamed.get(model.definition.key)!.definition.kind === 'bigint'
  return {
    ...entry,
    key: isBig && typeof key === 'number' ? BigInt(key) : key,
    at: new Date(at),
    before: row(before),
    after: row(after),
  }
}

const OPTIONS = ['model', 'key', 'who', 'action', 'from', 'to', 'limit', 'after', 'signal'] as const

function readArgs(args: unknown, models: ReadonlyMap<string, PageModel>) {
  const { model: name, key, who, action, from, to, limit, after, signal } = readOptions(args, OPTIONS)
  const options = checkRunOptions(signal === undefined ? {} : { signal })
  const conditions: SqlExpr[] = []
  if (name === undefined) {
    if (key !== undefined) throw badOption('A key is one of a model.', "name it: { model: 'User', key }.")
    conditions.push(sql`model in (${sql.join([...models.keys()])})`)
  } else {
    const model = models.get(name as string)
    if (!model) {
      const text = `This database has no model "${String(name).replaceAll('\0', '\\0')}".`
      throw new DataFlowError('UNKNOWN_MODEL', text, { hint: didYouMean(String(name), [...models.keys()]) })
    }
    // Without a key it is faster to go through the entries in their order than to sort those of the model.
    if (key === undefined) conditions.push(sql`+model = ${name}`)
    else conditions.push(sql`model = ${name}`, sql`key = ${encodeKey(key, { model, op: AUDIT_LIST })}`)
  }
  if (who !== undefined) {
    if (who !== null && typeof who !== 'string')
      throw badOption(`who must not be ${describe(who)}.`, 'a text, or null.')
    conditions.push(who === null ? sql`who is null` : sql`who = ${who}`)
  }
  if (action !== undefined) {
    if (!['create', 'update', 'delete'].includes(action as string)) {
      throw badOption('There is no such action.', "use 'create', 'update' or 'delete'.")
    }
    conditions.push(sql`action = ${action}`)
  }
  if (from !== undefined) conditions.push(sql`at >= ${moment(from, 'from')}`)
  if (to !== undefined) conditions.push(sql`at < ${moment(to, 'to')}`)
  if (after !== undefined) conditions.push(sql`id < ${whole(after, 'after')}`)
  return {
    condition: sql.join(conditions, sql` and `),
    limit: limit === undefined ? sql`` : sql`limit ${whole(limit, 'limit')}`,
    options,
  }
}

function moment(value: unknown, name: string): Date {
  if (value instanceof Date && !Number.isNaN(value.getTime())) return value
  throw badOption(`${name} must be a Date.`, `{ ${name}: new Date() }.`)
}

function whole(value: unknown, name: string): number {
  if (Number.isSafeInteger(value) && (value as number) >= 0) return value as number
  throw badOption(`${name} must be a whole number of 0 or more.`, `{ ${name}: 50 }.`)
}
