// Migrations: the check of an unchanged schema, a plan, and changes of a million rows beside the same SQL by hand.
import { median } from '../harness/alternate.mjs'
import { atMost, digits, exactly, ms, times } from '../harness/bar.mjs'

/** How many times as long as by hand a change may take. @type {Record<string, number>} */
const LIMITS = { 'add a column': 1.2, 'add an index': 1.2, rebuild: 1.5 }

/** @type {import('./measure.js').Measure} */
export const migrations = {
  name: 'migrations',
  async run({ browser, runs }) {
    /** @type {import('../engine/schema.js').SchemaFigures} */
    const raw = await browser.call('schema', runs)
    const [warm, planner, plan] = [raw.warmMs, raw.plannerMs, raw.planMs].map(median)
    const changes = Object.entries(raw.changes).map(([name, { ours, byHand, progress }]) => ({
      name,
      ours: median(ours),
      byHand: median(byHand),
      progress,
    }))
    return {
      raw,
      tables: [
        {
          title: 'A schema of 100 models with 20 fields each (ms)',
          head: ['', 'time', 'statements'],
          rows: [
            ['check at a start, nothing changed', digits(warm), String(raw.warmStatements)],
            ['the planner: three changes in each model', digits(planner), '0'],
            ['db.migrations.plan(): hashes, records and rows checked too', digits(plan), ''],
          ],
        },
        {
          title: 'Changes of a table with 1 000 000 rows (ms)',
          head: ['', 'migration', 'by hand in sql.js', 'ratio', 'progress events'],
          rows: changes.map(({ name, ours, byHand, progress }) => [
            name,
            digits(ours),
            digits(byHand),
            times(ours / byHand),
            String(progress),
          ]),
        },
      ],
      bars: [
        atMost('warm start check, 100 models', warm, 2, ms),
        exactly('warm start check, 100 models: statements', raw.warmStatements, 1),
        atMost('plan of 100 models x 20 fields', planner, 20, ms),
        ...changes.map(({ name, ours, byHand }) =>
          atMost(`${name}, 1 000 000 rows, beside by hand`, ours / byHand, LIMITS[name] ?? 0, times),
        ),
      ],
    }
  },
}
