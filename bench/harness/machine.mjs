import { cpus, platform, release, totalmem } from 'node:os'
import { versions } from './prepare.mjs'

/** @param {string} browser @param {number} load What runs beside us: the load before we began. */
export function describeMachine(browser, load) {
  return {
    date: new Date().toISOString().slice(0, 10),
    cpu: cpus()[0]?.model ?? 'unknown',
    cores: cpus().length,
    memoryGb: Math.round(totalmem() / 2 ** 30),
    system: `${platform()} ${release()}`,
    browser: `Chromium ${browser}, headless, profile on disk`,
    load: Math.round(load * 10) / 10,
    node: process.version,
    versions: versions(),
  }
}

/** @typedef {ReturnType<typeof describeMachine>} Machine */

/** In one line. @param {Machine} machine */
export function nameMachine({ date, cpu, cores, browser, load, versions }) {
  const peers = Object.entries(versions).map(([name, version]) => `${name} ${version}`)
  // What else runs hurts most whoever needs two threads: us.
  const busy = load > cores / 2 ? `, busy with other work (load ${load})` : ''
  return [`${date}, ${cores} cores of ${cpu}${busy}, ${browser}`, ...(peers.length > 0 ? [peers.join(', ')] : [])].join(
    '; ',
  )
}
