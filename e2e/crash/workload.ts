// What the app is doing when the fault comes: lanes of calls, decided by the generator and the rows that are there.
import { LaneMaker } from './lane.js'
import type { Oracle } from './oracle.js'
import type { Call, Lane, TableName } from './protocol.js'
import type { Random } from './random.js'
import type { Targets } from './targets.js'

export class Workload {
  readonly lanes: Lane[] = []
  readonly #random: Random
  readonly #oracle: Oracle
  readonly #targets: Targets

  /** `targets` belong to all workloads between two looks at the database. */
  constructor(random: Random, oracle: Oracle, targets: Targets) {
    this.#random = random
    this.#oracle = oracle
    this.#targets = targets
  }

  /** Everything that an app does. */
  mixed(mode: Lane['mode'], count: number, durability?: 'strict'): this {
    return this.#lane(mode, durability, lane => {
      for (let i = 0; i < count; i++) lane.any()
    })
  }

  /** Transactions, one of four rolled back at its end. */
  transactions(count: number): this {
    return this.#lane('awaited', undefined, lane => {
      for (let i = 0; i < count; i++) lane.family()
    })
  }

  /** Single inserts of small rows. */
  inserts(mode: Lane['mode'], count: number): this {
    return this.#lane(mode, undefined, lane => {
      for (let i = 0; i < count; i++) lane.create(this.#random.between(16, 400))
    })
  }

  /** `count` calls of `rows` new rows each. */
  bulk(mode: Lane['mode'], count: number, rows: number, size: number, table?: TableName): this {
    return this.#lane(mode, undefined, lane => {
      for (let i = 0; i < count; i++) lane.bulkCreate(rows, () => size, table)
    })
  }

  /** Deferred calls, flushed now and then. */
  deferred(count: number): this {
    return this.#lane('awaited', 'deferred', lane => {
      for (let i = 0; i < count; i++)
        if (this.#random.chance(0.1)) lane.flush()
        else lane.any()
    })
  }

  /** Removes rows, so that a long run does not grow without bound. */
  trim(share: number): this {
    return this.#lane('awaited', undefined, lane => {
      for (let left = Math.floor(this.#targets.count * share); left > 0; left -= 200) lane.bulkDelete(200)
    })
  }

  #lane(mode: Lane['mode'], durability: Call['durability'], fill: (lane: LaneMaker) => void): this {
    const calls: Call[] = []
    this.lanes.push({ mode, calls })
    const number = this.lanes.length
    const maker = new LaneMaker({
      random: this.#random,
      targets: this.#targets,
      nextRow: () => this.#oracle.nextRow(),
      add: (how, steps, effects) => {
        const i = this.#oracle.nextCall()
        calls.push({ i, how, steps, ...(durability ? { durability } : {}) })
        this.#oracle.expect(i, number, effects, durability === 'deferred' && how !== 'flush')
      },
      transactions: mode === 'awaited',
    })
    fill(maker)
    return this
  }
}
