// Rounds of random faults in a real browser against the built library: `npm run test:crash -- --rounds N --seed S`.
// Each round verifies what the rounds before have left, then does some work and lets a fault happen to it. Which fault,
// which work, how much of it and when: all of it comes from the seed.
import { cp, mkdtemp } from 'node:fs/promises'
import { tmpdir } from 'node:os'
import { join } from 'node:path'
import { faults as allFaults, type Fault } from './faults.js'
import { Oracle } from './oracle.js'
import { Random } from './random.js'
import { Round, type State } from './round.js'
import { Session } from './session.js'
import { openSite } from './site.js'
import { verify } from './verify.js'

export interface CrashOptions {
  readonly rounds: number
  readonly seed: number
  /** Names of the faults; all if left out. Each comes once before one comes again. */
  readonly only?: readonly string[]
  /** To see that damage is noticed: the page's promises resolve before anything is saved. */
  readonly lying?: boolean
  /** Keeps a copy of a profile in which something was wrong. */
  readonly evidence?: boolean
  /** Told what happens, a line at a time. */
  readonly log?: (line: string) => void
}

export interface CrashResult {
  rounds: number
  acknowledged: number
  lost: number
  duplicated: number
  torn: number
  hung: number
  /** Failures that no fault explains: an error code that should not have come, a database that does not open. */
  unexpected: number
  /** Times that the browser could not read its own files after a kill and deleted everything; the library has said so. */
  deletedByBrowser: number
  /** A sentence for each of these, with its round. */
  findings: string[]
  /** By fault: how often, calls that were neither acknowledged nor refused when it came, those of them that were kept. */
  coverage: Map<string, { rounds: number; open: number; kept: number; refused: number }>
}

const FRESH = { columns: 0, migrating: false, openMs: 150, baseBytes: 0 } satisfies Partial<State>

export const faultNames: readonly string[] = allFaults.map(fault => fault.name)

export async function crash(options: CrashOptions): Promise<CrashResult> {
  const { rounds, seed, only = faultNames } = options
  const faults = allFaults.filter(fault => only.includes(fault.name))
  if (faults.length === 0) throw new Error(`No such fault; there are\n${faultNames.join('\n')}`)
  const site = await openSite()
  const run = new Run(options, site.url)
  try {
    let cycle: Fault[] = []
    for (let n = 1; n <= rounds; n++) {
      if (cycle.length === 0) cycle = new Random(seed, `cycle ${n}`).shuffled(faults)
      await run.round(n, cycle.shift()!)
    }
    await run.verify('at the end')
    return run.result
  } finally {
    await run.close()
    await site.close()
  }
}

class Run {
  readonly result: CrashResult = {
    rounds: 0,
    acknowledged: 0,
    lost: 0,
    duplicated: 0,
    torn: 0,
    hung: 0,
    unexpected: 0,
    deletedByBrowser: 0,
    findings: [],
    coverage: new Map(),
  }
  readonly #options: CrashOptions
  readonly #url: string
  #session: Session | null = null
  #oracle = new Oracle()
  #state: State
  #last: Fault | null = null

  constructor(options: CrashOptions, url: string) {
    this.#options = options
    this.#url = url
    this.#state = { ...FRESH, lying: options.lying ?? false }
  }

  async round(n: number, fault: Fault): Promise<void> {
    const started = performance.now()
    const round = await this.#newRound(`round ${n}`)
    // What was wrong has been counted; from here on it is what is there.
    if (!(await this.#verify(round, `round ${n}`))) return this.round(n, fault)
    const verifiedMs = Math.round(performance.now() - started)
    round.verify = async when => void (await this.#verify(round, `round ${n}, ${when}`))
    await fault.inject(round)
    this.#take(round, `round ${n}, ${fault.name}`)
    this.#last = fault
    this.result.rounds = n
    const coverage = this.#coverage(fault)
    coverage.rounds++
    coverage.refused += round.refused
    const { rows } = this.#oracle
    const ms = Math.round(performance.now() - started)
    this.#log(
      `${n} ${fault.name}: ${verifiedMs} + ${ms - verifiedMs} ms, ${rows.size} rows, base ${this.#state.baseBytes >> 10} KiB`,
    )
  }

  /** Also a verification of its own, when there is no other round to do it. */
  async verify(when: string): Promise<void> {
    await this.#verify(await this.#newRound(when), when)
    this.result.acknowledged += this.#oracle.acknowledged
  }

  async close(): Promise<void> {
    await this.#session?.end()
  }

  async #newRound(name: string): Promise<Round> {
    this.#session ??= new Session(await mkdtemp(join(tmpdir(), 'dataflow-edge-crash-')), this.#url)
    const random = new Random(this.#options.seed, name)
    return new Round({ random, oracle: this.#oracle, session: this.#session, state: this.#state })
  }

  /** False when something was wrong: then the browser is gone and perhaps the database with it. */
  async #verify(round: Round, when: string): Promise<boolean> {
    const { lost, duplicated, torn, open, kept, unusable, deleted = false } = await verify(round)
    const { result } = this
    if (deleted) {
      result.deletedByBrowser++
      this.#log(`${when}: Chromium has deleted the files of IndexedDB, ${this.#oracle.rows.size} rows; it was told`)
    }
    result.lost += lost.length
    result.duplicated += duplicated.length
    result.torn += torn.length
    const after = this.#last ? `${when}, after ${this.#last.name}` : when
    for (const [kind, texts] of Object.entries({ lost, duplicated, torn })) this.#tell(after, kind, texts)
    if (this.#last) {
      const coverage = this.#coverage(this.#last)
      coverage.open += open
      coverage.kept += kept
    }
    const isBad = lost.length + duplicated.length + torn.length > 0 || unusable
    this.#take(round, after)
    if (isBad) await this.#keepEvidence(when)
    if (unusable) await this.#startAnew()
    return !isBad
  }

  #take({ hung, unexpected }: Round, when: string): void {
    this.result.hung += hung.length
    this.result.unexpected += unexpected.length
    this.#tell(when, 'hung', hung.splice(0))
    this.#tell(when, 'unexpected', unexpected.splice(0))
  }

  #tell(when: string, kind: string, texts: readonly string[]): void {
    for (const text of texts.slice(0, 20)) {
      this.result.findings.push(`${when}: ${kind}: ${text}`)
      this.#log(`${when}: ${kind}: ${text}`)
    }
  }

  #coverage(fault: Fault) {
    const { coverage } = this.result
    const found = coverage.get(fault.name) ?? { rounds: 0, open: 0, kept: 0, refused: 0 }
    coverage.set(fault.name, found)
    return found
  }

  #log(line: string): void {
    this.#options.log?.(line)
  }

  async #keepEvidence(when: string): Promise<void> {
    await this.#session!.kill()
    if (!this.#options.evidence) return
    const copy = await mkdtemp(join(tmpdir(), 'dataflow-edge-crash-evidence-'))
    await cp(this.#session!.profile, copy, { recursive: true })
    this.#log(`${when}: the profile is kept in ${copy}`)
  }

  async #startAnew(): Promise<void> {
    await this.close()
    this.result.acknowledged += this.#oracle.acknowledged
    this.#session = null
    this.#oracle = new Oracle()
    this.#state = { ...this.#state, ...FRESH }
  }
}
