// The page of the bench, with the library as an app bundles it, and a worker that runs the engine's source without a page.
import { fileURLToPath } from 'node:url'
import { defineConfig } from 'vite'
import { sqlJs } from '../vite.plugins.js'

const path = (relative: string) => fileURLToPath(new URL(relative, import.meta.url))

export default defineConfig({
  root: path('page'),
  base: './',
  publicDir: false,
  resolve: {
    alias: [
      { find: /^dataflow-edge$/, replacement: path('../dist/index.js') },
      { find: /^#worker\//, replacement: path('../worker/') },
    ],
  },
  worker: { format: 'es', plugins: () => [sqlJs()] },
  build: {
    outDir: path('.built'),
    emptyOutDir: true,
    target: 'es2023',
    reportCompressedSize: false,
    chunkSizeWarningLimit: 2048,
  },
})
