// `npm run test:browsers`: the main scenarios in three engines, one after the other.
import { defineConfig } from 'vitest/config'

export default defineConfig({
  test: {
    include: ['e2e/browsers/**/*.test.ts'],
    environment: 'node',
    globalSetup: 'e2e/browsers/setup.ts',
    // A browser that starts on two busy cores.
    testTimeout: 60_000,
    hookTimeout: 60_000,
    fileParallelism: false,
    reporters: ['default', 'json'],
    outputFile: { json: 'reports/browsers.json' },
  },
})
