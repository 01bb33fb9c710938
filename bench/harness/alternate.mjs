// Contestants take turns, each run beginning with another one: what else the machine does hits all of them alike.
import { stderr } from 'node:process'

/**
 * Calls `work` for each contestant in each run, and gives for each figure of each contestant its values by run.
 * @template {string} Name
 * @param {readonly Name[]} names @param {number} runs
 * @param {(name: Name, run: number) => Promise<Record<string, number>>} work
 * @returns {Promise<Record<Name, Record<string, number[]>>>}
 */
export async function alternate(names, runs, work) {
  const values = /** @type {any} */ (Object.fromEntries(names.map(name => [name, {}])))
  for (let run = 0; run < runs; run++) {
    for (let i = 0; i < names.length; i++) {
      const name = /** @type {Name} */ (names[(i + run) % names.length])
      for (const [figure, value] of Object.entries(await work(name, run))) (values[name][figure] ??= []).push(value)
      stderr.write('.')
    }
  }
  return values
}

/** @param {readonly number[] | undefined} values */
export function median(values) {
  if (!values?.length) throw new Error('Nothing was measured')
  const sorted = [...values].sort((a, b) => a - b)
  const middle = sorted.length >> 1
  return sorted.length % 2 === 1 ? sorted[middle] : (sorted[middle - 1] + sorted[middle]) / 2
}
