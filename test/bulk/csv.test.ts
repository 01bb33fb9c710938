// The readers of text files, beside writers of the same form: any records, cut anywhere.
import fc from 'fast-check'
import { describe, expect, test } from 'vitest'
import { CsvParser, type CsvRecord } from '../../src/records/csv.js'
import { LineParser } from '../../src/records/jsonl.js'
import { readRecords } from '../../src/records/records.js'
import { DataFlowError } from '../../src/index.js'
import { streamOf } from './support.js'

const fail = (text: string, line: number): never => {
  throw new DataFlowError('IMPORT', text, { line })
}

function parse(pieces: readonly string[], delimiter = ','): CsvRecord[] {
  const parser = new CsvParser(delimiter, fail)
  const records = pieces.flatMap(piece => [...parser.push(piece)])
  const last = parser.end()
  return last ? [...records, last] : records
}

const cells = (text: string, delimiter?: string) => parse([text], delimiter).map(record => record.cells)

/** Cuts at these places, as shares of the length. */
function cut<T extends { length: number; slice(from: number, to: number): T }>(
  whole: T,
  shares: readonly number[],
): T[] {
  const at = [0, ...shares.map(share => Math.floor(share * whole.length)).sort((a, b) => a - b), whole.length]
  return at.slice(1).map((to, i) => whole.slice(at[i]!, to))
}

const anyCell = fc.oneof(
  fc.string({ unit: 'grapheme', maxLength: 12 }),
  fc
    .array(fc.constantFrom('"', ',', ';', '\n', '\r', '\r\n', 'é', '\u{1F600}', 'a', ' '), { maxLength: 8 })
    .map(p => p.join('')),
)
const anyCuts = fc.array(fc.double({ min: 0, max: 1, noNaN: true }), { maxLength: 12 })
interface AnyFile {
  records: string[][]
  delimiter: string
  lineBreak: string
  ended: boolean
  always: boolean
}
const anyFile: fc.Arbitrary<AnyFile> = fc.record({
  records: fc
    .integer({ min: 1, max: 4 })
    .chain(width => fc.array(fc.array(anyCell, { minLength: width, maxLength: width }))),
  delimiter: fc.constantFrom(',', ';', '\t'),
  lineBreak: fc.constantFrom('\n', '\r\n', '\r'),
  ended: fc.boolean(),
  always: fc.boolean(),
})

function write({ records, delimiter, lineBreak, ended, always }: AnyFile): string {
  const cell = (text: string, alone: boolean) =>
    always || (alone && text === '') || /["\r\n]/.test(text) || text.includes(delimiter)
      ? `"${text.replaceAll('"', '""')}"`
      : text
  const lines = records.map(record => record.map(text => cell(text, record.length === 1)).join(delimiter))
  return lines.join(lineBreak) + (ended && lines.length > 0 ? lineBreak : '')
}

describe('CSV', () => {
  test('any records, written and read again, cut anywhere', () => {
    fc.assert(
      fc.property(anyFile, anyCuts, (file, cuts) => {
        const records = parse(cut(write(file), cuts), file.delimiter)
        expect(records.map(record => record.cells)).toEqual(file.records)
      }),
    )
  })

  test('its bytes, cut in the middle of characters', async () => {
    await fc.assert(
      fc.asyncProperty(anyFile, anyCuts, fc.boolean(), async (file, cuts, marked) => {
        const bytes = new TextEncoder().encode((marked ? '\uFEFF' : '') + write(file))
        const stream = streamOf(cut(bytes, cuts))
        const columns = (file.records[0] ?? ['a']).map((_, i) => `c${i}`)
        const read = readRecords(
          stream,
          {},
          {
            format: 'csv',
            columns,
            delimiter: file.delimiter,
            checkColumns() {},
            makeError: (...args) => new DataFlowError(...args),
          },
        )!
        const records = []
        for await (const record of read)
          records.push('value' in record ? Object.values(record.value as object) : record.error)
        expect(records).toEqual(file.records)
      }),
    )
  })

  test('by hand', () => {
    expect(cells('a,b\n1,2')).toEqual([
      ['a', 'b'],
      ['1', '2'],
    ])
    expect(cells('a\r\n\r\n\n"b"\r\n')).toEqual([['a'], ['b']])
    expect(cells('')).toEqual([])
    expect(cells('""')).toEqual([['']])
    expect(cells(',\n,"",')).toEqual([
      ['', ''],
      ['', '', ''],
    ])
    expect(cells('"a ""b"" c","x\r\ny"')).toEqual([['a "b" c', 'x\r\ny']])
    expect(cells('a;b,c', ';')).toEqual([['a', 'b,c']])
  })

  test('the line of each record', () => {
    expect(parse(['a\n\n"b\n', 'b","c\r\nc"\r', '\nd\re']).map(record => record.line)).toEqual([1, 3, 6, 7])
  })

  test('what is malformed, and on which line', () => {
    const wrong = (text: string) => {
      try {
        parse([text])
      } catch (error) {
        return (error as DataFlowError).line
      }
      return null
    }
    expect(wrong('a\n"b\n\n')).toBe(2)
    expect(wrong('a\n"b"c')).toBe(2)
    expect(wrong('a\nb"c"')).toBe(2)
    expect(wrong(`a\n"${'b'.repeat(17 * 1024 * 1024)}"`)).toBe(2)
  })
})

describe('JSON Lines', () => {
  test('any values, cut anywhere', () => {
    fc.assert(
      fc.property(fc.array(fc.json()), anyCuts, fc.constantFrom('\n', '\r\n', '\n\n'), (values, cuts, lineBreak) => {
        const parser = new LineParser(fail)
        const lines = cut(values.join(lineBreak), cuts).flatMap(piece => [...parser.push(piece)])
        const last = parser.end()
        const read = (last ? [...lines, last] : lines).map(line => JSON.parse(line.text) as unknown)
        expect(read).toEqual(values.map(value => JSON.parse(value) as unknown))
      }),
    )
  })
})
