// The lock file names versions and checksums, never where they were downloaded: any registry may serve them.
import { readFileSync } from 'node:fs'

const { packages } = JSON.parse(readFileSync(new URL('../package-lock.json', import.meta.url), 'utf8'))
const entries = Object.entries(packages).filter(([path]) => path !== '')
const failures = entries.flatMap(([path, { resolved, integrity }]) => [
  ...(resolved === undefined ? [] : [`${path} has a download address: npm install with .npmrc as it is`]),
  ...(integrity === undefined ? [`${path} has no checksum`] : []),
])
for (const failure of failures) console.error(failure)
process.exitCode = failures.length > 0 ? 1 : 0
