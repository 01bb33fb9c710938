// What must be in the database, what must not, and what may: known from what the harness was told. A call is
//   acknowledged  its promise resolved, and the news came out of the browser: there, whole, once
//   refused       its promise rejected with a code that means "not done": not there
//   open          neither: there as a whole or not at all
// Calls of one lane are saved in their order: one that is there stands for all open ones before it.
import { rejectsForSure } from './outcome.js'
import type { Look, SeenRow, TableName } from './protocol.js'

export interface KnownRow {
  readonly table: TableName
  readonly id: string
  readonly n: number
  readonly v: number
  readonly rev: number
  readonly size: number
  /** The owner's id. */
  readonly owner: string | null
}

/** What a call does to one row. */
export interface Effect {
  readonly n: number
  readonly kind: 'create' | 'update' | 'delete'
  readonly table: TableName
  readonly size: number
  readonly owner: string | null
}

interface Written {
  readonly i: number
  readonly lane: number
  readonly effects: readonly Effect[]
  readonly deferred: boolean
  status: 'open' | 'settled' | 'acknowledged' | 'refused'
}

export interface Verdict {
  lost: string[]
  duplicated: string[]
  torn: string[]
}

export class Oracle {
  /** As last seen; by n. */
  #rows = new Map<number, KnownRow>()
  #calls = new Map<number, Written>()
  #nextCall = 1
  #nextRow = 1
  acknowledged = 0

  get rows(): ReadonlyMap<number, KnownRow> {
    return this.#rows
  }

  nextRow(): number {
    return this.#nextRow++
  }

  /** The number of the next call, which is also the version of what it writes. */
  nextCall(): number {
    return this.#nextCall++
  }

  expect(i: number, lane: number, effects: readonly Effect[], deferred: boolean): void {
    this.#calls.set(i, { i, lane, effects, deferred, status: 'open' })
  }

  /** What was deferred and has settled before `flush` was called is saved when that resolves. */
  settled(i: number, code: string | null): void {
    const call = this.#calls.get(i)
    if (!call || call.status !== 'open') throw new Error(`Call ${i} has not begun or has settled before`)
    if (code !== null) call.status = rejectsForSure(code) ? 'refused' : 'open'
    else if (call.deferred) call.status = 'settled'
    else this.#acknowledge(call)
    if (code === null && call.effects.length === 0) this.saved(call.lane)
  }

  /** Everything that has settled is saved: of one lane, or of all. */
  saved(lane?: number): void {
    for (const call of this.#calls.values()) {
      if (call.status === 'settled' && (lane === undefined || call.lane === lane)) this.#acknowledge(call)
    }
  }

  #acknowledge(call: Written): void {
    call.status = 'acknowledged'
    if (call.effects.length > 0) this.acknowledged++
  }

  /** Compares, then takes what is there for what must be there. */
  judge(look: Look): { verdict: Verdict; kept: number; open: number } {
    const verdict: Verdict = { lost: [], duplicated: [], torn: [] }
    const seen = new Map<number, KnownRow>()
    for (const row of look.rows) this.#see(row, seen, verdict)
    const judging = new Judgement(this.#rows, seen, [...this.#calls.values()], verdict)
    const counts = judging.run()
    this.#rows = seen
    this.#calls.clear()
    return { verdict, ...counts }
  }

  #see([table, id, n, v, rev, size, owner, whole]: SeenRow, seen: Map<number, KnownRow>, verdict: Verdict): void {
    if (!whole) verdict.torn.push(`row ${n} has not the content of version ${v}`)
    if (seen.has(n)) verdict.duplicated.push(`row ${n} is there twice`)
    else seen.set(n, { table, id, n, v, rev, size, owner })
  }
}

class Judgement {
  readonly #before: ReadonlyMap<number, KnownRow>
  readonly #seen: ReadonlyMap<number, KnownRow>
  readonly #calls: readonly Written[]
  readonly #verdict: Verdict
  /** For each call, whether it shows in each of its rows. */
  readonly #shows = new Map<Written, boolean[]>()

  constructor(
    before: ReadonlyMap<number, KnownRow>,
    seen: ReadonlyMap<number, KnownRow>,
    calls: readonly Written[],
    verdict: Verdict,
  ) {
    this.#before = before
    this.#seen = seen
    this.#calls = calls
    this.#verdict = verdict
  }

  run(): { kept: number; open: number } {
    const chains = new Map<number, { call: Written; effect: Effect }[]>()
    for (const call of this.#calls) {
      this.#shows.set(call, [])
      for (const effect of call.effects) {
        if (!chains.has(effect.n)) chains.set(effect.n, [])
        chains.get(effect.n)!.push({ call, effect })
      }
    }
    for (const n of new Set([...this.#before.keys(), ...this.#seen.keys(), ...chains.keys()])) {
      this.#judgeRow(n, chains.get(n) ?? [])
    }
    return this.#judgeCalls()
  }

  /** Which of the calls that wrote the row show in it: all up to one of them, or none. */
  #judgeRow(n: number, all: readonly { call: Written; effect: Effect }[]): void {
    const { lost, duplicated, torn } = this.#verdict
    const before = this.#before.get(n)
    const row = this.#seen.get(n)
    const chain = all.filter(({ call }) => call.status !== 'refused')
    const refused = all.find(({ call }) => call.status === 'refused' && row?.v === call.i)
    if (refused) return void duplicated.push(`row ${n} holds call ${refused.call.i}, which was refused`)

    const last = row
      ? chain.findIndex(({ call }) => call.i === row.v)
      : chain.findIndex(({ effect }) => effect.kind === 'delete')
    const isBefore = row ? before?.v === row.v : before === undefined
    if (last === -1 && !isBefore) {
      if (row) torn.push(`row ${n} holds version ${row.v}, which nobody wrote there last`)
      else lost.push(`row ${n}, version ${before!.v}, is gone`)
    }
    const applied = chain.slice(0, last + 1)
    chain.forEach(({ call }, at) => this.#shows.get(call)!.push(at <= last))
    const missing = chain.slice(last + 1).filter(({ call }) => call.status === 'acknowledged')
    for (const { call, effect } of missing) lost.push(`call ${call.i} (${effect.kind} of row ${n})`)
    if (row && (last !== -1 || isBefore)) this.#compare(row, before, applied)
  }

  #compare(row: KnownRow, before: KnownRow | undefined, applied: readonly { effect: Effect }[]): void {
    const { lost, duplicated, torn } = this.#verdict
    const { n } = row
    const rev = (before?.rev ?? 0) + applied.length
    if (row.rev > rev) duplicated.push(`row ${n} was written ${row.rev} times in place of ${rev}`)
    if (row.rev < rev) lost.push(`row ${n} was written ${row.rev} times in place of ${rev}`)
    const { table, size } = applied.at(-1)?.effect ?? before!
    const owner = (applied.find(({ effect }) => effect.kind === 'create')?.effect ?? before!).owner
    if (row.table !== table || row.size !== size || row.owner !== owner || (before && row.id !== before.id)) {
      torn.push(`row ${n} is ${JSON.stringify(row)}, not ${JSON.stringify({ table, size, owner, id: before?.id })}`)
    }
  }

  /** All of a call's rows show it or none, and none is missing that came before one that is there. */
  #judgeCalls(): { kept: number; open: number } {
    const { torn } = this.#verdict
    const missing = new Map<number, number>()
    const counts = { kept: 0, open: 0 }
    for (const [call, shows] of this.#shows) {
      if (call.status === 'refused' || call.effects.length === 0) continue
      const there = shows.includes(true)
      if (there && shows.includes(false)) torn.push(`call ${call.i} shows in some of its ${shows.length} rows only`)
      const gap = missing.get(call.lane)
      if (there && gap !== undefined) torn.push(`call ${call.i} is there and call ${gap} before it is not`)
      if (!there && gap === undefined && call.status !== 'acknowledged') missing.set(call.lane, call.i)
      if (call.status === 'acknowledged') continue
      counts.open++
      if (there) counts.kept++
    }
    return counts
  }
}
