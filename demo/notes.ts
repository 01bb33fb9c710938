// Notes: what can be done with them.
import type { Page } from 'dataflow-edge'
import { batch, run } from './activity.js'
import { Note, Place } from './models.js'

export type NotePlace = Pick<Place, 'id' | 'name' | 'region' | 'country' | 'lat' | 'lng'>
export interface PlacedNote {
  readonly note: Note
  readonly place: NotePlace
}
export interface NoteDraft {
  readonly text: string
  readonly tags: string[]
  readonly date: Date
}

const HERE = { deletedAt: null }
const NEWEST_FIRST = [{ date: 'desc' }, { id: 'desc' }] as const
const PLACE_FIELDS = ['id', 'name', 'region', 'country', 'lat', 'lng'] as const
const PAGE = 20

/** The newest notes, `after` those shown already, with a tag or all. */
export async function newestNotes(after: string | null, tag: string | null): Promise<Page<PlacedNote>> {
  const { items, ...ends } = await run(
    Note.page({
      where: { ...HERE, ...(tag === null ? {} : { tags: { $has: tag } }) },
      orderBy: NEWEST_FIRST,
      limit: PAGE,
      ...(after === null ? {} : { after }),
    }),
  )
  const ids = [...new Set(items.map(note => note.placeId))]
  if (ids.length === 0) return { items: [], ...ends }
  const places = await run(Place.list({ where: { id: { $in: ids } }, select: PLACE_FIELDS }))
  const byId = new Map(places.map(place => [place.id, place]))
  return { items: items.map(note => ({ note, place: byId.get(note.placeId)! })), ...ends }
}

export async function placeWithNotes(id: number): Promise<{ place: Place | null; notes: Note[] }> {
  const [place, notes] = await batch([
    Place.read(id),
    Note.list({ where: { placeId: id, ...HERE }, orderBy: NEWEST_FIRST }),
  ])
  return { place, notes }
}

/** Where there are notes, for the map. */
export async function notedPlaces(): Promise<{ lat: number; lng: number }[]> {
  const notes = await run(Note.list({ where: HERE, select: ['placeId'] }))
  const ids = [...new Set(notes.map(note => note.placeId))]
  return ids.length === 0 ? [] : run(Place.list({ where: { id: { $in: ids } }, select: ['lat', 'lng'] }))
}

export async function addNote(placeId: number, draft: NoteDraft): Promise<Note> {
  return run(Note.create({ placeId, ...draft }))
}

export async function changeNote(id: string, draft: NoteDraft): Promise<Note> {
  return run(Note.update(id, draft))
}

/** Hides the note, so that it can come back as it was. */
export async function hideNote(id: string): Promise<void> {
  await run(Note.update(id, { deletedAt: new Date() }))
}

export async function restoreNote(id: string): Promise<void> {
  await run(Note.update(id, { deletedAt: null }))
}

export async function deleteNote(id: string): Promise<void> {
  await run(Note.delete(id))
}

/** Deletes what was hidden when the page was closed. */
export async function deleteHiddenNotes(): Promise<void> {
  await run(Note.bulkDelete({ where: { deletedAt: { $null: false } } }))
}

/** "Birds, rain #coast" -> birds, rain, coast. */
export function parseTags(text: string): string[] {
  const tags = text.split(/[,#\n]/).map(tag => tag.trim().replace(/\s+/g, ' ').toLowerCase())
  return [...new Set(tags.filter(Boolean))]
}
