// One mode per thing that is built: the worker first, then the page (its fallback chunk contains the built worker), then
// the pages that use the built package.
import { fileURLToPath } from 'node:url'
import { defineConfig, type PluginOption, type UserConfig } from 'vite'
import { places } from './scripts/places.mjs'
import { keepText, listFiles, sqlJs } from './vite.plugins.js'

const path = (relative: string) => fileURLToPath(new URL(relative, import.meta.url))

function library(entry: string, fileName: string, config: UserConfig): UserConfig {
  return {
    publicDir: false,
    ...config,
    build: {
      lib: { entry: path(entry), formats: ['es'], fileName: () => fileName },
      outDir: path('dist'),
      reportCompressedSize: false,
      rolldownOptions: { output: { minify: true, chunkFileNames: '[name].js' } },
      ...config.build,
    },
  }
}

function site(root: string, ...plugins: PluginOption[]): UserConfig {
  return {
    root: path(root),
    base: './',
    // The real thing: what apps get from the package.
    resolve: { alias: [{ find: /^dataflow-edge$/, replacement: path('dist/index.js') }] },
    // The lazy fallback holds SQLite's WASM; nothing to warn of.
    build: { emptyOutDir: true, reportCompressedSize: false, chunkSizeWarningLimit: 2048 },
    plugins: [...plugins, listFiles()],
    preview: { host: 'localhost' },
  }
}

const modes: Record<string, () => UserConfig> = {
  worker: () =>
    library('worker/index.ts', 'worker.js', {
      build: { emptyOutDir: true },
      plugins: [sqlJs(), keepText({ chunk: 'worker.js', text: "new URL('./sqlite.wasm', import.meta.url)" })],
    }),
  page: () =>
    library('src/index.ts', 'index.js', {
      assetsInclude: ['**/*.wasm'],
      build: { emptyOutDir: false },
      plugins: [
        keepText({
          chunk: 'index.js',
          text: "new Worker(new URL('./worker.js', import.meta.url), { type: 'module' })",
        }),
      ],
    }),
  demo: () => site('demo', places()),
  e2e: () => site('e2e/app'),
}

export default defineConfig(({ mode }) => {
  const config = modes[mode]
  if (!config) throw new Error(`vite build --mode ${Object.keys(modes).join(' | ')}; not ${mode}`)
  return config()
})
