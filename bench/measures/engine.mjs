// The engine alone: a cached check, and an ensured read beside the same prepared statement by hand.
import { median } from '../harness/alternate.mjs'
import { atMost, digits, exactly, times } from '../harness/bar.mjs'

/** @type {import('./measure.js').Measure} */
export const engine = {
  name: 'engine',
  async run({ browser, runs }) {
    /** @type {import('../engine/worker.js').EngineFigures} */
    const raw = await browser.call('engine', runs)
    const [read, connection, byHand] = [raw.engineUs, raw.connectionUs, raw.byHandUs].map(median)
    const ensureNs = median(raw.ensureNs)
    return {
      raw,
      tables: [
        {
          title: 'The engine, in a worker without a page',
          head: ['', 'time', 'beside by hand'],
          rows: [
            ['ensure, cached', `${digits(ensureNs)} ns`, ''],
            ['read of one row by its key: a message to the engine', `${digits(read)} us`, times(read / byHand)],
            ["its statement on the engine's connection", `${digits(connection)} us`, times(connection / byHand)],
            ['its statement with sql.js: bind, step, get, reset', `${digits(byHand)} us`, ''],
          ],
        },
      ],
      bars: [
        exactly('ensure, cached: SQL statements', raw.ensureStatements, 0),
        atMost('ensure, cached', ensureNs, 1000, n => `${digits(n)} ns`),
        atMost('an ensured read in the engine beside the prepared statement by hand', read / byHand, 3, times),
      ],
    }
  },
}
