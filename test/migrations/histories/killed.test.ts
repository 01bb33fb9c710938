// A migration that is cut at a random statement, or cannot be saved: the next start finds the old schema or the new one,
// wholly, and arrives.
import fc from 'fast-check'
import { expect, test } from 'vitest'
import { DataFlowError } from '../../../src/shared/errors.js'
import { unwrap } from '../../support/local.js'
import { check, RUNS, TIME } from './check.js'
import { cutAt } from './cut.js'
import { histories, type History } from './generator.js'
import { newTally, Play } from './play.js'

type How = 'killed' | 'failed' | 'full'
interface Cutting {
  readonly history: History
  readonly how: How
  readonly at: number
}

const cuttings: fc.Arbitrary<Cutting> = fc.record({
  history: histories,
  how: fc.constantFrom<How>('killed', 'killed', 'failed', 'full'),
  at: fc.nat(200),
})

async function cutOnce({ history, how, at }: Cutting, happened: Record<How, number>): Promise<void> {
  const play = new Play(history, newTally())
  const [first, second = first!] = history.stays
  await play.begin(first!)
  if (play.at === play.last) return
  play.wait()
  const to = Math.min(play.at + 1 + second.skip, play.last)
  const { issues, broken, unclear } = play.verdict(to)
  if (issues.length + broken.length + unclear.length > 0) return

  // How many statements the migration takes, tried on a copy.
  const whole = cutAt(0)
  const { disk } = play
  const saved = disk.saved
  await finish(play, to, whole.parts)
  disk.saved = saved

  const cut = cutAt(how === 'full' ? 0 : 1 + (at % whole.statements), how === 'full' ? 'killed' : how)
  if (how === 'full') disk.isFull = () => new DataFlowError('STORAGE_FULL', 'no room', { retryable: true })
  const failure = await finish(play, to, cut.parts)
  disk.isFull = null
  if (failure) happened[how]++
  for (const state of [...disk.flushed, disk.saved]) await play.isOldOrNew(state, to)
  await play.jump(to, second, false)
}

/** Opens the release and closes it again; what went wrong. */
async function finish(play: Play, to: number, parts: object): Promise<unknown> {
  const db = await play.open(to, parts)
  try {
    await unwrap(db.engine.ready())
    return null
  } catch (error) {
    return error
  } finally {
    await db.engine.close()
  }
}

test('a migration that is killed, fails or cannot be saved', { timeout: TIME }, async () => {
  const happened = { killed: 0, failed: 0, full: 0 }
  await check(cuttings, cutting => cutOnce(cutting, happened), 2)
  expect(happened.killed + happened.failed + happened.full).toBeGreaterThan(RUNS / 10)
})
