// Comparisons with one base as bars, one for each: an SVG that reads on light and on dark.

const WIDTH = 760
const LABEL = 250
const ROW = 34
const TOP = 64
const END = 70

/** Ratios that far apart are drawn on a logarithmic scale. */
const FAR_APART = 40
const LEAST = 0.1

/**
 * @typedef {object} Chart @property {string} title @property {string} base what has the ratio 1
 * @property {readonly import('../measures/measure.js').Comparison[]} comparisons
 */

/** @param {Chart} chart @param {string} machine */
export function drawChart({ title, base, comparisons }, machine) {
  const most = Math.max(2, ...comparisons.map(({ ratio }) => ratio))
  const logarithmic = most > FAR_APART
  const length = (/** @type {number} */ ratio) =>
    (WIDTH - LABEL - END) *
    (logarithmic ? Math.log(Math.max(ratio, LEAST) / LEAST) / Math.log(most / LEAST) : ratio / most)
  const height = TOP + comparisons.length * ROW + 44
  const x = (/** @type {number} */ ratio) => (LABEL + length(ratio)).toFixed(1)
  const bars = comparisons.map(({ what, ratio }, i) => {
    const y = TOP + i * ROW
    const text = `${ratio >= 10 ? ratio.toFixed(0) : ratio.toFixed(1)} x`
    return [
      `<text class="what" x="${LABEL - 12}" y="${y + 16}" text-anchor="end">${escape(what)}</text>`,
      `<rect class="${ratio >= 1 ? 'faster' : 'slower'}" x="${LABEL}" y="${y}" width="${length(ratio).toFixed(1)}" height="22" rx="3"/>`,
      `<text class="ratio" x="${Number(x(ratio)) + 8}" y="${y + 16}">${text}</text>`,
    ].join('\n  ')
  })
  const bottom = TOP + comparisons.length * ROW
  return `<svg xmlns="http://www.w3.org/2000/svg" viewBox="0 0 ${WIDTH} ${height}" width="${WIDTH}" height="${height}" role="img" aria-labelledby="title note">
  <style>
    text { font: 13px system-ui, sans-serif; fill: #1f2933 }
    .title { font-size: 16px; font-weight: 600 }
    .note { font-size: 11px; fill: #52606d }
    .ratio { font-weight: 600; font-variant-numeric: tabular-nums }
    .faster { fill: #1a7f64 }
    .slower { fill: #b4540a }
    .base { stroke: #52606d; stroke-dasharray: 4 3 }
    @media (prefers-color-scheme: dark) {
      text { fill: #e4e7eb }
      .note { fill: #9aa5b1 }
      .faster { fill: #3ebd93 }
      .slower { fill: #f0914d }
      .base { stroke: #9aa5b1 }
    }
  </style>
  <text class="title" id="title" x="0" y="20">${escape(title)}</text>
  <text class="note" x="${x(1)}" y="48" text-anchor="middle">${escape(base)} = 1${logarithmic ? ' (logarithmic)' : ''}</text>
  ${bars.join('\n  ')}
  <line class="base" x1="${x(1)}" y1="${TOP - 10}" x2="${x(1)}" y2="${bottom}"/>
  <text class="note" id="note" x="0" y="${height - 12}">${escape(machine)}</text>
</svg>
`
}

/** @param {string} text */
function escape(text) {
  return text.replaceAll('&', '&amp;').replaceAll('<', '&lt;')
}
