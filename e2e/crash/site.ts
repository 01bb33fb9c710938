// The app that crashes, in a folder of its own: a copy of the built library, so that nobody's build disturbs a run, and
// the page, which finds it by an import map.
import { cp, mkdtemp, rm, writeFile } from 'node:fs/promises'
import { existsSync } from 'node:fs'
import { tmpdir } from 'node:os'
import { join } from 'node:path'
import { fileURLToPath } from 'node:url'
import { build } from 'vite'
import { serve } from '../server.js'

const html = `<!doctype html><meta charset="utf-8"><title>crash</title>
<script type="importmap">{ "imports": { "dataflow-edge": "./library/index.js" } }</script>
<script type="module" src="main.js"></script>
`

export interface Site {
  readonly url: string
  close(): Promise<void>
}

export async function openSite(): Promise<Site> {
  const library = fileURLToPath(new URL('../../dist', import.meta.url))
  if (!['index.js', 'worker.js', 'sqlite.wasm'].every(file => existsSync(join(library, file)))) {
    throw new Error(`${library} is not built: npm run build`)
  }
  const folder = await mkdtemp(join(tmpdir(), 'dataflow-edge-crash-site-'))
  await cp(library, join(folder, 'library'), { recursive: true })
  await build({
    configFile: false,
    logLevel: 'warn',
    publicDir: false,
    build: {
      outDir: folder,
      emptyOutDir: false,
      minify: false,
      lib: {
        entry: fileURLToPath(new URL('page/main.ts', import.meta.url)),
        formats: ['es'],
        fileName: () => 'main.js',
      },
      rolldownOptions: { external: ['dataflow-edge'] },
    },
  })
  await writeFile(join(folder, 'index.html'), html)
  const server = await serve(folder)
  return {
    url: server.url,
    async close() {
      await server.close()
      await rm(folder, { recursive: true, force: true })
    },
  }
}
