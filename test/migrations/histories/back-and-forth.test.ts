// Releases that are taken back and made again: A -> B -> A -> B arrives at B.
import { expect, test } from 'vitest'
import { check, TIME } from './check.js'
import { histories } from './generator.js'
import { newTally, Play } from './play.js'

test('A -> B -> A -> B arrives at B', { timeout: TIME }, async () => {
  const tally = newTally()
  const back = histories.map(history => ({ ...history, changes: history.changes.slice(0, 2), start: 0 }))
  await check(
    back,
    async history => {
      const play = new Play(history, tally)
      const [a, b] = [play.releases[0]!, play.releases.at(-1)!]
      const [first, second = first!, third = first!] = history.stays
      play.releases = [a, b, a, b]
      await play.begin(first!)
      for (const [to, stay] of [second, third, first!].entries()) {
        play.wait()
        await play.jump(to + 1, stay)
      }
    },
    2,
  )
  expect(tally.migrated).toBeGreaterThan(tally.refused)
})
