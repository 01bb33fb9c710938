// `npm run test:crash -- --rounds N --seed S [--only FAULT]`: random faults in real Chromium against the built library.
// What it does is in e2e/crash; this loads it, since it is TypeScript.
import { argv, env, exit } from 'node:process'
import { fileURLToPath } from 'node:url'
import { runnerImport } from 'vite'
import { installChromium } from './find-chromium.mjs'

env.CHROMIUM_PATH = installChromium()
const file = fileURLToPath(new URL('../e2e/crash/main.ts', import.meta.url))
/** @type {{ module: { main(args: string[]): Promise<number> } }} */
const { module } = await runnerImport(file, { configFile: false, logLevel: 'warn' })
// What a killed browser leaves open would keep the process alive.
exit(await module.main(argv.slice(2)))
