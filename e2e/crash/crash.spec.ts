// A short run of what `npm run test:crash` does at length.
import { expect, test } from '@playwright/test'
import { crash } from './crash.js'
import { lineOf } from './main.js'

test.setTimeout(240_000)

const faults = [
  'SIGKILL during awaited calls',
  'SIGKILL during 1000 calls at once',
  'SIGKILL during a checkpoint',
  'SIGKILL during a migration',
  'SIGKILL while opening',
  'SIGKILL during an import',
  'renderer crashed',
  'worker.terminate()',
  'tab closed',
  'quota exceeded',
]

test('random faults: nothing acknowledged is lost, nothing is there twice or in part, nothing hangs', async () => {
  const result = await crash({ rounds: faults.length, seed: 1, only: faults })
  expect(result.findings).toEqual([])
  expect(lineOf(result)).toMatch(/^rounds 10, acknowledged [1-9]\d*, lost 0, duplicated 0, torn 0, hung 0$/)
})

test('damage is seen: a page that resolves before it has saved loses rows when it is killed', async () => {
  const result = await crash({ rounds: 5, seed: 1, only: ['SIGKILL during awaited calls'], lying: true })
  expect(result.lost).toBeGreaterThan(0)
})
