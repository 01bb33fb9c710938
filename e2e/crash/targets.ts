// Which rows a workload may still write to: each row belongs to one lane, so that its calls have one order.
import type { KnownRow } from './oracle.js'
import type { TableName } from './protocol.js'
import type { Random } from './random.js'

export const TABLES: readonly TableName[] = ['owners', 'items', 'notes']

/** A row and what it will hold when the calls made so far are done. */
export type Target = Pick<KnownRow, 'n' | 'id' | 'table' | 'owner'> & { size: number }

export class Targets {
  readonly #random: Random
  readonly #free = new Map<TableName, KnownRow[]>()
  readonly #owned = new Map<string, KnownRow[]>()
  readonly #taken = new Set<number>()

  constructor(random: Random, rows: Iterable<KnownRow>) {
    this.#random = random
    const sorted = [...rows].sort((a, b) => a.n - b.n)
    for (const table of TABLES) this.#free.set(table, random.shuffled(sorted.filter(row => row.table === table)))
    for (const row of sorted) {
      if (row.owner === null) continue
      const owned = this.#owned.get(row.owner)
      if (owned) owned.push(row)
      else this.#owned.set(row.owner, [row])
    }
  }

  get count(): number {
    return [...this.#free.values()].reduce((sum, rows) => sum + rows.length, 0)
  }

  /** A row that nobody has; behind an owner all that it owns. Empty when there is none. */
  take(table: TableName = this.#random.pick(TABLES)): Target[] {
    const free = this.#free.get(table)!
    for (let row = free.pop(); row; row = free.pop()) {
      const rows = [row, ...(this.#owned.get(row.id) ?? [])]
      if (rows.some(({ n }) => this.#taken.has(n))) continue
      for (const { n } of rows) this.#taken.add(n)
      return rows.map(({ n, id, table, owner, size }) => ({ n, id, table, owner, size }))
    }
    return []
  }
}
