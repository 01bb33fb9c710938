// The samples of the documentation, as modules that can be compiled and run. How a sample is marked:
//
//   ```ts setup         stands before the other samples of its file; more than one: all that came so far
//   ```ts               is run; after the setup, unless it imports what it needs itself
//   ```ts error=UNIQUE  is run and must end with this DataFlowError; a ```text block behind it is its message
//   ```ts types         is compiled only: it needs a browser
//
// In a sample that is run, `expression // => value` is asserted.
import { readdirSync, readFileSync } from 'node:fs'
import { join } from 'node:path'
import { fileURLToPath } from 'node:url'

export const root = fileURLToPath(new URL('../..', import.meta.url))

export interface Sample {
  /** Such as `docs/guide.md:40`. */
  readonly place: string
  readonly kind: 'setup' | 'run' | 'types'
  /** The code it has to end with. */
  readonly error: string | null
  /** The message it has to end with. */
  readonly message: string | null
  /** A module: the setup, the sample, its assertions. */
  readonly code: string
}

export function documents(): string[] {
  const docs = readdirSync(join(root, 'docs')).filter(name => name.endsWith('.md'))
  return ['README.md', 'ARCHITECTURE.md', 'CHANGELOG.md', ...docs.map(name => `docs/${name}`)]
}

export function textOf(path: string): string {
  return readFileSync(join(root, path), 'utf8')
}

/** Paths of everything that makes the library. */
export function sources(): string[] {
  return ['src', 'worker'].flatMap(folder =>
    readdirSync(join(root, folder), { recursive: true, encoding: 'utf8' })
      .filter(path => path.endsWith('.ts'))
      .map(path => `${folder}/${path}`),
  )
}

const BLOCK = /^```(\w*)([^\n]*)\n(.*?)^```$/gms

export function samplesOf(path: string): Sample[] {
  const text = textOf(path)
  const blocks = [...text.matchAll(BLOCK)]
  let setup = ''
  return blocks.flatMap((block, i) => {
    const [, language, info, body] = block as unknown as [string, string, string, string]
    if (language !== 'ts' && language !== 'typescript') return []
    const place = `${path}:${text.slice(0, block.index).split('\n').length}`
    const [, word = '', code = null] = /^ ?(setup|types|error=(\w+)|)$/.exec(info) ?? unknown(place, info)
    const alone = /^import .* from 'dataflow-edge'$/m.test(body)
    if (word === 'setup') setup += body
    const next = blocks[i + 1]
    const message = code !== null && next?.[1] === 'text' ? next[3]!.trim() : null
    return {
      place,
      kind: word === 'setup' || word === 'types' ? word : 'run',
      error: code,
      message,
      code: toModule(word === 'setup' ? setup : alone ? body : setup + body, place),
    } satisfies Sample
  })
}

function unknown(place: string, info: string): never {
  throw new Error(`${place}: a sample cannot be marked "${info}"`)
}

/** `const x = y // => v` and `y // => v`, on one line or the comment on the next. */
const ASSERTION = /^(\s*)(?:(?:const|let) (\w+)(?:: [^=]+)? = (.+?)|;?(.+?))(?: |\n\s*)\/\/ => (.+)$/gm

function toModule(code: string, place: string): string {
  const asserted = code.replace(ASSERTION, (line, indent: string, name, _value, expression, expected) =>
    name === undefined
      ? `${indent};$expect(${expression}, ${expected})`
      : `${line}\n${indent};$expect(${name}, ${expected})`,
  )
  const [promised, kept] = [code.split('// =>').length, asserted.split('$expect(').length]
  if (promised !== kept) throw new Error(`${place}: an assertion must stand behind an expression of one line`)
  return `${asserted}\nexport {}\n`
}
