import { readFileSync } from 'node:fs'
import { createRequire } from 'node:module'
import type { Plugin } from 'vite'

const require = createRequire(import.meta.url)

/** Turns sql.js into an ES module and puts its .wasm beside the worker, as a file of its own. */
export function sqlJs(): Plugin {
  const file = require.resolve('sql.js/dist/sql-wasm-browser.js')
  const tail = /if \(typeof exports === 'object' && typeof module === 'object'\)\{[\s\S]*$/
  return {
    name: 'sql-js',
    enforce: 'pre',
    resolveId: id => (id === 'sql.js' ? file : null),
    transform(code, id) {
      if (id !== file) return
      if (!tail.test(code)) this.error('sql.js no longer ends as we know it')
      // Declared, so that its tests for Node and AMD find nothing, whatever the page around the worker defines.
      return `var module, exports, define;\n${code.replace(tail, 'export default initSqlJs')}`
    },
    buildStart() {
      const source = readFileSync(require.resolve('sql.js/dist/sql-wasm-browser.wasm'))
      this.emitFile({ type: 'asset', fileName: 'sqlite.wasm', source })
    },
  }
}

/**
 * Carries expressions through our build as they are written: bundlers of apps look for exactly this text, which Vite
 * would resolve and the minifier rewrite. `kept`: a chunk and the text that it must contain.
 */
export function keepText(kept: { chunk: string; text: string }): Plugin {
  const placeholder = '__KEPT_TEXT__'
  return {
    name: 'keep-text',
    enforce: 'pre',
    transform: code => (code.includes(kept.text) ? code.replaceAll(kept.text, placeholder) : null),
    generateBundle(_, bundle) {
      const chunk = bundle[kept.chunk]
      if (chunk?.type !== 'chunk' || !chunk.code.includes(placeholder)) {
        this.error(`The source of ${kept.chunk} must contain ${kept.text} literally`)
      }
      chunk.code = chunk.code
        .replaceAll(placeholder, kept.text)
        // The minifier writes every string with backticks; not every bundler takes those for an import.
        .replace(/\bimport\(`([^`$]+)`\)/g, "import('$1')")
    },
  }
}

/** Writes files.json, every file of the built page: what a service worker precaches. */
export function listFiles(): Plugin {
  return {
    name: 'list-files',
    apply: 'build',
    generateBundle(_, bundle) {
      this.emitFile({ type: 'asset', fileName: 'files.json', source: JSON.stringify(Object.keys(bundle).sort()) })
    },
  }
}
