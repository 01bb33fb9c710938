// Many steps as one: workflows, transactions, relations, bulk, search.
import { alternate, median } from '../harness/alternate.mjs'
import { atLeast, atMost, digits, ms, times } from '../harness/bar.mjs'

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

const [PARENTS, CHILDREN] = [1000, 10]
const READERS = /** @type {const} */ (['dataflow-edge', 'by hand'])

/** @type {import('./measure.js').Measure} */
export const include = {
  name: 'include',
  async run({ browser, runs }) {
    const raw = await alternate(READERS, runs, who => browser.call('include', who, PARENTS, CHILDREN))
    const [ours, byHand] = READERS.map(who => median(raw[who].ms))
    return {
      raw,
      tables: [
        {
          title: `${PARENTS} rows with ${CHILDREN} rows of another model each, as objects of the page (ms)`,
          head: ['', 'ms'],
          rows: [
            ['db.users.list({ include: { posts: true } })', digits(ours)],
            ['by hand: one SELECT with JSON aggregation, one message, JSON.parse', digits(byHand)],
          ],
        },
      ],
      bars: [atMost('include of 1000 x 10 beside SQL by hand with JSON aggregation', ours / byHand, 1.5, times)],
    }
  },
}

const PLACES = 150_000
/** Up to 500 matches, and a beginning that many have. */
const WORDS = ['springfield', 'paris', 'santiago', 'san jose', 'new*', 'san*']

/** @type {import('./measure.js').Measure} */
export const search = {
  name: 'search',
  async run({ browser, runs }) {
    /** @type {import('../page/search.js').SearchFigures[][]} */
    const raw = []
    for (let run = 0; run < runs; run++) raw.push(await browser.call('search', PLACES, WORDS))
    const figures = WORDS.map((words, i) => ({
      words,
      matches: raw[0][i].matches,
      ms: median(raw.map(all => all[i].ms)),
    }))
    const few = figures.filter(({ matches }) => matches <= 500)
    return {
      raw,
      tables: [
        {
          title: `Search over ${PLACES.toLocaleString('en')} places, first 20, ranked (ms)`,
          head: ['', 'matches', 'ms'],
          rows: figures.map(({ words, matches, ms: took }) => [words, matches.toLocaleString('en'), digits(took)]),
        },
      ],
      bars: [
        atMost('search, first 20 of up to 500 matches, ranked', Math.max(...few.map(({ ms: took }) => took)), 10, ms),
        atMost('search for san*, first 20, ranked', figures.at(-1)?.ms ?? NaN, 60, ms),
      ],
    }
  },
}
