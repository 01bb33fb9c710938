import { defineConfig } from '@playwright/test'
import { findChromium } from './scripts/find-chromium.mjs'

if (!findChromium()) throw new Error('No Chromium: node scripts/find-chromium.mjs installs one.')

export default defineConfig({
  testDir: 'e2e',
  // What ends in .test.ts is Vitest's.
  testMatch: '**/*.spec.ts',
  outputDir: 'test-results',
  workers: 2,
  retries: 0,
  timeout: 60_000,
  forbidOnly: !!process.env.CI,
  reporter: [['list'], ['json', { outputFile: 'reports/e2e.json' }]],
})
