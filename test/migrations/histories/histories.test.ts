// Random histories: an app's releases, a database that meets some of them, and an oracle that says what has to become of
// its rows. HISTORIES says how many, SEED which: a failure tells its own.
import { expect, test } from 'vitest'
import { check, TIME } from './check.js'
import { histories, type History } from './generator.js'
import { newTally, Play, type Tally } from './play.js'

async function playThrough(history: History, tally: Tally): Promise<void> {
  const play = new Play(history, tally)
  const [first, ...stays] = history.stays
  await play.begin(first!)
  for (const stay of stays) {
    if (play.at === play.last) return
    play.wait()
    await play.jump(Math.min(play.at + 1 + stay.skip, play.last), stay)
  }
  play.wait()
  if (play.at < play.last) await play.jump(play.last, first!)
}

test('every jump arrives at what the oracle says, or is refused', { timeout: TIME }, async () => {
  const tally = newTally()
  await check(histories, history => playThrough(history, tally))
  // Not green because nothing ran.
  const { migrated, refused, unclear } = tally
  expect(migrated).toBeGreaterThan((migrated + refused + unclear) / 3)
})
