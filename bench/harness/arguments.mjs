// npm run bench -- [--runs N] [--only PATTERN] [--no-build] [--write-readme]
import { parseArgs } from 'node:util'

export const LEAST_RUNS = 5

export function readArguments() {
  const { values } = parseArgs({
    options: {
      runs: { type: 'string', default: String(LEAST_RUNS) },
      only: { type: 'string', default: '' },
      'no-build': { type: 'boolean', default: false },
      'write-readme': { type: 'boolean', default: false },
    },
  })
  const runs = Number(values.runs)
  if (!Number.isInteger(runs) || runs < 1) throw new Error('--runs takes a whole number')
  return { runs, only: new RegExp(values.only, 'i'), build: !values['no-build'], writeReadme: values['write-readme'] }
}
