// What the documentation says is true: every sample compiles and runs, every link and path exists.
import { execFile } from 'node:child_process'
import { existsSync, mkdirSync, rmSync, writeFileSync } from 'node:fs'
import { dirname, join } from 'node:path'
import { promisify } from 'node:util'
import { afterEach, beforeAll, beforeEach, describe, expect, test, vi } from 'vitest'
import { DataFlowError, ERROR_CODES } from '../src/shared/errors.js'
import { documents, root, samplesOf, sources, textOf, type Sample } from './support/docs-samples.js'
import { makeOrigin, type Origin } from './support/docs-shim.js'

const folder = join(root, '.tsbuild/docs')
const samples = documents().flatMap(samplesOf)
const fileOf = ({ place }: Sample) => join(folder, `${place.replaceAll(/\W+/g, '-')}.ts`)

beforeAll(() => {
  rmSync(folder, { recursive: true, force: true })
  mkdirSync(folder, { recursive: true })
  for (const sample of samples) writeFileSync(fileOf(sample), sample.code)
  writeFileSync(join(folder, 'globals.d.ts'), 'declare function $expect<T>(actual: T, expected: unknown): void\n')
  const config = {
    extends: '../../tsconfig.base.json',
    compilerOptions: {
      composite: false,
      declaration: false,
      emitDeclarationOnly: false,
      noEmit: true,
      noUnusedLocals: false,
      rootDir: '../..',
      lib: ['ES2023', 'ESNext.Disposable', 'DOM', 'DOM.Iterable', 'DOM.AsyncIterable'],
      paths: { 'dataflow-edge': ['../../src/index.ts'] },
    },
    include: ['./*.ts', '../../src/assets.d.ts'],
  }
  writeFileSync(join(folder, 'tsconfig.json'), JSON.stringify(config))
})

describe('samples', () => {
  test('all compile', async () => {
    const tsc = join(root, 'node_modules/typescript/bin/tsc')
    const compiled = promisify(execFile)(process.execPath, [tsc, '-p', folder, '--pretty', 'false'])
    expect(
      await compiled.then(
        () => '',
        (error: { stdout: string }) => error.stdout,
      ),
    ).toBe('')
  })

  let origin: Origin
  beforeEach(() => {
    origin = makeOrigin()
    for (const [name, value] of Object.entries(origin.globals)) vi.stubGlobal(name, value)
    vi.stubGlobal('$expect', (actual: unknown, expected: unknown) => expect(actual).toEqual(expected))
    vi.spyOn(console, 'log').mockImplementation(() => {})
  })
  afterEach(async () => {
    await origin.end()
    vi.restoreAllMocks()
    vi.unstubAllGlobals()
  })

  test.for(samples.filter(({ kind }) => kind !== 'types').map(sample => [sample.place, sample] as const))(
    '%s',
    async ([, sample]) => {
      const error = await import(fileOf(sample)).then(
        () => null,
        (reason: unknown) => reason,
      )
      if (sample.error === null) {
        if (error !== null) throw error
        return
      }
      expect(error).toBeInstanceOf(Error)
      expect({ code: (error as DataFlowError).code, error }).toMatchObject({ code: sample.error })
      if (sample.message !== null) expect((error as Error).message).toBe(sample.message.replaceAll(/\s+/g, ' '))
    },
  )
})

describe('text', () => {
  test.for(documents())('%s: every link leads somewhere', path => {
    const text = textOf(path)
    for (const [, target] of text.matchAll(/\]\(([^)\s]+)\)/g)) {
      if (/^https?:/.test(target!)) continue
      const [file, anchor] = target!.split('#')
      const linked = file === '' ? path : join(dirname(path), file!)
      expect(existsSync(join(root, linked)), `${path} -> ${target}`).toBe(true)
      if (anchor !== undefined) expect(anchorsOf(textOf(linked)), `${path} -> ${target}`).toContain(anchor)
    }
  })

  test('ARCHITECTURE.md names files that exist', () => {
    const named = [
      ...textOf('ARCHITECTURE.md').matchAll(/`((?:src|worker|test|e2e|demo|scripts|bench|docs)\/[\w./-]*)`/g),
    ]
    const missing = named.map(([, path]) => path!).filter(path => !existsSync(join(root, path)))
    expect(missing).toEqual([])
  })

  test('ARCHITECTURE.md has every source file in its tree', () => {
    const text = textOf('ARCHITECTURE.md')
    expect(sources().filter(file => !text.includes(file.split('/').at(-1)!))).toEqual([])
  })

  test('docs/semantics.md has every number that the source refers to', () => {
    const numbers = [...textOf('docs/semantics.md').matchAll(/^(\d+)\. /gm)].map(([, number]) => number)
    expect(numbers).toEqual(Array.from({ length: 30 }, (_, i) => String(i + 1)))
    const source = sources().map(textOf).join('\n')
    const referred = [...source.matchAll(/semantics ((?:\d+(?:, | and )?)+)/g)].flatMap(([, list]) =>
      list!.match(/\d+/g)!,
    )
    expect(referred.filter(number => !numbers.includes(number))).toEqual([])
  })

  test('README.md gives the sizes that scripts/check-sizes.mjs holds', () => {
    const bars = [...textOf('scripts/check-sizes.mjs').matchAll(/bar: ([\d.]+) \* KB/g)].map(([, size]) => size)
    const sizes = textOf('README.md').split('## Sizes')[1]!.split('## ')[0]!
    expect([...sizes.matchAll(/([\d.]+) KB/g)].map(([, size]) => size)).toEqual(bars)
  })

  test('docs/errors.md lists every code, and says which are never raised yet', () => {
    const text = textOf('docs/errors.md')
    const listed = [...text.matchAll(/^### `([A-Z_]+)`(.*)$/gm)]
    expect(listed.map(([, code]) => code)).toEqual([...ERROR_CODES])
    const source = sources().map(textOf).join('\n')
    const raised = (code: string) =>
      new RegExp(`DataFlowError(<'\\w+'>)?\\(\\s*'${code}'|code: '${code}'|misuse\\([^)]*'${code}'`).test(source)
    const unmarked = listed.map(([, code, mark]) => [code!, /not raised yet/.test(mark!)])
    expect(unmarked).toEqual(ERROR_CODES.map(code => [code, !raised(code)]))
  })
})

/** The anchors of a document's headings, as GitHub makes them. */
function anchorsOf(text: string): string[] {
  return [...text.matchAll(/^#+ (.+)$/gm)].map(([, heading]) =>
    heading!
      .toLowerCase()
      .replaceAll(/[^\w\s-]/g, '')
      .replaceAll(/\s/g, '-'),
  )
}
