// What the scenarios need of a browser, whoever drives it.

export interface Tab {
  /** Runs `body` in the page; its argument and result cross as JSON. Rejects with what it throws, as text. */
  evaluate<T, A = undefined>(body: (argument: A) => T | Promise<T>, argument?: A): Promise<T>
  reload(): Promise<void>
  close(): Promise<void>
}

export interface Browser {
  /** What it says of itself. */
  readonly version: string
  open(url: string): Promise<Tab>
  /** SIGKILL to the whole browser; resolves when it is gone. */
  kill(): Promise<void>
}

export interface Engine {
  readonly name: string
  /** With everything that it stores in `profile`, if it can. */
  start(profile: string): Promise<Browser>
}

/** The function as text and its argument, for drivers that take text: resolves with `{ ok }` or `{ failed }`. */
export function asScript(body: (argument: never) => unknown, argument: unknown): string {
  return `Promise.resolve((${body})(${JSON.stringify(argument)})).then(ok => ({ ok }), error => ({ failed: String(error) }))`
}

export function unwrap<T>(outcome: { ok?: T; failed?: string }): T {
  if (outcome.failed !== undefined) throw new Error(outcome.failed)
  return outcome.ok as T
}
