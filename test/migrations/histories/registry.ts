// What the registry has to say after a migration, by what it said before and by what has changed.
import type { Found } from './schema.js'
import { show } from './spec.js'
import type { Table, World } from './world.js'

export interface Before {
  readonly found: Found
  readonly world: World
}

/** `sources`: which stored model became which. */
export function registryDifferences(
  found: Found,
  world: World,
  before: Before,
  sources: ReadonlyMap<string, string>,
): string[] {
  const expected = new Map(
    world.map(table => {
      const source = before.world.find(other => other.model === (sources.get(table.model) ?? table.model))
      const status = table.orphan ? 'orphan' : 'active'
      if (!source) return [table.model, { status, version: 1 }]
      const row = before.found.registry.get(source.model)
      const isSame = definition(found, table) === definition(before.found, source) && row?.status === status
      return [table.model, { status, version: (row?.version ?? 0) + (isSame ? 0 : 1) }]
    }),
  )
  const names = new Set([...found.registry.keys(), ...expected.keys()])
  return [...names].flatMap(name => {
    const [has, wants] = [show(found.registry.get(name)), show(expected.get(name))]
    return has === wants ? [] : [`registry of ${name}: found ${has}, expected ${wants}`]
  })
}

/** All that a table's definition says. */
function definition({ tables }: Found, { model, table, columns, orphan }: Table): string {
  const schema = tables.get(table)
  const sorted = <T>(map: ReadonlyMap<string, T> | undefined) => [...(map ?? [])].sort(([a], [b]) => (a < b ? -1 : 1))
  const forms = columns
    .map(column => [column.name, column.form, column.orphan])
    .sort((a, b) => (a[0]! < b[0]! ? -1 : 1))
  return show([
    [model, table, orphan, forms],
    [schema?.autoIncrement, sorted(schema?.columns), sorted(schema?.checks), schema?.references],
    sorted(schema?.indexes),
  ])
}
