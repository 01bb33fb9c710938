import { dataflow, model, t } from 'dataflow-edge'
import type { Contestant, MakeContestant, TableName } from './contestant.js'

export const models = {
  users: model('User', {
    id: t.id(),
    email: t.text(),
    name: t.text(),
    age: t.integer(),
    active: t.boolean(),
    joined: t.date(),
  }),
  items: model('Item', {
    id: t.id(),
    title: t.text(),
    count: t.integer().nullable(),
    done: t.boolean(),
    due: t.date(),
    price: t.real(),
    meta: t.json<{ tags: string[]; place: { lat: number; lng: number } }>(),
    views: t.bigint(),
  }),
  places: model('Place', {
    id: t.integer().primaryKey(),
    name: t.text(),
    country: t.text(),
    region: t.text(),
    lat: t.real(),
    lng: t.real(),
  }),
  documents: model('Document', { id: t.id(), title: t.text(), body: t.text(), data: t.blob() }),
}

/** The operations of any of the tables. */
interface AnyTable {
  create(row: unknown): Promise<unknown>
  bulkCreate(rows: readonly unknown[]): Promise<unknown>
  read(id: unknown): Promise<never>
  list(): Promise<never[]>
}

export const openDataflowEdge: MakeContestant = <T extends TableName>(database: string, name: T): Contestant<T> => {
  const db = dataflow(database, { models: { [name]: models[name] } } as never)
  const table = (db as unknown as Record<T, AnyTable>)[name]
  return {
    ready: () => db.ready,
    add: row => table.create(row),
    addAll: rows => table.bulkCreate(rows),
    get: id => table.read(id),
    list: () => table.list(),
    close: () => db.close(),
  }
}
