// Finds a Chromium; `node scripts/find-chromium.mjs` also installs one where there is none, and prints its path.
import { spawnSync } from 'node:child_process'
import { closeSync, existsSync, openSync, readSync, realpathSync } from 'node:fs'
import { createRequire } from 'node:module'
import { delimiter, dirname, join } from 'node:path'
import { argv, env, execPath, exit, getuid, stderr } from 'node:process'
import { pathToFileURL } from 'node:url'
import { chromium } from 'playwright'

const names = ['chromium', 'chromium-browser', 'google-chrome', 'google-chrome-stable']

/** What everything here starts Chromium with: no sandbox as root in a container, nothing of its own on the network. */
export const chromiumFlags = [
  '--no-sandbox',
  '--disable-gpu',
  '--disable-quic',
  '--no-first-run',
  '--disable-background-networking',
  '--disable-component-update',
  '--disable-sync',
]

/**
 * CHROMIUM_PATH, then Playwright's own, then the system's; undefined when there is none.
 * @returns {string | undefined}
 */
export function findChromium() {
  if (env.CHROMIUM_PATH) return env.CHROMIUM_PATH
  return [chromium.executablePath(), ...systemPaths()].find(path => path && existsSync(path))
}

/**
 * The program itself where `path` is a distribution's wrapper script: signals must reach the browser, not a shell.
 * @param {string} path
 */
export function chromiumBinary(path) {
  const real = realpathSync(path)
  const candidates = [
    '/usr/lib/chromium/chromium',
    '/usr/lib/chromium-browser/chromium-browser',
    `${dirname(real)}/chrome`,
  ]
  return isScript(real) ? (candidates.find(existsSync) ?? real) : real
}

/** The path of a Chromium that starts, installed if need be. Throws one clear sentence. */
export function installChromium() {
  if (env.CHROMIUM_PATH) {
    if (starts(env.CHROMIUM_PATH)) return env.CHROMIUM_PATH
    throw new Error(`CHROMIUM_PATH is ${env.CHROMIUM_PATH}, which does not start as a Chromium.`)
  }
  const installed = () => [chromium.executablePath(), ...systemPaths()].find(starts)
  return (
    installed() ??
    (downloadWithPlaywright(), installed()) ??
    (installWithApt(), installed()) ??
    fail('No Chromium was found and none could be installed: install Chromium or Chrome, or set CHROMIUM_PATH to one.')
  )
}

/** @param {string} message @returns {never} */
function fail(message) {
  throw new Error(message)
}

function systemPaths() {
  const folders = [...(env.PATH ?? '').split(delimiter), '/usr/bin', '/Applications/Google Chrome.app/Contents/MacOS']
  return [...names, 'Google Chrome'].flatMap(name => folders.map(folder => join(folder, name))).filter(existsSync)
}

/** @param {string} path */
function starts(path) {
  return existsSync(path) && spawnSync(path, ['--version'], { stdio: 'ignore', timeout: 30_000 }).status === 0
}

/** @param {string} path */
function isScript(path) {
  const start = Buffer.alloc(2)
  const file = openSync(path, 'r')
  readSync(file, start)
  closeSync(file)
  return start.toString() === '#!'
}

function downloadWithPlaywright() {
  const cli = join(dirname(createRequire(import.meta.url).resolve('playwright/package.json')), 'cli.js')
  say("No Chromium found: downloading Playwright's")
  // Its own report of a host that cannot be reached is a screenful, three times.
  const { status } = spawnSync(execPath, [cli, 'install', 'chromium'], { stdio: 'ignore', timeout: 600_000 })
  if (status !== 0) say('The download failed')
  else if (!starts(chromium.executablePath())) run(execPath, [cli, 'install-deps', 'chromium'], 900_000)
}

function installWithApt() {
  const sudo = getuid?.() === 0 ? [] : ['sudo', '-n']
  const [command, ...args] = [...sudo, 'apt-get']
  if (!command || !systemHas(command)) return
  say("Installing the distribution's Chromium")
  const environment = { ...env, DEBIAN_FRONTEND: 'noninteractive' }
  run(command, [...args, 'update'], 300_000, environment)
  run(command, [...args, 'install', '-y', '--no-install-recommends', 'chromium'], 900_000, environment)
}

/** @param {string} command */
function systemHas(command) {
  return (env.PATH ?? '').split(delimiter).some(folder => existsSync(join(folder, command)))
}

/** @param {string} command @param {string[]} args @param {number} timeout @param {NodeJS.ProcessEnv} environment */
function run(command, args, timeout, environment = env) {
  return spawnSync(command, args, { stdio: ['ignore', 2, 2], timeout, env: environment }).status === 0
}

/** @param {string} text */
function say(text) {
  stderr.write(`${text}\n`)
}

if (argv[1] && import.meta.url === pathToFileURL(realpathSync(argv[1])).href) {
  try {
    console.log(installChromium())
  } catch (e) {
    say(e instanceof Error ? e.message : String(e))
    exit(1)
  }
}
