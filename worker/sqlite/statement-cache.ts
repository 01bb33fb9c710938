// Compiled statements by their text. Compiling costs more than running most of them.
import type { Statement } from './statement.js'

const CAPACITY = 256

export class StatementCache {
  readonly #statements = new Map<string, Statement>()
  #uses = 0

  /** The statement with this text, unless there is none or it is running. */
  find(sql: string): Statement | null {
    const statement = this.#statements.get(sql)
    if (!statement || statement.busy) return null
    statement.lastUse = ++this.#uses
    return statement
  }

  /** Keeps `statement`, and drops the least recently used one when there are too many. False when it is not kept. */
  add(statement: Statement): boolean {
    if (this.#statements.has(statement.sql)) return false
    statement.lastUse = ++this.#uses
    this.#statements.set(statement.sql, statement)
    if (this.#statements.size > CAPACITY) this.#dropOldest()
    return true
  }

  clear(): void {
    for (const statement of this.#statements.values()) statement.finalize()
    this.#statements.clear()
  }

  #dropOldest(): void {
    let oldest: Statement | null = null
    for (const statement of this.#statements.values()) {
      if (!statement.busy && (!oldest || statement.lastUse < oldest.lastUse)) oldest = statement
    }
    if (!oldest) return
    this.#statements.delete(oldest.sql)
    oldest.finalize()
  }
}
