// Where the figures go: results/latest.json, results/chart.svg, and the README between its markers.
import { existsSync, readFileSync, writeFileSync } from 'node:fs'
import { drawChart } from './chart.mjs'
import { nameMachine } from './machine.mjs'
import { barTable, toMarkdown } from './report.mjs'

const readme = new URL('../../README.md', import.meta.url)
const results = (/** @type {string} */ file) => new URL(`../results/${file}`, import.meta.url)
const [START, END] = ['<!-- bench:start -->', '<!-- bench:end -->']

/**
 * @typedef {object} Report
 * @property {import('./machine.mjs').Machine} machine @property {number} runs
 * @property {Record<string, import('../measures/measure.js').Measured>} measured
 */

/** @param {Report} report */
export function writeResults({ machine, runs, measured }) {
  const all = Object.values(measured)
  const report = { machine, runs, bars: all.flatMap(({ bars }) => bars), measured }
  writeFileSync(results('latest.json'), `${JSON.stringify(report, rounded, 1)}\n`)
  const comparisons = all.flatMap(({ chart = [] }) => chart)
  if (comparisons.length > 0) writeFileSync(results('chart.svg'), drawChart(comparisons, nameMachine(machine)))
}

/** @param {Report} report */
export function writeReadme({ machine, runs, measured }) {
  const all = Object.values(measured)
  const tables = [...all.flatMap(({ tables }) => tables), barTable(all.flatMap(({ bars }) => bars))]
  const note = `Medians of ${runs} alternating runs. ${nameMachine(machine)}. One machine's times: trust the ratios.`
  const parts = [
    START,
    '![How many times faster than Dexie](bench/results/chart.svg)',
    note,
    ...tables.map(toMarkdown),
    END,
  ]
  const text = existsSync(readme) ? readFileSync(readme, 'utf8') : ''
  const [from, to] = [text.indexOf(START), text.indexOf(END)]
  if (from === -1 || to < from) throw new Error(`README.md has no ${START} ... ${END}`)
  writeFileSync(readme, `${text.slice(0, from)}${parts.join('\n\n')}${text.slice(to + END.length)}`)
}

/** The clock knows no more digits. @param {string} _ @param {unknown} value */
function rounded(_, value) {
  return typeof value === 'number' ? Number(value.toPrecision(6)) : value
}
