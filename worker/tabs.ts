// Which worker of the origin may open a database: the one that holds its Web Lock.
import { DataFlowError } from '../src/shared/errors.js'
import type { Clock, Ownership } from './seams.js'

const BLOCKED_MS = 250
const ASK_MS = 500

export interface OwnershipOptions {
  /** Milliseconds after which waiting for another tab ends with LOCKED. */
  readonly maxWait: number
  /** Called once when the lock was not to be had at once. */
  onBlocked(): void
  /** Somebody has taken the lock away (`steal`): nothing may be written any more. */
  onLost(error: DataFlowError): void
  /** Ends the waiting with its reason. */
  readonly signal?: AbortSignal
}

/** Rejects with LOCKED when another tab keeps the database for longer than `maxWait`, with WORKER_LOAD without locks. */
export function acquireOwnership(
  name: string,
  locks: LockManager | undefined,
  clock: Clock,
  { maxWait, onBlocked, onLost, signal }: OwnershipOptions,
): Promise<Ownership> {
  if (!locks) return Promise.reject(noLocks())
  return new Promise((resolve, reject) => {
    const giveUp = new AbortController()
    let waiting = true
    let granted = false
    const stopWaiting = (): void => {
      waiting = false
      cancelBlocked()
      cancelTimeout()
      signal?.removeEventListener('abort', onAbort)
    }
    const onAbort = (): void => {
      stopWaiting()
      giveUp.abort()
      reject(signal!.reason)
    }
    if (signal?.aborted) return reject(signal.reason)
    signal?.addEventListener('abort', onAbort)
    let cancelBlocked = clock.after(BLOCKED_MS, () => {
      onBlocked()
      ask()
    })
    // Again and again: the page that has it may be put aside while we wait.
    const ask = (): void => {
      askFor(name)
      cancelBlocked = clock.after(ASK_MS, ask)
    }
    const cancelTimeout = clock.after(maxWait, () => {
      stopWaiting()
      giveUp.abort()
      reject(locked(name))
    })
    const hold = (): Promise<void> | undefined => {
      // Granted in the moment of giving up, when the abort came too late: returning lets go of it.
      if (!waiting) return undefined
      stopWaiting()
      granted = true
      return new Promise(release => resolve({ release }))
    }
    locks.request(`dataflow:${name}`, { mode: 'exclusive', signal: giveUp.signal }, hold).catch((e: unknown) => {
      if (granted) onLost(stolen(name, e))
      // After giving up it is the AbortError we asked for, and the caller knows.
      if (!waiting) return
      stopWaiting()
      reject(noLocks(e))
    })
  })
}

/** Only a page in a browser's back/forward cache minds: it is thrown out, with the worker that holds the lock. */
function askFor(name: string): void {
  const channel = new BroadcastChannel(`dataflow:${name}`)
  channel.postMessage('wanted')
  channel.close()
}

function locked(name: string): DataFlowError<'LOCKED'> {
  return new DataFlowError('LOCKED', `Another tab has the database '${name}' open.`, {
    hint: 'close the other tab, or wait longer with maxWaitForOwner.',
    retryable: true,
  })
}

function stolen(name: string, cause: unknown): DataFlowError<'STORAGE'> {
  const hint = 'only the library may ask for locks that begin with "dataflow:"; reload to go on.'
  return new DataFlowError('STORAGE', `The lock of the database '${name}' was taken away.`, { hint }, cause)
}

function noLocks(cause?: unknown): DataFlowError<'WORKER_LOAD'> {
  const hint = 'open the page over https, or as localhost.'
  return new DataFlowError('WORKER_LOAD', 'Web Locks are not to be had: they need a secure context.', { hint }, cause)
}
