// Reads the file of places that scripts/places.mjs makes: its format is described there.
import type { Insert } from 'dataflow-edge'
import { fold } from './fold.js'
import type { Place } from './models.js'

export type NewPlace = Insert<typeof Place>

export interface PlacesFile {
  readonly total: number
  readonly places: AsyncIterable<NewPlace>
}

/** The file's name changes with its content: the edition. Null where the page was built without it. */
export async function findEdition(): Promise<string | null> {
  const response = await fetch('./files.json')
  const files: string[] = response.ok ? await response.json() : []
  return files.find(file => /(^|\/)places-[^/]*\.bin$/.test(file)) ?? null
}

export async function openPlaces(edition: string): Promise<PlacesFile> {
  const response = await fetch(`./${edition}`)
  if (!response.ok || !response.body) throw new Error(`The file of places could not be read (${response.status}).`)
  const lines = readLines(response.body.pipeThrough(new DecompressionStream('gzip')))
  const { value: header } = await lines.next()
  const { count } = JSON.parse(header!) as { count: number }
  return { total: count, places: parse(lines) }
}

async function* readLines(bytes: ReadableStream<Uint8Array>): AsyncGenerator<string, undefined> {
  const reader = bytes.pipeThrough(new TextDecoderStream() as ReadableWritablePair<string, Uint8Array>).getReader()
  let rest = ''
  try {
    for (;;) {
      const { done, value = '' } = await reader.read()
      const lines = (rest + value).split('\n')
      rest = done ? '' : lines.pop()!
      yield* lines
      if (done) return
    }
  } finally {
    // Whoever stops reading early stops the download.
    void reader.cancel().catch(() => {})
  }
}

async function* parse(lines: AsyncIterable<string>): AsyncGenerator<NewPlace> {
  let country = ''
  let regions: string[] = []
  for await (const line of lines) {
    const cells = line.split('\t')
    if (line.startsWith('>')) {
      country = cells[0]!.slice(1)
      regions = cells.slice(1)
      continue
    }
    const [name = '', region, rank, lat, lng, again = ''] = cells
    const place = { name, country, region: regions[Number(region)]! }
    yield {
      ...place,
      id: idOf(country, `${place.region}\t${name}\t${again}`),
      folded: fold(name),
      rank: Number(rank),
      lat: Number(lat) / 10_000,
      lng: Number(lng) / 10_000,
    }
  }
}

/** 52 bits: the country's letters, so that its places lie together, and a hash (cyrb53) of what tells them apart. */
function idOf(country: string, text: string): number {
  let a = 0xdeadbeef
  let b = 0x41c6ce57
  for (let i = 0; i < text.length; i++) {
    const unit = text.charCodeAt(i)
    a = Math.imul(a ^ unit, 2654435761)
    b = Math.imul(b ^ unit, 1597334677)
  }
  a = Math.imul(a ^ (a >>> 16), 2246822507) ^ Math.imul(b ^ (b >>> 13), 3266489909)
  b = Math.imul(b ^ (b >>> 16), 2246822507) ^ Math.imul(a ^ (a >>> 13), 3266489909)
  const [first, second] = [country.charCodeAt(0) - 65, country.charCodeAt(1) - 65]
  return (first * 26 + second) * 2 ** 42 + (b & 0x3ff) * 2 ** 32 + (a >>> 0)
}
