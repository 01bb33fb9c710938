// Transactions that stay open across messages. One connection, so everything else waits for the lease's end.
import { DataFlowError } from '../src/shared/errors.js'
import type { Durability } from '../src/shared/operation.js'
import { Changes } from './changes.js'
import type { Clock, OpenTransaction, Savepoint, Sqlite, TransactionKind } from './seams.js'

/** A transaction that stays open, or a savepoint in it: what has its token may use it while nothing is open in it. */
export interface Lease {
  /** Its token. No other lease has it, in no other worker either: a late call may reach the next one. */
  readonly id: number
  readonly stamp: number
  readonly changes: Changes
  /** What writes in it have asked for. */
  readonly durabilities: Set<Durability>
}

interface Held {
  readonly db: Sqlite
  readonly transaction: OpenTransaction
  /** The transaction, then the savepoints that are open, each in the one before. */
  readonly levels: [Level, ...Level[]]
  /** By the monotonic clock. */
  readonly deadline: number
  readonly timeout: number
  readonly cancelTimeout: () => void
}

interface Level extends Lease {
  /** null for the transaction itself. */
  readonly savepoint: Savepoint | null
}

/** Why a lease that is no more was broken: remembered for its late calls. */
const REMEMBERED = 32

export class Leases {
  readonly #clock: Clock
  #held: Held | null = null
  /** Somebody has the connection alone. */
  #alone = false
  /** Calls that wait for the lease to end, in the order they came. */
  #waiting: (() => void)[] = []
  readonly #broken = new Map<number, DataFlowError>()
  readonly counts = { committed: 0, rolledBack: 0, timedOut: 0 }

  constructor(clock: Clock) {
    this.#clock = clock
  }

  /**
   * Runs `work` when no lease is held, in the same instant: another call that waits cannot come in between. Callers go on
   * in the order they came. Rejects with TX_TIMEOUT after `maxWait` ms, if one is given.
   */
  async whenFree<T>(work: () => T, maxWait: number | null = null): Promise<T> {
    let late = false
    const cancel =
      maxWait === null
        ? null
        : this.#clock.after(maxWait, () => {
            late = true
            this.#wake()
          })
    try {
      return await this.#whenFree(work, () => {
        if (late && this.#taken) throw waitedTooLong(maxWait!)
      })
    } finally {
      cancel?.()
    }
  }

  /** `check` throws when the waiting is to end; it is asked at each wake. */
  async #whenFree<T>(work: () => T, check: () => void): Promise<T> {
    check()
    while (this.#taken) {
      await new Promise<void>(resolve => this.#waiting.push(resolve))
      check()
    }
    return work()
  }

  get #taken(): boolean {
    return this.#held !== null || this.#alone
  }

  /** As `whenFree`, and until `work` settles everybody else waits. Rejects with the signal's reason if that comes first. */
  async alone<T>(work: () => Promise<T>, signal: AbortSignal): Promise<T> {
    const onAbort = (): void => this.#wake()
    signal.addEventListener('abort', onAbort)
    try {
      return await this.#whenFree(
        () => this.#runAlone(work),
        () => signal.throwIfAborted(),
      )
    } finally {
      signal.removeEventListener('abort', onAbort)
    }
  }

  async #runAlone<T>(work: () => Promise<T>): Promise<T> {
    this.#alone = true
    try {
      return await work()
    } finally {
      this.#alone = false
      this.#wake()
    }
  }

  /** Begins a lease; `timeout` ms later, if one is given, it is broken. */
  begin(db: Sqlite, timeout: number | null, kind?: TransactionKind): Lease {
    const transaction = db.begin(kind)
    const level = newLevel(this.#clock.now(), null)
    this.#held = {
      db,
      transaction,
      levels: [level],
      deadline: timeout === null ? Infinity : this.#clock.monotonic() + timeout,
      timeout: timeout ?? 0,
      cancelTimeout: timeout === null ? () => {} : this.#clock.after(timeout, () => this.#timeOut()),
    }
    return level
  }

  #timeOut(): void {
    this.counts.timedOut++
    this.break(
      new DataFlowError(
        'TX_TIMEOUT',
        `The transaction took longer than ${this.#held!.timeout} ms and was rolled back.`,
        {
          op: 'transaction',
          hint: 'do slow work before it, await nothing but tx.* inside it, or raise timeout.',
        },
      ),
    )
  }

  /** Opens a savepoint in the lease of that number, which cannot be used until it has ended. Throws as `find`. */
  savepoint(id: number): Lease {
    const { stamp } = this.find(id)
    const { db, levels } = this.#held!
    const level = newLevel(stamp, db.savepoint())
    levels.push(level)
    return level
  }

  /** The lease of that number. Throws why it is no more, or cannot be used now. */
  find(id: number): Lease {
    // What took too long in one piece has kept the timer waiting.
    if (this.#held && this.#clock.monotonic() >= this.#held.deadline) this.#timeOut()
    const levels = this.#held?.levels ?? []
    if (levels.at(-1)?.id === id) return levels.at(-1)!
    if (levels.some(level => level.id === id)) {
      throw new DataFlowError('TX_CLOSED', 'A savepoint is open in the transaction.', {
        op: 'transaction',
        hint: 'inside savepoint(fn) use the tx that fn is given, and await each savepoint before the next call.',
      })
    }
    throw (
      this.#broken.get(id) ??
      new DataFlowError('TX_CLOSED', 'The transaction has ended.', {
        op: 'transaction',
        hint: 'await every tx.* call before the function ends.',
      })
    )
  }

  /** Commits a transaction; keeps what a savepoint did as part of what it is in. Returns false for a savepoint. */
  commit(lease: Lease): boolean {
    const { transaction, levels } = this.#held!
    const level = levels.at(-1)!
    if (level !== lease) throw new Error('Only the innermost level can be kept')
    if (level.savepoint) {
      levels.pop()
      level.savepoint.release()
      const outer = levels.at(-1)!
      outer.changes.merge(level.changes)
      for (const durability of level.durabilities) outer.durabilities.add(durability)
      return false
    }
    this.#end('committed', () => transaction.commit())
    return true
  }

  /** Takes back what the lease of that number did, and with it every savepoint that is open in it. */
  rollback(id: number): void {
    const held = this.#held
    const at = held?.levels.findIndex(level => level.id === id) ?? -1
    if (!held || at === -1) return void this.find(id)
    if (at === 0) return this.#end('rolledBack', () => held.transaction.rollback())
    const [level] = held.levels.splice(at)
    level!.savepoint!.rollback()
  }

  /** Rolls the lease back, if one is held; the late calls of all its levels get `reason`. */
  break(reason: DataFlowError): void {
    const held = this.#held
    if (!held) return
    for (const { id } of held.levels) this.#broken.set(id, reason)
    for (const id of this.#broken.keys()) if (this.#broken.size > REMEMBERED) this.#broken.delete(id)
    this.rollback(held.levels[0].id)
  }

  #end(how: 'committed' | 'rolledBack', end: () => void): void {
    try {
      end()
      this.counts[how]++
    } catch (error) {
      this.counts.rolledBack++
      throw error
    } finally {
      this.#held!.cancelTimeout()
      this.#held = null
      this.#wake()
    }
  }

  #wake(): void {
    const waiting = this.#waiting
    this.#waiting = []
    for (const resolve of waiting) resolve()
  }
}

function newLevel(stamp: number, savepoint: Savepoint | null): Level {
  return { id: token(), stamp, changes: new Changes(), durabilities: new Set(), savepoint }
}

/** Below 2^53. */
function token(): number {
  const [high, low] = crypto.getRandomValues(new Uint32Array(2)) as unknown as [number, number]
  return high * 2 ** 21 + (low >>> 11)
}

function waitedTooLong(maxWait: number): DataFlowError {
  return new DataFlowError('TX_TIMEOUT', `The transaction did not begin within ${maxWait} ms.`, {
    op: 'transaction',
    hint: 'another transaction is open; keep them short, or raise maxWait.',
    retryable: true,
  })
}
