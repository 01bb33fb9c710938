// The worker as text and SQLite's WASM as base64, for setups whose bundler lost the worker's URL. Loaded only then:
// 440 KB gzipped. Both come from the built worker, so the library is built worker first.
import source from '../dist/worker.js?raw'
import wasm from '../dist/sqlite.wasm?inline'

/**
 * The worker, from a blob: a Content-Security-Policy needs `worker-src blob:`. It finds SQLite's WASM as bytes in
 * `globalThis.DATAFLOW_WASM`, since nothing can be fetched relative to a blob.
 */
export function createInlineWorker(): Worker {
  const base64 = wasm.slice(wasm.indexOf(',') + 1)
  const decode = `globalThis.DATAFLOW_WASM=Uint8Array.from(atob("${base64}"),c=>c.charCodeAt(0));\n`
  const url = URL.createObjectURL(new Blob([decode, source], { type: 'text/javascript' }))
  const worker = new Worker(url, { type: 'module' })
  worker.addEventListener('message', () => URL.revokeObjectURL(url), { once: true })
  return worker
}
