// npm run bench -- [--suite NAME] [--runs N] [--only PATTERN] [--no-build] [--write-readme]
import { parseArgs } from 'node:util'

export const LEAST_RUNS = 5

/** @param {readonly string[]} suites The first one is the default. */
export function readArguments(suites) {
  const { values } = parseArgs({
    options: {
      suite: { type: 'string', default: suites[0] },
      runs: { type: 'string', default: String(LEAST_RUNS) },
      only: { type: 'string', default: '' },
      'no-build': { type: 'boolean', default: false },
      'write-readme': { type: 'boolean', default: false },
    },
  })
  const runs = Number(values.runs)
  if (!Number.isInteger(runs) || runs < 1) throw new Error('--runs takes a whole number')
  if (!suites.includes(values.suite)) throw new Error(`--suite is one of ${suites.join(', ')}`)
  return {
    suite: values.suite,
    runs,
    only: new RegExp(values.only, 'i'),
    build: !values['no-build'],
    writeReadme: values['write-readme'],
  }
}
