// npm run bench: everything that is said about speed, measured in one run. Nothing here fails because of a time.
import { loadavg } from 'node:os'
import { stderr } from 'node:process'
import { readArguments, LEAST_RUNS } from './harness/arguments.mjs'
import { Browser, serve } from './harness/browser.mjs'
import { describeMachine, nameMachine } from './harness/machine.mjs'
import { prepare } from './harness/prepare.mjs'
import { barTable, toText } from './harness/report.mjs'
import { writePage, writeResults } from './harness/results.mjs'
import { bulkStream } from './measures/bulk.mjs'
import { flat, opening } from './measures/databases.mjs'
import { engine } from './measures/engine.mjs'
import { migrations } from './measures/migrations.mjs'
import { include, search, workflows } from './measures/operations.mjs'
import { bulk, inserts, list, places, reads } from './measures/peers.mjs'
import { seed } from './measures/seed.mjs'
import { sizes } from './measures/sizes.mjs'
import * as storage from './measures/storage.mjs'

const suites = {
  main: [seed, engine, inserts, bulk, places, reads, list, flat, opening, sizes],
  migrations: [migrations],
  operations: [workflows, include, bulkStream, search],
  storage: [storage.growth, storage.opening, storage.bytes, storage.memory, storage.stall, storage.encryption],
}
const { suite, runs, only, build, writeReadme: toReadme } = readArguments(Object.keys(suites))
const all = suites[/** @type {keyof typeof suites} */ (suite)]
const chosen = all.filter(({ name }) => only.test(name))
if (chosen.length === 0) throw new Error(`--only fits none of ${all.map(({ name }) => name).join(', ')}`)

const load = loadavg()[0]
await prepare({ build })
const server = await serve()
const browser = await Browser.start(server.url)
try {
  const machine = describeMachine(browser.version, load)
  console.log(`${nameMachine(machine)}\nMedians of ${runs} alternating runs.\n`)
  /** @type {Record<string, import('./measures/measure.js').Measured>} */
  const measured = {}
  for (const { name, run } of chosen) {
    stderr.write(`${name} `)
    measured[name] = await run({ browser, url: server.url, runs })
    stderr.write('\n')
    for (const table of measured[name].tables) console.log(`\n${toText(table)}\n`)
  }
  console.log(toText(barTable(Object.values(measured).flatMap(({ bars }) => bars))))
  // A part, or too few runs, is no result to keep.
  if (chosen.length === all.length && runs >= LEAST_RUNS) {
    writeResults({ suite, machine, runs, measured })
    if (toReadme) writePage({ suite, machine, runs, measured })
  } else console.log(`\nNothing was written: it takes all measurements and at least ${LEAST_RUNS} runs.`)
} finally {
  await browser.close()
  server.close()
}
