// The seed's table: what DataFlow 0.7.2 paid for every operation, and what is paid here.
import { median } from '../harness/alternate.mjs'
import { atLeast, digits, exactly } from '../harness/bar.mjs'

const OWN = ['third create', '1000 creates, one by one', 'read', 'update', 'delete']

/** @type {import('./measure.js').Measure} */
export const seed = {
  name: 'seed',
  async run({ browser, runs }) {
    /** @type {Record<string, import('../page/seed.js').Step[][]>} */
    const raw = { cached: [], checking: [] }
    for (let run = 0; run < runs; run++) {
      for (const cached of run % 2 === 0 ? [true, false] : [false, true]) {
        raw[cached ? 'cached' : 'checking'].push(await browser.call('seed', cached))
      }
    }
    const [cached, checking] = [raw.cached, raw.checking].map(all =>
      all[0].map((step, i) => ({ ...step, ms: median(all.map(steps => steps[i].ms)) })),
    )
    const find = (/** @type {string} */ name, from = cached) => {
      const step = from.find(({ step }) => step === name)
      if (!step) throw new Error(`No step ${name}`)
      return step
    }
    const per = (/** @type {import('../page/seed.js').Step} */ { ms, operations }) => ms / operations
    return {
      raw,
      tables: [
        {
          title:
            "The seed's table: cacheTableChecks true, and false (ms, SQL statements + transaction control, per operation)",
          head: ['', 'total ms', 'ms', 'SQL', 'control', 'false: total ms', 'ms', 'SQL', 'control', 'times'],
          rows: cached.map((step, i) => {
            const other = checking[i]
            return [
              step.step,
              ...[step, other].flatMap(s => [digits(s.ms), digits(per(s)), digits(s.statements), digits(s.control)]),
              digits(other.ms / step.ms),
            ]
          }),
        },
      ],
      bars: [
        ...OWN.map(name => exactly(`${name}: SQL statements each`, find(name).statements, 1)),
        atLeast(
          'a create with cacheTableChecks false: SQL statements',
          find('third create', checking).statements,
          6,
          digits,
        ),
      ],
    }
  },
}
