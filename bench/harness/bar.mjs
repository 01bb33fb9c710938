// A bar: what a figure must reach, and by how much it does not.

/**
 * @typedef {object} Bar
 * @property {string} what @property {string} must @property {string} is @property {boolean} met @property {string} verdict
 */

/**
 * @param {string} what @param {number} figure @param {number} limit @param {(n: number) => string} show
 * @returns {Bar}
 */
export function atMost(what, figure, limit, show) {
  return make(what, `<= ${show(limit)}`, show(figure), figure <= limit, figure / limit)
}

/**
 * @param {string} what @param {number} figure @param {number} limit @param {(n: number) => string} show
 * @returns {Bar}
 */
export function atLeast(what, figure, limit, show) {
  return make(what, `>= ${show(limit)}`, show(figure), figure >= limit, limit / figure)
}

/** @param {string} what @param {number} figure @param {number} wanted @returns {Bar} */
export function exactly(what, figure, wanted) {
  return make(what, String(wanted), String(figure), figure === wanted, NaN)
}

/** @param {string} what @param {string} must @param {string} is @param {boolean} met @param {number} times */
function make(what, must, is, met, times) {
  const by = Number.isFinite(times) ? ` by ${Math.max(1, Math.round((times - 1) * 100))} %` : ''
  return { what, must, is, met, verdict: met ? 'met' : `MISSED${by}` }
}

export const ms = (/** @type {number} */ n) => `${digits(n)} ms`
export const us = (/** @type {number} */ n) => `${digits(n)} us`
export const times = (/** @type {number} */ n) => `${digits(n)} x`

/** Three digits that count. @param {number} n */
export function digits(n) {
  if (n === 0 || !Number.isFinite(n)) return String(n)
  if (Math.abs(n) >= 1000) return Math.round(n).toLocaleString('en')
  return String(Number(n.toPrecision(3)))
}
