// Brings the places in, once: chunk by chunk, each with how far it is, so that closing the page loses and doubles nothing.
import { batch } from './activity.js'
import { db, Import, Place } from './models.js'
import { findEdition, openPlaces, type NewPlace } from './places-file.js'

export interface Progress {
  readonly done: number
  readonly total: number
}

/** One of these rows is enough. */
export const PLACES = 'places'
const CHUNK = 5000

export interface Due extends Progress {
  readonly edition: string
}

/** What is left to import: null where nothing is. */
export async function importDue(state: Due | null): Promise<Due | null> {
  const edition = await findEdition().catch(() => null)
  if (edition === null) {
    if (state && state.done === state.total) return null
    throw new Error('There is no file of places.')
  }
  // Another edition is read from its beginning: places keep their ids, and take the new values.
  if (state?.edition !== edition) return { edition, done: 0, total: 0 }
  return state.done < state.total ? { edition, done: state.done, total: state.total } : null
}

/** Reads on where the last import ended; `onChunk` is called when a chunk has been saved. */
export async function importPlaces(
  { edition, done }: Due,
  onChunk: (progress: Progress, places: readonly NewPlace[]) => void,
): Promise<void> {
  const { total, places } = await openPlaces(edition)
  let chunk: NewPlace[] = []
  let writing: Promise<void> = Promise.resolve()
  let at = 0
  const write = async () => {
    const rows = chunk
    const progress = { done: at, total }
    chunk = []
    // While one chunk is written the next one is read.
    await writing
    writing = save(edition, progress, rows).then(() => onChunk(progress, rows))
    // Its failure is met by whoever awaits it next.
    writing.catch(() => {})
  }
  for await (const place of places) {
    if (++at <= done) continue
    chunk.push(place)
    if (chunk.length === CHUNK) await write()
  }
  if (chunk.length > 0) await write()
  await writing
}

async function save(edition: string, progress: Progress, rows: readonly NewPlace[]): Promise<void> {
  await batch([Place.bulkCreate(rows, { onConflict: 'update' }), Import.upsert({ id: PLACES, edition, ...progress })])
}

export async function readImport() {
  return db.imports.read(PLACES)
}

export async function countPlaces(): Promise<number> {
  return db.places.count()
}

export async function keepMap(map: Uint8Array): Promise<void> {
  await db.imports.update(PLACES, { map })
}
