// One round: what goes on when the fault comes, and what the harness hears of it.
import { setTimeout as delay } from 'node:timers/promises'
import type { Oracle } from './oracle.js'
import type { Answer, Lane, OpenOptions, Report, RolledBack } from './protocol.js'
import type { Random } from './random.js'
import type { CrashTab, Session } from './session.js'
import { Targets } from './targets.js'
import { Workload } from './workload.js'

/** What goes on over the rounds. */
export interface State {
  /** Columns that the notes have gained, the last one perhaps by a migration that was cut short. */
  columns: number
  migrating: boolean
  /** How long the last undisturbed opening took, in ms. */
  openMs: number
  /** The page is to lie about what is saved. */
  lying: boolean
  baseBytes: number
}

export class Round {
  readonly random: Random
  readonly oracle: Oracle
  readonly session: Session
  readonly state: State
  readonly hung: string[] = []
  /** Failures that the fault does not explain. */
  readonly unexpected: string[] = []
  /** Codes that it does explain. */
  allowed: ReadonlySet<string> = new Set()
  /** Calls that were rejected with one of these. */
  refused = 0
  /** Judges the database as it is now, without a fault. */
  verify: (when: string) => Promise<void> = async () => {}
  /** Ends when all that was begun has settled, or the tab is gone. */
  activity: Promise<void> = Promise.resolve()
  #targets: Targets | null = null
  #settled = 0
  #started = 0
  #waiting: { readonly ready: () => boolean; readonly resolve: () => void }[] = []

  constructor(parts: Pick<Round, 'random' | 'oracle' | 'session' | 'state'>) {
    this.random = parts.random
    this.oracle = parts.oracle
    this.session = parts.session
    this.state = parts.state
  }

  /** How the page opens the database now. */
  openOptions(autoMigrate: OpenOptions['autoMigrate'] = true): OpenOptions {
    const { columns, lying } = this.state
    return { columns, autoMigrate, ...(lying ? { durability: 'deferred' } : {}) }
  }

  /** Everything that `tab` reports belongs to this round. */
  listenTo(tab: CrashTab): void {
    tab.onReport = report => this.#hear(report)
  }

  workload(): Workload {
    this.#targets ??= new Targets(this.random, this.oracle.rows.values())
    return new Workload(this.random, this.oracle, this.#targets)
  }

  /** The oracle knows again what every row holds. */
  judged(): void {
    this.#targets = null
  }

  /** Begins calls in the tab; resolves when the first has been made. */
  async begin({ lanes }: Workload): Promise<void> {
    await this.begun(async tab => tab.run(lanes))
  }

  /** Begins to open the database, and with `lanes` to use it at once; resolves when the page has begun. */
  async beginOpening(lanes: readonly Lane[] = []): Promise<void> {
    await this.begun(async tab => {
      const opening = tab.open(this.openOptions()).then(answer => this.expectOk(answer))
      await Promise.all([opening, lanes.length > 0 ? tab.run(lanes) : null])
    })
  }

  async begun(work: (tab: CrashTab) => Promise<void>): Promise<void> {
    const tab = await this.session.tab()
    this.listenTo(tab)
    const before = this.#started
    const activity = work(tab)
    this.activity = Promise.all([this.activity, activity]).then(() => {})
    await Promise.race([this.#when(() => this.#started > before), activity])
  }

  /** Calls until all have settled, undisturbed; answers how long that took, in ms. */
  async complete(workload: Workload): Promise<number> {
    const started = performance.now()
    if (workload.lanes.length > 0) await this.begin(workload)
    await this.activity
    return performance.now() - started
  }

  /** Resolves `ms` after `calls` calls of the workload have settled; sooner when everything has. */
  async after(calls: number, ms = 0): Promise<void> {
    const wanted = this.#settled + calls
    await Promise.race([this.#when(() => this.#settled >= wanted), this.activity])
    await delay(ms)
  }

  /** A failure is one that the fault explains, or is noted. */
  expectOk<T>(answer: Answer<T>): T | undefined {
    if (answer === undefined) return undefined
    if ('ok' in answer) return answer.ok
    if (!this.allowed.has(answer.code)) this.unexpected.push(answer.failed)
    return undefined
  }

  #hear(report: Report): void {
    if ('hung' in report) this.hung.push(report.hung)
    else if ('started' in report) this.#started++
    else {
      const { settled, code, text } = report
      this.#settled++
      this.oracle.settled(settled, code)
      if (code !== null && this.allowed.has(code)) this.refused++
      else if (code !== null && code !== ('rolled back' satisfies RolledBack))
        this.unexpected.push(`call ${settled} was rejected: ${text}`)
    }
    this.#waiting = this.#waiting.filter(({ ready, resolve }) => !ready() || resolve())
  }

  #when(ready: () => boolean): Promise<void> {
    if (ready()) return Promise.resolve()
    return new Promise(resolve => this.#waiting.push({ ready, resolve }))
  }
}
