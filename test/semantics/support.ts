// A lease of a database in this process, a clock that is turned by hand, and storage that fails when it is told to.
import { prepare } from '../../src/encode/operation.js'
import type { AnyModel, Operation } from '../../src/model.js'
import { resolveModels } from '../../src/resolve.js'
import { prepareSql } from '../../src/run-sql.js'
import { DataFlowError } from '../../src/shared/errors.js'
import type { Durability } from '../../src/shared/operation.js'
import type { Unit } from '../../src/shared/protocol.js'
import { isSqlExpr, type SqlQuery } from '../../src/shared/sql.js'
import type { Clock, Storage } from '../../worker/seams.js'
import { unwrap, type LocalDatabase } from '../support/local.js'

let units = 1_000_000

/** An operation or a query as a unit of a message, and its decoder. */
export function unitOf(models: Record<string, AnyModel>, query: Operation<any> | SqlQuery<any>, lease?: number) {
  const { wire, decode } = isSqlExpr(query)
    ? prepareSql(query as SqlQuery<unknown>)
    : prepare(resolveModels(models).get((query as Operation<any>).model)!, query as Operation<any>)
  const unit: Unit = { id: ++units, ops: [wire], durability: null, ...(lease === undefined ? {} : { lease }) }
  return { unit, decode }
}

/** Begins a lease, as db.transaction() does. */
export async function begin(
  db: LocalDatabase<any>,
  models: Record<string, AnyModel>,
  { maxWait = 60_000, timeout = 60_000 } = {},
) {
  return leaseOf(db, models, await unwrap(db.engine.begin({ maxWait, timeout, id: ++units })))
}

/** What the page does with the number of a lease. */
export function leaseOf(db: LocalDatabase<any>, models: Record<string, AnyModel>, id: number) {
  return {
    id,
    savepoint: async () => leaseOf(db, models, await unwrap(db.engine.savepoint(id))),
    async batch(queries: readonly (Operation<any> | SqlQuery<any>)[]): Promise<any[]> {
      const items = queries.map(query => unitOf(models, query, id))
      const unit = { ...items[0]!.unit, ops: items.flatMap(item => item.unit.ops) }
      const [outcome] = await unwrap(db.engine.run([structuredClone(unit)]))
      if ('error' in outcome!) throw DataFlowError.fromWire(outcome.error)
      return items.map(({ decode }, i) => decode(outcome!.ok[i]! as never))
    },
    async run(query: Operation<any> | SqlQuery<any>): Promise<any> {
      const { unit, decode } = unitOf(models, query, id)
      const [outcome] = await unwrap(db.engine.run([structuredClone(unit)]))
      if ('error' in outcome!) throw DataFlowError.fromWire(outcome.error)
      return decode(outcome!.ok[0]! as never)
    },
    commit: (durability: Durability | null = null) => unwrap(db.engine.commit(id, durability)),
    rollback: () => unwrap(db.engine.rollback(id)),
  }
}

/** Time passes when `pass` says so. */
export function handClock(start = 0) {
  let time = start
  const timers = new Set<{ at: number; callback: () => void }>()
  const clock: Clock = {
    now: () => time,
    monotonic: () => time,
    after(ms, callback) {
      const timer = { at: time + ms, callback }
      timers.add(timer)
      return () => timers.delete(timer)
    },
  }
  return {
    clock,
    pass(ms: number) {
      time += ms
      for (const timer of [...timers]) {
        if (timer.at > time || !timers.delete(timer)) continue
        timer.callback()
      }
    },
  }
}

/** Storage whose flushes wait at a gate, and fail while `failing` is set. */
export function gatedStorage() {
  const gate = {
    /** A code, or null to work. */
    failing: null as 'STORAGE_FULL' | null,
    /** Flushes that are under way. */
    started: 0,
    held: null as null | (() => void),
    hold: false,
    wrap(storage: Storage): Storage {
      const { flush } = storage
      storage.flush = async (...args) => {
        gate.started++
        const saving = gate.failing ? null : flush.apply(storage, args)
        if (gate.hold) await new Promise<void>(resolve => (gate.held = resolve))
        if (gate.failing) throw new DataFlowError(gate.failing, 'no room', { retryable: true })
        return saving ?? flush.apply(storage, args)
      }
      return storage
    },
    /** Lets the flush that waits at the gate go. */
    release() {
      gate.hold = false
      gate.held?.()
      gate.held = null
    },
  }
  return gate
}

/** Lets everything that is ready run, without any time. */
export const settle = () => new Promise<void>(resolve => setImmediate(resolve))
