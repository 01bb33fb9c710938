// One message of one tick, run in memory: what each unit answers, what it wrote. Saving is the engine's.
import { DataFlowError } from '../src/shared/errors.js'
import { isWrite, nameOf, type WireOperation } from '../src/shared/operation.js'
import type { Outcome, Scope, Unit, UnitResult } from '../src/shared/protocol.js'
import { operationsOf, type WireWorkflow } from '../src/shared/workflow.js'
import { Changes } from './changes.js'
import { modelsUsed } from './compile/fields-used.js'
import type { CompiledModel } from './compile/model.js'
import { checkScope } from './compile/scope.js'
import type { Ensure } from './ensure.js'
import type { Execution, Executor } from './execute.js'
import { toDataFlowError } from './failure.js'
import type { Lease } from './leases.js'
import type { Restrictions } from './restrictions.js'
import { SqliteError, type Clock, type Sqlite } from './seams.js'
import { checkWorkflow } from './workflow/check.js'
import { runWorkflow } from './workflow/run.js'

export type UnitOutcome = Outcome<readonly UnitResult[]>

/** What running a message gave. */
export interface Attempt {
  /** What the rows of this message are stamped with. */
  readonly stamp: number
  readonly outcomes: UnitOutcome[]
  /** By unit: whether it wrote, so that its answer has to wait for a flush and goes with it. */
  readonly wrote: boolean[]
  /** By unit: whether a check was made for it, which may have made or recorded something: that is saved first. */
  readonly checked: boolean[]
  changes: Changes
}

/** An operation; in a workflow the name of its node. */
interface At {
  readonly op: WireOperation | WireWorkflow
  readonly node?: string
}

interface Job {
  readonly unit: Unit
  /** Its place in the message. */
  readonly i: number
  writes: boolean
}

export interface MessageParts {
  readonly db: Sqlite
  readonly ensure: Ensure
  readonly executor: Executor
  readonly models: ReadonlyMap<string, CompiledModel>
  readonly restrictions: Restrictions
  readonly clock: Clock
  /** Throws when the unit may not begin: taken back, or the engine has died. */
  begin(unit: Unit): void
  onFatal(error: SqliteError): void
}

/** What raw SQL may run in spite of: it is how an app mends its own schema and rows. */
const MENDABLE = ['SCHEMA_MISMATCH', 'MIGRATION_FAILED', 'MIGRATION_DESTRUCTIVE'] as const

export class MessageRunner {
  readonly #parts: MessageParts
  readonly tx = { committed: 0, rolledBack: 0 }
  /** What is executed, or was last. */
  #at!: At

  constructor(parts: MessageParts) {
    this.#parts = parts
  }

  /** Ensures, runs and collects. `ticket`: the ensure's ticket when the message arrived. */
  run(units: readonly Unit[], ticket: number): Attempt {
    const { clock } = this.#parts
    const attempt: Attempt = {
      stamp: clock.now(),
      outcomes: [],
      wrote: units.map(() => false),
      checked: units.map(() => false),
      changes: new Changes(),
    }
    const jobs = units.map((unit, i): Job => ({ unit, i, writes: false }))
    const runnable = jobs.filter(job => this.#prepare(job, ticket, attempt))
    for (const job of runnable) job.writes = this.#mayWrite(job.unit)
    // Those whose missing table or column may be there after another check.
    let doubtful: Job[] = []
    const runAll = (alone: boolean): Job[] => runnable.filter(job => this.#runUnit(job, attempt, alone))
    if (runnable.filter(job => job.writes).length < 2) doubtful = runAll(true)
    else {
      try {
        this.#parts.db.atomically(() => (doubtful = runAll(false)))
        this.tx.committed++
      } catch (error) {
        if (!(error instanceof SqliteError)) throw error
        this.tx.rolledBack++
        // The shared transaction is lost: each is run again alone, and only the guilty one fails (semantics 14).
        attempt.changes = new Changes()
        doubtful = runAll(true)
      }
    }
    for (const job of doubtful) this.#runAgain(job, attempt)
    return attempt
  }

  /** Runs a unit inside a lease's transaction; it is taken back alone. `onLost`: the whole transaction is gone. */
  runLeased(unit: Unit, lease: Lease, onLost: (error: DataFlowError) => void): UnitOutcome {
    const { db } = this.#parts
    this.#at = { op: unit.ops[0]! }
    try {
      this.#parts.begin(unit)
      assertWorkflows(unit)
      const execution: Execution = {
        stamp: lease.stamp,
        changes: new Changes(),
        scope: this.#scopeOf(unit),
        actor: unit.actor ?? null,
      }
      const runOps = () => unit.ops.map(op => this.#execute(op, execution))
      // What only reads leaves nothing to be taken back.
      if (!this.#mayWrite(unit)) return { ok: runOps() }
      const ok = db.atomically(runOps)
      lease.changes.merge(execution.changes)
      if (unit.durability) lease.durabilities.add(unit.durability)
      return { ok }
    } catch (error) {
      const failure = this.#describe(error)
      if (error instanceof SqliteError && error.transactionLost) onLost(failure)
      return { error: failure.toWire() }
    }
  }

  #scopeOf({ scope }: Unit): Scope | null {
    return scope ? checkScope(scope, this.#parts.models) : null
  }

  #prepare({ unit, i }: Job, ticket: number, attempt: Attempt): boolean {
    const { ensure, begin } = this.#parts
    const { checks } = ensure
    try {
      begin(unit)
      assertWorkflows(unit)
      this.#scopeOf(unit)
      this.#ensure(unit, ticket)
      return true
    } catch (error) {
      attempt.outcomes[i] = { error: toDataFlowError(error, { models: this.#definitions() }).toWire() }
      return false
    } finally {
      if (ensure.checks > checks) attempt.checked[i] = true
    }
  }

  #ensure(unit: Unit, ticket: number): void {
    const { ensure, models } = this.#parts
    const ops = operationsIn(unit)
    const raw = ops.some(op => op.op === 'sql')
    // What a raw statement touches is not known: all models are ensured first.
    if (!raw) return ensure.ensure(this.#modelsOf(unit), ticket)
    try {
      ensure.ensure(models.keys(), ticket)
    } catch (error) {
      // Raw SQL is how an app mends its own schema or rows: what is wrong with them must not keep it away.
      const mendable = MENDABLE.some(code => DataFlowError.is(error, code))
      if (!mendable || ops.some(op => op.op !== 'sql')) throw error
    }
  }

  /** Runs the operations of one unit; true when another check may help. `alone`: in no transaction of several units. */
  #runUnit({ unit, i, writes }: Job, attempt: Attempt, alone: boolean): boolean {
    const { db } = this.#parts
    const { ops } = unit
    const execution: Execution = {
      stamp: attempt.stamp,
      changes: new Changes(),
      scope: this.#scopeOf(unit),
      actor: unit.actor ?? null,
    }
    this.#at = { op: ops[0]! }
    const runOps = () => ops.map(op => this.#execute(op, execution))
    // One statement is a transaction by itself; operations that only read cannot be interrupted.
    const bare = alone && (!writes || (ops.length === 1 && !['insertMany', 'workflow'].includes(ops[0]!.op)))
    try {
      attempt.outcomes[i] = { ok: bare ? runOps() : db.atomically(runOps) }
      attempt.changes.merge(execution.changes)
      if (writes) {
        attempt.wrote[i] = true
        if (alone) this.tx.committed++
      }
      return false
    } catch (error) {
      if (error instanceof SqliteError && error.transactionLost && !alone) throw error
      if (alone && writes) this.tx.rolledBack++
      attempt.outcomes[i] = { error: this.#describe(error).toWire() }
      // Never inside a batch or a workflow: there the error is given (semantics 4).
      return (
        error instanceof SqliteError && error.missing !== undefined && ops.length === 1 && ops[0]!.op !== 'workflow'
      )
    }
  }

  /** "no such table / column": somebody changed the schema. Checks again and tries once more. */
  #runAgain(job: Job, attempt: Attempt): void {
    this.#parts.ensure.invalidate()
    if (this.#prepare(job, this.#parts.ensure.ticket, attempt)) this.#runUnit(job, attempt, true)
  }

  /** Of raw SQL only SQLite can tell; what it cannot compile may be anything, and fails when it is run. */
  #mayWrite(unit: Unit): boolean {
    return operationsIn(unit).some(op => {
      if (op.op !== 'sql') return isWrite(op.op)
      try {
        return !this.#parts.db.tablesOf(op.sql).readonly
      } catch {
        return true
      }
    })
  }

  #execute(op: WireOperation | WireWorkflow, execution: Execution): UnitResult {
    const { db, executor, models } = this.#parts
    this.#at = { op }
    if (op.op !== 'workflow') return executor.execute(op, execution)
    const result = runWorkflow(op, execution, {
      db,
      executor,
      models,
      onOperation: at => {
        this.#at = { op: at.op ?? op, node: at.node }
      },
      describe: (error, at) => this.#describeAt(error, { op: at.op ?? op, node: at.node }),
    })
    // What fails at COMMIT is no operation's.
    this.#at = { op }
    return result
  }

  /** The failure of what was executed last, or of the unit as a whole. */
  #describe(error: unknown): DataFlowError {
    if (error instanceof SqliteError && error.fatal) this.#parts.onFatal(error)
    return this.#describeAt(error, this.#at)
  }

  #describeAt(error: unknown, { op, node }: At): DataFlowError {
    if (op.op === 'workflow') {
      const failure = toDataFlowError(error, { models: this.#definitions() })
      return failure.with({ op: 'workflow', ...(node === undefined ? {} : { node }) })
    }
    const model = op.op === 'sql' ? undefined : this.#parts.models.get(op.model)?.definition
    const failure = toDataFlowError(error, {
      models: this.#definitions(),
      ...(model ? { model } : {}),
      ...(op.op === 'sql' ? { sql: op.sql } : {}),
      op: nameOf(op),
    })
    // An error that names another model (a cascade, a trigger) keeps it.
    return failure.with({
      op: nameOf(op),
      ...(node === undefined ? {} : { node }),
      ...(model && !failure.model ? { model: model.name } : {}),
    })
  }

  #definitions() {
    return [...this.#parts.models.values()].map(model => model.definition)
  }

  #modelsOf(unit: Unit): Iterable<string> {
    const names = operationsIn(unit).flatMap(op => {
      if (op.op === 'sql') return []
      // What keeps a row from being deleted softly is asked of the tables that refer to it.
      const deletes = op.op === 'delete' || op.op === 'bulkDelete'
      return deletes ? [...modelsUsed(op), ...this.#parts.restrictions.modelsFor(op.model)] : [...modelsUsed(op)]
    })
    return names.length === 1 ? names : new Set(names)
  }
}

/** What is no workflow is refused before anything looks into it. */
function assertWorkflows({ ops }: Unit): void {
  for (const op of ops) if (op.op === 'workflow') checkWorkflow(op.steps)
}

/** The operations of a unit, those of its workflows too. */
function operationsIn({ ops }: Unit): readonly WireOperation[] {
  const plain = ops.every(op => op.op !== 'workflow')
  return plain ? ops : ops.flatMap(op => (op.op === 'workflow' ? operationsOf(op.steps) : [op]))
}

export function aborted(): DataFlowError {
  return new DataFlowError('ABORTED', 'The call was aborted before it began; nothing was done.', {
    hint: 'run it again if it is still wanted.',
  })
}
