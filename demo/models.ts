// What Field Notes keeps, and the database that keeps it.
import { dataflow, model, t, type Row } from 'dataflow-edge'

export const Place = model(
  'Place',
  {
    /** The same in every edition of the data (places-file.ts), so that notes stay where they belong. */
    id: t.integer().primaryKey(),
    name: t.text(),
    /** The name as it is searched for: fold.ts. */
    folded: t.text(),
    /** ISO 3166-1, two letters. */
    country: t.text({ max: 2 }),
    /** Canton, state, province; empty where GeoNames knows none. */
    region: t.text(),
    /** 0: its region is named for it, 1: its district, 2: neither. The lowest comes first among equal names. */
    rank: t.integer(),
    lat: t.real(),
    lng: t.real(),
  },
  // Each is read in its own order, with and without a country: a search sorts nothing.
  {
    indexes: [
      ['folded', 'rank'],
      ['country', 'folded', 'rank'],
    ],
  },
)

export const Note = model(
  'Note',
  {
    id: t.id(),
    placeId: t.ref('Place', { onDelete: 'cascade' }).$type<number>(),
    text: t.text({ max: 10_000 }),
    tags: t.json<string[]>().default([]),
    /** The day it is about: midnight UTC. */
    date: t.date(),
    /** Set while a deletion can still be undone. */
    deletedAt: t.date().nullable(),
    createdAt: t.createdAt(),
    updatedAt: t.updatedAt(),
  },
  { indexes: [['date', 'id']] },
)

/** How far the import of the places is: written with each of its chunks, in one transaction. */
export const Import = model('Import', {
  id: t.text().primaryKey(),
  /** The file that is being read, or was read to its end. */
  edition: t.text(),
  done: t.integer(),
  total: t.integer(),
  /** What the map shows (map.ts), counted once, at the end. */
  map: t.blob().nullable(),
  updatedAt: t.updatedAt(),
})

export type Place = Row<typeof Place>
export type Note = Row<typeof Note>

export const db = dataflow('field-notes', { models: { places: Place, notes: Note, imports: Import } })
