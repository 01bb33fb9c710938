// The figures as text: for the terminal, and as Markdown.

/** @typedef {import('../measures/measure.js').Table} Table @typedef {import('./bar.mjs').Bar} Bar */

/** @param {readonly Bar[]} bars @returns {Table} */
export function barTable(bars) {
  return {
    title: `It must reach: ${bars.filter(bar => bar.met).length} of ${bars.length} met`,
    head: ['', 'bar', 'figure', 'verdict'],
    rows: bars.map(({ what, must, is, verdict }) => [what, must, is, verdict]),
  }
}

/** @param {Table} table */
export function toText({ title, head, rows }) {
  const widths = head.map((_, i) => Math.max(...[head, ...rows].map(row => row[i].length)))
  const line = (/** @type {readonly string[]} */ row) =>
    row.map((cell, i) => (i === 0 ? cell.padEnd(widths[i]) : cell.padStart(widths[i]))).join('  ')
  return [title, ...[head, ...rows].map(row => `  ${line(row)}`)].join('\n')
}

/** Aligned as Prettier would. @param {Table} table */
export function toMarkdown({ title, head, rows }) {
  const cells = [head, ...rows].map(row => row.map(cell => cell.replaceAll('|', '\\|')))
  const widths = head.map((_, i) => Math.max(3, ...cells.map(row => row[i].length)))
  const line = (/** @type {readonly string[]} */ row) =>
    `| ${row.map((cell, i) => (i === 0 ? cell.padEnd(widths[i]) : cell.padStart(widths[i]))).join(' | ')} |`
  const rule = `| ${widths.map((width, i) => (i === 0 ? '-'.repeat(width) : `${'-'.repeat(width - 1)}:`)).join(' | ')} |`
  const [top, ...rest] = cells.map(line)
  return `**${title}**\n\n${[top, rule, ...rest].join('\n')}`
}
