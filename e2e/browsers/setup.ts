// Once before all engines: what is missing is installed, the test app is served.
import { existsSync } from 'node:fs'
import type { TestProject } from 'vitest/node'
import { installChromium } from '../../scripts/find-chromium.mjs'
import { built } from '../fixtures.js'
import { serve } from '../server.js'
import { installEngines } from './find-engines.js'

declare module 'vitest' {
  export interface ProvidedContext {
    appUrl: string
  }
}

export default async function setup(project: TestProject): Promise<() => Promise<void>> {
  if (!existsSync(built.app)) throw new Error(`There is no ${built.app}: npm run build:all makes it.`)
  process.env.CHROMIUM_PATH = installChromium()
  installEngines()
  const server = await serve(built.app)
  project.provide('appUrl', server.url)
  return () => server.close()
}
