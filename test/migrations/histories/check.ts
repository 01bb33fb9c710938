// Runs a property as often as HISTORIES says, with the seed that SEED says, and tells a failure as its story.
import fc from 'fast-check'
import { expect } from 'vitest'

/** Small enough for every run of the tests. */
export const RUNS = Number(process.env.HISTORIES ?? 40)
const SEED = process.env.SEED === undefined ? undefined : Number(process.env.SEED)
const PATH = process.env.SEED_PATH

/** Time for HISTORIES histories. */
export const TIME = 40_000 + RUNS * 500

/** `every`: only one in so many histories. */
export async function check<T>(
  arbitrary: fc.Arbitrary<T>,
  property: (value: T) => Promise<void>,
  every = 1,
): Promise<void> {
  const result = await fc.check(fc.asyncProperty(arbitrary, property), {
    numRuns: Math.ceil(RUNS / every),
    // What is found so far is told, however small it could still become.
    interruptAfterTimeLimit: TIME - 15_000,
    ...(SEED === undefined ? {} : { seed: SEED }),
    ...(PATH === undefined ? {} : { path: PATH }),
  })
  if (!result.failed) return
  const { errorInstance, seed, counterexamplePath, counterexample } = result
  const told = errorInstance instanceof Error ? errorInstance.message : String(errorInstance)
  const stack = errorInstance instanceof Error && errorInstance.name !== 'Mismatch' ? errorInstance.stack : ''
  expect.fail(
    `SEED=${seed} SEED_PATH=${counterexamplePath}\n${told}\n${stack}\n${JSON.stringify(counterexample, null, 1).length} characters of history`,
  )
}
