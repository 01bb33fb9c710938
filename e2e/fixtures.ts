// What every spec imports instead of @playwright/test: a browser with a profile on disk (Playwright's default context
// keeps IndexedDB in memory), the built test app and the built demo.
import { existsSync } from 'node:fs'
import { mkdtemp, rm } from 'node:fs/promises'
import { tmpdir } from 'node:os'
import { join } from 'node:path'
import { fileURLToPath } from 'node:url'
import { test as base, chromium, type BrowserContext, type Page } from '@playwright/test'
import { chromiumFlags, findChromium } from '../scripts/find-chromium.mjs'
import { startBrowser, type BrowserProcess } from './browser-process.js'
import { serve, type Server } from './server.js'

export { expect } from '@playwright/test'

/** The folders that the builds fill. */
export const built = {
  library: fileURLToPath(new URL('../dist', import.meta.url)),
  app: fileURLToPath(new URL('app/dist', import.meta.url)),
  demo: fileURLToPath(new URL('../demo/dist', import.meta.url)),
}

export interface TestFixtures {
  /** The user data directory of this test: empty at first, removed at the end. */
  profile: string
  /** A tab that shows the test app; `window.dataflowEdge` is everything the package exports. */
  app: Page
  /** One more tab with the test app, in the same browser. */
  openApp: () => Promise<Page>
  /** Starts a browser process of its own on `profile`, to be killed; all are gone when the test ends. */
  browserProcess: () => Promise<BrowserProcess>
}

export interface WorkerFixtures {
  /** Where the test app is served. */
  appServer: Server
  /** Where the demo is served. */
  demoServer: Server
}

export const test = base.extend<TestFixtures, WorkerFixtures>({
  appServer: [async ({}, use) => useServer(built.app, use), { scope: 'worker' }],
  demoServer: [async ({}, use) => useServer(built.demo, use), { scope: 'worker' }],

  profile: async ({}, use) => {
    const folder = await mkdtemp(join(tmpdir(), 'dataflow-edge-profile-'))
    await use(folder)
    await rm(folder, { recursive: true, force: true, maxRetries: 10, retryDelay: 100 })
  },

  // In place of Playwright's own: `page` and `context` of every test are of a browser with a profile on disk.
  context: async ({ profile }, use) => {
    const context = await openProfile(profile)
    await use(context)
    await context.close()
  },

  openApp: async ({ context, appServer }, use) => {
    await use(async () => showApp(await context.newPage(), appServer))
  },

  app: async ({ openApp }, use) => {
    await use(await openApp())
  },

  browserProcess: async ({ profile }, use) => {
    const started: BrowserProcess[] = []
    await use(async () => {
      const browser = await startBrowser(profile)
      started.push(browser)
      return browser
    })
    for (const browser of started) await browser.kill()
  },
})

/** A browser on `profile`, which it holds until it is closed. */
export function openProfile(profile: string): Promise<BrowserContext> {
  return chromium.launchPersistentContext(profile, { executablePath: findChromium(), args: chromiumFlags })
}

/** Shows the test app in `page` and waits until it is ready for page.evaluate. */
export async function showApp(page: Page, server: Server): Promise<Page> {
  await page.goto(server.url)
  await page.waitForFunction(() => 'dataflowEdge' in window)
  return page
}

async function useServer(folder: string, use: (server: Server) => Promise<void>): Promise<void> {
  if (!existsSync(join(folder, 'index.html'))) throw new Error(`${folder} is not built: npm run build:all`)
  const server = await serve(folder)
  await use(server)
  await server.close()
}
