// Many steps as one: workflows, transactions, relations, bulk, search.
import { alternate, median } from '../harness/alternate.mjs'
import { atLeast, atMost, digits, times } from '../harness/bar.mjs'

const TIMES = 100
const ways = /** @type {const} */ (['workflow', 'by hand', 'awaited', 'transaction', 'reads and a flush'])

/** @type {import('./measure.js').Measure} */
export const workflows = {
  name: 'workflows',
  async run({ browser, runs }) {
    const raw = await alternate(ways, runs, way => browser.call('tenOperations', way, TIMES))
    const [workflow, byHand, awaited, transaction, least] = ways.map(way => median(raw[way].ms))
    return {
      raw,
      tables: [
        {
          title: 'Ten operations that belong together, saved (ms for all ten)',
          head: ['', 'ms'],
          rows: [
            ['a workflow of ten nodes', digits(workflow)],
            ['the same SQL by hand: prepared statements, one message, the same flush', digits(byHand)],
            ['ten awaited operations', digits(awaited)],
            ['transaction(fn) of ten operations', digits(transaction)],
            ['ten awaited reads and one saved update', digits(least)],
          ],
        },
      ],
      bars: [
        atLeast('a workflow of 10 nodes beside 10 awaited operations', awaited / workflow, 4, times),
        atMost('a workflow of 10 nodes beside its SQL by hand in one message', workflow / byHand, 1.3, times),
        atMost('transaction(fn) of 10 operations beside 10 awaited reads and a flush', transaction / least, 1.2, times),
      ],
    }
  },
}
