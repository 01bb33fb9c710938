// Finding places by the beginning of their name: one range of an index, already in the order shown.
import { batch, run } from './activity.js'
import { fold } from './fold.js'
import { db, Place } from './models.js'

export type FoundPlace = Pick<Place, 'id' | 'name' | 'region' | 'country'>

export interface Found {
  readonly places: readonly FoundPlace[]
  /** Of all that begin so. */
  readonly total: number
}

export const SHOWN = 20

export async function findPlaces(text: string, country: string, signal: AbortSignal): Promise<Found> {
  const folded = fold(text)
  if (folded === '') return { places: [], total: 0 }
  const where = { folded: { $startsWith: folded }, ...(country ? { country } : {}) }
  const [places, total] = await batch(
    [
      Place.list({
        where,
        orderBy: [{ folded: 'asc' }, { rank: 'asc' }],
        limit: SHOWN,
        select: ['id', 'name', 'region', 'country'],
      }),
      Place.count(where),
    ],
    { signal },
  )
  return { places, total }
}

/** Countries that have places by now. */
export async function countriesFound(): Promise<string[]> {
  const rows = await db.sql<{ country: string }>`select distinct country from places`
  return rows.map(({ country }) => country)
}

/** Some place: the next one after a number between the first and the last. */
export async function anyPlace(): Promise<Pick<Place, 'id'> | null> {
  const [first, last] = await batch([
    Place.first({ select: ['id'] }),
    Place.first({ orderBy: { id: 'desc' }, select: ['id'] }),
  ])
  if (!first || !last) return null
  const id = first.id + Math.floor(Math.random() * (last.id - first.id))
  return run(Place.first({ where: { id: { $gte: id } }, select: ['id'] }))
}
