// What happens to the app.
import { moments, type Moment } from './moments.js'
import type { Round } from './round.js'
import type { CrashTab } from './session.js'

export interface Fault {
  readonly name: string
  inject(round: Round): Promise<void>
}

/** `heir`: another tab that already waits for the database. */
type Strike = (round: Round, heir: CrashTab | null) => Promise<void>

/** How long the heir waits for the owner, and how long it may take to have the database once the owner is gone. */
const HEIR_MS = 60_000
const INHERIT_MS = 10_000

const kill: Strike = async ({ session }) => session.kill()

/** As a person closes it: in order, and without asking the page. */
const quit: Strike = async ({ session }) => session.quit()

const crashRenderer: Strike = async ({ session }, heir) => {
  const tab = await session.tab()
  // It never answers.
  tab.protocol.send('Page.crash').catch(() => {})
  await tab.gone
  session.use(heir)
  await tab.tab.close().catch(() => {})
}

const closeTab: Strike = async ({ session }, heir) => {
  const tab = await session.tab()
  // The browser would end with its last tab.
  session.use(heir ?? (await session.anotherTab()))
  await tab.tab.close()
}

const leavePage: Strike = async ({ session, random }, heir) => {
  const tab = await session.tab()
  // Chromium's renderer now and then crashes as a page with a busy worker is left: then that is the fault.
  const unlessCrashed = (error: unknown): void => {
    if (!/Page crashed/.test(String(error))) throw error
    session.use(heir)
  }
  if (!heir && random.chance(0.5)) return void (await session.reloaded().catch(unlessCrashed))
  session.use(heir ?? (await session.anotherTab()))
  await tab.tab.goto('about:blank').catch(unlessCrashed)
}

const terminateWorker: Strike = async ({ session, activity }) => {
  const tab = await session.tab()
  await tab.terminate()
  await activity
  // Chromium's renderer now and then crashes when a worker ends while it hands a large value to IndexedDB: another tab
  // then has to find everything.
  if (tab.isGone) session.use(await session.anotherTab())
}

/** Closed in the middle: what is rejected was not done, what was deferred and has settled is saved. Then SIGKILL. */
const closeThenKill: Strike = async round => {
  const { session, oracle } = round
  const tab = await session.tab()
  const answer = round.expectOk(await tab.close())
  await round.activity
  if (answer !== undefined) oracle.saved()
  await session.kill()
}

function when(name: string, strike: Strike, choices: readonly Moment[], allowed: readonly string[] = []): Fault {
  return {
    name,
    async inject(round) {
      const moment = round.random.pick(choices)
      round.allowed = new Set(allowed)
      await moment(round)
      await strike(round, null)
      await round.activity
    },
  }
}

/** Another tab waits for the database when the fault comes, and must have it at once. */
function withHeir(name: string, strike: Strike, choices: readonly Moment[]): Fault {
  return {
    name: `${name}, another tab waiting`,
    async inject(round) {
      const { session } = round
      const moment = round.random.pick(choices)
      const heir = await session.anotherTab()
      const inherited = heir.open({ ...round.openOptions(), maxWaitForOwner: HEIR_MS })
      await moment(round)
      await strike(round, heir)
      const struck = performance.now()
      await round.activity
      round.expectOk(await inherited)
      const ms = Math.round(performance.now() - struck)
      if (ms > INHERIT_MS) round.hung.push(`the owner is gone, the tab that waited had to wait ${ms} ms more`)
    },
  }
}

/** No more room in the middle of the work; then room again, or SIGKILL. */
const quota: Fault = {
  name: 'quota exceeded',
  async inject(round) {
    const { session, random } = round
    const [killed, calls, room] = [random.chance(0.4), random.between(1, 100), random.between(200_000, 2_000_000)]
    // Chromium remembers for half a minute how much room there was: a new one has nothing to remember.
    await session.kill()
    const tab = await session.tab()
    round.listenTo(tab)
    const { origin } = session
    // IndexedDB tidies up when it starts.
    await tab.tab.evaluate(() => indexedDB.databases())
    const { usage } = await tab.protocol.send('Storage.getUsageAndQuota', { origin })
    await tab.protocol.send('Storage.overrideQuotaForOrigin', { origin, quotaSize: usage + room })
    round.allowed = new Set(['STORAGE_FULL', 'TX_CLOSED'])
    if (round.expectOk(await tab.open(round.openOptions())) !== undefined) {
      const full = round.workload().mixed('awaited', 60).bulk('awaited', 30, 20, 6000)
      if (random.chance(0.5)) full.mixed('tasks', 100)
      if (killed) {
        await round.begin(full)
        await round.after(calls, random.next() * 12)
        await session.kill()
        return round.activity
      }
      await round.complete(full)
      await round.verify('with the disk full')
    }
    round.allowed = new Set()
    await tab.protocol.send('Storage.overrideQuotaForOrigin', { origin })
    await round.complete(round.workload().mixed('awaited', 20))
    if (random.chance(0.5)) await session.kill()
  },
}

const { awaitedCalls, transactions, thousandInserts, bulkWrites, checkpoint } = moments
const { opening, starting, migration, importing, backingUp } = moments
const working = [awaitedCalls, transactions, thousandInserts, bulkWrites, checkpoint]
const anything = [...working, opening, migration, importing, backingUp]

export const faults: readonly Fault[] = [
  when('SIGKILL during awaited calls', kill, [awaitedCalls]),
  when('SIGKILL during transactions', kill, [transactions]),
  when('SIGKILL during 1000 calls at once', kill, [thousandInserts]),
  when('SIGKILL during bulk writes', kill, [bulkWrites]),
  when('SIGKILL during a checkpoint', kill, [checkpoint]),
  when('SIGKILL during a migration', kill, [migration]),
  when('SIGKILL while opening', kill, [opening]),
  when('SIGKILL during an import', kill, [importing]),
  when('SIGKILL during a backup', kill, [backingUp]),
  when('browser closed', quit, anything),
  when('renderer crashed', crashRenderer, anything),
  withHeir('renderer crashed', crashRenderer, working),
  when('worker.terminate()', terminateWorker, anything, ['WORKER_CRASHED']),
  when('worker.terminate() while it starts', terminateWorker, [starting], ['WORKER_CRASHED']),
  when('tab closed', closeTab, working),
  withHeir('tab closed', closeTab, working),
  when('page left', leavePage, working),
  withHeir('page left', leavePage, working),
  when('close() in the middle, then SIGKILL', closeThenKill, working, ['CLOSED']),
  quota,
]
