// The package as npm packs it, in fresh apps: it must find its worker and its .wasm without any configuration.
import { spawnSync } from 'node:child_process'
import { join } from 'node:path'
import { fileURLToPath } from 'node:url'
import type { Page } from '@playwright/test'
import { build as viteBuild, createServer } from 'vite'
import webpack from 'webpack'
import { expect, test } from './fixtures.js'
import { makeApp, type FreshApp } from './fresh-app.js'
import { serve } from './server.js'

const html = (head: string) =>
  `<!doctype html><html><head><meta charset="utf-8"><title>app</title>${head}</head></html>`

const files = {
  'package.json': '{ "name": "app", "type": "module", "private": true }',
  'index.html': html('<script type="module" src="/src/main.js"></script>'),
  'plain.html': html(`
    <script type="importmap">{ "imports": { "dataflow-edge": "./node_modules/dataflow-edge/dist/index.js" } }</script>
    <script type="module" src="./src/main.js"></script>`),
  'webpack/index.html': html('<script src="main.js"></script>'),
  'src/main.js': `
    import { dataflow, model, t } from 'dataflow-edge'

    const Note = model('Note', { id: t.id(), title: t.text() })
    const db = dataflow('app', { models: { notes: Note } })

    async function main() {
      const { id } = await db.notes.create({ title: 'from a fresh app' })
      return (await db.notes.read(id)).title
    }
    main().then(title => (document.title = title), e => (document.title = 'failed: ' + e.message))
  `,
  'src/typed.ts': `
    import { dataflow, model, t, type Row } from 'dataflow-edge'

    const Note = model('Note', { id: t.id(), title: t.text(), stars: t.integer().nullable() })
    const db = dataflow('app', { models: { notes: Note } })
    export const note: Promise<Row<typeof Note> | null> = db.notes.read('1')
    // @ts-expect-error a title is text
    db.notes.create({ title: 1 })
  `,
}

/** Opens the app and returns the URLs of the workers it started, once it has created and read a row. */
async function worksAt(page: Page, url: string): Promise<string[]> {
  const workers: string[] = []
  page.on('worker', worker => workers.push(worker.url()))
  await page.goto(url)
  await expect(page).not.toHaveTitle('app', { timeout: 30_000 })
  await expect(page).toHaveTitle('from a fresh app')
  return workers
}

function webpackBuild(folder: string, mode: 'production' | 'development'): Promise<void> {
  const compiler = webpack({
    context: folder,
    mode,
    entry: './src/main.js',
    output: { path: join(folder, 'webpack'), publicPath: 'auto' },
    performance: false,
  })
  if (!compiler) throw new Error('webpack did not start')
  return new Promise((resolve, reject) => {
    compiler.run((error, stats) => {
      compiler.close(() => {
        if (error ?? stats?.hasErrors()) reject(error ?? new Error(stats?.toString('errors-only')))
        else resolve()
      })
    })
  })
}

test.describe('a fresh app', () => {
  let app: FreshApp
  test.beforeAll(async () => {
    app = await makeApp(files)
  })
  test.afterAll(() => app.remove())

  test('Vite, development', async ({ page }) => {
    const server = await createServer({ root: app.folder, logLevel: 'error', server: { port: 0, host: 'localhost' } })
    await server.listen()
    try {
      const workers = await worksAt(page, server.resolvedUrls!.local[0]!)
      expect(workers).toEqual([expect.stringMatching(/^http.*worker/)])
    } finally {
      await server.close()
    }
  })

  test('Vite, built', async ({ page }) => {
    await viteBuild({ root: app.folder, logLevel: 'error' })
    const server = await serve(join(app.folder, 'dist'))
    try {
      expect(await worksAt(page, server.url)).toEqual([expect.stringMatching(/^http.*worker/)])
    } finally {
      await server.close()
    }
  })

  for (const mode of ['development', 'production'] as const) {
    test(`webpack 5, ${mode}`, async ({ page }) => {
      await webpackBuild(app.folder, mode)
      const server = await serve(join(app.folder, 'webpack'))
      try {
        expect(await worksAt(page, server.url)).toEqual([expect.stringMatching(/^http/)])
      } finally {
        await server.close()
      }
    })
  }

  test('TypeScript finds the types, all of them', () => {
    const tsc = fileURLToPath(new URL('../node_modules/.bin/tsc', import.meta.url))
    for (const resolution of ['nodenext', 'bundler']) {
      const module = resolution === 'bundler' ? 'esnext' : resolution
      const options = ['--module', module, '--moduleResolution', resolution, '--lib', 'es2023,esnext.disposable,dom']
      const { status, stdout } = spawnSync(
        tsc,
        ['src/typed.ts', '--noEmit', '--strict', '--target', 'es2022', '--skipLibCheck', 'false', ...options],
        { cwd: app.folder, encoding: 'utf8' },
      )
      expect(stdout).toBe('')
      expect(status).toBe(0)
    }
  })

  test('no bundler at all', async ({ page }) => {
    const server = await serve(app.folder)
    try {
      const workers = await worksAt(page, `${server.url}plain.html`)
      expect(workers).toEqual([`${server.url}node_modules/dataflow-edge/dist/worker.js`])
    } finally {
      await server.close()
    }
  })

  test('a bundler that loses the URL of the worker: the inline worker takes over', async ({ page }) => {
    const server = await serve(app.folder, {
      missing: path => /worker\.js$|\.wasm$/.test(path) && !/inline/.test(path),
    })
    try {
      const workers = await worksAt(page, `${server.url}plain.html`)
      expect(workers.at(-1)).toMatch(/^blob:/)
    } finally {
      await server.close()
    }
  })
})
