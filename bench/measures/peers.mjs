// dataflow-edge beside Dexie and IndexedDB by hand: writes, reads, lists.
import { alternate, median } from '../harness/alternate.mjs'
import { atLeast, atMost, digits, times } from '../harness/bar.mjs'

const SIZES = { awaited: 300, atOnce: 1000, bulk: 10_000, places: 150_000, chunk: 10_000 }
const OURS = 'dataflow-edge'
const PEERS = /** @type {const} */ ([OURS, 'Dexie', 'IndexedDB'])

/**
 * One figure of a measurement. `per`: how many operations its time is for.
 * @typedef {{ figure: string, what: string, per?: number, bars: (ratio: (other: string) => number) => import('../harness/bar.mjs').Bar[] }} Figure
 */

/**
 * @param {string} name @param {readonly string[]} contestants @param {Figure[]} figures
 * @returns {import('./measure.js').Measure}
 */
function compare(name, contestants, figures) {
  return {
    name,
    async run({ browser, runs }) {
      const raw = await alternate(contestants, runs, contestant => browser.call(name, contestant, SIZES))
      const rows = figures.map(({ figure, what, per = 1, bars }) => {
        const medians = Object.fromEntries(contestants.map(c => [c, median(raw[c][figure])]))
        const ratio = (/** @type {string} */ other) => medians[other] / medians[OURS]
        const others = contestants.filter(contestant => contestant !== OURS)
        return {
          cells: [
            what,
            ...contestants.map(c => digits(medians[c] / per)),
            ...others.map(other => times(ratio(other))),
            figure === 'places' ? digits((per / medians[OURS]) * 1000) : '',
          ],
          bars: bars(ratio),
          chart: { what, ratio: ratio('Dexie') },
        }
      })
      return {
        raw,
        tables: [
          {
            title: `${name} (ms per operation)`,
            head: ['', ...contestants, ...contestants.slice(1).map(other => `${other} / ours`), 'rows/s'],
            rows: rows.map(row => row.cells),
          },
        ],
        bars: rows.flatMap(row => row.bars),
        chart: rows.map(row => row.chart),
      }
    },
  }
}

export const inserts = compare('inserts', PEERS, [
  {
    figure: 'awaited',
    what: 'one awaited create, saved',
    bars: ratio => [atMost("an awaited create beside Dexie's add", 1 / ratio('Dexie'), 1, times)],
  },
  {
    figure: 'atOnce',
    what: '1000 creates at once, each saved',
    per: SIZES.atOnce,
    bars: ratio => [atLeast('1000 creates at once, faster than Dexie', ratio('Dexie'), 12, times)],
  },
])

export const bulk = compare('bulk', PEERS, [
  {
    figure: 'bulk',
    what: '10 000 rows in one call',
    per: SIZES.bulk,
    bars: ratio => [atLeast('bulkCreate of 10 000, faster than bulkAdd', ratio('Dexie'), 5, times)],
  },
])

export const places = compare('places', PEERS, [
  { figure: 'places', what: '150 000 places, 10 000 a call', per: SIZES.places, bars: () => [] },
])

export const reads = compare('reads', PEERS, [
  {
    figure: 'awaited',
    what: 'one awaited read by id',
    bars: ratio => [atLeast("a read by id, faster than Dexie's get", ratio('Dexie'), 1.3, times)],
  },
  {
    figure: 'atOnce',
    what: '1000 reads at once',
    per: SIZES.atOnce,
    bars: ratio => [atLeast('1000 reads at once, faster than Dexie', ratio('Dexie'), 5, times)],
  },
])

export const list = compare(
  'list',
  [...PEERS, 'sql.js + Comlink'],
  [
    {
      figure: 'list',
      what: 'list of 10 000 rows',
      bars: ratio => [
        atLeast('list of 10 000 rows, faster than toArray', ratio('Dexie'), 4, times),
        atLeast('list of 10 000 rows, faster than sql.js + Comlink', ratio('sql.js + Comlink'), 2, times),
      ],
    },
  ],
)
