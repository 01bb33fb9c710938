// Chromium as a process of our own, to be killed with everything that belongs to it: what a power cut of the process
// looks like to IndexedDB. Playwright's own launch would close it in good order.
import { spawn } from 'node:child_process'
import { once } from 'node:events'
import { existsSync, readdirSync, readFileSync } from 'node:fs'
import { createInterface } from 'node:readline'
import { chromium, type Browser, type BrowserContext } from '@playwright/test'
import { chromiumBinary, chromiumFlags, findChromium } from '../../scripts/find-chromium.mjs'

export interface BrowserProcess {
  readonly pid: number
  readonly browser: Browser
  /** The profile's own context: what it stores is on disk. */
  readonly context: BrowserContext
  /** SIGKILL to the whole process group; resolves when the browser is gone. Harmless when it already is. */
  kill(): Promise<void>
}

/** Starts Chromium on `profile` as the leader of a process group and connects to it. */
export async function startBrowser(profile: string): Promise<BrowserProcess> {
  const found = findChromium()
  if (!found) throw new Error('No Chromium: node scripts/find-chromium.mjs installs one.')
  const args = [
    ...chromiumFlags,
    '--headless', ...(process.env.FLAGS ? process.env.FLAGS.split(' ') : []),
    '--remote-debugging-port=0',
    `--user-data-dir=${profile}`,
    'about:blank',
  ]
  const child = spawn(chromiumBinary(found), args, { detached: true, stdio: ['ignore', 'ignore', 'pipe'] })
  const pid = child.pid
  if (pid === undefined) throw new Error(`${found} could not be started`)
  const exited = once(child, 'exit')
  const kill = async (): Promise<void> => {
    if (child.exitCode === null && child.signalCode === null) process.kill(-pid, 'SIGKILL')
    await exited
    await groupIsGone(pid)
  }
  try {
    const browser = await chromium.connectOverCDP(await endpoint(child.stderr))
    const context = browser.contexts()[0]
    if (!context) throw new Error('The browser has no default context')
    return { pid, browser, context, kill }
  } catch (e) {
    await kill()
    throw e
  }
}

/** Chromium prints the address once it listens, and goes on printing: the pipe must be kept empty. */
async function endpoint(stderr: NodeJS.ReadableStream): Promise<string> {
  const lines = createInterface({ input: stderr })
  const printed: string[] = []
  return new Promise((resolve, reject) => {
    lines.on('line', line => {
      printed.push(line)
      const address = /^DevTools listening on (ws:\S+)/.exec(line)?.[1]
      if (address) resolve(address)
    })
    lines.on('close', () => reject(new Error(`The browser ended before it listened:\n${printed.join('\n')}`)))
  })
}

/** The renderers die after the browser's own process; the profile is free when none is left. */
async function groupIsGone(group: number): Promise<void> {
  for (let tries = 0; tries < 500; tries++) {
    if (!groupLives(group)) return
    await new Promise(resolve => setTimeout(resolve, 10))
  }
  throw new Error(`Process group ${group} is still there 5 s after SIGKILL`)
}

function groupLives(group: number): boolean {
  try {
    process.kill(-group, 0)
  } catch {
    return false
  }
  if (!existsSync('/proc/self/stat')) return true
  // The dead stay in the process table until init looks, which in a container may take seconds.
  return readdirSync('/proc').some(entry => {
    try {
      const [state, , processGroup] = /^\d+$/.test(entry) ? fieldsOf(entry) : []
      return processGroup === String(group) && state !== 'Z'
    } catch {
      return false
    }
  })
}

/** State, parent and process group: what follows the name, which may hold anything, in /proc/<pid>/stat. */
function fieldsOf(pid: string): string[] {
  const stat = readFileSync(`/proc/${pid}/stat`, 'utf8')
  return stat.slice(stat.lastIndexOf(')') + 2).split(' ')
}
