// bulkCreate from an async iterable beside prepared statements by hand, and what the page's thread has of it.
import { alternate, median } from '../harness/alternate.mjs'
import { atMost, digits, ms, times } from '../harness/bar.mjs'

const ROWS = 100_000
const CONTESTANTS = /** @type {const} */ (['dataflow-edge', 'by hand'])

/** @type {import('./measure.js').Measure} */
export const bulkStream = {
  name: 'bulk-stream',
  async run({ browser, runs }) {
    const raw = await alternate(CONTESTANTS, runs, contestant => browser.call('bulkStream', contestant, ROWS))
    const idle = await browser.call('idle', 1000)
    const [ours, byHand] = CONTESTANTS.map(name => ({
      ms: median(raw[name].ms),
      flushes: median(raw[name].flushes),
      longest: median(raw[name].longest),
    }))
    if (ours.flushes !== byHand.flushes) throw new Error(`${ours.flushes} flushes beside ${byHand.flushes}`)
    return {
      raw: { ...raw, idle },
      tables: [
        {
          title: `bulkCreate of ${ROWS.toLocaleString('en')} rows from an async iterable, ${ours.flushes} flushes`,
          head: ['', 'ms', 'rows/s', "longest without the page's turn (ms)"],
          rows: [
            ...[ours, byHand].map((figures, i) => [
              ['dataflow-edge', 'prepared statements in sql.js by hand, the same flushes'][i] ?? '',
              digits(figures.ms),
              digits((ROWS / figures.ms) * 1000),
              digits(figures.longest),
            ]),
            ['a page that does nothing', '', '', digits(idle.longest)],
          ],
        },
      ],
      bars: [
        atMost('bulkCreate of 100 000 from an async iterable beside by hand', ours.ms / byHand.ms, 1.25, times),
        atMost("the page's thread during it: longest without a turn", ours.longest, 16, ms),
      ],
    }
  },
}
