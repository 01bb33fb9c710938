// Chromium over the DevTools protocol, as in all other specs.
import { startBrowser } from '../../browser-process.js'
import { asScript, unwrap, type Engine } from './engine.js'

export const chromium: Engine = {
  name: 'Chromium',
  async start(profile) {
    const { browser, context, kill } = await startBrowser(profile)
    return {
      version: `Chromium ${browser.version()}`,
      kill,
      async open(url) {
        const page = await context.newPage()
        await page.goto(url)
        return {
          evaluate: async (body, argument) => unwrap(await page.evaluate(asScript(body, argument))),
          reload: async () => void (await page.reload()),
          close: () => page.close(),
        }
      },
    }
  },
}
