// The fixtures for specs that leave the browser as it was: one browser per Playwright worker, with a profile on disk, its
// pages closed and its storage emptied after each test. Twice as fast as a browser each.
import { mkdtemp, rm } from 'node:fs/promises'
import { tmpdir } from 'node:os'
import { join } from 'node:path'
import type { BrowserContext, CDPSession } from '@playwright/test'
import { openProfile, test as base } from './fixtures.js'

export { expect } from '@playwright/test'

interface SharedBrowser {
  readonly context: BrowserContext
  /** Of a page that no test sees. */
  readonly devtools: CDPSession
}

export const test = base.extend<object, { sharedBrowser: SharedBrowser }>({
  sharedBrowser: [
    async ({}, use) => {
      const profile = await mkdtemp(join(tmpdir(), 'dataflow-edge-shared-'))
      const context = await openProfile(profile)
      await use({ context, devtools: await context.newCDPSession(context.pages()[0]!) })
      await context.close()
      await rm(profile, { recursive: true, force: true, maxRetries: 10, retryDelay: 100 })
    },
    { scope: 'worker' },
  ],

  context: async ({ sharedBrowser: { context, devtools }, appServer }, use) => {
    await use(context)
    for (const page of context.pages().slice(1)) await page.close()
    await devtools.send('Storage.clearDataForOrigin', { origin: new URL(appServer.url).origin, storageTypes: 'all' })
  },
})
