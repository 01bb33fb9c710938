// `npm test`: every check in order, up to the first that fails. `npm test -- unit e2e` runs only the stages named.
import { spawnSync } from 'node:child_process'
import { mkdirSync, rmSync, writeFileSync } from 'node:fs'
import { dirname, join } from 'node:path'
import { fileURLToPath } from 'node:url'
import { installChromium } from './find-chromium.mjs'

const root = dirname(dirname(fileURLToPath(import.meta.url)))
const reports = join(root, 'reports')
const stages = [
  { name: 'lock', command: 'node scripts/check-lock.mjs' },
  { name: 'types', command: 'tsc -b' },
  { name: 'lint', command: 'oxlint --deny-warnings' },
  { name: 'format', command: 'prettier --check --log-level warn .' },
  { name: 'unit', command: 'vitest run' },
  { name: 'build', command: 'npm run --silent build:all' },
  { name: 'sizes', command: 'node scripts/check-sizes.mjs' },
  { name: 'package', command: 'publint --strict' },
  { name: 'chromium', command: () => (process.env.CHROMIUM_PATH = installChromium()) },
  { name: 'e2e', command: 'playwright test' },
]

const named = process.argv.slice(2)
const unknown = named.find(name => !stages.some(stage => stage.name === name))
if (unknown) {
  console.error(`No stage ${unknown}; there are ${stages.map(stage => stage.name).join(', ')}`)
  process.exit(1)
}
const chosen = stages.filter(stage => named.length === 0 || named.includes(stage.name))

rmSync(reports, { recursive: true, force: true })
mkdirSync(reports)
process.env.PATH = `${join(root, 'node_modules', '.bin')}${process.platform === 'win32' ? ';' : ':'}${process.env.PATH}`

/** @type {{ stage: string, result: 'passed' | 'failed' | 'not run', seconds: number }[]} */
const results = []
for (const { name, command } of chosen) {
  if (results.some(result => result.result === 'failed')) {
    results.push({ stage: name, result: 'not run', seconds: 0 })
    continue
  }
  console.log(`\n== ${name}${typeof command === 'string' ? `: ${command}` : ''}`)
  const start = performance.now()
  const passed = run(command)
  const seconds = Math.round((performance.now() - start) / 100) / 10
  results.push({ stage: name, result: passed ? 'passed' : 'failed', seconds })
  writeFileSync(join(reports, 'stages.json'), JSON.stringify(results, null, 2))
}

console.log()
for (const { stage, result, seconds } of results) {
  console.log(
    `${stage.padEnd(10)} ${result.padEnd(8)} ${result === 'not run' ? '' : `${seconds.toFixed(1).padStart(6)} s`}`,
  )
}
const failed = results.find(result => result.result === 'failed')
if (failed) console.error(`npm test failed in: ${failed.stage}`)
process.exitCode = failed ? 1 : 0

/** @param {string | (() => string)} command */
function run(command) {
  if (typeof command === 'string') {
    return spawnSync(command, { cwd: root, shell: true, stdio: ['ignore', 'inherit', 'inherit'] }).status === 0
  }
  try {
    console.log(command())
    return true
  } catch (e) {
    console.error(e instanceof Error ? e.message : String(e))
    return false
  }
}
