// What an app puts into the database by its own SQL. It has to outlive every migration of the tables that it is about.
import { sql } from '../../../src/index.js'
import type { SqlQuery } from '../../../src/shared/sql.js'
import type { Table, World } from './world.js'

export interface Addition {
  /** As it is listed: its kind and its name. */
  readonly listed: string
  /** The model whose table it is about. */
  readonly model: string | null
  /** Gone with its table; a view stays and is broken. */
  readonly goesAlong: boolean
}

export interface Making {
  readonly query: SqlQuery<unknown>
  readonly addition: Addition
}

/** The n-th kind of addition, on one of these tables. */
export function additionOf(kind: number, serial: number, tables: readonly Table[]): Making {
  const name = `extra${serial}`
  const table = tables[serial % tables.length]
  if (kind === 1 || !table) {
    const addition = { listed: `view ${name}`, model: null, goesAlong: false }
    return { query: sql`create view ${sql.id(name)} as select 1 as one`, addition }
  }
  if (kind === 2) {
    const addition = { listed: `view ${name}`, model: table.model, goesAlong: false }
    return { query: sql`create view ${sql.id(name)} as select count(*) as n from ${sql.id(table.table)}`, addition }
  }
  const addition = { listed: `trigger ${name}`, model: table.model, goesAlong: true }
  const query = sql`create trigger ${sql.id(name)} after insert on ${sql.id(table.table)} begin select 1; end`
  return { query, addition }
}

/** What is left of the additions in the new world; null when a view is about a table that goes. */
export function additionsIn(
  world: World,
  sources: ReadonlyMap<string, string>,
  additions: readonly Addition[],
): Addition[] | null {
  const renamed = new Map([...sources].map(([model, source]) => [source, model]))
  const next: Addition[] = []
  for (const addition of additions) {
    const model = addition.model === null ? null : (renamed.get(addition.model) ?? addition.model)
    if (model === null || world.some(table => table.model === model)) next.push({ ...addition, model })
    else if (!addition.goesAlong) return null
  }
  return next
}
