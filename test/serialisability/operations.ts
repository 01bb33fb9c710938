// What clients do to a few rows: operations as plain data, how they are run, and what they mean.
import fc from 'fast-check'
import { model, sql, t } from '../../src/index.js'
import type { Operation } from '../../src/model.js'
import type { SqlQuery } from '../../src/shared/sql.js'

export const Row = model('Row', { id: t.text().primaryKey(), n: t.integer() })
export const models = { rows: Row }

export type Op =
  | { readonly op: 'read'; readonly id: string }
  | { readonly op: 'list' }
  | { readonly op: 'sum' }
  | { readonly op: 'create' | 'upsert'; readonly id: string; readonly n: number }
  | { readonly op: 'add'; readonly id: string; readonly by: number }
  | { readonly op: 'addAll'; readonly least: number; readonly by: number }
  | { readonly op: 'delete'; readonly id: string }
  /** Writes what was read last, and one more: what a lost update would lose. Becomes an upsert when it is run. */
  | { readonly op: 'carry'; readonly id: string }

const id = fc.constantFrom('a', 'b', 'c', 'd')
const n = fc.integer({ min: 0, max: 9 })

export const operation: fc.Arbitrary<Op> = fc.oneof(
  fc.record({ op: fc.constant('read' as const), id }),
  fc.constant({ op: 'list' } as const),
  fc.constant({ op: 'sum' } as const),
  fc.record({ op: fc.constantFrom('create' as const, 'upsert' as const), id, n }),
  fc.record({ op: fc.constant('add' as const), id, by: n }),
  fc.record({ op: fc.constant('addAll' as const), least: n, by: n }),
  fc.record({ op: fc.constant('delete' as const), id }),
  { weight: 3, arbitrary: fc.record({ op: fc.constant('carry' as const), id }) },
)

export function queryOf(op: Op): Operation<any> | SqlQuery<any> {
  switch (op.op) {
    case 'read':
      return Row.read(op.id)
    case 'list':
      return Row.list()
    case 'sum':
      return sql`select coalesce(sum(n), 0) as n from rows`
    case 'create':
      return Row.create({ id: op.id, n: op.n })
    case 'upsert':
      return Row.upsert({ id: op.id, n: op.n })
    case 'add':
      return Row.update(op.id, { n: { $inc: op.by } })
    case 'addAll':
      return Row.bulkUpdate({ where: { n: { $gte: op.least } }, set: { n: { $inc: op.by } } })
    case 'delete':
      return Row.delete(op.id)
    case 'carry':
      throw new Error('It is an upsert by now')
  }
}

/** What of an answer is compared. */
export function answerOf(op: Op, answer: any): unknown {
  if (op.op === 'list') return (answer as { id: string; n: number }[]).map(row => [row.id, row.n])
  if (op.op === 'sum') return answer[0].n
  if (op.op === 'addAll') return answer.count
  return typeof answer === 'object' && answer !== null ? answer.n : answer
}

/** The rows as they would be in a program with one thread. */
export type State = ReadonlyMap<string, number>
export type Result = { readonly ok: readonly unknown[] } | { readonly failed: string }

class Failed {
  readonly code: string
  constructor(code: string) {
    this.code = code
  }
}

/** Operations that succeed or fail together: what they answer, and the rows afterwards. */
export function replay(state: State, ops: readonly Op[]): { result: Result; state: State; wrote: string[] } {
  const rows = new Map(state)
  const ok: unknown[] = []
  const wrote: string[] = []
  for (const op of ops) {
    const outcome = apply(rows, op, wrote)
    if (outcome instanceof Failed) return { result: { failed: outcome.code }, state, wrote: [] }
    ok.push(outcome)
  }
  return { result: { ok }, state: rows, wrote }
}

function apply(rows: Map<string, number>, op: Op, wrote: string[]): unknown {
  const set = (id: string, n: number): number => {
    rows.set(id, n)
    wrote.push(id)
    return n
  }
  switch (op.op) {
    case 'read':
      return rows.get(op.id) ?? null
    case 'list':
      return [...rows].sort(([a], [b]) => (a < b ? -1 : 1))
    case 'sum':
      return [...rows.values()].reduce((sum, n) => sum + n, 0)
    case 'create':
      return rows.has(op.id) ? new Failed('UNIQUE') : set(op.id, op.n)
    case 'upsert':
      return set(op.id, op.n)
    case 'add': {
      const n = rows.get(op.id)
      return n === undefined ? new Failed('NOT_FOUND') : set(op.id, n + op.by)
    }
    case 'addAll': {
      const found = [...rows].filter(([, n]) => n >= op.least)
      for (const [id, n] of found) set(id, n + op.by)
      return found.length
    }
    case 'delete':
      if (rows.has(op.id)) wrote.push(op.id)
      return rows.delete(op.id)
    case 'carry':
      throw new Error('It is an upsert by now')
  }
}
