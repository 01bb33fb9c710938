import { cpus, platform, release, totalmem } from 'node:os'
import { versions } from './prepare.mjs'

/** @param {string} browser */
export function describeMachine(browser) {
  return {
    date: new Date().toISOString().slice(0, 10),
    cpu: cpus()[0]?.model ?? 'unknown',
    cores: cpus().length,
    memoryGb: Math.round(totalmem() / 2 ** 30),
    system: `${platform()} ${release()}`,
    browser: `Chromium ${browser}, headless, profile on disk`,
    node: process.version,
    versions: versions(),
  }
}

/** @typedef {ReturnType<typeof describeMachine>} Machine */

/** In one line. @param {Machine} machine */
export function nameMachine({ date, cpu, cores, browser, versions }) {
  const peers = Object.entries(versions).map(([name, version]) => `${name} ${version}`)
  return `${date}, ${cores} cores of ${cpu}, ${browser}; ${peers.join(', ')}`
}
