// Prints `N passed, N failed` from the runners' own reports. A stage of `npm test` that failed, or never ran, counts as
// a failed test: nothing is green by accident.
import { readFileSync } from 'node:fs'

/** @param {string} name */
function report(name) {
  try {
    return JSON.parse(readFileSync(new URL(`../reports/${name}.json`, import.meta.url), 'utf8'))
  } catch {
    return undefined
  }
}

const unit = report('unit')
const e2e = report('e2e')
/** Only where `npm run test:browsers` ran. */
const browsers = report('browsers')
/** @type {{ stage: string, result: string }[]} */
const stages = report('stages') ?? []

const counted = {
  unit: { failed: unit?.numFailedTests ?? 0 },
  e2e: { failed: e2e ? e2e.stats.unexpected + e2e.stats.flaky + e2e.errors.length : 0 },
  browsers: { failed: browsers?.numFailedTests ?? 0 },
}
const passed = (unit?.numPassedTests ?? 0) + (e2e?.stats.expected ?? 0) + (browsers?.numPassedTests ?? 0)
const pending = [unit, browsers].reduce(
  (sum, found) => sum + (found ? found.numPendingTests + found.numTodoTests : 0),
  0,
)
const skipped = pending + (e2e?.stats.skipped ?? 0)

// A stage whose failures its runner counted is not counted again.
const others = stages.filter(
  ({ stage, result }) => result !== 'passed' && !(/** @type {any} */ (counted)[stage]?.failed > 0),
)
let failed = counted.unit.failed + counted.e2e.failed + counted.browsers.failed + others.length
// What ended before it could report: the exit code of all of it is the first argument.
const isMissing = !(unit && e2e && stages.length > 0)
if (failed === 0 && (isMissing || Number(process.argv[2] ?? 0) !== 0)) failed = 1

for (const { stage, result } of others) console.log(`${stage}: ${result}`)
console.log(`${passed} passed, ${failed} failed${skipped > 0 ? `, ${skipped} skipped` : ''}`)
process.exitCode = failed > 0 || passed === 0 ? 1 : 0
