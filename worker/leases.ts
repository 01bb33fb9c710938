// Transactions that stay open across messages. One connection, so everything else waits for the lease's end.
import { DataFlowError } from '../src/shared/errors.js'
import { Changes } from './changes.js'
import type { Clock, OpenTransaction, Sqlite, TransactionKind } from './seams.js'

export interface Lease {
  readonly id: number
  readonly stamp: number
  readonly changes: Changes
}

interface Held extends Lease {
  readonly transaction: OpenTransaction
  readonly cancelTimeout: () => void
}

/** Why a lease that is no more was broken: remembered for its late calls. */
const REMEMBERED = 32

export class Leases {
  readonly #clock: Clock
  #held: Held | null = null
  /** Somebody has the connection alone. */
  #alone = false
  #count = 0
  /** Calls that wait for the lease to end, in the order they came. */
  #waiting: (() => void)[] = []
  readonly #broken = new Map<number, DataFlowError>()
  timedOut = 0

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
    const id = ++this.#count
    const transaction = db.begin(kind)
    const cancelTimeout = timeout === null ? () => {} : this.#endAfter(timeout)
    this.#held = { id, stamp: this.#clock.now(), changes: new Changes(), transaction, cancelTimeout }
    return this.#held
  }

  #endAfter(timeout: number): () => void {
    return this.#clock.after(timeout, () => {
      this.timedOut++
      this.break(
        new DataFlowError('TX_TIMEOUT', `The transaction took longer than ${timeout} ms and was rolled back.`, {
          op: 'transaction',
          hint: 'do slow work before it, await nothing but tx.* inside it, or raise timeout.',
        }),
      )
    })
  }

  /** The lease of that number. Throws why it is no more. */
  find(id: number): Lease {
    if (this.#held?.id === id) return this.#held
    const hint = 'await every tx.* call before the function ends.'
    throw (
      this.#broken.get(id) ?? new DataFlowError('TX_CLOSED', 'The transaction has ended.', { op: 'transaction', hint })
    )
  }

  commit(lease: Lease): void {
    this.#end(lease, transaction => transaction.commit())
  }

  rollback(lease: Lease): void {
    this.#end(lease, transaction => transaction.rollback())
  }

  /** Rolls the lease back, if one is held; its later calls get `reason`. */
  break(reason: DataFlowError): void {
    const held = this.#held
    if (!held) return
    this.#broken.set(held.id, reason)
    for (const id of this.#broken.keys()) if (this.#broken.size > REMEMBERED) this.#broken.delete(id)
    this.rollback(held)
  }

  #end(lease: Lease, end: (transaction: OpenTransaction) => void): void {
    const held = this.#held!
    if (held !== lease) throw new Error('Only the lease that is held can end')
    try {
      end(held.transaction)
    } finally {
      held.cancelTimeout()
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

function waitedTooLong(maxWait: number): DataFlowError {
  return new DataFlowError('TX_TIMEOUT', `The transaction did not begin within ${maxWait} ms.`, {
    op: 'transaction',
    hint: 'another transaction is open; keep them short, or raise maxWait.',
    retryable: true,
  })
}
