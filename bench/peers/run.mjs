// npm run bench:peers -- [--runs N] [--only PATTERN] [--write-readme]: the same work for other databases of the browser.
import { spawnSync } from 'node:child_process'
import { existsSync, readFileSync } from 'node:fs'
import { mkdtemp, rm } from 'node:fs/promises'
import { loadavg, tmpdir } from 'node:os'
import { join } from 'node:path'
import { stderr } from 'node:process'
import { fileURLToPath } from 'node:url'
import { build, runnerImport } from 'vite'
import { installChromium } from '../../scripts/find-chromium.mjs'
import { alternate, median } from '../harness/alternate.mjs'
import { LEAST_RUNS, readArguments } from '../harness/arguments.mjs'
import { digits } from '../harness/bar.mjs'
import { Browser, serve } from '../harness/browser.mjs'
import { describeMachine, nameMachine } from '../harness/machine.mjs'
import { toText } from '../harness/report.mjs'
import { writeResults, writeTables } from '../harness/results.mjs'

const here = fileURLToPath(new URL('.', import.meta.url))
const root = fileURLToPath(new URL('../..', import.meta.url))
const OURS = 'dataflow-edge'
/** Those that take tens of milliseconds for an insert make fewer. */
const SLOW = new Set(['SQLocal', 'PowerSync', 'PGlite', 'wa-sqlite IDBBatchAtomic', 'sql.js, export + put'])
const counts = (/** @type {string} */ name) =>
  SLOW.has(name)
    ? { inserts: 20, atOnce: 50, batch: 1000, list: 10_000 }
    : { inserts: 100, atOnce: 1000, batch: 1000, list: 10_000 }
const SIZES = [0, 10, 50]
const KILLED_AFTER = 200

const { runs, only, build: builds, writeReadme } = readArguments(['peers'])
const load = loadavg()[0] ?? 0
if (!existsSync(join(here, 'node_modules'))) run('npm ci --legacy-peer-deps', here)
if (builds) run('npm run --silent build', root)
await build({ configFile: join(here, 'vite.config.ts'), logLevel: 'error' })
process.env.CHROMIUM_PATH = installChromium()
const server = await serve(join(here, '.built'))
/** What a peer could not do here, and why: its cells there are empty. @type {Record<string, string>} */
const failed = {}

try {
  const probe = await Browser.start(server.url, 'peers')
  const machine = { ...describeMachine(probe.version, load), versions: versionsOf() }
  /** @type {string[]} */
  const all = await probe.get('names')
  const names = all.filter(name => name === OURS || only.test(name))
  /** @type {Record<string, string>} */
  const durability = {}
  for (const name of names) durability[name] = await probe.call('durabilityOf', name)
  await probe.close()
  console.log(`${nameMachine(machine)}\nMedians of ${runs} alternating runs.`)

  stderr.write('operations ')
  const operations = await alternate(names, runs, (name, i) =>
    unlessFailed(`${name}: operations`, () =>
      inFreshBrowser(browser => browser.call('operations', name, `run-${i}`, counts(name))),
    ),
  )
  stderr.write('\nsizes ')
  const sizes = await measureSizes(names)
  stderr.write('\nkilled ')
  const killed = await measureKilled(names)
  stderr.write('\n')

  const tables = tablesOf(names, { durability, operations, sizes, killed })
  for (const table of tables) console.log(`\n${toText(table)}\n`)
  if (names.length === all.length && runs >= LEAST_RUNS) {
    const chart = names
      .filter(name => name !== OURS && operations[name]?.p50 !== undefined)
      .map(name => ({ what: name, ratio: median(operations[name].p50) / median(operations[OURS].p50) }))
    const measured = { peers: { raw: { operations, sizes, killed, failed, durability }, tables, bars: [], chart } }
    writeResults({ suite: 'peers', machine, runs, measured })
    if (writeReadme) writeTables({ suite: 'peers', machine, runs, tables })
  } else console.log(`Nothing was written: it takes all peers and at least ${LEAST_RUNS} runs.`)
} finally {
  server.close()
}

/** @template T @param {(browser: Browser) => Promise<T>} work */
async function inFreshBrowser(work) {
  const browser = await Browser.start(server.url, 'peers')
  try {
    return await work(browser)
  } finally {
    await browser.close()
  }
}

/** What cannot run here is named with its reason, and not tried again. @param {string} what @param {() => Promise<any>} work */
async function unlessFailed(what, work) {
  if (failed[what] !== undefined) return {}
  try {
    return await work()
  } catch (error) {
    failed[what] = String(error).split('\n')[0] ?? ''
    stderr.write(`${what}: ${failed[what]}\n`)
    return {}
  }
}

/** @param {readonly string[]} names @returns {Promise<Record<string, Record<string, Record<string, number[]>>>>} */
async function measureSizes(names) {
  /** @type {Record<string, Record<string, Record<string, number[]>>>} */
  const sizes = {}
  for (const name of names) {
    sizes[name] = await unlessFailed(`${name}: sizes`, () =>
      inFreshBrowser(async browser => {
        /** @type {Record<string, string>} */
        const ids = {}
        for (const size of SIZES) ids[size] = (await browser.call('fill', name, `size-${size}`, size)).id
        const inserts = SLOW.has(name) ? 10 : 50
        return alternate(SIZES.map(String), runs, size =>
          browser.call('size', name, `size-${size}`, ids[size], inserts),
        )
      }),
    )
  }
  return sizes
}

/** Rows that were acknowledged before SIGKILL, and those of them that are not there afterwards. @param {readonly string[]} names */
async function measureKilled(names) {
  const file = fileURLToPath(new URL('../../e2e/browser-process.ts', import.meta.url))
  const { module } = await runnerImport(file, { configFile: false, logLevel: 'error' })
  const { startBrowser } = /** @type {typeof import('../../e2e/browser-process.js')} */ (module)
  /** @type {Record<string, { acknowledged: number, lost: number }>} */
  const killed = {}
  for (const name of names) {
    const counted = await unlessFailed(`${name}: killed`, async () => {
      const profile = await mkdtemp(join(tmpdir(), 'dataflow-edge-peers-'))
      let browser = await startBrowser(profile)
      try {
        const show = async () => {
          const page = await browser.context.newPage()
          await page.goto(server.url)
          await page.waitForFunction(() => 'peers' in window)
          return page
        }
        const page = await show()
        /** @type {number[]} */
        const acknowledged = []
        const enough = new Promise(resolve => {
          const hear = (/** @type {number} */ n) => acknowledged.push(n) === KILLED_AFTER && resolve(null)
          void page.exposeFunction('acknowledged', hear)
          setTimeout(resolve, 8000)
        })
        page.evaluate(name => /** @type {any} */ (window).peers.insertUntilKilled(name, 'killed'), name).catch(() => {}) // it is killed in the middle
        await enough
        await browser.kill()
        browser = await startBrowser(profile)
        const again = await show()
        const numbers = await again.evaluate(name => /** @type {any} */ (window).peers.numbers(name, 'killed'), name)
        const there = new Set(numbers)
        return { acknowledged: acknowledged.length, lost: acknowledged.filter(n => !there.has(n)).length }
      } finally {
        await browser.kill()
        await rm(profile, { recursive: true, force: true, maxRetries: 10, retryDelay: 100 })
      }
    })
    if (counted.acknowledged !== undefined) killed[name] = counted
    stderr.write('.')
  }
  return killed
}

/** @param {readonly string[]} names @param {any} measured */
function tablesOf(names, { durability, operations, sizes, killed }) {
  const of = (/** @type {string} */ name, /** @type {string} */ figure) => medianOf(operations[name]?.[figure])
  /** Where a peer is faster than we are, it says so. @param {string} name @param {number} theirs @param {number} ours */
  const beside = (name, theirs, ours) => {
    if (Number.isNaN(theirs)) return '-'
    if (name === OURS) return digits(theirs)
    return `${digits(theirs)} ${theirs < ours ? '(faster)' : `(${digits(theirs / ours)} x)`}`
  }
  const figures = ['p50', 'p95', 'atOnce', 'batch', 'read', 'list']
  const head = [
    '',
    'awaited insert p50',
    'p95',
    '1000 at once, each',
    'batch of 1000, each',
    'read by id',
    'list 10 000',
  ]
  const rows = names.map(name => [name, ...figures.map(figure => beside(name, of(name, figure), of(OURS, figure)))])
  const at = (/** @type {string} */ name, /** @type {number} */ size, /** @type {string} */ figure) =>
    medianOf(sizes[name]?.[size]?.[figure])
  const sizeRows = (/** @type {string} */ figure) =>
    names.map(name => [name, ...SIZES.map(size => beside(name, at(name, size, figure), at(OURS, size, figure)))])
  const missing = Object.entries(failed)
  return [
    { title: 'Operations (ms; in brackets: how many times as long as ours)', head, rows },
    {
      title: 'Opening until the first row is read (ms)',
      head: ['', ...SIZES.map(size => `${size} MB`)],
      rows: sizeRows('open'),
    },
    { title: 'One awaited insert (ms)', head: ['', ...SIZES.map(size => `${size} MB`)], rows: sizeRows('insert') },
    {
      title: 'Killed with SIGKILL in the middle of awaited inserts',
      head: ['', 'a resolved insert is to survive', 'acknowledged', 'of them lost'],
      rows: names.map(name => [
        name,
        durability[name],
        String(killed[name]?.acknowledged ?? '-'),
        String(killed[name]?.lost ?? '-'),
      ]),
    },
    ...(missing.length > 0 ? [{ title: 'Could not run here (-)', head: ['', 'because'], rows: missing }] : []),
  ]
}

/** Not a number where nothing was measured. @param {number[] | undefined} figures */
function medianOf(figures) {
  return figures === undefined ? NaN : median(figures)
}

function versionsOf() {
  const { dependencies } = JSON.parse(readFileSync(join(here, 'package.json'), 'utf8'))
  return dependencies
}

/** @param {string} command @param {string} cwd */
function run(command, cwd) {
  const { status } = spawnSync(command, { cwd, shell: true, stdio: ['ignore', 'inherit', 'inherit'] })
  if (status !== 0) throw new Error(`${command} failed`)
}
