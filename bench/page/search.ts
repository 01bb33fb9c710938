// A search over many short texts, the first 20 of its matches, ranked.
import { dataflow, model, t } from 'dataflow-edge'
import { deleteDatabases } from './measures.js'
import { fetchPlaces } from './rows.js'
import { median, time } from './timing.js'

const Place = model(
  'Place',
  {
    id: t.integer().primaryKey(),
    name: t.text(),
    country: t.text(),
    region: t.text(),
    lat: t.real(),
    lng: t.real(),
  },
  { search: ['name'] },
)

const TIMES = 9
const CHUNK = 10_000

export interface SearchFigures {
  readonly words: string
  /** How many places match. */
  readonly matches: number
  readonly ms: number
}

/** ms of the first 20 for each of these words. */
export async function search(places: number, all: readonly string[]): Promise<SearchFigures[]> {
  const db = dataflow(`bench-${Date.now()}`, { models: { places: Place } })
  try {
    const rows = await fetchPlaces(places)
    for (let i = 0; i < rows.length; i += CHUNK) await db.places.bulkCreate(rows.slice(i, i + CHUNK))
    const figures: SearchFigures[] = []
    for (const words of all) {
      const matches = (await db.places.search(words, { select: ['id'], rank: false })).length
      const times: number[] = []
      for (let i = 0; i < TIMES; i++) times.push(await time(() => db.places.search(words, { limit: 20 })))
      figures.push({ words, matches, ms: median(times) })
    }
    return figures
  } finally {
    await db.close()
    await deleteDatabases()
  }
}
