// Firefox ESR over WebDriver BiDi: Playwright drives a Firefox of its own only.
import { once } from 'node:events'
import { appendFile } from 'node:fs/promises'
import { join } from 'node:path'
import puppeteer from 'puppeteer-core'
import { findProgram } from '../find-engines.js'
import { asScript, unwrap, type Engine } from './engine.js'

export const firefox: Engine = {
  name: 'Firefox',
  async start(profile) {
    // puppeteer copies this file of a profile that was used before, and does not look whether it is there.
    await appendFile(join(profile, 'user.js'), '')
    const browser = await puppeteer.launch({
      browser: 'firefox',
      executablePath: findProgram('firefox-esr'),
      userDataDir: profile,
      headless: true,
      protocolTimeout: 120_000,
    })
    return {
      version: await browser.version(),
      async kill() {
        const child = browser.process()!
        if (child.exitCode !== null || child.signalCode !== null) return
        const exited = once(child, 'exit')
        // Its content processes end with it.
        child.kill('SIGKILL')
        await exited
      },
      async open(url) {
        const page = await browser.newPage()
        await page.goto(url)
        return {
          evaluate: async (body, argument) =>
            unwrap((await page.evaluate(asScript(body, argument))) as { failed?: string }),
          reload: async () => void (await page.reload()),
          close: () => page.close(),
        }
      },
    }
  },
}
