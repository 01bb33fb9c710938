// What the database weighs must not matter to a create; and what opening costs.
import { alternate, median } from '../harness/alternate.mjs'
import { atMost, digits, ms, times } from '../harness/bar.mjs'
import { Browser } from '../harness/browser.mjs'

const LARGE = 200
const SMALL = 10
const AWAITED = 200
const [ours, dexie] = /** @type {const} */ (['dataflow-edge', 'Dexie'])

/** @type {import('./measure.js').Measure} */
export const flat = {
  name: 'flat',
  async run({ browser, runs }) {
    await browser.call('fill', ours, 'large', LARGE)
    const raw = await alternate(['large', 'empty'], runs, which =>
      browser.call('createIn', which === 'large' ? 'large' : null, AWAITED),
    )
    const [large, empty] = [raw.large, raw.empty].map(({ create }) => median(create))
    const size = `${digits(median(raw.large.megabytes))} MB`
    return {
      raw,
      tables: [
        {
          title: 'One awaited create of 2 KB, saved',
          head: ['', 'ms'],
          rows: [
            ['in an empty database', digits(empty)],
            [`in a database of ${size}`, digits(large)],
          ],
        },
      ],
      bars: [atMost(`an awaited create in ${size} beside an empty database`, large / empty, 1.3, times)],
    }
  },
}

/** @type {import('./measure.js').Measure} */
export const opening = {
  name: 'opening',
  async run({ browser, url, runs }) {
    const filled = {
      [ours]: await browser.call('fill', ours, 'small', SMALL),
      [dexie]: await browser.call('fill', dexie, 'small', SMALL),
    }
    // Once for the browser, which keeps what it compiled.
    await browser.call('firstOperation', ours)
    await browser.call('firstOperation', dexie)
    const warm = await alternate([ours, dexie], runs, name => browser.call('firstOperation', name))
    const open = await alternate([ours, dexie], runs, name =>
      browser.call('openExisting', name, 'small', filled[name].id),
    )
    const cold = await alternate([ours, dexie], runs, async name => {
      const fresh = await Browser.start(url)
      try {
        return await fresh.call('firstOperation', name)
      } finally {
        await fresh.close()
      }
    })
    const of = (/** @type {Record<string, Record<string, number[]>>} */ raw, /** @type {string} */ figure) =>
      [ours, dexie].map(name => median(raw[name][figure]))
    const [warmMs, coldMs, openMs] = [of(warm, 'first'), of(cold, 'first'), of(open, 'open')]
    const row = (/** @type {string} */ what, /** @type {number[]} */ values) => [what, ...values.map(digits)]
    return {
      raw: { warm, open, cold },
      tables: [
        {
          title: 'Opening (ms)',
          head: ['', ours, dexie],
          rows: [
            row('new database, first row saved; warm browser', warmMs),
            row('new database, first row saved; cold browser (new process, new profile)', coldMs),
            row('database of 10 MB, first row read; new page', openMs),
          ],
        },
      ],
      bars: [
        atMost('first operation on a new database, warm browser', warmMs[0], 200, ms),
        atMost('first operation on a new database, cold browser', coldMs[0], 500, ms),
        atMost('opening 10 MB until the first row is read', openMs[0], 180, ms),
      ],
    }
  },
}
