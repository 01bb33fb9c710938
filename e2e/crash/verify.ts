// After each fault: what is there is what must be there, and the database is sound in itself.
import { faultsIn } from './ledger.js'
import type { Verdict } from './oracle.js'
import type { Look } from './protocol.js'
import type { Round } from './round.js'

export interface Verified extends Verdict {
  /** Calls of which nobody knew whether they were done, and those of them that were. */
  readonly open: number
  readonly kept: number
  /** The database could not be opened or read: nothing of it can be said. */
  readonly unusable: boolean
  /** The browser could not read its own files, has deleted them, and the library has said so. */
  readonly deleted?: boolean
}

/** Chromium's own words for it are in the library's message; a SIGKILL in the middle of a write of its files can do it. */
const DELETED_BY_BROWSER = /has deleted all that this site had saved/

/** Opens the database if it is not open, and judges it. After a migration that was cut short also before it is repeated. */
export async function verify(round: Round): Promise<Verified> {
  const { state, session } = round
  const tab = await session.tab()
  round.listenTo(tab)
  const results: Verified[] = []
  if (state.migrating) {
    if (tab.opened) round.expectOk(await tab.close())
    const answer = await tab.open(round.openOptions('warn'))
    if (answer && !('ok' in answer) && DELETED_BY_BROWSER.test(answer.failed)) return deleted(round)
    round.expectOk(answer)
    results.push(await judge(round, false))
    round.expectOk(await tab.close())
  }
  if (!tab.opened) {
    const answer = await tab.open(round.openOptions())
    if (answer && !('ok' in answer) && DELETED_BY_BROWSER.test(answer.failed)) return deleted(round)
    const ms = round.expectOk(answer)
    if (ms !== undefined && !state.migrating) state.openMs = ms
  }
  state.migrating = false
  results.push(await judge(round, true))
  return results.reduce((a, b) => ({
    lost: [...a.lost, ...b.lost],
    duplicated: [...a.duplicated, ...b.duplicated],
    torn: [...a.torn, ...b.torn],
    open: a.open + b.open,
    kept: a.kept + b.kept,
    unusable: a.unusable || b.unusable,
  }))
}

/** It is told once; then there is a new, empty database. */
async function deleted(round: Round): Promise<Verified> {
  const tab = await round.session.tab()
  round.expectOk(await tab.open(round.openOptions()))
  const look = round.expectOk(await tab.look())
  if (look && look.rows.length > 0) round.unexpected.push(`${look.rows.length} rows in what the browser has deleted`)
  return { lost: [], duplicated: [], torn: [], open: 0, kept: 0, unusable: true, deleted: true }
}

async function judge(round: Round, complete: boolean): Promise<Verified> {
  const { state, session, oracle, unexpected, hung } = round
  const tab = await session.tab()
  const answer = await tab.look()
  if (answer === undefined || !('ok' in answer)) {
    // What hangs has been reported as that.
    if (hung.length === 0) unexpected.push(answer?.failed ?? 'the tab has gone by itself')
    return { lost: [], duplicated: [], torn: [], open: 0, kept: 0, unusable: true }
  }
  const look: Look = answer.ok
  state.baseBytes = look.saved.baseBytes
  const { verdict, open, kept } = oracle.judge(look)
  round.judged()
  const faults = await faultsIn(look, complete)
  // A migration that was cut short is an open call too.
  const [migrations, migrated] = complete ? [0, 0] : [1, look.pending.length === 0 ? 1 : 0]
  const torn = [...verdict.torn, ...faults]
  return { ...verdict, torn, open: open + migrations, kept: kept + migrated, unusable: false }
}
