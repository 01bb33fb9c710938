// Finds Firefox and WebKitGTK, and installs them where Debian's packages can be had.
import { spawnSync } from 'node:child_process'
import { existsSync, readdirSync } from 'node:fs'
import { delimiter, join } from 'node:path'
import { env, getuid } from 'node:process'

const PACKAGES = ['firefox-esr', 'webkit2gtk-driver', 'xvfb']
const PROGRAMS = ['firefox-esr', 'WebKitWebDriver', 'xvfb-run']

/** The path of a program. Throws one clear sentence. */
export function findProgram(name: string): string {
  const found = (env.PATH ?? '')
    .split(delimiter)
    .map(folder => join(folder, name))
    .find(path => existsSync(path))
  if (!found) throw new Error(`There is no ${name} here: install Debian's packages ${PACKAGES.join(', ')}.`)
  return found
}

/** MiniBrowser is on no PATH. */
export function findMiniBrowser(): string {
  const folders = ['/usr/lib', ...readdirSync('/usr/lib').map(name => join('/usr/lib', name))]
  const candidates = folders.flatMap(folder => ['webkit2gtk-4.1', 'webkit2gtk-4.0'].map(name => join(folder, name)))
  const found = candidates.map(folder => join(folder, 'MiniBrowser')).find(path => existsSync(path))
  if (!found) throw new Error(`There is no MiniBrowser here: install Debian's package webkit2gtk-driver.`)
  return found
}

/** Installs what is missing. Throws one clear sentence when it cannot. */
export function installEngines(): void {
  const isMissing = (): boolean => PROGRAMS.some(name => !tryFind(name))
  if (!isMissing()) return
  const apt = (...args: string[]): boolean =>
    spawnSync('apt-get', args, { stdio: 'inherit', env: { ...env, DEBIAN_FRONTEND: 'noninteractive' } }).status === 0
  if (getuid?.() === 0 && apt('update')) apt('install', '-y', '--no-install-recommends', ...PACKAGES, 'xauth')
  if (isMissing()) {
    throw new Error(`Firefox and WebKitGTK are needed and could not be installed: install ${PACKAGES.join(', ')}.`)
  }
}

function tryFind(name: string): boolean {
  try {
    findProgram(name)
    return true
  } catch {
    return false
  }
}
