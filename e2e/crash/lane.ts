// One lane of calls, and what each of them will have done.
import type { Effect } from './oracle.js'
import type { Call, NewRow, Step } from './protocol.js'
import type { Random } from './random.js'
import { TABLES, type Target, type Targets } from './targets.js'

export interface LaneParts {
  readonly random: Random
  readonly targets: Targets
  nextRow(): number
  add(how: Call['how'], steps: readonly Step[], effects: readonly Effect[]): void
  /** A transaction gets its place in the order when it begins: not for calls that do not wait for each other. */
  readonly transactions: boolean
}

export class LaneMaker {
  readonly #parts: LaneParts
  /** Rows that this lane has written to and may write to again. */
  readonly #own: Target[] = []

  constructor(parts: LaneParts) {
    this.#parts = parts
  }

  /** One of all that an app does. */
  any(): void {
    const { random, transactions } = this.#parts
    const kind = random.next()
    if (kind < 0.35) this.create(anySize(random))
    else if (kind < 0.6) this.update()
    else if (kind < 0.68) this.delete()
    else if (kind < 0.76) this.bulkCreate(random.between(2, 60), () => anySize(random))
    else if (kind < 0.8) this.bulkDelete(random.between(2, 20))
    else this.family(transactions && random.chance(0.5) ? this.#transaction() : 'batch')
  }

  create(size: number): void {
    const row = this.#newRow(size)
    this.#parts.add('single', [{ kind: 'create', row }], [created(row)])
  }

  bulkCreate(count: number, size: () => number, table = this.#parts.random.pick(TABLES)): void {
    const rows = Array.from({ length: count }, () => this.#newRow(size(), table))
    this.#parts.add('single', [{ kind: 'bulkCreate', rows }], rows.map(created))
  }

  update(): void {
    const target = this.#target()
    if (target) this.#parts.add('single', [updateOf(target)], [updated(target)])
    else this.create(anySize(this.#parts.random))
  }

  delete(): void {
    const rows = this.#parts.targets.take()
    const [row] = rows
    if (row) this.#parts.add('single', [{ kind: 'delete', table: row.table, id: row.id }], rows.map(deleted))
  }

  bulkDelete(count: number): void {
    const { random, targets, add } = this.#parts
    const table = random.pick(TABLES)
    const taken = Array.from({ length: count }, () => targets.take(table)).filter(rows => rows.length > 0)
    const ids = taken.map(([row]) => row!.id)
    if (ids.length > 0) add('single', [{ kind: 'bulkDelete', table, ids }], taken.flat().map(deleted))
  }

  /** An owner with what it owns, another row changed and one removed: all or nothing. */
  family(how: 'batch' | 'transaction' | 'rollback' = this.#transaction()): void {
    const { random, targets } = this.#parts
    const bare = this.#newRow(anySize(random), 'owners')
    const owner = { ...bare, id: `owner-${bare.n}` }
    const items = Array.from({ length: random.between(1, 8) }, () => ({
      ...this.#newRow(anySize(random), 'items'),
      owner: owner.id,
    }))
    const steps: Step[] = [owner, ...items].map(row => ({ kind: 'create', row }))
    const effects = [owner, ...items].map(created)
    const target = this.#target()
    if (target) {
      steps.push(updateOf(target))
      effects.push(updated(target))
    }
    const gone = random.chance(0.5) ? targets.take() : []
    if (gone[0]) {
      steps.push({ kind: 'delete', table: gone[0].table, id: gone[0].id })
      effects.push(...gone.map(deleted))
    }
    this.#parts.add(how, steps, effects)
  }

  flush(): void {
    this.#parts.add('flush', [], [])
  }

  /** A row to change, with its new size: one that this lane has changed before, or another. */
  #target(): Target | undefined {
    const { random, targets } = this.#parts
    let target: Target | undefined
    if (this.#own.length > 0 && random.chance(0.3)) target = random.pick(this.#own)
    else {
      ;[target] = targets.take()
      if (target) this.#own.push(target)
    }
    if (target) target.size = anySize(random)
    return target
  }

  #transaction(): 'transaction' | 'rollback' {
    return this.#parts.random.chance(0.25) ? 'rollback' : 'transaction'
  }

  #newRow(size: number, table = this.#parts.random.pick(TABLES)): NewRow {
    return { table, n: this.#parts.nextRow(), size }
  }
}

/** Mostly small; some with overflow pages, few larger than a chunk of the file. */
function anySize(random: Random): number {
  const kind = random.next()
  if (kind < 0.9) return random.between(16, 400)
  return kind < 0.995 ? random.between(400, 20_000) : random.between(200_000, 400_000)
}

function updateOf({ n, id, table, size }: Target): Step {
  return { kind: 'update', table, id, n, size }
}
function created({ n, table, size, owner }: NewRow): Effect {
  return { n, kind: 'create', table, size, owner: owner ?? null }
}
function updated({ n, table, size, owner }: Target): Effect {
  return { n, kind: 'update', table, size, owner }
}
function deleted({ n, table, size, owner }: Target): Effect {
  return { n, kind: 'delete', table, size, owner }
}
