// When the fault comes: what the app is doing in that moment, and how far it has got.
import type { Round } from './round.js'
import type { Workload } from './workload.js'

const MIB = 1024 * 1024

/** Begins what the app is doing; resolves when the fault is to come. */
export type Moment = (round: Round) => Promise<void>

/** Several parts of an app that each await their calls. */
const awaitedCalls: Moment = async round => {
  const { random, state } = round
  const workload = tidied(round)
  for (let lanes = random.between(1, 4); lanes > 0; lanes--) {
    if (random.chance(0.15)) workload.deferred(150)
    else workload.mixed('awaited', 150, random.chance(0.15) ? 'strict' : undefined)
  }
  if (random.chance(0.3)) workload.mixed('tasks', 100)
  const [calls, lags] = [random.between(0, 150), random.next() * 2]
  await round.begin(workload)
  await round.after(calls, lags * state.lagMs)
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
  const { random, state } = round
  const idle = random.chance(0.4)
  const [calls, share] = [random.between(0, 120), random.next()]
  const size = random.between(2000, 16_000)
  const rows = Math.ceil(128_000 / size)
  await round.complete(tidied(round))
  const threshold = Math.max(4 * MIB, state.baseBytes / 4)
  const needed = Math.ceil((Math.max(0, threshold - state.logBytes) + 256_000) / (rows * size))
  await round.complete(round.workload().bulk('awaited', needed, rows, size))
  if (idle) return round.after(0, share * 1200)
  await round.begin(round.workload().mixed('awaited', 120).mixed('awaited', 120))
  await round.after(calls, share * 2 * state.lagMs)
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

/** The app has a new version, whose notes have one column and one index more. */
const migration: Moment = async round => {
  const { random, state } = round
  const [ms, withCalls] = [(0.2 + random.next() * 1.3) * state.openMs, random.chance(0.3)]
  const notes = [...round.oracle.rows.values()].filter(({ table }) => table === 'notes').length
  if (notes < 1500) await round.complete(round.workload().bulk('awaited', 9, 500, 60))
  if (random.chance(0.5)) await round.session.kill()
  await round.session.reloaded()
  state.columns++
  state.migrating = true
  const calls = withCalls ? round.workload().mixed('awaited', 40).mixed('tasks', 40) : null
  await round.beginOpening(calls?.lanes)
  await round.after(0, ms)
}

export const moments = { awaitedCalls, thousandInserts, bulkWrites, checkpoint, opening, migration }

/** Nothing grows for ever: when there is much, a part of it is removed meanwhile. */
function tidied(round: Round): Workload {
  const workload = round.workload()
  const { rows } = round.oracle
  const bytes = [...rows.values()].reduce((sum, { size }) => sum + size, 0)
  return bytes > 10 * MIB || rows.size > 10_000 ? workload.trim(0.5) : workload
}
