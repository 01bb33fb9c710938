// WebKitGTK's MiniBrowser over WebDriver, on a display that nobody sees.
import { spawn } from 'node:child_process'
import { once } from 'node:events'
import { createServer, type AddressInfo } from 'node:net'
import { createInterface } from 'node:readline'
import { Builder, type WebDriver } from 'selenium-webdriver'
import { findMiniBrowser, findProgram } from '../find-engines.js'
import { asScript, unwrap, type Browser, type Engine } from './engine.js'

export const webkit: Engine = {
  name: 'WebKitGTK',
  async start() {
    const port = await freePort()
    const args = ['-a', findProgram('WebKitWebDriver'), `--port=${port}`]
    const child = spawn(findProgram('xvfb-run'), args, { detached: true, stdio: ['ignore', 'pipe', 'pipe'] })
    const kill = async (): Promise<void> => {
      if (child.exitCode !== null || child.signalCode !== null) return
      const exited = once(child, 'exit')
      process.kill(-child.pid!, 'SIGKILL')
      await exited
    }
    // Kept empty, or it would stop when the pipe is full.
    for (const stream of [child.stdout, child.stderr]) createInterface({ input: stream }).on('line', () => {})
    try {
      const driver = await connect(port)
      const version = (await driver.getCapabilities()).get('browserVersion') as string
      return browserOf(driver, `WebKitGTK ${version}`, kill)
    } catch (error) {
      await kill()
      throw error
    }
  },
}

/** The driver prints nothing when it listens: it is asked until it does. */
async function connect(port: number): Promise<WebDriver> {
  const url = `http://127.0.0.1:${port}`
  for (let attempt = 0; ; attempt++) {
    const listens = await fetch(`${url}/status`).then(
      answer => answer.ok,
      () => false,
    )
    if (listens) break
    if (attempt === 200) throw new Error('WebKitWebDriver does not listen')
    await new Promise(resolve => setTimeout(resolve, 50))
  }
  const options = { binary: findMiniBrowser(), args: ['--automation'] }
  const capabilities = { browserName: 'MiniBrowser', 'webkitgtk:browserOptions': options }
  const driver = await new Builder().usingServer(url).withCapabilities(capabilities).build()
  await driver.manage().setTimeouts({ script: 60_000 })
  return driver
}

/** WebDriver talks to one window at a time: calls take turns. */
function browserOf(driver: WebDriver, version: string, kill: () => Promise<void>): Browser {
  let turn: Promise<unknown> = Promise.resolve()
  const inWindow = <T>(handle: string, work: () => Promise<T>): Promise<T> => {
    const next = turn.then(async () => {
      await driver.switchTo().window(handle)
      return work()
    })
    turn = next.catch(() => {})
    return next
  }
  let first = true
  return {
    version,
    kill,
    async open(url) {
      if (!first) await driver.switchTo().newWindow('tab')
      first = false
      const handle = await driver.getWindowHandle()
      await driver.get(url)
      return {
        evaluate: async (body, argument) => {
          const script = `const done = arguments[arguments.length - 1]; ${asScript(body, argument)}.then(done)`
          return unwrap(await inWindow(handle, () => driver.executeAsyncScript(script)))
        },
        reload: () => inWindow(handle, () => driver.navigate().refresh()),
        close: () => inWindow(handle, () => driver.close()),
      }
    },
  }
}

async function freePort(): Promise<number> {
  const server = createServer().listen(0, '127.0.0.1')
  await once(server, 'listening')
  const { port } = server.address() as AddressInfo
  server.close()
  await once(server, 'close')
  return port
}
