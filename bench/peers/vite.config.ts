// The page of bench:peers: every peer as an app bundles it.
import { fileURLToPath } from 'node:url'
import { defineConfig } from 'vite'

const path = (relative: string) => fileURLToPath(new URL(relative, import.meta.url))

export default defineConfig({
  root: path('page'),
  base: './',
  publicDir: false,
  resolve: { alias: [{ find: /^dataflow-edge$/, replacement: path('../../dist/index.js') }] },
  worker: { format: 'es' },
  build: {
    outDir: path('.built'),
    emptyOutDir: true,
    target: 'es2023',
    reportCompressedSize: false,
    chunkSizeWarningLimit: 20_000,
  },
})
