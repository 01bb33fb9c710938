// db.on(): who listens to what. A listener that throws disturbs nobody else.
import { DataFlowError } from './shared/errors.js'
import type { ChangeEvent, MigrationProgress, MigrationReport, QueryEvent, QuotaEvent } from './shared/protocol.js'

export interface DatabaseEvents {
  /** A statement has run. Costs a message each while somebody listens. */
  query: QueryEvent
  /** Rows have changed; committed in memory, perhaps not saved yet. */
  change: ChangeEvent
  /** Commits have been saved. */
  flush: { readonly ms: number; readonly bytes: number }
  /** A migration has run, or with `autoMigrate: 'warn'` is to be run. */
  migrate: MigrationReport
  /** A migration is running: told before each step, and while one copies rows. */
  migrating: MigrationProgress
  /** Another tab holds the database; the call goes on waiting. */
  blocked: { readonly waitedMs: number }
  /** The origin uses 80 %, and later 95 %, of what the browser gives it: each is told once. */
  quota: QuotaEvent
  /** Something failed that no promise tells of. */
  error: DataFlowError
}

type Listener<E extends keyof DatabaseEvents> = (event: DatabaseEvents[E]) => void

const EVENTS: readonly (keyof DatabaseEvents)[] = [
  'query',
  'change',
  'flush',
  'migrate',
  'migrating',
  'blocked',
  'quota',
  'error',
]

export class Listeners {
  readonly #byEvent = new Map<keyof DatabaseEvents, Set<Listener<never>>>()

  add<E extends keyof DatabaseEvents>(event: E, listener: Listener<E>): () => void {
    if (!EVENTS.includes(event)) {
      const hint = `there are ${EVENTS.join(', ')}.`
      throw new DataFlowError('BAD_OPTION', `There is no event "${String(event)}".`, { op: 'on', hint })
    }
    if (typeof listener !== 'function') {
      const hint = "db.on('change', change => { ... })."
      throw new DataFlowError('BAD_OPTION', 'on() takes a function.', { op: 'on', hint })
    }
    const listeners = this.#byEvent.get(event) ?? new Set()
    this.#byEvent.set(event, listeners)
    // The same function may listen twice; each call's `off` ends its own.
    const own: Listener<E> = detail => listener(detail)
    listeners.add(own)
    return () => void listeners.delete(own)
  }

  /** The events that somebody listens to. */
  get wanted(): (keyof DatabaseEvents)[] {
    return EVENTS.filter(event => this.#byEvent.get(event)?.size)
  }

  emit<E extends keyof DatabaseEvents>(event: E, detail: DatabaseEvents[E]): void {
    for (const listener of [...(this.#byEvent.get(event) ?? [])] as Listener<E>[]) {
      try {
        listener(detail)
      } catch (error) {
        reportLater(error)
      }
    }
  }
}

/** What an app's own function throws goes where its uncaught errors go. */
export function reportLater(error: unknown): void {
  queueMicrotask(() => {
    throw error
  })
}

/** Tells a listener that a call was given; what it throws is none of the call's affair. */
export function tell<T>(listener: ((detail: T) => void) | undefined, detail: T): void {
  try {
    listener?.(detail)
  } catch (error) {
    reportLater(error)
  }
}
