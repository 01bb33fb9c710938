// A short run of what `npm run test:crash` does at length.
import { expect, test } from '@playwright/test'
import { crash } from './crash.js'
import { lineOf } from './main.js'

test.setTimeout(240_000)

test('random faults: nothing that was acknowledged is lost, nothing is there twice or in part, nothing hangs', async () => {
  const result = await crash({ rounds: 8, seed: 1 })
  expect(result.findings).toEqual([])
  expect(lineOf(result)).toMatch(/^rounds 8, acknowledged [1-9]\d*, lost 0, duplicated 0, torn 0, hung 0$/)
})

test('it would be noticed: a page that resolves before it has saved loses rows when it is killed', async () => {
  const result = await crash({ rounds: 2, seed: 1, only: 'SIGKILL during awaited calls', lying: true })
  expect(result.lost).toBeGreaterThan(0)
})
