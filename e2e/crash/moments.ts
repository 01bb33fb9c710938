// When the fault comes: what the app is doing in that moment, and how far it has got.
import type { Round } from './round.js'
import type { Workload } from './workload.js'

const MIB = 1024 * 1024
const CHUNK = 256 * 1024
/** A flush takes 2 ms on an idle machine, and 10 on a busy one. */
const MS = 12

/** Begins what the app is doing; resolves when the fault is to come. */
export type Moment = (round: Round) => Promise<void>

/** Several parts of an app that each await their calls. */
const awaitedCalls: Moment = async round => {
  const { random } = round
  const workload = tidied(round)
  for (let lanes = random.between(1, 4); lanes > 0; lanes--) {
    if (random.chance(0.15)) workload.deferred(150)
    else workload.mixed('awaited', 150, random.chance(0.15) ? 'strict' : undefined)
  }
  if (random.chance(0.3)) workload.mixed('tasks', 100)
  const [calls, ms] = [random.between(0, 150), random.next() * MS]
  await round.begin(workload)
  await round.after(calls, ms)
}

/** Transactions that wait for each other, and calls that wait for all of them. */
const transactions: Moment = async round => {
  const { random } = round
  const workload = tidied(round)
  for (let lanes = random.between(2, 5); lanes > 0; lanes--) workload.transactions(40)
  workload.mixed('tasks', 150).mixed('awaited', 60)
  const [calls, ms] = [random.between(0, 200), random.next() * MS]
  await round.begin(workload)
  await round.after(calls, ms)
}

const thousandInserts: Moment = async round => {
  const { random } = round
  const [mode, mixed, share] = [random.chance(0.7) ? 'one tick' : 'tasks', random.chance(0.4), random.next()] as const
  const calls = (workload: Workload, count: number) =>
    mixed ? workload.mixed(mode, count) : workload.inserts(mode, count)
  await round.complete(tidied(round))
  const tenth = await round.complete(calls(round.workload(), 100))
  await round.begin(calls(round.workload(), 1000))
  await round.after(0, share * tenth * 11)
}

/** Calls whose flush is larger than a log may be, so that it goes into the base at once; or smaller ones. */
const bulkWrites: Moment = async round => {
  const { random } = round
  const [dense, size, calls, share] = [
    random.chance(0.5),
    random.between(100, 4000),
    random.between(2, 10),
    random.next(),
  ]
  await round.complete(tidied(round))
  if (dense) {
    const tenth = await round.complete(round.workload().bulk('awaited', 1, 120, 4000))
    await round.begin(round.workload().bulk('awaited', 2, 1200, 4000))
    await round.after(0, share * tenth * 22)
  } else {
    const one = await round.complete(round.workload().bulk('awaited', 1, 100, size))
    await round.begin(round.workload().bulk('one tick', calls, 100, size))
    await round.after(0, share * one * (calls + 1))
  }
}

/** The log is filled until a checkpoint begins. It rides along with the calls, or goes on while there are none. */
const checkpoint: Moment = async round => {
  const { random, session } = round
  const [idle, share, size] = [random.chance(0.4), random.next(), random.between(2000, 16_000)]
  await round.complete(tidied(round))
  const tab = await session.tab()
  let saved = round.expectOk(await tab.saved())
  while (saved && saved.logBytes < Math.max(4 * MIB, saved.baseBytes / 4)) {
    await round.complete(round.workload().bulk('awaited', 2, Math.ceil(128_000 / size), size))
    saved = round.expectOk(await tab.saved())
  }
  // One chunk with each flush, or with each idle step 20 ms after the last.
  const chunks = (saved?.baseBytes ?? 0) / CHUNK + 8
  if (idle) return round.after(0, share * chunks * 25)
  await round.begin(round.workload().mixed('awaited', 120).mixed('awaited', 120))
  await round.after(Math.round(share * 1.2 * chunks), random.next() * MS)
}

const opening: Moment = async round => {
  const { random, state } = round
  const [ms, withCalls] = [random.next() * 1.2 * state.openMs, random.chance(0.4)]
  if (random.chance(0.5)) await round.session.kill()
  await round.session.reloaded()
  const calls = withCalls ? round.workload().mixed('awaited', 40).mixed('tasks', 40) : null
  await round.beginOpening(calls?.lanes)
  await round.after(0, ms)
}

/** The worker has been asked for, and has hardly begun. */
const starting: Moment = async round => {
  const { random, state } = round
  const share = random.next()
  await round.session.reloaded()
  await round.beginOpening(round.workload().mixed('awaited', 20).mixed('tasks', 20).lanes)
  await round.after(0, share * 0.4 * state.openMs)
}

/** The app has a new version, whose notes have one column and one index more. */
const migration: Moment = async round => {
  const { random, state } = round
  const [ms, withCalls] = [(0.2 + random.next() * 1.3) * state.openMs, random.chance(0.3)]
  const notes = [...round.oracle.rows.values()].filter(({ table }) => table === 'notes').length
  if (notes < 1500) await round.complete(round.workload().bulk('awaited', 3, 500, 60, 'notes'))
  if (random.chance(0.5)) await round.session.kill()
  await round.session.reloaded()
  state.columns++
  state.migrating = true
  const calls = withCalls ? round.workload().mixed('awaited', 40).mixed('tasks', 40) : null
  await round.beginOpening(calls?.lanes)
  await round.after(0, ms)
}

/** A file takes the place of the database: the one that it has just given, so that all rows are known. */
const importing: Moment = async round => {
  const { random, session } = round
  const [calls, share] = [random.between(0, 40), random.next()]
  await round.complete(tidied(round).mixed('awaited', calls))
  const ms = round.expectOk(await (await session.tab()).importCopy()) ?? 0
  await round.begun(async tab => void round.expectOk(await tab.importCopy()))
  await round.after(0, share * 1.2 * ms)
}

/** A backup is written while calls go on. */
const backingUp: Moment = async round => {
  const { random } = round
  const [calls, ms] = [random.between(0, 100), random.next() * MS]
  await round.complete(tidied(round))
  await round.begun(async tab => void round.expectOk(await tab.backup()))
  await round.begin(round.workload().mixed('awaited', 120).mixed('tasks', 60))
  await round.after(calls, ms)
}

export const moments = {
  awaitedCalls,
  transactions,
  thousandInserts,
  bulkWrites,
  checkpoint,
  opening,
  starting,
  migration,
  importing,
  backingUp,
}

/** Nothing grows for ever: when there is much, a part of it is removed meanwhile. */
function tidied(round: Round): Workload {
  const workload = round.workload()
  const { rows } = round.oracle
  const bytes = [...rows.values()].reduce((sum, { size }) => sum + size, 0)
  return bytes > 10 * MIB || rows.size > 10_000 ? workload.trim(0.5) : workload
}
