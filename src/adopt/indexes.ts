// Which indexes of a table its model declares. All others stay as they are: SQLite keeps them all the same.
import type { IndexFacts, TableFacts } from './facts.js'
import { listed, sqlCode, textCode } from './quote.js'

export interface ModelIndexes {
  /** Columns that are unique, or indexed, by themselves: their fields say so. */
  readonly uniqueColumns: ReadonlySet<string>
  readonly indexedColumns: ReadonlySet<string>
  /** What the options of the model say: such as `['a', 'b']` and `{ on: [{ a: 'desc' }] }`. */
  readonly unique: readonly string[]
  readonly indexes: readonly string[]
  readonly notes: readonly string[]
}

/** `fieldOf`: by name of a column. `key`: its index is the key's own. */
export function indexesOf(table: TableFacts, key: string, fieldOf: ReadonlyMap<string, string>): ModelIndexes {
  const notes: string[] = []
  const found = { unique: new Map<string, IndexFacts>(), plain: new Map<string, IndexFacts>() }
  for (const index of table.indexes) {
    if (index.ofKey) continue
    const why = whyNotDeclared(index, fieldOf)
    if (why !== null) {
      const what = `${index.unique ? 'unique index' : 'index'} ${index.name}`
      notes.push(`the ${what} ${why}: it is kept by SQLite, not declared`)
      continue
    }
    const ignoring = index.columns.find(({ collation }) => collation !== 'BINARY')
    if (index.unique && ignoring) {
      const columns = listed(index.columns.map(({ name }) => name!))
      notes.push(`${columns}: unique as ${ignoring.collation} compares, by the index ${index.name}`)
    }
    const same = identity(index)
    const kept = found[index.unique ? 'unique' : 'plain']
    if (!kept.has(same)) kept.set(same, index)
  }
  for (const same of found.unique.keys()) found.plain.delete(same)
  const [unique, plain] = [found.unique, found.plain].map(kept => [...kept.values()].filter(index => !isOf(index, key)))
  const alone = (indexes: readonly IndexFacts[]) =>
    new Set(indexes.filter(isSimple).flatMap(({ columns }) => (columns.length === 1 ? [columns[0]!.name!] : [])))
  const together = (indexes: readonly IndexFacts[]) =>
    indexes.filter(index => index.columns.length > 1 || !isSimple(index)).map(index => codeOf(index, fieldOf))
  return {
    uniqueColumns: alone(unique!),
    indexedColumns: alone(plain!),
    unique: together(unique!),
    indexes: together(plain!),
    notes,
  }
}

const isSimple = ({ columns, where }: IndexFacts) => where === null && columns.every(({ descending }) => !descending)

const isOf = (index: IndexFacts, column: string) =>
  isSimple(index) && index.columns.length === 1 && index.columns[0]!.name === column

/** Two indexes of one identity would have one name in a table of the library's. */
function identity({ columns, where }: IndexFacts): string {
  return JSON.stringify([columns.map(({ name, descending }) => [name, descending]), where]).toLowerCase()
}

function whyNotDeclared({ columns }: IndexFacts, fieldOf: ReadonlyMap<string, string>): string | null {
  if (columns.some(({ name }) => name === null)) return 'is over an expression'
  const missing = columns.find(({ name }) => !fieldOf.has(name!))
  return missing ? `is over ${missing.name}, which has no field` : null
}

function codeOf({ columns, where }: IndexFacts, fieldOf: ReadonlyMap<string, string>): string {
  const on = columns.map(({ name, descending }) => {
    const field = fieldOf.get(name!)!
    return descending ? `{ ${field}: 'desc' }` : textCode(field)
  })
  const list = `[${on.join(', ')}]`
  if (where !== null) return `{ on: ${list}, where: ${sqlCode(where)} }`
  return columns.some(({ descending }) => descending) ? `{ on: ${list} }` : list
}
