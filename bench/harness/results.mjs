// Where the figures go: results/latest.json, results/chart.svg, and the README between its markers; those of another
// suite into results/<suite>.json, results/<suite>.svg and docs/figures.md.
import { existsSync, readFileSync, writeFileSync } from 'node:fs'
import { drawChart } from './chart.mjs'
import { nameMachine } from './machine.mjs'
import { barTable, toMarkdown } from './report.mjs'

const results = (/** @type {string} */ file) => new URL(`../results/${file}`, import.meta.url)
const page = (/** @type {string} */ path) => new URL(`../../${path}`, import.meta.url)

/**
 * @typedef {object} Report
 * @property {string} suite @property {import('./machine.mjs').Machine} machine @property {number} runs
 * @property {Record<string, import('../measures/measure.js').Measured>} measured
 */

/** @param {Report} report */
export function writeResults({ suite, machine, runs, measured }) {
  const all = Object.values(measured)
  const report = { machine, runs, bars: all.flatMap(({ bars }) => bars), measured }
  writeFileSync(results(suite === 'main' ? 'latest.json' : `${suite}.json`), `${JSON.stringify(report, rounded, 1)}\n`)
  const comparisons = all.flatMap(({ chart = [] }) => chart)
  const { title, base, file } = chartOf(suite)
  if (comparisons.length > 0)
    writeFileSync(results(file), drawChart({ title, base, comparisons }, nameMachine({ ...machine, versions: {} })))
}

/** @param {Report} report */
export function writePage({ suite, machine, runs, measured }) {
  const all = Object.values(measured)
  const tables = [...all.flatMap(({ tables }) => tables), barTable(all.flatMap(({ bars }) => bars))]
  writeTables({ suite, machine, runs, tables })
}

/**
 * Into the page of the suite, between its markers.
 * @param {Pick<Report, 'suite' | 'machine' | 'runs'> & { tables: readonly import('../measures/measure.js').Table[] }} report
 */
export function writeTables({ suite, machine, runs, tables }) {
  const note = `Medians of ${runs} alternating runs. ${nameMachine(machine)}. One machine's times: trust the ratios.`
  const [start, end] = ['start', 'end'].map(which => `<!-- ${suite === 'main' ? 'bench' : suite}:${which} -->`)
  const { title, file: picture } = chartOf(suite)
  const path = `${suite === 'main' ? '' : '../'}bench/results/${picture}`
  const chart = existsSync(results(picture)) ? [`![${title}](${path})`] : []
  const parts = [start, ...chart, note, ...tables.map(toMarkdown), end]
  const file = page(suite === 'main' ? 'README.md' : 'docs/figures.md')
  const text = readFileSync(file, 'utf8')
  const [from, to] = [text.indexOf(start), text.indexOf(end)]
  if (from === -1 || to < from) throw new Error(`${file.pathname} has no ${start} ... ${end}`)
  writeFileSync(file, `${text.slice(0, from)}${parts.join('\n\n')}${text.slice(to + end.length)}`)
}

/** @param {string} suite */
function chartOf(suite) {
  return suite === 'peers'
    ? { title: 'An awaited insert: how many times as long as ours', base: 'dataflow-edge', file: 'peers.svg' }
    : {
        title: 'How many times faster than Dexie',
        base: 'Dexie',
        file: suite === 'main' ? 'chart.svg' : `${suite}.svg`,
      }
}

/** The clock knows no more digits. @param {string} _ @param {unknown} value */
function rounded(_, value) {
  return typeof value === 'number' ? Number(value.toPrecision(6)) : value
}
