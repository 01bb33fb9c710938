// What a page has to load. The tests hold the same bars: scripts/check-sizes.mjs.
import { readFileSync } from 'node:fs'
import { createRequire } from 'node:module'
import { gzipSync } from 'node:zlib'
import { atMost, exactly } from '../harness/bar.mjs'

const require = createRequire(import.meta.url)
const kb = (/** @type {number} */ bytes) => `${(bytes / 1000).toFixed(1)} KB`

/** @type {import('./measure.js').Measure} */
export const sizes = {
  name: 'sizes',
  async run() {
    const gzipped = (/** @type {string | URL} */ file) => gzipSync(readFileSync(file), { level: 9 }).length
    const built = (/** @type {string} */ file) => gzipped(new URL(`../../dist/${file}`, import.meta.url))
    const raw = { page: built('index.js'), worker: built('worker.js'), wasm: built('sqlite.wasm') }
    return {
      raw,
      tables: [
        { title: 'Bundles, gzipped', head: ['', 'size'], rows: Object.entries(raw).map(([what, n]) => [what, kb(n)]) },
      ],
      bars: [
        atMost('page bundle, gzipped', raw.page, 12_000, kb),
        atMost('worker, gzipped', raw.worker, 40_000, kb),
        exactly(
          "wasm beside sql.js's own, bytes gzipped",
          raw.wasm,
          gzipped(require.resolve('sql.js/dist/sql-wasm.wasm')),
        ),
      ],
    }
  },
}
