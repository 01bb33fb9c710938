// Models as the text of a TypeScript module. Pure: the same models print the same text.
import type { ModelCode, Problem } from './model-of.js'
import { textCode } from './quote.js'

const WIDTH = 120

export function printModule(models: readonly ModelCode[], problems: readonly Problem[]): string {
  const own = new Set(models.map(({ table }) => table))
  const others = problems.filter(({ table }) => !own.has(table))
  const bodies = models.map(model => {
    const notes = problems.filter(({ table }) => table === model.table)
    return `${comment(notes.map(withColumn))}export const ${model.model} = ${printModel(model)}\n`
  })
  const list = models.map(({ accessor, model }) => `${accessor}: ${model}`)
  const blocks = [
    printImport(bodies.join('')),
    comment(others.map(problem => `${problem.table}: ${withColumn(problem)}`)),
    ...bodies,
    `export const models = ${braces(list, '', 'export const models = '.length)}\n`,
  ]
  return blocks.filter(Boolean).join('\n')
}

/** Only what is used: a compiler may be strict about the rest. */
function printImport(code: string): string {
  const used = [/\bmodel\(/, /\bsql`/, /\bt\./].flatMap((use, i) => (use.test(code) ? [['model', 'sql', 't'][i]!] : []))
  return used.length === 0 ? '' : `import { ${used.join(', ')} } from 'dataflow-edge'\n`
}

function printModel({ model, table, accessor, fields, unique, indexes }: ModelCode): string {
  const options = [
    ...(table === accessor ? [] : [`table: ${textCode(table)}`]),
    ...(indexes.length > 0 ? [`indexes: [${indexes.join(', ')}]`] : []),
    ...(unique.length > 0 ? [`unique: [${unique.join(', ')}]`] : []),
  ]
  const lines = (indent: string) => fields.map(({ field, code }) => `${indent}${field}: ${code},\n`).join('')
  if (options.length === 0) return `model(${textCode(model)}, {\n${lines('  ')}})`
  return `model(\n  ${textCode(model)},\n  {\n${lines('    ')}  },\n  ${braces(options, '  ', 2)},\n)`
}

/** On one line if it fits behind `used` characters. */
function braces(parts: readonly string[], indent: string, used: number): string {
  if (parts.length === 0) return '{}'
  const line = `{ ${parts.join(', ')} }`
  if (used + line.length < WIDTH) return line
  return `{\n${parts.map(part => `${indent}  ${part},\n`).join('')}${indent}}`
}

const withColumn = ({ column, message }: Problem) => (column === undefined ? message : `${column}: ${message}`)

function comment(notes: readonly string[]): string {
  return notes.map(note => wrapped(oneLine(note))).join('')
}

/** A name can hold anything, also what would end the comment. */
const oneLine = (text: string) => text.replaceAll(/\s+/g, ' ')

function wrapped(text: string): string {
  const lines = ['//']
  for (const word of text.split(' ')) {
    if (lines.at(-1)!.length + 1 + word.length > WIDTH) lines.push('//  ')
    lines[lines.length - 1] += ` ${word}`
  }
  return lines.map(line => `${line}\n`).join('')
}
