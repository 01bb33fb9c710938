// What every measurement gives.

/**
 * @typedef {{ title: string, head: string[], rows: string[][] }} Table
 *
 * @typedef {object} Comparison How much faster than Dexie, for the chart.
 * @property {string} what @property {number} ratio
 *
 * @typedef {object} Measured
 * @property {unknown} raw Every value of every run.
 * @property {Table[]} tables
 * @property {import('../harness/bar.mjs').Bar[]} bars
 * @property {Comparison[]} [chart]
 *
 * @typedef {object} Measure
 * @property {string} name For --only.
 * @property {(parts: { browser: import('../harness/browser.mjs').Browser, url: string, runs: number }) => Promise<Measured>} run
 */

export {}
