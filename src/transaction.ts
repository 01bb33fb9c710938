// db.transaction(): a lease of the one connection, for steps that need an answer before the next.
import { aborted, type Connection } from './connect.js'
import { badOption, checkRunOptions, named, readOptions } from './encode/options.js'
import { reportLater } from './events.js'
import { DataFlowError } from './shared/errors.js'
import type { Durability } from './shared/operation.js'

export interface TransactionOptions {
  /** ms to wait for another transaction to end, 2000 if left out; then `TX_TIMEOUT`. */
  maxWait?: number
  /** ms from its beginning until it is rolled back with `TX_TIMEOUT`; 5000 if left out. */
  timeout?: number
  signal?: AbortSignal
  durability?: Durability
}

/** Warn when a call of the database itself waits this long for a transaction of its own page. */
const WARN_MS = 250

/** A transaction, or a savepoint in it, as what runs in it sees it. */
export interface LeaseHandle {
  readonly id: number
  /** Throws when it has ended. */
  assertOpen(): void
  afterCommit(callback: () => void): void
  savepoint<T>(body: (lease: LeaseHandle) => Promise<T>): Promise<T>
}

export class Transactions {
  readonly #connection: Connection
  #open = 0
  #warned = false

  constructor(connection: Connection) {
    this.#connection = connection
  }

  /** Runs `body` inside a lease: committed when it resolves, rolled back when it throws, aborts or takes too long. */
  async run<T>(body: (lease: LeaseHandle) => Promise<T>, options: TransactionOptions): Promise<T> {
    const { maxWait = 2000, timeout = 5000, signal, durability = null } = options
    // What another worker has begun is not there in the next, also when it ended as its answer came.
    const assertWorker = this.#connection.watchWorker()
    const id = await this.#begin(maxWait, timeout, signal)
    this.#open++
    const guarded = (lease: LeaseHandle) => untilAborted(() => body(lease), signal)
    const inside = this.#inside('transaction', { id, assertWorker }, guarded, durability)
    const { result, callbacks } = await inside.finally(() => {
      if (--this.#open === 0) this.#warned = false
    })
    for (const callback of callbacks) runSafely(callback)
    return result
  }

  /** Runs `body` in what has been begun and ends that, whatever comes. Gives what is to be called after the commit. */
  async #inside<T>(
    what: 'transaction' | 'savepoint',
    { id, assertWorker }: { readonly id: number; assertWorker(): void },
    body: (lease: LeaseHandle) => Promise<T>,
    durability: Durability | null,
  ): Promise<{ result: T; callbacks: (() => void)[] }> {
    const callbacks: (() => void)[] = []
    let ended = false
    const lease: LeaseHandle = {
      id,
      assertOpen: () => {
        if (ended) throw closed(what)
        assertWorker()
      },
      afterCommit: callback => {
        if (typeof callback !== 'function') {
          const details = { op: 'afterCommit', hint: 'tx.afterCommit(() => { ... }).' }
          throw new DataFlowError('BAD_OPTION', 'afterCommit() takes a function.', details)
        }
        lease.assertOpen()
        callbacks.push(callback)
      },
      savepoint: async inner => {
        lease.assertOpen()
        const savepoint = await this.#connection.call(engine => engine.savepoint(id))
        const done = await this.#inside('savepoint', { id: savepoint, assertWorker }, inner, null)
        callbacks.push(...done.callbacks)
        return done.result
      },
    }
    try {
      const result = await body(lease)
      lease.assertOpen()
      ended = true
      await this.#connection.call(engine => engine.commit(id, durability))
      return { result, callbacks }
    } catch (error) {
      ended = true
      // Whatever the rollback says (the lease may be gone already), the first error is the one that tells.
      await this.#connection.callIfStarted(engine => engine.rollback(id)).catch(() => {})
      throw error
    }
  }

  /** Warns once when `call`, made outside, seems to be awaited inside a transaction of this page (semantics 19). */
  watch<T>(call: Promise<T>): Promise<T> {
    if (this.#open === 0) return call
    const timer = setTimeout(() => {
      if (this.#warned) return
      this.#warned = true
      console.warn(
        'dataflow-edge: a db.* call waits for a transaction of this page. Inside transaction(fn) use only tx.*: ' +
          'the call can run when the transaction has ended, and its timeout will end it.',
      )
    }, WARN_MS)
    return call.finally(() => clearTimeout(timer))
  }

  async #begin(maxWait: number, timeout: number, signal: AbortSignal | undefined): Promise<number> {
    if (signal?.aborted) throw aborted(signal)
    const id = this.#connection.nextId()
    return new Promise((resolve, reject) => {
      const cancel = () => this.#connection.cancel(id, () => reject(aborted(signal!)))
      signal?.addEventListener('abort', cancel)
      this.#connection
        .call(engine => engine.begin({ maxWait, timeout, id }))
        .then(resolve, reject)
        .finally(() => signal?.removeEventListener('abort', cancel))
    })
  }
}

/** The transaction is saved whatever a callback throws. */
function runSafely(callback: () => void): void {
  try {
    callback()
  } catch (error) {
    reportLater(error)
  }
}

function untilAborted<T>(body: () => Promise<T>, signal: AbortSignal | undefined): Promise<T> {
  if (!signal) return body()
  return new Promise((resolve, reject) => {
    const onAbort = () => {
      const text = 'The transaction was aborted and rolled back; nothing of it was done.'
      reject(
        new DataFlowError(
          'ABORTED',
          text,
          { op: 'transaction', hint: 'run it again if it is still wanted.' },
          signal.reason,
        ),
      )
    }
    if (signal.aborted) return onAbort()
    signal.addEventListener('abort', onAbort)
    body()
      .then(resolve, reject)
      .finally(() => signal.removeEventListener('abort', onAbort))
  })
}

function closed(what: 'transaction' | 'savepoint'): DataFlowError {
  return new DataFlowError('TX_CLOSED', `The ${what} has ended.`, {
    op: what,
    hint: 'await every tx.* call before the function ends.',
  })
}

/** The options of transaction(), checked. Throws `BAD_OPTION`. */
export function checkTransactionOptions(options: TransactionOptions): TransactionOptions {
  return named({ op: 'transaction' }, () => {
    const { signal, durability, ...times } = readOptions(options, ['maxWait', 'timeout', 'signal', 'durability'])
    for (const [name, value] of Object.entries(times)) {
      if (value === undefined || (Number.isFinite(value) && (value as number) >= 0)) continue
      throw badOption(`${name} must be a number of milliseconds.`, `${name}: 5000.`)
    }
    checkRunOptions({ signal, durability })
    return options
  })
}
